/* SPDX-License-Identifier: MIT */

/*
 * What the jitter buffer costs in delay and late frames, on recorded cellular
 * links, against a fixed buffer of 60 ms and Ramjee's algorithm 1; and how near
 * concealed speech comes to what was lost, against silence and the last frame
 * again.
 *
 * Each method's parameter is swept; "ours-as-X" is ours with as much late as X,
 * between the points of its curve.
 *
 *	bench_jitter [--json]
 */

#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/conceal_race.h"
#include "tests/jitter_race.h"

static const double levels[] = { 0.5, 1, 2, 3, 5, 7, 10, 15 };
#define LEVELS (sizeof(levels) / sizeof(levels[0]))

static void row(const char *net, const char *method,
		const struct race_result *r, bool json)
{
	printf(json ? "{\"name\": \"jitter\", \"trace\": \"%s\", "
		      "\"method\": \"%s\", \"late_pct\": %.3f, "
		      "\"mean_delay_ms\": %.1f}\n"
		    : "%-24s %-20s %10.3f %14.1f\n",
	       net, method, r->late_pct, r->mean_delay_ms);
}

/* Ours with as much late as @other. */
static void as(const struct net *net, const char *method,
	       const struct race_curve *ours, const struct race_result *other,
	       bool json)
{
	const struct race_result r = {
		.late_pct = other->late_pct,
		.mean_delay_ms = race_delay_at(ours, other->late_pct),
	};

	if (r.mean_delay_ms >= 0)
		row(net->name, method, &r, json);
}

static void race(const struct net *net, struct race_curve curve[RACE_METHODS],
		 bool json)
{
	const struct race_result fixed = race_run(net, RACE_FIXED, 60);
	const struct race_result ramjee = race_run(net, RACE_RAMJEE, 4);
	const struct race_result ours = race_run(net, RACE_OURS, 0);

	for (int m = 0; m < RACE_METHODS; m++)
		race_sweep(net, (enum race_method)m, &curve[m]);
	row(net->name, "fixed-60", &fixed, json);
	as(net, "ours-as-fixed-60", &curve[RACE_OURS], &fixed, json);
	row(net->name, "ramjee-1", &ramjee, json);
	as(net, "ours-as-ramjee-1", &curve[RACE_OURS], &ramjee, json);
	row(net->name, "ours", &ours, json);
}

/* The least delay of each method, by how much is late. */
static void table(const struct net *net,
		  const struct race_curve curve[RACE_METHODS])
{
	static const char *const names[RACE_METHODS] = { "fixed", "ramjee-1",
							 "ours" };

	for (int m = 0; m < RACE_METHODS; m++) {
		printf("%-24s %-10s", net->name, names[m]);
		for (size_t i = 0; i < LEVELS; i++) {
			const double ms = race_delay_at(&curve[m], levels[i]);

			if (ms >= 0)
				printf(" %6.0f", ms);
			else
				printf(" %6s", "-");
		}
		printf("\n");
	}
}

static void conceal(bool json)
{
	static const uint32_t pcts[] = { 1, 5, 10 };
	static const char *const names[CONCEAL_METHODS] = { "silence", "repeat",
							    "plc" };

	if (!json)
		printf("\n%-8s %-10s %10s %14s\n", "loss_pct", "method",
		       "lsd_db", "seg_snr_db");
	for (size_t i = 0; i < 3; i++) {
		for (int m = 0; m < CONCEAL_METHODS; m++) {
			const struct conceal_result r =
				conceal_measure(pcts[i], (enum conceal)m);

			printf(json ? "{\"name\": \"conceal\", "
				      "\"loss_pct\": %u, \"method\": \"%s\", "
				      "\"lsd_db\": %.2f, "
				      "\"seg_snr_db\": %.2f}\n"
				    : "%-8u %-10s %10.2f %14.2f\n",
			       pcts[i], names[m], r.lsd_db, r.seg_snr_db);
		}
	}
}

int main(int argc, char *argv[])
{
	static struct race_curve curve[NET_RECORDED][RACE_METHODS];
	const bool json = bench_wants_json(argc, argv);
	static struct net net[NET_RECORDED];

	if (!json)
		printf("%-24s %-20s %10s %14s\n", "trace", "method", "late_pct",
		       "mean_delay_ms");
	for (size_t i = 0; i < NET_RECORDED; i++) {
		if (!net_read(&net[i], i)) {
			(void)fprintf(stderr, "bench_jitter: cannot read the "
					      "recorded links\n");
			return EXIT_FAILURE;
		}
		race(&net[i], curve[i], json);
	}
	if (!json) {
		printf("\nmean_delay_ms by late_pct, whatever the parameter:\n"
		       "%-24s %-10s",
		       "trace", "method");
		for (size_t k = 0; k < LEVELS; k++)
			printf(" %6.1f", levels[k]);
		printf("\n");
	}
	for (size_t i = 0; i < NET_RECORDED && !json; i++)
		table(&net[i], curve[i]);
	conceal(json);
	return EXIT_SUCCESS;
}
