/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_TRACE_CLIENT_H
#define DAEMON_IO_TRACE_CLIENT_H

/*
 * The other end of the method "trace" (daemon/io/trace.h): follows a daemon's
 * datagrams into a capture file, or prints them.  The daemon opens no file.
 */

#include <stdbool.h>

enum trace_form {
	TRACE_PCAP,
	TRACE_TEXT, /* a line a frame, for people */
	TRACE_JSON, /* an object a line, for programs */
};

struct trace_want {
	const char *program; /* who complains on stderr */
	const char *socket;
	const char *file; /* of TRACE_PCAP; "-" is stdout */
	enum trace_form form;
	unsigned seconds; /* 0: until interrupted */
};

#define TRACE_USAGE "trace FILE | - | --text | --json [--seconds N]"

/* Read what follows the word "trace" into form, file and seconds.  False when
 * it is not as TRACE_USAGE says. */
bool trace_options(int argc, char *const *argv, struct trace_want *out);

/*
 * Until SIGINT, SIGTERM, or the seconds are over; what was written is then a
 * whole file.  0; 1 when refused or the file cannot be written; 3 when the
 * daemon does not answer, or goes away.  Says why, and how it went, on stderr.
 */
int trace_follow(const struct trace_want *w);

#endif
