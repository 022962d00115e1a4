/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "proto/portmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void dice(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0x5a, len);
}

static void check(const struct portmap *m, mono_us now)
{
	const struct portmap_view v = portmap_view(m, now);
	const bool mapped =
		v.state == PORTMAP_MAPPED || v.state == PORTMAP_PRIVATE;

	if (!v.why || mapped != net_addr_is_set(&v.external) ||
	    v.lifetime_s > 86400 ||
	    (v.state == PORTMAP_MAPPED && !portmap_is_public(&v.external)) ||
	    (mapped && m->end_by == 0 && portmap_deadline(m) == MONO_NEVER) ||
	    (m->ask[0].expires != 0 && m->ask[1].expires != 0))
		abort();
}

/* The input is a list of {length, step, datagram of the gateway}; a step of
 * 255 releases, any other lets that many seconds pass.  The nonce is
 * always 0x5a..., the port 0x5a5a. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dgram_queue *tx = dgram_queue_new(64);
	const struct portmap_cfg cfg = {
		.port = 0x5a5a, .lifetime_s = 120, .random = dice, .tx = tx
	};
	const struct net_addr gw = net_addr_v4(192, 0, 2, 1, PORTMAP_PORT);
	const struct net_addr own = net_addr_v4(192, 0, 2, 2, 0);
	struct portmap m;
	struct dgram d;
	mono_us now = MONO_S;

	if (!tx)
		abort();
	portmap_init(&m, &cfg);
	(void)portmap_gateway(&m, &gw, &own, now);
	while (size >= 2) {
		const size_t len = data[0] < size - 2 ? data[0] : size - 2;

		if (data[1] == 255)
			(void)portmap_release(&m, now);
		else
			now += data[1] * MONO_S;
		if (now >= portmap_deadline(&m))
			(void)portmap_tick(&m, now);
		d = (struct dgram){ .path.peer = gw,
				    .data = data + 2,
				    .len = len };
		(void)portmap_rx(&m, &d, now);
		check(&m, now);
		while (dgram_queue_pop(tx, &d))
			;
		data += 2 + len;
		size -= 2 + len;
	}
	(void)dgram_queue_free(tx);
	return 0;
}
