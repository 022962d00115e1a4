/* SPDX-License-Identifier: MIT */

/*
 * Ears: what it takes to hear a link is large, and of thousands few talk.  A
 * link borrows one with its first frame and keeps it until another needs it
 * that has been silent for a shorter time.
 */

#include <stdlib.h>

#include "daemon/node/node_priv.h"

#define VOICE_HZ 8000U

bool node_ears_new(struct node *n)
{
	n->pace = resample_new_adjustable(VOICE_HZ, VOICE_HZ);
	n->ear = calloc(NODE_EARS, sizeof(n->ear[0]));
	if (!n->pace || !n->ear)
		return false;
	for (size_t i = 0; i < NODE_EARS; i++) {
		struct link_ear *e = &n->ear[i];

		e->codec = codec_new();
		e->playout.resample = resample_new_like(n->pace);
		if (!e->codec || !e->playout.resample)
			return false;
	}
	return jitter_init(&n->ear[0].jitter, &n->cfg.jitter) == 0;
}

void node_ears_free(struct node *n)
{
	for (size_t i = 0; n->ear && i < NODE_EARS; i++) {
		codec_free(n->ear[i].codec);
		resample_free(n->ear[i].playout.resample);
	}
	free(n->ear);
	resample_free(n->pace);
}

/* Nothing of its link is left to be played, or to be told. */
static bool is_silent(const struct link_ear *e)
{
	return e->jitter.state == JITTER_STATE_IDLE && !e->of->talking &&
	       !e->of->rx_keyed;
}

static struct link_ear *free_ear(struct node *n)
{
	struct link_ear *best = NULL;

	for (size_t i = 0; i < NODE_EARS; i++) {
		struct link_ear *e = &n->ear[i];

		if (!e->of)
			return e;
		if (is_silent(e) &&
		    (!best || e->jitter.last_put_us < best->jitter.last_put_us))
			best = e;
	}
	if (best)
		node_ear_drop(best->of);
	return best;
}

struct link_ear *node_ear_for(struct node *n, struct link *l)
{
	struct link_ear *e = l->ear ? l->ear : free_ear(n);

	if (!e || e == l->ear)
		return e;
	(void)jitter_init(&e->jitter, &n->cfg.jitter);
	e->jitter.counters = l->before;
	playout_reset(&e->playout);
	e->format = 0;
	e->of = l;
	l->ear = e;
	return e;
}

void node_ear_drop(struct link *l)
{
	if (!l->ear)
		return;
	l->before = l->ear->jitter.counters;
	l->ear->of = NULL;
	l->ear = NULL;
}
