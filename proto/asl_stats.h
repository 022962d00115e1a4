/* SPDX-License-Identifier: MIT */
#ifndef PROTO_ASL_STATS_H
#define PROTO_ASL_STATS_H

/*
 * The statistics that a node reports to AllStarLink: when, and what the
 * question to the web server looks like.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/keys.h"
#include "proto/mono.h"

struct asl_stats_cfg {
	uint32_t interval_s; /* 60..600 */
	random_fn random;
	void *random_ctx;
};

/* When to post. */
struct asl_stats {
	struct asl_stats_cfg cfg;
	mono_us due;      /* of the whole report */
	mono_us key_due;  /* of a change of the key; MONO_NEVER: none */
	mono_us key_last; /* when one was posted */
	mono_us keyed_at; /* 0: it never was */
	bool keyed;
	unsigned failures; /* in a row */
	unsigned status;   /* of the last answer */
};

enum asl_stats_what { ASL_STATS_NOTHING, ASL_STATS_ALL, ASL_STATS_KEY };

void asl_stats_init(struct asl_stats *g, const struct asl_stats_cfg *cfg,
		    mono_us now);
/* The receiver opened, or closed. */
void asl_stats_keyed(struct asl_stats *g, bool keyed, mono_us now);
/* What to post now. */
enum asl_stats_what asl_stats_tick(struct asl_stats *g, mono_us now);
/* The HTTP status that it was answered with; 0: none.  True when this is news:
 * it begins to fail, fails otherwise, or no longer. */
bool asl_stats_answered(struct asl_stats *g, unsigned status, mono_us now);
mono_us asl_stats_deadline(const struct asl_stats *g);
/* Seconds since it was keyed; 0 when it never was. */
uint32_t asl_stats_keytime_s(const struct asl_stats *g, mono_us now);

/* What is reported. */
struct asl_stats_report {
	const char *node;
	uint64_t time_s; /* since 1970, UTC */
	uint32_t seqno;
	const char *links; /* adjacent ones: T or R and the number, by commas */
	const char *version;
	uint64_t uptime_s, kerchunks, keyups, tx_s, timeouts, commands;
	bool keyed;
	uint32_t keytime_s;
};

/* The address to GET, NUL-terminated: @base, a question mark, and all of @r or
 * what a change of the key says.  Its length, 0 when it does not fit. */
size_t asl_stats_url(char *out, size_t cap, const char *base,
		     enum asl_stats_what what,
		     const struct asl_stats_report *r);

#endif
