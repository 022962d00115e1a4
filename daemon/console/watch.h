/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_WATCH_H
#define DAEMON_CONSOLE_WATCH_H

/* keyhole top: the status on a terminal, once a second, until q or ^C; the
 * terminal is then as it was. */

#include "daemon/console/console.h"

enum console_exit watch_top(const struct console *c);

#endif
