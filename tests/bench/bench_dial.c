/* SPDX-License-Identifier: MIT */

/*
 * What a dial takes, and which rung it ends on, for each kind of network at
 * either end, without a relay and with one: two whole nodes and a registrar in
 * virtual time, so that it is the protocol's own figure.  The lab's matrix has
 * the programs' one.
 */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/t.h"
#include "tests/virtual/node_scene.h"

#define TRIES 20U

struct kind {
	const char *name;
	bool nat;    /* else the node is public */
	bool mapped; /* its router opened the port */
	struct fake_nat how;
};

static const struct kind kinds[] = {
	{ .name = "public" },
	{ .name = "full-cone",
	  .nat = true,
	  .how.preserve_port = true,
	  .how.filtering = FAKE_FILTER_NONE },
	{ .name = "restricted",
	  .nat = true,
	  .how.preserve_port = true,
	  .how.filtering = FAKE_FILTER_ADDRESS },
	{ .name = "port-restricted",
	  .nat = true,
	  .how.preserve_port = true,
	  .how.filtering = FAKE_FILTER_ADDRESS_PORT },
	{ .name = "sym-random",
	  .nat = true,
	  .how.mapping_by_peer = true,
	  .how.filtering = FAKE_FILTER_ADDRESS_PORT },
	{ .name = "sym-seq",
	  .nat = true,
	  .how.mapping_by_peer = true,
	  .how.step = 1,
	  .how.filtering = FAKE_FILTER_ADDRESS_PORT },
	{ .name = "upnp",
	  .nat = true,
	  .mapped = true,
	  .how.preserve_port = true,
	  .how.filtering = FAKE_FILTER_NONE },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct result {
	unsigned connected;
	double rtts; /* the median of those */
	const char *rung;
};

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static const struct fake_nat *nat_of(const struct kind *k)
{
	return k->nat ? &k->how : NULL;
}

static void begin(struct scene *s, uint64_t seed,
		  const struct kind *const at[NODES], bool relay)
{
	(relay ? scene_begin_relayed : scene_begin)(s, seed, nat_of(at[0]),
						    nat_of(at[1]));
	for (int i = 0; i < NODES; i++) {
		if (at[i]->mapped)
			scene_mapped(s, i);
	}
}

static struct result measure(const struct kind *const at[NODES], bool relay)
{
	struct result r = { .rung = "none" };
	double rtts[TRIES];

	for (uint64_t seed = 1; seed <= TRIES; seed++) {
		struct node_link_info l;
		struct node_link_id id;
		struct scene s;

		begin(&s, seed, at, relay);
		id = scene_dial(&s);
		scene_run(&s, 10 * MONO_S);
		if (node_link(s.at[0].node, id, &l) &&
		    l.state == NODE_LINK_UP) {
			rtts[r.connected++] = (double)l.dial_us / RTT;
			r.rung = node_rung_text(l.rung);
		}
		scene_end(&s);
	}
	if (r.connected > 0) {
		qsort(rtts, r.connected, sizeof(rtts[0]), by_value);
		r.rtts = rtts[r.connected / 2];
	}
	return r;
}

static void print(const struct kind *const at[NODES], const struct result *r,
		  bool relay, bool json)
{
	if (json)
		printf("{\"name\": \"dial\", \"caller\": \"%s\", "
		       "\"target\": \"%s\", \"relay\": %s, "
		       "\"rung\": \"%s\", \"dial_rtts\": %.3g, "
		       "\"connected\": %u, \"tries\": %u}\n",
		       at[0]->name, at[1]->name, relay ? "true" : "false",
		       r->rung, r->rtts, r->connected, TRIES);
	else
		printf("  %-16s %-16s %-10s %6.1f rtts %8u of %u\n",
		       at[0]->name, at[1]->name, r->rung, r->rtts, r->connected,
		       TRIES);
}

static void matrix(bool relay, bool json)
{
	if (!json)
		puts(relay ? "dial, with a relay" : "dial");
	for (size_t i = 0; i < KINDS; i++) {
		for (size_t k = 0; k < KINDS; k++) {
			const struct kind *const at[] = { &kinds[i],
							  &kinds[k] };
			const struct result r = measure(at, relay);

			print(at, &r, relay, json);
		}
	}
}

int main(int argc, char *argv[])
{
	const bool json = bench_wants_json(argc, argv);

	if (sodium_init() < 0)
		return EXIT_FAILURE;
	matrix(false, json);
	matrix(true, json);
	return EXIT_SUCCESS;
}
