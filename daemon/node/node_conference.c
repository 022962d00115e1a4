/* SPDX-License-Identifier: MIT */

/*
 * The conference: what the radio and the links hear of each other.  Everybody
 * hears all others and never itself.
 */

#include <string.h>

#include "audio/mix.h"
#include "daemon/node/node_priv.h"

#define VOX_RMS 400U
#define VOX_HANG_US MONO_S

#define SPEAK_AT_ONCE 16U

/*
 * Where the port or the kernel has no room for a beat, those told last go
 * without: each time others.  Steps of the golden section spread the turns, and
 * so what each link misses, as evenly as any.
 */
#define TURN_STEP UINT32_C(2654435769)
#define TURN_LOOKS 8U /* for a link that is up, so that gaps favour nobody */

static void set_keyed(struct node *n, struct link *l, bool keyed, mono_us now)
{
	if (l->rx_keyed == keyed)
		return;
	l->rx_keyed = keyed;
	node_push_link(n, NODE_EV_KEYED, l)->on = keyed;
	node_text_talks(n, l, keyed, now);
}

/* No other link's, and no former one's. */
static uint32_t parrot_name(const struct node *n, const struct link *l)
{
	return (uint32_t)l->gen << 16 | (uint32_t)(l - n->link);
}

/* -38 dB of full scale. */
static bool is_loud(const int16_t pcm[AUDIO_BLOCK])
{
	uint64_t sum = 0;

	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		sum += (uint64_t)((int32_t)pcm[i] * pcm[i]);
	return sum >= (uint64_t)AUDIO_BLOCK * VOX_RMS * VOX_RMS;
}

/* A telephone's line sends all the time: it would key the transmitter for as
 * long as it is connected. */
static bool is_speech(struct link *l, const int16_t block[AUDIO_BLOCK],
		      mono_us now)
{
	if (l->door != NODE_DOOR_PORTAL)
		return true;
	if (is_loud(block))
		l->loud_until = now + VOX_HANG_US;
	return now < l->loud_until;
}

/* Take one block from a link, into the mix if it talks. */
static void hear(struct node *n, struct link_ear *e, struct node_mix *m,
		 mono_us now)
{
	struct link *l = e->of;

	l->talking = node_voice_hear(e, now) && is_speech(l, e->block, now);
	set_keyed(n, l, l->talking, now);
	if (!l->talking)
		return;
	parrot_hear(&n->parrot, parrot_name(n, l), e->block, now);
	mix_add(m->links, e->block, AUDIO_BLOCK);
	m->heard++;
	if (l->mode == NODE_LOCAL_MONITOR)
		return;
	mix_add(m->all, e->block, AUDIO_BLOCK);
	m->relayed++;
}

static void add(int16_t to[AUDIO_BLOCK], const int16_t block[AUDIO_BLOCK])
{
	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		to[i] = mix_saturate((int32_t)to[i] + block[i]);
}

/* What one link is to hear: the whole mix without itself.  Links that do not
 * talk hear the same. */
static void speak_to(struct node *n, struct link *l)
{
	struct node_speech *s = &n->speech;
	const struct node_mix *m = &s->mix;
	const mono_us now = s->at;
	const bool inside = l->talking && l->mode != NODE_LOCAL_MONITOR;
	const bool parrot = m->parrot && n->parrot.source == parrot_name(n, l);
	const unsigned others = m->relayed - inside + m->radio + parrot;
	int16_t own[AUDIO_BLOCK] = { 0 };

	if (others == 0 || l->mode != NODE_TRANSCEIVE) {
		node_voice_pause(n, l, now);
	} else if (inside || parrot) {
		/* Whoever hears the parrot does not speak. */
		mix_minus(m->all, inside ? l->ear->block : own, own,
			  AUDIO_BLOCK);
		if (parrot)
			add(own, n->parroted);
		node_voice_say(n, l, own, now);
	} else {
		node_voice_say_mix(n, l, &s->shared, now);
	}
}

/* Does any link hear something now, or the end of it? */
static bool speaks(const struct node *n)
{
	const struct node_mix *m = &n->speech.mix;

	return m->relayed > 0 || m->radio || m->parrot || n->tx_keyed_n > 0;
}

static size_t whose_turn(struct node *n)
{
	size_t slot = 0;

	for (unsigned i = 0; i < TURN_LOOKS; i++) {
		n->turn += TURN_STEP;
		slot = (size_t)((uint64_t)n->turn * n->links_max >> 32);
		if (n->link[slot].state == NODE_LINK_UP)
			break;
	}
	return slot;
}

/* A few at a time, so that of thousands of frames few are on their way at once
 * and what holds them stays in the processor's cache. */
bool node_speak(struct node *n)
{
	struct node_speech *s = &n->speech;
	unsigned told = 0;

	while (s->next < n->links_max && told < SPEAK_AT_ONCE && speaks(n)) {
		const size_t slot = (s->first + s->next++) % n->links_max;
		struct link *l = &n->link[slot];

		/* Without its ear nobody knows what it must not hear. */
		if (l->state != NODE_LINK_UP || (l->talking && !l->ear))
			continue;
		speak_to(n, l);
		told++;
	}
	return told > 0;
}

/* --- what the node says ------------------------------------------------- */

void node_say(struct node *n, const char *words, mono_us now)
{
	telemetry_say(&n->telemetry, words, now);
}

void node_identify(struct node *n, mono_us now)
{
	telemetry_identify(&n->telemetry, now);
}

void node_parrot(struct node *n, bool on)
{
	parrot_on(&n->parrot, on);
}

const struct telemetry *node_telemetry(const struct node *n)
{
	return &n->telemetry;
}

static void say(struct node *n, const struct node_mix *m, mono_us now)
{
	const struct telemetry_now what = {
		.busy = m->radio || m->heard > 0,
		.held = !station_may_speak(n->station),
		.keyed = station_keyed(n->station),
	};
	struct station_view v;
	int16_t block[AUDIO_BLOCK];
	const bool said = telemetry_block(&n->telemetry, &what, block, now);
	const bool parrot = m->parrot && n->parrot.source == PARROT_RADIO;

	if (parrot)
		add(block, n->parroted);
	station_telemetry(n->station, said || parrot ? block : NULL);
	station_view(n->station, &v);
	/* It is heard once the transmitter may be keyed again. */
	if (v.timeouts != n->timeouts_was) {
		telemetry_say(&n->telemetry, "timed-out", now);
		node_push(n, NODE_EV_TIMED_OUT);
	}
	n->timeouts_was = v.timeouts;
}

/* --- a beat ------------------------------------------------------------- */

bool node_audio(struct node *n, const int16_t rx[AUDIO_BLOCK],
		int16_t tx[AUDIO_BLOCK], mono_us now)
{
	struct node_speech *s = &n->speech;
	struct node_mix *m = &s->mix;
	bool keyed;

	while (node_speak(n)) /* what nobody took of the beat before */
		;
	*s = (struct node_speech){ .at = now, .first = whose_turn(n) };
	memcpy(s->shared.pcm, rx, sizeof(s->shared.pcm));
	m->radio = station_receive(n->station, s->shared.pcm, now);
	node_text_radio(n, m->radio, now);
	if (m->radio) {
		mix_add(m->all, s->shared.pcm, AUDIO_BLOCK);
		parrot_hear(&n->parrot, PARROT_RADIO, s->shared.pcm, now);
	}
	for (size_t i = 0; i < NODE_EARS; i++) {
		if (n->ear[i].of)
			hear(n, &n->ear[i], m, now);
	}
	m->parrot = parrot_step(&n->parrot, n->parroted, now);
	mix_all(m->all, s->shared.pcm, AUDIO_BLOCK);
	(void)node_speak(n);
	say(n, m, now);
	mix_all(m->links, tx, AUDIO_BLOCK);
	keyed = station_transmit(n->station, tx, m->heard > 0, now);
	node_note_radio(n);
	return keyed;
}

static bool ear_rests(const struct link_ear *e)
{
	return !e->of ||
	       (e->jitter.state == JITTER_STATE_IDLE && !e->of->talking);
}

bool node_rests(const struct node *n)
{
	bool rests = n->tx_keyed_n == 0 && station_rests(n->station) &&
		     telemetry_rests(&n->telemetry) && parrot_rests(&n->parrot);

	for (size_t i = 0; i < NODE_EARS && rests; i++)
		rests = ear_rests(&n->ear[i]);
	return rests;
}

mono_us node_audio_due(const struct node *n, mono_us now)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < NODE_EARS; i++) {
		const struct link_ear *e = &n->ear[i];
		const uint64_t at = e->of ? jitter_due_us(&e->jitter) : 0;

		if (at != 0)
			due = mono_min(due, at);
	}
	return due == MONO_NEVER ? now : due;
}

/* --- the radio ---------------------------------------------------------- */

static void note(struct node *n, enum node_event_kind kind, bool *was, bool on)
{
	if (on == *was)
		return;
	*was = on;
	node_push(n, kind)->on = on;
}

void node_note_radio(struct node *n)
{
	char digit;

	note(n, NODE_EV_COR, &n->cor_was, station_received(n->station));
	note(n, NODE_EV_COR_STUCK, &n->stuck_was, station_stuck(n->station));
	note(n, NODE_EV_PTT, &n->ptt_was, station_keyed(n->station));
	for (digit = station_digit(n->station); digit != '\0';
	     digit = station_digit(n->station))
		node_push(n, NODE_EV_RADIO_DTMF)->digit = digit;
}

void node_inputs(struct node *n, unsigned inputs, mono_us since)
{
	station_inputs(n->station, inputs, since);
	node_note_radio(n);
}

bool node_ptt(const struct node *n)
{
	return station_keyed(n->station);
}

void node_force_unkey(struct node *n, bool force, mono_us now)
{
	station_force_off(n->station, force, now);
	node_note_radio(n);
}

void node_radio_there(struct node *n, bool there, mono_us now)
{
	station_there(n->station, there, now);
	node_note_radio(n);
}

void node_test_tone(struct node *n, uint32_t hz, uint32_t db, mono_us until,
		    mono_us now)
{
	station_test_tone(n->station, hz, db, until, now);
	node_note_radio(n);
}

void node_radio(const struct node *n, struct station_view *out)
{
	station_view(n->station, out);
}
