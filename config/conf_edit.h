/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_CONF_EDIT_H
#define CONFIG_CONF_EDIT_H

/*
 * Settings changed in a configuration file as its owner wrote it: comments,
 * order and layout stay, only values change.  Reads libconfig's grammar as far
 * as it takes to know where a setting is; what it does not understand it
 * refuses, and what comes out is loaded before it takes the file's place.
 */

#include <stddef.h>

#define CONF_EDIT_WHY_MAX 256U

struct conf_edit {
	/* A name, such as "audio", or an entry of a list, such as
	 * "registrars[0]". */
	const char *group;
	const char *name;  /* in it, such as "rx_db" */
	const char *value; /* as it is to stand there: "-3.0", "\"eeprom\"" */
};

/*
 * The text with the @n edits made: a value is replaced where the setting is,
 * else the setting is put at the start of its group, else the group at the
 * end, of the file or, for the entry after the last one, of its list.  0 and *@out, which the caller frees; -EINVAL with a sentence without a
 * full stop in @why; -ENOMEM.
 */
int conf_edit_text(const char *text, const struct conf_edit *edits, size_t n,
		   char **out, char why[CONF_EDIT_WHY_MAX]);

/*
 * The same to keyholed's file @path, atomically: its mode and owner stay, a
 * link stays a link.  0, or -errno with a sentence in @why and nothing
 * changed; -EINVAL also when the result would not load with these values.
 */
int conf_edit_file(const char *path, const struct conf_edit *edits, size_t n,
		   char why[CONF_EDIT_WHY_MAX]);

/* The same, and the file as it was is kept beside it as @path.bak. */
int conf_edit_file_kept(const char *path, const struct conf_edit *edits,
			size_t n, char why[CONF_EDIT_WHY_MAX]);

/* A file that is not there yet, of mode 0644: @text with the edits made.
 * -EEXIST when there is one after all. */
int conf_edit_new(const char *path, const char *text,
		  const struct conf_edit *edits, size_t n,
		  char why[CONF_EDIT_WHY_MAX]);

#endif
