/* SPDX-License-Identifier: MIT */

/*
 * Calls both ways between two endpoints over a network that loses a fifth of
 * all packets, repeats a tenth and reorders, with everything a call can do at
 * random moments.  Whatever happens, both ends agree about it.
 *
 *	test_soak FIRST [COUNT]		these seeds; COUNT 1 unless given
 */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/soak_world.h"

#define LINGER_US (5 * MONO_S) /* what was sent comes again for so long */

/* How calls ended, of all seeds. */
struct tally {
	unsigned dials;
	unsigned willing; /* of those, should come up */
	unsigned up;      /* at both ends */
	unsigned ends;    /* of all calls that were up at both ends */
	unsigned torn;    /* were up, and were not hung up by anybody */
	unsigned unheard; /* were hung up, and the other end had to find out */
	unsigned items;   /* texts, digits and keys that arrived */
	double most;      /* datagrams for one thing that was to be sent */
};

static bool hung_up_by(const struct soak_end *e)
{
	return e->reason == IAX2_DOWN_HANGUP_LOCAL;
}

/* What an end was told about the other's doing is what the other did. */
static void ends_agree(const struct soak_end *e)
{
	const struct soak_end *o = e->peer;

	switch (e->reason) {
	case IAX2_DOWN_HANGUP_REMOTE:
		/* It hung up, or gave up while it was being set up. */
		T_TRUE(o != NULL);
		T_TRUE(hung_up_by(o) || !o->up);
		T_TRUE(o->down_at <= e->down_at);
		break;
	case IAX2_DOWN_REJECTED:
		T_TRUE(e->outbound && !e->up);
		T_TRUE(!o || (!o->up && o->down_at <= e->down_at));
		break;
	case IAX2_DOWN_INVALID:
		/* Only who has no call any more says so. */
		T_TRUE(!o || o->down_at <= e->down_at);
		break;
	case IAX2_DOWN_NO_ANSWER:
		T_TRUE(!e->up);
		break;
	case IAX2_DOWN_AUTH_FAILED:
		T_TRUE(!e->up && e->plan->kind == SOAK_WRONG_SECRET);
		break;
	case IAX2_DOWN_TIMEOUT:
	case IAX2_DOWN_HANGUP_LOCAL:
		break;
	case IAX2_DOWN_PROTOCOL:
		T_EQ(IAX2_DOWN_TIMEOUT, e->reason); /* nobody broke it */
		break;
	}
}

/* The peer hung up, and what it had sent before was not all to be had within
 * the time that it went on sending it. */
static bool heard_late(const struct soak_end *e)
{
	return e->reason == IAX2_DOWN_HANGUP_REMOTE && hung_up_by(e->peer) &&
	       e->down_at >= e->peer->down_at + LINGER_US;
}

/* Sent reliably, received once and in order: checked as it came.  Here: to the
 * last item before the peer's HANGUP. */
static void all_has_come(const struct soak_end *e)
{
	if (!e->up || !e->peer)
		return;
	T_TRUE(e->got <= e->peer->sent_n);
	if (e->reason == IAX2_DOWN_HANGUP_REMOTE && hung_up_by(e->peer) &&
	    !heard_late(e))
		T_EQ(e->peer->sent_n, e->got);
}

static void judge_end(const struct soak_end *e, struct tally *t)
{
	T_TRUE(e->down);
	ends_agree(e);
	all_has_come(e);
	t->items += e->got;
	if (e->up && e->peer && e->peer->up) {
		t->ends++;
		t->torn +=
			e->reason == IAX2_DOWN_TIMEOUT && !hung_up_by(e->peer);
		t->unheard += heard_late(e) ||
			      (e->reason != IAX2_DOWN_HANGUP_REMOTE &&
			       !hung_up_by(e) && hung_up_by(e->peer));
	}
}

static bool stays(const struct soak_end *e)
{
	return !e || e->hangup_at > e->made_at + 8 * MONO_S;
}

static bool should_come_up(const struct soak_plan *p)
{
	return p->caller && p->manners == SOAK_ACCEPTS &&
	       p->kind != SOAK_WRONG_SECRET && stays(p->caller) &&
	       stays(p->callee);
}

static void judge(const struct soak_world *w, struct tally *t)
{
	for (size_t i = 0; i < w->ends_n; i++)
		judge_end(&w->ends[i], t);
	for (size_t i = 0; i < w->plans_n; i++) {
		const struct soak_plan *p = &w->plan[i];

		t->dials += p->caller != NULL;
		if (!should_come_up(p) || w->cramped)
			continue;
		t->willing++;
		t->up +=
			p->caller->up && p->caller->peer && p->caller->peer->up;
	}
	for (int i = 0; i < SOAK_SIDES; i++) {
		const struct soak_side *s = &w->side[i];
		const double per = (double)s->datagrams_but_voice /
				   (double)(s->things + 1);

		t->most = per > t->most ? per : t->most;
	}
}

static void one_seed(unsigned long seed, struct tally *t)
{
	static struct soak_world w;

	soak_init(&w, seed);
	t_current = w.name;
	soak_run(&w);
	soak_is_empty(&w);
	judge(&w, t);
	soak_done(&w);
}

int main(int argc, char *argv[])
{
	const unsigned long first = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	const unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	struct tally t = { 0 };
	char name[64];

	T_TRUE(sodium_init() >= 0);
	for (unsigned long seed = first; seed < first + count; seed++)
		one_seed(seed, &t);
	(void)fprintf(
		stderr,
		"# %u dials; %u of %u willing ones up; %u torn, %u ends "
		"had to find out; %u items; at most %.1f datagrams each\n",
		t.dials, t.up, t.willing, t.torn, t.unheard, t.items, t.most);
	(void)snprintf(name, sizeof(name), "seeds %lu to %lu as a whole", first,
		       first + count - 1);
	t_current = name;
	if (count >= 100) {
		T_TRUE(t.willing > 2 * count);
		T_TRUE(t.up * 100 >= t.willing * 90);
		T_TRUE(t.torn * 1000 <= t.ends);
		T_TRUE(t.unheard * 100 <= t.ends);
		T_TRUE(t.items > 100 * count);
	}
	T_TRUE(t.most < 5);
	printf("ok %d - seeds %lu to %lu\n", ++t_count, first,
	       first + count - 1);
	return T_DONE();
}
