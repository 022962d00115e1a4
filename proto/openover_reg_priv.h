/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_REG_PRIV_H
#define PROTO_OPENOVER_REG_PRIV_H

/* What registration (openover_reg.c) and the holes (openover_hole.c) share. */

#include "proto/openover_reg.h"

#define MISSED_MAX 4U /* PINGs in a row: the session is lost */

/* Uniform in [@low, @high). */
mono_us reg_spread(const struct oo_reg *g, mono_us low, mono_us high);
/* The time stamp of a frame sent now. */
uint32_t reg_stamp(const struct oo_reg *g, mono_us now);
/* The registrar sees us at @a; OO_CHANGE_APPARENT when that is news. */
unsigned reg_note_apparent(struct oo_hole *h, const struct net_addr *a);
/* KH INTERVAL: the longest between two PINGs, for the registrar to know. */
void reg_put_interval(const struct oo_reg *g, struct wire_wr *w);
/* One PING is due: the last one was answered, or its answer is overdue. */
void reg_ping_due(struct oo_reg *g, enum oo_family family, mono_us now);

#endif
