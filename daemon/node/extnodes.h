/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_EXTNODES_H
#define DAEMON_NODE_EXTNODES_H

/*
 * AllStarLink's extnodes file: a node a line, `NUMBER=USER@IP:PORT/NUMBER,IP`.
 * The first address is where to call it, the second where its calls come
 * from; NONE as the second is not known.  Of lines with the same number the
 * first counts.  The file comes from a server that anybody might pretend to
 * be: what is no such line is counted and left out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/net_path.h"

#define EXTNODES_DIGITS 15U         /* of a number, at most */
#define EXTNODES_LINES_MAX 262144U  /* that are looked at */
#define EXTNODES_FILE_MAX 16777216U /* octets, for whoever reads the file */

struct extnode {
	uint64_t number; /* its digits; numbers do not begin with 0 */
	struct net_addr call;
	struct net_addr from; /* port 0: not known */
	uint32_t line;        /* of the file, from 0 */
};

enum extnodes_line {
	EXTNODES_NODE,
	EXTNODES_NOTHING, /* empty, a comment, or a [section] */
	EXTNODES_BAD,
};

/* One line of @len octets, without its end; leaves @out->line alone. */
enum extnodes_line extnodes_line(const char *line, size_t len,
				 struct extnode *out);

struct extnodes;

/* @text need not be terminated.  NULL without memory. */
struct extnodes *extnodes_new(const char *text, size_t len);
/* Accepts NULL, returns NULL. */
struct extnodes *extnodes_free(struct extnodes *x);

/* NULL: it is not there, or no number.  Accepts no table at all. */
const struct extnode *extnodes_find(const struct extnodes *x,
				    const char *number);
size_t extnodes_count(const struct extnodes *x);
/* Lines that were not understood, or beyond EXTNODES_LINES_MAX. */
size_t extnodes_bad(const struct extnodes *x);

#endif
