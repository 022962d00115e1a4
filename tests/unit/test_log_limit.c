/* SPDX-License-Identifier: MIT */

/* How many lines of a kind come out, in virtual time. */

#include "tests/t.h"
#include "daemon/io/log_limit.h"

#define SECOND_US UINT64_C(1000000)
#define MINUTE_MS 60000U
#define LINES 10U

static struct log_limit limit(void)
{
	return (struct log_limit){ MINUTE_MS, LINES, 0, 0, 0 };
}

static void a_few_come_out_and_the_rest_is_counted_at_the_end(void)
{
	struct log_limit l = limit();
	unsigned said = 0;

	for (int i = 0; i < 100; i++)
		said += log_limit_take(&l, 5 * SECOND_US);
	T_EQ(LINES, said);
	T_EQ(65 * SECOND_US, log_limit_due(&l));
	T_EQ(0, log_limit_count(&l, 65 * SECOND_US - 1));
	T_EQ(90, log_limit_count(&l, 65 * SECOND_US));
	T_EQ(0, log_limit_count(&l, 65 * SECOND_US));
	T_EQ(LOG_LIMIT_NEVER, log_limit_due(&l));
}

static void what_comes_seldom_all_comes_out(void)
{
	struct log_limit l = limit();

	for (uint64_t i = 0; i < 1000; i++) {
		T_TRUE(log_limit_take(&l, i * 7 * SECOND_US));
		T_EQ(LOG_LIMIT_NEVER, log_limit_due(&l));
	}
}

/* An hour of it: what is said and what is counted is all there was. */
static void a_flood_is_so_many_lines_a_minute_and_nothing_is_missing(void)
{
	struct log_limit l = limit();
	uint64_t said = 0, counts = 0, counted = 0, came = 0;

	for (uint64_t now = 0; now < 3600 * SECOND_US; now += 997) {
		if (log_limit_due(&l) <= now) {
			counted += log_limit_count(&l, now);
			counts++;
		}
		said += log_limit_take(&l, now);
		came++;
	}
	T_TRUE(counts == 59 || counts == 60);
	T_EQ(60 * LINES, said);
	counted += log_limit_count(&l, 7200 * SECOND_US);
	T_EQ(came, said + counted);
}

/* The clock's first second is as good as any. */
static void a_window_may_open_at_zero(void)
{
	struct log_limit l = { MINUTE_MS, 1, 0, 0, 0 };

	T_TRUE(log_limit_take(&l, 0));
	T_TRUE(!log_limit_take(&l, 0));
	T_EQ(60 * SECOND_US, log_limit_due(&l));
}

int main(void)
{
	T_RUN(a_few_come_out_and_the_rest_is_counted_at_the_end);
	T_RUN(what_comes_seldom_all_comes_out);
	T_RUN(a_flood_is_so_many_lines_a_minute_and_nothing_is_missing);
	T_RUN(a_window_may_open_at_zero);
	return T_DONE();
}
