/* SPDX-License-Identifier: MIT */

#include "daemon/node/station.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/node/station_priv.h"

#define REST_US (500 * MONO_MS)

const struct station_config station_config_flat = {
	.duplex = DUPLEX_APART,
	.cor = { .all = COR_IN_COR, .stuck_s = COR_STUCK_S },
	.ptt = { .timeout_s = 180 },
	.rx = { .vox_db = 30, .agc_to_db = 12 },
	.tx = { .ctcss_db = 20, .tone_db = 20 },
};

/* --- settings ----------------------------------------------------------- */

static bool within(uint32_t value, uint32_t min, uint32_t max)
{
	return value >= min && value <= max;
}

static bool is_ctcss(uint32_t tone)
{
	return tone == 0 || within(tone, 600, 2600);
}

static bool is_tone(uint32_t tone)
{
	return tone == 0 || within(tone, 1000, 40000);
}

static bool rx_valid(const struct station_receiver *c)
{
	return is_ctcss(c->ctcss) && within(c->vox_db, 6, 60) &&
	       c->vox_ms <= 5000 && c->agc_db <= 24 &&
	       within(c->agc_to_db, 6, 40) && c->limit_db <= 40 &&
	       (unsigned)c->dtmf <= STATION_DTMF_MUTE;
}

static bool tx_valid(const struct station_transmitter *c)
{
	return is_ctcss(c->ctcss) && within(c->ctcss_db, 6, 40) &&
	       is_tone(c->courtesy) && is_tone(c->announce) &&
	       c->tone_db <= 40 && c->limit_db <= 40;
}

/* The machines judge their own settings. */
static bool valid(const struct station_config *c)
{
	const struct ptt_config timers = station_ptt_config(c);
	struct cor cor;
	struct ptt ptt;

	return (unsigned)c->duplex <= DUPLEX_APART && rx_valid(&c->rx) &&
	       tx_valid(&c->tx) && cor_init(&cor, &c->cor) == 0 &&
	       ptt_init(&ptt, &timers) == 0;
}

struct station *station_new(const struct station_config *config, mono_us now)
{
	struct ptt_config timers;
	struct station *s;

	if (!valid(config))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->config = *config;
	if (!station_rx_new(&s->rx) || !station_tx_new(&s->tx))
		return station_free(s);
	timers = station_ptt_config(config);
	(void)ptt_init(&s->tx.ptt, &timers);
	station_rx_configure(s, NULL, now);
	station_tx_configure(s);
	return s;
}

struct station *station_free(struct station *s)
{
	if (!s)
		return NULL;
	station_rx_free(&s->rx);
	station_tx_free(&s->tx);
	free(s);
	return NULL;
}

int station_configure(struct station *s, const struct station_config *config,
		      mono_us now)
{
	const struct station_config old = s->config;
	struct ptt_config timers;

	if (!valid(config))
		return -EINVAL;
	s->config = *config;
	timers = station_ptt_config(config);
	(void)ptt_configure(&s->tx.ptt, &timers, now);
	station_rx_configure(s, &old, now);
	station_tx_configure(s);
	station_decide(s, now);
	return 0;
}

/* --- what keys ---------------------------------------------------------- */

/*
 * A half-duplex receiver that opens while we transmit may hear ourselves: then
 * it shuts as soon as we are quiet, and without a rest the two would chase each
 * other.
 */
static bool held_off(struct station_tx *t, bool hold_off, mono_us now)
{
	if (hold_off && ptt_keyed(&t->ptt))
		t->interrupted = true;
	if (hold_off && t->interrupted)
		t->rest_until = now + REST_US;
	else if (now >= t->rest_until)
		t->interrupted = false;
	return hold_off || t->interrupted;
}

static void count_timeouts(struct station_tx *t, enum ptt_state was)
{
	t->timeouts += t->ptt.state == PTT_TIMED_OUT && was != PTT_TIMED_OUT;
}

void station_decide(struct station *s, mono_us now)
{
	struct station_tx *t = &s->tx;
	const enum ptt_state was = t->ptt.state;
	/* Inputs may tell of the past, and a transmitter does not go back. */
	const mono_us at = now > s->seen ? now : s->seen;
	const struct duplex_in in = {
		.received = cor_open(&s->rx.cor),
		.heard = cor_up(&s->rx.cor) || s->rx.behind > 0,
		/* Whoever calibrates wants it in any mode. */
		.network = t->network || t->test_until != 0,
		.telemetry = t->telemetry,
	};
	bool off;

	s->duplex = duplex_decide(s->config.duplex, &in);
	s->seen = at;
	off = held_off(t, s->duplex.hold_off, at) || t->forced_off || t->gone;
	ptt_demand(&t->ptt, s->duplex.demand, at);
	ptt_force_off(&t->ptt, off, at);
	count_timeouts(t, was);
}

void station_tick(struct station *s, mono_us now)
{
	struct station_tx *t = &s->tx;

	if (t->test_until != 0 && now >= t->test_until) {
		t->test_until = 0;
		tone_off(&t->test);
	}
	cor_tick(&s->rx.cor, now);
	station_decide(s, now);
}

mono_us station_deadline(const struct station *s)
{
	const mono_us due =
		mono_min(cor_deadline(&s->rx.cor), ptt_deadline(&s->tx.ptt));

	return s->tx.test_until != 0 ? mono_min(due, s->tx.test_until) : due;
}

bool station_keyed(const struct station *s)
{
	return ptt_keyed(&s->tx.ptt);
}

bool station_received(const struct station *s)
{
	return cor_open(&s->rx.cor) || cor_up(&s->rx.cor);
}

bool station_stuck(const struct station *s)
{
	return cor_stuck(&s->rx.cor);
}

void station_force_off(struct station *s, bool force, mono_us now)
{
	s->tx.forced_off = force;
	station_decide(s, now);
}

void station_there(struct station *s, bool there, mono_us now)
{
	if (!there)
		station_rx_reset(&s->rx, now);
	s->tx.gone = !there;
	station_decide(s, now);
}

/* What listens to the sound itself has to hear all of it. */
static bool listens(const struct station_config *c)
{
	return ((c->cor.all | c->cor.any) & COR_IN_VOX) != 0 || c->rx.ctcss > 0;
}

bool station_rests(const struct station *s)
{
	const struct station_rx *r = &s->rx;
	const struct station_tx *t = &s->tx;

	return !listens(&s->config) && r->hardware == 0 &&
	       !station_received(s) && r->behind == 0 && !t->network &&
	       !t->telemetry && t->test_until == 0 && !t->ptt.want &&
	       !ptt_keyed(&t->ptt);
}

void station_view(const struct station *s, struct station_view *out)
{
	const unsigned inputs = s->rx.hardware | s->rx.decoded;

	*out = (struct station_view){
		.received = station_received(s),
		.stuck = station_stuck(s),
		.ctcss = (inputs & COR_IN_CTCSS) != 0,
		.vox = (inputs & COR_IN_VOX) != 0,
		.keyed = station_keyed(s),
		.inputs = s->rx.hardware,
		.ptt = s->tx.ptt.state,
		.cor = s->rx.cor.counters,
		.timeouts = s->tx.timeouts,
		.rx = meter_read(&s->rx.meter),
		.tx = meter_read(&s->tx.meter),
		.card_now = meter_read(&s->rx.card_now),
		.rx_now = meter_read(&s->rx.now),
		.tx_now = meter_read(&s->tx.now),
	};
}
