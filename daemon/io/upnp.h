/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_UPNP_H
#define DAEMON_IO_UPNP_H

/*
 * UPnP's side of asking a router for a port, by libminiupnpc, which blocks: it
 * belongs into a worker's thread.  Only the default gateway itself is asked,
 * whoever else on the network claims to be one.
 */

#include "proto/portmap_upnp.h"

/* What is known of a router of each family. */
struct upnp;

struct upnp_task {
	unsigned device; /* index of the interface to the router */
	struct portmap_upnp_job job;
	struct portmap_upnp_result result;
};

/* NULL when memory is short. */
struct upnp *upnp_new(void);
void upnp_free(struct upnp *u);
/* Do the job and write the result.  Seconds may pass. */
void upnp_do(struct upnp *u, struct upnp_task *task);

#endif
