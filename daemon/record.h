/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_RECORD_H
#define DAEMON_RECORD_H

/*
 * The record of a call that is over, for the log, for consoles and for hooks:
 * from a NODE_EV_LINK_DOWN that is not .refused.
 */

#include <jansson.h>

#include "daemon/node/node.h"

#define RECORD_TEXT_MAX 768U

/* One sentence, for people. */
void record_text(const struct node_event *ev, char out[RECORD_TEXT_MAX]);
/* The event "call_record", its names fixed; @unix_s: when it ended, in seconds
 * since 1970.  NULL without memory. */
json_t *record_json(const struct node_event *ev, int64_t unix_s);

#endif
