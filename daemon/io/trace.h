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
 *   dropped  records that this client lost before this one: it reads too slowly
 */

#include "daemon/io/control.h"
#include "daemon/io/udp.h"

/* Both are borrowed, and outlive the traffic. */
struct trace {
	struct udp *udp;
	struct control *control;
};

/* Answer @req, and let its client follow until it goes away. */
void trace_start(struct trace *t, struct control_request *req);

#endif
