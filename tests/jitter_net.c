/* SPDX-License-Identifier: MIT */

#include "tests/jitter_net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FRAMES_A_PACKET 7U /* of 1500 octets, with their headers */

static double uniform(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return (double)(*seed >> 8) / (double)(1U << 24);
}

/* Of the frames that a stream without pauses would have, those that are
 * spoken.  @leaves_ms: when each leaves the queue. */
static void speak(struct net *net, const uint32_t leaves_ms[NET_SLOTS])
{
	uint32_t seed = 17, left = 0, pause = 0;

	net->frames = 0;
	for (uint32_t slot = 0; slot < NET_SLOTS; slot++) {
		struct net_frame *f = &net->frame[net->frames];

		if (pause > 0) {
			pause--;
			continue;
		}
		f->spurt = left == 0;
		if (left == 0)
			left = 100 + (uint32_t)(uniform(&seed) * 500);
		f->sent_us = slot * (uint64_t)NET_SLOT_US;
		f->arrival_us = leaves_ms[slot] * UINT64_C(1000);
		net->frames++;
		if (--left == 0)
			pause = 25 + (uint32_t)(uniform(&seed) * 75);
	}
}

/* --- recorded ----------------------------------------------------------- */

static bool read_number(FILE *f, uint32_t *number)
{
	*number = 0;
	for (uint32_t shift = 0; shift < 28; shift += 7) {
		const int c = getc(f);

		if (c == EOF)
			return false;
		*number |= ((uint32_t)c & 0x7f) << shift;
		if ((c & 0x80) == 0)
			return true;
	}
	return false;
}

bool net_read(struct net *net, size_t which)
{
	static const char *const names[NET_RECORDED] = {
		"ATT-LTE-driving",
		"TMobile-UMTS-driving",
		"TMobile-LTE-short",
	};
	static uint32_t leaves_ms[NET_SLOTS];
	char path[512];
	uint32_t slot = 0, at = 0, more;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s.leb", CELLULAR, names[which]);
	f = fopen(path, "rb");
	if (!f)
		return false;
	while (slot < NET_SLOTS && read_number(f, &more)) {
		at += more;
		leaves_ms[slot++] = at;
	}
	(void)fclose(f);
	(void)snprintf(net->name, sizeof(net->name), "%s", names[which]);
	speak(net, leaves_ms);
	return slot == NET_SLOTS;
}

/* --- made --------------------------------------------------------------- */

/* How a link behaves: it is good, slow, or gone. */
struct character {
	const char *name;
	double good_per_ms; /* packets */
	double slow_per_ms;
	double slow_odds, gone_odds; /* in each ms of good */
	double slow_ms, gone_ms;     /* their mean lengths */
	uint32_t seed;
};

static const struct character characters[NET_MADE] = {
	{ "made-steady", 0.9, 0.3, 0.0002, 0, 100, 0, 11 },
	{ "made-lte-slow", 0.6, 0.05, 0.0006, 0.00003, 120, 150, 3 },
	{ "made-lte-fast", 0.10, 0.02, 0.0008, 0.00010, 400, 700, 5 },
	{ "made-umts", 0.15, 0.008, 0.0010, 0.00010, 900, 900, 9 },
};

void net_make(struct net *net, size_t which)
{
	const struct character *c = &characters[which];
	static uint32_t leaves_ms[NET_SLOTS];
	uint32_t seed = c->seed, head = 0;
	double rate = c->good_per_ms, left = 0;

	for (uint32_t ms = 0; head < NET_SLOTS; ms++) {
		const double odds = uniform(&seed), length = uniform(&seed);

		if (left > 0) {
			left--;
		} else if (odds < c->gone_odds) {
			rate = 0;
			left = -log(1 - length) * c->gone_ms;
		} else if (odds < c->gone_odds + c->slow_odds) {
			rate = c->slow_per_ms;
			left = -log(1 - length) * c->slow_ms;
		} else {
			rate = c->good_per_ms;
		}
		if (uniform(&seed) >= rate)
			continue;
		for (uint32_t n = 0; n < FRAMES_A_PACKET; n++) {
			if (head == NET_SLOTS || head * 20 > ms)
				break;
			leaves_ms[head++] = ms;
		}
	}
	(void)snprintf(net->name, sizeof(net->name), "%s", c->name);
	speak(net, leaves_ms);
}
