/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_TOLD_H
#define DAEMON_NODE_TOLD_H

/*
 * What other nodes tell of themselves (T messages, proto/asl_text.h), in words
 * for telemetry_say(): `CONNECTED,2000,2002` of 2000 is "node 2000 connected
 * node 2002".  The payload is of anybody in the conference: only what is known
 * and short is said, and only names that can be spelled in speech.
 */

#include <stdbool.h>

#include "daemon/node/telemetry.h"

#define TOLD_DIGITS_MAX 7U /* of a node's number that is said */
#define TOLD_SIGN_MAX 8U   /* of a callsign */
#define TOLD_LINKS_MAX 8U  /* of a node that tells its links */

/* False: it is not to be said, such as what is known here anyway because it is
 * about node @own. */
bool told_words(const char *src, const char *payload, const char *own,
		char out[TELEMETRY_TEXT_MAX + 1]);

#endif
