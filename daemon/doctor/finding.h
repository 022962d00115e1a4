/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_DOCTOR_FINDING_H
#define DAEMON_DOCTOR_FINDING_H

/*
 * What the doctor finds: one finding for each thing that was looked at, with
 * what is seen, what that comes from and how to mend it.  A check is a pure
 * function from what was gathered (the other headers of this folder) to
 * findings; who gathers is the daemon for what it knows, and the console for
 * what has to work without a daemon.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_SKIPPED, /* it could not be looked at, or not yet */
	DOCTOR_WARN,    /* it works, but not as it should */
	DOCTOR_BAD,
};

#define DOCTOR_TEXT_MAX 480U

struct doctor_finding {
	const char *id; /* what was looked at, a word; a literal */
	enum doctor_state state;
	/* Sentences; @cause and @mend may be empty when all is well. */
	const char *seen, *cause, *mend;
};

/* Findings, in the order in which they were made. */
struct doctor {
	json_t *list;
};

/* An empty list; @d->list is NULL without memory, which is harmless. */
void doctor_begin(struct doctor *d);
void doctor_end(struct doctor *d);
/* Its texts are copied; what is no UTF-8 becomes question marks. */
void doctor_find(struct doctor *d, const struct doctor_finding *f);

/* "ok", "skipped", "warn" or "bad". */
const char *doctor_state_text(enum doctor_state s);
/* Nothing in @list, of objects as doctor_find() makes them, is a warning or
 * worse. */
bool doctor_all_well(const json_t *list);

#endif
