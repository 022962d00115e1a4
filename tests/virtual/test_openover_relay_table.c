/* SPDX-License-Identifier: MIT */

/* The relay's table and its frames by themselves (OPEN-OVER.md section 4.9):
 * what may be configured, who has which port, what a frame may say. */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"
#include "proto/openover_relay.h"
#include "proto/openover_relay_frame.h"
#include "tests/t.h"

#define NOW (1000 * MONO_S)

static struct oo_relay_cfg sane(void)
{
	struct oo_relay_cfg c = {
		.port_first = 20000,
		.port_last = 20003,
		.address = { [OO_V4] = net_addr_v4(192, 0, 2, 200, 0) },
		.kbit_s = 200,
		.peers = 8,
		.idle = 60 * MONO_S,
	};

	return c;
}

static void what_is_out_of_range_makes_no_relay(void)
{
	for (int i = 0; i < 12; i++) {
		struct oo_relay_cfg c = sane();
		struct oo_relay *r;

		c.port_first = i == 1 ? 1023 : i == 2 ? 20004 : c.port_first;
		c.kbit_s = i == 3 ? 15 : i == 4 ? 100001 : c.kbit_s;
		c.peers = i == 5 ? 7 : i == 6 ? 33 : c.peers;
		c.idle = i == 7   ? 10 * MONO_S - 1
			 : i == 8 ? 600 * MONO_S + 1
				  : c.idle;
		c.own_n = i == 9 ? OO_RELAY_OWN_MAX + 1 : 0;
		/* The bounds themselves are in. */
		if (i == 10) {
			c.port_first = c.port_last = 1024;
			c.kbit_s = 16;
			c.peers = 8;
			c.idle = 10 * MONO_S;
		} else if (i == 11) {
			c.port_first = c.port_last = 65535;
			c.kbit_s = 100000;
			c.peers = OO_RELAY_PEERS_MAX;
			c.idle = 600 * MONO_S;
			c.own_n = OO_RELAY_OWN_MAX;
		}
		r = oo_relay_new(&c);
		T_EQ(i == 0 || i >= 10, r != NULL);
		T_EQ(r ? (size_t)(c.port_last - c.port_first) + 1 : 0,
		     r ? oo_relay_slots(r) : 0);
		T_TRUE(oo_relay_free(r) == NULL);
	}
}

static struct oo_relay *begin(void)
{
	const struct oo_relay_cfg c = sane();
	struct oo_relay *r = oo_relay_new(&c);

	T_TRUE(r != NULL);
	return r;
}

/* All that are to be opened are, in both families. */
static unsigned open_all(struct oo_relay *r)
{
	struct oo_relay_socket s;
	unsigned n = 0;

	while (oo_relay_next_socket(r, &s)) {
		if (s.open)
			oo_relay_opened(r, s.slot, 3, NOW);
		n++;
	}
	return n;
}

/* Records whose numbers differ by a power of two share a bucket. */
static void nodes_of_one_bucket_are_told_apart(void)
{
	static const char *const number[] = { "2001", "2002", "2003" };
	struct oo_relay *r = begin();

	for (uint32_t gone = 0; gone < 3; gone++) {
		struct oo_relay_alloc *a[3];

		for (uint32_t i = 0; i < 3; i++) {
			a[i] = oo_relay_take(r, 64 * i, number[i], NOW);
			T_TRUE(a[i] != NULL);
		}
		oo_relay_drop(r, a[gone]);
		for (uint32_t i = 0; i < 3; i++) {
			T_TRUE(oo_relay_of_node(r, 64 * i) ==
			       (i == gone ? NULL : a[i]));
			if (i != gone)
				oo_relay_drop(r, a[i]);
		}
		T_EQ(0, oo_relay_allocations(r));
	}
	T_TRUE(oo_relay_of_node(r, 192) == NULL);
	oo_relay_free(r);
}

static void a_node_finds_its_port_again(void)
{
	struct oo_relay *r = begin();
	struct oo_relay_alloc *a = oo_relay_take(r, 1, "2001", NOW);
	const uint16_t port = a->port;

	T_TRUE(oo_relay_take(r, 1, "2001", NOW) == a);
	T_EQ(1, open_all(r));
	oo_relay_drop(r, a);
	/* Another record, as after a restart. */
	a = oo_relay_take(r, 7, "2001", NOW);
	T_EQ(port, a->port);
	/* Its socket was never closed. */
	T_EQ(0, open_all(r));
	/* A record that is another's now does not inherit its calls. */
	a->peers[0].addr = net_addr_v4(203, 0, 113, 1, 4569);
	a = oo_relay_take(r, 7, "2002", NOW);
	T_STR("2002", a->number);
	T_EQ(0, oo_relay_peers(r, NOW));
	T_EQ(1, oo_relay_allocations(r));
	oo_relay_free(r);
}

static void a_full_table_says_so_until_one_leaves(void)
{
	static const char *const number[] = { "2001", "2002", "2003", "2004" };
	struct oo_relay *r = begin();

	for (uint32_t i = 0; i < 4; i++)
		T_TRUE(oo_relay_take(r, i, number[i], NOW + i) != NULL);
	T_TRUE(oo_relay_take(r, 4, "2005", NOW) == NULL);
	oo_relay_expire(r, NOW + OO_RELAY_LIFETIME_S * MONO_S - 1);
	T_EQ(4, oo_relay_allocations(r));
	oo_relay_expire(r, NOW + OO_RELAY_LIFETIME_S * MONO_S);
	T_EQ(3, oo_relay_allocations(r));
	T_TRUE(oo_relay_take(r, 4, "2005", NOW) != NULL);
	oo_relay_free(r);
}

static void a_family_without_an_address_or_a_socket_is_not_told(void)
{
	struct oo_relay *r = begin();
	struct oo_relay_alloc *a = oo_relay_take(r, 1, "2001", NOW);
	const uint16_t slot = (uint16_t)(a->port - 20000);

	T_EQ(0, oo_relay_address(r, a, OO_V4).port);
	oo_relay_opened(r, slot, 1U << OO_V6, NOW);
	T_EQ(0, oo_relay_address(r, a, OO_V4).port);
	T_EQ(0, oo_relay_address(r, a, OO_V6).port);
	oo_relay_opened(r, slot, 3, NOW);
	T_EQ(a->port, oo_relay_address(r, a, OO_V4).port);
	T_EQ(0, oo_relay_address(r, a, OO_V6).port);
	oo_relay_free(r);
}

static void what_is_opened_too_late_is_nobodys(void)
{
	struct oo_relay *r = begin();
	struct oo_relay_alloc *a = oo_relay_take(r, 1, "2001", NOW);
	const uint16_t slot = (uint16_t)(a->port - 20000);

	oo_relay_drop(r, a);
	oo_relay_opened(r, slot, 3, NOW);
	oo_relay_opened(r, 4, 3, NOW);
	oo_relay_opened(r, UINT16_MAX, 0, NOW);
	T_EQ(0, a->families);
	T_TRUE(oo_relay_of_slot(r, slot) == NULL);
	T_EQ(0, open_all(r));
	oo_relay_free(r);
}

static void a_port_in_use_is_left_alone_for_a_while(void)
{
	struct oo_relay *r = begin();
	struct oo_relay_alloc *a = oo_relay_take(r, 1, "2001", NOW);
	const uint16_t port = a->port;

	oo_relay_opened(r, (uint16_t)(port - 20000), 0, NOW);
	T_EQ(0, oo_relay_allocations(r));
	a = oo_relay_take(r, 1, "2001", NOW);
	T_TRUE(a->port != port);
	oo_relay_drop(r, a);
	a = oo_relay_take(r, 1, "2001", NOW + 600 * MONO_S);
	T_EQ(port, a->port);
	oo_relay_free(r);
}

static void a_peer_counts_while_it_is_not_idle(void)
{
	struct oo_relay *r = begin();
	struct oo_relay_alloc *a = oo_relay_take(r, 1, "2001", NOW);

	for (size_t i = 0; i < 2; i++) {
		a->peers[i].addr = net_addr_v4(203, 0, 113, 1, 4569);
		a->peers[i].made = NOW;
	}
	a->peers[1].heard = NOW + 30 * MONO_S;
	T_EQ(2, oo_relay_peers(r, NOW + 59 * MONO_S));
	T_EQ(1, oo_relay_peers(r, NOW + 60 * MONO_S));
	T_EQ(0, oo_relay_peers(r, NOW + 90 * MONO_S));
	oo_relay_free(r);
}

static void every_fate_has_a_name_of_its_own(void)
{
	for (int a = 0; a < OO_RELAY_FATES; a++) {
		for (int b = 0; b < a; b++)
			T_TRUE(strcmp(oo_relay_fate_name((enum oo_relay_fate)a),
				      oo_relay_fate_name(
					      (enum oo_relay_fate)b)) != 0);
	}
}

/* --- frames ------------------------------------------------------------- */

static struct oo_relay_frame frame;

static bool reads(const struct wire_wr *w, const uint8_t *body)
{
	const size_t len = (size_t)(w->p - body);
	uint8_t *copy = t_dup(body, len);
	bool good;

	T_TRUE(!w->bad);
	T_EQ(IAX2_OK, iax2_ie_check(copy, len));
	good = oo_relay_frame_read(copy, len, &frame);
	free(copy);
	return good;
}

/* Elements by letters: l a lifetime, p a peer, P one without port, d data,
 * e data of no octets, x something else. */
static bool says(const char *elements)
{
	static const uint8_t data[3] = { 1, 2, 3 };
	const struct net_addr nowhere = net_addr_v4(203, 0, 113, 1, 0);
	const struct net_addr peer = net_addr_v4(203, 0, 113, 1, 4569);
	uint8_t body[200];
	struct wire_wr w = wire_wr(body, sizeof(body));

	for (; *elements; elements++) {
		if (*elements == 'l')
			iax2_ie_put_u16(&w, IAX2_IE_KH_LIFETIME, 300);
		else if (*elements == 'p')
			oo_put_addr(&w, IAX2_IE_KH_RELAYED, &peer);
		else if (*elements == 'P')
			oo_put_addr(&w, IAX2_IE_KH_RELAYED, &nowhere);
		else if (*elements == 'x')
			iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, 1);
		else
			iax2_ie_put(&w, IAX2_IE_KH_DATA, data,
				    *elements == 'd' ? 3 : 0);
	}
	return reads(&w, body);
}

static void a_frame_asks_or_carries_and_nothing_between(void)
{
	T_TRUE(says("l") && frame.lifetime_s == 300 && frame.len == 0);
	T_TRUE(says("xl"));
	T_TRUE(says("pd") && frame.len == 3 && frame.peer.port == 4569);
	T_TRUE(says("dpxde") && frame.len == 6 && frame.data[3] == 1);
	T_TRUE(!says(""));
	T_TRUE(!says("x"));
	T_TRUE(!says("p"));
	T_TRUE(!says("pe"));
	T_TRUE(!says("d"));
	T_TRUE(!says("ld"));
	T_TRUE(!says("lp"));
	T_TRUE(!says("lpd"));
	T_TRUE(!says("Pd"));
}

static void a_peer_of_odd_length_is_refused(void)
{
	const uint8_t bad[] = { IAX2_IE_KH_RELAYED, 7, 1, 2, 3, 4, 5, 6, 7,
				IAX2_IE_KH_DATA,    1, 9 };

	T_TRUE(!oo_relay_frame_read(bad, sizeof(bad), &frame));
}

static void no_more_is_read_than_can_be_carried(void)
{
	uint8_t body[DGRAM_MAX], data[255] = { 0 };
	const struct net_addr peer = net_addr_v4(203, 0, 113, 1, 4569);

	for (size_t more = 0; more < 2; more++) {
		struct wire_wr w = wire_wr(body, sizeof(body));
		size_t left = OO_RELAY_INNER_MAX + more;

		oo_put_addr(&w, IAX2_IE_KH_RELAYED, &peer);
		while (left > 0) {
			const size_t n = left < 255 ? left : 255;

			iax2_ie_put(&w, IAX2_IE_KH_DATA, data, n);
			left -= n;
		}
		T_EQ(more == 0, reads(&w, body));
	}
}

static void what_is_wrapped_is_read_whole(void)
{
	static uint8_t data[OO_RELAY_INNER_MAX + 1], buf[DGRAM_MAX];
	const struct net_addr peer = { .ip = { 0x20, 1, 0xd, 0xb8 },
				       .port = 4569 };
	static const size_t len[] = {
		1, 254, 255, 256, 1020, 1391, OO_RELAY_INNER_MAX
	};
	struct oo_session s = { .id = 1 };

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		const size_t n =
			oo_relay_frame_wrap(&s, &peer, data, len[i], buf);
		struct oo_msg m;

		T_TRUE(n > len[i]);
		T_EQ(IAX2_OK, oo_msg_decode(buf, n, &m));
		T_TRUE(oo_relay_frame_read(m.hdr.body, m.hdr.body_len, &frame));
		T_EQ(len[i], frame.len);
		T_EQ(0, memcmp(data, frame.data, frame.len));
		T_TRUE(net_addr_equal(&peer, &frame.peer));
	}
	T_EQ(0, oo_relay_frame_wrap(&s, &peer, data, 0, buf));
	T_EQ(0, oo_relay_frame_wrap(&s, &peer, data, sizeof(data), buf));
}

int main(void)
{
	T_RUN(what_is_out_of_range_makes_no_relay);
	T_RUN(nodes_of_one_bucket_are_told_apart);
	T_RUN(a_node_finds_its_port_again);
	T_RUN(a_full_table_says_so_until_one_leaves);
	T_RUN(a_family_without_an_address_or_a_socket_is_not_told);
	T_RUN(what_is_opened_too_late_is_nobodys);
	T_RUN(a_port_in_use_is_left_alone_for_a_while);
	T_RUN(a_peer_counts_while_it_is_not_idle);
	T_RUN(every_fate_has_a_name_of_its_own);
	T_RUN(a_frame_asks_or_carries_and_nothing_between);
	T_RUN(a_peer_of_odd_length_is_refused);
	T_RUN(no_more_is_read_than_can_be_carried);
	T_RUN(what_is_wrapped_is_read_whole);
	return T_DONE();
}
