/* SPDX-License-Identifier: MIT */

/*
 * The receiver.  What looks at the receiver's sound (CTCSS, VOX) does so before
 * the delay line, all the time; what works on somebody's words does so behind
 * it, and only while there are any.
 */

#include <math.h>
#include <string.h>

#include "daemon/node/station_priv.h"

#define CTCSS_FLOOR_DBFS (-50.0)
#define VOX_HYSTERESIS_DB 3.0
#define FULL_SCALE 32768.0

bool station_rx_new(struct station_rx *r)
{
	r->line = delay_new((size_t)COR_DELAY_MAX_MS * STATION_SAMPLES_PER_MS);
	r->dtmf = dtmf_new();
	meter_init(&r->meter, AUDIO_HZ, STATION_METER_MS);
	meter_init(&r->card_now, AUDIO_HZ, STATION_METER_NOW_MS);
	meter_init(&r->now, AUDIO_HZ, STATION_METER_NOW_MS);
	return r->line && r->dtmf;
}

void station_rx_free(struct station_rx *r)
{
	r->line = delay_free(r->line);
	r->dtmf = dtmf_free(r->dtmf);
}

/* The sum of squares of a block whose average is @db below full scale. */
static double energy(double db)
{
	return AUDIO_BLOCK * FULL_SCALE * FULL_SCALE * pow(10.0, -db / 10.0);
}

void station_rx_configure(struct station *s, const struct station_config *old,
			  mono_us now)
{
	const struct station_receiver *c = &s->config.rx;
	struct station_rx *r = &s->rx;

	if (old)
		(void)cor_configure(&r->cor, &s->config.cor, now);
	else
		(void)cor_init(&r->cor, &s->config.cor);
	/* The decoder forgets what it heard when it starts afresh. */
	if (c->ctcss > 0 && (!old || old->rx.ctcss != c->ctcss))
		ctcss_init(&r->ctcss, c->ctcss / 10.0, CTCSS_FLOOR_DBFS);
	filter_de_emphasis(&r->de_emphasis);
	filter_high_pass_300(&r->high_pass);
	r->vox_on = energy(c->vox_db);
	r->vox_off = energy(c->vox_db + VOX_HYSTERESIS_DB);
	if (c->agc_db > 0)
		agc_init(&r->agc, -(double)c->agc_to_db, c->agc_db);
	limiter_init(&r->limiter, -(double)c->limit_db);
}

void station_rx_reset(struct station_rx *r, mono_us now)
{
	cor_reset(&r->cor, now);
	r->hardware = 0;
	r->decoded = 0;
	r->vox_until = 0;
	r->behind = 0;
	r->heard = false;
	r->ctcss.open = false;
}

/* --- what counts as received -------------------------------------------- */

static bool vox(struct station_rx *r, uint32_t hang_ms,
		const int16_t block[AUDIO_BLOCK], mono_us now)
{
	const bool was = (r->decoded & COR_IN_VOX) != 0;
	double sum = 0.0;

	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		sum += (double)block[i] * block[i];
	if (sum >= (was ? r->vox_off : r->vox_on)) {
		r->vox_until = now + hang_ms * MONO_MS;
		return true;
	}
	return was && now < r->vox_until;
}

static void set_inputs(struct station_rx *r, mono_us since)
{
	cor_input(&r->cor, r->hardware | r->decoded, since);
}

/* Filter the block, and see what it says. */
static void look(struct station *s, int16_t block[AUDIO_BLOCK], mono_us now)
{
	const struct station_receiver *c = &s->config.rx;
	const unsigned named = s->config.cor.all | s->config.cor.any;
	struct station_rx *r = &s->rx;
	unsigned decoded = 0;

	if (c->de_emphasis)
		filter_run(&r->de_emphasis, block, AUDIO_BLOCK);
	if (c->ctcss > 0 && ctcss_run(&r->ctcss, block, AUDIO_BLOCK))
		decoded |= COR_IN_CTCSS;
	if (c->high_pass)
		filter_run(&r->high_pass, block, AUDIO_BLOCK);
	if ((named & COR_IN_VOX) && vox(r, c->vox_ms, block, now))
		decoded |= COR_IN_VOX;
	if (decoded == r->decoded)
		return;
	r->decoded = decoded;
	/* What a block shows began with the block. */
	if (r->inputs_at + STATION_BLOCK_US < now)
		r->inputs_at = now - STATION_BLOCK_US;
	set_inputs(r, r->inputs_at);
}

void station_inputs(struct station *s, unsigned inputs, mono_us since)
{
	struct station_rx *r = &s->rx;

	inputs &= (unsigned)COR_IN_COR | COR_IN_CTCSS;
	if (inputs == r->hardware)
		return;
	r->hardware = inputs;
	if (since > r->inputs_at)
		r->inputs_at = since;
	set_inputs(r, r->inputs_at);
	station_decide(s, since);
}

/* --- what is heard of it ------------------------------------------------ */

/* Samples by which the words are late behind the delay line. */
static size_t lag(const struct station_receiver *c)
{
	return (c->dtmf == STATION_DTMF_MUTE ? DTMF_DELAY : 0) +
	       (c->limit_db > 0 ? LIMITER_DELAY : 0);
}

/* Words, or silence after them that pushes the last of them out. */
static bool has_words(struct station *s, int16_t block[AUDIO_BLOCK],
		      mono_us now)
{
	struct station_rx *r = &s->rx;

	if (cor_plays(&r->cor, now)) {
		r->behind = lag(&s->config.rx);
		return true;
	}
	memset(block, 0, AUDIO_BLOCK * sizeof(block[0]));
	if (r->behind == 0)
		return false;
	r->behind -= r->behind < AUDIO_BLOCK ? r->behind : AUDIO_BLOCK;
	return true;
}

static void find_digits(struct station *s, int16_t block[AUDIO_BLOCK])
{
	int16_t copy[AUDIO_BLOCK];

	switch (s->config.rx.dtmf) {
	case STATION_DTMF_OFF:
		break;
	case STATION_DTMF_DECODE:
		memcpy(copy, block, sizeof(copy));
		dtmf_run(s->rx.dtmf, copy, AUDIO_BLOCK);
		break;
	case STATION_DTMF_MUTE:
		dtmf_run(s->rx.dtmf, block, AUDIO_BLOCK);
		break;
	}
}

bool station_receive(struct station *s, int16_t block[AUDIO_BLOCK], mono_us now)
{
	const struct station_receiver *c = &s->config.rx;
	struct station_rx *r = &s->rx;

	meter_add(&r->card_now, block, AUDIO_BLOCK);
	look(s, block, now);
	meter_add(&r->now, block, AUDIO_BLOCK);
	cor_tick(&r->cor, now);
	delay_put(r->line, block, AUDIO_BLOCK);
	delay_get(r->line,
		  (size_t)(cor_delay_us(&r->cor) / MONO_MS) *
			  STATION_SAMPLES_PER_MS,
		  block, AUDIO_BLOCK);
	r->heard = has_words(s, block, now);
	if (r->heard) {
		if (c->agc_db > 0)
			agc_run(&r->agc, block, AUDIO_BLOCK);
		if (c->limit_db > 0)
			limiter_run(&r->limiter, block, AUDIO_BLOCK);
		find_digits(s, block);
		meter_add(&r->meter, block, AUDIO_BLOCK);
	}
	memcpy(r->block, block, sizeof(r->block));
	station_decide(s, now);
	return r->heard;
}

char station_digit(struct station *s)
{
	return dtmf_next(s->rx.dtmf);
}
