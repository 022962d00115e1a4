/* SPDX-License-Identifier: MIT */
#ifndef PROTO_IAX2_FORMAT_H
#define PROTO_IAX2_FORMAT_H

/*
 * Agreeing on a media format (RFC 5456 sections 6.2.2, 8.6.8, 8.6.9 and
 * 8.6.35): what goes into NEW and ACCEPT, and what is read from them.  A
 * format is its bit; both 32-bit elements and Asterisk's 64-bit ones (a
 * version octet of 0 before the mask) are read and written.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/wire.h"

/* Formats in order of preference, the best first. */
struct iax2_prefs {
	const uint64_t *format; /* borrowed; one bit each */
	size_t n;
};

/* NEW: what we offer.  Two pieces, for Asterisk's order of elements has
 * others between them. */
void iax2_format_put_prefs(struct wire_wr *w, const struct iax2_prefs *p);
void iax2_format_put_offer(struct wire_wr *w, const struct iax2_prefs *p);

/*
 * The format for a caller's NEW @body: our first preference if the caller
 * can, else the first of its own preference string that we can, else the
 * first of ours that it can; 0 when there is nothing in common.
 */
uint64_t iax2_format_choose(const uint8_t *body, size_t len,
			    const struct iax2_prefs *ours);

/* ACCEPT: @format, also in 64 bits when the caller's NEW had such. */
void iax2_format_put_agreed(struct wire_wr *w, uint64_t format, bool wide);
bool iax2_format_is_wide(const uint8_t *body, size_t len);
/* What an ACCEPT says; 0 when absent, or not exactly one of @ours. */
uint64_t iax2_format_agreed(const uint8_t *body, size_t len,
			    const struct iax2_prefs *ours);

#endif
