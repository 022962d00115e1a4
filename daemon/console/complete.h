/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_COMPLETE_H
#define DAEMON_CONSOLE_COMPLETE_H

/* What a word of the shell's line can be, by the words before it.  Pure. */

#include <stdbool.h>
#include <stddef.h>

enum complete_kind {
	COMPLETE_NOTHING,
	COMPLETE_COMMANDS,
	COMPLETE_WORDS,  /* one of a list */
	COMPLETE_NODES,  /* the number of any node that is known */
	COMPLETE_LINKED, /* of one that there is a link to */
	COMPLETE_FILES,
};

struct complete {
	enum complete_kind kind;
	const char *words; /* of WORDS, LINKED and NODES as well, apart by
			      blanks; never NULL */
};

/* The word that begins at @start of @line and is @text so far. */
struct complete complete_at(const char *line, size_t start, const char *text);

/* The @i-th of @words that begins with @text: its length, and *@out; 0 after
 * the last. */
size_t complete_word(const char *words, const char *text, size_t i,
		     const char **out);

#endif
