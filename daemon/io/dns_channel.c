/* SPDX-License-Identifier: MIT */

/* c-ares on the event loop: its sockets, its timer, its servers. */

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/io/addr.h"
#include "daemon/io/dns_priv.h"

#define DNS_PORT 53
#define TIMEOUT_MS 3000
#define TRIES 3
/* Servers that were chosen for this: the next one is tried soon. */
#define CHOSEN_TIMEOUT_MS 1000
#define CHOSEN_TRIES 2
#define SERVERS_FILE "/etc/resolv.conf"

void dns_arm_timer(struct resolver *r)
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
	dns_arm_timer(r);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;

	(void)fd;
	(void)what;
	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns_arm_timer(r);
}

static struct dns_watch *watch_for(struct resolver *r, ares_socket_t fd)
{
	struct dns_watch *free_slot = NULL;

	for (size_t i = 0; i < DNS_FDS; i++) {
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
	struct dns_watch *w = watch_for(r, fd);
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
	const bool chosen = r->servers[0] != '\0';
	struct ares_options opt = {
		.timeout = chosen ? CHOSEN_TIMEOUT_MS : TIMEOUT_MS,
		.tries = chosen ? CHOSEN_TRIES : TRIES,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = r,
	};
	int err;

	r->read_at = servers_age();
	err = ares_init_options(&r->channel, &opt,
				ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
					ARES_OPT_SOCK_STATE_CB);
	if (err != ARES_SUCCESS || !chosen)
		return err;
	err = ares_set_servers_ports_csv(r->channel, r->servers);
	if (err != ARES_SUCCESS) {
		ares_destroy(r->channel);
		r->channel = NULL;
	}
	return err;
}

/* The network came up or changed: c-ares reads the file only when it opens.
 * What is under way keeps its servers, the next idle moment gets the new. */
static void follow_servers(struct resolver *r)
{
	const struct timespec age = servers_age();

	if (!r->channel || r->queries || r->servers[0] != '\0' ||
	    (age.tv_sec == r->read_at.tv_sec &&
	     age.tv_nsec == r->read_at.tv_nsec))
		return;
	ares_destroy(r->channel);
	r->channel = NULL;
}

bool dns_channel(struct resolver *r)
{
	follow_servers(r);
	return r->channel || open_channel(r) == ARES_SUCCESS;
}

static bool join_servers(struct resolver *r, const struct net_addr *servers,
			 size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		char text[NET_ADDR_TEXT];
		const int len = snprintf(
			r->servers + at, sizeof(r->servers) - at, "%s%s",
			i > 0 ? "," : "", net_addr_format(&servers[i], text));

		at += (size_t)len;
		if (at >= sizeof(r->servers))
			return false;
	}
	return true;
}

struct resolver *resolver_new_of(struct event_base *base,
				 const struct net_addr *servers, size_t n)
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
	if (!r->timer || !join_servers(r, servers, n) ||
	    open_channel(r) != ARES_SUCCESS)
		return resolver_free(r);
	return r;
}

struct resolver *resolver_new(struct event_base *base)
{
	return resolver_new_of(base, NULL, 0);
}

struct resolver *resolver_free(struct resolver *r)
{
	if (!r)
		return NULL;
	r->closing = true;
	if (r->channel)
		ares_destroy(r->channel);
	while (r->queries)
		dns_query_free(r->queries);
	for (size_t i = 0; i < DNS_FDS; i++) {
		if (r->watch[i].ev)
			event_free(r->watch[i].ev);
	}
	if (r->timer)
		event_free(r->timer);
	ares_library_cleanup();
	free(r);
	return NULL;
}
