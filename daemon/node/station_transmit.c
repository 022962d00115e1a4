/* SPDX-License-Identifier: MIT */

/* The transmitter: what goes into it while it is keyed. */

#include <string.h>

#include "audio/mix.h"
#include "daemon/node/station_priv.h"

bool station_tx_new(struct station_tx *t)
{
	t->line = delay_new((size_t)PTT_KEY_UP_MAX_MS * STATION_SAMPLES_PER_MS);
	meter_init(&t->meter, AUDIO_HZ, STATION_METER_MS);
	meter_init(&t->now, AUDIO_HZ, STATION_METER_NOW_MS);
	tone_init(&t->ctcss);
	tone_init(&t->tone);
	tone_init(&t->test);
	return t->line;
}

void station_tx_free(struct station_tx *t)
{
	t->line = delay_free(t->line);
}

struct ptt_config station_ptt_config(const struct station_config *config)
{
	struct ptt_config c = config->ptt;

	c.ctcss = config->tx.ctcss > 0;
	if (config->tx.courtesy == 0)
		c.courtesy_ms = 0;
	if (config->tx.announce == 0)
		c.announce_ms = 0;
	if (!duplex_has_tail(config->duplex)) {
		c.hang_ms = 0;
		c.courtesy_ms = 0;
		c.announce_ms = 0;
	}
	return c;
}

void station_tx_configure(struct station *s)
{
	struct station_tx *t = &s->tx;

	filter_pre_emphasis(&t->pre_emphasis);
	limiter_init(&t->limiter, -(double)s->config.tx.limit_db);
	t->ctcss_on = false;
}

/* --- tones -------------------------------------------------------------- */

/* The machine says when, and a tone fades by itself. */
static void add_tones(struct station *s, int16_t block[AUDIO_BLOCK])
{
	const struct station_transmitter *c = &s->config.tx;
	struct station_tx *t = &s->tx;
	const double dbfs = -(double)c->tone_db;

	if (t->ptt.state == PTT_COURTESY)
		tone_on(&t->tone, c->courtesy / 10.0, dbfs);
	else if (t->ptt.state == PTT_ANNOUNCE)
		tone_on(&t->tone, c->announce / 10.0, dbfs);
	else
		tone_off(&t->tone);
	tone_add(&t->tone, block, AUDIO_BLOCK);
}

static void add_ctcss(struct station *s, int16_t block[AUDIO_BLOCK])
{
	const struct station_transmitter *c = &s->config.tx;
	struct station_tx *t = &s->tx;
	const bool on = ptt_tone(&t->ptt);

	if (on && !t->ctcss_on) {
		tone_on(&t->ctcss, c->ctcss / 10.0, -(double)c->ctcss_db);
	} else if (!on && t->ctcss_on) {
		if (c->ctcss_reverse)
			tone_reverse(&t->ctcss);
		else
			tone_off(&t->ctcss);
	}
	t->ctcss_on = on;
	tone_add(&t->ctcss, block, AUDIO_BLOCK);
}

static bool testing(const struct station *s)
{
	return s->tx.test_until != 0;
}

void station_test_tone(struct station *s, uint32_t hz, uint32_t db,
		       mono_us until, mono_us now)
{
	struct station_tx *t = &s->tx;

	t->test_until = until > now ? until : 0;
	if (testing(s))
		tone_on(&t->test, hz, -(double)db);
	else
		tone_off(&t->test);
	station_decide(s, now);
}

/* --- what the node says ------------------------------------------------- */

void station_telemetry(struct station *s, const int16_t *block)
{
	s->tx.telemetry = block != NULL;
	if (block)
		memcpy(s->tx.said, block, sizeof(s->tx.said));
}

bool station_may_speak(const struct station *s)
{
	const struct station_tx *t = &s->tx;

	return !s->duplex.hold_off && !t->interrupted && !t->forced_off &&
	       !t->gone && t->ptt.state != PTT_TIMED_OUT &&
	       s->config.duplex != DUPLEX_HALF_SILENT;
}

/* --- a block ------------------------------------------------------------ */

/* What goes into the delay line: silence while nothing is to be said. */
static void mix(struct station *s, int16_t block[AUDIO_BLOCK], bool network)
{
	if (!network || !s->duplex.network)
		memset(block, 0, AUDIO_BLOCK * sizeof(block[0]));
	for (size_t i = 0; i < AUDIO_BLOCK && s->duplex.repeat; i++)
		block[i] = mix_saturate((int32_t)block[i] + s->rx.block[i]);
	for (size_t i = 0; i < AUDIO_BLOCK && s->duplex.telemetry; i++)
		block[i] = mix_saturate((int32_t)block[i] + s->tx.said[i]);
	tone_add(&s->tx.test, block, AUDIO_BLOCK);
}

/* What was cut off does not sound in the next transmission. */
static void end_transmission(struct station *s)
{
	struct station_tx *t = &s->tx;

	if (!t->modulated)
		return;
	t->modulated = false;
	tone_init(&t->tone);
	tone_init(&t->ctcss);
	station_tx_configure(s);
}

static void modulate(struct station *s, int16_t block[AUDIO_BLOCK])
{
	const struct station_transmitter *c = &s->config.tx;
	struct station_tx *t = &s->tx;

	t->modulated = true;
	add_tones(s, block);
	if (c->pre_emphasis)
		filter_run(&t->pre_emphasis, block, AUDIO_BLOCK);
	if (c->limit_db > 0)
		limiter_run(&t->limiter, block, AUDIO_BLOCK);
	meter_add(&t->meter, block, AUDIO_BLOCK);
	meter_add(&t->now, block, AUDIO_BLOCK);
	if (c->ctcss > 0)
		add_ctcss(s, block);
}

bool station_transmit(struct station *s, int16_t block[AUDIO_BLOCK],
		      bool network, mono_us now)
{
	struct station_tx *t = &s->tx;

	t->network = network;
	station_decide(s, now);
	mix(s, block, network);
	delay_put(t->line, block, AUDIO_BLOCK);
	delay_get(t->line,
		  (size_t)t->ptt.config.key_up_ms * STATION_SAMPLES_PER_MS,
		  block, AUDIO_BLOCK);
	/* Beats are not exact, and words are not to be lost by that. */
	if (!ptt_plays(&t->ptt, now + STATION_BLOCK_US / 2))
		memset(block, 0, AUDIO_BLOCK * sizeof(block[0]));
	if (ptt_keyed(&t->ptt)) {
		modulate(s, block);
		return true;
	}
	end_transmission(s);
	memset(block, 0, AUDIO_BLOCK * sizeof(block[0]));
	meter_add(&t->now, block, AUDIO_BLOCK);
	return false;
}
