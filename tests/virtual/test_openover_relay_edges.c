/* SPDX-License-Identifier: MIT */

/* A node and its relay that disagree: words that come unasked, too late or
 * without sense, and a registrar that begins anew (OPEN-OVER.md section 4.9). */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_relay_frame.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"

#define PORT_FIRST 20000U

static struct world w;
static uint8_t buf[DGRAM_MAX];

static const struct net_addr outsider = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 9 }, 4569
};
static const uint8_t data[12] = { 0x80, 7, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1 };

static struct oo_record *record(void)
{
	return oo_directory_by_number(oo_registrar_directory(w.registrar),
				      "2001");
}

static struct oo_relay *relay(void)
{
	return oo_registrar_relay(w.registrar);
}

static uint64_t nobodys(void)
{
	return oo_relay_counters(relay())->fate[OO_RELAY_NO_NODE];
}

static struct oo_node_relay_view view(void)
{
	struct oo_node_relay_view v;

	oo_node_relay_view(w.node[0], &v);
	return v;
}

static void begin(enum oo_relay_use use)
{
	const enum oo_relay_use all[WORLD_NODES] = { use, OO_RELAY_NEVER,
						     OO_RELAY_NEVER };

	world_init_relayed(&w, all);
	world_up(&w);
}

/* A RELAY that the registrar seals: no elements, or a lifetime, and an address
 * if @at has one. */
static enum iax2_err registrar_says(int lifetime_s, const struct net_addr *at)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE };
	struct oo_session *s = &record()->session;
	struct wire_wr wr = oo_frame_begin(buf, OO_RELAY, &hdr);
	struct oo_candidates c = { .n = 0 };

	oo_session_put(s, &wr);
	if (lifetime_s >= 0)
		iax2_ie_put_u16(&wr, IAX2_IE_KH_LIFETIME, (uint16_t)lifetime_s);
	if (at)
		oo_candidate_add(&c, OO_CANDIDATE_RELAY, at);
	oo_put_candidates(&wr, &c);
	seal_append(&wr, buf, s->tx_key);
	return world_inject(&w, 0, &w.addr[REGISTRAR], buf,
			    (size_t)(wr.p - buf));
}

static enum iax2_err registrar_carries(void)
{
	const size_t n = oo_relay_frame_wrap(&record()->session, &outsider,
					     data, sizeof(data), buf);

	return world_inject(&w, 0, &w.addr[REGISTRAR], buf, n);
}

/* --- what the node makes of it ------------------------------------------ */

static void an_answer_that_was_not_asked_for_changes_nothing(void)
{
	const struct net_addr at = net_addr_v4(192, 0, 2, 200, 20001);

	begin(OO_RELAY_LAST);
	T_EQ(IAX2_OK, registrar_says(300, &at));
	T_EQ(IAX2_OK, registrar_says(0, NULL));
	world_settle(&w);
	T_TRUE(!view().up);
	T_EQ(0, w.seen[0][OO_EV_RELAY]);
	world_done(&w);
}

static void a_datagram_without_a_relay_is_refused(void)
{
	struct dgram d = { .path = { .peer = outsider, .sock = OO_SOCK_RELAY },
			   .data = data,
			   .len = sizeof(data) };

	begin(OO_RELAY_LAST);
	T_EQ(IAX2_E_REFUSED, registrar_carries());
	T_TRUE(!oo_node_relayed(w.node[0], &d));
	T_EQ(0, view().rx);
	/* And none leaves. */
	T_TRUE(!oo_node_relay_wrap(w.node[0], &d));
	T_EQ(1, view().dropped);
	world_done(&w);
}

static void a_frame_without_sense_is_dropped(void)
{
	begin(OO_RELAY_ALWAYS);
	T_EQ(IAX2_E_BAD_IE, registrar_says(-1, NULL));
	T_EQ(1, oo_node_counters(w.node[0])->malformed);
	T_TRUE(view().up);
	T_EQ(IAX2_OK, registrar_carries());
	T_EQ(1, view().rx);
	world_done(&w);
}

/* It asked for more paths than it may. */
static void opens_use_up_no_address_at_the_relay(void)
{
	const enum oo_relay_use all[WORLD_NODES] = { OO_RELAY_ALWAYS,
						     OO_RELAY_NEVER,
						     OO_RELAY_NEVER };

	world_init_relayed(&w, all);
	oo_directory_by_number(oo_registrar_directory(w.registrar), "2001")
		->opens.since = w.now + 3600 * MONO_S;
	world_up(&w);
	T_TRUE(view().up);
	(void)world_dial(&w, 0, "2002");
	world_settle(&w);
	T_EQ(OO_LIMITED, w.last[0][OO_EV_FAILED].u.failed.verdict);
	world_done(&w);
}

static void yes_without_an_address_is_no(void)
{
	begin(OO_RELAY_ALWAYS);
	T_EQ(IAX2_OK, registrar_says(300, NULL));
	T_TRUE(!view().up);
	T_TRUE(!net_addr_is_set(&view().address[OO_V4]));
	/* It asks once more, and then again in its time. */
	T_EQ(IAX2_OK, registrar_says(300, NULL));
	world_settle(&w);
	T_EQ(2, w.seen[0][OO_EV_RELAY]);
	world_run(&w, 50 * MONO_S);
	T_TRUE(!view().up);
	world_run(&w, 15 * MONO_S);
	T_TRUE(view().up);
	world_done(&w);
}

static void another_address_is_told_of(void)
{
	const struct net_addr at = net_addr_v4(192, 0, 2, 200, 20009);

	begin(OO_RELAY_ALWAYS);
	T_EQ(IAX2_OK, registrar_says(300, &at));
	T_TRUE(net_addr_equal(&at, &view().address[OO_V4]));
	world_settle(&w);
	T_EQ(2, w.seen[0][OO_EV_RELAY]);
	/* The same once more is no news. */
	T_EQ(IAX2_OK, registrar_says(300, &at));
	world_settle(&w);
	T_EQ(2, w.seen[0][OO_EV_RELAY]);
	world_done(&w);
}

static void a_registrar_that_was_away_is_asked_at_once(void)
{
	begin(OO_RELAY_ALWAYS);
	w.gone[REGISTRAR] = true;
	world_run(&w, 100 * MONO_S);
	oo_relay_drop(relay(),
		      oo_relay_of_slot(relay(),
				       (uint16_t)(view().address[OO_V4].port -
						  PORT_FIRST)));
	T_EQ(0, oo_relay_allocations(relay()));
	T_TRUE(view().up);
	w.gone[REGISTRAR] = false;
	/* Sooner than the address would have been renewed. */
	w.log_n = 0;
	world_run(&w, 30 * MONO_S);
	T_EQ(1, oo_relay_allocations(relay()));
	T_TRUE(view().up);
	world_done(&w);
}

/* --- what the registrar makes of it ------------------------------------- */

static enum iax2_err node_sends(void)
{
	struct oo_session s = oo_node_registrar(w.node[0], 0)->session;
	size_t n;

	s.tx_counter += 100;
	n = oo_relay_frame_wrap(&s, &outsider, data, sizeof(data), buf);
	return world_inject(&w, REGISTRAR, &w.addr[0], buf, n);
}

static void a_registrar_without_a_relay_carries_nothing(void)
{
	struct oo_relay_socket s;
	struct dgram d;

	world_init(&w);
	world_up(&w);
	T_TRUE(relay() == NULL);
	T_EQ(IAX2_E_REFUSED, node_sends());
	T_TRUE(!oo_registrar_relay_next_tx(w.registrar, &d));
	T_TRUE(!oo_registrar_next_socket(w.registrar, &s));
	oo_registrar_socket_opened(w.registrar, 0, 3, w.now);
	world_done(&w);
}

static void a_node_without_an_address_has_nothing_carried(void)
{
	struct dgram d;

	begin(OO_RELAY_NEVER);
	T_EQ(IAX2_E_REFUSED, node_sends());
	T_EQ(1, nobodys());
	T_TRUE(!oo_registrar_relay_next_tx(w.registrar, &d));
	/* And who sends to a port that is nobody's is not heard. */
	world_to_relay(&w, &outsider, PORT_FIRST, data, sizeof(data));
	T_EQ(2, nobodys());
	world_done(&w);
}

static void until_its_socket_is_there_nothing_is_carried(void)
{
	uint32_t node;

	begin(OO_RELAY_NEVER);
	node = (uint32_t)oo_directory_index(oo_registrar_directory(w.registrar),
					    record());
	T_TRUE(oo_relay_take(relay(), node, "2001", w.now) != NULL);
	T_EQ(IAX2_E_REFUSED, node_sends());
	T_EQ(1, nobodys());
	world_done(&w);
}

static void a_socket_that_comes_too_late_is_told_to_nobody(void)
{
	uint16_t slot;

	begin(OO_RELAY_ALWAYS);
	slot = (uint16_t)(view().address[OO_V4].port - PORT_FIRST);
	w.log_n = 0;
	oo_registrar_socket_opened(w.registrar, slot ^ 1, 3, w.now);
	oo_registrar_socket_opened(w.registrar, UINT16_MAX, 3, w.now);
	world_settle(&w);
	T_EQ(0, w.log_n);
	/* Its node is another one now: the port is open, nobody is told. */
	memcpy(oo_relay_of_slot(relay(), slot)->number, "2009", 5);
	oo_registrar_socket_opened(w.registrar, slot, 3, w.now);
	world_settle(&w);
	T_EQ(0, w.log_n);
	T_EQ(IAX2_E_REFUSED, node_sends());
	world_done(&w);
}

int main(void)
{
	T_RUN(an_answer_that_was_not_asked_for_changes_nothing);
	T_RUN(a_datagram_without_a_relay_is_refused);
	T_RUN(a_frame_without_sense_is_dropped);
	T_RUN(opens_use_up_no_address_at_the_relay);
	T_RUN(yes_without_an_address_is_no);
	T_RUN(another_address_is_told_of);
	T_RUN(a_registrar_that_was_away_is_asked_at_once);
	T_RUN(a_registrar_without_a_relay_carries_nothing);
	T_RUN(a_node_without_an_address_has_nothing_carried);
	T_RUN(until_its_socket_is_there_nothing_is_carried);
	T_RUN(a_socket_that_comes_too_late_is_told_to_nobody);
	return T_DONE();
}
