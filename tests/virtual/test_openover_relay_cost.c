/* SPDX-License-Identifier: MIT */

/* What strangers cost a registrar that relays: no more when its relay is large.
 */

#include <sodium.h>
#include <string.h>
#include <time.h>

#include "proto/iax2_ie.h"
#include "proto/openover_registrar.h"
#include "tests/t.h"
#include "tests/virtual/usual_registrar.h"

#define FRAMES 500U
#define ROUNDS 5

static struct oo_registrar *registrar(uint16_t ports)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 1 };
	const struct net_addr at = net_addr_v4(192, 0, 2, 200, 0);
	struct oo_relay_cfg relay = usual_relay(&at);
	static uint64_t counter;
	struct key_identity id;
	struct oo_registrar_cfg cfg =
		usual_registrar(&id, usual_random, &counter);

	relay.port_first = 2000;
	relay.port_last = (uint16_t)(2000 + ports - 1);
	cfg.relay = &relay;
	key_identity_from_seed(&id, seed);
	return oo_registrar_new(&cfg, MONO_S);
}

/* A RELAY frame of a session that nobody has. */
static size_t forged(uint8_t buf[OO_FRAME_MAX], uint64_t counter)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE };
	struct oo_session s = { .id = counter * UINT64_C(0x9e3779b97f4a7c15),
				.tx_counter = counter };
	struct wire_wr w = oo_frame_begin(buf, OO_RELAY, &hdr);

	oo_session_put(&s, &w);
	iax2_ie_put_u16(&w, IAX2_IE_KH_LIFETIME, 300);
	seal_append(&w, buf, s.tx_key);
	T_TRUE(!w.bad);
	return (size_t)(w.p - buf);
}

static double cpu_s(void)
{
	struct timespec t;

	T_EQ(0, clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t));
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of several rounds the cheapest: what else the machine does adds to it. */
static double cost(struct oo_registrar *r)
{
	double best = 1e9;

	for (int k = 0; k < ROUNDS; k++) {
		const double began = cpu_s();
		double took;

		for (uint64_t i = 1; i <= FRAMES; i++) {
			uint8_t buf[OO_FRAME_MAX];
			const struct dgram d = {
				.path.peer = net_addr_v4(203, 0, 113, 9, 4569),
				.data = buf,
				.len = forged(buf, i),
			};

			T_EQ(IAX2_E_REFUSED, oo_registrar_rx(r, &d, MONO_S));
		}
		took = cpu_s() - began;
		best = took < best ? took : best;
	}
	return best;
}

static void forged_frames_cost_the_same_in_a_large_relay(void)
{
	struct oo_registrar *small = registrar(16), *large = registrar(60000);
	double a, b;

	T_TRUE(small && large);
	a = cost(small);
	b = cost(large);
	printf("# 16 ports: %.0f ns a frame, 60,000: %.0f\n", a * 1e9 / FRAMES,
	       b * 1e9 / FRAMES);
	T_TRUE(b < 4 * a);
	oo_registrar_free(small);
	oo_registrar_free(large);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(forged_frames_cost_the_same_in_a_large_relay);
	return T_DONE();
}
