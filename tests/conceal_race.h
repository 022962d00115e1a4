/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONCEAL_RACE_H
#define TESTS_CONCEAL_RACE_H

/*
 * Concealment against silence and against the last frame once more, over
 * something like speech: voiced sounds of a wandering pitch through formants
 * that wander too, noise, and pauses.  Judged where frames were lost.
 */

#include <stddef.h>
#include <stdint.h>

enum conceal { CONCEAL_SILENCE, CONCEAL_REPEAT, CONCEAL_PLC, CONCEAL_METHODS };

struct conceal_result {
	double lsd_db;     /* log-spectral distance: less is nearer */
	double seg_snr_db; /* segmental SNR: more is nearer */
};

/* Something like speech, the same each time. */
void conceal_speech(int16_t *pcm, size_t n);

/* One minute of which @loss_pct frames of 20 ms in 100 are lost. */
struct conceal_result conceal_measure(uint32_t loss_pct, enum conceal how);

#endif
