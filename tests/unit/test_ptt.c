/* SPDX-License-Identifier: MIT */

#include "radio/ptt.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "radio/ptt_log.h"
#include "tests/t.h"

#define MS UINT64_C(1000)
#define S UINT64_C(1000000)

static struct ptt made(uint32_t timeout_s, uint32_t hang_ms)
{
	const struct ptt_config config = { .timeout_s = timeout_s,
					   .hang_ms = hang_ms };
	struct ptt p;

	T_EQ(0, ptt_init(&p, &config));
	return p;
}

static void limits_are_checked_and_cannot_be_switched_off(void)
{
	static const struct ptt_config bad[] = {
		{ .timeout_s = 0 },
		{ .timeout_s = 9 },
		{ .timeout_s = 601 },
		{ .timeout_s = 180, .hang_ms = PTT_HANG_MAX_MS + 1 },
		{ .timeout_s = 180, .key_up_ms = PTT_KEY_UP_MAX_MS + 1 },
		{ .timeout_s = 180, .courtesy_ms = PTT_COURTESY_MAX_MS + 1 },
		{ .timeout_s = 180,
		  .courtesy_wait_ms = PTT_COURTESY_MAX_MS + 1 },
		{ .timeout_s = 180, .ctcss_off_ms = PTT_CTCSS_OFF_MAX_MS + 1 },
		{ .timeout_s = 180, .announce_ms = PTT_ANNOUNCE_MAX_MS + 1 },
	};
	struct ptt p;

	T_EQ(0, ptt_init(&p, &ptt_config_default));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		T_EQ(-EINVAL, ptt_init(&p, &bad[i]));
		ptt_demand(&p, true, 5 * S);
		T_TRUE(!ptt_keyed(&p));
		p = made(10, 0);
		T_EQ(-EINVAL, ptt_configure(&p, &bad[i], 0));
		T_EQ(10, p.config.timeout_s);
	}
}

static void follows_the_demand_with_hang_time(void)
{
	struct ptt p = made(180, 300);

	T_TRUE(!ptt_keyed(&p));
	T_EQ(PTT_NEVER, ptt_deadline(&p));
	ptt_demand(&p, true, 1 * S);
	T_TRUE(ptt_keyed(&p));
	ptt_demand(&p, false, 2 * S);
	T_TRUE(ptt_keyed(&p));
	T_EQ(PTT_HANG, p.state);
	T_EQ(2 * S + 200 * MS, ptt_deadline(&p));
	ptt_tick(&p, 2 * S + 200 * MS);
	T_EQ(2 * S + 300 * MS, ptt_deadline(&p));
	ptt_tick(&p, 2 * S + 300 * MS - 1);
	T_TRUE(ptt_keyed(&p));
	ptt_tick(&p, 2 * S + 300 * MS);
	T_TRUE(!ptt_keyed(&p));
	T_EQ(PTT_NEVER, ptt_deadline(&p));

	/* Demand again within the hang time: no edge. */
	ptt_demand(&p, true, 3 * S);
	ptt_demand(&p, false, 4 * S);
	ptt_demand(&p, true, 4 * S + 250 * MS);
	ptt_tick(&p, 4 * S + 400 * MS);
	T_EQ(PTT_ON, p.state);
}

static void without_hang_time_it_unkeys_at_once(void)
{
	struct ptt p = made(180, 0);

	ptt_demand(&p, true, 0);
	ptt_demand(&p, false, 20 * MS);
	T_TRUE(!ptt_keyed(&p));
}

static void times_out_and_stays_off_until_the_demand_goes(void)
{
	struct ptt p = made(10, 300);

	ptt_demand(&p, true, 1 * S);
	T_EQ(11 * S, ptt_deadline(&p));
	ptt_tick(&p, 11 * S - 1);
	T_TRUE(ptt_keyed(&p));
	ptt_tick(&p, 11 * S);
	T_TRUE(!ptt_keyed(&p));
	T_EQ(PTT_TIMED_OUT, p.state);
	T_EQ(PTT_NEVER, ptt_deadline(&p));
	ptt_demand(&p, true, 3600 * S);
	T_TRUE(!ptt_keyed(&p));
	ptt_demand(&p, false, 3601 * S);
	T_TRUE(!ptt_keyed(&p));
	T_EQ(3601 * S + 200 * MS, ptt_deadline(&p));
	ptt_tick(&p, 3601 * S + 200 * MS);
	T_EQ(PTT_OFF, p.state);
	ptt_demand(&p, true, 3602 * S);
	T_TRUE(ptt_keyed(&p));
	T_EQ(3612 * S, ptt_deadline(&p));
}

static void a_late_tick_still_unkeys_and_a_missed_one_is_made_good(void)
{
	struct ptt p = made(10, 0);

	ptt_demand(&p, true, 0);
	ptt_tick(&p, 500 * S);
	T_TRUE(!ptt_keyed(&p));

	/* The unkeying input itself comes after the time-out. */
	p = made(10, 5000);
	ptt_demand(&p, true, 0);
	ptt_demand(&p, false, 11 * S);
	T_EQ(PTT_TIMED_OUT, p.state);
	ptt_demand(&p, true, 11 * S + 100 * MS);
	T_TRUE(!ptt_keyed(&p));
}

static void a_fluttering_demand_times_out_too(void)
{
	struct ptt p = made(10, 500);
	uint64_t now = 0;
	bool want = true;

	for (; ptt_keyed(&p) || now == 0; now += 150 * MS) {
		ptt_demand(&p, want, now);
		want = !want;
		T_TRUE(now <= 10 * S + 150 * MS);
	}
	T_EQ(PTT_TIMED_OUT, p.state);

	/* Rests of 200 ms start it afresh. */
	p = made(10, 500);
	for (now = 0; now < 60 * S; now += 2 * S) {
		ptt_demand(&p, true, now);
		T_TRUE(ptt_keyed(&p));
		ptt_demand(&p, false, now + 1700 * MS);
	}
}

static void forced_off_wins_over_everything(void)
{
	struct ptt p = made(10, 300);

	ptt_demand(&p, true, 1 * S);
	ptt_force_off(&p, true, 2 * S);
	T_TRUE(!ptt_keyed(&p));
	ptt_demand(&p, false, 3 * S);
	ptt_demand(&p, true, 4 * S);
	T_EQ(PTT_FORCED, p.state);
	ptt_tick(&p, 100 * S);
	T_TRUE(!ptt_keyed(&p));
	T_EQ(PTT_NEVER, ptt_deadline(&p));
	/* The timer went on meanwhile, so there is no keying from this demand. */
	ptt_force_off(&p, false, 101 * S);
	T_EQ(PTT_TIMED_OUT, p.state);

	/* No hang time after it. */
	p = made(10, 300);
	ptt_demand(&p, true, 0);
	ptt_demand(&p, false, 1 * S);
	ptt_force_off(&p, true, 1 * S + 10 * MS);
	ptt_force_off(&p, false, 1 * S + 20 * MS);
	T_TRUE(!ptt_keyed(&p));

	/* A demand that lasts through a short one is served again. */
	p = made(10, 300);
	ptt_demand(&p, true, 0);
	ptt_force_off(&p, true, 1 * S);
	ptt_force_off(&p, false, 2 * S);
	T_TRUE(ptt_keyed(&p));
	T_EQ(10 * S, ptt_deadline(&p));
}

static void a_shorter_limit_takes_effect_at_once(void)
{
	const struct ptt_config shorter = { .timeout_s = 10 };
	struct ptt p = made(600, 0);

	ptt_demand(&p, true, 0);
	ptt_tick(&p, 20 * S);
	T_TRUE(ptt_keyed(&p));
	T_EQ(0, ptt_configure(&p, &shorter, 20 * S));
	T_TRUE(!ptt_keyed(&p));
}

/* Random inputs, ticked only at the deadlines that it asks for: never keyed
 * for longer than the limits allow, and each deadline lies ahead. */
static void whatever_happens_it_is_never_keyed_for_too_long(void)
{
	uint32_t seed = 1;
	struct ptt p = made(10, 700);
	uint64_t now = 0, want_since = 0, off_since = 0;
	bool want = false;

	for (int i = 0; i < 200000; i++) {
		uint64_t next;

		seed = seed * 1664525U + 1013904223U;
		next = now + (seed >> 8) % (3 * S);
		while (ptt_deadline(&p) <= next) {
			T_TRUE(ptt_deadline(&p) > now);
			now = ptt_deadline(&p);
			ptt_tick(&p, now);
		}
		now = next;
		if ((seed & 7) == 0) {
			ptt_force_off(&p, (seed & 8) != 0, now);
		} else {
			const bool w = (seed & 16) != 0;

			if (w && !want && now - off_since >= PTT_REST_MS * MS)
				want_since = now;
			if (!w && want)
				off_since = now;
			want = w;
			ptt_demand(&p, w, now);
		}
		if (ptt_keyed(&p)) {
			T_TRUE(ptt_deadline(&p) != PTT_NEVER);
			T_TRUE(ptt_deadline(&p) > now);
			T_TRUE(now - want_since <= 10 * S + 700 * MS);
		}
	}
}

static void every_state_has_a_name(void)
{
	T_STR("off", ptt_state_name(PTT_OFF));
	T_STR("on", ptt_state_name(PTT_ON));
	T_STR("hang", ptt_state_name(PTT_HANG));
	T_STR("timed-out", ptt_state_name(PTT_TIMED_OUT));
	T_STR("forced-off", ptt_state_name(PTT_FORCED));
	T_STR("courtesy", ptt_state_name(PTT_COURTESY));
	T_STR("announce", ptt_state_name(PTT_ANNOUNCE));
	T_STR("tail", ptt_state_name(PTT_TAIL));
}

static void the_log_has_a_line_for_each_edge(void)
{
	char dir[] = "/tmp/keyhole-ptt-XXXXXX";
	char wav[64], path[80], got[256] = "";
	struct ptt_log *log;
	FILE *file;

	T_TRUE(mkdtemp(dir));
	(void)snprintf(wav, sizeof(wav), "%s/tx.wav", dir);
	(void)snprintf(path, sizeof(path), "%s" PTT_LOG_SUFFIX, wav);
	for (unsigned run = 0; run < 2; run++) {
		T_EQ(0, ptt_log_open(&log, wav));
		T_EQ(0, ptt_log_set(log, false, 1));
		T_EQ(0, ptt_log_set(log, true, 20 + run));
		T_EQ(0, ptt_log_set(log, true, 30));
		T_EQ(0, ptt_log_set(log, false, UINT64_MAX));
		T_TRUE(!ptt_log_free(log));
	}
	file = fopen(path, "re");
	T_TRUE(file);
	T_TRUE(fread(got, 1, sizeof(got) - 1, file) > 0);
	(void)fclose(file);
	T_STR("{\"ptt\":true,\"t_us\":20}\n"
	      "{\"ptt\":false,\"t_us\":18446744073709551615}\n"
	      "{\"ptt\":true,\"t_us\":21}\n"
	      "{\"ptt\":false,\"t_us\":18446744073709551615}\n",
	      got);
	T_EQ(0, unlink(path));
	T_EQ(0, symlink("/dev/full", path));
	T_EQ(0, ptt_log_open(&log, wav));
	T_EQ(-ENOSPC, ptt_log_set(log, true, 1));
	T_TRUE(!ptt_log_free(log));
	T_EQ(0, unlink(path));
	T_EQ(0, rmdir(dir));
	T_EQ(-ENOENT, ptt_log_open(&log, wav));
	T_TRUE(!log);
	T_TRUE(!ptt_log_free(NULL));
}

int main(void)
{
	T_RUN(limits_are_checked_and_cannot_be_switched_off);
	T_RUN(follows_the_demand_with_hang_time);
	T_RUN(without_hang_time_it_unkeys_at_once);
	T_RUN(times_out_and_stays_off_until_the_demand_goes);
	T_RUN(a_late_tick_still_unkeys_and_a_missed_one_is_made_good);
	T_RUN(a_fluttering_demand_times_out_too);
	T_RUN(forced_off_wins_over_everything);
	T_RUN(a_shorter_limit_takes_effect_at_once);
	T_RUN(whatever_happens_it_is_never_keyed_for_too_long);
	T_RUN(every_state_has_a_name);
	T_RUN(the_log_has_a_line_for_each_edge);
	return T_DONE();
}
