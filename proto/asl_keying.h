/* SPDX-License-Identifier: MIT */
#ifndef PROTO_ASL_KEYING_H
#define PROTO_ASL_KEYING_H

/*
 * How the two ends of a link agree what keys, as AllStarLink's nodes do: a node
 * says "!NEWKEY1!" as soon as the call is up, and from the answer, or from its
 * absence for two seconds, each knows the other.  A machine of one link, as a
 * function of what was received and of time.
 */

#include <stdbool.h>

#include "proto/asl_text.h"
#include "proto/mono.h"

#define ASL_KEYING_WAIT_US (2 * MONO_S)    /* for the other's word */
#define ASL_KEYING_REFRESH_US (2 * MONO_S) /* KEY and UNKEY are repeated */
#define ASL_KEYING_LOST_US (10 * MONO_S)   /* without one: unkeyed */

enum asl_keying_state {
	ASL_KEYING_OPEN,      /* it has not said yet; as NEW */
	ASL_KEYING_NEW,       /* voice keys; KEY means nothing */
	ASL_KEYING_REDUNDANT, /* KEY and UNKEY, repeated */
	ASL_KEYING_LEGACY,    /* KEY and UNKEY; voice flows all the time */
	/* It has sent nothing that only nodes do: a telephone, or another
	 * program.  Voice keys, or nobody would ever hear it. */
	ASL_KEYING_PLAIN,
};

const char *asl_keying_text(enum asl_keying_state s);

struct asl_keying {
	enum asl_keying_state state;
	mono_us opened;
	bool node; /* it has sent what only nodes send */
	bool its;  /* its last word was KEY */
	mono_us its_at;
	bool ours;       /* we are speaking */
	mono_us ours_at; /* it was told */
};

/* What is to be done now. */
enum asl_keying_due {
	ASL_KEYING_NOTHING,
	ASL_KEYING_TELL,   /* say KEY or UNKEY again, as @ours is */
	ASL_KEYING_LOST,   /* it is not heard any more */
	ASL_KEYING_IS_OLD, /* LEGACY from now on: worth a warning */
};

void asl_keying_start(struct asl_keying *k, mono_us now);
/* A message that was not malformed.  True: answer with "!NEWKEY!". */
bool asl_keying_on_text(struct asl_keying *k, enum asl_kind kind, mono_us now);
/* KEY or UNKEY. */
void asl_keying_on_key(struct asl_keying *k, bool keyed, mono_us now);
/* Is voice that comes now meant to be heard? */
bool asl_keying_hears(const struct asl_keying *k);
/* We begin or end to speak.  True: say KEY (UNKEY is always said). */
bool asl_keying_speak(struct asl_keying *k, bool speaking, mono_us now);
/* One thing at a time: call it until there is nothing. */
enum asl_keying_due asl_keying_tick(struct asl_keying *k, mono_us now);
mono_us asl_keying_deadline(const struct asl_keying *k);

#endif
