/* SPDX-License-Identifier: MIT */

#include "daemon/console/levels.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/console/meters.h"
#include "daemon/console/tty.h"
#include "daemon/io/rpc.h"

#define SCREEN_MS 100
#define LINE_MS 1000
#define HELD 15U /* readings that a peak is held for */

/* --- options ------------------------------------------------------------ */

struct option {
	const char *name;
	size_t at;
	bool number;
	double min, max;
};

#define FLAG(name, member)                                               \
	{                                                                \
		name, offsetof(struct levels_want, member), false, 0, 0, \
	}
#define NUMBER(name, member, min, max)                                      \
	{                                                                   \
		name, offsetof(struct levels_want, member), true, min, max, \
	}

static const struct option options[] = {
	FLAG("--calibrate", calibrate),
	FLAG("--receive", receive),
	FLAG("--transmit", transmit),
	FLAG("--yes", yes),
	FLAG("--eeprom", eeprom),
	FLAG("--dry-run", dry_run),
	NUMBER("--seconds", seconds, 0.1, 86400),
	NUMBER("--every", every_ms, 50, 60000),
	NUMBER("--tone", tone_s, 0.1, 600),
	NUMBER("--deviation", khz, 0.1, 20),
};

static bool take(const struct option *o, const char *value, void *want)
{
	double *number = (double *)(void *)((char *)want + o->at);
	char *end;

	if (!o->number) {
		*((bool *)want + o->at) = true;
		return true;
	}
	if (!value)
		return false;
	*number = strtod(value, &end);
	return end != value && *end == '\0' && *number >= o->min &&
	       *number <= o->max;
}

static const struct option *option_of(const char *word)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(options[i].name, word) == 0)
			return &options[i];
	}
	return NULL;
}

bool levels_options(int argc, char *const *argv, struct levels_want *out)
{
	*out = (struct levels_want){ 0 };
	for (int i = 0; i < argc; i++) {
		const struct option *o = option_of(argv[i]);

		if (!o || !take(o, i + 1 < argc ? argv[i + 1] : NULL, out))
			return false;
		i += o->number;
	}
	if (!out->calibrate)
		return !out->receive && !out->transmit && !out->yes &&
		       !out->eeprom && !out->dry_run && out->tone_s == 0 &&
		       out->khz == 0;
	return out->every_ms == 0;
}

/* --- watching ----------------------------------------------------------- */

struct watch {
	bool json, screen, colour;
	bool begun, drawn;
	uint64_t rx_before, tx_before; /* clipped samples */
	struct meters_shown shown;
	unsigned rx_held, tx_held; /* readings ago */
	struct meters_sum sum;
};

/* What a signal ends. */
static const struct rpc *volatile watched;
static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
	if (watched)
		rpc_stop(watched);
}

static void hold(double peak_dbfs, double *held_dbfs, unsigned *ago)
{
	if (peak_dbfs < *held_dbfs && ++*ago < HELD)
		return;
	*held_dbfs = peak_dbfs;
	*ago = 0;
}

static void draw(struct watch *w, const struct meters *m)
{
	char page[METERS_ROOM];
	unsigned columns, lines;

	tty_size(&columns, &lines);
	hold(m->rx.peak_dbfs, &w->shown.rx_held_dbfs, &w->rx_held);
	hold(m->tx.peak_dbfs, &w->shown.tx_held_dbfs, &w->tx_held);
	meters_screen(m, &w->shown, columns, w->colour, page);
	if (w->drawn)
		(void)printf("\033[%uA", METERS_LINES);
	w->drawn = true;
	/* What a line was longer before goes. */
	for (const char *line = page; *line != '\0';) {
		const int len = (int)strcspn(line, "\n");

		(void)printf("%.*s\033[K\n", len, line);
		line += len + 1;
	}
}

static void tell_line(struct watch *w, const struct meters *m)
{
	char line[METERS_ROOM];
	struct meters taken;

	meters_add(&w->sum, m);
	if (w->sum.n < LINE_MS / SCREEN_MS)
		return;
	taken = meters_taken(&w->sum);
	meters_line(&taken, &w->shown, line);
	(void)puts(line);
	w->sum = (struct meters_sum){ 0 };
}

static void on_levels(void *ctx, const char *method, const json_t *params)
{
	struct watch *w = ctx;
	struct meters m;

	if (strcmp(method, "levels") != 0 || interrupted)
		return;
	if (w->json) {
		print_json(params, false);
	} else {
		meters_read(params, &m);
		if (!w->begun) {
			w->rx_before = m.rx.clipped;
			w->tx_before = m.tx.clipped;
			w->begun = true;
		}
		w->shown.rx_clipped = m.rx.clipped - w->rx_before;
		w->shown.tx_clipped = m.tx.clipped - w->tx_before;
		if (w->screen)
			draw(w, &m);
		else
			tell_line(w, &m);
	}
	(void)fflush(stdout);
}

static enum console_exit follow(const struct console *c, struct rpc *rpc,
				struct watch *w, json_t *params)
{
	enum console_exit status = CONSOLE_DONE;
	struct rpc_answer answer = { 0 };
	const double every_ms =
		json_number_value(json_object_get(params, "every_ms"));
	int err;

	(void)c;
	rpc_patience(rpc, RPC_PATIENCE_S + (unsigned)(every_ms / 1000));
	err = rpc_call(rpc, "levels", params, on_levels, w, &answer);
	if (interrupted)
		status = CONSOLE_DONE;
	else if (err != 0) {
		(void)fprintf(stderr, "keyhole: %s\n", rpc_trouble(err));
		status = CONSOLE_NOT_REACHABLE;
	} else if (!answer.result) {
		(void)fprintf(stderr, "keyhole: %s\n", answer.message);
		status = CONSOLE_REFUSED;
	}
	rpc_answer_free(&answer);
	return status;
}

enum console_exit levels_watch(const struct console *c,
			       const struct levels_want *want)
{
	const struct sigaction end = { .sa_handler = on_signal };
	struct watch w = { .json = c->json,
			   .screen = tty_screen(),
			   .colour = tty_colour() };
	json_t *params = json_object();
	struct sigaction before;
	enum console_exit status;
	char why[RPC_WHY_MAX];
	struct rpc *rpc = rpc_open(c->socket, why);
	double every_ms = c->json ? LINE_MS : SCREEN_MS;

	if (!rpc) {
		(void)fprintf(stderr, "keyhole: %s\n", why);
		json_decref(params);
		return CONSOLE_NOT_REACHABLE;
	}
	if (c->json && want->every_ms > 0)
		every_ms = want->every_ms;
	w.shown.rx_held_dbfs = METERS_FLOOR_DBFS;
	w.shown.tx_held_dbfs = METERS_FLOOR_DBFS;
	(void)json_object_set_new(params, "every_ms", json_real(every_ms));
	if (want->seconds > 0)
		(void)json_object_set_new(params, "seconds",
					  json_real(want->seconds));
	interrupted = 0;
	watched = rpc;
	(void)sigaction(SIGINT, &end, &before);
	status = follow(c, rpc, &w, params);
	(void)sigaction(SIGINT, &before, NULL);
	watched = NULL;
	rpc_close(rpc);
	return status;
}
