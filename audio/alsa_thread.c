/* SPDX-License-Identifier: MIT */

/* The sound thread: opens what is wanted, moves samples, waits. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audio/alsa_mixer.h"
#include "audio/alsa_pcm.h"
#include "audio/alsa_priv.h"

#define PRIORITY 20 /* over the kernel's threaded work of files */
#define RETRY_US 500000U
#define IDLE_US 5000000U   /* nothing is wanted; a wish wakes */
#define HANGS_US 1000000U  /* a card whose clock stands still is lost */
#define LEAST_US 2500U     /* between turns, whatever a PCM says */
#define LATE_US 1000U      /* more than a turn: then the other way alone */
#define STUCK_US 60000000U /* between two notices of a loop that stood still */
#define FDS_MAX 8U

/* One way, as the thread has it. */
struct side {
	struct alsa_pcm *pcm; /* NULL: not open */
	uint64_t clocked;     /* of the card, when it last moved */
	uint64_t moved_us;
	char said[ALSA_WHY_MAX]; /* of what is wrong; "": nothing */
};

struct thread {
	struct alsa *a;
	struct sound *sound;
	struct alsa_want want;
	struct side side[2];
	uint64_t retry_us; /* 0: nothing to be opened */
	uint64_t turned_us;
	uint32_t seed;
	uint64_t starvations;    /* of the loop, as said */
	uint64_t stuck_us;       /* when last said; 0: never */
	char said[ALSA_WHY_MAX]; /* of the mixer */
};

/* --- what is said ------------------------------------------------------- */

static void tell(struct thread *t, enum alsa_news_kind kind, const char *text)
{
	struct alsa *a = t->a;
	struct alsa_news *n;

	pthread_mutex_lock(&a->lock);
	/* The newest matters more than the one before it. */
	if (a->news_n == ALSA_NEWS_MAX)
		a->news_n--;
	n = &a->news[a->news_n++];
	n->kind = kind;
	(void)snprintf(n->text, sizeof(n->text), "%s", text);
	atomic_store_explicit(&a->has_news, true, memory_order_relaxed);
	pthread_mutex_unlock(&a->lock);
}

/* Once, and once for both ways when it is the same. */
static void tell_failed(struct thread *t, unsigned way, const char *why)
{
	const struct side *other = &t->side[!way];
	const bool said = strcmp(t->side[way].said, why) == 0 ||
			  strcmp(other->said, why) == 0;

	(void)snprintf(t->side[way].said, ALSA_WHY_MAX, "%s", why);
	if (!said)
		tell(t, ALSA_FAILED, why);
}

static void tell_opened(struct thread *t)
{
	const bool in = t->side[ALSA_CAPTURE].pcm;
	const bool out = t->side[ALSA_PLAYBACK].pcm;
	char text[ALSA_WHY_MAX];

	(void)snprintf(text, sizeof(text), "the sound card %.128s %s",
		       t->want.name[in ? ALSA_CAPTURE : ALSA_PLAYBACK],
		       in && out ? "is in use"
		       : in      ? "is in use, for capture only"
				 : "is in use, for playback only");
	tell(t, ALSA_OPENED, text);
}

/* That the loop stood still, which reads it when it goes on. */
static void tell_stuck(struct thread *t, uint64_t now_us)
{
	const uint64_t n = atomic_load_explicit(&t->sound->starvations,
						memory_order_relaxed);

	if (n == t->starvations ||
	    (t->stuck_us != 0 && now_us - t->stuck_us < STUCK_US))
		return;
	t->starvations = n;
	t->stuck_us = now_us;
	tell(t, ALSA_WARNED,
	     "the node handed over no sound for 200 ms: silence was played");
}

/* --- opening and closing ------------------------------------------------ */

static int attach(struct thread *t, unsigned way, struct pcm pcm)
{
	const uint64_t now_us = alsa_clock_us(NULL);

	return way == ALSA_CAPTURE ? sound_in_set(t->sound, pcm, now_us)
				   : sound_out_set(t->sound, pcm, now_us);
}

static void close_side(struct thread *t, unsigned way)
{
	(void)attach(t, way, (struct pcm){ 0 });
	t->side[way].pcm = alsa_pcm_close(t->side[way].pcm);
}

static void note_mixer(struct thread *t, const struct alsa_mixer *now)
{
	pthread_mutex_lock(&t->a->lock);
	t->a->mixer = *now;
	t->a->mixer_turn = t->want.turn;
	pthread_mutex_unlock(&t->a->lock);
}

static void lost(struct thread *t, unsigned way, const char *why)
{
	close_side(t, way);
	if (!t->side[!way].pcm)
		note_mixer(t, &(struct alsa_mixer){ 0 });
	t->retry_us = alsa_clock_us(NULL) + RETRY_US;
	tell_failed(t, way, why);
}

/* The card that is open, or -1. */
static int open_card(const struct thread *t)
{
	int card = -1;

	for (unsigned way = 0; way < 2 && card < 0; way++) {
		if (t->side[way].pcm)
			card = alsa_pcm_card(t->side[way].pcm);
	}
	return card;
}

static void look_mixer(struct thread *t)
{
	const int card = open_card(t);
	struct alsa_found found = { 0 };

	if (card >= 0)
		(void)alsa_mixer_look(card, &found);
	pthread_mutex_lock(&t->a->lock);
	t->a->found = found;
	t->a->found_look = t->want.look;
	pthread_mutex_unlock(&t->a->lock);
}

static void set_mixer(struct thread *t)
{
	struct alsa_mixer now = { 0 };
	char why[ALSA_WHY_MAX] = "";
	const int card = open_card(t);
	int err = -ENODEV;

	if (card >= 0)
		err = alsa_mixer_set(card, &t->want.levels, &now, why);
	note_mixer(t, &now);
	if (err != 0)
		return;
	if (why[0] != '\0' && strcmp(why, t->said) != 0)
		tell(t, ALSA_WARNED, why);
	(void)snprintf(t->said, sizeof(t->said), "%s", why);
}

/* True when it was opened now. */
static bool open_side(struct thread *t, unsigned way)
{
	struct side *s = &t->side[way];
	char why[ALSA_WHY_MAX];

	if (s->pcm || t->want.name[way][0] == '\0')
		return false;
	if (alsa_pcm_open(&s->pcm, way, t->want.name[way], why) == 0)
		return true;
	lost(t, way, why);
	return false;
}

static bool start_side(struct thread *t, unsigned way)
{
	struct side *s = &t->side[way];
	const int err = attach(t, way, alsa_pcm_of(s->pcm));
	char why[ALSA_WHY_MAX];

	s->clocked = 0;
	s->moved_us = alsa_clock_us(NULL);
	if (err == 0) {
		s->said[0] = '\0';
		return true;
	}
	(void)snprintf(why, sizeof(why),
		       "the sound card %.128s does not start: %s",
		       t->want.name[way], strerror(-err));
	lost(t, way, why);
	return false;
}

/* The mixer takes a while, and no stream is to run dry meanwhile. */
static void open_both(struct thread *t)
{
	bool opened[2], started = false;

	t->retry_us = 0;
	for (unsigned way = 0; way < 2; way++)
		opened[way] = open_side(t, way);
	if (!opened[0] && !opened[1])
		return;
	set_mixer(t);
	for (unsigned way = 0; way < 2; way++) {
		if (opened[way])
			started |= start_side(t, way);
	}
	if (started)
		tell_opened(t);
}

/* What the loop wants may have changed. */
static void look(struct thread *t)
{
	struct alsa *a = t->a;
	char octets[64];
	bool again, mixer, asked;

	while (read(a->wake[0], octets, sizeof(octets)) > 0)
		;
	pthread_mutex_lock(&a->lock);
	again = a->want.again;
	mixer = a->want.mixer;
	asked = a->want.look != a->found_look;
	a->want.again = false;
	a->want.mixer = false;
	t->want = a->want;
	pthread_mutex_unlock(&a->lock);
	if (again) {
		for (unsigned way = 0; way < 2; way++) {
			close_side(t, way);
			t->side[way].said[0] = '\0';
		}
		note_mixer(t, &(struct alsa_mixer){ 0 });
		open_both(t);
	} else if (mixer) {
		set_mixer(t);
	}
	if (asked)
		look_mixer(t);
}

/* --- moving ------------------------------------------------------------- */

/* A card that is there and does nothing is closed and opened again; unless it
 * was this thread that did nothing. */
static bool hangs(struct side *s, uint64_t clocked, uint64_t now_us,
		  uint64_t before_us)
{
	if (clocked != s->clocked || now_us - before_us > HANGS_US / 2) {
		s->clocked = clocked;
		s->moved_us = now_us;
	}
	return now_us - s->moved_us > HANGS_US;
}

static void turn_side(struct thread *t, unsigned way, uint64_t now_us)
{
	struct side *s = &t->side[way];
	const bool in = way == ALSA_CAPTURE;
	const struct sound_end *e = in ? &t->sound->in : &t->sound->out;
	char why[ALSA_WHY_MAX];
	int err;

	if (!s->pcm)
		return;
	err = in ? sound_in_turn(t->sound, now_us)
		 : sound_out_turn(t->sound, now_us);
	if (err == 0 && !hangs(s, e->clocked, now_us, t->turned_us))
		return;
	(void)snprintf(why, sizeof(why), "the sound card %.128s %s",
		       t->want.name[way],
		       err == 0         ? "stands still"
		       : err == -ENODEV ? "went away"
		       : err == -EBADFD ? "went away"
					: strerror(-err));
	lost(t, way, why);
}

/* A turn is due with the samples of a period; without them, at a time that is
 * in no step with the other card's clock. */
static uint64_t patience_us(struct thread *t, uint64_t now_us)
{
	const bool open = t->side[0].pcm || t->side[1].pcm;

	if (open && sound_sleeps(t->sound))
		return SOUND_REST_US;
	if (t->side[ALSA_CAPTURE].pcm)
		return SOUND_TURN_US + LATE_US;
	if (t->side[ALSA_PLAYBACK].pcm) {
		t->seed = t->seed * 1664525U + 1013904223U;
		return SOUND_TURN_US - (t->seed >> 8) % 1500U;
	}
	if (t->retry_us == 0)
		return IDLE_US;
	return t->retry_us > now_us ? t->retry_us - now_us : 0;
}

static void nap(uint64_t us)
{
	const struct timespec ts = { 0, (long)us * 1000 };

	(void)nanosleep(&ts, NULL);
}

static void await(struct thread *t)
{
	const uint64_t now_us = alsa_clock_us(NULL);
	const uint64_t us = patience_us(t, now_us);
	const struct timespec ts = { (time_t)(us / 1000000),
				     (long)(us % 1000000) * 1000 };
	struct pollfd fds[FDS_MAX] = {
		{ .fd = t->a->wake[0], .events = POLLIN },
	};
	unsigned n = 1;

	if (t->side[ALSA_CAPTURE].pcm && !sound_sleeps(t->sound))
		n += alsa_pcm_poll(t->side[ALSA_CAPTURE].pcm, fds + 1,
				   FDS_MAX - 1);
	(void)ppoll(fds, n, &ts, NULL);
	if (fds[0].revents != 0)
		look(t);
	else if (alsa_clock_us(NULL) - t->turned_us < LEAST_US)
		nap(LEAST_US);
}

static void be_punctual(void)
{
	const struct sched_param p = { .sched_priority = PRIORITY };

	/* Where it is not allowed the buffers make up for it. */
	(void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);
}

void *alsa_thread(void *arg)
{
	struct thread t = { .a = arg };

	t.sound = t.a->sound;
	be_punctual();
	while (!atomic_load(&t.a->quit)) {
		uint64_t now_us;

		await(&t);
		now_us = alsa_clock_us(NULL);
		turn_side(&t, ALSA_CAPTURE, now_us);
		turn_side(&t, ALSA_PLAYBACK, now_us);
		tell_stuck(&t, now_us);
		t.turned_us = now_us;
		if (t.retry_us != 0 && now_us >= t.retry_us)
			open_both(&t);
	}
	for (unsigned way = 0; way < 2; way++)
		close_side(&t, way);
	return NULL;
}
