/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_IMPORT_TAKE_H
#define DAEMON_CONSOLE_IMPORT_TAKE_H

/*
 * How one setting of Asterisk's becomes one of keyholed's: tables of what is
 * known, and the ways to take a value.
 */

#include "daemon/console/import.h"

struct import_map;
typedef void (*import_fn)(struct import *im, const struct ast_var *v,
			  const struct import_map *m);

struct import_map {
	const char
		*name;  /* Asterisk's, in any case; gpio*: all that begin so */
	import_fn take; /* NULL: it is not taken over */
	const char *setting; /* keyholed's, for take */
	unsigned mul, div;   /* what a number is multiplied, divided by; 0: 1 */
	unsigned most;       /* a greater number is taken as this; 0: any */
	/* The value with which nothing is lost when it is not taken over;
	 * "no" is any of 0, no, false, off; "*" any value. */
	const char *idle;
	const char *why; /* why it is not taken over, else */
};

/* Ways to take. */
void import_number(struct import *im, const struct ast_var *v,
		   const struct import_map *m);
void import_bool(struct import *im, const struct ast_var *v,
		 const struct import_map *m);
void import_string(struct import *im, const struct ast_var *v,
		   const struct import_map *m);

/* Taken over elsewhere: nothing to say. */
#define IMPORT_ELSEWHERE(what)              \
	{                                   \
		.name = (what), .idle = "*" \
	}

/* All of a section's settings, by a table that ends with a NULL name. */
void import_section(struct import *im, const struct ast_section *s,
		    const struct import_map *map);
/* One line for a section that is not taken over, if it says anything. */
void import_skip_section(struct import *im, const struct ast_section *s,
			 const char *why);

/* A setting of keyholed's: "radio.duplex" and a value as libconfig spells it,
 * or text.  False, and noted, when keyholed would not have it. @from may be
 * NULL: then @said says why it is set. */
bool import_set(struct import *im, const struct ast_var *from,
		const char *setting, const char *value);
bool import_set_text(struct import *im, const struct ast_var *from,
		     const char *setting, const char *text);
bool import_set_default(struct import *im, const char *said,
			const char *setting, const char *value);

/* An entry of "registrars" or "peers". */
bool import_add(struct import *im, const struct ast_var *from, const char *list,
		const char *key, const char *text);
/* A secret's file: its path into @path.  False, and noted, when the secret is
 * none that can be kept. */
bool import_keep_secret(struct import *im, const struct ast_var *from,
			const char *file, const char *secret, char *path,
			size_t cap);
/* The last one kept, whose entry keyholed would not have. */
void import_forget_secret(struct import *im);

void import_note(struct import *im, const struct ast_var *v, const char *why);
void import_note_at(struct import *im, struct ast_at at, const char *what,
		    const char *why);

bool import_is_true(const char *text);
bool import_is_false(const char *text);
/* A node's number: 1 to 15 digits. */
bool import_is_number(const char *text);
/* Which of rpt.conf's nodes it is; nodes_n: none. */
size_t import_local(const struct import *im, const char *number);
/* The port of the daemon that is to be the node @i: they cannot share one. */
unsigned import_port(const struct import *im, size_t i);

/* @text in quotes as libconfig has them, which the caller frees. */
char *import_quoted(const char *text);
/* printf() to malloc(); NULL without memory. */
__attribute__((format(printf, 1, 2))) char *import_printf(const char *fmt, ...);

/* By file: import_rpt.c, import_links.c, import_iax.c, import_usb.c. */
void import_rpt(struct import *im);
void import_peers(struct import *im);
void import_iax(struct import *im);
/* @device: the section of simpleusb.conf or usbradio.conf. */
void import_usb(struct import *im, const struct ast_var *from,
		const char *device, bool dsp);

#endif
