/* SPDX-License-Identifier: MIT */

/* What the relay carries for nobody: strangers, floods, scans and forgeries
 * (OPEN-OVER.md section 4.9). */

#include "tests/virtual/relay_talk.h"

static void strangers_may_begin_a_call_and_nothing_else(void)
{
	static const uint8_t begins[] = { IAX2_IAX_NEW, IAX2_IAX_POKE };
	static const uint8_t noise[3][16] = { { 0 },
					      { 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0,
						6, 1, 1, 200 },
					      "OPTIONS sip:a" };

	begin();
	for (unsigned sub = 0; sub < 128; sub++) {
		const struct net_addr from =
			net_addr_v4(192, 0, 2, (uint8_t)(sub + 1), 4569);
		const bool may = memchr(begins, (int)sub, 2) != NULL;

		w.now += MONO_S;
		T_EQ(may, in_full(&from, (uint8_t)sub, 0, 20));
		/* Nor does a made-up call number help. */
		if (!may)
			T_TRUE(!in_full(&from, (uint8_t)sub, NODE_CALL, 20));
	}
	for (size_t i = 0; i < 3; i++) {
		struct frame f = { .len = 16 };

		memcpy(f.data, noise[i], 16);
		T_TRUE(!in(&other, &f));
	}
	/* Nor what is longer than any beginning. */
	T_TRUE(!in_full(&other, IAX2_IAX_NEW, 0, 600));
	world_done(&w);
}

static void a_flood_of_strangers_is_thinned_and_disturbs_no_call(void)
{
	const struct frame voice = mini();
	unsigned passed = 0;

	begin();
	prove(&caller);
	for (unsigned i = 0; i < 10000; i++) {
		const struct net_addr from =
			net_addr_v4(193, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				    (uint8_t)i, 4569);

		w.now += MONO_MS;
		passed += in_full(&from, IAX2_IAX_NEW, 0, 100);
		if (i % 20 == 0)
			T_TRUE(in(&caller, &voice));
	}
	T_TRUE(passed >= 1 && passed <= 10 * 20 + 40);
	T_TRUE(fate(OO_RELAY_STRANGERS) > 9000);
	T_TRUE(oo_relay_peers(relay(), w.now) <= 8);
	world_done(&w);
}

/* As large as they may be, they alone would be more than the node's bit rate.
 */
static void large_frames_of_strangers_do_not_drown_a_call(void)
{
	struct frame voice = mini();
	unsigned passed = 0;

	begin();
	prove(&caller);
	voice.len = 4 + 33;
	for (unsigned i = 0; i < 30000; i++) {
		w.now += MONO_MS;
		if (i % 20 == 0)
			T_TRUE(in(&caller, &voice));
		passed += in_full(&other, IAX2_IAX_NEW, 0, 512);
	}
	T_TRUE(passed >= 100);
	T_TRUE(fate(OO_RELAY_RATE) > 0);
	world_done(&w);
}

static void no_more_goes_to_an_unproved_address_than_it_sent(void)
{
	begin();
	T_TRUE(in_full(&caller, IAX2_IAX_NEW, 0, 100));
	T_EQ(IAX2_E_LIMITED, out_full(&caller, IAX2_IAX_CALLTOKEN, 9, 102));
	T_EQ(IAX2_OK, out_full(&caller, IAX2_IAX_CALLTOKEN, 9, 60));
	T_EQ(IAX2_E_LIMITED, out_full(&caller, IAX2_IAX_CALLTOKEN, 9, 60));
	T_EQ(IAX2_OK, out_full(&caller, IAX2_IAX_CALLTOKEN, 9, 40));
	T_EQ(2, left());
	T_EQ(2, fate(OO_RELAY_LONGER));
	world_done(&w);
}

static void the_node_speaks_to_nobody_who_did_not_ask(void)
{
	const struct frame voice = mini();

	begin();
	T_EQ(IAX2_E_LIMITED, out(&caller, &voice));
	T_EQ(IAX2_E_LIMITED, out_full(&caller, IAX2_IAX_ACCEPT, 9, 40));
	T_EQ(IAX2_E_LIMITED, out_full(&caller, IAX2_IAX_NEW, 9, 40));
	T_EQ(3, fate(OO_RELAY_UNASKED));
	prove(&caller);
	T_EQ(IAX2_OK, out(&caller, &voice));
	(void)left();
	/* Nor to one that asked, but on another port. */
	T_EQ(IAX2_E_LIMITED, out(&other, &voice));
	/* Nor to one that fell silent. */
	w.now += 61 * MONO_S;
	T_EQ(IAX2_E_LIMITED, out(&caller, &voice));
	T_TRUE(!in(&caller, &voice));
	T_EQ(0, left());
	world_done(&w);
}

static void own_calls_leave_but_neither_scan_nor_flood(void)
{
	const struct frame voice = mini();
	unsigned passed = 0;

	begin();
	for (unsigned i = 0; i < 20; i++)
		passed += out_full(&caller, IAX2_IAX_NEW, 0, 80) == IAX2_OK;
	T_EQ(5, passed);
	T_EQ(IAX2_E_LIMITED, out(&caller, &voice));
	/* The answer names our call, and then there is talk. */
	T_TRUE(in_full(&caller, IAX2_IAX_ACCEPT, NODE_CALL, 40));
	T_EQ(IAX2_OK, out(&caller, &voice));
	T_TRUE(in(&caller, &voice));
	/* A thousand addresses in ten seconds. */
	passed = 0;
	for (unsigned i = 0; i < 1000; i++) {
		const struct net_addr to = net_addr_v4(
			193, 0, (uint8_t)(i >> 8), (uint8_t)i, 4569);

		w.now += 10 * MONO_MS;
		passed += out_full(&to, IAX2_IAX_POKE, 0, 12) == IAX2_OK;
	}
	T_TRUE(passed >= 5 && passed <= 13);
	/* No service of other programs is called. */
	w.now += 10 * MONO_S;
	T_EQ(IAX2_E_LIMITED,
	     out_full(&(struct net_addr){ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
					    0xff, 192, 0, 2, 9 },
					  53 },
		      IAX2_IAX_NEW, 0, 80));
	world_done(&w);
}

static void private_and_own_addresses_are_never_reached(void)
{
	static const struct net_addr v6[] = {
		{ { 0 }, 4569 },
		{ { [15] = 1 }, 4569 },
		{ { 0xfe, 0x80, [15] = 1 }, 4569 },
		{ { 0xfd, [15] = 1 }, 4569 },
		{ { 0xff, 0x02, [15] = 1 }, 4569 },
		{ { 0x20, 0x02, 10, 0, 0, 1 }, 4569 },
		{ { 0x20, 0x01, 0, 0, 1 }, 4569 },
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 0xee }, 20001 },
	};
	static const uint8_t v4[][4] = {
		{ 0, 1, 2, 3 },     { 10, 0, 0, 1 },    { 100, 64, 3, 4 },
		{ 127, 0, 0, 1 },   { 169, 254, 1, 1 }, { 172, 31, 255, 1 },
		{ 192, 168, 1, 1 }, { 224, 0, 0, 1 },   { 255, 255, 255, 255 },
		{ 192, 0, 2, 200 }, { 192, 0, 2, 201 },
	};
	uint64_t forbidden = 0;

	begin();
	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
		const struct net_addr to = net_addr_v4(
			v4[i][0], v4[i][1], v4[i][2], v4[i][3], 20001);

		w.now += 2 * MONO_S;
		T_EQ(IAX2_E_LIMITED, out_full(&to, IAX2_IAX_NEW, 0, 80));
		T_TRUE(!in_full(&to, IAX2_IAX_NEW, 0, 80));
		forbidden += 2;
	}
	for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++) {
		w.now += 2 * MONO_S;
		T_EQ(IAX2_E_LIMITED, out_full(&v6[i], IAX2_IAX_NEW, 0, 80));
		T_TRUE(!in_full(&v6[i], IAX2_IAX_NEW, 0, 80));
		forbidden += 2;
	}
	T_EQ(forbidden, fate(OO_RELAY_FORBIDDEN));
	T_EQ(0, left());
	/* The neighbours of those are. */
	T_TRUE(in_full(&caller, IAX2_IAX_NEW, 0, 80));
	world_done(&w);
}

static void a_node_has_a_bit_rate_in_each_direction(void)
{
	struct frame f = { .len = 1000 };
	unsigned passed = 0;

	begin();
	prove(&caller);
	/* A megabyte in ten seconds, where 64 kbit/s are allowed. */
	for (unsigned i = 0; i < 1000; i++) {
		w.now += 10 * MONO_MS;
		passed += in(&caller, &f);
	}
	T_TRUE(passed >= 75 && passed <= 92);
	passed = 0;
	for (unsigned i = 0; i < 1000; i++) {
		w.now += 10 * MONO_MS;
		passed += out(&caller, &f) == IAX2_OK;
		(void)left();
	}
	T_TRUE(passed >= 75 && passed <= 92);
	T_TRUE(fate(OO_RELAY_RATE) > 1800);
	world_done(&w);
}

static void what_is_too_long_is_dropped_and_the_rest_is_whole(void)
{
	struct frame f = { .len = OO_RELAY_INNER_MAX };

	begin();
	for (size_t i = 0; i < sizeof(f.data); i++)
		f.data[i] = (uint8_t)(i * 7 & 0x7f);
	prove(&caller);
	T_TRUE(in(&caller, &f));
	f.len++;
	T_TRUE(!in(&caller, &f));
	f.len = 0;
	T_TRUE(!in(&caller, &f));
	T_EQ(2, fate(OO_RELAY_SIZE));
	world_done(&w);
}

static void nothing_without_a_session(void)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE };
	struct oo_session forged;
	struct wire_wr wr;
	uint8_t buf[DGRAM_MAX];
	struct frame f = mini();
	size_t n;

	begin();
	prove(&caller);
	(void)left();
	forged = session;
	forged.tx_key[0] ^= 1;
	n = oo_relay_frame_wrap(&forged, &caller, f.data, f.len, buf);
	T_EQ(IAX2_E_REFUSED, node_sends(buf, n));
	/* Said twice: carried once. */
	n = oo_relay_frame_wrap(&session, &caller, f.data, f.len, buf);
	T_EQ(IAX2_OK, node_sends(buf, n));
	T_EQ(IAX2_E_REFUSED, node_sends(buf, n));
	T_EQ(1, left());
	T_TRUE(node_sends(buf, n - 1) != IAX2_OK);
	/* Neither a question nor a datagram. */
	wr = oo_frame_begin(buf, OO_RELAY, &hdr);
	oo_session_put(&session, &wr);
	seal_append(&wr, buf, session.tx_key);
	T_EQ(IAX2_E_BAD_IE, node_sends(buf, (size_t)(wr.p - buf)));
	T_EQ(0, left());
	world_done(&w);
}

static void an_address_is_not_given_to_an_unproved_one(void)
{
	begin_with(true);
	w.addr[0] = net_addr_v4(10, 9, 9, 9, 4569);
	T_EQ(IAX2_E_LIMITED, ask(300));
	T_EQ(0, oo_relay_allocations(relay()));
	world_done(&w);
}

int main(void)
{
	T_RUN(strangers_may_begin_a_call_and_nothing_else);
	T_RUN(a_flood_of_strangers_is_thinned_and_disturbs_no_call);
	T_RUN(large_frames_of_strangers_do_not_drown_a_call);
	T_RUN(no_more_goes_to_an_unproved_address_than_it_sent);
	T_RUN(the_node_speaks_to_nobody_who_did_not_ask);
	T_RUN(own_calls_leave_but_neither_scan_nor_flood);
	T_RUN(private_and_own_addresses_are_never_reached);
	T_RUN(a_node_has_a_bit_rate_in_each_direction);
	T_RUN(what_is_too_long_is_dropped_and_the_rest_is_whole);
	T_RUN(nothing_without_a_session);
	T_RUN(an_address_is_not_given_to_an_unproved_one);
	return T_DONE();
}
