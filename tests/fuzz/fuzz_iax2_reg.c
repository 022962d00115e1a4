/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/iax2_reg.h"

#define QUEUE 64U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void dice(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0x5a, len);
}

static void check(const struct iax2_reg *g)
{
	if (!memchr(g->cause, 0, sizeof(g->cause)) ||
	    g->cur >= IAX2_REG_ADDRS_MAX ||
	    (g->state == IAX2_REG_UP && !iax2_reg_is_up(g) &&
	     g->expires != 0) ||
	    (!g->releasing && iax2_reg_deadline(g) == MONO_NEVER))
		abort();
}

/* One frame of the registrar, its call number made right so that it goes
 * deep. */
static void feed(struct iax2_reg *g, const uint8_t *p, size_t len, mono_us now)
{
	const struct dgram d = { .path.peer = g->peer };
	struct iax2_full f;

	if (iax2_full_decode(p, len, &f) != IAX2_OK ||
	    iax2_ie_check(f.body, f.body_len) != IAX2_OK)
		return;
	f.dst_callno = g->callno;
	if (iax2_reg_owns(g, &d, &f))
		(void)iax2_reg_rx(g, &f, now);
}

/* The input is a list of {length, step, frame}; a step of 255 releases, any
 * other lets that many half seconds pass. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dgram_queue *tx = dgram_queue_new(QUEUE);
	const struct iax2_reg_cfg cfg = {
		.username = "1999", .secret = "tango", .random = dice, .tx = tx
	};
	const struct net_addr a[] = { net_addr_v4(192, 0, 2, 1, 4569),
				      net_addr_v4(192, 0, 2, 2, 4569) };
	struct iax2_reg g;
	struct dgram d;
	mono_us now = MONO_S;

	if (!tx || !iax2_reg_init(&g, &cfg, now))
		abort();
	iax2_reg_addresses(&g, a, 2, now);
	while (size >= 2) {
		const size_t len = data[0] < size - 2 ? data[0] : size - 2;

		if (data[1] == 255)
			iax2_reg_release(&g, now);
		else
			now += data[1] * 500 * MONO_MS;
		if (now >= iax2_reg_deadline(&g))
			(void)iax2_reg_tick(&g, now);
		feed(&g, data + 2, len, now);
		check(&g);
		while (dgram_queue_pop(tx, &d))
			;
		data += 2 + len;
		size -= 2 + len;
	}
	tx = dgram_queue_free(tx);
	return 0;
}
