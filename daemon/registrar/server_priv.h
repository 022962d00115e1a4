/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_SERVER_PRIV_H
#define DAEMON_REGISTRAR_SERVER_PRIV_H

/* What the registrar's parts share: its loop (server.c) and its control socket
 * (server_control.c). */

#include <event2/event.h>

#include "config/conf.h"
#include "daemon/io/control.h"
#include "daemon/io/loop.h"
#include "daemon/io/trace.h"
#include "daemon/io/udp.h"
#include "daemon/registrar/cluster.h"
#include "daemon/registrar/directory.h"
#include "daemon/registrar/ends.h"
#include "daemon/registrar/relay_io.h"
#include "daemon/registrar/roster.h"
#include "daemon/registrar/web.h"
#include "daemon/registrar/zone_server.h"
#include "proto/openover_registrar.h"

#define SERVER_SIGNALS 4U

struct server {
	const struct conf_registrar *conf;
	const char *file; /* that @conf came from, read again on SIGHUP */
	struct conf_registrar reloaded; /* what it said the last time */
	bool has_reloaded;
	struct net_prefix token_optional[CONF_PREFIXES_MAX];
	struct key_identity id;
	struct oo_registrar *registrar;
	struct directory *directory;
	struct roster roster;
	struct cluster *cluster; /* NULL: alone */
	struct ends ends;
	struct event_base *base;
	struct udp *udp;
	struct relay_io *relay;
	struct web *web;         /* NULL: nothing by HTTPS */
	struct zone_server *dns; /* NULL: nothing by DNS */
	struct control *control;
	struct trace trace;
	struct loop_timer timer;
	struct event *look;
	struct event *watchdog;
	struct event *signals[SERVER_SIGNALS];
	mono_us started;
	/* For pings_per_s. */
	uint64_t pings_before;
	mono_us pings_at;
	double pings_per_s;
};

/* Bring the registrar up to the directory.  0, or -errno with @why. */
int server_refresh(struct server *s, char why[DIRECTORY_WHY_MAX]);
/* server_control.c: 0, or -errno with a sentence in @why. */
int server_control_open(struct server *s, char why[CONTROL_WHY_MAX]);

#endif
