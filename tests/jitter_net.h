/* SPDX-License-Identifier: MIT */
#ifndef TESTS_JITTER_NET_H
#define TESTS_JITTER_NET_H

/*
 * Ten minutes of what a network does to a stream of 20 ms frames: recorded on
 * cellular uplinks in a moving car (tests/data/cellular), or made here, from
 * fixed seeds.  The buffer's constants were chosen on those that are made; the
 * recorded ones only judge.
 *
 * On either, a person talks in overs of 2 to 12 s with pauses of 0.5 to 2 s.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_SLOTS 30000U /* of 20 ms */
#define NET_SLOT_US 20000U

struct net_frame {
	uint64_t sent_us;
	uint64_t arrival_us; /* in the order of sending */
	bool spurt;          /* the first of an over */
};

struct net {
	char name[32];
	size_t frames;
	struct net_frame frame[NET_SLOTS];
};

#define NET_RECORDED 3U
#define NET_MADE 4U

/* One of NET_RECORDED.  False when its file cannot be read. */
bool net_read(struct net *net, size_t which);
/* One of NET_MADE. */
void net_make(struct net *net, size_t which);

#endif
