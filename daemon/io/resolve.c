/* SPDX-License-Identifier: MIT */

#include "daemon/io/resolve.h"

#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/io/addr.h"

#define TIMEOUT_MS 3000
#define TRIES 3
#define SERVERS_FILE "/etc/resolv.conf"
#define FDS 16 /* sockets that c-ares has open at once */

struct query {
	struct resolver *r;
	struct query *next;
	resolve_fn fn;
	void *ctx;
	uint16_t port;
	struct event *deliver; /* hands the answer over, from the loop */
	struct net_addr addrs[RESOLVE_MAX];
	size_t n;
	char why[320];
	char host[256];
};

struct watch {
	ares_socket_t fd;
	struct event *ev;
};

struct resolver {
	struct event_base *base;
	ares_channel channel;
	struct event *timer;
	struct watch watch[FDS];
	struct query *queries;
	struct timespec
		read_at; /* the servers file's age when c-ares read it */
	bool closing;
};

static void arm_timer(struct resolver *r)
{
	struct timeval tv;

	if (ares_timeout(r->channel, NULL, &tv))
		(void)event_add(r->timer, &tv);
	else
		(void)event_del(r->timer);
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;

	ares_process_fd(r->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
			what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	arm_timer(r);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;

	(void)fd;
	(void)what;
	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_timer(r);
}

static struct watch *watch_for(struct resolver *r, ares_socket_t fd)
{
	struct watch *free_slot = NULL;

	for (size_t i = 0; i < FDS; i++) {
		if (r->watch[i].ev && r->watch[i].fd == fd)
			return &r->watch[i];
		if (!r->watch[i].ev && !free_slot)
			free_slot = &r->watch[i];
	}
	return free_slot;
}

/* c-ares says which of its sockets it waits for. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = arg;
	struct watch *w = watch_for(r, fd);
	const short what = (short)((readable ? EV_READ : 0) |
				   (writable ? EV_WRITE : 0) | EV_PERSIST);

	if (!w)
		return;
	if (w->ev)
		event_free(w->ev);
	w->ev = NULL;
	if (!readable && !writable)
		return;
	w->fd = fd;
	w->ev = event_new(r->base, fd, what, on_io, r);
	if (w->ev)
		(void)event_add(w->ev, NULL);
}

static struct timespec servers_age(void)
{
	struct stat st;

	if (stat(SERVERS_FILE, &st) != 0)
		return (struct timespec){ 0, 0 };
	return st.st_mtim;
}

static int open_channel(struct resolver *r)
{
	struct ares_options opt = {
		.timeout = TIMEOUT_MS,
		.tries = TRIES,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = r,
	};

	r->read_at = servers_age();
	return ares_init_options(&r->channel, &opt,
				 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
					 ARES_OPT_SOCK_STATE_CB);
}

/* The network came up or changed: c-ares reads the file only when it opens.
 * What is under way keeps its servers, the next idle moment gets the new. */
static void follow_servers(struct resolver *r)
{
	const struct timespec age = servers_age();

	if (r->queries || (age.tv_sec == r->read_at.tv_sec &&
			   age.tv_nsec == r->read_at.tv_nsec))
		return;
	ares_destroy(r->channel);
	r->channel = NULL;
	(void)open_channel(r);
}

struct resolver *resolver_new(struct event_base *base)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->base = base;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(r);
		return NULL;
	}
	r->timer = event_new(base, -1, 0, on_timer, r);
	if (!r->timer || open_channel(r) != ARES_SUCCESS)
		return resolver_free(r);
	return r;
}

static void unlink_query(struct query *q)
{
	struct query **at = &q->r->queries;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
}

static void query_free(struct query *q)
{
	if (q->deliver)
		event_free(q->deliver);
	free(q);
}

struct resolver *resolver_free(struct resolver *r)
{
	if (!r)
		return NULL;
	r->closing = true;
	if (r->channel)
		ares_destroy(r->channel);
	while (r->queries) {
		struct query *q = r->queries;

		r->queries = q->next;
		query_free(q);
	}
	for (size_t i = 0; i < FDS; i++) {
		if (r->watch[i].ev)
			event_free(r->watch[i].ev);
	}
	if (r->timer)
		event_free(r->timer);
	ares_library_cleanup();
	free(r);
	return NULL;
}

static void on_deliver(evutil_socket_t fd, short what, void *arg)
{
	struct query *q = arg;

	(void)fd;
	(void)what;
	/* @fn may free the resolver. */
	unlink_query(q);
	q->fn(q->ctx, q->addrs, q->n, q->why);
	query_free(q);
}

static size_t collect(const struct ares_addrinfo *info, uint16_t port,
		      struct net_addr out[RESOLVE_MAX])
{
	size_t n = 0;

	for (const struct ares_addrinfo_node *i = info->nodes;
	     i && n < RESOLVE_MAX; i = i->ai_next) {
		if (!net_addr_from_sockaddr(i->ai_addr, &out[n]))
			continue;
		out[n++].port = port;
	}
	return n;
}

static void on_answer(void *arg, int status, int timeouts,
		      struct ares_addrinfo *info)
{
	struct query *q = arg;

	(void)timeouts;
	/* The resolver itself frees what is left when it closes. */
	if (!q->r->closing) {
		if (status == ARES_SUCCESS)
			q->n = collect(info, q->port, q->addrs);
		if (q->n == 0)
			(void)snprintf(q->why, sizeof(q->why),
				       "cannot look up %s: %s", q->host,
				       status == ARES_SUCCESS
					       ? "it has no address"
					       : ares_strerror(status));
		/* c-ares may answer before the question's call returns. */
		event_active(q->deliver, EV_TIMEOUT, 1);
	}
	ares_freeaddrinfo(info);
}

int resolve(struct resolver *r, const char *host, uint16_t port, resolve_fn fn,
	    void *ctx)
{
	const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC };
	struct query *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	follow_servers(r);
	if (!r->channel && open_channel(r) != ARES_SUCCESS) {
		free(q);
		return -ENOMEM;
	}
	q->r = r;
	q->fn = fn;
	q->ctx = ctx;
	q->port = port;
	(void)snprintf(q->host, sizeof(q->host), "%s", host);
	q->deliver = event_new(r->base, -1, 0, on_deliver, q);
	if (!q->deliver) {
		free(q);
		return -ENOMEM;
	}
	q->next = r->queries;
	r->queries = q;
	if (net_addr_parse(host, port, &q->addrs[0])) {
		q->n = 1;
		event_active(q->deliver, EV_TIMEOUT, 1);
		return 0;
	}
	ares_getaddrinfo(r->channel, host, NULL, &hints, on_answer, q);
	arm_timer(r);
	return 0;
}
