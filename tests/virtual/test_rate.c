/* SPDX-License-Identifier: MIT */

/* Limits by source: whoever has many addresses takes nobody else's share. */

#include "proto/rate.h"

#include "tests/t.h"

#define BUCKETS 256U

static const uint8_t key[16] = { 5 };
static const struct rate_limit limit = { 60, 4 };
static struct rate_table *t;
static mono_us now;

static void begin(void)
{
	rate_table_free(t);
	t = rate_table_new(BUCKETS, limit, key);
	T_TRUE(t != NULL);
	now = 1000 * MONO_S;
}

static struct net_addr v4(unsigned i)
{
	return net_addr_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
			   (uint8_t)i, 4569);
}

/* Host @i of a network of /64, that of a site of /48. */
static struct net_addr v6(uint8_t site, unsigned net, uint8_t i)
{
	return (struct net_addr){ { 0x20, 1, 0xd, 0xb8, 0, site,
				    (uint8_t)(net >> 8), (uint8_t)net, 0, 0, 0,
				    0, 0, 0, 0, i },
				  4569 };
}

static unsigned taken(const struct net_addr *from, unsigned tries)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++) {
		const bool has = rate_table_has_for(t, from, NULL, now);
		const bool took = rate_table_take(t, from, now);

		T_EQ(has, took);
		n += took;
	}
	return n;
}

static void a_source_has_its_burst_and_then_its_rate(void)
{
	const struct net_addr a = v4(1);

	begin();
	T_EQ(4, taken(&a, 10));
	now += 10 * MONO_S;
	T_EQ(4, taken(&a, 10));
	now += MONO_S;
	T_EQ(1, taken(&a, 10));
}

static void many_addresses_shut_nobody_out(void)
{
	begin();
	for (unsigned i = 0; i < 100 * BUCKETS; i++) {
		const struct net_addr a = v4(i);

		(void)taken(&a, 5);
	}
	for (unsigned i = 0; i < 100; i++) {
		const struct net_addr victim =
			net_addr_v4(192, 0, 2, (uint8_t)i, 4569);

		T_EQ(4, taken(&victim, 5));
	}
}

static void a_whole_site_shuts_nobody_out(void)
{
	unsigned n = 0;

	begin();
	for (unsigned net = 0; net < 65536; net++) {
		const struct net_addr a = v6(1, net, 1);

		n += taken(&a, 1);
	}
	/* Sixteen times a network's burst, all the networks together. */
	T_EQ(16 * 4, n);
	for (unsigned net = 0; net < 8; net++) {
		const struct net_addr victim = v6(2, net, 1);

		T_EQ(4, taken(&victim, 5));
	}
}

static void hosts_of_a_network_are_one_source(void)
{
	unsigned n = 0;

	begin();
	for (uint8_t i = 0; i < 100; i++) {
		const struct net_addr a = v6(1, 7, i);

		n += taken(&a, 1);
	}
	T_EQ(4, n);
}

/* As long as there are buckets for all, none forgets. */
static void others_do_not_free_a_source_of_its_limit(void)
{
	const struct net_addr a = v4(1);

	begin();
	T_EQ(4, taken(&a, 4));
	for (unsigned i = 0; i < BUCKETS / 8; i++) {
		const struct net_addr b = v4(1000 + i);

		(void)taken(&b, 2);
	}
	T_EQ(0, taken(&a, 4));
}

static unsigned named(const struct net_addr *from, const char *name,
		      unsigned tries)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++) {
		const bool has = rate_table_has_for(t, from, name, now);
		const bool took = rate_table_take_for(t, from, name, now);

		T_EQ(has, took);
		n += took;
	}
	return n;
}

static void a_name_is_not_refused_for_anothers_sake(void)
{
	const struct net_addr nat = v4(1), other = v4(2);

	begin();
	T_EQ(4, named(&nat, "2001", 10));
	T_EQ(4, named(&nat, "2002", 10));
	T_EQ(4, named(&other, "2001", 10));
	/* Nor is there room for guesses under any number of names. */
	for (unsigned i = 0; i < 1000; i++) {
		const char name[] = { (char)('a' + i % 26),
				      (char)('a' + i / 26 % 26),
				      (char)('a' + i / 676), '\0' };

		(void)named(&nat, name, 1);
	}
	T_EQ(0, named(&nat, "new", 1));
	T_EQ(4, named(&other, "new", 10));
}

int main(void)
{
	T_RUN(a_source_has_its_burst_and_then_its_rate);
	T_RUN(many_addresses_shut_nobody_out);
	T_RUN(a_whole_site_shuts_nobody_out);
	T_RUN(hosts_of_a_network_are_one_source);
	T_RUN(others_do_not_free_a_source_of_its_limit);
	T_RUN(a_name_is_not_refused_for_anothers_sake);
	t = rate_table_free(t);
	return T_DONE();
}
