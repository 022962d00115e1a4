/* SPDX-License-Identifier: MIT */

/*
 * The control socket's methods for levels: meters, as often as a console
 * likes; the sound card's mixer; a test tone.
 *
 *	levels        what the radio does and how loud it is.  With every_ms:
 *	              so often, as notifications, for "seconds", or until the
 *	              console goes
 *	levels.get    the mixer's settings
 *	levels.set    others, until the next reload
 *	levels.keep   have the fob's EEPROM keep them
 *	levels.tone   transmit a tone; ends when the console goes
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/app.h"
#include "daemon/io/log.h"

#define EVERY_MIN_MS 50.0
#define EVERY_MAX_MS 60000.0
#define SECONDS_MAX 86400.0
#define LEVEL_MIN_DB (-60.0)
#define LEVEL_MAX_DB 40.0
#define LOOK_US (20 * MONO_MS) /* at what tells nothing by itself */
#define SETTING_US MONO_S      /* for a card that is not there */

/* A number within a range, @dflt when it is not there; else false. */
static bool number(const json_t *params, const char *name, double min,
		   double max, double *value)
{
	const json_t *v = json_object_get(params, name);

	if (!v)
		return true;
	*value = json_number_value(v);
	return json_is_number(v) && *value >= min && *value <= max;
}

/* --- meters ------------------------------------------------------------- */

static json_t *levels_json(struct app *a, mono_us now)
{
	json_t *o = app_radio(a);
	struct station_view v;

	node_radio(a->node, &v);
	(void)json_object_update_new(
		o,
		json_pack("{s:I, s:f, s:f, s:f, s:I, s:f, s:f}", "t_us",
			  (json_int_t)now, "rx_now_dbfs", v.rx_now.average_dbfs,
			  "rx_now_peak_dbfs", v.rx_now.peak_dbfs,
			  "card_peak_dbfs", v.card_now.peak_dbfs,
			  "card_clipped", (json_int_t)v.card_now.clipped,
			  "tx_now_dbfs", v.tx_now.average_dbfs,
			  "tx_now_peak_dbfs", v.tx_now.peak_dbfs));
	return o;
}

static struct app_meters *free_meters(struct app *a)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (!a->meters[i].req)
			return &a->meters[i];
	}
	return NULL;
}

void app_levels(void *ctx, struct control_request *req, const json_t *params)
{
	double every_ms = 0, seconds = 0;
	const mono_us now = loop_now();
	struct app *a = ctx;
	struct app_meters *m;

	if (!number(params, "every_ms", EVERY_MIN_MS, EVERY_MAX_MS,
		    &every_ms) ||
	    !number(params, "seconds", 0.1, SECONDS_MAX, &seconds)) {
		app_bad_params(req,
			       "every_ms is 50..60000, seconds 0.1..86400");
		return;
	}
	if (every_ms == 0) {
		control_reply(req, levels_json(a, now));
		return;
	}
	m = free_meters(a);
	if (!m) {
		app_refuse(req, "too many consoles watch the levels already");
		return;
	}
	*m = (struct app_meters){ .req = req,
				  .every = (mono_us)(every_ms * MONO_MS),
				  .next = now,
				  .until = MONO_NEVER };
	if (seconds > 0)
		m->until = now + (mono_us)(seconds * MONO_S);
	app_pump(a);
}

static void meters_tick(struct app *a, struct app_meters *m, mono_us now)
{
	struct control_request *req = m->req;

	if (now >= m->until) {
		m->req = NULL;
		control_reply(req, levels_json(a, now));
	} else if (now >= m->next) {
		m->next += m->every;
		if (m->next <= now) /* we were away */
			m->next = now + m->every;
		control_notify(req, "levels", levels_json(a, now));
	}
}

/* --- the mixer ---------------------------------------------------------- */

static json_t *mixer_json(const struct radio_levels_view *v)
{
	const struct alsa_mixer *m = &v->mixer;

	if (!v->open)
		return json_null();
	return json_pack("{s:b, s:f, s:f, s:f, s:b, s:f, s:f, s:f, s:f}", "rx",
			 (int)m->rx, "rx_db", m->rx_db, "rx_min_db",
			 m->rx_min_db, "rx_max_db", m->rx_max_db, "tx",
			 (int)m->tx, "tx_a_db", m->tx_a_db, "tx_b_db",
			 m->tx_b_db, "tx_min_db", m->tx_min_db, "tx_max_db",
			 m->tx_max_db);
}

static json_t *settings_json(const struct app *a)
{
	static const char *const from[] = {
		[RADIO_LEVELS_CONFIG] = "config",
		[RADIO_LEVELS_EEPROM] = "eeprom",
		[RADIO_LEVELS_SET] = "set",
	};
	struct radio_levels_view v = { 0 };
	const bool any = radio_io_levels(a->radio, &v);
	char *file = realpath(a->conf_file, NULL);
	json_t *o = json_pack(
		"{s:s, s:o, s:s, s:i}", "type", radio_io_type(a->radio), "file",
		control_text(file ? file : a->conf_file), "levels",
		a->conf.audio.levels == CONF_LEVELS_EEPROM ? "eeprom"
							   : "config",
		"timeout_s", (int)a->conf.radio.timeout_s);

	free(file);
	if (any)
		(void)json_object_update_new(
			o,
			json_pack("{s:f, s:f, s:f, s:b, s:s, s:o}", "rx_db",
				  v.levels.rx_db, "tx_a_db", v.levels.tx_a_db,
				  "tx_b_db", v.levels.tx_b_db, "boost",
				  (int)v.levels.boost, "from", from[v.from],
				  "mixer", mixer_json(&v)));
	return o;
}

void app_levels_get(void *ctx, struct control_request *req,
		    const json_t *params)
{
	(void)params;
	control_reply(req, settings_json(ctx));
}

void app_levels_set(void *ctx, struct control_request *req,
		    const json_t *params)
{
	const json_t *boost = json_object_get(params, "boost");
	struct radio_levels_view v = { 0 };
	char why[RADIO_WHY_MAX];
	struct app *a = ctx;

	(void)radio_io_levels(a->radio, &v);
	if ((boost && !json_is_boolean(boost)) ||
	    !number(params, "rx_db", LEVEL_MIN_DB, LEVEL_MAX_DB,
		    &v.levels.rx_db) ||
	    !number(params, "tx_a_db", LEVEL_MIN_DB, LEVEL_MAX_DB,
		    &v.levels.tx_a_db) ||
	    !number(params, "tx_b_db", LEVEL_MIN_DB, LEVEL_MAX_DB,
		    &v.levels.tx_b_db)) {
		app_bad_params(req, "rx_db, tx_a_db and tx_b_db are -60..40, "
				    "boost is true or false");
		return;
	}
	if (boost)
		v.levels.boost = json_is_true(boost);
	if (a->setting.req) {
		app_refuse(req, "another console sets levels just now");
		return;
	}
	if (radio_io_set_levels(a->radio, &v.levels, why) != 0) {
		app_refuse(req, why);
		return;
	}
	log_info("levels set by a console: receive %.1f dB, transmit %.1f and "
		 "%.1f dB",
		 v.levels.rx_db, v.levels.tx_a_db, v.levels.tx_b_db);
	a->setting = (struct app_setting){ .req = req,
					   .next = loop_now(),
					   .until = loop_now() + SETTING_US };
	app_pump(a);
}

/* The sound's thread sets it. */
static void setting_tick(struct app *a, mono_us now)
{
	struct control_request *req = a->setting.req;
	struct radio_levels_view v = { 0 };

	if (!req || now < a->setting.next)
		return;
	a->setting.next = now + LOOK_US;
	(void)radio_io_levels(a->radio, &v);
	if (!v.open && now < a->setting.until)
		return;
	a->setting.req = NULL;
	control_reply(req, settings_json(a));
}

void app_levels_keep(void *ctx, struct control_request *req,
		     const json_t *params)
{
	char why[RADIO_WHY_MAX];
	struct app *a = ctx;

	(void)params;
	if (a->keep) {
		app_refuse(req, "another console stores levels just now");
		return;
	}
	a->keep = req;
	if (radio_io_keep_levels(a->radio, why) == 0)
		return;
	a->keep = NULL;
	app_refuse(req, why);
}

void app_levels_kept(void *ctx, const char *why)
{
	struct app *a = ctx;
	struct control_request *req = a->keep;

	a->keep = NULL;
	if (!why)
		log_info("the levels are in the fob's EEPROM");
	else
		log_warning("the levels are not in the fob's EEPROM: %s", why);
	if (req && why)
		app_refuse(req, why);
	else if (req)
		control_reply(req, settings_json(a));
}

/* --- the test tone ------------------------------------------------------ */

static bool tone_range(const struct app *a, double seconds,
		       struct control_request *req)
{
	char what[80];

	if (seconds <= a->conf.radio.timeout_s)
		return true;
	(void)snprintf(what, sizeof(what),
		       "seconds are at most those of radio.timeout_s, %u",
		       (unsigned)a->conf.radio.timeout_s);
	app_bad_params(req, what);
	return false;
}

void app_levels_tone(void *ctx, struct control_request *req,
		     const json_t *params)
{
	double hz = 1000, dbfs = -9, seconds = 10;
	const mono_us now = loop_now();
	struct app *a = ctx;

	if (!number(params, "hz", 50, 3900, &hz) ||
	    !number(params, "dbfs", -60, 0, &dbfs) ||
	    !number(params, "seconds", 0.1, SECONDS_MAX, &seconds)) {
		app_bad_params(req, "hz is 50..3900, dbfs -60..0, seconds "
				    "from 0.1");
		return;
	}
	if (!tone_range(a, seconds, req))
		return;
	if (a->tone.req || a->stopping) {
		app_refuse(req, a->stopping ? "the daemon ends"
					    : "another console transmits a "
					      "test tone");
		return;
	}
	a->tone = (struct app_tone){
		.req = req,
		.next = now,
		.until = now + (mono_us)(seconds * MONO_S),
	};
	log_info("a console transmits a test tone of %.0f Hz for %.1f s", hz,
		 seconds);
	node_test_tone(a->node, (uint32_t)lrint(hz), (uint32_t)lrint(-dbfs),
		       a->tone.until, now);
	app_pump(a);
}

static void end_tone(struct app *a, const char *why, mono_us now)
{
	struct control_request *req = a->tone.req;
	const mono_us keyed = a->tone.keyed;

	a->tone = (struct app_tone){ 0 };
	node_test_tone(a->node, 0, 0, 0, now);
	if (why)
		app_refuse(req, why);
	else
		control_reply(req, json_pack("{s:f}", "keyed_s",
					     (double)(now - keyed) / MONO_S));
}

static void tone_tick(struct app *a, mono_us now)
{
	struct app_tone *t = &a->tone;
	struct station_view v;

	if (!t->req || now < t->next)
		return;
	t->next = mono_min(t->until, now + LOOK_US);
	node_radio(a->node, &v);
	if (v.keyed && t->keyed == 0)
		t->keyed = now;
	if (v.ptt == PTT_TIMED_OUT)
		end_tone(a, "the time-out timer ended the transmission", now);
	else if (t->keyed != 0 && !v.keyed && now < t->until)
		end_tone(a, "the radio went away, or received something", now);
	else if (now >= t->until && t->keyed == 0)
		end_tone(a,
			 "the transmitter did not key: the radio is away, "
			 "or busy with what it receives",
			 now);
	else if (now >= t->until)
		end_tone(a, NULL, now);
}

/* --- all of them -------------------------------------------------------- */

void app_levels_tick(struct app *a, mono_us now)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (a->meters[i].req)
			meters_tick(a, &a->meters[i], now);
	}
	setting_tick(a, now);
	tone_tick(a, now);
}

mono_us app_levels_deadline(const struct app *a)
{
	mono_us due = a->tone.req ? a->tone.next : MONO_NEVER;

	if (a->setting.req)
		due = mono_min(due, a->setting.next);
	for (size_t i = 0; i < APP_WAITERS; i++) {
		const struct app_meters *m = &a->meters[i];

		if (m->req)
			due = mono_min(due, mono_min(m->next, m->until));
	}
	return due;
}

void app_levels_cancel(struct app *a, const struct control_request *req)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (a->meters[i].req == req)
			a->meters[i].req = NULL;
	}
	if (a->keep == req)
		a->keep = NULL;
	if (a->setting.req == req)
		a->setting.req = NULL;
	if (a->tone.req != req)
		return;
	a->tone = (struct app_tone){ 0 };
	log_info("the test tone ends with its console");
	node_test_tone(a->node, 0, 0, 0, loop_now());
}
