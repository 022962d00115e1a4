/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_MEASURE_PRIV_H
#define PROTO_OPENOVER_MEASURE_PRIV_H

/* What the questions (openover_measure_ask.c), their order
 * (openover_measure.c) and the hole's life (openover_measure_life.c) share. */

#include "proto/openover_measure.h"

enum measure_answer {
	ANSWER_NONE, /* not yet */
	ANSWER_YES,  /* the address is known, the datagram came */
	ANSWER_NO,   /* it was sent three times and never came */
	ANSWER_LOST, /* the registrar does not answer */
};

/* How does flow @flow look from @end? */
void measure_ask_seen(struct oo_measure *m, enum oo_family family, size_t flow,
		      enum oo_end end, mono_us now);
/* Does a datagram from @end reach flow @flow? */
void measure_ask_there(struct oo_measure *m, enum oo_family family, size_t flow,
		       enum oo_end end, mono_us now);
enum measure_answer measure_question_rx(struct oo_measure *m,
					const struct oo_reg *g,
					const struct dgram *d,
					const struct oo_msg *msg, mono_us now);
/* Ask, or ask again, when it is time. */
enum measure_answer measure_question_due(struct oo_measure *m, struct oo_reg *g,
					 mono_us now);

/* Start with the hole's life for @family; false: no socket of it. */
bool measure_life_begin(struct oo_measure *m, enum oo_family family,
			mono_us now);
/* An answer during the steps WARM to LIFE; what changed. */
unsigned measure_life_on(struct oo_measure *m, enum measure_answer a,
			 mono_us now);

#endif
