/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_REGISTRAR_RELAY_H
#define PROTO_OPENOVER_REGISTRAR_RELAY_H

/*
 * The registrar's relay from outside (OPEN-OVER.md section 4.8): which sockets
 * it wants, and what passes through them.  Their datagrams have the slot in
 * net_path.sock and never meet those of the IAX2 port.
 */

#include "proto/openover_registrar.h"

/* NULL when there is no relay. */
struct oo_relay *oo_registrar_relay(struct oo_registrar *r);

/* A socket to open or close; ask after every entry.  One that is to be opened
 * is answered with oo_registrar_socket_opened(). */
bool oo_registrar_next_socket(struct oo_registrar *r,
			      struct oo_relay_socket *out);
/* @families: bits of those that could be opened. */
void oo_registrar_socket_opened(struct oo_registrar *r, uint16_t slot,
				uint8_t families, mono_us now);
void oo_registrar_relay_rx(struct oo_registrar *r, const struct dgram *d,
			   mono_us now);
bool oo_registrar_relay_next_tx(struct oo_registrar *r, struct dgram *out);

#endif
