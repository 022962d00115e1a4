/* SPDX-License-Identifier: MIT */

/* The files of what is said on the air: NAME.wav in a folder. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/wav_source.h"
#include "daemon/app.h"
#include "daemon/io/log.h"

/* Nobody listens to more than that, and memory is not for it. */
#define SOUND_MAX ((size_t)20 * WAV_SOURCE_HZ)

static struct telemetry_sound *place_for(struct app_sounds *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->v[i].name, name) == 0)
			return &s->v[i];
	}
	return s->n < APP_SOUNDS ? &s->v[s->n] : NULL;
}

/* The samples of a file, owned; NULL: there are none. */
static int16_t *read_samples(const char *path, size_t *n, char why[WAV_WHY_MAX])
{
	struct wav_source *w;
	int16_t *samples = NULL;
	ssize_t got;

	if (wav_source_open(&w, path, why) != 0)
		return NULL;
	*n = wav_source_total(w) < SOUND_MAX ? (size_t)wav_source_total(w)
					     : SOUND_MAX;
	(void)snprintf(why, WAV_WHY_MAX, "it is empty");
	if (*n > 0)
		samples = calloc(*n, sizeof(samples[0]));
	got = samples ? wav_source_read(w, samples, *n) : 0;
	*n = got > 0 ? (size_t)got : 0;
	wav_source_free(w);
	if (*n > 0)
		return samples;
	free(samples);
	return NULL;
}

static void load_file(struct app_sounds *s, const char *folder,
		      const char *file)
{
	const size_t len = strlen(file);
	char path[2 * CONF_PATH_MAX], why[WAV_WHY_MAX];
	struct telemetry_sound *to;
	char name[TELEMETRY_NAME_MAX + 1];
	int16_t *samples;
	size_t n;

	if (len <= 4 || len - 4 > TELEMETRY_NAME_MAX ||
	    strcmp(file + len - 4, ".wav") != 0)
		return;
	memcpy(name, file, len - 4);
	name[len - 4] = '\0';
	to = place_for(s, name);
	if (!to)
		return;
	(void)snprintf(path, sizeof(path), "%.255s/%s", folder, file);
	samples = read_samples(path, &n, why);
	if (!samples) {
		log_warning("%s: %s", path, why);
		return;
	}
	if (to == &s->v[s->n])
		s->n++;
	else
		free(s->samples[to - s->v]);
	memcpy(to->name, name, sizeof(name));
	s->samples[to - s->v] = samples;
	to->samples = samples;
	to->n = n;
}

static void load_folder(struct app_sounds *s, const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *e;

	if (!dir)
		return;
	for (e = readdir(dir); e; e = readdir(dir))
		load_file(s, folder, e->d_name);
	(void)closedir(dir);
}

void app_sounds_load(struct app_sounds *s, const char *own)
{
	load_folder(s, KEYHOLE_SOUNDS);
	if (own[0] == '\0')
		return;
	load_folder(s, own);
	if (s->n == 0)
		log_warning("there are no sounds in %s: what is announced is "
			    "sent in Morse code",
			    own);
}

void app_sounds_free(struct app_sounds *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->samples[i]);
	s->n = 0;
}
