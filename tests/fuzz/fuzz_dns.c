/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "daemon/io/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t texts(const struct dns_answer *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += strlen(a->u.txt[i]);
	return n;
}

static size_t hosts(const struct dns_answer *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += strlen(a->u.srv[i].host);
	return n;
}

/* An answer has records or says why not, and every text of it ends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	struct dns_answer a;

	if (!copy)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	dns_read(DNS_SRV, copy, size, &a);
	if (a.n > DNS_SRV_MAX ||
	    hosts(&a) > (size_t)DNS_SRV_MAX * DNS_HOST_LEN ||
	    (a.n > 0) != (a.state == DNS_FOUND) ||
	    (a.n > 0) != (a.why[0] == '\0') || a.ttl_s > INT32_MAX)
		abort();
	dns_read(DNS_TXT, copy, size, &a);
	if (a.n > DNS_TXT_MAX ||
	    texts(&a) > (size_t)DNS_TXT_MAX * DNS_TXT_LEN ||
	    (a.n > 0) != (a.state == DNS_FOUND) || a.ttl_s > INT32_MAX)
		abort();
	free(copy);
	return 0;
}
