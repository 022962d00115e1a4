/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_PLAIN_H
#define DAEMON_CONSOLE_PLAIN_H

/*
 * Text of any origin made fit for a terminal: numbers, names and reasons come
 * from other nodes, from files and from servers.  What is left takes one
 * column a character and does nothing to the terminal; all else, escapes
 * first, becomes a question mark.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define PLAIN_OCTETS_MAX 2U /* of a character, in UTF-8 */

/* Whether the terminal shows UTF-8; ASCII unless told.  For the process. */
void plain_utf8(bool utf8);

/* The next character of @*text, which moves on; 0 at its end.  Below 0x530. */
unsigned plain_next(const char **text);
/* As it is written.  Returns the octets, 1..PLAIN_OCTETS_MAX. */
size_t plain_put(unsigned ch, char out[PLAIN_OCTETS_MAX]);

/* @text made plain, cut at a whole character to @room octets with its NUL. */
void plain_text(const char *text, char *out, size_t room);
/* All strings in @o, in place; names of members are the daemon's. */
void plain_json(json_t *o);

#endif
