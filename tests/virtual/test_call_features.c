/* SPDX-License-Identifier: MIT */

/* What both ends of a call announced is in use, and nothing else. */

#include <sodium.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/move_world.h"

static void call_with(uint32_t a, uint32_t b, bool ticketed)
{
	features_of[A] = a;
	features_of[B] = b;
	begin(ticketed);
	T_TRUE(!side[A].down && !side[B].down);
}

static void both_must_have_a_feature(void)
{
	static const struct {
		uint32_t a, b, both;
	} cases[] = { { 1, 1, 1 },         { 1, 0, 0 }, { 0, 1, 0 },
		      { 0, 0, 0 },         { 3, 6, 2 }, { 1, 0x80000001, 1 },
		      { 0x80000000, 1, 0 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		call_with(cases[i].a, cases[i].b, true);
		T_EQ(cases[i].both, info(A).features);
		T_EQ(cases[i].both, info(B).features);
		move_end();
	}
}

/* Asterisk would say in its log that it knows no such element. */
static void without_a_ticket_nothing_is_announced(void)
{
	call_with(1, 1, false);
	T_TRUE(side[A].ep != NULL);
	T_EQ(0, info(A).features);
	T_EQ(0, info(B).features);
	move_end();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(both_must_have_a_feature);
	T_RUN(without_a_ticket_nothing_is_announced);
	return T_DONE();
}
