/* SPDX-License-Identifier: MIT */

#include "daemon/lookup_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/addr.h"
#include "daemon/io/dns.h"
#include "daemon/io/loop.h"
#include "daemon/lookup_key.h"
#include "daemon/lookup_settings.h"

#define DNS_PORT 53
#define QUESTIONS 64U /* those that nobody waits for any more, too */

_Static_assert(LOOKUP_SRV <= DNS_SRV_MAX, "SRV records");
_Static_assert(LOOKUP_NAME_MAX >= DNS_HOST_LEN, "names");

struct question {
	struct lookup_io *io; /* NULL: free */
	struct lookup_id id;
};

struct waiter {
	struct waiter *next;
	lookup_io_fn fn;
	void *ctx;
	bool ready;
	struct lookup_answer answer; /* its number from the start */
};

struct lookup_io {
	struct event_base *base;
	struct lookup_settings *settings;
	struct lookup *lookup;
	struct resolver *resolver;
	struct file_table *file; /* NULL: none is configured */
	const struct extnodes *table;
	struct loop_timer timer;
	struct event *deliver;
	struct waiter *waiters; /* the newest first */
	size_t waiters_n;
	struct question question[QUESTIONS];
	struct lookup_keys keys;
	char trouble[LOOKUP_WHY_MAX];
};

static void pump(struct lookup_io *io);

/* --- name servers ------------------------------------------------------- */

static const enum lookup_state state_of[] = {
	[DNS_FOUND] = LOOKUP_FOUND,
	[DNS_ABSENT] = LOOKUP_ABSENT,
	[DNS_FAILED] = LOOKUP_FAILED,
};

static struct lookup_result result_of(const struct dns_answer *a)
{
	return (struct lookup_result){
		.state = state_of[a->state],
		.why = a->why,
		.ttl_s = a->ttl_s,
		.n = a->n,
	};
}

static void hear(struct question *q, const struct lookup_result *r)
{
	struct lookup_io *io = q->io;

	q->io = NULL;
	(void)snprintf(io->trouble, sizeof(io->trouble), "%s",
		       r->state == LOOKUP_FAILED ? r->why : "");
	lookup_result(io->lookup, q->id, r, loop_now());
	pump(io);
}

static void on_addresses(void *ctx, const struct dns_answer *a)
{
	struct lookup_result r = result_of(a);

	r.addr = a->u.addr;
	hear(ctx, &r);
}

static void on_srv(void *ctx, const struct dns_answer *a)
{
	struct lookup_srv srv[DNS_SRV_MAX];
	struct lookup_result r = result_of(a);

	for (size_t i = 0; i < a->n; i++) {
		const struct dns_srv *s = &a->u.srv[i];

		srv[i] = (struct lookup_srv){ .priority = s->priority,
					      .weight = s->weight,
					      .port = s->port };
		memcpy(srv[i].host, s->host, sizeof(s->host));
	}
	r.srv = srv;
	hear(ctx, &r);
}

static struct question *free_question(struct lookup_io *io)
{
	for (size_t i = 0; i < QUESTIONS; i++) {
		if (!io->question[i].io)
			return &io->question[i];
	}
	return NULL;
}

static void ask(struct lookup_io *io, const struct lookup_question *what)
{
	static const struct lookup_result cannot = {
		.state = LOOKUP_FAILED,
		.why = "too many questions at once",
	};
	struct question *q = free_question(io);

	if (q) {
		*q = (struct question){ io, what->id };
		if (dns_ask(io->resolver, what->srv ? DNS_SRV : DNS_ADDRESSES,
			    what->name, what->srv ? on_srv : on_addresses,
			    q) == 0)
			return;
		q->io = NULL;
	}
	lookup_result(io->lookup, what->id, &cannot, loop_now());
}

/* --- who waits ---------------------------------------------------------- */

static void settle(struct lookup_io *io, const struct lookup_answer *a)
{
	for (struct waiter *w = io->waiters; w; w = w->next) {
		if (w->ready || strcmp(w->answer.number, a->number) != 0)
			continue;
		w->answer = *a;
		w->ready = true;
		event_active(io->deliver, EV_TIMEOUT, 1);
	}
}

/* Who asked first of those whose answer is there. */
static struct waiter *take_ready(struct lookup_io *io)
{
	struct waiter **first = NULL, *w;

	for (struct waiter **at = &io->waiters; *at; at = &(*at)->next) {
		if ((*at)->ready)
			first = at;
	}
	if (!first)
		return NULL;
	w = *first;
	*first = w->next;
	io->waiters_n--;
	return w;
}

static void on_deliver(evutil_socket_t fd, short what, void *ctx)
{
	struct lookup_io *io = ctx;
	struct waiter *w;

	(void)fd;
	(void)what;
	while ((w = take_ready(io))) {
		w->fn(w->ctx, &w->answer);
		free(w);
	}
}

void lookup_io_forget(struct lookup_io *io, const void *ctx)
{
	for (struct waiter **at = &io->waiters; *at;) {
		struct waiter *w = *at;

		if (w->ctx != ctx) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		io->waiters_n--;
		free(w);
	}
}

/* --- asking ------------------------------------------------------------- */

static void pump(struct lookup_io *io)
{
	struct lookup_question q;
	struct lookup_answer a;

	while (lookup_next_question(io->lookup, &q))
		ask(io, &q);
	while (lookup_next_done(io->lookup, &a))
		settle(io, &a);
	loop_timer_set(&io->timer, lookup_deadline(io->lookup));
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct lookup_io *io = ctx;

	(void)fd;
	(void)what;
	lookup_tick(io->lookup, loop_now());
	pump(io);
}

static struct waiter *waiter_new(struct lookup_io *io, const char *number,
				 lookup_io_fn fn, void *ctx)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fn = fn;
	w->ctx = ctx;
	(void)snprintf(w->answer.number, sizeof(w->answer.number), "%s",
		       number);
	w->next = io->waiters;
	io->waiters = w;
	io->waiters_n++;
	return w;
}

static void drop_newest(struct lookup_io *io)
{
	struct waiter *w = io->waiters;

	io->waiters = w->next;
	io->waiters_n--;
	free(w);
}

int lookup_io_ask(struct lookup_io *io, const char *number, unsigned flags,
		  lookup_io_fn fn, void *ctx)
{
	const mono_us now = loop_now();
	enum lookup_reply reply;
	struct lookup_answer kept;

	if (io->waiters_n >= LOOKUP_IO_WAITERS)
		return -EBUSY;
	if (!waiter_new(io, number, fn, ctx))
		return -ENOMEM;
	reply = lookup_ask(io->lookup, number, flags, now);
	if (reply == LOOKUP_NUMBER || reply == LOOKUP_BUSY) {
		drop_newest(io);
		return reply == LOOKUP_NUMBER ? -EINVAL : -EBUSY;
	}
	if (reply == LOOKUP_NOW && lookup_kept(io->lookup, number, now, &kept))
		settle(io, &kept);
	pump(io);
	return 0;
}

bool lookup_io_kept(const struct lookup_io *io, const char *number,
		    struct lookup_answer *out)
{
	return lookup_kept(io->lookup, number, loop_now(), out);
}

int lookup_io_key(struct lookup_io *io, const char *number,
		  const struct lookup_key_wanted *want)
{
	const struct lookup_cfg *cfg = &io->settings->cfg;
	const size_t digits = strlen(number);

	if (cfg->domain[0] == '\0' || digits < cfg->dns_digits_min ||
	    digits > cfg->dns_digits_max)
		return -EINVAL;
	return lookup_keys_ask(&io->keys, io->resolver, cfg->domain, number,
			       want);
}

/* --- life --------------------------------------------------------------- */

static struct resolver *resolver_for(struct event_base *base,
				     const struct conf_node *conf)
{
	struct net_addr server[CONF_RESOLVERS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < conf->lookup.resolvers_n; i++)
		n += net_addr_parse(conf->lookup.resolvers[i].text, DNS_PORT,
				    &server[n]);
	return resolver_new_of(base, server, n);
}

static void on_table(void *ctx, const void *table)
{
	const struct extnodes *x = table;
	struct lookup_io *io = ctx;

	io->table = x;
	lookup_extnodes(io->lookup, x);
	pump(io);
}

static void file_close(struct lookup_io *io)
{
	io->table = NULL;
	if (io->lookup)
		lookup_extnodes(io->lookup, NULL);
	io->file = file_table_free(io->file);
}

/* Another file than before; the old one's table goes. */
static void file_open(struct lookup_io *io)
{
	file_close(io);
	if (io->settings->extnodes[0] != '\0')
		io->file = file_table_new(io->base, &extnodes_file,
					  io->settings->extnodes, on_table, io);
}

static int use(struct lookup_io *io, struct lookup_settings *m)
{
	struct lookup_settings *old = io->settings;
	const bool same_file =
		strcmp(old ? old->extnodes : "", m->extnodes) == 0;

	io->settings = m;
	if (io->lookup)
		lookup_reconfigure(io->lookup, &m->cfg, loop_now());
	else
		io->lookup = lookup_new(&m->cfg);
	(void)lookup_settings_free(old);
	if (!io->lookup)
		return -ENOMEM;
	if (!same_file)
		file_open(io);
	pump(io);
	return 0;
}

int lookup_io_reconfigure(struct lookup_io *io, const struct conf_node *conf)
{
	struct resolver *resolver = resolver_for(io->base, conf);
	struct lookup_settings *m = lookup_settings_new(conf);

	if (!m || !resolver) {
		(void)lookup_settings_free(m);
		(void)resolver_free(resolver);
		return -ENOMEM;
	}
	(void)resolver_free(io->resolver);
	memset(io->question, 0, sizeof(io->question));
	lookup_keys_forget(&io->keys);
	io->resolver = resolver;
	return use(io, m);
}

struct lookup_io *lookup_io_new(struct event_base *base,
				const struct conf_node *conf)
{
	struct lookup_io *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	io->base = base;
	io->deliver = event_new(base, -1, 0, on_deliver, io);
	if (!io->deliver ||
	    loop_timer_init(&io->timer, base, on_timer, io) != 0 ||
	    lookup_io_reconfigure(io, conf) != 0)
		return lookup_io_free(io);
	return io;
}

struct lookup_io *lookup_io_free(struct lookup_io *io)
{
	if (!io)
		return NULL;
	file_close(io);
	io->resolver = resolver_free(io->resolver);
	lookup_keys_forget(&io->keys);
	while (io->waiters)
		drop_newest(io);
	loop_timer_done(&io->timer);
	if (io->deliver)
		event_free(io->deliver);
	io->lookup = lookup_free(io->lookup);
	(void)lookup_settings_free(io->settings);
	free(io);
	return NULL;
}

/* --- looking ------------------------------------------------------------ */

enum lookup_source lookup_io_source(const struct lookup_io *io, size_t i)
{
	return i < io->settings->cfg.order_n ? io->settings->cfg.order[i]
					     : LOOKUP_SOURCES;
}

const struct lookup_counters *lookup_io_counters(const struct lookup_io *io)
{
	return lookup_counters(io->lookup);
}

const char *lookup_io_trouble(const struct lookup_io *io)
{
	return io->trouble;
}

const struct file_table *lookup_io_file(const struct lookup_io *io)
{
	return io->file;
}

const struct extnodes *lookup_io_table(const struct lookup_io *io)
{
	return io->table;
}
