/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_TTY_H
#define DAEMON_CONSOLE_TTY_H

/* What standard output is. */

#include <stdbool.h>

#define TTY_COLUMNS_USUAL 80U
#define TTY_LINES_USUAL 24U

/* A terminal whose cursor can be moved. */
bool tty_screen(void);
/* One that may be written in colours: NO_COLOR is not set. */
bool tty_colour(void);
/* Its size; the usual one where it is not told. */
void tty_size(unsigned *columns, unsigned *lines);
/* Letters are shown as the locale tells.  Once, at the start. */
void tty_charset(void);

#endif
