/* SPDX-License-Identifier: MIT */

#include "daemon/lookup_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_key.h"
#include "daemon/io/loop.h"

#define WORD "key="

struct lookup_key {
	struct lookup_keys *of;
	struct lookup_key *next;
	struct lookup_key_wanted want;
};

static void drop(struct lookup_key *q)
{
	struct lookup_key **at = &q->of->first;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	q->of->n--;
	free(q);
}

/* The one key that there is: of two, nobody can say which is true. */
static const char *find_key(const struct dns_answer *a, bool *found,
			    uint8_t out[CONF_KEY_LEN])
{
	uint8_t key[CONF_KEY_LEN];

	*found = false;
	for (size_t i = 0; i < a->n; i++) {
		const char *text = a->u.txt[i];

		if (strncmp(text, WORD, strlen(WORD)) != 0)
			continue;
		if (!conf_key_decode(text + strlen(WORD), key))
			return "what DNS has of its number is no key";
		if (*found && memcmp(key, out, sizeof(key)) != 0)
			return "DNS has two keys of its number";
		memcpy(out, key, sizeof(key));
		*found = true;
	}
	return NULL;
}

static void on_txt(void *ctx, const struct dns_answer *a)
{
	struct lookup_key *q = ctx;
	const struct lookup_key_wanted want = q->want;
	uint8_t key[CONF_KEY_LEN];
	const char *why = a->state == DNS_FAILED ? a->why : NULL;
	bool found = false;

	if (a->state == DNS_FOUND)
		why = find_key(a, &found, key);
	drop(q);
	want.fn(want.ctx, want.id, found && !why ? key : NULL, why);
}

int lookup_keys_ask(struct lookup_keys *k, struct resolver *r,
		    const char *domain, const char *number,
		    const struct lookup_key_wanted *want)
{
	static const struct rate_limit often = { 300, 32 };
	char name[DNS_HOST_LEN + 1];
	struct lookup_key *q;
	int err;

	if (k->n == LOOKUP_KEYS_MAX || !rate_take(&k->rate, &often, loop_now()))
		return -EBUSY;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct lookup_key){ k, k->first, *want };
	k->first = q;
	k->n++;
	(void)snprintf(name, sizeof(name), "_keyhole.%.15s.nodes.%.200s.",
		       number, domain);
	err = dns_ask(r, DNS_TXT, name, on_txt, q);
	if (err != 0)
		drop(q);
	return err;
}

void lookup_keys_forget(struct lookup_keys *k)
{
	struct lookup_key *q = k->first;

	while (q) {
		struct lookup_key *next = q->next;

		free(q);
		q = next;
	}
	k->first = NULL;
	k->n = 0;
}
