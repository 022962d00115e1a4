/* SPDX-License-Identifier: MIT */
#ifndef RADIO_PTT_LOG_H
#define RADIO_PTT_LOG_H

/*
 * The simulated radio's record of PTT: one JSON object a line for each edge,
 * {"ptt":true,"t_us":123}, with a time of CLOCK_MONOTONIC in microseconds.
 * Blocks on the disk; not for the real-time thread.
 */

#include <stdbool.h>
#include <stdint.h>

#define PTT_LOG_SUFFIX ".ptt.json"

struct ptt_log;

/*
 * Append to the file named @tx_wav + PTT_LOG_SUFFIX, made when missing.
 * Returns 0 and an owned *@out, or -errno and *@out NULL.
 */
int ptt_log_open(struct ptt_log **out, const char *tx_wav);

/*
 * Tell the state of PTT; a line is written when it differs from the one told
 * before (unkeyed at first).  Returns 0 or -errno: then the line is missing
 * or cut, and what follows starts on a new one.
 */
int ptt_log_set(struct ptt_log *log, bool keyed, uint64_t now_us);

/* Accepts NULL; returns NULL. */
struct ptt_log *ptt_log_free(struct ptt_log *log);

#endif
