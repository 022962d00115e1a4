/* SPDX-License-Identifier: MIT */

#include "tests/virtual/usual_registrar.h"

#include <sodium.h>
#include <string.h>

struct oo_registrar_cfg usual_registrar(const struct key_identity *id,
					random_fn random, void *random_ctx)
{
	return (struct oo_registrar_cfg){
		.identity = id,
		.nodes_max = 16,
		.plain_max = 16,
		.opens_max = 16,
		.tx_max = 64,
		.refresh_s = 300,
		.registrations_per_min = 60,
		.opens_per_min = 60,
		.auth_failures_per_min = 60,
		.random = random,
		.random_ctx = random_ctx,
	};
}

struct oo_relay_cfg usual_relay(const struct net_addr *v4)
{
	struct oo_relay_cfg c = {
		.port_first = USUAL_RELAY_FIRST,
		.port_last = USUAL_RELAY_FIRST + USUAL_RELAY_PORTS - 1,
		.kbit_s = 64,
		.peers = 8,
		.idle = 60 * MONO_S,
	};

	if (v4)
		c.address[OO_V4] = *v4;
	return c;
}

static void rx(void *ctx, const struct dgram *d, mono_us now)
{
	(void)oo_registrar_rx(ctx, d, now);
}

static void tick(void *ctx, mono_us now)
{
	oo_registrar_tick(ctx, now);
}

static mono_us deadline(void *ctx)
{
	return oo_registrar_deadline(ctx);
}

static bool next_tx(void *ctx, struct dgram *out)
{
	return oo_registrar_next_tx(ctx, out);
}

static void settle(void *ctx, mono_us now)
{
	struct oo_registrar_event ev;
	struct oo_relay_socket sock;

	while (oo_registrar_next_socket(ctx, &sock)) {
		if (sock.open)
			oo_registrar_socket_opened(ctx, sock.slot, 1U << OO_V4,
						   now);
	}
	while (oo_registrar_next_event(ctx, &ev))
		;
}

struct fake_machine usual_registrar_machine(struct oo_registrar *r)
{
	return (struct fake_machine){ .ctx = r,
				      .rx = rx,
				      .tick = tick,
				      .deadline = deadline,
				      .next_tx = next_tx,
				      .settle = settle };
}

static void relay_rx(void *ctx, const struct dgram *d, mono_us now)
{
	oo_registrar_relay_rx(ctx, d, now);
}

static void relay_tick(void *ctx, mono_us now)
{
	(void)ctx;
	(void)now;
}

static mono_us relay_deadline(void *ctx)
{
	(void)ctx;
	return MONO_NEVER;
}

static bool relay_next_tx(void *ctx, struct dgram *out)
{
	return oo_registrar_relay_next_tx(ctx, out);
}

struct fake_machine usual_relay_machine(struct oo_registrar *r)
{
	return (struct fake_machine){ .ctx = r,
				      .rx = relay_rx,
				      .tick = relay_tick,
				      .deadline = relay_deadline,
				      .next_tx = relay_next_tx };
}

void usual_random(void *ctx, uint8_t *buf, size_t len)
{
	static const uint8_t key[32] = "usual_registrar";
	uint64_t *n = ctx;
	uint8_t nonce[12] = { 0 };

	memcpy(nonce, n, sizeof(*n));
	(*n)++;
	memset(buf, 0, len);
	crypto_stream_chacha20_ietf_xor(buf, buf, len, nonce, key);
}
