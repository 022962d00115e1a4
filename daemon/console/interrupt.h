/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_INTERRUPT_H
#define DAEMON_CONSOLE_INTERRUPT_H

/*
 * Ctrl-C in the shell ends what the daemon is waited for, and not the shell.
 */

#include <stdbool.h>

#include "daemon/io/rpc.h"

/* From here on SIGINT ends a wait for @rpc. */
void interrupt_begin(const struct rpc *rpc);
/* As it was before.  True when there was one. */
bool interrupt_end(void);

#endif
