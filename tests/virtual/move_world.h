/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_MOVE_WORLD_H
#define TESTS_VIRTUAL_MOVE_WORLD_H

/*
 * Two endpoints in a call, on a wire without delay: the test sees every frame
 * but minis, may lose a MOVE, and says where each end is.
 */

#include "proto/iax2_endpoint.h"
#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"

#define SIDES 2

enum { A, B }; /* A called B */

struct side {
	struct iax2_endpoint *ep;
	struct key_identity id;
	struct net_addr at;   /* where it is, as the other sees it */
	struct net_addr also; /* and where the other's own @also sees it */
	struct iax2_call_id call;
	unsigned moved, silent, failed, texts, voices;
	bool down;
	enum iax2_down_reason why;
	struct net_path from, to; /* of the last move */
	bool ours;
};

struct frame {
	int from;
	struct net_addr src;
	struct net_addr dst;
	uint8_t data[DGRAM_MAX];
	size_t len;
};

extern struct side side[SIDES];
extern mono_us now;
/* What each end announces that it can do. */
extern uint32_t features_of[SIDES];
extern struct frame frames[];
extern size_t frames_n;
extern int lose_move; /* of those from now on, this MOVE is lost; 0: none */

struct net_addr place(uint8_t n);
/* KH STEP of a MOVE; 0: it is none. */
uint8_t step_of(const struct frame *f);
/* A datagram reaches @to as if from @src. */
enum iax2_err give(int to, const struct net_addr *src, const uint8_t *data,
		   size_t len);
/* On that path, such as a relay's. */
enum iax2_err give_by(int to, const struct net_path *path, const uint8_t *data,
		      size_t len);
/* What @from sends next arrives where somebody is; false: nothing. */
bool carry(int from);
/* Until nothing moves. */
void settle(void);
void run(mono_us d);
/* A call that is up, by ticket or without. */
void begin(bool ticketed);
struct iax2_call_info info(int i);
/* Both ends send where the other one is. */
void meet(void);
void say(int i, const char *text);
/* So many frames of voice, 20 ms each. */
void speak(int i, unsigned n, bool spurt);
void move(int i, const struct net_path *path);
/* The last MOVE of this step; fails when there is none. */
const struct frame *last_step(uint8_t step);
unsigned count_steps(int from);
void move_end(void);

#endif
