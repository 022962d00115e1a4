/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_DOCTOR_H
#define DAEMON_CONSOLE_DOCTOR_H

/* keyhole doctor: what is wrong, and how to mend it. */

#include "daemon/console/console.h"

#define DOCTOR_USAGE "doctor [--config FILE]"

/* @argv without the command's name.  CONSOLE_DONE only if all is well;
 * CONSOLE_REFUSED, also without a daemon; CONSOLE_USAGE. */
enum console_exit doctor_command(const struct console *c, int argc,
				 char *const *argv);

#endif
