/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_SERVER_H
#define DAEMON_REGISTRAR_SERVER_H

/* The registration server put together: directory, sockets, control. */

#include "config/conf.h"

/* Run until told to stop.  0, or 1 after one sentence on stderr.  Frees
 * nothing of @conf, which was read from @file: SIGHUP reads that again. */
int server_run(const struct conf_registrar *conf, const char *file);

#endif
