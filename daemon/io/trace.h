/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_TRACE_H
#define DAEMON_IO_TRACE_H

/*
 * The control socket's method "trace": every datagram of the IAX2 port as a
 * notification "trace", without what authenticates (proto/iax2_trace.h).
 * While nobody follows, a datagram costs one branch.
 *
 *   t_us     CLOCK_MONOTONIC, microseconds
 *   wall_us  CLOCK_REALTIME, microseconds since 1970
 *   dir      "in" or "out"
 *   local    ADDRESS:PORT, of this machine
 *   peer     ADDRESS:PORT
 *   ttl      hops left, or given; 0: unknown, or the kernel's default
 *   octets   the datagram, hexadecimal
 *   dropped  records that this client lost before this one: it reads too
 *            slowly, or there were more than TRACE_PER_S
 */

#include "daemon/io/control.h"
#include "daemon/io/udp.h"
#include "proto/mono.h"

/* At most so many records a second: a flood is the daemon's to survive, not to
 * tell of.  It is the voice of 40 links, both ways. */
#define TRACE_PER_S 4000U

struct trace {
	struct udp *udp; /* borrowed, like the next */
	struct control *control;
	mono_us since; /* records are counted by tenths of a second */
	unsigned n;
};

/* Answer @req, and let its client follow until it goes away. */
void trace_start(struct trace *t, struct control_request *req);

#endif
