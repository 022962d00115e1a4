/* SPDX-License-Identifier: MIT */

#include "audio/alsa.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audio/alsa_pcm.h"
#include "audio/alsa_priv.h"

uint64_t alsa_clock_us(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

/* The process's signals are the loop's. */
static int start(struct alsa *a)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&a->thread, NULL, alsa_thread, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static void alsa_free(struct alsa *a)
{
	for (unsigned i = 0; i < 2; i++) {
		if (a->wake[i] >= 0)
			close(a->wake[i]);
	}
	pthread_mutex_destroy(&a->lock);
	(void)sound_free(a->sound);
	free(a);
}

int alsa_new(struct alsa **out, const struct alsa_levels *levels)
{
	struct alsa *a = calloc(1, sizeof(*a));
	int err = 0;

	*out = NULL;
	if (!a)
		return -ENOMEM;
	a->wake[0] = -1;
	a->wake[1] = -1;
	a->want.levels = *levels;
	pthread_mutex_init(&a->lock, NULL);
	a->sound = sound_new(alsa_clock_us, NULL);
	if (!a->sound)
		err = -ENOMEM;
	else if (pipe2(a->wake, O_CLOEXEC | O_NONBLOCK) != 0)
		err = -errno;
	else
		err = start(a);
	if (err != 0) {
		alsa_free(a);
		return err;
	}
	*out = a;
	return 0;
}

static void wake(const struct alsa *a)
{
	(void)!write(a->wake[1], "", 1);
}

void alsa_pcms(struct alsa *a, const char *capture, const char *playback)
{
	const char *const name[2] = {
		[ALSA_CAPTURE] = capture ? capture : "",
		[ALSA_PLAYBACK] = playback ? playback : "",
	};
	bool changed = false;

	pthread_mutex_lock(&a->lock);
	for (unsigned way = 0; way < 2; way++) {
		char *now = a->want.name[way];

		if (strcmp(now, name[way]) == 0)
			continue;
		(void)snprintf(now, ALSA_NAME_MAX, "%s", name[way]);
		changed = true;
	}
	a->want.again |= changed;
	pthread_mutex_unlock(&a->lock);
	if (changed)
		wake(a);
}

void alsa_card(struct alsa *a, const char *card)
{
	alsa_pcms(a, card, card);
}

void alsa_set_levels(struct alsa *a, const struct alsa_levels *levels)
{
	pthread_mutex_lock(&a->lock);
	a->want.levels = *levels;
	a->want.mixer = true;
	a->want.turn++;
	pthread_mutex_unlock(&a->lock);
	wake(a);
}

bool alsa_mixer_state(struct alsa *a, struct alsa_mixer *out)
{
	pthread_mutex_lock(&a->lock);
	*out = (struct alsa_mixer){ 0 };
	if (a->mixer_turn == a->want.turn)
		*out = a->mixer;
	pthread_mutex_unlock(&a->lock);
	return out->rx || out->tx;
}

void alsa_look_mixer(struct alsa *a)
{
	pthread_mutex_lock(&a->lock);
	a->want.look++;
	pthread_mutex_unlock(&a->lock);
	wake(a);
}

bool alsa_mixer_found(struct alsa *a, struct alsa_found *out)
{
	bool done;

	pthread_mutex_lock(&a->lock);
	done = a->found_look == a->want.look;
	if (out)
		*out = a->found;
	pthread_mutex_unlock(&a->lock);
	return done;
}

bool alsa_news(struct alsa *a, struct alsa_news *out)
{
	bool some;

	/* Asked each 20 ms, and seldom so: the thread is not kept waiting. */
	if (!atomic_load_explicit(&a->has_news, memory_order_relaxed))
		return false;
	pthread_mutex_lock(&a->lock);
	some = a->news_n > 0;
	if (some) {
		*out = a->news[0];
		a->news_n--;
		memmove(a->news, a->news + 1, a->news_n * sizeof(a->news[0]));
	}
	atomic_store_explicit(&a->has_news, a->news_n > 0,
			      memory_order_relaxed);
	pthread_mutex_unlock(&a->lock);
	return some;
}

bool alsa_starved(const struct alsa *a)
{
	return atomic_load_explicit(&a->sound->starved, memory_order_relaxed);
}

uint64_t alsa_starvations(const struct alsa *a)
{
	return atomic_load_explicit(&a->sound->starvations,
				    memory_order_relaxed);
}

/* --- the device --------------------------------------------------------- */

static int device_capture(void *self, int16_t out[AUDIO_BLOCK])
{
	return sound_capture(((struct alsa *)self)->sound, out);
}

static int device_play(void *self, const int16_t in[AUDIO_BLOCK])
{
	return sound_play(((struct alsa *)self)->sound, in);
}

static struct audio_device_status device_status(const void *self)
{
	return sound_status(((const struct alsa *)self)->sound);
}

static void device_rest(void *self, bool rests)
{
	struct alsa *a = self;

	sound_rest(a->sound, rests);
	wake(a);
}

static void device_close(void *self)
{
	struct alsa *a = self;

	atomic_store(&a->quit, true);
	wake(a);
	pthread_join(a->thread, NULL);
	alsa_free(a);
}

struct audio_device alsa_device(struct alsa *a)
{
	static const struct audio_device_ops ops = {
		.capture = device_capture,
		.play = device_play,
		.status = device_status,
		.rest = device_rest,
		.close = device_close,
	};

	return (struct audio_device){ .ops = &ops, .self = a };
}
