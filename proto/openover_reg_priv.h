/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_REG_PRIV_H
#define PROTO_OPENOVER_REG_PRIV_H

/* What a registration's life (openover_reg.c), its exchanges
 * (openover_reg_exchange.c) and the holes (openover_hole.c) share. */

#include "proto/openover_reg.h"

#define MISSED_MAX 4U /* PINGs in a row: the session is lost */

/* Uniform in [@low, @high). */
mono_us reg_spread(const struct oo_reg *g, mono_us low, mono_us high);
/* The time stamp of a frame sent now. */
uint32_t reg_stamp(const struct oo_reg *g, mono_us now);
/* A new exchange: new call number, new ephemeral key, no token. */
void reg_begin(struct oo_reg *g, mono_us now);
/* Say, or say again, what the present step has to say. */
void reg_send_regreq(struct oo_reg *g, mono_us now);
void reg_send_regrel(struct oo_reg *g, mono_us now);
/* The registrar's other address, if it has one. */
void reg_other_family(struct oo_reg *g);
/* This try is over; the next one after a pause that grows, with jitter.  What
 * changed, as the next one. */
unsigned reg_give_up(struct oo_reg *g, enum oo_reg_trouble why, mono_us now);
unsigned reg_released(struct oo_reg *g);

/* The registrar sees us at @a; OO_CHANGE_APPARENT when that is news. */
unsigned reg_note_apparent(struct oo_hole *h, const struct net_addr *a);
/* KH INTERVAL: the longest between two PINGs, for the registrar to know. */
void reg_put_interval(const struct oo_reg *g, struct wire_wr *w);
/* One PING is due: the last one was answered, or its answer is overdue. */
void reg_ping_due(struct oo_reg *g, enum oo_family family, mono_us now);

#endif
