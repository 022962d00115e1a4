/* SPDX-License-Identifier: MIT */

/* Whatever allocation fails while a machine is made: there is none then, and
 * nothing is left behind. */

#include <sodium.h>

#include "proto/iax2_endpoint.h"
#include "proto/openover_cluster.h"
#include "proto/openover_node.h"
#include "proto/openover_registrar.h"
#include "tests/alloc_count.h"
#include "tests/t.h"

static struct key_identity id;

static void zeros(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0, len);
}

static void *new_endpoint(void)
{
	const struct iax2_endpoint_cfg cfg = {
		.calls_max = 2,
		.tx_max = 8,
		.limits = { 64, 64, 64, 1000, 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = zeros,
	};

	return iax2_endpoint_new(&cfg, 0);
}

static void *free_endpoint(void *p)
{
	return iax2_endpoint_free(p);
}

static void *new_node(void)
{
	const struct oo_node_cfg cfg = {
		.identity = &id,
		.number = "2001",
		.port = 4569,
		.keepalive = 15 * MONO_S,
		.tx_max = 8,
		.random = zeros,
	};

	return oo_node_new(&cfg, 0);
}

static void *free_node(void *p)
{
	return oo_node_free(p);
}

static void *new_registrar(void)
{
	const struct oo_registrar_cfg cfg = {
		.identity = &id,
		.nodes_max = 16,
		.plain_max = 4,
		.opens_max = 16,
		.tx_max = 8,
		.refresh_s = 300,
		.registrations_per_min = 1,
		.opens_per_min = 1,
		.auth_failures_per_min = 1,
		.random = zeros,
	};

	return oo_registrar_new(&cfg, 0);
}

static void *new_cluster(void)
{
	static const uint8_t key[KEY_SHARED_LEN] = { 1 };
	const struct oo_cluster_cfg cfg = { .name = "one", .key = key };
	struct oo_registrar *r = new_registrar();

	if (r && oo_cluster_join(r, &cfg, 0) != IAX2_OK)
		r = oo_registrar_free(r);
	return r;
}

static void *free_registrar(void *p)
{
	return oo_registrar_free(p);
}

static void each_failure(void *(*new)(void), void *(*destroy)(void *),
			 unsigned long least)
{
	unsigned long nth = 1;
	void *p;

	/* A configuration that is refused would never be made. */
	for (;; nth++) {
		T_TRUE(nth < 1000);
		alloc_count_begin();
		if (!alloc_count_fail(nth)) {
			printf("# the sanitizer owns the allocator\n");
			return;
		}
		p = new ();
		alloc_count_fail(0);
		if (p)
			break;
		T_EQ(0, alloc_count_live());
		T_TRUE(nth < 1000); /* else it is never made */
	}
	T_TRUE(nth > least);
	T_TRUE(alloc_count_live() > 0);
	T_TRUE(destroy(p) == NULL);
	T_EQ(0, alloc_count_live());
	T_TRUE(destroy(NULL) == NULL);
}

static void an_endpoint_is_made_whole_or_not(void)
{
	each_failure(new_endpoint, free_endpoint, 10);
}

static void a_node_is_made_whole_or_not(void)
{
	each_failure(new_node, free_node, 1);
}

static void a_registrar_is_made_whole_or_not(void)
{
	each_failure(new_registrar, free_registrar, 8);
	each_failure(new_cluster, free_registrar, 11);
}

int main(void)
{
	const uint8_t seed[KEY_SEED_LEN] = { 1 };

	T_TRUE(sodium_init() >= 0);
	key_identity_from_seed(&id, seed);
	T_RUN(an_endpoint_is_made_whole_or_not);
	T_RUN(a_node_is_made_whole_or_not);
	T_RUN(a_registrar_is_made_whole_or_not);
	return T_DONE();
}
