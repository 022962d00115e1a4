/* SPDX-License-Identifier: MIT */

/* What the radio is connected to, and by which fob. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/console/setup_asked.h"

/* --- radio -------------------------------------------------------------- */

static const char *const radios[] = {
	[CONF_RADIO_NONE] = "none",
	[CONF_RADIO_SIM] = "sim",
	[CONF_RADIO_ALSA] = "alsa",
	[CONF_RADIO_CM108] = "cm108",
};

static void print_fobs(const struct setup_ask *a)
{
	char name[FOB_NAME_MAX + 1];

	for (size_t i = 0; i < a->facts->fobs_n; i++) {
		fob_describe(&a->facts->fobs[i], name);
		(void)fprintf(a->to, "  %zu  %s\n", i + 1, name);
	}
}

static void print_radio(const struct setup_ask *a)
{
	if (a->facts->fobs_n == 0)
		(void)fputs("No USB radio fob is plugged in. With cm108 the "
			    "node finds one that\ncomes later.\n",
			    a->to);
	else
		(void)fputs("Found on USB:\n", a->to);
	print_fobs(a);
	(void)fputs("What the radio is connected to:\n"
		    "  cm108  a USB sound fob that also keys\n"
		    "  alsa   a sound card, keyed by other means or not at "
		    "all\n"
		    "  sim    nothing: simulated, for trying\n"
		    "  none   nothing: this node has no radio\n"
		    "Radio",
		    a->to);
}

static void usual_radio(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	enum conf_radio radio = a->plan.radio;

	if (radio == CONF_RADIO_NONE && a->facts->fobs_n > 0 && setup_is_new(a))
		radio = CONF_RADIO_CM108;
	if (a->given[SETUP_Q_FOB])
		radio = CONF_RADIO_CM108;
	setup_copy(out, SETUP_ANSWER_MAX, radios[radio]);
}

static bool take_radio(struct setup_ask *a, const char *text, char *why)
{
	for (size_t i = 0; i < sizeof(radios) / sizeof(radios[0]); i++) {
		if (strcmp(radios[i], text) != 0)
			continue;
		a->plan.radio = (enum conf_radio)i;
		return true;
	}
	return setup_refuse(why, "It is one of cm108, alsa, sim and none.");
}

/* --- which fob ---------------------------------------------------------- */

/* The settings name one, and it is not the one that is plugged in. */
static bool is_another(const struct setup_ask *a)
{
	return a->facts->fobs_n == 1 &&
	       (a->plan.serial[0] || a->plan.fob_port[0]) &&
	       !setup_is_bound_to(&a->plan, a->facts->fobs[0].seen);
}

static bool is_open(const struct setup_ask *a)
{
	return a->plan.radio == CONF_RADIO_CM108 &&
	       (a->facts->fobs_n > 1 || is_another(a));
}

static void print_named(const struct setup_ask *a)
{
	const struct setup_plan *p = &a->plan;

	(void)fprintf(a->to, "The settings name another fob (%s%s%s%s%s):\n",
		      p->serial[0] ? "serial " : "", p->serial,
		      p->serial[0] && p->fob_port[0] ? ", " : "",
		      p->fob_port[0] ? "port " : "", p->fob_port);
}

static void print_fob(const struct setup_ask *a)
{
	if (is_another(a))
		print_named(a);
	else
		(void)fputs("There are several:\n", a->to);
	print_fobs(a);
	(void)fputs("Which is this node's: its number in this list, its serial "
		    "number or its port.\nFob",
		    a->to);
}

static void usual_fob(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	out[0] = '\0';
	for (size_t i = 0; i < a->facts->fobs_n; i++) {
		if (is_another(a) ||
		    setup_is_bound_to(&a->plan, a->facts->fobs[i].seen))
			setup_copy(out, SETUP_ANSWER_MAX,
				   a->facts->fobs[i].seen->port);
	}
}

/* How many have this serial number. */
static size_t alike(const struct setup_facts *f, const char *serial)
{
	size_t n = 0;

	for (size_t i = 0; i < f->fobs_n; i++)
		n += strcmp(f->fobs[i].seen->serial, serial) == 0;
	return n;
}

/* By what stays the same when it is plugged in elsewhere, if that is its
 * own. */
static void bind(struct setup_plan *p, const struct setup_facts *f,
		 const struct fob_seen *s)
{
	const bool by_serial = s->serial[0] && alike(f, s->serial) == 1;

	if (setup_is_bound_to(p, s))
		return;
	setup_copy(p->serial, sizeof(p->serial), by_serial ? s->serial : "");
	setup_copy(p->fob_port, sizeof(p->fob_port), by_serial ? "" : s->port);
}

/* One that need not be plugged in yet. */
static bool take_serial(struct setup_ask *a, const char *text, char *why)
{
	if (!text[0] || !setup_fits("fob", "serial", text))
		return setup_refuse(why,
				    "A serial number has 1 to %u characters.",
				    CONF_SERIAL_MAX);
	if (strcmp(a->plan.serial, text) != 0)
		a->plan.fob_port[0] = '\0';
	setup_copy(a->plan.serial, sizeof(a->plan.serial), text);
	return true;
}

static bool take_fob(struct setup_ask *a, const char *text, char *why)
{
	const struct setup_facts *f = a->facts;
	const size_t same = text[0] ? alike(f, text) : 0;
	char *end;
	const unsigned long n = strtoul(text, &end, 10);

	if (a->option)
		return take_serial(a, text, why);
	for (size_t i = 0; i < f->fobs_n; i++) {
		const struct fob_seen *s = f->fobs[i].seen;
		const bool this_one = same == 1 ? strcmp(text, s->serial) == 0
				      : *end == '\0'
					      ? n == i + 1
					      : strcmp(text, s->port) == 0;

		if (this_one) {
			bind(&a->plan, f, s);
			return true;
		}
	}
	/* The one that the settings name comes again. */
	if (text[0] && is_another(a) &&
	    (strcmp(text, a->plan.serial) == 0 ||
	     strcmp(text, a->plan.fob_port) == 0))
		return true;
	if (same > 1)
		return setup_refuse(why,
				    "Several have that serial number: say its "
				    "port.");
	return setup_refuse(why,
			    "Which of the fobs, by serial number or port?");
}

/* --- all ---------------------------------------------------------------- */

const struct setup_asked setup_asked_radio = {
	.option = "--radio",
	.print = print_radio,
	.usual = usual_radio,
	.take = take_radio,
};

const struct setup_asked setup_asked_fob = {
	.option = "--fob-serial",
	.applies = is_open,
	.print = print_fob,
	.usual = usual_fob,
	.take = take_fob,
};
