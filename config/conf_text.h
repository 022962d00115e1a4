/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_CONF_TEXT_H
#define CONFIG_CONF_TEXT_H

/*
 * A configuration's text, from the file to what libconfig may see.
 */

#include "config/conf.h"

/*
 * Read @file into *@text, which the caller frees.  Returns 0; -EINVAL with an
 * entry of line 0 in @diags when it cannot be read or is no text; -ENOMEM.
 */
int conf_text_read(const char *file, char **text, struct conf_diags *diags);

/*
 * Copy @text to *@out, which the caller frees, without its comments and so
 * that every line number stays.  libconfig 1.5 wraps numbers above 31 bits
 * silently, places a list's text at the line of what follows it, and opens
 * files on @include: large numbers are written as 64 bits here, commas and
 * brackets follow their text at once, and @include is refused.
 *
 * Returns 0; -EINVAL with entries in @diags (@include, a text or comment that
 * is not closed, more than CONF_FILE_MAX octets); -ENOMEM.
 */
int conf_text_prepare(const char *text, char **out, struct conf_diags *diags);

#endif
