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
 * One that dies is followed by another, which is this program anew: a process
 * with threads and secrets is not forked.  Until that is there the daemon
 * keys nothing (guardian_keep.h).
 *
 * One a process.  All of it does nothing when there is no guardian.
 */

#include <stdbool.h>
#include <stdint.h>

#include "radio/fob_usbfs.h"

#define GUARDIAN_BEAT_US 100000U
#define GUARDIAN_SILENCE_MS 300

/* First in main(): does not return in a program that was started to be the
 * guardian. */
void guardian_if_asked(int argc, char *argv[]);

/* Before any thread, and before anything secret is in memory.  0 or -errno. */
int guardian_start(void);
/* Another after one that is gone: 0, and guardian_hear() tells when it is
 * there; or -errno. */
int guardian_start_again(void);
/* The fob to unkey; NULL: there is none any more.  Who follows is told of it,
 * so its file stays open until then. */
void guardian_watch(const struct fob_unkey *unkey);
/* From the event loop, at least as often as GUARDIAN_BEAT_US: the transmitter
 * may be keyed, or is not. */
void guardian_beat(bool hot, uint64_t now_us);

enum guardian_state {
	GUARDIAN_GONE, /* or never there, or ended */
	GUARDIAN_STARTING,
	GUARDIAN_THERE,
};

/* Readable when something is to be heard; -1 while it is gone. */
int guardian_fd(void);
/* Hear it, without waiting; what it is now. */
enum guardian_state guardian_hear(void);
/* Orderly: it unkeys what it still holds, and ends. */
void guardian_end(void);

#endif
