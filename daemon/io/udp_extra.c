/* SPDX-License-Identifier: MIT */

/* Sockets beside the port: for port probing, measuring, a registrar's other
 * ends. */

#include <errno.h>
#include <netinet/in.h>

#include "daemon/io/addr.h"
#include "daemon/io/loop.h"
#include "daemon/io/udp_priv.h"

/* The first row of @n free places, or the longest that there is. */
static size_t free_row(const struct udp *u, size_t n, size_t *len)
{
	size_t best = 0, run = 0;

	*len = 0;
	for (size_t i = 0; i < EXTRA_MAX && *len < n; i++) {
		run = u->extra[i].fd < 0 ? run + 1 : 0;
		if (run > *len) {
			*len = run;
			best = i + 1 - run;
		}
	}
	return best;
}

static uint16_t open_row(struct udp *u, const struct net_addr *at, uint16_t n,
			 uint16_t *first)
{
	size_t len;
	const size_t start = free_row(u, n, &len);
	uint16_t got = 0;

	while (got < len &&
	       udp_sock_open(u, &u->extra[start + got], at, false) == 0)
		got++;
	*first = (uint16_t)(start + 1);
	return got;
}

/* Bound where the port is, so that they take the same way out. */
uint16_t udp_extra_open(struct udp *u, uint16_t n, uint16_t *first)
{
	struct net_addr any = net_addr_v4(0, 0, 0, 0, 0);

	if (u->main[SOCK4].fd < 0)
		return 0;
	if (net_addr_parse(u->cfg.bind4, 1, &any))
		any.port = 0;
	return open_row(u, &any, n, first);
}

uint16_t udp_extra_open6(struct udp *u, uint16_t n, uint16_t *first)
{
	struct net_addr any = { 0 };

	if (u->main[SOCK6].fd < 0)
		return 0;
	if (net_addr_parse(u->cfg.bind6, 1, &any))
		any.port = 0;
	return open_row(u, &any, n, first);
}

int udp_extra_listen(struct udp *u, const struct net_addr *at, uint16_t *sock)
{
	size_t len;
	const size_t place = free_row(u, 1, &len);
	int err = -EMFILE;

	*sock = (uint16_t)(place + 1);
	if (len > 0)
		err = udp_sock_open(u, &u->extra[place], at, false);
	/* Like the port: strangers come last. */
	if (err == 0)
		(void)event_priority_set(u->extra[place].ev, LOOP_LAST);
	return err;
}

uint16_t udp_extra_port(const struct udp *u, uint16_t sock)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct net_addr at;

	if (sock == 0 || sock > EXTRA_MAX || u->extra[sock - 1].fd < 0 ||
	    getsockname(u->extra[sock - 1].fd, (struct sockaddr *)&sa, &len) !=
		    0 ||
	    !net_addr_from_sockaddr((const struct sockaddr *)&sa, &at))
		return 0;
	return at.port;
}

void udp_extra_close(struct udp *u, bool (*keep)(void *ctx, uint16_t sock),
		     void *ctx)
{
	for (size_t i = 0; i < EXTRA_MAX; i++) {
		if (u->extra[i].fd >= 0 && !keep(ctx, u->extra[i].id))
			udp_sock_close(&u->extra[i]);
	}
}
