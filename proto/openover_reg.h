/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_REG_H
#define PROTO_OPENOVER_REG_H

/*
 * A node's relation with one registrar: registration (RFC 5456 section 6.1,
 * OPEN-OVER.md section 4) and the PINGs that keep the hole open (section
 * 4.3).  Part of openover_node.h, which owns the queue and the events.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/keys.h"
#include "proto/mono.h"
#include "proto/openover_directory.h"
#include "proto/openover_msg.h"
#include "proto/openover_session.h"

enum oo_reg_state {
	OO_REG_NO_ADDRESS, /* its name is not resolved yet */
	OO_REG_WAITING,    /* until the next try */
	OO_REG_TOKEN,      /* asked for a call token */
	OO_REG_AUTH,       /* asked for a challenge */
	OO_REG_ACK,        /* answered the challenge */
	OO_REG_UP,
	OO_REG_RELEASING, /* said good-bye, waits for the answer */
	OO_REG_RELEASED,
};

const char *oo_reg_state_text(enum oo_reg_state s);

/* Why the last try failed. */
enum oo_reg_trouble {
	OO_TROUBLE_NONE,
	OO_TROUBLE_SILENT,  /* no answer */
	OO_TROUBLE_REFUSED, /* signed by the registrar: unknown number or
			       another key */
	OO_TROUBLE_FORGED,  /* not the registrar that was pinned */
	OO_TROUBLE_LOST,    /* it answered once, and no longer does */
};

const char *oo_reg_trouble_text(enum oo_reg_trouble t);

#define OO_REG_ADDRS 8U /* of one registrar, tried in turn */

/* The hole to the registrar, one for each family. */
struct oo_hole {
	struct net_addr registrar; /* port 0: it has none of this family */
	struct net_addr apparent;  /* as the registrar last saw us */
	uint64_t path;             /* cookie to prove ourselves with, 0: none */
	mono_us next;              /* next PING */
	mono_us last_ok;           /* last PONG; 0: never */
	mono_us sent_at;           /* the PING that waits for its PONG */
	uint32_t sent_ts;          /* its time stamp */
	unsigned missed;           /* PINGs in a row without PONG */
	uint32_t rtt_us;           /* smoothed; 0: not measured */
	uint8_t hops;              /* routers on the way, 0: unknown */
	mono_us interval;          /* between PINGs */
	mono_us bearable;          /* it once died within this; 0: never */
	uint8_t local_ip[16];      /* our end of it; all zero: unknown */
};

struct oo_reg_cfg {
	const struct key_identity *identity; /* borrowed, outlives it */
	const char *number;                  /* likewise */
	uint8_t registrar_key[KEY_PUBLIC_LEN];
	mono_us keepalive; /* 5 s..120 s */
	random_fn random;
	void *random_ctx;
	struct dgram_queue *tx; /* where frames go */
};

struct oo_reg {
	struct oo_reg_cfg cfg;
	enum oo_reg_state state;
	enum oo_reg_trouble trouble;
	mono_us start;                       /* time stamps count from here */
	struct net_addr addrs[OO_REG_ADDRS]; /* the registrar's */
	size_t addrs_n;
	struct oo_hole hole[OO_FAMILIES]; /* to one of each family */
	enum oo_family family;            /* that the registration uses */
	bool other_family_next;
	/* The exchange under way. */
	uint16_t callno;
	char token[OO_TOKEN_TEXT_MAX + 1];
	char challenge[OO_TOKEN_TEXT_MAX + 1];
	uint8_t secret[KEY_SHARED_LEN];
	uint8_t hello[KEY_PUBLIC_LEN];
	uint8_t registrar_hello[KEY_PUBLIC_LEN];
	bool forged;       /* somebody else answered it too */
	unsigned tries;    /* of the present step */
	unsigned failures; /* of whole registrations in a row */
	mono_us due;       /* the state's deadline */
	mono_us refresh_at;
	struct oo_session session; /* id 0: none */
	bool lost; /* no hole answers; the session is kept all the same */
	struct oo_session next; /* agreed, not yet acknowledged */
	struct oo_ends ends;    /* to measure with; port 0: none */
	/* An IPv4 address that our router mapped, port 0: none; and the cookie
	 * that arrived there, 0: none. */
	struct net_addr mapped;
	uint64_t mapped_path;
};

/* What oo_reg_rx() and oo_reg_tick() report; a set of bits. */
enum oo_reg_change {
	OO_CHANGE_UP = 1,
	OO_CHANGE_DOWN = 2,
	OO_CHANGE_APPARENT = 4,
	OO_CHANGE_TROUBLE = 8,
	OO_CHANGE_RELEASED = 16,
	OO_CHANGE_MOVED = 32, /* another address, not only another port */
};

void oo_reg_init(struct oo_reg *g, const struct oo_reg_cfg *cfg, mono_us now);
/* The registrar's addresses, the first OO_REG_ADDRS count; starts at once when
 * there were none.  One of each family is in use, the next when it is silent. */
void oo_reg_addresses(struct oo_reg *g, const struct net_addr *addrs, size_t n,
		      mono_us now);
/* Our own network changed: ask at once what we look like now. */
void oo_reg_network_changed(struct oo_reg *g, mono_us now);
/* A hole of @family that was idle for @life stayed open; 0: not known.  PINGs
 * come as rarely as that allows, at most every @longest. */
void oo_reg_hole_life(struct oo_reg *g, enum oo_family family, mono_us life,
		      mono_us longest);
/* Say good-bye. */
void oo_reg_release(struct oo_reg *g, mono_us now);

/* Is this frame part of our registration, by call number and address? */
bool oo_reg_owns(const struct oo_reg *g, const struct dgram *d,
		 const struct oo_msg *m);
/* REGAUTH, REGACK, REGREJ, CALLTOKEN of the exchange. */
unsigned oo_reg_rx(struct oo_reg *g, const struct dgram *d,
		   const struct oo_msg *m, mono_us now);
/* An authentic PONG of the session. */
unsigned oo_reg_on_pong(struct oo_reg *g, const struct dgram *d,
			const struct oo_msg *m, mono_us now);
unsigned oo_reg_tick(struct oo_reg *g, mono_us now);
mono_us oo_reg_deadline(const struct oo_reg *g);

/* Registered, and at least one hole answers. */
bool oo_reg_is_up(const struct oo_reg *g);
/* The router forwards @a (port 0: no longer) to our port; said with the next
 * PINGs, the first at once. */
void oo_reg_mapped(struct oo_reg *g, const struct net_addr *a, mono_us now);
/* PING now on every family, besides the schedule. */
void oo_reg_ping(struct oo_reg *g, mono_us now);
/* Send a sealed frame of the session: @w holds it but for the seal. */
void oo_reg_send(struct oo_reg *g, const uint8_t *frame, struct wire_wr *w,
		 enum oo_family family);
/* The family whose hole answered last. */
enum oo_family oo_reg_best_family(const struct oo_reg *g);

#endif
