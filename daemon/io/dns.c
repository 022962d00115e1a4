/* SPDX-License-Identifier: MIT */

#include "daemon/io/dns.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/io/addr.h"
#include "daemon/io/dns_priv.h"

#define CLASS_IN 1
#define TYPE_TXT 16
#define TYPE_SRV 33

struct dns_query {
	struct resolver *r;
	struct dns_query *next;
	enum dns_kind kind;
	dns_fn fn;           /* or: */
	resolve_fn resolved; /* for a host */
	void *ctx;
	uint16_t port;         /* of the addresses */
	struct event *deliver; /* hands the answer over, from the loop */
	struct dns_answer answer;
	char name[DNS_HOST_LEN + 2];
};

static void unlink_query(struct dns_query *q)
{
	struct dns_query **at = &q->r->queries;

	while (*at && *at != q)
		at = &(*at)->next;
	if (*at)
		*at = q->next;
}

static void query_free(struct dns_query *q)
{
	if (q->deliver)
		event_free(q->deliver);
	free(q);
}

void dns_query_free(struct dns_query *q)
{
	unlink_query(q);
	query_free(q);
}

static void tell_resolved(const struct dns_query *q)
{
	char why[DNS_HOST_LEN + DNS_WHY_MAX + 32] = "";

	if (q->answer.n == 0)
		(void)snprintf(why, sizeof(why), "cannot look up %s: %s",
			       q->name, q->answer.why);
	q->resolved(q->ctx, q->answer.u.addr, q->answer.n, why);
}

static void on_deliver(evutil_socket_t fd, short what, void *arg)
{
	struct dns_query *q = arg;

	(void)fd;
	(void)what;
	/* Who is called may free the resolver. */
	unlink_query(q);
	if (q->fn)
		q->fn(q->ctx, &q->answer);
	else
		tell_resolved(q);
	query_free(q);
}

/* c-ares may answer before the question's call returns. */
static void deliver(struct dns_query *q)
{
	event_active(q->deliver, EV_TIMEOUT, 1);
}

static void not_found(struct dns_query *q, int status)
{
	const bool absent = status == ARES_ENOTFOUND ||
			    status == ARES_ENODATA || status == ARES_SUCCESS;
	const char *why = ares_strerror(status);

	if (status == ARES_SUCCESS)
		why = "it has no address";
	else if (status == ARES_ENOTFOUND)
		why = "there is no such name";
	q->answer.state = absent ? DNS_ABSENT : DNS_FAILED;
	(void)snprintf(q->answer.why, sizeof(q->answer.why), "%s", why);
}

static void collect(const struct ares_addrinfo *info, uint16_t port,
		    struct dns_answer *out)
{
	out->ttl_s = UINT32_MAX;
	for (const struct ares_addrinfo_node *i = info->nodes;
	     i && out->n < RESOLVE_MAX; i = i->ai_next) {
		const uint32_t ttl_s = i->ai_ttl > 0 ? (uint32_t)i->ai_ttl : 0;

		if (!net_addr_from_sockaddr(i->ai_addr, &out->u.addr[out->n]))
			continue;
		out->u.addr[out->n++].port = port;
		if (ttl_s < out->ttl_s)
			out->ttl_s = ttl_s;
	}
}

static void on_addresses(void *arg, int status, int timeouts,
			 struct ares_addrinfo *info)
{
	struct dns_query *q = arg;

	(void)timeouts;
	/* The resolver itself frees what is left when it closes. */
	if (!q->r->closing) {
		if (status == ARES_SUCCESS)
			collect(info, q->port, &q->answer);
		if (q->answer.n == 0)
			not_found(q, status);
		deliver(q);
	}
	ares_freeaddrinfo(info);
}

static void on_records(void *arg, int status, int timeouts, unsigned char *buf,
		       int len)
{
	struct dns_query *q = arg;

	(void)timeouts;
	if (q->r->closing)
		return;
	if (status == ARES_SUCCESS && len > 0)
		dns_read(q->kind, buf, (size_t)len, &q->answer);
	else
		not_found(q, status);
	deliver(q);
}

static bool is_address(struct dns_query *q)
{
	if (q->kind != DNS_ADDRESSES ||
	    !net_addr_parse(q->name, q->port, &q->answer.u.addr[0]))
		return false;
	q->answer.n = 1;
	q->answer.ttl_s = UINT32_MAX;
	return true;
}

static void ask(struct dns_query *q)
{
	const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC };
	struct resolver *r = q->r;

	if (is_address(q))
		deliver(q);
	else if (q->kind == DNS_ADDRESSES)
		ares_getaddrinfo(r->channel, q->name, NULL, &hints,
				 on_addresses, q);
	else
		ares_query(r->channel, q->name, CLASS_IN,
			   q->kind == DNS_SRV ? TYPE_SRV : TYPE_TXT, on_records,
			   q);
	dns_arm_timer(r);
}

/* A copy of @wanted asks for @name. */
static int start(const struct dns_query *wanted, const char *name)
{
	struct resolver *r = wanted->r;
	struct dns_query *q;

	if (!dns_channel(r))
		return -ENOMEM;
	q = malloc(sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = *wanted;
	(void)snprintf(q->name, sizeof(q->name), "%s", name);
	q->deliver = event_new(r->base, -1, 0, on_deliver, q);
	if (!q->deliver) {
		free(q);
		return -ENOMEM;
	}
	q->next = r->queries;
	r->queries = q;
	ask(q);
	return 0;
}

int dns_ask(struct resolver *r, enum dns_kind kind, const char *name, dns_fn fn,
	    void *ctx)
{
	const struct dns_query q = {
		.r = r, .kind = kind, .fn = fn, .ctx = ctx
	};

	return start(&q, name);
}

int resolve(struct resolver *r, const char *host, uint16_t port, resolve_fn fn,
	    void *ctx)
{
	const struct dns_query q = {
		.r = r,
		.kind = DNS_ADDRESSES,
		.resolved = fn,
		.ctx = ctx,
		.port = port,
	};

	return start(&q, host);
}
