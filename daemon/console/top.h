/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_TOP_H
#define DAEMON_CONSOLE_TOP_H

/*
 * keyhole top: the daemon's status as a screen.  Pure: from what the method
 * "status" tells to cells.
 */

#include <jansson.h>
#include <stddef.h>

#include "daemon/console/screen.h"

struct top_view {
	size_t first;     /* link that the list begins with */
	const char *note; /* on the last line, in place of the keys; or NULL */
};

/* @status may be NULL, or miss anything.  @s is to be blank. */
void top_compose(struct screen *s, const json_t *status,
		 const struct top_view *v);

/* Links that fit: what a page is.  At least 1. */
size_t top_page(const struct screen *s, const json_t *status);

#endif
