/* SPDX-License-Identifier: MIT */

/* A day without a call costs little, whatever the node does to be reached. */

#include <stdio.h>

#include "tests/t.h"
#include "tests/virtual/idle_day.h"

#define DAY_OCTETS_MAX 1500000U

static const unsigned lives_s[] = { 30, 60, 120 };
#define LIVES (sizeof(lives_s) / sizeof(lives_s[0]))

static void an_idle_day_costs_little(void)
{
	for (size_t i = 0; i < LIVES; i++) {
		const struct idle_day d = idle_day(lives_s[i], OO_RELAY_LAST);

		printf("# hole life %u s: %llu octets a day, %llu of them to "
		       "the router\n",
		       lives_s[i], (unsigned long long)(d.registrar + d.router),
		       (unsigned long long)d.router);
		T_TRUE(d.measured >= 4 && d.measured <= 7);
		T_TRUE(d.router > 0);
		T_TRUE(d.registrar + d.router <= DAY_OCTETS_MAX);
	}
}

static void a_relay_of_last_resort_costs_nothing_while_it_is_not_needed(void)
{
	for (size_t i = 0; i < LIVES; i++)
		T_EQ(idle_day(lives_s[i], OO_RELAY_NEVER).registrar,
		     idle_day(lives_s[i], OO_RELAY_LAST).registrar);
}

static void a_relay_for_plain_callers_costs_little(void)
{
	for (size_t i = 0; i < LIVES; i++) {
		const struct idle_day never =
			idle_day(lives_s[i], OO_RELAY_NEVER);
		const struct idle_day always =
			idle_day(lives_s[i], OO_RELAY_ALWAYS);

		printf("# hole life %u s: %llu octets a day more for an "
		       "address at the relay\n",
		       lives_s[i],
		       (unsigned long long)(always.registrar -
					    never.registrar));
		T_TRUE(always.registrar > never.registrar);
		T_TRUE(always.registrar + always.router <= DAY_OCTETS_MAX);
	}
}

int main(void)
{
	T_RUN(an_idle_day_costs_little);
	T_RUN(a_relay_of_last_resort_costs_nothing_while_it_is_not_needed);
	T_RUN(a_relay_for_plain_callers_costs_little);
	return T_DONE();
}
