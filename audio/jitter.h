/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_JITTER_H
#define AUDIO_JITTER_H

/*
 * Jitter buffer for one stream of coded speech: frames of 10 to 60 ms in as the
 * network brings them, blocks of 20 ms out as the node's tick asks for them.
 * It holds what the wire holds, so that codecs with a memory are decoded in the
 * order of play.
 *
 * A frame is made of units that can be decoded by themselves.  They last 1 ms,
 * or as long as a block: then their times are rounded to that grid, and a block
 * holds one of them or nothing.
 *
 * The delay follows what the network does, between the configured bounds: as
 * much as is worth it, see transit.h.  It is set anew, to the block, at each
 * talk spurt, where silence hides the change.  Within a spurt the buffer
 * advises to stretch what is played when the delay is too short, or when what
 * is held runs out and the next frame is overdue; and to shrink it when there
 * is a block too much.
 *
 * Speech that ran out is waited for.  After a gap, at most as much is left out
 * as it lasted, and only what exceeds the upper bound.  A spurt that began
 * while the network brought nothing is played from its beginning, however late
 * it is, as far as the memory goes, and made shorter.
 *
 * Pure: time is an argument, in microseconds of any monotonic clock.  Fixed
 * memory (about 70 KiB), no allocation, total on hostile input: the work of a
 * call is bounded whatever the timestamps say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/peer_clock.h"
#include "audio/transit.h"

#define JITTER_OCTETS_PER_MS 32U /* at most: linear at 16 kHz */
#define JITTER_BLOCK_MS 20U
#define JITTER_BLOCK_OCTETS (JITTER_BLOCK_MS * JITTER_OCTETS_PER_MS)
#define JITTER_FRAME_MIN_MS 10U
#define JITTER_FRAME_MAX_MS 60U
#define JITTER_DELAY_MAX_MS 500U /* for jitter_config.max_ms */

/* One bit for each millisecond of a block. */
#define JITTER_WHOLE ((1U << JITTER_BLOCK_MS) - 1)

#define JITTER_LATE_PERMILLE 20U

/* What is held: 8 s of u-law, 2 s of the widest. */
#define JITTER_RING_OCTETS 65536U
#define JITTER_RING_MS 8192U /* at most; a power of two */
#define JITTER_PAUSES 8U     /* between spurts that are held */

struct jitter_config {
	uint32_t min_ms; /* least delay, 0..max_ms */
	uint32_t max_ms; /* greatest delay, 20..JITTER_DELAY_MAX_MS */
	/* Times in 1000 frames that speech may be late: the less, the longer
	 * the delay.  0: JITTER_LATE_PERMILLE. */
	uint32_t late_permille;
};

/* What a format's frames are made of. */
struct jitter_unit {
	uint16_t ms;     /* 1 or JITTER_BLOCK_MS */
	uint16_t octets; /* 1..ms * JITTER_OCTETS_PER_MS */
};

/* What became of a frame. */
enum jitter_put {
	JITTER_KEPT,
	JITTER_LATE,      /* its time to be played is past */
	JITTER_DUPLICATE, /* all of it was there */
	JITTER_OVERFLOW,  /* too far ahead of what is being played */
	JITTER_REFUSED,   /* not 10..60 ms of whole units */
};

enum jitter_get {
	JITTER_FRAME, /* a block, perhaps with holes: see valid */
	JITTER_LOST,  /* speech goes on but this block is missing: conceal */
	JITTER_IDLE,  /* nobody speaks */
};

/* What the delay asks of the samples of this block. */
enum jitter_advice {
	JITTER_KEEP,
	JITTER_STRETCH, /* make them longer: too little is held */
	JITTER_SHRINK,  /* make them shorter: too much is */
};

struct jitter_block {
	uint32_t ts_ms;  /* stream time of its start; not when idle */
	uint32_t format; /* of the frames it came from */
	enum jitter_advice advice;
	uint32_t valid; /* bit n: millisecond n is there; JITTER_WHOLE: all */
	/* The units one after the other; zero where not valid. */
	uint8_t codes[JITTER_BLOCK_OCTETS];
};

struct jitter_counters {
	uint64_t frames; /* given to jitter_put(), refused ones included */
	uint64_t late;
	uint64_t duplicates;
	uint64_t overflow;
	uint64_t refused;
	uint64_t played;     /* blocks given as JITTER_FRAME */
	uint64_t lost;       /* blocks missing while speech went on */
	uint64_t stretched;  /* blocks waited for speech that ran out */
	uint64_t skipped_ms; /* speech left out to lower it */
	uint64_t resyncs;    /* the stream's time jumped */
};

enum jitter_state {
	JITTER_STATE_IDLE,
	JITTER_STATE_WAITING, /* for the moment to start a spurt */
	JITTER_STATE_PLAYING,
};

/* Between two talk spurts that are held. */
struct jitter_pause {
	int64_t from;
	int64_t to;
};

/*
 * Positions are the stream's timestamps in milliseconds, unwrapped.  The ring
 * holds those from JITTER_HISTORY_MS before `play` on; what is behind `play`
 * only serves to tell duplicates from late frames.
 */
struct jitter {
	struct jitter_config config;
	struct jitter_counters counters;
	enum jitter_state state;
	uint32_t format;
	struct jitter_unit unit;
	bool ended;     /* the speaker unkeyed; nothing came since */
	bool tells_end; /* it did so before */
	uint64_t last_put_us;

	uint32_t newest_ts; /* timestamp of the newest frame kept */
	int64_t newest_pos; /* its position */
	int64_t end;        /* where it ends */
	int64_t play;       /* position of the next block */

	uint32_t pauses; /* ahead of what plays, in their order */
	struct jitter_pause pause[JITTER_PAUSES];

	uint32_t starving;  /* blocks asked for since speech ran out */
	uint32_t outliers;  /* frames of no use, in a row */
	uint32_t gap_ms;    /* of this spurt that had nothing to play */
	uint64_t idle_us;   /* when it last gave up waiting */
	uint32_t excess;    /* blocks with too much delay, in a row */
	uint32_t need_ms;   /* what the network takes */
	uint32_t target_ms; /* no less than is configured */
	uint32_t delay_ms;  /* of the block played last */

	struct transit transit;
	struct peer_clock clock;
	uint64_t there[JITTER_RING_MS / 64]; /* one bit a millisecond */
	uint8_t ring[JITTER_RING_OCTETS];
};

/* Returns 0, or -EINVAL when the bounds are not as struct jitter_config says;
 * then @j is unusable. */
int jitter_init(struct jitter *j, const struct jitter_config *config);

/* A frame that arrived at @now_us. */
struct jitter_in {
	uint32_t ts_ms; /* stream time, wraps at 2^32 */
	uint32_t format;
	struct jitter_unit unit; /* the same for all frames of a format */
	const uint8_t *codes;
	size_t len; /* octets */
	bool spurt; /* known to be the first of a talk spurt */
};

enum jitter_put jitter_put(struct jitter *j, const struct jitter_in *in,
			   uint64_t now_us);

/* The speaker unkeyed: what is there is played, and nothing concealed after
 * it.  The next frame starts a spurt. */
void jitter_end(struct jitter *j);

/* The next 20 ms, asked for at @now_us: every 20 ms, and less or more often
 * when its advice is taken.  @out is filled in every case. */
enum jitter_get jitter_get(struct jitter *j, uint64_t now_us,
			   struct jitter_block *out);

/* When the spurt that waits may start at the earliest; 0: none waits. */
uint64_t jitter_due_us(const struct jitter *j);

/* How long speech is held now, in ms. */
uint32_t jitter_delay_ms(const struct jitter *j);

#endif
