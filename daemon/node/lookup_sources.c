/* SPDX-License-Identifier: MIT */

/* What each source says of a number, and what DNS is asked for it. */

#include <stdio.h>
#include <string.h>

#include "daemon/node/lookup_priv.h"

#define IAX2_PORT 4569

/* --- what a source says ------------------------------------------------- */

static mono_us seconds(uint32_t s)
{
	return (mono_us)s * MONO_S;
}

static void say(struct lookup_said *s, enum lookup_state state, mono_us until,
		const char *why)
{
	s->state = state;
	s->until = until;
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
}

static void ask(struct lookup *l, struct entry *e, enum step step)
{
	struct lookup_said *s = &e->said[l->cfg.order[e->at]];

	e->step = step;
	e->question = true;
	e->gen++;
	l->counters.questions++;
	say(s, LOOKUP_ASKING, MONO_NEVER, "");
}

/* Exact numbers before patterns, patterns as they are listed. */
static const struct lookup_node *listed(const struct lookup *l,
					const char *number)
{
	for (size_t i = 0; i < l->cfg.nodes_n; i++) {
		if (strcmp(l->cfg.nodes[i].pattern, number) == 0)
			return &l->cfg.nodes[i];
	}
	for (size_t i = 0; i < l->cfg.nodes_n; i++) {
		if (lookup_matches(l->cfg.nodes[i].pattern, number))
			return &l->cfg.nodes[i];
	}
	return NULL;
}

static void ask_nodes(struct lookup *l, struct entry *e)
{
	const struct lookup_node *n = listed(l, e->number);
	struct lookup_said *s = &e->said[LOOKUP_NODES];

	if (!n || n->host[0] == '\0') {
		say(s, LOOKUP_ABSENT, MONO_NEVER, "it is not listed");
		return;
	}
	memcpy(s->host, n->host, sizeof(s->host));
	e->port = n->port;
	e->ttl_s = LOOKUP_MOST_S;
	ask(l, e, STEP_HOST);
}

static void ask_dns(struct lookup *l, struct entry *e)
{
	const size_t digits = strlen(e->number);
	struct lookup_said *s = &e->said[LOOKUP_DNS];

	if (l->cfg.domain[0] == '\0') {
		say(s, LOOKUP_UNASKED, MONO_NEVER, "lookup.domain is empty");
		return;
	}
	if (digits < l->cfg.dns_digits_min || digits > l->cfg.dns_digits_max) {
		say(s, LOOKUP_UNASKED, MONO_NEVER,
		    "DNS has no numbers of so many digits");
		return;
	}
	(void)snprintf(s->host, sizeof(s->host), "_iax._udp.%s.nodes.%.200s.",
		       e->number, l->cfg.domain);
	ask(l, e, STEP_SRV);
}

static void ask_extnodes(const struct lookup *l, struct entry *e, mono_us now)
{
	const struct extnode *x = extnodes_find(l->extnodes, e->number);
	struct lookup_said *s = &e->said[LOOKUP_EXTNODES];

	if (!l->cfg.extnodes) {
		say(s, LOOKUP_UNASKED, MONO_NEVER, "lookup.extnodes is empty");
	} else if (!l->extnodes) {
		say(s, LOOKUP_FAILED, now + seconds(LOOKUP_FAILED_S),
		    "the file could not be read");
	} else if (!x) {
		say(s, LOOKUP_ABSENT, MONO_NEVER, "it is not in the file");
	} else {
		say(s, LOOKUP_FOUND, MONO_NEVER, "");
		s->addr[0] = x->call;
		s->n = 1;
		s->from = x->from;
	}
}

static void ask_registrar(const struct lookup *l, struct entry *e)
{
	struct lookup_said *s = &e->said[LOOKUP_REGISTRAR];

	if (l->cfg.registrar)
		say(s, LOOKUP_FOUND, MONO_NEVER, "");
	else
		say(s, LOOKUP_UNASKED, MONO_NEVER,
		    "no OPEN/OVER registrar is configured");
}

void lookup_ask_source(struct lookup *l, struct entry *e, mono_us now)
{
	const enum lookup_source source = l->cfg.order[e->at];

	memset(&e->said[source], 0, sizeof(e->said[source]));
	e->give_up = now + LOOKUP_PATIENCE_S * MONO_S;
	if (source == LOOKUP_NODES)
		ask_nodes(l, e);
	else if (source == LOOKUP_DNS)
		ask_dns(l, e);
	else if (source == LOOKUP_EXTNODES)
		ask_extnodes(l, e, now);
	else
		ask_registrar(l, e);
}

/* --- answers ------------------------------------------------------------ */

static mono_us life(uint32_t ttl_s)
{
	if (ttl_s < LOOKUP_LEAST_S)
		ttl_s = LOOKUP_LEAST_S;
	return seconds(ttl_s < LOOKUP_MOST_S ? ttl_s : LOOKUP_MOST_S);
}

static void found(struct lookup *l, struct entry *e,
		  const struct lookup_result *r, mono_us now)
{
	struct lookup_said *s = &e->said[l->cfg.order[e->at]];
	const uint32_t ttl_s = r->ttl_s < e->ttl_s ? r->ttl_s : e->ttl_s;

	say(s, LOOKUP_FOUND, now + life(ttl_s), "");
	s->n = r->n < LOOKUP_ADDRS ? r->n : LOOKUP_ADDRS;
	for (size_t i = 0; i < s->n; i++) {
		s->addr[i] = r->addr[i];
		s->addr[i].port = e->port;
	}
}

void lookup_miss(struct lookup *l, struct entry *e, enum lookup_state state,
		 const char *why, mono_us now)
{
	const bool absent = state == LOOKUP_ABSENT;

	say(&e->said[l->cfg.order[e->at]],
	    absent ? LOOKUP_ABSENT : LOOKUP_FAILED,
	    now + seconds(absent ? LOOKUP_ABSENT_S : LOOKUP_FAILED_S), why);
}

static void ask_target(struct lookup *l, struct entry *e)
{
	const struct lookup_srv *srv = &e->srv[e->srv_at++];

	memcpy(e->said[LOOKUP_DNS].host, srv->host, sizeof(srv->host));
	e->port = srv->port;
	ask(l, e, STEP_TARGET);
}

static void on_srv(struct lookup *l, struct entry *e,
		   const struct lookup_result *r, mono_us now)
{
	struct lookup_said *s = &e->said[LOOKUP_DNS];

	if (r->state == LOOKUP_FAILED) {
		lookup_miss(l, e, r->state, r->why, now);
	} else if (r->state == LOOKUP_FOUND) {
		e->srv_n = r->n < LOOKUP_SRV ? r->n : LOOKUP_SRV;
		memcpy(e->srv, r->srv, e->srv_n * sizeof(e->srv[0]));
		e->srv_n = lookup_srv_order(e->srv, e->srv_n, l->cfg.random,
					    l->cfg.random_ctx);
		e->srv_at = 0;
		e->ttl_s = r->ttl_s;
		if (e->srv_n == 0)
			lookup_miss(l, e, LOOKUP_ABSENT,
				    "DNS says that it takes no calls", now);
		else
			ask_target(l, e);
	} else {
		/* No service record: an address alone, and IAX2's own port. */
		(void)snprintf(s->host, sizeof(s->host), "%s.nodes.%.200s.",
			       e->number, l->cfg.domain);
		e->port = IAX2_PORT;
		e->ttl_s = LOOKUP_MOST_S;
		ask(l, e, STEP_HOST);
	}
}

void lookup_hear(struct lookup *l, struct entry *e,
		 const struct lookup_result *r, mono_us now)
{
	if (e->step == STEP_SRV)
		on_srv(l, e, r, now);
	else if (r->state == LOOKUP_FOUND && r->n > 0)
		found(l, e, r, now);
	else if (e->step == STEP_TARGET && e->srv_at < e->srv_n)
		ask_target(l, e);
	else
		lookup_miss(l, e, r->state, r->why, now);
}
