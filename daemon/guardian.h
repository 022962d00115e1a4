/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_GUARDIAN_H
#define DAEMON_GUARDIAN_H

/*
 * A radio interface keeps its PTT pin as it is when the program that drives it
 * dies.  The guardian is a process that main() forks before anything else: it
 * holds a copy of the fob's file, and unkeys when the daemon is gone, in
 * whatever way, or has been silent for GUARDIAN_SILENCE_MS while the
 * transmitter is keyed.  A daemon that was only late keys again by itself, at
 * the next re-check of its fob.
 *
 * One a process.  All of it does nothing when there is no guardian.
 */

#include <stdbool.h>
#include <stdint.h>

#include "radio/fob_usbfs.h"

#define GUARDIAN_BEAT_US 100000U
#define GUARDIAN_SILENCE_MS 300

/* Before any thread, and before anything secret is in memory.  0 or -errno. */
int guardian_start(void);
/* The fob to unkey; NULL: there is none any more. */
void guardian_watch(const struct fob_unkey *unkey);
/* From the event loop, at least as often as GUARDIAN_BEAT_US: the transmitter
 * may be keyed, or is not. */
void guardian_beat(bool hot, uint64_t now_us);
/* Is it there?  True also when none was started. */
bool guardian_lives(void);
/* Orderly: it unkeys what it still holds, and ends. */
void guardian_end(void);

#endif
