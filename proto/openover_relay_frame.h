/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_RELAY_FRAME_H
#define PROTO_OPENOVER_RELAY_FRAME_H

/*
 * RELAY, the frame between a node and its relay (OPEN-OVER.md section 4.8): it
 * asks for an address, answers that, or carries one datagram with the address
 * that it came from or goes to.  Layout only: no state, no clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/net_path.h"
#include "proto/openover_session.h"

/* Octets of a datagram that a RELAY frame has room for. */
#define OO_RELAY_INNER_MAX 1392U

struct oo_relay_frame {
	bool has_lifetime; /* a question, or its answer */
	uint16_t lifetime_s;
	bool has_peer; /* it carries a datagram */
	struct net_addr peer;
	size_t len; /* octets of it */
	uint8_t data[OO_RELAY_INNER_MAX];
};

/* Read the elements of a RELAY frame, which iax2_ie_check() has passed.  False
 * when it is neither of the two, or carries too much. */
bool oo_relay_frame_read(const uint8_t *body, size_t len,
			 struct oo_relay_frame *out);

/*
 * Write a sealed frame that carries @len octets of @data from or to @peer.
 * Returns its octets; 0 when @data is empty or too long.
 */
size_t oo_relay_frame_wrap(struct oo_session *s, const struct net_addr *peer,
			   const uint8_t *data, size_t len,
			   uint8_t buf[DGRAM_MAX]);

#endif
