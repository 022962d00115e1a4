/* SPDX-License-Identifier: MIT */
#ifndef RADIO_COR_H
#define RADIO_COR_H

/*
 * The receiver: what of its inputs counts as somebody's over, and which of
 * its audio is to be heard.
 *
 * Inputs are combined, and what they come to counts once it has lasted (attack
 * and release).  The audio runs through a delay line: what is still in it when
 * an over ends, the burst of noise before the squelch shut among it, is not
 * heard.  After a long silence an over is first held back: when it turns out
 * to be no more than a tap on the key nobody hears of it, else it is heard
 * from its first millisecond on, that much later.  A receiver that stays open
 * for stuck_s is believed no more until it has closed.
 *
 * Pure: `now_us` is microseconds of CLOCK_MONOTONIC.  After each call, see
 * cor_up() and arm one timer for cor_deadline().  For each block of audio, ask
 * cor_plays().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COR_ATTACK_MAX_MS 1000U
#define COR_RELEASE_MAX_MS 2000U
#define COR_TAIL_MAX_MS 1000U
#define COR_KERCHUNK_MAX_MS 2000U
#define COR_KERCHUNK_IDLE_MAX_S 3600U
#define COR_STUCK_MIN_S 30U
#define COR_STUCK_MAX_S 3600U
#define COR_STUCK_S 600U
#define COR_NEVER UINT64_MAX

/* The longest that audio waits in the line: the tail, and an over that was
 * held back while it fluttered. */
#define COR_DELAY_MAX_MS \
	(COR_TAIL_MAX_MS + COR_KERCHUNK_MAX_MS + COR_RELEASE_MAX_MS)

/* Inputs, as bits. */
enum cor_input { COR_IN_COR = 1, COR_IN_CTCSS = 2, COR_IN_VOX = 4 };

struct cor_config {
	unsigned all;        /* inputs that must all be up */
	unsigned any;        /* of these, if any are named, at least one */
	uint32_t attack_ms;  /* open counts after this, 0..COR_ATTACK_MAX_MS */
	uint32_t release_ms; /* shut counts after it, 0..COR_RELEASE_MAX_MS */
	/* Length of the delay line, 0..COR_TAIL_MAX_MS; of an over the last
	 * tail_ms - release_ms before the receiver shut are not heard. */
	uint32_t tail_ms;
	/* An over shorter than this is no over, 0..COR_KERCHUNK_MAX_MS, and if
	 * not 0 more than attack_ms ... */
	uint32_t kerchunk_ms;
	/* ... after so much silence, 0..COR_KERCHUNK_IDLE_MAX_S. */
	uint32_t kerchunk_idle_s;
	uint32_t stuck_s; /* COR_STUCK_MIN_S..COR_STUCK_MAX_S */
};

/* The COR input alone, lightly debounced; nothing is held back or cut. */
extern const struct cor_config cor_config_default;

struct cor_counters {
	uint64_t overs;
	uint64_t kerchunks; /* that nobody heard of */
	uint64_t stuck;
};

/* Audio of the receiver that is to be heard, by when it was received. */
struct cor_span {
	uint64_t from_us;
	uint64_t to_us; /* COR_NEVER: the over goes on */
};

/* An over that was held back is heard later than it is received, and so the
 * next may begin before it has been heard; beyond this many they run
 * together. */
#define COR_SPANS 4U

struct cor {
	struct cor_config config;
	struct cor_counters counters;
	unsigned inputs;
	bool raw;            /* what the inputs come to */
	uint64_t raw_since;  /* when that last changed */
	bool open;           /* it has lasted */
	uint64_t open_since; /* when what has lasted began */
	bool held;           /* open, but perhaps a kerchunk */
	bool stuck;
	uint64_t quiet_at; /* when the silence will have been long enough */
	uint64_t delay_us; /* of the audio */
	struct cor_span span[COR_SPANS];
	size_t spans;
};

/* Shut, after a long silence.  Returns 0, or -EINVAL for a value out of its
 * range or no input named; then nothing is ever received. */
int cor_init(struct cor *c, const struct cor_config *config);

/* New settings from now on, also for an over that goes on, but for how long its
 * audio waits.  Returns 0, or -EINVAL and keeps the old ones. */
int cor_configure(struct cor *c, const struct cor_config *config,
		  uint64_t now_us);

/* What the inputs are now.  Repeating it is harmless. */
void cor_input(struct cor *c, unsigned inputs, uint64_t now_us);

/* Let time pass.  Late calls are made good, early ones do nothing. */
void cor_tick(struct cor *c, uint64_t now_us);

/* The receiver is gone: shut at once, and what is in the line is not heard. */
void cor_reset(struct cor *c, uint64_t now_us);

/* Somebody is received, or seems to be: a half-duplex transmitter waits. */
bool cor_open(const struct cor *c);

/* An over is being heard, or is about to be. */
bool cor_up(const struct cor *c);

/* It has been open for stuck_s, and is not believed until it shuts. */
bool cor_stuck(const struct cor *c);

/* Is the audio received cor_delay_us() before now to be heard? */
bool cor_plays(const struct cor *c, uint64_t now_us);

/* How long audio waits, 0..COR_DELAY_MAX_MS; the same throughout an over. */
uint64_t cor_delay_us(const struct cor *c);

/* When cor_tick() is next needed; COR_NEVER: not before the next input. */
uint64_t cor_deadline(const struct cor *c);

#endif
