/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PORTMAP_H
#define PROTO_PORTMAP_H

/*
 * Asking one gateway to open one UDP port: by PCP (RFC 6887; on native IPv6 a
 * pinhole) and, on IPv4, by NAT-PMP (RFC 6886).  Pure: no socket, no clock, no
 * allocation.
 *
 * Both methods are tried at once, but only one makes a mapping, for a router
 * that speaks both would have them compete for the port: NAT-PMP only asks for
 * the outside address until PCP was refused or stayed silent for a second.
 */

#include "proto/dgram.h"
#include "proto/keys.h"
#include "proto/mono.h"
#include "proto/portmap_wire.h"

enum portmap_method {
	PORTMAP_PCP,
	PORTMAP_NATPMP,
	PORTMAP_METHODS,                /* of this machine */
	PORTMAP_UPNP = PORTMAP_METHODS, /* of proto/portmap_upnp.h */
};

enum portmap_state {
	PORTMAP_NONE,    /* no gateway, or the other method has the mapping */
	PORTMAP_ASKING,  /* no answer yet */
	PORTMAP_MAPPED,  /* strangers reach us at @external */
	PORTMAP_REFUSED, /* @why says why; asked again later */
	PORTMAP_PRIVATE, /* mapped, at an address that strangers cannot reach */
};

const char *portmap_method_text(enum portmap_method m);
const char *portmap_state_text(enum portmap_state s);

/* An address that the Internet at large routes to: not of RFC 1918, shared
 * (RFC 6598), link-local, unique local and the like. */
bool portmap_is_public(const struct net_addr *a);

struct portmap_cfg {
	uint16_t port;       /* ours, which is to be opened; not 0 */
	uint32_t lifetime_s; /* wanted, 120..86400 */
	random_fn random;
	void *random_ctx;
	struct dgram_queue *tx; /* where requests go */
};

enum portmap_step {
	PORTMAP_STEP_OFF,
	PORTMAP_STEP_ADDRESS, /* NAT-PMP: what is the outside address? */
	PORTMAP_STEP_WAIT,    /* NAT-PMP: for PCP to fail */
	PORTMAP_STEP_MAP,
	PORTMAP_STEP_HELD, /* until the renewal */
	PORTMAP_STEP_REST, /* after a refusal */
	PORTMAP_STEP_DELETE,
};

/* One method at the gateway. */
struct portmap_ask {
	enum portmap_step step;
	mono_us due;
	mono_us pause;  /* before the last repetition */
	unsigned tries; /* of the step */
	const char *why;
	uint8_t nonce[PORTMAP_NONCE_LEN];
	struct net_addr external; /* granted, or to be suggested */
	mono_us granted;          /* when */
	mono_us expires;          /* 0: no mapping */
	bool has_epoch;
	uint32_t epoch_s;
	mono_us epoch_at;
};

struct portmap {
	struct portmap_cfg cfg;
	struct net_addr gateway; /* port 0: none */
	struct net_addr own;     /* the address it knows us by; no port */
	struct portmap_ask ask[PORTMAP_METHODS];
	mono_us end_by; /* of the release; 0: not released */
};

/* What entries report; a set of bits. */
enum portmap_change {
	PORTMAP_CHANGE_MAPPED = 1, /* made, or its address changed */
	PORTMAP_CHANGE_LOST = 2,
	PORTMAP_CHANGE_REFUSED = 4,
	PORTMAP_CHANGE_RELEASED = 8,
};

struct portmap_view {
	enum portmap_state state;
	enum portmap_method method;
	struct net_addr external; /* MAPPED and PRIVATE only */
	uint32_t lifetime_s;      /* left */
	const char *why;          /* "" or words; static */
};

void portmap_init(struct portmap *m, const struct portmap_cfg *cfg);
/*
 * The default gateway of this family and our address towards it (ports do not
 * matter); both zero: there is none.  Starts asking; the same pair again
 * changes nothing.  PORTMAP_CHANGE_LOST when a mapping was left behind.
 */
unsigned portmap_gateway(struct portmap *m, const struct net_addr *gateway,
			 const struct net_addr *own, mono_us now);
/* Any datagram; what is not of the gateway or not awaited is ignored. */
unsigned portmap_rx(struct portmap *m, const struct dgram *d, mono_us now);
unsigned portmap_tick(struct portmap *m, mono_us now);
mono_us portmap_deadline(const struct portmap *m);
/* Delete the mapping; PORTMAP_CHANGE_RELEASED, here or within 1.5 s. */
unsigned portmap_release(struct portmap *m, mono_us now);
/* Of a mapping that stands. */
struct portmap_view portmap_view_of(enum portmap_method method,
				    const struct net_addr *external,
				    mono_us expires, mono_us now);
/* Of one method, and of the better one. */
struct portmap_view portmap_view_method(const struct portmap *m,
					enum portmap_method method,
					mono_us now);
struct portmap_view portmap_view(const struct portmap *m, mono_us now);

#endif
