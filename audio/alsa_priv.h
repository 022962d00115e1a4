/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_ALSA_PRIV_H
#define AUDIO_ALSA_PRIV_H

/* What alsa.c, for the loop, and alsa_thread.c share. */

#include <pthread.h>
#include <stdatomic.h>

#include "audio/alsa.h"
#include "audio/sound.h"

#define ALSA_NEWS_MAX 8U

/* What the loop wants; each change counts. */
struct alsa_want {
	char name[2][ALSA_NAME_MAX]; /* by enum alsa_way; "": none */
	struct alsa_levels levels;
	bool again;    /* the names changed: open anew */
	bool mixer;    /* the levels did */
	unsigned turn; /* counts new levels */
	unsigned look; /* counts questions for the mixer */
};

struct alsa {
	struct sound *sound;
	pthread_t thread;
	int wake[2]; /* a pipe: the thread is to look at what is wanted */
	_Atomic bool quit;
	_Atomic bool has_news;

	pthread_mutex_t lock; /* of the following */
	struct alsa_want want;
	struct alsa_mixer mixer;
	unsigned mixer_turn; /* of the levels that it was set to */
	struct alsa_found found;
	unsigned found_look; /* the question that this answers */
	struct alsa_news news[ALSA_NEWS_MAX];
	unsigned news_n;
};

uint64_t alsa_clock_us(void *ctx);

/* The thread's; @arg is struct alsa. */
void *alsa_thread(void *arg);

#endif
