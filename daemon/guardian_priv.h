/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_GUARDIAN_PRIV_H
#define DAEMON_GUARDIAN_PRIV_H

/* Between the daemon's side (guardian.c) and the guardian's own
 * (guardian_process.c): a pair of sockets, and what goes over it. */

#include "daemon/guardian.h"

/* How a program is told that it is the guardian, and where its socket is. */
#define GUARDIAN_ARGUMENT "--guardian"
#define GUARDIAN_FD 3

enum guardian_what {
	GUARDIAN_WATCH,
	GUARDIAN_FORGET,
	GUARDIAN_HOT,
	GUARDIAN_COLD
};

/* The guardian's only word is an octet, when nothing but the end of the daemon
 * ends it any more. */
struct guardian_message {
	enum guardian_what what;
	struct fob_unkey unkey; /* GUARDIAN_WATCH; the file comes beside it */
};

/* Be the guardian at the other end of @daemon. */
_Noreturn void guardian_be(int daemon);

#endif
