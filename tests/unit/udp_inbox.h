/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_UDP_INBOX_H
#define TESTS_UNIT_UDP_INBOX_H

/* Sockets on loopback that count what arrives; first set @base. */

#include "daemon/io/loop.h"
#include "daemon/io/udp.h"
#include "tests/t.h"
#include "tests/unit/udp_port.h"

#define WAIT_US (5 * MONO_S)

static struct event_base *base;

struct inbox {
	uint16_t port;     /* where it is */
	struct dgram last; /* without its data, which is not kept */
	unsigned n;
	unsigned batches;
	unsigned out_of_order; /* their first octet is not their number */
};

static inline void on_dgram(void *ctx, const struct dgram *d)
{
	struct inbox *in = ctx;

	T_TRUE(d->len <= DGRAM_MAX);
	if (d->len > 0 && d->data[0] != (uint8_t)in->n)
		in->out_of_order++;
	in->last = *d;
	in->n++;
}

static inline void on_batch(void *ctx)
{
	struct inbox *in = ctx;

	in->batches++;
}

static inline struct udp *open_udp(const char *bind4, const char *bind6,
				   struct inbox *in)
{
	struct udp_cfg cfg = { .bind4 = bind4,
			       .bind6 = bind6,
			       .stamps = true,
			       .on_dgram = on_dgram,
			       .on_batch = on_batch,
			       .ctx = in };
	char why[UDP_WHY_MAX] = "";
	struct udp *u;

	T_EQ(0, udp_open_somewhere(&u, base, &cfg, why));
	in->port = cfg.port;
	return u;
}

static inline void wait_for(const struct inbox *in, unsigned n)
{
	const mono_us end = loop_now() + WAIT_US;

	while (in->n < n) {
		T_TRUE(loop_now() < end);
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
}

#endif
