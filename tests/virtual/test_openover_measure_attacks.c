/* SPDX-License-Identifier: MIT */

/* What measuring must not be good for: sending anything to a third party,
 * drawing out more than is put in, moving a session, keeping the registrar
 * busy. */

#include <string.h>

#include "proto/iax2_ie.h"
#include "tests/t.h"
#include "tests/virtual/measure_scene.h"

static struct measure_scene s;
static struct oo_session session; /* the node's, going on from there */
static struct net_path live;      /* as the registrar knows the node */

/* What the registrar sent for the last question. */
static struct {
	struct net_path path;
	struct oo_msg m;
	size_t len;
} got[8];
static size_t got_n;

static void begin(void)
{
	static const struct fake_nat nat = {
		.filtering = FAKE_FILTER_ADDRESS_PORT,
	};
	struct fake_nat n = nat;

	s = (struct measure_scene){ .seed = 1, .no_sockets = true };
	n.outside = measure_outside;
	measure_scene_init(&s, &n);
	measure_scene_run(&s, 30 * MONO_S);
	session = measure_scene_reg(&s)->session;
	live = measure_scene_record(&s)->path[OO_V4];
}

static void take_all(void)
{
	struct dgram d;

	got_n = 0;
	while (oo_registrar_next_tx(s.registrar, &d)) {
		T_TRUE(got_n < 8);
		got[got_n].path = d.path;
		got[got_n].len = d.len;
		T_EQ(IAX2_OK, oo_msg_decode(d.data, d.len, &got[got_n].m));
		got_n++;
	}
}

struct question {
	bool there;
	uint8_t end;
	struct net_addr target;
	uint64_t cookie;
	bool no_target; /* there, all the same */
	bool no_transaction;
	size_t len; /* 0: OO_MEASURE_LEN */
};

static size_t put(uint8_t buf[OO_FRAME_MAX], const struct question *q)
{
	static const struct iax2_full hdr = { .src_callno =
						      IAX2_CALLNO_OUTSIDE };
	struct wire_wr w = oo_frame_begin(buf, OO_MEASURE, &hdr);

	oo_session_put(&session, &w);
	if (!q->no_transaction)
		iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, 7);
	if (q->there) {
		iax2_ie_put_u8(&w, IAX2_IE_KH_END, q->end);
		if (!q->no_target)
			oo_put_addr(&w, IAX2_IE_KH_TARGET_ADDR, &q->target);
		iax2_ie_put_u64(&w, IAX2_IE_KH_PATH, q->cookie);
	}
	oo_put_pad(&w, buf, q->len ? q->len : OO_MEASURE_LEN, true);
	seal_append(&w, buf, session.tx_key);
	return (size_t)(w.p - buf);
}

static enum iax2_err rx(const struct net_path *from, const uint8_t *data,
			size_t len)
{
	const struct dgram d = { .path = *from, .data = data, .len = len };
	const enum iax2_err err =
		oo_registrar_rx(s.registrar, &d, fake_net_now(s.net));

	take_all();
	return err;
}

static enum iax2_err ask(const struct net_path *from, const struct question *q)
{
	uint8_t buf[OO_FRAME_MAX];

	return rx(from, buf, put(buf, q));
}

/* A flow of the node's, and its cookie. */
static struct question prove(uint16_t port)
{
	struct net_path flow = live;
	const struct question seen = { 0 };

	flow.peer.port = port;
	T_EQ(IAX2_OK, ask(&flow, &seen));
	T_EQ(1, got_n);
	T_TRUE(net_addr_equal(&flow.peer, &got[0].path.peer));
	T_TRUE(net_addr_equal(&flow.peer, &got[0].m.reflexive));
	T_TRUE(got[0].m.has_path);
	T_TRUE(got[0].len <= OO_MEASURE_LEN);
	return (struct question){ .there = true,
				  .target = flow.peer,
				  .cookie = got[0].m.path };
}

static void what_is_asked_for_is_sent_and_no_more(void)
{
	struct question q;

	begin();
	q = prove(5000);
	for (uint8_t end = 0; end < OO_ENDS; end++) {
		q.end = end;
		T_EQ(IAX2_OK, ask(&live, &q));
		T_EQ(2, got_n);
		T_TRUE(net_addr_equal(&q.target, &got[0].path.peer));
		T_TRUE(net_addr_equal(&live.peer, &got[1].path.peer));
		T_EQ(end == OO_END_MAIN ? 0 : 1, got[0].path.sock);
		T_EQ(0, got[1].path.sock);
		T_TRUE(got[0].m.has_end && !got[1].m.has_end);
		T_EQ(end, got[0].m.end);
		T_TRUE(got[0].len + got[1].len <= OO_MEASURE_LEN);
	}
	T_TRUE(memcmp(got[0].path.local_ip, measure_other.ip, 16) == 0);
	q.end = OO_ENDS;
	T_EQ(IAX2_E_REFUSED, ask(&live, &q));
	T_EQ(0, got_n);
	measure_scene_done(&s);
}

static void nothing_goes_to_a_third_party(void)
{
	struct question q, other;

	begin();
	q = prove(5000);
	other = q;
	other.target = net_addr_v4(198, 51, 100, 66, 4569);
	T_EQ(IAX2_E_REFUSED, ask(&live, &other));
	T_EQ(0, got_n);
	other = q;
	other.target.port++;
	T_EQ(IAX2_E_REFUSED, ask(&live, &other));
	other = q;
	other.cookie ^= 1;
	T_EQ(IAX2_E_REFUSED, ask(&live, &other));
	/* Nor does a session's own address help that was never proved. */
	other = q;
	other.target = live.peer;
	T_EQ(IAX2_E_REFUSED, ask(&live, &other));
	T_EQ(0, got_n);
	measure_scene_done(&s);
}

/* Who forwards a question from elsewhere gets nothing sent anywhere. */
static void only_the_proved_address_asks(void)
{
	struct net_path elsewhere;
	struct question q;

	begin();
	q = prove(5000);
	elsewhere = live;
	elsewhere.peer.port = 6000;
	T_EQ(IAX2_E_REFUSED, ask(&elsewhere, &q));
	elsewhere = live;
	elsewhere.sock = 1;
	T_EQ(IAX2_E_REFUSED, ask(&elsewhere, &q));
	T_EQ(0, got_n);
	measure_scene_done(&s);
}

static void a_cookie_is_one_node_s_and_does_not_last(void)
{
	struct question q;

	begin();
	q = prove(5000);
	/* A new session of the same node: a hole may be idle meanwhile. */
	measure_scene_run(&s, 290 * MONO_S);
	session.tx_counter = measure_scene_reg(&s)->session.tx_counter + 20;
	T_EQ(IAX2_OK, ask(&live, &q));
	T_EQ(2, got_n);
	/* One question in between makes the secrets change. */
	measure_scene_run(&s, 290 * MONO_S);
	session.tx_counter = measure_scene_reg(&s)->session.tx_counter + 30;
	(void)prove(5001);
	measure_scene_run(&s, 320 * MONO_S);
	session.tx_counter = measure_scene_reg(&s)->session.tx_counter + 40;
	(void)prove(5001);
	T_EQ(IAX2_E_REFUSED, ask(&live, &q));
	measure_scene_done(&s);
}

static void replays_and_forgeries_are_dropped(void)
{
	const struct question q = { 0 };
	uint8_t buf[OO_FRAME_MAX];
	size_t len;

	begin();
	len = put(buf, &q);
	T_EQ(IAX2_OK, rx(&live, buf, len));
	T_EQ(1, got_n);
	T_EQ(IAX2_E_REFUSED, rx(&live, buf, len));
	T_EQ(0, got_n);
	len = put(buf, &q);
	buf[len - 1] ^= 1;
	T_EQ(IAX2_E_REFUSED, rx(&live, buf, len));
	T_EQ(0, got_n);
	measure_scene_done(&s);
}

static void a_short_or_senseless_question_gets_nothing(void)
{
	const struct question bad[] = {
		{ .len = OO_MEASURE_LEN - 1 },
		{ .no_transaction = true },
		{ .there = true, .no_target = true },
	};

	begin();
	for (size_t i = 0; i < 3; i++) {
		T_EQ(IAX2_E_NOT_OURS, ask(&live, &bad[i]));
		T_EQ(0, got_n);
	}
	measure_scene_done(&s);
}

static void a_node_measures_once_a_second(void)
{
	const struct question q = { 0 };
	unsigned answered = 0;

	begin();
	for (int i = 0; i < 500; i++) {
		struct net_path from = live;

		/* The address that it asks from does not matter. */
		from.peer = net_addr_v4(198, 51, (uint8_t)i, 1, 4569);
		answered += ask(&from, &q) == IAX2_OK;
	}
	T_TRUE(answered >= 10 && answered <= 20);
	T_TRUE(oo_registrar_counters(s.registrar)->limited >= 480);
	measure_scene_done(&s);
}

/* The other ends serve nothing else: no PING moves a session through them. */
static void nothing_else_is_heard_there(void)
{
	static const struct iax2_full hdr = { .src_callno =
						      IAX2_CALLNO_OUTSIDE };
	static const uint8_t subclass[] = { IAX2_IAX_POKE, IAX2_IAX_REGREQ,
					    IAX2_IAX_REGREL, OO_OPEN_REQUEST,
					    OO_OVER };
	struct net_path there;

	begin();
	there = live;
	there.sock = 1;
	for (size_t i = 0; i < sizeof(subclass); i++) {
		uint8_t buf[OO_FRAME_MAX];
		struct wire_wr w = oo_frame_begin(buf, subclass[i], &hdr);

		oo_session_put(&session, &w);
		seal_append(&w, buf, session.tx_key);
		T_EQ(IAX2_E_NOT_OURS, rx(&there, buf, (size_t)(w.p - buf)));
		T_EQ(0, got_n);
	}
	T_TRUE(measure_scene_record(&s)->session.id != 0);
	measure_scene_done(&s);
}

/* An answer that nobody asked for, or to another socket, is none. */
static void the_node_believes_only_what_it_asked(void)
{
	struct measure_scene *t = &s;
	uint8_t buf[OO_FRAME_MAX];
	struct oo_session as;
	const struct net_addr lie = net_addr_v4(198, 51, 100, 66, 9);

	*t = (struct measure_scene){ .seed = 2 };
	measure_scene_init(t, NULL);
	measure_scene_run(t, 30 * MONO_S);
	as = measure_scene_record(t)->session;
	for (uint16_t sock = 0; sock < 12; sock++) {
		static const struct iax2_full hdr = { .src_callno = 1,
						      .dst_callno = 1 };
		struct wire_wr w = oo_frame_begin(buf, OO_MEASURE, &hdr);
		struct dgram d = { .path = { .peer = measure_main,
					     .sock = sock },
				   .data = buf };

		oo_session_put(&as, &w);
		iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, 1);
		oo_put_addr(&w, IAX2_IE_KH_REFLEXIVE, &lie);
		iax2_ie_put_u64(&w, IAX2_IE_KH_PATH, 1);
		seal_append(&w, buf, as.tx_key);
		d.len = (size_t)(w.p - buf);
		T_EQ(IAX2_OK, oo_node_rx(t->node, &d, fake_net_now(t->net)));
	}
	measure_scene_record(t)->session.tx_counter = as.tx_counter;
	measure_scene_run(t, 600 * MONO_S);
	T_TRUE(net_addr_same_ip(&t->addr,
				&oo_node_measured(t->node)->apparent));
	T_EQ(180 * MONO_S, oo_node_measured(t->node)->life[OO_V4]);
	measure_scene_done(t);
}

/* Sockets that measure are no way in for calls. */
static void strangers_are_not_heard_on_measuring_sockets(void)
{
	static const struct iax2_full hdr = { .src_callno = 5 };
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_NEW, &hdr);
	struct dgram d = { .path = { .peer = measure_other, .sock = 1 },
			   .data = buf,
			   .len = (size_t)(w.p - buf) };

	s = (struct measure_scene){ .seed = 3 };
	measure_scene_init(&s, NULL);
	T_EQ(IAX2_E_NOT_OURS, oo_node_rx(s.node, &d, fake_net_now(s.net)));
	measure_scene_run(&s, 30 * MONO_S);
	T_TRUE(oo_node_uses_socket(s.node, 1));
	T_EQ(IAX2_E_REFUSED, oo_node_rx(s.node, &d, fake_net_now(s.net)));
	d.path.sock = 0;
	T_EQ(IAX2_E_NOT_OURS, oo_node_rx(s.node, &d, fake_net_now(s.net)));
	measure_scene_done(&s);
}

int main(void)
{
	T_RUN(what_is_asked_for_is_sent_and_no_more);
	T_RUN(nothing_goes_to_a_third_party);
	T_RUN(only_the_proved_address_asks);
	T_RUN(a_cookie_is_one_node_s_and_does_not_last);
	T_RUN(replays_and_forgeries_are_dropped);
	T_RUN(a_short_or_senseless_question_gets_nothing);
	T_RUN(a_node_measures_once_a_second);
	T_RUN(nothing_else_is_heard_there);
	T_RUN(the_node_believes_only_what_it_asked);
	T_RUN(strangers_are_not_heard_on_measuring_sockets);
	return T_DONE();
}
