/* SPDX-License-Identifier: MIT */

/* Who this node is, whether that is all, and what the questions share. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/console/setup_asked.h"

bool setup_refuse(char why[SETUP_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, SETUP_WHY_MAX, format, args);
	va_end(args);
	return false;
}

void setup_copy(char *out, size_t cap, const char *text)
{
	const size_t len = strnlen(text, cap - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

bool setup_fits(const char *group, const char *name, const char *text)
{
	char value[2 * SETUP_ANSWER_MAX], why[CONF_EDIT_WHY_MAX];
	const struct conf_edit edit = { group, name, value };
	struct conf_diags diags = { 0 };
	struct conf_node conf;
	char *made = NULL;
	bool ok;

	setup_quote(text, value, sizeof(value));
	ok = conf_edit_text("node = { number = \"1\"; };\n"
			    "registrars = ( { secret_file = \"x\"; "
			    "host = \"x\"; } );\n",
			    &edit, 1, &made, why) == 0 &&
	     conf_load_node_text(made, &conf, &diags) == 0;
	if (ok)
		conf_node_free(&conf);
	conf_diags_free(&diags);
	free(made);
	return ok;
}

bool setup_is_new(const struct setup_ask *a)
{
	return !a->facts->is->node.number[0];
}

/* --- number and callsign ------------------------------------------------ */

static void print_number(const struct setup_ask *a)
{
	(void)fputs("The number by which other nodes call this one, as the "
		    "network's operator\nassigned it.\nNode number",
		    a->to);
}

static void usual_number(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	setup_copy(out, SETUP_ANSWER_MAX, a->plan.number);
}

static bool take_number(struct setup_ask *a, const char *text, char *why)
{
	const size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > CONF_NUMBER_MAX || text[digits])
		return setup_refuse(
			why,
			"A node's number is 1 to %u digits, such as "
			"2001.",
			CONF_NUMBER_MAX);
	setup_copy(a->plan.number, sizeof(a->plan.number), text);
	return true;
}

static void print_callsign(const struct setup_ask *a)
{
	(void)fprintf(a->to,
		      "What other nodes show of this one; Enter for %s.\n"
		      "Callsign",
		      a->plan.callsign[0] ? "the one in brackets, - for none"
					  : "none");
}

static void usual_callsign(const struct setup_ask *a,
			   char out[SETUP_ANSWER_MAX])
{
	setup_copy(out, SETUP_ANSWER_MAX, a->plan.callsign);
}

static bool take_callsign(struct setup_ask *a, const char *text, char *why)
{
	if (strcmp(text, "-") == 0)
		text = "";
	if (!setup_fits("node", "callsign", text))
		return setup_refuse(why,
				    "A callsign is at most %u letters, digits, "
				    "/ and -.",
				    CONF_CALLSIGN_MAX);
	setup_copy(a->plan.callsign, sizeof(a->plan.callsign), text);
	return true;
}

/* --- and so? ------------------------------------------------------------ */

static void print_agree(const struct setup_ask *a)
{
	setup_ask_tell(a);
	(void)fputs("Nothing was changed so far. Go on? [Y/n]", a->to);
}

static void usual_agree(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	(void)a;
	setup_copy(out, SETUP_ANSWER_MAX, "y");
}

static bool take_agree(struct setup_ask *a, const char *text, char *why)
{
	if (text[0] == 'n' || text[0] == 'N')
		a->over = true;
	else if (text[0] != 'y' && text[0] != 'Y')
		return setup_refuse(why, "y or n, please.");
	return true;
}

/* --- all ---------------------------------------------------------------- */

static const struct setup_asked number = {
	.option = "--number",
	.print = print_number,
	.usual = usual_number,
	.take = take_number,
};

static const struct setup_asked callsign = {
	.option = "--callsign",
	.print = print_callsign,
	.usual = usual_callsign,
	.take = take_callsign,
};

static const struct setup_asked agree = {
	.option = "--yes",
	.print = print_agree,
	.usual = usual_agree,
	.take = take_agree,
};

const struct setup_asked *setup_asked(enum setup_question q)
{
	static const struct setup_asked *const asked[SETUP_QUESTIONS] = {
		[SETUP_Q_NUMBER] = &number,
		[SETUP_Q_CALLSIGN] = &callsign,
		[SETUP_Q_NETWORK] = &setup_asked_network,
		[SETUP_Q_REGISTRAR] = &setup_asked_registrar,
		[SETUP_Q_KEY] = &setup_asked_key,
		[SETUP_Q_PASSWORD] = &setup_asked_password,
		[SETUP_Q_RADIO] = &setup_asked_radio,
		[SETUP_Q_FOB] = &setup_asked_fob,
		[SETUP_Q_AGREE] = &agree,
	};

	return asked[q];
}
