/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_NOTIFY_H
#define DAEMON_IO_NOTIFY_H

/*
 * What systemd wants to be told (sd_notify(3)).  Without systemd, or built
 * without libsystemd, all of this does nothing.
 */

#include "proto/mono.h"

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
__attribute__((format(printf, 1, 2))) void notify_status(const char *format,
							 ...);
/* How often notify_alive() is due; MONO_NEVER when nobody watches. */
mono_us notify_watchdog_period(void);
void notify_alive(void);

#endif
