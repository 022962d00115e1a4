/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_CONF_LOAD_PRIV_H
#define CONFIG_CONF_LOAD_PRIV_H

/* What walks through a file (conf_load.c) and what says what is wrong in it
 * (conf_load_reject.c) share. */

#include <libconfig.h>

#include "config/conf_table.h"

#define LOAD_LABEL_LEN 96U /* "registrars[7].host", a stranger's name cut */

struct load {
	const struct conf_scope *scope; /* what names are known here */
	const char *in;                 /* the list's entry, "" at the top */
	struct conf_diags *diags;
	int err; /* -ENOMEM, or 0 */
};

/* -ENOMEM, once it has happened, is what the whole comes to. */
static inline void load_note(struct load *l, int err)
{
	if (err)
		l->err = err;
}

static inline unsigned load_line(const config_setting_t *s)
{
	return config_setting_source_line(s);
}

/* "LABEL is THIS; allowed: THAT" of @line; @s is NULL when it is missing, and
 * @row when it is to be a group. */
void load_reject(struct load *l, unsigned line, const char *label,
		 const config_setting_t *s, const struct conf_row *row);
/* Setting @name is not in the table: it is a secret, or misspelt. */
void load_reject_unknown(struct load *l, const char *name, unsigned line);

#endif
