/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_SPRAY_H
#define PROTO_OPENOVER_SPRAY_H

/*
 * Port probing within a punch (OPEN-OVER.md section 4.6): meeting a peer when
 * a translator gives each new connection another port.  Where the ports follow
 * each other both ends look at theirs, tell each other, and meet at a port some
 * way ahead of the last; else many packets and chance have to do.
 */

#include "proto/openover_punch.h"

/* Sockets that a round of looking takes, from the last of the extra ones on;
 * probing takes the first. */
#define OO_LOOK_SOCKETS 3U
#define OO_LOOK_ROUNDS 4U

/* Set up @p; returns when the punch ends. */
mono_us oo_spray_start(struct oo_punch *p, mono_us now);
unsigned oo_spray_tick(struct oo_punch *p, mono_us now);
/* OO_PUNCH_SOCKETS if extra sockets are needed and not yet asked for. */
unsigned oo_spray_need_sockets(struct oo_punch *p);
/* What both ends saw of their ports in one round. */
void oo_spray_ports(struct oo_punch *p, const struct oo_ports *own,
		    const struct oo_ports *peer, mono_us now);
/* Neither end's ports can be known: another try with the same two translators
 * finds nothing either. */
bool oo_spray_is_hopeless(const struct oo_punch *p);
/* For people, to be appended: "" or how ports were probed. */
const char *oo_spray_tried(const struct oo_punch *p);

/* Of openover_punch.c: one POKE, of which no candidate knows. */
void oo_punch_send_poke(struct oo_punch *p, const struct net_path *path,
			uint8_t ttl, mono_us now);

#endif
