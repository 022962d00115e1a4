/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LAB_WAN_RULES_H
#define TESTS_LAB_WAN_RULES_H

/*
 * What the emulated internet does to a packet: an ordered list of rules, each
 * a filter and an effect.  Of the rules that set a quality (delay, loss,
 * duplication, reordering) the last that matches a packet holds; every rule
 * that drops is asked.  Pure: no clock, no socket; randomness is seeded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lab/wan_packet.h"

#define WAN_RULES_MAX 128U

/* -1 means "any"; a prefix of family 0 matches every address. */
struct wan_prefix {
	struct wan_addr addr;
	unsigned bits;
};

struct wan_filter {
	struct wan_prefix src, dst;
	int32_t port; /* UDP, source or destination */
	int32_t sport, dport;
	int32_t type, subclass; /* of an IAX2 full frame */
};

enum wan_effect {
	WAN_DELAY,    /* hold for us, +- spread_us, in order within a pair */
	WAN_LOSS,     /* drop with probability p */
	WAN_DUP,      /* deliver twice with probability p */
	WAN_REORDER,  /* with probability p hold us longer, out of order */
	WAN_DROP_NTH, /* drop the nth match once, UDP only */
	WAN_DROP, /* drop the first nth matches, all of them when nth is 0 */
};

struct wan_rule {
	unsigned id;
	enum wan_effect effect;
	struct wan_filter filter;
	double p;
	uint64_t us, spread_us;
	uint64_t nth;
	uint64_t seen; /* packets that matched */
	uint64_t hits; /* packets it took effect on */
	uint64_t rng;
};

struct wan_rules {
	struct wan_rule rule[WAN_RULES_MAX];
	unsigned count;
	unsigned last_id;
};

/* What is to happen to one packet. */
struct wan_fate {
	const char *dropped; /* why, or NULL when it is to be delivered */
	bool twice;
	bool out_of_order; /* may pass, or be passed by, its neighbours */
	uint64_t hold_us;
};

/* Decide over @pkt and count it in the rules it met. */
struct wan_fate wan_rules_judge(struct wan_rules *rules,
				const struct wan_packet *pkt);

/*
 * Carry out one command that sets or clears rules, split into @argc words:
 *   delay MS [JITTER_MS]   loss P [SEED]   dup P   reorder P [EXTRA_MS]
 *   drop N   dropmatch [count=N]   clear [ID]
 * each followed by any of src=PREFIX dst=PREFIX port= sport= dport= type= sub=.
 * A quality with the same filter as an earlier rule takes its place.
 *
 * Returns the rule's number (0 for clear), or -EINVAL for words that make no
 * sense, -ENOENT for an unknown command or number, -ENOSPC for a full table.
 */
int wan_rules_command(struct wan_rules *rules, char *const *argv, int argc);

#endif
