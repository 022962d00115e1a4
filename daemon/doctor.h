/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_DOCTOR_H
#define DAEMON_DOCTOR_H

/*
 * What is wrong with this node, what it means, and what to do.  A check is a
 * function and a row of the table in doctor.c; it adds any number of findings.
 */

#include <jansson.h>

#include "daemon/app.h"

enum doctor_state { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor {
	const struct app *app;
	const char *check; /* the row's name */
	json_t *findings;
	bool failed;
};

/* One finding; each text one sentence, @mend empty when nothing is to do. */
void doctor_find(struct doctor *d, enum doctor_state state, const char *seen,
		 const char *meaning, const char *mend);

/* doctor_lookup.c: whether nodes can be found. */
void doctor_lookup(struct doctor *d);

#endif
