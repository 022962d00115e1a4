/* SPDX-License-Identifier: MIT */

/*
 * The calibration, in a person's words: what comes in is measured and the
 * capture volume set; a tone goes out and the playback volume follows the
 * deviation that somebody measured; what came of it is stored.
 */

#include "daemon/console/levels_talk.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/console/calibrate.h"

#define READING_MS 100
#define SKIP 3U /* readings after a change, or after the carrier came */
#define MEASURE_S 3.0
#define TONE_S 10.0
#define ROUNDS 6
#define ANSWER_MAX 64

/* --- words -------------------------------------------------------------- */

void talk_say(const struct talk *t, const char *format, ...)
{
	va_list args;

	if (t->c->json)
		return;
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)fflush(stdout);
}

enum console_exit talk_refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("keyhole: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputs("\n", stderr);
	va_end(args);
	return CONSOLE_REFUSED;
}

/* A line from whoever sits there; "" from nobody. */
static void ask(const struct talk *t, const char *question,
		char answer[ANSWER_MAX])
{
	answer[0] = '\0';
	if (t->want->yes)
		return;
	talk_say(t, "%s", question);
	if (!fgets(answer, ANSWER_MAX, stdin)) {
		/* Its end is no consent. */
		(void)snprintf(answer, ANSWER_MAX, "n");
		talk_say(t, "\n");
	}
	answer[strcspn(answer, "\r\n")] = '\0';
}

bool talk_agrees(const struct talk *t, const char *question, bool usual)
{
	char answer[ANSWER_MAX];

	ask(t, question, answer);
	if (answer[0] == '\0')
		return usual || t->want->yes;
	return answer[0] == 'y' || answer[0] == 'Y';
}

/* --- the daemon --------------------------------------------------------- */

/* *@result is NULL unless CONSOLE_DONE. */
enum console_exit talk_call(struct talk *t, const char *method, json_t *params,
			    rpc_note_fn note, void *ctx, json_t **result)
{
	struct rpc_answer answer = { 0 };
	const int err = rpc_call(t->rpc, method, params, note, ctx, &answer);
	enum console_exit status = CONSOLE_DONE;

	*result = NULL;
	if (err != 0) {
		(void)talk_refuse("%s", rpc_trouble(err));
		status = CONSOLE_NOT_REACHABLE;
	} else if (!answer.result) {
		status = talk_refuse("%s", answer.message);
	} else {
		*result = json_incref(answer.result);
	}
	rpc_answer_free(&answer);
	return status;
}

double talk_number(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

const char *talk_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* Learn or change the settings. */
enum console_exit talk_settings(struct talk *t, const char *method,
				json_t *params)
{
	json_t *got;
	const enum console_exit status =
		talk_call(t, method, params, NULL, NULL, &got);

	if (status == CONSOLE_DONE) {
		json_decref(t->settings);
		t->settings = got;
	}
	return status;
}

static const json_t *mixer(const struct talk *t)
{
	return json_object_get(t->settings, "mixer");
}

/* --- what comes in ------------------------------------------------------ */

static void on_reading(void *ctx, const char *method, const json_t *params)
{
	struct meters m;

	if (strcmp(method, "levels") != 0)
		return;
	meters_read(params, &m);
	calibrate_add(ctx, &m);
}

static enum console_exit measure(struct talk *t, struct calibrate_level *l)
{
	const double s = t->want->seconds > 0 ? t->want->seconds : MEASURE_S;
	struct calibrate c;
	enum console_exit status;
	json_t *last;

	calibrate_begin(&c, SKIP);
	status = talk_call(t, "levels",
			   json_pack("{s:i, s:f}", "every_ms", READING_MS,
				     "seconds", s + SKIP * READING_MS / 1000.0),
			   on_reading, &c, &last);
	json_decref(last);
	*l = calibrate_level(&c);
	return status;
}

static void tell_level(struct talk *t, const struct calibrate_level *l)
{
	talk_say(t,
		 "Received: average %.1f dBFS, peak %.1f dBFS, %ju samples "
		 "clipped.\n"
		 "Wanted:   average %.0f dBFS, peak at most %.0f dBFS, none "
		 "clipped.\n",
		 l->average_dbfs, l->peak_dbfs, (uintmax_t)l->clipped,
		 CALIBRATE_AVERAGE_DBFS, CALIBRATE_PEAK_DBFS);
	(void)json_object_set_new(t->result, "receive",
				  json_pack("{s:f, s:f, s:I}", "average_dbfs",
					    l->average_dbfs, "peak_dbfs",
					    l->peak_dbfs, "clipped",
					    (json_int_t)l->clipped));
}

static bool is_near(const struct calibrate_level *l)
{
	return l->clipped == 0 &&
	       fabs(calibrate_change_db(l)) <= CALIBRATE_NEAR_DB;
}

/* One step nearer; *@done when there is none. */
static enum console_exit
change_receive(struct talk *t, const struct calibrate_level *l, bool *done)
{
	const double by = calibrate_change_db(l);
	const double now = talk_number(mixer(t), "rx_db");
	const double min = talk_number(mixer(t), "rx_min_db");
	const double max = talk_number(mixer(t), "rx_max_db");
	const double next = calibrate_gain(now, by, min, max);
	char question[ANSWER_MAX + 64];

	*done = true;
	if (!json_is_true(json_object_get(mixer(t), "rx")))
		return talk_refuse(
			"this radio's sound has no mixer to set: make "
			"what it receives %.1f dB %s there",
			fabs(by), by > 0 ? "louder" : "softer");
	if (fabs(next - now) < 0.05)
		return talk_refuse(
			"the capture volume is at its %s, %.1f dB: make "
			"the receiver's output %s",
			by > 0 ? "greatest" : "least", now,
			by > 0 ? "louder (audio.boost adds 20 dB)" : "softer");
	talk_say(t, "The capture volume is %.1f dB (%.1f to %.1f).\n", now, min,
		 max);
	if (t->want->dry_run) {
		talk_say(t, "It should be %.1f dB.\n", next);
		return CONSOLE_DONE;
	}
	(void)snprintf(question, sizeof(question), "Set it to %.1f dB? [Y/n] ",
		       next);
	if (!talk_agrees(t, question, true))
		return CONSOLE_DONE;
	*done = false;
	t->changed = true;
	talk_say(t, "Set to %.1f dB.\n", next);
	return talk_settings(t, "levels.set",
			     json_pack("{s:f}", "rx_db", next));
}

static bool skip_receive(const struct talk *t)
{
	char answer[ANSWER_MAX];

	talk_say(
		t,
		"RECEIVE\n"
		"Have a station send a tone of 1 kHz at 3 kHz deviation (5 kHz "
		"systems; 1.5 kHz\nof 2.5 kHz). Speech at the usual level will "
		"do, less exactly.\n");
	ask(t, "Press Enter while it is on the air, s to leave this out: ",
	    answer);
	return answer[0] == 's' || answer[0] == 'n';
}

static enum console_exit nothing_heard(struct talk *t, bool *again)
{
	*again = !t->want->yes &&
		 talk_agrees(t,
			     "Nothing is received: COR is down. Again? [Y/n] ",
			     true);
	return *again ? CONSOLE_DONE
		      : talk_refuse("nothing is received: COR is down");
}

static enum console_exit do_receive(struct talk *t)
{
	enum console_exit status = CONSOLE_DONE;
	bool done = skip_receive(t);

	for (int i = 0; i < ROUNDS && !done && status == CONSOLE_DONE; i++) {
		struct calibrate_level l;
		bool again;

		status = measure(t, &l);
		if (status == CONSOLE_DONE)
			status = talk_settings(t, "levels.get", NULL);
		if (status != CONSOLE_DONE)
			return status;
		if (!l.heard) {
			status = nothing_heard(t, &again);
			continue;
		}
		tell_level(t, &l);
		if (is_near(&l)) {
			talk_say(t, "That is right.\n");
			return CONSOLE_DONE;
		}
		status = change_receive(t, &l, &done);
	}
	if (done || status != CONSOLE_DONE)
		return status;
	return talk_refuse(
		"what is received does not follow the capture volume: "
		"is the level steady, and automatic gain off?");
}

/* --- what goes out ------------------------------------------------------ */

static enum console_exit send_tone(struct talk *t)
{
	const double s = t->want->tone_s > 0 ? t->want->tone_s : TONE_S;
	enum console_exit status;
	json_t *sent;

	talk_say(t, "On the air for %.0f s ...\n", s);
	rpc_patience(t->rpc, RPC_PATIENCE_S + (unsigned)s);
	status = talk_call(t, "levels.tone",
			   json_pack("{s:i, s:f, s:f}", "hz", CALIBRATE_HZ,
				     "dbfs", CALIBRATE_TONE_DBFS, "seconds", s),
			   NULL, NULL, &sent);
	if (status == CONSOLE_DONE)
		(void)json_object_set_new(t->result, "transmit",
					  json_incref(sent));
	json_decref(sent);
	return status;
}

/* In kHz; 0: nothing to be changed; negative: send it again. */
static double ask_deviation(const struct talk *t)
{
	char answer[ANSWER_MAX], *end;
	double khz;

	if (t->want->yes)
		return t->want->khz;
	for (;;) {
		ask(t, "Deviation in kHz (Enter: leave it; r: send it again): ",
		    answer);
		if (answer[0] == '\0' || answer[0] == 'n')
			return 0;
		if (answer[0] == 'r')
			return -1;
		khz = strtod(answer, &end);
		if (*end == '\0' && khz >= 0.1 && khz <= 20)
			return khz;
		talk_say(t, "A number such as 2.4, please.\n");
	}
}

static enum console_exit change_transmit(struct talk *t, double khz)
{
	const double by = calibrate_deviation_db(khz);
	const double min = talk_number(mixer(t), "tx_min_db");
	const double max = talk_number(mixer(t), "tx_max_db");
	const double a = talk_number(mixer(t), "tx_a_db");
	const double b = talk_number(mixer(t), "tx_b_db");
	const double next_a = calibrate_gain(a, by, min, max);
	const double next_b = calibrate_gain(b, by, min, max);

	talk_say(t, "That is %.1f dB too %s for 3 kHz.\n", fabs(by),
		 by > 0 ? "soft" : "loud");
	if (!json_is_true(json_object_get(mixer(t), "tx")))
		return talk_refuse(
			"this radio's sound has no mixer to set: change "
			"the transmitter's input");
	if (fabs(a + by - next_a) > CALIBRATE_NEAR_DB)
		talk_say(t,
			 "The playback volume does not go so far: change the "
			 "transmitter's input, too.\n");
	if (t->want->dry_run) {
		talk_say(t, "The playback volume should be %.1f dB.\n", next_a);
		return CONSOLE_DONE;
	}
	t->changed = true;
	talk_say(t, "The playback volume is set from %.1f to %.1f dB.\n", a,
		 next_a);
	return talk_settings(
		t, "levels.set",
		json_pack("{s:f, s:f}", "tx_a_db", next_a, "tx_b_db", next_b));
}

static enum console_exit do_transmit(struct talk *t)
{
	enum console_exit status = talk_settings(t, "levels.get", NULL);

	talk_say(t,
		 "TRANSMIT\n"
		 "This KEYS THE TRANSMITTER with a tone of 1 kHz, which should "
		 "make 3 kHz\ndeviation: watch it on a deviation meter, or on "
		 "a receiver that was calibrated.\nUse a dummy load or a free "
		 "frequency. Ctrl-C unkeys.\n");
	if (status == CONSOLE_DONE &&
	    !talk_agrees(t, "Transmit now? [y/N] ", false))
		return CONSOLE_DONE;
	while (status == CONSOLE_DONE) {
		double khz;

		status = send_tone(t);
		if (status != CONSOLE_DONE)
			break;
		khz = ask_deviation(t);
		if (khz == 0)
			break;
		if (khz > 0)
			status = change_transmit(t, khz);
		if (status == CONSOLE_DONE)
			status = talk_settings(t, "levels.get", NULL);
		if (t->want->yes)
			break;
	}
	return status;
}

/* --- all of it ---------------------------------------------------------- */

static enum console_exit go(struct talk *t)
{
	const struct levels_want *w = t->want;
	const bool both = !w->receive && !w->transmit;
	enum console_exit status = talk_settings(t, "levels.get", NULL);

	if (status == CONSOLE_DONE && (w->receive || both))
		status = do_receive(t);
	/* Nobody keys who was not asked, one way or the other. */
	if (status == CONSOLE_DONE && (w->transmit || (both && !w->yes)))
		status = do_transmit(t);
	if (status == CONSOLE_DONE)
		status = talk_settings(t, "levels.get", NULL);
	if (status == CONSOLE_DONE)
		status = talk_store(t);
	if (status == CONSOLE_DONE)
		status = talk_settings(t, "levels.get", NULL);
	return status;
}

enum console_exit levels_calibrate(const struct console *c,
				   const struct levels_want *want)
{
	struct levels_want own = *want;
	struct talk t = { .c = c, .want = &own };
	enum console_exit status;
	char why[RPC_WHY_MAX];

	own.yes |= c->json;
	t.rpc = rpc_open(c->socket, why);
	if (!t.rpc) {
		(void)talk_refuse("%s", why);
		return CONSOLE_NOT_REACHABLE;
	}
	t.result = json_object();
	status = go(&t);
	if (c->json) {
		(void)json_object_set(t.result, "settings", t.settings);
		print_json(t.result, true);
	}
	json_decref(t.result);
	json_decref(t.settings);
	rpc_close(t.rpc);
	return status;
}
