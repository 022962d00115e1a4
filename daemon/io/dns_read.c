/* SPDX-License-Identifier: MIT */

/* Records out of an answer.  c-ares reads them; their life it does not tell,
 * so that is read here (RFC 1035 4.1). */

#include <ares.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/io/dns.h"

#define HEADER_LEN 12U
#define QUESTION_TAIL 4U /* type, class */
#define RECORD_TAIL 10U  /* type, class, life, length */
#define TYPE_TXT 16U
#define TYPE_SRV 33U

struct view {
	const uint8_t *buf;
	size_t len;
	size_t at;
};

static uint32_t get16(const struct view *v, size_t at)
{
	return (uint32_t)v->buf[at] << 8 | v->buf[at + 1];
}

/* Past a name, whose rest may be elsewhere. */
static bool skip_name(struct view *v)
{
	while (v->at < v->len) {
		const uint8_t octet = v->buf[v->at];

		if (octet >= 0xc0) {
			v->at += 2;
			return v->at <= v->len;
		}
		v->at += (size_t)octet + 1;
		if (octet == 0)
			return v->at <= v->len;
	}
	return false;
}

static bool skip(struct view *v, size_t n)
{
	if (v->len - v->at < n)
		return false;
	v->at += n;
	return true;
}

/* RFC 2181 8: with the first bit set it counts as 0. */
static uint32_t life(const struct view *v, size_t at)
{
	const uint32_t s = get16(v, at) << 16 | get16(v, at + 2);

	return s > INT32_MAX ? 0 : s;
}

/* The least life of the answer's records of @type; 0 when it has none. */
static uint32_t least_life(const uint8_t *buf, size_t len, uint32_t type)
{
	struct view v = { buf, len, HEADER_LEN };
	uint32_t least = UINT32_MAX;
	uint32_t questions, records;

	if (len < HEADER_LEN)
		return 0;
	questions = get16(&v, 4);
	records = get16(&v, 6);
	for (uint32_t i = 0; i < questions; i++) {
		if (!skip_name(&v) || !skip(&v, QUESTION_TAIL))
			return 0;
	}
	for (uint32_t i = 0; i < records; i++) {
		size_t at;

		if (!skip_name(&v) || !skip(&v, RECORD_TAIL))
			break;
		at = v.at - RECORD_TAIL;
		if (get16(&v, at) == type && life(&v, at + 4) < least)
			least = life(&v, at + 4);
		if (!skip(&v, get16(&v, at + 8)))
			break;
	}
	return least == UINT32_MAX ? 0 : least;
}

static int read_srv(const uint8_t *buf, int len, struct dns_answer *out)
{
	struct ares_srv_reply *all = NULL;
	const int err = ares_parse_srv_reply(buf, len, &all);

	for (const struct ares_srv_reply *r = all;
	     err == ARES_SUCCESS && r && out->n < DNS_SRV_MAX; r = r->next) {
		struct dns_srv *s = &out->u.srv[out->n];

		if (strlen(r->host) > DNS_HOST_LEN)
			continue;
		s->priority = r->priority;
		s->weight = r->weight;
		s->port = r->port;
		memcpy(s->host, r->host, strlen(r->host) + 1);
		out->n++;
	}
	ares_free_data(all);
	return err;
}

/* One string after the other; one that begins a record says so. */
static int read_txt(const uint8_t *buf, int len, struct dns_answer *out)
{
	struct ares_txt_ext *all = NULL;
	const int err = ares_parse_txt_reply_ext(buf, len, &all);

	for (const struct ares_txt_ext *r = all; err == ARES_SUCCESS && r;
	     r = r->next) {
		char *text;
		size_t at;

		if (r->record_start && out->n == DNS_TXT_MAX)
			break;
		if (r->record_start || out->n == 0)
			out->u.txt[out->n++][0] = '\0';
		text = out->u.txt[out->n - 1];
		at = strlen(text);
		(void)snprintf(text + at, DNS_TXT_LEN + 1 - at, "%.*s",
			       (int)r->length, (const char *)r->txt);
	}
	ares_free_data(all);
	return err;
}

void dns_read(enum dns_kind kind, const uint8_t *buf, size_t len,
	      struct dns_answer *out)
{
	const bool srv = kind == DNS_SRV;
	int err;

	memset(out, 0, sizeof(*out));
	if (len > UINT16_MAX)
		err = ARES_EBADRESP;
	else if (srv)
		err = read_srv(buf, (int)len, out);
	else
		err = read_txt(buf, (int)len, out);
	if (out->n > 0) {
		out->ttl_s = least_life(buf, len, srv ? TYPE_SRV : TYPE_TXT);
		return;
	}
	out->state = err == ARES_SUCCESS || err == ARES_ENODATA ? DNS_ABSENT
								: DNS_FAILED;
	(void)snprintf(out->why, sizeof(out->why), "%s",
		       err == ARES_SUCCESS ? "it has no such record"
					   : ares_strerror(err));
}
