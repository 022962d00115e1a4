/* SPDX-License-Identifier: MIT */

/*
 * A conference of thousands: one talks, all others listen.  What each listener
 * gets, when, and what that costs the hub, next to a bare sendmmsg() of as many
 * datagrams of the same size to the same addresses.
 */

#include <sched.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/hub.h"

#define WINDOW_US (3 * MONO_S)
#define ROUNDS 3U /* of the comparison, by turns */
#define ROUND_US (MONO_S / 2)

/* Seconds of processor time of a datagram. */
static double cost_of(const struct bench *b, pid_t pid, _Atomic uint64_t *sent,
		      mono_us us)
{
	const double began = cpu_of(pid);
	const uint64_t before = *sent;

	/* A hub that is behind may keep the core from it for a while. */
	for (int i = 0; i < 10 && *sent == before; i++)
		run_for(b, us);
	must(*sent > before, "nothing was sent");
	return (cpu_of(pid) - began) / (double)(*sent - before);
}

struct cost {
	double hub;
	double bare;
};

/* The best of each, for what disturbs only ever adds. */
static void compare(struct bench *b, struct cost *c)
{
	double hub, bare;

	b->talks = false;
	b->told->bare = true;
	run_for(b, MONO_S / 10);
	bare = cost_of(b, b->bare, &b->told->sent_bare, ROUND_US);
	b->told->bare = false;
	talk(b, MONO_S / 4);
	hub = cost_of(b, b->hub, &b->told->sent, ROUND_US);
	c->hub = hub < c->hub ? hub : c->hub;
	c->bare = c->bare == 0 || bare < c->bare ? bare : c->bare;
}

static void measure(struct bench *b, unsigned n, bool json)
{
	struct cost cost = { 0, 0 };
	double cores, fps, gap, kb, delay, still;

	begin(b, n);
	join(b, n + 1);
	talk(b, MONO_S);
	begin_window(b);
	cores = cpu_of(b->hub);
	cost.hub = cost_of(b, b->hub, &b->told->sent, WINDOW_US);
	cores = (cpu_of(b->hub) - cores) * 1e6 / WINDOW_US;
	fps = (double)frames_min(b) * 1e6 / WINDOW_US;
	gap = gap_ms(b, 0.99);
	delay = b->delay_sum / 1000 / (double)b->delay_n;
	still = still_ms(b);
	kb = (double)(rss_of(b->hub) - b->told->rss_before) / n / 1024;
	b->bare = start(b, serve_bare);
	for (unsigned i = 0; i < ROUNDS; i++)
		compare(b, &cost);
	bench_print("hub",
		    (struct bench_figure[]){
			    { "listeners", n, "" },
			    { "fps_min", fps, "frames a second" },
			    { "gap_p99_ms", gap, "ms" },
			    { "cores", cores, "" },
			    { "kb_per_call", kb, "kB" },
			    { "ratio_to_sendmmsg", cost.hub / cost.bare, "" },
			    { "delay_ms", delay, "ms" },
			    { "bare_us", cost.bare * 1e6, "us a datagram" },
			    { "stood_still_ms", still, "ms" },
		    },
		    9, json);
	end(b);
}

/* Half of @n are in, and hear; the others come within a second. */
static void storm(struct bench *b, unsigned n, bool json)
{
	const unsigned old = n / 2;
	uint64_t missed = 0;
	mono_us began;

	begin(b, n);
	join(b, old + 1);
	talk(b, MONO_S);
	begin_window(b);
	began = loop_now();
	join(b, n + 1);
	began = loop_now() - began;
	run_for(b, 2 * MONO_S);
	for (unsigned i = 1; i <= old; i++)
		missed += b->hearer[i].missed;
	bench_print("hub_storm",
		    (struct bench_figure[]){
			    { "listeners", old, "" },
			    { "joins", n - old, "" },
			    { "join_s", (double)began / 1e6, "s" },
			    { "missed", (double)missed, "frames" },
			    { "late", (double)b->late_n, "frames" },
			    { "late_max_ms", (double)b->late_max / 1000, "ms" },
			    { "stood_still_ms", still_ms(b), "ms" },
		    },
		    7, json);
	end(b);
}

/* The first and the last that we may use, which may be the same. */
static void choose_cpus(struct bench *b)
{
	cpu_set_t set;
	size_t n = 0;

	must(sched_getaffinity(0, sizeof(set), &set) == 0, "no processors");
	for (size_t i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		b->cpu[n > 0] = i;
		if (n++ == 0)
			b->cpu[1] = i;
	}
}

int main(int argc, char *argv[])
{
	static const unsigned listeners[] = { 100, 400, 1000, 2000, 4000 };
	static struct bench b;
	const bool json = bench_wants_json(argc, argv);
	const unsigned only =
		argc > 1 && !json ? (unsigned)strtoul(argv[1], NULL, 10) : 0;

	must(sodium_init() >= 0, "libsodium does not start");
	b.told = mmap(NULL, sizeof(*b.told), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(b.told != MAP_FAILED, "no memory");
	choose_cpus(&b);
	pin(b.cpu[1]);
	/* What else the machine does is not to be heard, where we may say so;
	 * the hub inherits it.  Not a real-time class, which the kernel keeps
	 * from the processor for a twentieth of each second. */
	(void)setpriority(PRIO_PROCESS, 0, -20);
	for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
		if (only == 0 || only == listeners[i])
			measure(&b, listeners[i], json);
	}
	if (only <= 1)
		storm(&b, 2000, json);
	return EXIT_SUCCESS;
}
