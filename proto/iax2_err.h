/* SPDX-License-Identifier: MIT */
#ifndef PROTO_IAX2_ERR_H
#define PROTO_IAX2_ERR_H

/*
 * Outcomes of proto/ calls.  proto/ never touches errno; the layers above
 * return negative errno and translate at the boundary (daemon/io/).
 * A malformed packet is an expected outcome, not a fault: callers count it
 * and drop the datagram.
 */
#define IAX2_ERR_TABLE(X)                                                 \
	X(IAX2_OK, "success")                                             \
	X(IAX2_E_TRUNCATED, "datagram ends inside a field")               \
	X(IAX2_E_NOT_FULL, "F bit clear where a full frame was expected") \
	X(IAX2_E_BAD_SUBCLASS, "subclass exponent above 63")              \
	X(IAX2_E_BAD_IE, "information element of impossible length")      \
	X(IAX2_E_NO_SPACE, "output buffer too small")                     \
	X(IAX2_E_RANGE, "value does not fit its wire field")              \
	X(IAX2_E_STALE, "no such call, or it has ended")                  \
	X(IAX2_E_STATE, "not possible in the call's present state")       \
	X(IAX2_E_FULL, "a table or a queue is full")                      \
	X(IAX2_E_NOT_OURS, "not addressed to this layer")                 \
	X(IAX2_E_REFUSED, "authentication or consent refused")            \
	X(IAX2_E_LIMITED, "rate limit reached")                           \
	X(IAX2_E_REPLAY, "seen before")

enum iax2_err {
#define X(name, text) name,
	IAX2_ERR_TABLE(X)
#undef X
};

/* Static text for @err, or "unknown" for a value outside the enum. */
const char *iax2_err_str(enum iax2_err err);

#endif
