/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_NAMES_H
#define DAEMON_NODE_NAMES_H

/*
 * Whose a node is, by its number: AllStarLink's list of nodes, a node a line,
 * `NUMBER|CALLSIGN|DESCRIPTION|LOCATION`.  Of lines with the same number the
 * first counts.  The file comes from a server that anybody might pretend to
 * be: what is no such line is counted and left out, and what would do
 * something to a terminal is a question mark.
 */

#include <stdbool.h>
#include <stddef.h>

#define NAMES_DIGITS 15U         /* of a number, at most */
#define NAMES_LINES_MAX 262144U  /* that are looked at */
#define NAMES_FILE_MAX 33554432U /* octets, for whoever reads the file */
#define NAMES_CALLSIGN 24U       /* octets with the NUL; longer ones are cut */
#define NAMES_TEXT 64U

/* What is not told is empty.  Octets of 0x80 and above are as they came: they
 * may be UTF-8, or not, or cut. */
struct name {
	char callsign[NAMES_CALLSIGN];
	char description[NAMES_TEXT];
	char location[NAMES_TEXT];
};

struct names;

/* @text need not be terminated.  NULL without memory. */
struct names *names_new(const char *text, size_t len);
/* Accepts NULL, returns NULL. */
struct names *names_free(struct names *x);

/* False: it is not there, or no number.  Accepts no table at all. */
bool names_find(const struct names *x, const char *number, struct name *out);
size_t names_count(const struct names *x);
/* Lines that were not understood, or beyond NAMES_LINES_MAX. */
size_t names_bad(const struct names *x);

#endif
