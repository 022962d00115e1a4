/* SPDX-License-Identifier: MIT */

/* A router that is asked for a port, by PCP (RFC 6887) and NAT-PMP
 * (RFC 6886): the gateway is played octet by octet. */

#include "proto/portmap.h"
#include "proto/wire.h"
#include "tests/t.h"

#define PORT 4569U
#define LIFE 7200U

struct gateway {
	bool pcp, natpmp;
	uint8_t pcp_error; /* instead of success */
	uint8_t natpmp_error;
	unsigned lose; /* requests */
	uint32_t lifetime_s;
	mono_us booted;
	struct net_addr external;
};

struct scene {
	struct portmap m;
	struct dgram_queue *tx;
	struct gateway gw;
	struct net_addr gw_addr;
	mono_us now;
	uint64_t dice;
	unsigned change; /* all since it was last looked at */
	unsigned pcp_n, natpmp_map_n, natpmp_addr_n;
	mono_us pcp_at[64];
	mono_us natpmp_at[64];
	uint32_t last_lifetime_s;
	uint8_t last_nonce[PORTMAP_NONCE_LEN];
	struct net_addr last_suggested;
};

static void dice(void *ctx, uint8_t *buf, size_t len)
{
	uint64_t *x = ctx;

	for (size_t i = 0; i < len; i++) {
		*x = *x * UINT64_C(6364136223846793005) + 1442695040888963407U;
		buf[i] = (uint8_t)(*x >> 56);
	}
}

static const struct net_addr own4 = {
	.ip = { [10] = 0xff, 0xff, 192, 168, 1, 20 }
};
static const struct net_addr outside = {
	.ip = { [10] = 0xff, 0xff, 198, 51, 100, 7 }, .port = 40001
};

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

static void say_address(struct scene *s)
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

static void drain(struct scene *s)
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

/* Lets @span pass, from deadline to deadline. */
static void run(struct scene *s, mono_us span)
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

static void begin_at(struct scene *s, const struct gateway *gw,
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

static void begin(struct scene *s, struct gateway gw)
{
	const struct net_addr addr = net_addr_v4(192, 168, 1, 1, 0);

	begin_at(s, &gw, &addr, &own4);
}

static void end(struct scene *s)
{
	s->tx = dgram_queue_free(s->tx);
}

static struct portmap_view view(const struct scene *s)
{
	return portmap_view(&s->m, s->now);
}

static bool is_at(const struct scene *s, const struct net_addr *external)
{
	const struct portmap_view v = view(s);

	return net_addr_equal(&v.external, external);
}

static void pcp_opens_the_port(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true, .natpmp = true });
	T_EQ(PORTMAP_ASKING, view(&s).state);
	run(&s, 10 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(PORTMAP_PCP, view(&s).method);
	T_TRUE(is_at(&s, &outside));
	T_EQ(LIFE - 10, view(&s).lifetime_s);
	T_EQ(PORTMAP_CHANGE_MAPPED, s.change);
	T_EQ(1, s.pcp_n);
	T_EQ(PORT, s.last_suggested.port);
	/* NAT-PMP made none beside it. */
	T_EQ(0, s.natpmp_map_n);
	T_EQ(PORTMAP_NONE,
	     portmap_view_method(&s.m, PORTMAP_NATPMP, s.now).state);
	end(&s);
}

static void an_old_router_gets_nat_pmp(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .natpmp = true });
	run(&s, 500 * MONO_MS);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(PORTMAP_NATPMP, view(&s).method);
	T_TRUE(is_at(&s, &outside));
	T_EQ(1, s.natpmp_map_n);
	T_EQ(1, s.pcp_n);
	end(&s);
}

static void a_router_deaf_to_pcp_gets_nat_pmp_after_a_second(void)
{
	struct scene s;
	struct dgram d;

	begin(&s, (struct gateway){ .natpmp = true });
	/* PCP's first request is nowhere. */
	T_TRUE(dgram_queue_pop(s.tx, &d));
	T_EQ(2, d.data[0]);
	run(&s, 900 * MONO_MS);
	T_EQ(PORTMAP_ASKING, view(&s).state);
	run(&s, 200 * MONO_MS);
	T_EQ(PORTMAP_NATPMP, view(&s).method);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void pcp_repeats_as_section_8_1_1_says(void)
{
	struct scene s;
	mono_us last = 0;

	begin(&s, (struct gateway){ 0 });
	run(&s, 3600 * MONO_S);
	T_TRUE(s.pcp_n >= 9);
	for (unsigned i = 1; i < s.pcp_n; i++) {
		const mono_us gap = s.pcp_at[i] - s.pcp_at[i - 1];
		mono_us rt = i == 1 ? 3 * MONO_S : 2 * last;

		rt = mono_min(rt, 1024 * MONO_S);
		T_TRUE(gap >= rt - rt / 10 && gap <= rt + rt / 10);
		last = gap;
	}
	T_EQ(PORTMAP_REFUSED, view(&s).state);
	T_STR("the router does not answer", view(&s).why);
	end(&s);
}

static void nat_pmp_repeats_from_250_ms_nine_times(void)
{
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	run(&s, 200 * MONO_S);
	T_EQ(9, s.natpmp_addr_n);
	for (unsigned i = 1; i < 9; i++)
		T_EQ((250 * MONO_MS) << (i - 1),
		     s.natpmp_at[i] - s.natpmp_at[i - 1]);
	/* And one day again. */
	run(&s, 1900 * MONO_S);
	T_TRUE(s.natpmp_addr_n > 9);
	end(&s);
}

static void lost_requests_are_repeated(void)
{
	struct scene s;

	for (unsigned lose = 0; lose < 8; lose++) {
		begin(&s, (struct gateway){
				  .pcp = true, .natpmp = true, .lose = lose });
		run(&s, 60 * MONO_S);
		T_EQ(PORTMAP_MAPPED, view(&s).state);
		/* One method only. */
		T_EQ(0, (s.m.ask[0].expires != 0) == (s.m.ask[1].expires != 0));
		end(&s);
	}
}

static void renewed_in_the_middle_of_its_life(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, 3590 * MONO_S);
	T_EQ(1, s.pcp_n);
	run(&s, 920 * MONO_S);
	T_EQ(2, s.pcp_n);
	T_TRUE(net_addr_equal(&s.last_suggested, &outside));
	T_TRUE(view(&s).lifetime_s > 6000);
	/* A week without a gap. */
	s.change = 0;
	run(&s, 604800 * MONO_S);
	T_EQ(0, s.change);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void a_silent_router_is_asked_at_each_half_and_lost_at_the_end(void)
{
	struct scene s;
	mono_us at, end_at;

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, MONO_S);
	at = s.pcp_at[0];
	end_at = at + LIFE * MONO_S;
	s.gw.pcp = false;
	s.change = 0;
	run(&s, end_at - s.now - 1);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(0, s.change);
	T_TRUE(s.pcp_n >= 6);
	T_TRUE(s.pcp_at[1] - at >= 3600 * MONO_S &&
	       s.pcp_at[1] - at <= 4500 * MONO_S);
	T_TRUE(s.pcp_at[2] - at >= 5400 * MONO_S &&
	       s.pcp_at[2] - at <= 5850 * MONO_S);
	for (unsigned i = 1; i < s.pcp_n; i++)
		T_TRUE(s.pcp_at[i] - s.pcp_at[i - 1] >= 4 * MONO_S);
	run(&s, MONO_S);
	T_EQ(PORTMAP_CHANGE_LOST, s.change);
	T_EQ(PORTMAP_ASKING, view(&s).state);
	s.gw.pcp = true;
	run(&s, 60 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void announce(struct scene *s)
{
	uint8_t buf[24] = { 2, 0x80 };
	const uint32_t e = epoch(s);

	buf[8] = (uint8_t)(e >> 24);
	buf[9] = (uint8_t)(e >> 16);
	buf[10] = (uint8_t)(e >> 8);
	buf[11] = (uint8_t)e;
	say(s, buf, sizeof(buf));
}

static void made_again_when_the_pcp_epoch_goes_back(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, 100 * MONO_S);
	announce(&s);
	run(&s, 6 * MONO_S);
	T_EQ(1, s.pcp_n); /* all is as it was */
	s.gw.booted = s.now;
	announce(&s);
	run(&s, 6 * MONO_S);
	T_EQ(2, s.pcp_n);
	T_TRUE(view(&s).lifetime_s >= LIFE - 6);
	/* A clock that runs ahead is as bad (section 8.5). */
	s.gw.booted -= 30 * MONO_S;
	announce(&s);
	run(&s, 6 * MONO_S);
	T_EQ(3, s.pcp_n);
	T_EQ(PORTMAP_CHANGE_MAPPED, s.change);
	end(&s);
}

static void a_restarted_router_that_stays_silent_has_no_mapping(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, 100 * MONO_S);
	s.gw.booted = s.now;
	announce(&s);
	s.gw.pcp = false;
	run(&s, 40 * MONO_S);
	T_TRUE(s.change & PORTMAP_CHANGE_LOST);
	end(&s);
}

static void made_again_when_the_nat_pmp_epoch_goes_back(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .natpmp = true });
	run(&s, 100 * MONO_S);
	say_address(&s);
	run(&s, 6 * MONO_S);
	T_EQ(1, s.natpmp_map_n);
	s.gw.booted = s.now;
	s.gw.external = net_addr_v4(198, 51, 100, 9, 40009);
	s.change = 0;
	say_address(&s);
	T_TRUE(s.change & PORTMAP_CHANGE_MAPPED);
	run(&s, 6 * MONO_S);
	T_EQ(2, s.natpmp_map_n);
	T_TRUE(is_at(&s, &s.gw.external));
	end(&s);
}

static void a_private_outside_is_not_offered(void)
{
	static const struct net_addr v6[] = { { .ip = { 0xfd, 1 } },
					      { .ip = { 0xfe, 0x80 } },
					      { .port = 1 } };
	const struct net_addr a[] = {
		net_addr_v4(10, 1, 2, 3, 9),      net_addr_v4(100, 64, 0, 1, 9),
		net_addr_v4(100, 127, 255, 9, 9), net_addr_v4(172, 31, 0, 1, 9),
		net_addr_v4(192, 168, 9, 9, 9),   net_addr_v4(192, 0, 0, 8, 9),
		net_addr_v4(169, 254, 1, 1, 9),   net_addr_v4(0, 0, 0, 0, 9),
	};
	const struct net_addr open[] = {
		net_addr_v4(100, 128, 0, 1, 9),
		net_addr_v4(172, 32, 0, 1, 9),
		net_addr_v4(192, 0, 1, 1, 9),
		{ .ip = { 0x2a, 1 } },
	};
	struct scene s;

	for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++) {
		begin(&s, (struct gateway){ .pcp = i % 2,
					    .natpmp = true,
					    .external = a[i] });
		run(&s, 10 * MONO_S);
		T_EQ(PORTMAP_PRIVATE, view(&s).state);
		T_STR("a router behind the carrier's NAT", view(&s).why);
		end(&s);
	}
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		T_TRUE(portmap_is_public(&open[i]));
	for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++)
		T_TRUE(!portmap_is_public(&v6[i]));
}

static void a_refusal_is_told_and_respected(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true,
				    .pcp_error = PCP_NOT_AUTHORIZED,
				    .lifetime_s = 600 });
	run(&s, 590 * MONO_S);
	T_EQ(1, s.pcp_n);
	T_EQ(PORTMAP_REFUSED, view(&s).state);
	T_STR("the router does not allow it", view(&s).why);
	T_TRUE(s.change & PORTMAP_CHANGE_REFUSED);
	run(&s, 20 * MONO_S);
	T_EQ(2, s.pcp_n);
	s.gw.pcp_error = 0;
	run(&s, 620 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);

	begin(&s, (struct gateway){ .natpmp = true, .natpmp_error = 2 });
	run(&s, 10 * MONO_S);
	T_EQ(PORTMAP_REFUSED, view(&s).state);
	T_STR("the router does not allow it",
	      portmap_view_method(&s.m, PORTMAP_NATPMP, s.now).why);
	end(&s);
}

static void deleted_at_the_end(void)
{
	struct scene s;
	const struct gateway gw[] = { { .pcp = true }, { .natpmp = true } };

	for (size_t i = 0; i < 2; i++) {
		begin(&s, gw[i]);
		run(&s, 10 * MONO_S);
		s.change = 0;
		T_EQ(0, portmap_release(&s.m, s.now));
		s.gw.lose = 1;
		run(&s, 2 * MONO_S);
		T_EQ(0, s.last_lifetime_s);
		T_EQ(PORTMAP_CHANGE_RELEASED, s.change);
		T_EQ(PORTMAP_NONE, view(&s).state);
		T_EQ(MONO_NEVER, portmap_deadline(&s.m));
		end(&s);
	}
	/* A router that went away does not hold us. */
	begin(&s, gw[0]);
	run(&s, 10 * MONO_S);
	s.gw.pcp = false;
	s.change = 0;
	T_EQ(0, portmap_release(&s.m, s.now));
	run(&s, 1500 * MONO_MS);
	T_EQ(PORTMAP_CHANGE_RELEASED, s.change);
	end(&s);
	/* Nothing was asked: nothing to wait for. */
	portmap_init(&s.m, &(struct portmap_cfg){ .port = PORT });
	T_EQ(PORTMAP_CHANGE_RELEASED, portmap_release(&s.m, 5));
}

static void strangers_are_not_believed(void)
{
	uint8_t forged[60] = { 2, 0x81, 0, 0, 0, 0, 28, 32 };
	struct scene s;
	struct dgram d = { .data = forged, .len = sizeof(forged) };

	begin(&s, (struct gateway){ 0 });
	drain(&s);
	memcpy(forged + 24, s.last_nonce, 12);
	forged[36] = 17;
	forged[40] = PORT >> 8;
	forged[41] = PORT & 255;
	forged[42] = 9;
	memcpy(forged + 44, outside.ip, 16);
	d.path.peer = net_addr_v4(192, 168, 1, 66, PORTMAP_PORT);
	T_EQ(0, portmap_rx(&s.m, &d, s.now));
	d.path.peer = s.gw_addr;
	forged[30] ^= 1; /* the nonce */
	T_EQ(0, portmap_rx(&s.m, &d, s.now));
	forged[30] ^= 1;
	forged[41] ^= 1; /* the port */
	T_EQ(0, portmap_rx(&s.m, &d, s.now));
	forged[41] ^= 1;
	d.len = 56;
	T_EQ(0, portmap_rx(&s.m, &d, s.now));
	T_EQ(PORTMAP_ASKING, view(&s).state);
	/* And the same, right in all, is. */
	d.len = 60;
	T_EQ(PORTMAP_CHANGE_MAPPED, portmap_rx(&s.m, &d, s.now));
	end(&s);
}

static void ipv6_gets_a_pinhole_by_pcp_only(void)
{
	const struct net_addr gw = { .ip = { 0xfe, 0x80, [15] = 1 } };
	const struct net_addr own = { .ip = { 0x20, 1, 0xd, 0xb8, [15] = 2 } };
	struct gateway g = { .pcp = true, .natpmp = true };
	struct scene s;

	g.external = own;
	g.external.port = PORT;
	begin_at(&s, &g, &gw, &own);
	run(&s, 60 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_TRUE(is_at(&s, &g.external));
	T_EQ(0, s.natpmp_addr_n);
	end(&s);
}

static void another_network_is_asked_anew(void)
{
	const struct net_addr none = { 0 };
	struct scene s;
	uint8_t was[PORTMAP_NONCE_LEN];

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, 10 * MONO_S);
	memcpy(was, s.last_nonce, sizeof(was));
	T_EQ(0, portmap_gateway(&s.m, &s.gw_addr, &own4, s.now));
	T_EQ(PORTMAP_CHANGE_LOST, portmap_gateway(&s.m, &none, &none, s.now));
	T_EQ(PORTMAP_NONE, view(&s).state);
	T_EQ(MONO_NEVER, portmap_deadline(&s.m));
	s.gw_addr = net_addr_v4(10, 0, 0, 1, PORTMAP_PORT);
	T_EQ(0, portmap_gateway(&s.m, &s.gw_addr, &own4, s.now));
	run(&s, MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_TRUE(memcmp(was, s.last_nonce, sizeof(was)) != 0);
	end(&s);
}

static void announce_pcp(struct scene *s)
{
	uint8_t buf[24] = { 2, 0x80 };

	buf[11] = (uint8_t)epoch(s);
	say(s, buf, sizeof(buf));
}

static void a_router_that_starts_late_is_asked_by_pcp_again(void)
{
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	run(&s, 1600 * MONO_MS);
	s.gw.pcp = s.gw.natpmp = true;
	run(&s, 400 * MONO_MS);
	T_EQ(PORTMAP_PCP, view(&s).method);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(0, s.natpmp_map_n);
	end(&s);
}

static void an_announcement_awakens_who_waits_but_no_flood_hurries_it(void)
{
	struct scene s;
	unsigned asked;

	begin(&s, (struct gateway){ 0 });
	run(&s, 3600 * MONO_S);
	asked = s.pcp_n;
	for (unsigned i = 0; i < 1000; i++) {
		announce_pcp(&s);
		run(&s, 10 * MONO_MS);
	}
	T_TRUE(s.pcp_n - asked >= 1 && s.pcp_n - asked <= 5);
	s.gw.pcp = true;
	run(&s, 6 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void an_announcement_awakens_nat_pmp_too(void)
{
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	run(&s, 300 * MONO_S);
	T_EQ(PORTMAP_STEP_REST, s.m.ask[PORTMAP_NATPMP].step);
	s.gw.natpmp = true;
	say_address(&s);
	run(&s, 8 * MONO_S);
	T_EQ(PORTMAP_NATPMP, view(&s).method);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void a_pcp_announcement_makes_nat_pmp_renew(void)
{
	struct scene s;
	struct dgram d;

	begin(&s, (struct gateway){ .natpmp = true });
	/* PCP's request is nowhere, so PCP stands back. */
	T_TRUE(dgram_queue_pop(s.tx, &d));
	run(&s, 10 * MONO_S);
	T_EQ(1, s.natpmp_map_n);
	announce_pcp(&s);
	run(&s, 5 * MONO_S);
	T_EQ(2, s.natpmp_map_n);
	end(&s);
}

/* A mapping's answer as the last request would have it, but for @lifetime_s. */
static void say_pcp_map(struct scene *s, uint16_t port, uint32_t lifetime_s,
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

static void an_answer_without_sense_is_a_refusal(void)
{
	static const struct net_addr nowhere;
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	drain(&s);
	say_pcp_map(&s, PORT + 1, 100, &outside);
	T_EQ(PORTMAP_ASKING, view(&s).state);
	say_pcp_map(&s, PORT, 100, &nowhere);
	T_STR("the router's answer makes no sense",
	      portmap_view_method(&s.m, PORTMAP_PCP, s.now).why);
	/* It rests: what comes now was not asked for. */
	say_pcp_map(&s, PORT, 100, &outside);
	T_EQ(0, s.m.ask[PORTMAP_PCP].expires);
	end(&s);
}

static void an_address_of_the_other_family_is_a_refusal(void)
{
	static const struct net_addr other = { .ip = { 0x20, 1 }, .port = 9 };
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	drain(&s);
	say_pcp_map(&s, PORT, 100, &other);
	T_EQ(0, s.m.ask[PORTMAP_PCP].expires);
	T_EQ(PORTMAP_STEP_REST, s.m.ask[PORTMAP_PCP].step);
	end(&s);
}

static void nat_pmp_answers_to_no_question_change_nothing(void)
{
	struct gateway pcp_only = { .pcp = true };
	struct scene s;

	begin(&s, pcp_only);
	run(&s, MONO_S);
	T_EQ(PORTMAP_PCP, view(&s).method);
	say_address(&s);
	s.gw.natpmp_error = NATPMP_NO_RESOURCES;
	say_address(&s);
	T_EQ(PORTMAP_PCP, view(&s).method);
	T_EQ(PORTMAP_NONE,
	     portmap_view_method(&s.m, PORTMAP_NATPMP, s.now).state);
	end(&s);
}

static void a_lifetime_without_end_is_a_day(void)
{
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	drain(&s);
	say_pcp_map(&s, PORT, UINT32_MAX, &outside);
	T_EQ(86400, view(&s).lifetime_s);
	end(&s);
}

static void states_have_words(void)
{
	T_STR("none", portmap_state_text(PORTMAP_NONE));
	T_STR("private", portmap_state_text(PORTMAP_PRIVATE));
	T_STR("PCP", portmap_method_text(PORTMAP_PCP));
	T_STR("NAT-PMP", portmap_method_text(PORTMAP_NATPMP));
}

int main(void)
{
	T_RUN(pcp_opens_the_port);
	T_RUN(an_old_router_gets_nat_pmp);
	T_RUN(a_router_deaf_to_pcp_gets_nat_pmp_after_a_second);
	T_RUN(pcp_repeats_as_section_8_1_1_says);
	T_RUN(nat_pmp_repeats_from_250_ms_nine_times);
	T_RUN(lost_requests_are_repeated);
	T_RUN(renewed_in_the_middle_of_its_life);
	T_RUN(a_silent_router_is_asked_at_each_half_and_lost_at_the_end);
	T_RUN(made_again_when_the_pcp_epoch_goes_back);
	T_RUN(a_restarted_router_that_stays_silent_has_no_mapping);
	T_RUN(made_again_when_the_nat_pmp_epoch_goes_back);
	T_RUN(a_private_outside_is_not_offered);
	T_RUN(a_refusal_is_told_and_respected);
	T_RUN(deleted_at_the_end);
	T_RUN(strangers_are_not_believed);
	T_RUN(ipv6_gets_a_pinhole_by_pcp_only);
	T_RUN(another_network_is_asked_anew);
	T_RUN(a_router_that_starts_late_is_asked_by_pcp_again);
	T_RUN(an_announcement_awakens_who_waits_but_no_flood_hurries_it);
	T_RUN(an_announcement_awakens_nat_pmp_too);
	T_RUN(a_pcp_announcement_makes_nat_pmp_renew);
	T_RUN(an_answer_without_sense_is_a_refusal);
	T_RUN(an_address_of_the_other_family_is_a_refusal);
	T_RUN(nat_pmp_answers_to_no_question_change_nothing);
	T_RUN(a_lifetime_without_end_is_a_day);
	T_RUN(states_have_words);
	return T_DONE();
}
