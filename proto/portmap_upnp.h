/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PORTMAP_UPNP_H
#define PROTO_PORTMAP_UPNP_H

/*
 * When to ask a router by UPnP (IGD:1 and IGD:2, WANIPv6FirewallControl:1), for
 * one family.  Pure: it says which job to do and is told how that went; who
 * does the job may take its time.
 *
 * UPnP stands back for PCP and NAT-PMP: it maps only when they have not within
 * three seconds, and takes its mapping back when they have later.
 */

#include "proto/portmap.h"

enum portmap_upnp_kind {
	PORTMAP_UPNP_FIND,  /* is the gateway one? */
	PORTMAP_UPNP_MAP,   /* make the mapping, or renew it */
	PORTMAP_UPNP_UNMAP, /* take it back */
};

struct portmap_upnp_job {
	enum portmap_upnp_kind kind;
	struct net_addr gateway;
	struct net_addr own;      /* with the port that is to be opened */
	struct net_addr external; /* MAP: port 0, or what to renew; UNMAP */
	uint32_t lifetime_s;      /* MAP */
};

struct portmap_upnp_result {
	bool ok;
	struct net_addr external; /* MAP */
	uint32_t lifetime_s;      /* MAP; 0: it stands for ever */
	const char *why;          /* not ok: words; static */
};

enum portmap_upnp_step {
	PORTMAP_UPNP_OFF, /* no gateway, or another method has it */
	PORTMAP_UPNP_FINDING,
	PORTMAP_UPNP_WAITING, /* for the other methods */
	PORTMAP_UPNP_MAPPING,
	PORTMAP_UPNP_HELD,
	PORTMAP_UPNP_REST, /* after a failure */
	PORTMAP_UPNP_UNMAPPING,
};

struct portmap_upnp {
	uint16_t port;
	uint32_t lifetime_s;
	struct net_addr gateway; /* port 0: none */
	struct net_addr own;
	enum portmap_upnp_step step;
	bool pending; /* the step's job is to be done */
	bool busy;    /* a job is being done */
	bool stale;   /* and what comes of it matters no more */
	enum portmap_upnp_kind doing;
	mono_us began;
	mono_us due;
	mono_us pause;            /* after the last failure */
	struct net_addr external; /* of the mapping */
	mono_us expires;          /* 0: no mapping */
	bool behind;              /* another method has a mapping, at: */
	struct net_addr better;
	bool released;
	const char *why;
};

/* @port is ours, not 0; @lifetime_s is wanted, 120..86400. */
void portmap_upnp_init(struct portmap_upnp *u, uint16_t port,
		       uint32_t lifetime_s);

/* Each returns a set of enum portmap_change. */

/* As portmap_gateway(). */
unsigned portmap_upnp_gateway(struct portmap_upnp *u,
			      const struct net_addr *gateway,
			      const struct net_addr *own, mono_us now);
/* What PCP or NAT-PMP has now; port 0: nothing. */
unsigned portmap_upnp_other(struct portmap_upnp *u,
			    const struct net_addr *external, mono_us now);
/* The job to begin now, at most one at a time; each is to be answered. */
bool portmap_upnp_next(struct portmap_upnp *u, struct portmap_upnp_job *out);
unsigned portmap_upnp_done(struct portmap_upnp *u,
			   const struct portmap_upnp_result *result,
			   mono_us now);
unsigned portmap_upnp_tick(struct portmap_upnp *u, mono_us now);
mono_us portmap_upnp_deadline(const struct portmap_upnp *u);
/* Take the mapping back; PORTMAP_CHANGE_RELEASED, here or with a result. */
unsigned portmap_upnp_release(struct portmap_upnp *u);
struct portmap_view portmap_upnp_view(const struct portmap_upnp *u,
				      mono_us now);

#endif
