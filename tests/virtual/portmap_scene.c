/* SPDX-License-Identifier: MIT */

#include "tests/virtual/portmap_scene.h"

#include "proto/wire.h"
#include "tests/t.h"

static void dice(void *ctx, uint8_t *buf, size_t len)
{
	uint64_t *x = ctx;

	for (size_t i = 0; i < len; i++) {
		*x = *x * UINT64_C(6364136223846793005) + 1442695040888963407U;
		buf[i] = (uint8_t)(*x >> 56);
	}
}

const struct net_addr own4 = { .ip = { [10] = 0xff, 0xff, 192, 168, 1, 20 } };
const struct net_addr outside = { .ip = { [10] = 0xff, 0xff, 198, 51, 100, 7 },
				  .port = 40001 };

static void say(struct scene *s, const uint8_t *data, size_t len)
{
	uint8_t *copy = t_dup(data, len);
	const struct dgram d = { .path.peer = s->gw_addr,
				 .data = copy,
				 .len = len };

	s->change |= portmap_rx(&s->m, &d, s->now);
	free(copy);
}

static uint32_t epoch(const struct scene *s)
{
	return (uint32_t)((s->now - s->gw.booted) / MONO_S);
}

static void answer_pcp(struct scene *s, const uint8_t *req)
{
	uint8_t buf[60];
	struct wire_wr w = wire_wr(buf, sizeof(buf));
	struct wire_rd life = wire_rd(req + 4, 4);
	uint32_t lifetime = wire_rd_u32(&life);

	if (lifetime > s->gw.lifetime_s || s->gw.pcp_error)
		lifetime = s->gw.lifetime_s;
	wire_wr_u8(&w, 2);
	wire_wr_u8(&w, 0x81);
	wire_wr_u8(&w, 0);
	wire_wr_u8(&w, s->gw.pcp_error);
	wire_wr_u32(&w, lifetime);
	wire_wr_u32(&w, epoch(s));
	wire_wr_bytes(&w, (const uint8_t[12]){ 0 }, 12);
	wire_wr_bytes(&w, req + 24, 12 + 4 + 2);
	wire_wr_u16(&w, s->gw.external.port);
	wire_wr_bytes(&w, s->gw.external.ip, 16);
	T_TRUE(!w.bad);
	say(s, buf, sizeof(buf));
}

void say_address(struct scene *s)
{
	uint8_t buf[12];
	struct wire_wr w = wire_wr(buf, sizeof(buf));

	wire_wr_u16(&w, 0x0080);
	wire_wr_u16(&w, s->gw.natpmp_error);
	wire_wr_u32(&w, epoch(s));
	wire_wr_bytes(&w, s->gw.external.ip + 12, 4);
	say(s, buf, sizeof(buf));
}

static void answer_natpmp_map(struct scene *s, const uint8_t *req)
{
	uint8_t buf[16];
	struct wire_wr w = wire_wr(buf, sizeof(buf));
	struct wire_rd life = wire_rd(req + 8, 4);
	uint32_t lifetime = wire_rd_u32(&life);

	if (lifetime > s->gw.lifetime_s)
		lifetime = s->gw.lifetime_s;
	wire_wr_u16(&w, 0x0081);
	wire_wr_u16(&w, s->gw.natpmp_error);
	wire_wr_u32(&w, epoch(s));
	wire_wr_bytes(&w, req + 4, 2);
	wire_wr_u16(&w, lifetime ? s->gw.external.port : 0);
	wire_wr_u32(&w, lifetime);
	say(s, buf, sizeof(buf));
}

static void on_pcp(struct scene *s, const struct dgram *d)
{
	static const uint8_t no_pcp[8] = { 0, 0x81, 0, 1, 0, 0, 0, 9 };
	struct wire_rd life = wire_rd(d->data + 4, 4);
	struct wire_rd ports = wire_rd(d->data + 40, 4);

	T_EQ(60, d->len);
	T_EQ(1, d->data[1]);
	T_EQ(17, d->data[36]);
	s->last_lifetime_s = wire_rd_u32(&life);
	T_TRUE(memcmp(d->data + 8, s->m.own.ip, 16) == 0);
	memcpy(s->last_nonce, d->data + 24, sizeof(s->last_nonce));
	T_EQ(PORT, wire_rd_u16(&ports));
	s->last_suggested.port = wire_rd_u16(&ports);
	memcpy(s->last_suggested.ip, d->data + 44, 16);
	if (s->pcp_n < 64)
		s->pcp_at[s->pcp_n] = s->now;
	s->pcp_n++;
	if (s->gw.lose > 0)
		s->gw.lose--;
	else if (s->gw.pcp)
		answer_pcp(s, d->data);
	else if (s->gw.natpmp)
		say(s, no_pcp, sizeof(no_pcp));
}

static void on_natpmp(struct scene *s, const struct dgram *d)
{
	static const uint8_t pcp_only[24] = { 2, 0x80, 0, 1 };
	const bool map = d->data[1] == 1;
	unsigned *n = map ? &s->natpmp_map_n : &s->natpmp_addr_n;

	T_EQ(map ? 12 : 2, d->len);
	if (map) {
		struct wire_rd r = wire_rd(d->data + 6, 6);

		s->last_suggested.port = wire_rd_u16(&r);
		s->last_lifetime_s = wire_rd_u32(&r);
	} else if (*n < 64) {
		s->natpmp_at[*n] = s->now;
	}
	(*n)++;
	if (s->gw.lose > 0)
		s->gw.lose--;
	else if (s->gw.natpmp && map)
		answer_natpmp_map(s, d->data);
	else if (s->gw.natpmp)
		say_address(s);
	else if (s->gw.pcp)
		say(s, pcp_only, sizeof(pcp_only));
}

void drain(struct scene *s)
{
	struct dgram d;

	while (dgram_queue_pop(s->tx, &d)) {
		T_TRUE(net_addr_same_ip(&d.path.peer, &s->gw_addr));
		T_EQ(PORTMAP_PORT, d.path.peer.port);
		if (d.data[0] == 2)
			on_pcp(s, &d);
		else
			on_natpmp(s, &d);
	}
}

void run(struct scene *s, mono_us span)
{
	const mono_us end = s->now + span;
	unsigned steps = 0;

	drain(s);
	while (portmap_deadline(&s->m) <= end) {
		/* It must not spin. */
		T_TRUE(++steps < 20000);
		if (portmap_deadline(&s->m) > s->now)
			s->now = portmap_deadline(&s->m);
		s->change |= portmap_tick(&s->m, s->now);
		drain(s);
	}
	s->now = end;
}

void begin_at(struct scene *s, const struct gateway *gw,
	      const struct net_addr *gw_addr, const struct net_addr *own)
{
	struct portmap_cfg cfg = { .port = PORT,
				   .lifetime_s = LIFE,
				   .random = dice,
				   .random_ctx = &s->dice };

	memset(s, 0, sizeof(*s));
	s->dice = 7;
	s->now = 1000 * MONO_S;
	s->tx = dgram_queue_new(16);
	T_TRUE(s->tx != NULL);
	cfg.tx = s->tx;
	s->gw = *gw;
	s->gw_addr = *gw_addr;
	s->gw_addr.port = PORTMAP_PORT;
	if (s->gw.lifetime_s == 0)
		s->gw.lifetime_s = LIFE;
	if (s->gw.external.port == 0)
		s->gw.external = outside;
	s->gw.booted = 10 * MONO_S;
	portmap_init(&s->m, &cfg);
	T_EQ(MONO_NEVER, portmap_deadline(&s->m));
	T_EQ(0, portmap_gateway(&s->m, gw_addr, own, s->now));
}

void begin(struct scene *s, struct gateway gw)
{
	const struct net_addr addr = net_addr_v4(192, 168, 1, 1, 0);

	begin_at(s, &gw, &addr, &own4);
}

void end(struct scene *s)
{
	s->tx = dgram_queue_free(s->tx);
}

struct portmap_view view(const struct scene *s)
{
	return portmap_view(&s->m, s->now);
}

bool is_at(const struct scene *s, const struct net_addr *external)
{
	const struct portmap_view v = view(s);

	return net_addr_equal(&v.external, external);
}

void announce(struct scene *s)
{
	uint8_t buf[24] = { 2, 0x80 };
	struct wire_wr w = wire_wr(buf + 8, 4);

	wire_wr_u32(&w, epoch(s));
	say(s, buf, sizeof(buf));
}

void say_pcp_map(struct scene *s, uint16_t port, uint32_t lifetime_s,
		 const struct net_addr *external)
{
	uint8_t buf[60];
	struct wire_wr w = wire_wr(buf, sizeof(buf));

	wire_wr_u32(&w, 0x02810000);
	wire_wr_u32(&w, lifetime_s);
	wire_wr_u32(&w, epoch(s));
	wire_wr_bytes(&w, (const uint8_t[12]){ 0 }, 12);
	wire_wr_bytes(&w, s->last_nonce, 12);
	wire_wr_u32(&w, 0x11000000);
	wire_wr_u16(&w, port);
	wire_wr_u16(&w, external->port);
	wire_wr_bytes(&w, external->ip, 16);
	T_TRUE(!w.bad);
	say(s, buf, sizeof(buf));
}
