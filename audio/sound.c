/* SPDX-License-Identifier: MIT */

#include "audio/sound.h"

#include <stdlib.h>

#include "audio/sound_priv.h"

#define RING_SAMPLES 32768U /* 0.68 s */
#define RING_NOTES 256U     /* 1.28 s */

/* What is held when a stream begins, just before a block is taken or given. */
#define IN_MS (20.0 + SOUND_TURN_US / 1000.0 + 3.0)
#define OUT_MS (2 * SOUND_TURN_US / 1000.0 + 7.0)

static int way_init(struct sound_way *w)
{
	const int err = ring_init(&w->samples, sizeof(int16_t), RING_SAMPLES);

	return err != 0 ? err
			: ring_init(&w->notes, sizeof(struct sound_note),
				    RING_NOTES);
}

static void follow_init(struct sound_follow *f, struct sound_way *way,
			double least_ms)
{
	f->way = way;
	f->least_ms = least_ms;
	f->target_ms = least_ms;
	f->hold = SOUND_HOLD;
	drift_init(&f->drift, PCM_HZ);
}

struct sound *sound_new(uint64_t (*now_us)(void *ctx), void *ctx)
{
	struct sound *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->now_us = now_us;
	s->ctx = ctx;
	s->in.way = &s->in_way;
	s->out.way = &s->out_way;
	follow_init(&s->in_follow, &s->in_way, IN_MS);
	follow_init(&s->out_follow, &s->out_way, OUT_MS);
	s->in_follow.resample = resample_new_adjustable(PCM_HZ, AUDIO_HZ);
	s->out_follow.resample = resample_new_adjustable(AUDIO_HZ, PCM_HZ);
	if (!s->in_follow.resample || !s->out_follow.resample ||
	    way_init(&s->in_way) != 0 || way_init(&s->out_way) != 0)
		return sound_free(s);
	return s;
}

static void way_done(struct sound_way *w)
{
	ring_done(&w->samples);
	ring_done(&w->notes);
}

struct sound *sound_free(struct sound *s)
{
	if (!s)
		return NULL;
	way_done(&s->in_way);
	way_done(&s->out_way);
	(void)resample_free(s->in_follow.resample);
	(void)resample_free(s->out_follow.resample);
	free(s);
	return NULL;
}

bool sound_rests(const struct sound *s)
{
	return (atomic_load_explicit(&s->rest, memory_order_acquire) & 1) != 0;
}

static double delay_ms(const struct sound_follow *f, unsigned out_hz)
{
	return f->target_ms + f->excess_ms +
	       (double)resample_delay(f->resample) * 1000.0 / out_hz;
}

double sound_in_delay_ms(const struct sound *s)
{
	return delay_ms(&s->in_follow, AUDIO_HZ);
}

double sound_out_delay_ms(const struct sound *s)
{
	return delay_ms(&s->out_follow, PCM_HZ);
}

struct audio_device_status sound_status(const struct sound *s)
{
	const bool in = atomic_load(&s->in_way.runs);
	const bool out = atomic_load(&s->out_way.runs);
	const struct sound_follow *f = in ? &s->in_follow : &s->out_follow;

	return (struct audio_device_status){
		.state = in || out ? AUDIO_DEVICE_RUNNING : AUDIO_DEVICE_DOWN,
		.xruns = atomic_load(&s->in_way.breaks) +
			 atomic_load(&s->out_way.breaks) + s->in_follow.slips +
			 s->out_follow.slips,
		.drift_ppm = in || out ? drift_ppm(&f->drift) : 0.0,
		.capture_ms = in ? sound_in_delay_ms(s) : 0.0,
		.playback_ms = out ? sound_out_delay_ms(s) : 0.0,
	};
}
