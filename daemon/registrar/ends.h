/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_ENDS_H
#define DAEMON_REGISTRAR_ENDS_H

/*
 * The sockets by which nodes measure their translators: a second UDP port,
 * perhaps a second address, and the TCP port that says who connects.  What
 * cannot be opened is left out: calls do not need it.
 */

#include <event2/event.h>

#include "config/conf.h"
#include "daemon/io/seen.h"
#include "daemon/io/udp.h"
#include "proto/openover_registrar.h"

struct ends {
	struct seen_server *tcp[OO_FAMILIES];
};

/* Logs what is missing; *@out is for oo_registrar_measure(). */
void ends_open(struct ends *e, struct udp *udp, struct event_base *base,
	       const struct conf_registrar *conf, struct oo_measure_ends *out);
void ends_close(struct ends *e);

#endif
