/* SPDX-License-Identifier: MIT */
#ifndef PROTO_ASL_LIST_H
#define PROTO_ASL_LIST_H

/*
 * The list of nodes that a message L carries: a letter and a name each, between
 * commas.  A list holds each name once and never grows beyond what fits one
 * message; what did not fit leaves a mark, as it does with app_rpt.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/asl_text.h"

/* "L ", the mark and the NUL have their place as well. */
#define ASL_LIST_MAX (ASL_TEXT_MAX - 2 - 8)
/* The mark: more there are than the list says. */
#define ASL_LIST_MARK "R000000"

/* How a node is linked, the weakest first. */
enum asl_mode {
	ASL_CONNECTING = 'C',
	ASL_MONITORED = 'R',
	ASL_TRANSCEIVED = 'T',
};

struct asl_list {
	size_t len;
	bool cut; /* more there are */
	char text[ASL_LIST_MAX + 1];
};

struct asl_entry {
	enum asl_mode mode;
	char name[ASL_NAME_MAX + 1];
};

void asl_list_clear(struct asl_list *l);
/* Add one, or raise its mode when it is there.  False when it is neither: bad,
 * or the list is full and cut from now on. */
bool asl_list_add(struct asl_list *l, enum asl_mode mode, const char *name);
/* Make @l of the rest of a message L, of any length.  Returns how many entries
 * were not as they must be; these are left out. */
size_t asl_list_read(struct asl_list *l, const char *text, size_t len);
/* The message, NUL-terminated. */
void asl_list_format(const struct asl_list *l, char out[ASL_TEXT_MAX + 1]);

/* Walk: start with *@at = 0; false at the end. */
bool asl_list_next(const struct asl_list *l, size_t *at, struct asl_entry *out);
/* How @name is linked; 0 when it is not there. */
int asl_list_find(const struct asl_list *l, const char *name);
bool asl_list_equal(const struct asl_list *a, const struct asl_list *b);

#endif
