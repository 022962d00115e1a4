/* SPDX-License-Identifier: MIT */

#include "audio/alsa_mixer.h"

#include <alsa/asoundlib.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#define NEAR_DB 1.5 /* a mixer's steps */

/* One direction of an element, behind ALSA's two sets of functions. */
struct side {
	const char *name;
	int (*range)(snd_mixer_elem_t *, long *, long *);
	int (*set)(snd_mixer_elem_t *, snd_mixer_selem_channel_id_t, long, int);
	int (*get)(snd_mixer_elem_t *, snd_mixer_selem_channel_id_t, long *);
	int (*has_channel)(snd_mixer_elem_t *, snd_mixer_selem_channel_id_t);
	int (*has_switch)(snd_mixer_elem_t *);
	int (*set_switch)(snd_mixer_elem_t *, int);
	int (*get_switch)(snd_mixer_elem_t *, snd_mixer_selem_channel_id_t,
			  int *);
};

static const struct side capture_side = {
	.name = "capture",
	.range = snd_mixer_selem_get_capture_dB_range,
	.set = snd_mixer_selem_set_capture_dB,
	.get = snd_mixer_selem_get_capture_dB,
	.has_channel = snd_mixer_selem_has_capture_channel,
	.has_switch = snd_mixer_selem_has_capture_switch,
	.set_switch = snd_mixer_selem_set_capture_switch_all,
	.get_switch = snd_mixer_selem_get_capture_switch,
};

static const struct side playback_side = {
	.name = "playback",
	.range = snd_mixer_selem_get_playback_dB_range,
	.set = snd_mixer_selem_set_playback_dB,
	.get = snd_mixer_selem_get_playback_dB,
	.has_channel = snd_mixer_selem_has_playback_channel,
	.has_switch = snd_mixer_selem_has_playback_switch,
	.set_switch = snd_mixer_selem_set_playback_switch_all,
	.get_switch = snd_mixer_selem_get_playback_switch,
};

struct job {
	const struct alsa_levels *levels;
	struct alsa_mixer *now;
	char *why;
	bool rx_set, tx_set;
};

static void warn_range(const struct job *j, const struct side *s,
		       snd_mixer_elem_t *e, const char *what)
{
	const size_t at = strlen(j->why);

	(void)snprintf(j->why + at, ALSA_WHY_MAX - at, "%s%s \"%s\" %s",
		       at > 0 ? "; " : "the mixer's ", s->name,
		       snd_mixer_selem_get_name(e), what);
}

/* A volume: its range, and what its two channels are wanted to be and came
 * to, in dB. */
struct volume {
	double min, max;
	double want[2], got[2];
};

/* False: it has no dB. */
static bool set_volume(const struct job *j, const struct side *s,
		       snd_mixer_elem_t *e, struct volume *v)
{
	long least = 0, most = 0;
	bool far = false;
	char what[96];

	if (s->has_switch(e))
		(void)s->set_switch(e, 1);
	if (s->range(e, &least, &most) != 0 || least >= most) {
		warn_range(j, s, e, "has no dB: it stays as it is");
		return false;
	}
	v->min = (double)least / 100.0;
	v->max = (double)most / 100.0;
	for (int ch = 0; ch <= SND_MIXER_SCHN_LAST; ch++) {
		const bool right = ch == SND_MIXER_SCHN_FRONT_RIGHT;
		const double want = v->want[right];
		long got = 0;

		if (!s->has_channel(e, ch))
			continue;
		if (s->set(e, ch, lrint(want * 100.0), 0) != 0 ||
		    s->get(e, ch, &got) != 0 ||
		    fabs((double)got / 100.0 - want) > NEAR_DB)
			far = true;
		v->got[right] = (double)got / 100.0;
	}
	if (!s->has_channel(e, SND_MIXER_SCHN_FRONT_RIGHT))
		v->got[1] = v->got[0];
	(void)snprintf(what, sizeof(what), "goes from %.1f to %.1f dB only",
		       v->min, v->max);
	if (far)
		warn_range(j, s, e, what);
	return true;
}

static void set_capture(const struct job *j, snd_mixer_elem_t *e)
{
	struct volume v = { .want = { j->levels->rx_db, j->levels->rx_db } };

	j->now->rx = set_volume(j, &capture_side, e, &v);
	j->now->rx_db = v.got[0];
	j->now->rx_min_db = v.min;
	j->now->rx_max_db = v.max;
}

static void set_playback(const struct job *j, snd_mixer_elem_t *e)
{
	struct volume v = { .want = { j->levels->tx_a_db,
				      j->levels->tx_b_db } };

	j->now->tx = set_volume(j, &playback_side, e, &v);
	j->now->tx_a_db = v.got[0];
	j->now->tx_b_db = v.got[1];
	j->now->tx_min_db = v.min;
	j->now->tx_max_db = v.max;
}

/* Heard while it is captured: not wanted in what is transmitted. */
static void silence_sidetone(snd_mixer_elem_t *e)
{
	long least, most;

	if (snd_mixer_selem_has_playback_switch(e))
		(void)snd_mixer_selem_set_playback_switch_all(e, 0);
	else if (snd_mixer_selem_get_playback_volume_range(e, &least, &most) ==
		 0)
		(void)snd_mixer_selem_set_playback_volume_all(e, least);
}

static bool is_boost(const char *name)
{
	return strcasestr(name, "boost") || strcasestr(name, "auto gain");
}

static void set_boost(snd_mixer_elem_t *e, bool on)
{
	if (snd_mixer_selem_has_capture_switch(e))
		(void)snd_mixer_selem_set_capture_switch_all(e, on);
	else if (snd_mixer_selem_has_playback_switch(e))
		(void)snd_mixer_selem_set_playback_switch_all(e, on);
}

static void set_element(struct job *j, snd_mixer_elem_t *e)
{
	const bool capture = snd_mixer_selem_has_capture_volume(e);
	const bool playback = snd_mixer_selem_has_playback_volume(e);
	const struct alsa_levels *l = j->levels;

	if (is_boost(snd_mixer_selem_get_name(e))) {
		set_boost(e, l->boost);
		return;
	}
	if (capture && !j->rx_set) {
		j->rx_set = true;
		set_capture(j, e);
	}
	if (capture && playback)
		silence_sidetone(e);
	if (playback && !capture && !j->tx_set) {
		j->tx_set = true;
		set_playback(j, e);
	}
}

static int load(snd_mixer_t *m, int card)
{
	char name[32];
	int err;

	(void)snprintf(name, sizeof(name), "hw:%d", card);
	err = snd_mixer_attach(m, name);
	if (err == 0)
		err = snd_mixer_selem_register(m, NULL, NULL);
	return err == 0 ? snd_mixer_load(m) : err;
}

int alsa_mixer_set(int card, const struct alsa_levels *levels,
		   struct alsa_mixer *now, char why[ALSA_WHY_MAX])
{
	struct job j = { .levels = levels, .now = now, .why = why };
	snd_mixer_t *m = NULL;
	int err = snd_mixer_open(&m, 0);

	*now = (struct alsa_mixer){ 0 };
	why[0] = '\0';
	if (err != 0)
		return err;
	err = load(m, card);
	for (snd_mixer_elem_t *e = err == 0 ? snd_mixer_first_elem(m) : NULL; e;
	     e = snd_mixer_elem_next(e)) {
		if (snd_mixer_selem_is_active(e))
			set_element(&j, e);
	}
	(void)snd_mixer_close(m);
	return err;
}

/* --- looking ------------------------------------------------------------ */

/* A channel's switch is off. */
static bool is_off(const struct side *s, snd_mixer_elem_t *e,
		   snd_mixer_selem_channel_id_t ch)
{
	int on = 1;

	return s->has_switch(e) && s->get_switch(e, ch, &on) == 0 && !on;
}

/* False: it has no dB.  @db and @off of both channels. */
static bool look_volume(const struct side *s, snd_mixer_elem_t *e, double db[2],
			bool *off)
{
	long least = 0, most = 0;

	if (s->range(e, &least, &most) != 0 || least >= most)
		return false;
	for (int ch = 0; ch <= SND_MIXER_SCHN_LAST; ch++) {
		long got = 0;

		if (!s->has_channel(e, ch) || s->get(e, ch, &got) != 0)
			continue;
		db[ch == SND_MIXER_SCHN_FRONT_RIGHT] = (double)got / 100.0;
		*off = is_off(s, e, ch) || *off;
	}
	return true;
}

static bool look_boost(snd_mixer_elem_t *e)
{
	int on = 0;

	if (snd_mixer_selem_has_capture_switch(e))
		(void)snd_mixer_selem_get_capture_switch(e, SND_MIXER_SCHN_MONO,
							 &on);
	else if (snd_mixer_selem_has_playback_switch(e))
		(void)snd_mixer_selem_get_playback_switch(
			e, SND_MIXER_SCHN_MONO, &on);
	return on != 0;
}

static void look_element(struct alsa_found *f, snd_mixer_elem_t *e)
{
	const bool capture = snd_mixer_selem_has_capture_volume(e);
	const bool playback = snd_mixer_selem_has_playback_volume(e);
	double db[2] = { 0 };

	if (is_boost(snd_mixer_selem_get_name(e))) {
		f->boost = look_boost(e) || f->boost;
	} else if (capture && !f->rx) {
		f->rx = look_volume(&capture_side, e, db, &f->rx_off);
		f->rx_db = db[0];
	} else if (playback && !capture && !f->tx) {
		f->tx = look_volume(&playback_side, e, db, &f->tx_off);
		f->tx_a_db = db[0];
		f->tx_b_db = db[1];
	}
}

int alsa_mixer_look(int card, struct alsa_found *out)
{
	snd_mixer_t *m = NULL;
	int err = snd_mixer_open(&m, 0);

	*out = (struct alsa_found){ 0 };
	if (err != 0)
		return err;
	err = load(m, card);
	for (snd_mixer_elem_t *e = err == 0 ? snd_mixer_first_elem(m) : NULL; e;
	     e = snd_mixer_elem_next(e)) {
		if (snd_mixer_selem_is_active(e))
			look_element(out, e);
	}
	(void)snd_mixer_close(m);
	return err;
}
