/* SPDX-License-Identifier: MIT */

/* Statistics for AllStarLink: when they are posted, and what they say. */

#include "proto/asl_stats.h"
#include "tests/t.h"

static struct asl_stats g;
static mono_us now;
static unsigned seed;

static void dice(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245U + 12345U;
		buf[i] = (uint8_t)(seed >> 16);
	}
}

static void start(void)
{
	const struct asl_stats_cfg cfg = { .interval_s = 180, .random = dice };

	now = 5 * MONO_S;
	asl_stats_init(&g, &cfg, now);
}

/* Seconds until something is posted, which is @want. */
static uint64_t next(enum asl_stats_what want)
{
	const mono_us from = now;

	T_EQ(ASL_STATS_NOTHING, asl_stats_tick(&g, now));
	now = asl_stats_deadline(&g);
	T_EQ(want, asl_stats_tick(&g, now));
	return (now - from) / MONO_S;
}

static void between(uint64_t low, uint64_t got, uint64_t high)
{
	T_TRUE(got >= low);
	T_TRUE(got <= high);
}

static void they_are_posted_evenly(void)
{
	start();
	T_EQ(10, next(ASL_STATS_ALL));
	for (int i = 0; i < 100; i++) {
		T_TRUE(!asl_stats_answered(&g, 200, now));
		between(180, next(ASL_STATS_ALL), 182);
	}
}

static void failures_are_told_once_and_backed_off(void)
{
	start();
	(void)next(ASL_STATS_ALL);
	T_TRUE(asl_stats_answered(&g, 502, now));
	between(180, next(ASL_STATS_ALL), 360);
	T_TRUE(!asl_stats_answered(&g, 502, now));
	between(360, next(ASL_STATS_ALL), 720);
	T_TRUE(asl_stats_answered(&g, 401, now));
	for (int i = 0; i < 300; i++) {
		(void)next(ASL_STATS_ALL);
		T_TRUE(!asl_stats_answered(&g, 401, now));
	}
	between(1800, next(ASL_STATS_ALL), 3600);
	/* Nor is a key told to who does not listen. */
	asl_stats_keyed(&g, true, now);
	T_TRUE(asl_stats_deadline(&g) > now + MONO_S);
	T_TRUE(asl_stats_answered(&g, 200, now));
	asl_stats_keyed(&g, false, now + 6 * MONO_S);
	T_EQ(6, next(ASL_STATS_KEY));
	/* Without an answer the pauses grow as well. */
	(void)next(ASL_STATS_ALL);
	between(1, next(ASL_STATS_ALL), 182);
}

static void a_key_is_told_at_once_but_not_each(void)
{
	start();
	(void)next(ASL_STATS_ALL);
	(void)asl_stats_answered(&g, 200, now);
	T_EQ(0, asl_stats_keytime_s(&g, now));
	now += 20 * MONO_S;
	asl_stats_keyed(&g, true, now);
	T_EQ(ASL_STATS_KEY, asl_stats_tick(&g, now));
	asl_stats_keyed(&g, true, now);
	T_EQ(ASL_STATS_NOTHING, asl_stats_tick(&g, now));
	for (int i = 0; i < 20; i++) {
		now += 100 * MONO_MS;
		asl_stats_keyed(&g, i % 2 != 0, now);
		T_EQ(ASL_STATS_NOTHING, asl_stats_tick(&g, now));
	}
	T_EQ(3, next(ASL_STATS_KEY));
	T_EQ(3, asl_stats_keytime_s(&g, now));
	(void)next(ASL_STATS_ALL);
}

static const struct asl_stats_report report = {
	.node = "1999",
	.time_s = 1700000000,
	.seqno = 7,
	.links = "T2001,R2002,TW1AW/P 1",
	.version = "0.1.0",
	.uptime_s = 1,
	.kerchunks = 2,
	.keyups = 3,
	.tx_s = 4,
	.timeouts = 5,
	.commands = 6,
	.keyed = true,
	.keytime_s = 8,
};

static void the_address_says_all_or_the_key(void)
{
	static const char all[] =
		"http://x/uhandler?node=1999&time=1700000000&seqno=7"
		"&nodes=T2001,R2002,TW1AW%2FP%201&apprptvers=0.1.0"
		"&apprptuptime=1&totalkerchunks=2&totalkeyups=3&totaltxtime=4"
		"&timeouts=5&totalexecdcommands=6&keyed=1&keytime=8";
	static const char key[] = "http://x/uhandler?node=1999&time=1700000000"
				  "&seqno=7&keyed=1&keytime=8";
	char text[512];

	T_EQ(strlen(all), asl_stats_url(text, sizeof(text), "http://x/uhandler",
					ASL_STATS_ALL, &report));
	T_STR(all, text);
	T_EQ(strlen(key), asl_stats_url(text, sizeof(text), "http://x/uhandler",
					ASL_STATS_KEY, &report));
	T_STR(key, text);
	for (size_t cap = 1; cap <= strlen(all); cap++) {
		char *exact = malloc(cap);

		T_EQ(0, asl_stats_url(exact, cap, "http://x/uhandler",
				      ASL_STATS_ALL, &report));
		free(exact);
	}
}

int main(void)
{
	T_RUN(they_are_posted_evenly);
	T_RUN(failures_are_told_once_and_backed_off);
	T_RUN(a_key_is_told_at_once_but_not_each);
	T_RUN(the_address_says_all_or_the_key);
	return T_DONE();
}
