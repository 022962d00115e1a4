/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_DURATION_H
#define DAEMON_CONSOLE_DURATION_H

/* How long something has lasted: two units, the greater first. */

#define DURATION_TEXT 64

void duration_text(double seconds, char out[DURATION_TEXT]);

#endif
