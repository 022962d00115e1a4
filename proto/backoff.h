/* SPDX-License-Identifier: MIT */
#ifndef PROTO_BACKOFF_H
#define PROTO_BACKOFF_H

/*
 * How long to wait before the next try: twice as long after every failure,
 * never longer than a bound, with jitter so that a crowd that lost its
 * registrar does not return in one moment.
 */

#include "proto/keys.h"
#include "proto/mono.h"

struct backoff {
	mono_us min; /* after the first failure */
	mono_us max;
	random_fn random;
	void *random_ctx;
};

/* Uniform in [@low, @high); @low when the range is empty. */
mono_us backoff_spread(const struct backoff *b, mono_us low, mono_us high);
/* The pause after @failures failures, counted from 0: from half of
 * min << failures up to the whole of it, both at most max. */
mono_us backoff_pause(const struct backoff *b, unsigned failures);

#endif
