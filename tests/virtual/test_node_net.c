/* SPDX-License-Identifier: MIT */

/*
 * Whole nodes and a registrar in virtual time, behind translators, in fair
 * and foul weather: everything but sockets and sound cards.
 */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "audio/ulaw.h"
#include "daemon/node/node_priv.h"
#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"
#include "proto/openover_registrar.h"
#include "tests/t.h"
#include "tests/virtual/fake_net.h"

#define ONE_WAY (25 * MONO_MS)
#define RTT (2 * ONE_WAY)
#define NODES 2

struct station {
	struct node *node;
	struct key_identity id;
	struct node_event last;
	unsigned ups, downs, opened, closed;
	char why[NODE_WHY_MAX];
};

struct scene {
	struct fake_net *net;
	struct oo_registrar *registrar;
	struct key_identity registrar_id;
	struct station at[NODES];
	int nat[NODES];
	unsigned lose; /* the packet from now that is lost; 0: none */
	unsigned passed;
};

static void registrar_rx(void *ctx, const struct dgram *d, mono_us now)
{
	(void)oo_registrar_rx(ctx, d, now);
}

static void registrar_tick(void *ctx, mono_us now)
{
	oo_registrar_tick(ctx, now);
}

static mono_us registrar_deadline(void *ctx)
{
	return oo_registrar_deadline(ctx);
}

static bool registrar_tx(void *ctx, struct dgram *out)
{
	return oo_registrar_next_tx(ctx, out);
}

static void station_rx(void *ctx, const struct dgram *d, mono_us now)
{
	node_rx(((struct station *)ctx)->node, d, now);
}

static void station_tick(void *ctx, mono_us now)
{
	node_tick(((struct station *)ctx)->node, now);
}

static mono_us station_deadline(void *ctx)
{
	return node_deadline(((struct station *)ctx)->node);
}

static bool station_tx(void *ctx, struct dgram *out)
{
	return node_next_tx(((struct station *)ctx)->node, out);
}

static void station_settle(void *ctx, mono_us now)
{
	struct station *s = ctx;
	struct node_event ev;

	while (node_next_event(s->node, &ev)) {
		s->last = ev;
		if (ev.kind == NODE_EV_LINK_UP) {
			s->ups++;
		} else if (ev.kind == NODE_EV_LINK_DOWN) {
			s->downs++;
			memcpy(s->why, ev.why, sizeof(s->why));
		} else if (ev.kind == NODE_EV_SOCKETS_CLOSE) {
			s->closed++;
		} else if (ev.kind == NODE_EV_SOCKETS_OPEN) {
			s->opened++;
			node_sockets(s->node, ev.sockets_for, 1,
				     (uint16_t)ev.count, now);
		}
	}
}

static void start_registrar(struct scene *s, const struct net_addr *at)
{
	const struct oo_registrar_cfg cfg = {
		.identity = &s->registrar_id,
		.nodes_max = 16,
		.plain_max = 4,
		.opens_max = 64,
		.tx_max = 256,
		.refresh_s = 1800,
		.registrations_per_min = 600,
		.opens_per_min = 600,
		.auth_failures_per_min = 60,
		.random = fake_net_random,
		.random_ctx = s->net,
	};
	struct fake_machine m = { .rx = registrar_rx,
				  .tick = registrar_tick,
				  .deadline = registrar_deadline,
				  .next_tx = registrar_tx };

	s->registrar = oo_registrar_new(&cfg, fake_net_now(s->net));
	T_TRUE(s->registrar != NULL);
	m.ctx = s->registrar;
	fake_net_address(s->net, fake_net_attach(s->net, &m), at, FAKE_NO_NAT);
}

/* The one peers entry of each node, for the tests that set it. */
static struct node_peer peer_of[2];

static void start_node(struct scene *s, int i, const struct net_addr *registrar,
		       const struct fake_nat *nat)
{
	static const char *const number[] = { "2001", "2002" };
	const struct node_cfg cfg = {
		.number = number[i],
		.identity = &s->at[i].id,
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = 16,
		.limits = { .calls_per_addr = 16,
			    .half_open = 16,
			    .half_open_per_addr = 8,
			    .calls_per_s = 100,
			    .auth_failures_per_min = 100 },
		.spray_packets = 2048,
		.spray_sockets = 256,
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.ptt = { .timeout_s = 180 },
		.acl = { .registered = true },
		.peers = &peer_of[i],
		.peers_n = peer_of[i].number[0] != '\0',
		.random = fake_net_random,
		.random_ctx = s->net,
	};
	const struct fake_machine m = { .ctx = &s->at[i],
					.rx = station_rx,
					.tick = station_tick,
					.deadline = station_deadline,
					.next_tx = station_tx,
					.settle = station_settle };
	const struct net_addr at = net_addr_v4(192, 168, (uint8_t)i, 2, 4569);
	const struct net_addr open =
		net_addr_v4(198, 51, 100, (uint8_t)(20 + i), 4569);
	const int slot = fake_net_attach(s->net, &m);
	size_t index;

	s->at[i].node = node_new(&cfg, fake_net_now(s->net));
	T_TRUE(s->at[i].node != NULL);
	s->nat[i] = nat ? fake_net_nat(s->net, nat) : FAKE_NO_NAT;
	fake_net_address(s->net, slot, nat ? &at : &open, s->nat[i]);
	oo_node_own_addresses(node_openover(s->at[i].node), nat ? &at : &open,
			      1);
	T_EQ(IAX2_OK, oo_registrar_node_put(s->registrar, number[i],
					    s->at[i].id.public_key));
	T_EQ(IAX2_OK, oo_node_add_registrar(node_openover(s->at[i].node),
					    s->registrar_id.public_key,
					    fake_net_now(s->net), &index));
	oo_node_registrar_addresses(node_openover(s->at[i].node), index,
				    registrar, 1, fake_net_now(s->net));
}

static const struct fake_nat preserving = {
	.preserve_port = true,
	.filtering = FAKE_FILTER_ADDRESS_PORT,
	.hole_life = 15 * MONO_S,
};
static const struct fake_nat symmetric = {
	.mapping_by_peer = true,
	.filtering = FAKE_FILTER_ADDRESS_PORT,
	.hole_life = 15 * MONO_S,
};

/* NULL: public. */
static void begin(struct scene *s, uint64_t seed, const struct fake_nat *a,
		  const struct fake_nat *b)
{
	const struct fake_weather fair = { .delay = ONE_WAY };
	const struct net_addr at = net_addr_v4(198, 51, 100, 1, 4569);
	const struct fake_nat *const kind[NODES] = { a, b };

	memset(s, 0, sizeof(*s));
	s->net = fake_net_new(seed, MONO_S);
	for (int i = 0; i <= NODES; i++) {
		const uint8_t secret[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		key_identity_from_seed(
			i < NODES ? &s->at[i].id : &s->registrar_id, secret);
	}
	fake_net_weather(s->net, &fair);
	start_registrar(s, &at);
	for (int i = 0; i < NODES; i++) {
		struct fake_nat nat;

		if (kind[i]) {
			nat = *kind[i];
			nat.outside =
				net_addr_v4(203, 0, 113, (uint8_t)(10 + i), 0);
		}
		start_node(s, i, &at, kind[i] ? &nat : NULL);
	}
	fake_net_run(s->net, fake_net_now(s->net) + 3 * MONO_S);
	for (int i = 0; i < NODES; i++)
		T_TRUE(oo_reg_is_up(
			oo_node_registrar(node_openover(s->at[i].node), 0)));
}

static void end(struct scene *s)
{
	for (int i = 0; i < NODES; i++)
		node_free(s->at[i].node);
	oo_registrar_free(s->registrar);
	fake_net_free(s->net);
}

static void run(struct scene *s, mono_us d)
{
	fake_net_run(s->net, fake_net_now(s->net) + d);
}

static struct node_link_id dial(struct scene *s)
{
	const struct node_connect c = { .number = "2002" };
	struct node_link_id id;

	T_EQ(IAX2_OK,
	     node_connect(s->at[0].node, &c, fake_net_now(s->net), &id));
	return id;
}

static unsigned links(const struct scene *s, int i, enum node_link_state state)
{
	struct node_link_info l;
	unsigned n = 0;

	for (size_t k = 0; k < NODE_LINKS_MAX; k++)
		n += node_link_at(s->at[i].node, k, &l) && l.state == state;
	return n;
}

static unsigned all_links(const struct scene *s, int i)
{
	struct node_link_info l;
	unsigned n = 0;

	for (size_t k = 0; k < NODE_LINKS_MAX; k++)
		n += node_link_at(s->at[i].node, k, &l);
	return n;
}

/* --- links that are there already --------------------------------------- */

/* The second node wants a permanent link to the first, and looks for it where
 * nobody answers. */
static struct node_link_id seek(struct scene *s, bool permanent)
{
	const struct node_connect c = {
		.number = "2001",
		.addr = net_addr_v4(198, 51, 100, 99, 4569),
		.mode = NODE_MONITOR,
		.permanent = permanent,
	};
	struct node_link_id id;

	T_EQ(IAX2_OK,
	     node_connect(s->at[1].node, &c, fake_net_now(s->net), &id));
	return id;
}

static void a_permanent_link_takes_the_call_that_it_waited_for(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	for (int calling = 0; calling < 2; calling++) {
		begin(&s, 31, &preserving, &preserving);
		id = seek(&s, true);
		run(&s, calling ? 100 * MONO_MS : 7 * MONO_S);
		T_TRUE(node_link(s.at[1].node, id, &l));
		T_EQ(calling ? NODE_LINK_CALLING : NODE_LINK_WAITING, l.state);
		(void)dial(&s);
		run(&s, MONO_S);
		T_TRUE(node_link(s.at[1].node, id, &l));
		T_EQ(NODE_LINK_UP, l.state);
		T_EQ(NODE_MONITOR, l.mode);
		T_TRUE(l.permanent && !l.outbound);
		T_EQ(1, all_links(&s, 1));
		T_EQ(1, links(&s, 0, NODE_LINK_UP));
		/* When the call ends the link goes on seeking. */
		T_EQ(1,
		     node_disconnect(s.at[0].node, NULL, fake_net_now(s.net)));
		run(&s, MONO_S);
		T_TRUE(node_link(s.at[1].node, id, &l));
		T_EQ(NODE_LINK_WAITING, l.state);
		run(&s, 5 * MONO_S);
		T_TRUE(node_link(s.at[1].node, id, &l));
		T_EQ(NODE_LINK_CALLING, l.state);
		T_TRUE(l.outbound);
		end(&s);
	}
}

static void a_dial_under_way_is_content_with_the_others_call(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	begin(&s, 32, &preserving, &preserving);
	id = seek(&s, false);
	(void)dial(&s);
	run(&s, MONO_S);
	T_TRUE(node_link(s.at[1].node, id, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_EQ(0, s.at[1].downs);
	T_EQ(1, all_links(&s, 1));
	/* Nothing is left to seek when it ends. */
	T_EQ(1, node_disconnect(s.at[0].node, NULL, fake_net_now(s.net)));
	run(&s, MONO_S);
	T_EQ(0, all_links(&s, 1));
	end(&s);
}

/* The one that is called while it asks its registrar has not called yet: it
 * need not insist, whatever its number. */
static void a_dial_that_gets_nowhere_does_not_keep_the_other_out(void)
{
	const struct node_connect c = { .number = "2002", .permanent = true };
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	begin(&s, 34, NULL, NULL);
	/* What the first sends reaches no registrar. */
	fake_net_cut(s.net, 0, true);
	T_EQ(IAX2_OK, node_connect(s.at[0].node, &c, fake_net_now(s.net), &id));
	run(&s, MONO_S);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(NODE_LINK_REQUESTING, l.state);
	fake_net_cut(s.net, 0, false);
	T_EQ(IAX2_OK, node_connect(s.at[1].node,
				   &(struct node_connect){ .number = "2001" },
				   fake_net_now(s.net), &id));
	run(&s, MONO_S);
	T_EQ(1, links(&s, 0, NODE_LINK_UP));
	T_EQ(1, links(&s, 1, NODE_LINK_UP));
	T_EQ(0, s.at[0].downs + s.at[1].downs);
	end(&s);
}

static void two_that_dial_each_other_get_one_link(void)
{
	const struct node_connect back = { .number = "2001" };

	for (int first = 0; first < 2; first++) {
		for (unsigned ms = 0; ms <= 400; ms += 5) {
			struct node_link_id id;
			struct scene s;

			begin(&s, 1 + ms, &preserving, &preserving);
			if (first == 0)
				(void)dial(&s);
			else
				T_EQ(IAX2_OK,
				     node_connect(s.at[1].node, &back,
						  fake_net_now(s.net), &id));
			run(&s, ms * MONO_MS);
			/* There may be a link already: nothing to dial. */
			if (first == 0)
				(void)node_connect(s.at[1].node, &back,
						   fake_net_now(s.net), &id);
			else if (all_links(&s, 0) == 0)
				(void)dial(&s);
			run(&s, 2 * MONO_S);
			T_EQ(1, links(&s, 0, NODE_LINK_UP));
			T_EQ(1, links(&s, 1, NODE_LINK_UP));
			T_EQ(1, all_links(&s, 0));
			T_EQ(1, all_links(&s, 1));
			/* Neither console hears that its connect failed. */
			T_EQ(0, s.at[0].downs + s.at[1].downs);
			/* The call that gave way is forgotten in the end. */
			run(&s, 10 * MONO_S);
			T_EQ(1,
			     iax2_endpoint_calls(node_endpoint(s.at[0].node)));
			T_EQ(1,
			     iax2_endpoint_calls(node_endpoint(s.at[1].node)));
			end(&s);
		}
	}
}

static void a_node_that_stops_takes_no_calls(void)
{
	bool in_time = false, late = false;

	/* Whatever the dial has come to when the other node stops. */
	for (unsigned ms = 0; ms <= 400; ms += 5) {
		unsigned ups;
		struct scene s;

		begin(&s, 33, NULL, NULL);
		(void)dial(&s);
		run(&s, ms * MONO_MS);
		ups = s.at[1].ups;
		node_stop(s.at[1].node, fake_net_now(s.net));
		run(&s, 2 * MONO_S);
		T_EQ(ups, s.at[1].ups);
		T_EQ(0, all_links(&s, 1));
		in_time = in_time || ups == 0;
		late = late || ups > 0;
		end(&s);
	}
	T_TRUE(in_time && late);
}

/* --- dialling ----------------------------------------------------------- */

static void a_dial_between_two_carrier_nats_takes_four_round_trips(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	begin(&s, 1, &preserving, &preserving);
	id = dial(&s);
	run(&s, 2 * MONO_S);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_EQ(NODE_RUNG_OPENED, l.rung);
	T_TRUE(l.dial_us <= 4 * RTT);
	T_EQ(1, links(&s, 1, NODE_LINK_UP));
	end(&s);
}

/* Make 2002 a plain client of the registrar, registered at @at. */
static void register_as_plain(struct scene *s, const struct net_addr *at)
{
	static struct net_prefix all;
	const struct oo_registrar_cfg limits = { .refresh_s = 1800,
						 .registrations_per_min = 600,
						 .opens_per_min = 600,
						 .auth_failures_per_min = 60,
						 .token_optional = &all,
						 .token_optional_n = 1 };
	struct iax2_full hdr = { .src_callno = 7 };
	uint8_t buf[OO_FRAME_MAX];
	char challenge[65], md5[33];

	T_EQ(IAX2_OK, oo_registrar_plain_put(s->registrar, "2002", "sesame"));
	T_TRUE(oo_registrar_limits(s->registrar, &limits));
	for (int i = 0; i < 2; i++) {
		struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_REGREQ, &hdr);
		struct dgram d = { .path.peer = *at, .data = buf };
		struct oo_msg m;

		iax2_ie_put_text(&w, IAX2_IE_USERNAME, "2002");
		if (i == 1)
			iax2_ie_put_text(&w, IAX2_IE_MD5_RESULT, md5);
		d.len = (size_t)(w.p - buf);
		T_EQ(IAX2_OK,
		     oo_registrar_rx(s->registrar, &d, fake_net_now(s->net)));
		T_TRUE(oo_registrar_next_tx(s->registrar, &d));
		T_EQ(IAX2_OK, oo_msg_decode(d.data, d.len, &m));
		memcpy(challenge, m.challenge, sizeof(challenge));
		key_md5_response(challenge, "sesame", md5);
		hdr.dst_callno = m.hdr.src_callno;
	}
}

static const struct net_addr *open_address(int i)
{
	static struct net_addr a;

	a = net_addr_v4(198, 51, 100, (uint8_t)(20 + i), 4569);
	return &a;
}

static void a_plain_client_is_dialled_by_number_and_called_directly(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	peer_of[0] = (struct node_peer){ .number = "2002",
					 .md5_secret = "between us" };
	peer_of[1] = (struct node_peer){ .number = "2001",
					 .md5_secret = "between us" };
	begin(&s, 1, &preserving, NULL);
	register_as_plain(&s, open_address(1));
	id = dial(&s);
	run(&s, 2 * MONO_S);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_EQ(NODE_RUNG_DIRECT, l.rung);
	T_EQ(1, links(&s, 1, NODE_LINK_UP));
	end(&s);
	memset(peer_of, 0, sizeof(peer_of));
}

/* Or a registrar could take the place of a node whose key is known here. */
static void a_listed_key_is_not_given_up_for_a_plain_client(void)
{
	struct scene s;

	peer_of[0] = (struct node_peer){ .number = "2002", .has_key = true };
	begin(&s, 1, &preserving, NULL);
	register_as_plain(&s, open_address(1));
	(void)dial(&s);
	run(&s, 2 * MONO_S);
	T_EQ(0, all_links(&s, 0));
	T_EQ(1, s.at[0].downs);
	T_EQ(0, all_links(&s, 1));
	T_TRUE(strstr(s.at[0].why, "key") != NULL);
	end(&s);
	memset(peer_of, 0, sizeof(peer_of));
}

static bool lose_nth(void *ctx, const struct fake_packet *p)
{
	struct scene *s = ctx;

	(void)p;
	return s->lose == 0 || ++s->passed != s->lose;
}

static void any_one_packet_of_a_dial_may_be_lost(void)
{
	mono_us slowest = 0;

	for (unsigned n = 1; n <= 24; n++) {
		struct node_link_info l;
		struct node_link_id id;
		struct scene s;

		begin(&s, n, &preserving, &preserving);
		fake_net_hook(s.net, lose_nth, &s);
		s.lose = n;
		id = dial(&s);
		run(&s, 3 * MONO_S);
		T_TRUE(node_link(s.at[0].node, id, &l));
		T_EQ(NODE_LINK_UP, l.state);
		T_EQ(1, links(&s, 1, NODE_LINK_UP));
		if (l.dial_us > slowest)
			slowest = l.dial_us;
		end(&s);
	}
	/* About one retry interval more than without loss. */
	T_TRUE(slowest <= 4 * RTT + 300 * MONO_MS);
}

static void in_foul_weather_a_dial_ends_and_both_ends_agree(void)
{
	const struct fake_weather foul = { .delay = ONE_WAY,
					   .jitter = 30 * MONO_MS,
					   .loss = 150,
					   .duplicate = 100,
					   .reorder = 100,
					   .reorder_delay = 60 * MONO_MS };
	unsigned up = 0;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct scene s;

		begin(&s, seed, &preserving, &preserving);
		fake_net_weather(s.net, &foul);
		(void)dial(&s);
		run(&s, 12 * MONO_S);
		T_EQ(0, links(&s, 0, NODE_LINK_REQUESTING));
		T_EQ(0, links(&s, 0, NODE_LINK_PUNCHING));
		up += links(&s, 0, NODE_LINK_UP);
		if (all_links(&s, 0) == 0)
			T_TRUE(s.at[0].why[0] != '\0');
		/* Fair again: what one end has, the other has. */
		fake_net_weather(s.net,
				 &(struct fake_weather){ .delay = ONE_WAY });
		run(&s, 60 * MONO_S);
		T_EQ(links(&s, 0, NODE_LINK_UP), links(&s, 1, NODE_LINK_UP));
		(void)node_disconnect(s.at[0].node, NULL, fake_net_now(s.net));
		run(&s, 10 * MONO_S);
		T_EQ(0, all_links(&s, 0));
		T_EQ(0, all_links(&s, 1));
		T_EQ(0, iax2_endpoint_calls(node_endpoint(s.at[0].node)));
		T_EQ(0, iax2_endpoint_calls(node_endpoint(s.at[1].node)));
		T_EQ(0, oo_registrar_opens(s.registrar));
		end(&s);
	}
	/* One packet in seven is lost: nearly all get through all the same. */
	T_TRUE(up >= 190);
}

static void a_port_translating_nat_is_met_by_port_probing(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		const bool caller = seed % 2;
		struct node_link_info l;
		struct node_link_id id;
		struct scene s;

		begin(&s, seed, caller ? &symmetric : &preserving,
		      caller ? &preserving : &symmetric);
		id = dial(&s);
		run(&s, 10 * MONO_S);
		T_TRUE(node_link(s.at[0].node, id, &l));
		T_EQ(NODE_LINK_UP, l.state);
		T_EQ(NODE_RUNG_PREDICTED, l.rung);
		T_EQ(1, s.at[!caller].opened);
		/* All but the one in use are given back. */
		run(&s, 10 * MONO_S);
		T_TRUE(s.at[!caller].closed >= 1);
		T_TRUE(!node_uses_socket(s.at[!caller].node, 0xffff));
		end(&s);
	}
}

static void a_port_translating_target_reaches_a_public_caller_at_once(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	begin(&s, 3, NULL, &symmetric);
	id = dial(&s);
	run(&s, 2 * MONO_S);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_EQ(NODE_RUNG_OPENED, l.rung);
	T_TRUE(l.dial_us <= 6 * RTT);
	T_EQ(0, s.at[1].opened);
	end(&s);
}

/* --- keeping the hole --------------------------------------------------- */

static void the_hole_lives_for_a_day_and_costs_little(void)
{
	const mono_us day = 24 * 3600 * MONO_S;
	struct fake_counters before, after;
	struct scene s;

	begin(&s, 5, &preserving, &preserving);
	before = *fake_net_counters(s.net, 1);
	run(&s, day);
	after = *fake_net_counters(s.net, 1);
	/* A PING each 12.75 s at the most, and the refreshes. */
	T_TRUE(after.sent - before.sent < day / MONO_S / 12);
	T_TRUE(after.sent - before.sent > day / MONO_S / 16);
	(void)dial(&s);
	run(&s, MONO_S);
	T_EQ(1, links(&s, 0, NODE_LINK_UP));
	end(&s);
}

static void a_changed_carrier_address_is_noticed_within_an_interval(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		const struct net_addr other = net_addr_v4(203, 0, 113, 99, 0);
		struct scene s;

		begin(&s, seed, &preserving, &preserving);
		run(&s, seed * MONO_S);
		fake_net_rebind(s.net, s.nat[1], fake_net_now(s.net), &other);
		run(&s, 16 * MONO_S);
		T_EQ(1, oo_registrar_counters(s.registrar)->moves);
		T_EQ(2, oo_registrar_counters(s.registrar)->registered);
		(void)dial(&s);
		run(&s, MONO_S);
		T_EQ(1, links(&s, 0, NODE_LINK_UP));
		end(&s);
	}
}

static void a_node_that_was_cut_off_for_a_minute_comes_back(void)
{
	struct scene s;

	begin(&s, 9, &preserving, &preserving);
	fake_net_cut(s.net, 2, true);
	run(&s, 60 * MONO_S);
	T_TRUE(!oo_reg_is_up(
		oo_node_registrar(node_openover(s.at[1].node), 0)));
	fake_net_cut(s.net, 2, false);
	run(&s, 61 * MONO_S);
	(void)dial(&s);
	run(&s, MONO_S);
	T_EQ(1, links(&s, 0, NODE_LINK_UP));
	end(&s);
}

static void a_silent_registrar_is_asked_for_ever_but_not_often(void)
{
	struct fake_counters before, after;
	struct scene s;

	begin(&s, 11, &preserving, &preserving);
	fake_net_cut(s.net, 0, true);
	run(&s, 600 * MONO_S);
	before = *fake_net_counters(s.net, 1);
	run(&s, 3600 * MONO_S);
	after = *fake_net_counters(s.net, 1);
	T_TRUE(after.sent - before.sent > 60);
	T_TRUE(after.sent - before.sent < 1500);
	fake_net_cut(s.net, 0, false);
	run(&s, 90 * MONO_S);
	T_TRUE(oo_reg_is_up(oo_node_registrar(node_openover(s.at[0].node), 0)));
	end(&s);
}

/* --- speech ------------------------------------------------------------- */

struct heard {
	unsigned blocks, keyed, edges;
	bool was;
	int32_t peak;
};

/* Each 20 ms: 2001 receives a tone while @talk, 2002 transmits what comes. */
static void speak(struct scene *s, bool talk, unsigned blocks, struct heard *h)
{
	for (unsigned b = 0; b < blocks; b++) {
		int16_t rx[AUDIO_BLOCK] = { 0 }, tx[AUDIO_BLOCK];
		bool keyed;

		for (size_t i = 0; talk && i < AUDIO_BLOCK; i++)
			rx[i] = (int16_t)(i % 8 < 4 ? 8000 : -8000);
		run(s, 20 * MONO_MS);
		(void)node_audio(s->at[0].node, rx, talk, tx,
				 fake_net_now(s->net));
		memset(rx, 0, sizeof(rx));
		keyed = node_audio(s->at[1].node, rx, false, tx,
				   fake_net_now(s->net));
		h->blocks++;
		h->keyed += keyed;
		h->edges += keyed != h->was;
		h->was = keyed;
		for (size_t i = 0; i < AUDIO_BLOCK; i++)
			h->peak = tx[i] > h->peak ? tx[i] : h->peak;
	}
}

static void speech_keys_the_far_transmitter_and_only_for_its_length(void)
{
	struct heard h = { 0 };
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	begin(&s, 21, &preserving, &preserving);
	id = dial(&s);
	run(&s, MONO_S);
	speak(&s, false, 50, &h);
	T_EQ(0, h.keyed);
	/* Longer than the 16-bit time stamp of a mini frame. */
	speak(&s, true, 70 * 50, &h);
	speak(&s, false, 50, &h);
	T_EQ(2, h.edges);
	T_TRUE(h.keyed >= 70 * 50 - 1 && h.keyed <= 70 * 50 + 3);
	T_TRUE(h.peak > 7700 && h.peak < 8300);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(70 * 50, l.call.tx_voice);
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		if (!node_link_at(s.at[1].node, i, &l))
			continue;
		T_EQ(70 * 50, l.call.rx_voice);
		T_EQ(0, l.call.rx_lost);
		T_EQ(0, l.jitter.late + l.jitter.lost);
	}
	end(&s);
}

static void a_talker_that_vanishes_unkeys_the_far_transmitter(void)
{
	struct heard h = { 0 };
	struct scene s;

	begin(&s, 22, &preserving, &preserving);
	(void)dial(&s);
	run(&s, MONO_S);
	speak(&s, true, 100, &h);
	T_TRUE(h.was);
	fake_net_cut(s.net, 1, true);
	speak(&s, false, 100, &h);
	T_TRUE(!h.was);
	/* And the link ends, in the end. */
	run(&s, 90 * MONO_S);
	T_EQ(0, all_links(&s, 1));
	end(&s);
}

static void digits_arrive_in_order_and_once(void)
{
	struct scene s;

	begin(&s, 23, &preserving, &preserving);
	(void)dial(&s);
	run(&s, MONO_S);
	T_EQ(IAX2_OK, node_dtmf(s.at[0].node, "*80", fake_net_now(s.net)));
	T_EQ(IAX2_E_RANGE, node_dtmf(s.at[0].node, "x", fake_net_now(s.net)));
	run(&s, MONO_S);
	T_EQ(NODE_EV_DTMF, s.at[1].last.kind);
	T_EQ('0', s.at[1].last.digit);
	end(&s);
}

/* A console gets whole characters, and all of them that fit. */
static void long_text_is_cut_between_characters(void)
{
	/* Octets before the one at the cut, the character, octets that stay:
	 * 255 fit. */
	static const struct {
		unsigned before;
		const char *character;
		size_t stay;
	} cases[] = {
		{ 254, "\xc3\xa9", 254 },
		{ 253, "\xc3\xa9", 255 },
		{ 253, "\xe2\x82\xac", 253 },
		{ 252, "\xe2\x82\xac", 255 },
		{ 252, "\xf0\x9f\x93\xbb", 252 },
		{ 251, "\xf0\x9f\x93\xbb", 255 },
		{ 254, "x", 255 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[300] = "";
		struct node *n;
		struct scene s;

		begin(&s, 24, NULL, NULL);
		(void)dial(&s);
		run(&s, MONO_S);
		memset(text, 'a', cases[i].before);
		(void)strcat(text, cases[i].character);
		(void)strcat(text, "and more");
		n = s.at[0].node;
		T_EQ(IAX2_OK, iax2_send_text(n->ep, n->link[0].call, text,
					     fake_net_now(s.net)));
		run(&s, 200 * MONO_MS);
		T_EQ(NODE_EV_TEXT, s.at[1].last.kind);
		T_EQ(cases[i].stay, strlen(s.at[1].last.text));
		T_TRUE(memcmp(text, s.at[1].last.text, cases[i].stay) == 0);
		end(&s);
	}
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_dial_between_two_carrier_nats_takes_four_round_trips);
	T_RUN(a_plain_client_is_dialled_by_number_and_called_directly);
	T_RUN(a_listed_key_is_not_given_up_for_a_plain_client);
	T_RUN(any_one_packet_of_a_dial_may_be_lost);
	T_RUN(in_foul_weather_a_dial_ends_and_both_ends_agree);
	T_RUN(a_port_translating_nat_is_met_by_port_probing);
	T_RUN(a_port_translating_target_reaches_a_public_caller_at_once);
	T_RUN(the_hole_lives_for_a_day_and_costs_little);
	T_RUN(a_changed_carrier_address_is_noticed_within_an_interval);
	T_RUN(a_node_that_was_cut_off_for_a_minute_comes_back);
	T_RUN(a_silent_registrar_is_asked_for_ever_but_not_often);
	T_RUN(speech_keys_the_far_transmitter_and_only_for_its_length);
	T_RUN(a_talker_that_vanishes_unkeys_the_far_transmitter);
	T_RUN(digits_arrive_in_order_and_once);
	T_RUN(long_text_is_cut_between_characters);
	T_RUN(a_permanent_link_takes_the_call_that_it_waited_for);
	T_RUN(a_dial_under_way_is_content_with_the_others_call);
	T_RUN(a_dial_that_gets_nowhere_does_not_keep_the_other_out);
	T_RUN(two_that_dial_each_other_get_one_link);
	T_RUN(a_node_that_stops_takes_no_calls);
	return T_DONE();
}
