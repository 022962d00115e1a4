/* SPDX-License-Identifier: MIT */
#ifndef PROTO_IAX2_TRACE_H
#define PROTO_IAX2_TRACE_H

/*
 * Datagrams as an operator may see and pass on: without what authenticates,
 * and in words.  Pure, and safe on any octets whatever.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"

#define IAX2_TRACE_VALUE_MAX 512U /* octets: any element's value in words */
#define IAX2_TRACE_LINE_MAX 1024U /* octets: a frame in words */

/*
 * Does this element's value let someone pass for somebody else, or read what
 * is not his?  Challenges do not; what is computed from them does, and so do
 * call tokens, tags, cookies and keys.
 */
bool iax2_trace_is_secret(uint8_t element);

/*
 * Overwrite the value of each such element with zeros; lengths stay.  Of a
 * last element that is cut short, what there is.  Returns how many.
 */
size_t iax2_trace_mask(uint8_t *pkt, size_t len);

/* A frame's header in words.  What a kind of frame does not have is 0. */
struct iax2_trace {
	enum iax2_kind kind;
	uint16_t src_callno;
	uint16_t dst_callno;
	bool retransmit;
	uint32_t ts_ms;
	uint8_t oseq;
	uint8_t iseq;
	uint8_t type;
	uint8_t subclass;          /* as on the wire, with its C bit */
	const char *type_name;     /* NULL: none */
	const char *subclass_name; /* NULL: none */
	bool has_elements;         /* the body is a list of elements */
	enum iax2_err err;         /* what is wrong with it, or IAX2_OK */
	const uint8_t *body;       /* borrowed; never NULL when has_elements */
	size_t body_len;           /* octets */
};

/*
 * Take one datagram apart.  False when there is no header, and then *@out is
 * untouched.  A list of elements that is wrong, or a subclass that no receiver
 * can decode, is in out->err; the elements before the fault can be read all
 * the same (iax2_ie_next).
 */
bool iax2_trace_describe(const uint8_t *pkt, size_t len,
			 struct iax2_trace *out);

/*
 * An element's value in words: printable ASCII, NUL-terminated.  Numbers are
 * decimal, sets of bits hexadecimal, a secret is "masked", what is neither
 * text, number nor address is hexadecimal octets.  Cut at @cap >= 1.
 */
void iax2_trace_value(const struct iax2_ie_view *ie, char *out, size_t cap);

/* A frame in one line of printable ASCII without its end.  Cut at @cap >= 1. */
void iax2_trace_line(const struct iax2_trace *t, char *out, size_t cap);

#endif
