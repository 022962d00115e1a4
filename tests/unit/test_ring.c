/* SPDX-License-Identifier: MIT */

#include "audio/ring.h"

#include <pthread.h>
#include <sched.h>

#include "tests/t.h"

#define ROOM 64U
#define MANY 2000000U

static void what_is_put_is_taken_in_order(void)
{
	struct ring r;
	uint32_t in[ROOM + 1], out[ROOM + 1] = { 0 };

	T_EQ(0, ring_init(&r, sizeof(in[0]), ROOM));
	for (uint32_t i = 0; i <= ROOM; i++)
		in[i] = 1000 + i;
	T_EQ(0, ring_waits(&r));
	T_EQ(ROOM, ring_room(&r));
	T_EQ(0, ring_take(&r, out, 1));
	T_EQ(3, ring_put(&r, in, 3));
	T_EQ(2, ring_peek(&r, out, 2));
	T_EQ(1000, out[0]);
	T_EQ(3, ring_waits(&r));
	T_EQ(2, ring_take(&r, NULL, 2));
	T_EQ(1, ring_take(&r, out, 5));
	T_EQ(1002, out[0]);
	T_EQ(3, ring_put_index(&r));
	T_EQ(3, ring_taken_index(&r));
	ring_done(&r);
}

static void what_does_not_fit_is_not_put(void)
{
	struct ring r;
	uint32_t in[ROOM + 1], out[ROOM + 1];

	T_EQ(0, ring_init(&r, sizeof(in[0]), ROOM));
	for (uint32_t i = 0; i <= ROOM; i++)
		in[i] = i;
	/* So that it goes round the end. */
	T_EQ(40, ring_put(&r, in, 40));
	T_EQ(40, ring_take(&r, out, 40));
	T_EQ(ROOM, ring_put(&r, in, ROOM + 1));
	T_EQ(0, ring_room(&r));
	T_EQ(0, ring_put(&r, in, 1));
	T_EQ(ROOM, ring_take(&r, out, ROOM + 1));
	T_EQ(0, memcmp(in, out, ROOM * sizeof(in[0])));
	ring_done(&r);
}

static void the_indices_wrap(void)
{
	struct ring r;
	uint32_t in[3] = { 7, 8, 9 }, out[3] = { 0 };

	T_EQ(0, ring_init(&r, sizeof(in[0]), ROOM));
	atomic_store(&r.put, UINT32_MAX - 1);
	atomic_store(&r.taken, UINT32_MAX - 1);
	T_EQ(3, ring_put(&r, in, 3));
	T_EQ(1, ring_put_index(&r));
	T_EQ(3, ring_waits(&r));
	T_EQ(ROOM - 3, ring_room(&r));
	T_EQ(3, ring_take(&r, out, 3));
	T_EQ(9, out[2]);
	ring_done(&r);
}

static void *put_many(void *arg)
{
	struct ring *r = arg;
	uint32_t next = 0;

	while (next < MANY) {
		uint32_t some[17], n = next % 17 + 1;

		if (n > MANY - next)
			n = MANY - next;
		for (uint32_t i = 0; i < n; i++)
			some[i] = next + i;
		n = ring_put(r, some, n);
		next += n;
		if (n == 0)
			(void)sched_yield();
	}
	return NULL;
}

static void two_threads_lose_nothing(void)
{
	struct ring r;
	pthread_t other;
	uint32_t next = 0;

	T_EQ(0, ring_init(&r, sizeof(next), ROOM));
	T_EQ(0, pthread_create(&other, NULL, put_many, &r));
	while (next < MANY) {
		uint32_t some[13];
		const uint32_t n = ring_take(&r, some, next % 13 + 1);

		for (uint32_t i = 0; i < n; i++)
			T_EQ(next + i, some[i]);
		next += n;
		if (n == 0)
			(void)sched_yield();
	}
	T_EQ(0, pthread_join(other, NULL));
	T_EQ(0, ring_waits(&r));
	ring_done(&r);
}

int main(void)
{
	T_RUN(what_is_put_is_taken_in_order);
	T_RUN(what_does_not_fit_is_not_put);
	T_RUN(the_indices_wrap);
	T_RUN(two_threads_lose_nothing);
	return T_DONE();
}
