/* SPDX-License-Identifier: MIT */

/*
 * What a day without a call costs a node, in octets both ways with IP and UDP
 * headers, by how long its translator keeps holes open.
 */

#include <sodium.h>
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/t.h"
#include "tests/virtual/idle_day.h"

static void print(unsigned life_s, bool json)
{
	const struct idle_day d = idle_day(life_s, OO_RELAY_LAST);
	const struct idle_day relay = idle_day(life_s, OO_RELAY_ALWAYS);
	const unsigned long long sum = d.registrar + d.router;
	const unsigned long long more = relay.registrar - d.registrar;

	if (json)
		printf("{\"name\": \"idle_day\", \"hole_life_s\": %u, "
		       "\"octets_a_day\": %llu, \"registrar\": %llu, "
		       "\"router\": %llu, \"relay_always\": %llu}\n",
		       life_s, sum, (unsigned long long)d.registrar,
		       (unsigned long long)d.router, more);
	else
		printf("  holes of %3u s %9llu octets a day: registrar %llu, "
		       "router %llu; relay always %llu more\n",
		       life_s, sum, (unsigned long long)d.registrar,
		       (unsigned long long)d.router, more);
}

int main(int argc, char *argv[])
{
	static const unsigned lives_s[] = { 15, 30, 60, 120, 180 };
	const bool json = bench_wants_json(argc, argv);

	if (sodium_init() < 0)
		return EXIT_FAILURE;
	if (!json)
		puts("idle day");
	for (size_t i = 0; i < sizeof(lives_s) / sizeof(lives_s[0]); i++)
		print(lives_s[i], json);
	return EXIT_SUCCESS;
}
