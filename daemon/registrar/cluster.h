/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_CLUSTER_H
#define DAEMON_REGISTRAR_CLUSTER_H

/*
 * This registrar and the others of its cluster: brings what
 * openover_cluster.h wants said to the store that they share, and back.
 */

#include <event2/event.h>
#include <jansson.h>

#include "config/conf.h"
#include "daemon/io/loop.h"
#include "proto/openover_registrar.h"

#define CLUSTER_WHY_MAX 256U

struct cluster;

struct cluster_cfg {
	struct event_base *base; /* borrowed, as is all here */
	struct oo_registrar *registrar;
	const struct conf_registrar *conf;
	/* The registrar has got something from the others, so may have
	 * something to send. */
	loop_fn changed;
	void *ctx;
};

/* *@out is NULL when the configuration has no cluster.  0, or -errno with a
 * sentence in @why. */
int cluster_open(struct cluster **out, const struct cluster_cfg *cfg,
		 char why[CLUSTER_WHY_MAX]);

/* All of these accept NULL. */

struct cluster *cluster_close(struct cluster *c);
/* Take what the registrar has for the others. */
void cluster_pump(struct cluster *c);
/* Every second: the clock, and what there is to complain of. */
void cluster_look(struct cluster *c);
/* For status; a new reference. */
json_t *cluster_status(const struct cluster *c);

#endif
