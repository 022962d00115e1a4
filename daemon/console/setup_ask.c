/* SPDX-License-Identifier: MIT */

/* The dialogue: which question comes next, and what became of the last. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "daemon/console/setup_asked.h"

void setup_ask_init(struct setup_ask *a, const struct setup_facts *facts,
		    FILE *to)
{
	const struct conf_node *is = facts->is;
	struct setup_plan *p = &a->plan;

	*a = (struct setup_ask){ .facts = facts, .to = to };
	(void)snprintf(p->number, sizeof(p->number), "%s", is->node.number);
	(void)snprintf(p->callsign, sizeof(p->callsign), "%s",
		       is->node.callsign);
	(void)snprintf(p->key_file, sizeof(p->key_file), "%s",
		       is->node.key_file);
	(void)snprintf(p->serial, sizeof(p->serial), "%s", is->fob.serial);
	(void)snprintf(p->fob_port, sizeof(p->fob_port), "%s", is->fob.port);
	p->radio = is->radio.type;
}

bool setup_is_bound_to(const struct setup_plan *p, const struct fob_seen *s)
{
	return (p->serial[0] || p->fob_port[0]) &&
	       (!p->serial[0] || strcmp(p->serial, s->serial) == 0) &&
	       (!p->fob_port[0] || strcmp(p->fob_port, s->port) == 0);
}

/* --- one question ------------------------------------------------------- */

static const struct setup_asked *now(const struct setup_ask *a)
{
	return setup_asked(a->at);
}

static void print(const struct setup_ask *a)
{
	char usual[SETUP_ANSWER_MAX] = "";

	(void)fputs("\n", a->to);
	now(a)->print(a);
	now(a)->usual(a, usual);
	if (usual[0] && a->at != SETUP_Q_AGREE)
		(void)fprintf(a->to, " [%s]", usual);
	(void)fputs(": ", a->to);
}

/* From @a->at on, the first that is to be asked. */
static bool find(struct setup_ask *a)
{
	while (a->at < SETUP_QUESTIONS &&
	       (a->given[a->at] || (now(a)->applies && !now(a)->applies(a))))
		a->at++;
	return a->at < SETUP_QUESTIONS;
}

/* Without blanks around it, and nothing in it that a terminal or a file would
 * take for something else. */
static bool clean(const char *line, char out[SETUP_ANSWER_MAX],
		  char why[SETUP_WHY_MAX])
{
	size_t n;

	line += strspn(line, " \t");
	n = strlen(line);
	while (n > 0 && isspace((unsigned char)line[n - 1]))
		n--;
	if (n >= SETUP_ANSWER_MAX) {
		(void)snprintf(why, SETUP_WHY_MAX, "That is too long.");
		return false;
	}
	memcpy(out, line, n);
	out[n] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (iscntrl((unsigned char)out[i])) {
			(void)snprintf(why, SETUP_WHY_MAX,
				       "There is a character in it that cannot "
				       "be seen.");
			return false;
		}
	}
	return true;
}

static bool answer(struct setup_ask *a, const char *line,
		   char why[SETUP_WHY_MAX])
{
	char text[SETUP_ANSWER_MAX];

	if (!clean(line, text, why))
		return false;
	if (!text[0])
		now(a)->usual(a, text);
	return now(a)->take(a, text, why);
}

/* --- with people -------------------------------------------------------- */

bool setup_ask_begin(struct setup_ask *a)
{
	a->at = 0;
	if (!find(a))
		return false;
	print(a);
	return true;
}

bool setup_ask_line(struct setup_ask *a, const char *line)
{
	char why[SETUP_WHY_MAX] = "";

	if (!line) {
		a->over = true;
		return false;
	}
	if (!answer(a, line, why)) {
		(void)fprintf(a->to, "%s\n", why);
		print(a);
		return true;
	}
	if (a->over)
		return false;
	a->at++;
	if (!find(a))
		return false;
	print(a);
	return true;
}

bool setup_ask_is_secret(const struct setup_ask *a)
{
	return a->at < SETUP_QUESTIONS && now(a)->secret;
}

/* --- without ------------------------------------------------------------ */

bool setup_ask_given(struct setup_ask *a, enum setup_question q,
		     const char *text, char why[SETUP_WHY_MAX])
{
	char sentence[SETUP_WHY_MAX] = "";

	a->at = q;
	a->option = true;
	a->given[q] = answer(a, text, sentence);
	a->option = false;
	if (a->given[q])
		return true;
	(void)snprintf(why, SETUP_WHY_MAX, "%s: %.400s", now(a)->option,
		       sentence);
	return false;
}

bool setup_ask_rest(struct setup_ask *a, char why[SETUP_WHY_MAX])
{
	a->at = 0;
	for (; find(a); a->at++) {
		char sentence[SETUP_WHY_MAX] = "";

		if (answer(a, "", sentence))
			continue;
		(void)snprintf(why, SETUP_WHY_MAX, "%s is missing: %.400s",
			       now(a)->option, sentence);
		return false;
	}
	return true;
}

/* --- options among themselves ------------------------------------------- */

bool setup_ask_agrees(const struct setup_ask *a, bool answered,
		      char why[SETUP_WHY_MAX])
{
	const enum setup_network network = a->plan.network;
	const bool *given = a->given;

	if ((answered || given[SETUP_Q_NETWORK]) &&
	    ((given[SETUP_Q_REGISTRAR] && network == SETUP_ALONE) ||
	     (given[SETUP_Q_KEY] && network != SETUP_KEYHOLE) ||
	     (given[SETUP_Q_PASSWORD] && network != SETUP_ALLSTARLINK)))
		return setup_refuse(why, "--registrar-key is for --network "
					 "keyhole, --password-file for "
					 "allstarlink, --registrar for both");
	if ((answered || given[SETUP_Q_RADIO]) && given[SETUP_Q_FOB] &&
	    a->plan.radio != CONF_RADIO_CM108)
		return setup_refuse(why, "--fob-serial is for --radio cm108");
	return true;
}

/* --- what is going to be ------------------------------------------------ */

static void tell_radio(const struct setup_ask *a)
{
	static const char *const words[] = {
		[CONF_RADIO_NONE] = "none",
		[CONF_RADIO_SIM] = "simulated, for trying",
		[CONF_RADIO_ALSA] = "a sound card (alsa)",
		[CONF_RADIO_CM108] = "a USB fob (cm108)",
	};
	const struct setup_plan *p = &a->plan;

	(void)fprintf(a->to, "  radio      %s", words[p->radio]);
	if (p->radio == CONF_RADIO_CM108 && p->serial[0])
		(void)fprintf(a->to, ", serial %s", p->serial);
	if (p->radio == CONF_RADIO_CM108 && p->fob_port[0])
		(void)fprintf(a->to, ", at port %s", p->fob_port);
	(void)fputs("\n", a->to);
}

void setup_ask_tell(const struct setup_ask *a)
{
	const struct setup_plan *p = &a->plan;

	(void)fprintf(a->to, "  node       %s %s\n", p->number, p->callsign);
	if (p->network == SETUP_ALONE)
		(void)fprintf(a->to, "  registrar  %s\n",
			      a->facts->is->registrars_n > 0
				      ? "as the file has it"
				      : "none");
	else
		(void)fprintf(a->to, "  registrar  %s, port %u, by %s\n",
			      p->host, p->port,
			      p->network == SETUP_KEYHOLE ? "key" : "password");
	tell_radio(a);
	(void)fprintf(a->to, "  settings   %s%s\n", a->facts->config,
		      a->facts->existing ? ", edited" : ", new");
	(void)fprintf(a->to, "  identity   %s\n", p->key_file);
}
