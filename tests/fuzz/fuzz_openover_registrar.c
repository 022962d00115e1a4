/* SPDX-License-Identifier: MIT */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"
#include "proto/openover_registrar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void counting_random(void *ctx, uint8_t *buf, size_t len)
{
	uint8_t *n = ctx;

	for (size_t i = 0; i < len; i++)
		buf[i] = (*n)++;
}

/* A registrar fed a sequence of {time step, sender, length, frame}: it never
 * sends an unproved sender more than it got, and never fails. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t seed[KEY_SEED_LEN] = { 1 };
	struct key_identity id;
	uint8_t n = 0;
	struct oo_registrar_cfg cfg = { .identity = &id,
					.nodes_max = 16,
					.opens_max = 16,
					.tx_max = 64,
					.refresh_s = 300,
					.registrations_per_min = 600,
					.opens_per_min = 60,
					.auth_failures_per_min = 60,
					.random = counting_random,
					.random_ctx = &n };
	struct wire_rd r = wire_rd(data, size);
	struct oo_registrar *reg;
	mono_us now = MONO_S;

	if (sodium_init() < 0)
		abort();
	key_identity_from_seed(&id, seed);
	reg = oo_registrar_new(&cfg, now);
	if (!reg || oo_registrar_node_put(reg, "2001", id.public_key))
		abort();
	while (wire_rd_left(&r) > 4) {
		const mono_us step = wire_rd_u16(&r);
		const uint8_t from = wire_rd_u8(&r);
		const size_t len = wire_rd_u8(&r);
		const size_t have = wire_rd_left(&r);
		struct dgram in = {
			.path.peer = net_addr_v4(10, 0, 0, from, 4569),
			.len = len < have ? len : have,
		};
		struct dgram out;
		size_t answered = 0;

		in.data = wire_rd_bytes(&r, in.len);
		if (!in.data)
			break;
		now += step * MONO_MS;
		oo_registrar_tick(reg, now);
		(void)oo_registrar_rx(reg, &in, now);
		while (oo_registrar_next_tx(reg, &out)) {
			/* Only one that answered a call token is challenged
			 * with more than it sent. */
			answered +=
				out.data[11] == IAX2_IAX_REGAUTH ||
						out.data[11] == IAX2_IAX_REGREJ
					? 0
					: out.len;
		}
		if (answered > in.len)
			abort();
	}
	reg = oo_registrar_free(reg);
	return 0;
}
