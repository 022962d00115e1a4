/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_SETUP_ASKED_H
#define DAEMON_CONSOLE_SETUP_ASKED_H

/*
 * The questions of keyhole setup: what each says, and what it takes.  Pure.
 */

#include "daemon/console/setup.h"

struct setup_asked {
	const char *option; /* that answers it */
	bool secret;        /* what is typed is not shown */
	/* NULL: always. */
	bool (*applies)(const struct setup_ask *a);
	/* A sentence of help, and the question. */
	void (*print)(const struct setup_ask *a);
	/* What Enter means; "": nothing. */
	void (*usual)(const struct setup_ask *a, char out[SETUP_ANSWER_MAX]);
	/* False with a sentence in @why. */
	bool (*take)(struct setup_ask *a, const char *answer,
		     char why[SETUP_WHY_MAX]);
};

const struct setup_asked *setup_asked(enum setup_question q);

/* setup_network.c */
extern const struct setup_asked setup_asked_network;
extern const struct setup_asked setup_asked_registrar;
extern const struct setup_asked setup_asked_key;
extern const struct setup_asked setup_asked_password;

/* setup_radio.c */
extern const struct setup_asked setup_asked_radio;
extern const struct setup_asked setup_asked_fob;

/* setup_questions.c: for all of them. */

/* False, with a sentence in @why. */
__attribute__((format(printf, 2, 3))) bool
setup_refuse(char why[SETUP_WHY_MAX], const char *format, ...);
/* As much of it as fits. */
void setup_copy(char *out, size_t cap, const char *text);
/* Would keyholed take @text as that setting, of a group or an entry of a
 * list? */
bool setup_fits(const char *group, const char *name, const char *text);
/* Settings without a number, as in the example, are nobody's yet. */
bool setup_is_new(const struct setup_ask *a);

#endif
