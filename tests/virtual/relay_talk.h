/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_RELAY_TALK_H
#define TESTS_VIRTUAL_RELAY_TALK_H

/*
 * A relay with both of its ends in the test's hands: after begin() node 2001
 * has an address there, out() is what it sends through it, and in() what
 * others send to it.
 */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_registrar_relay.h"
#include "proto/openover_relay_frame.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"
#include "tests/virtual/usual_registrar.h"

#define NODE_CALL 77U

static struct world w;
static struct oo_session session; /* the node's end of 2001's */
static struct oo_relay_alloc *alloc;

static const struct net_addr caller = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7 }, 4569
};
static const struct net_addr other = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 8 }, 4569
};

static inline struct oo_record *record(void)
{
	return oo_directory_by_number(oo_registrar_directory(w.registrar),
				      "2001");
}

static inline struct oo_relay *relay(void)
{
	return oo_registrar_relay(w.registrar);
}

static inline uint64_t fate(enum oo_relay_fate f)
{
	return oo_relay_counters(relay())->fate[f];
}

/* --- what both ends send ------------------------------------------------ */

struct frame {
	uint8_t data[DGRAM_MAX];
	size_t len;
};

/* A full frame of type IAX, padded to @len. */
static inline struct frame full(uint8_t subclass, unsigned src, unsigned dst,
				size_t len)
{
	const struct iax2_full f = { .src_callno = (uint16_t)src,
				     .dst_callno = (uint16_t)dst,
				     .type = IAX2_FRAME_IAX,
				     .subclass = subclass };
	struct frame out = { .len = 0 };
	struct wire_wr wr = wire_wr(out.data, sizeof(out.data));

	T_EQ(IAX2_OK,
	     iax2_full_encode(&f, out.data, sizeof(out.data), &out.len));
	wr.p += out.len;
	while (out.len < len) {
		static const uint8_t zeros[255] = { 0 };
		size_t n = len - out.len - 2;

		T_TRUE(len - out.len >= 2);
		n = n > 255 ? 200 : n;
		iax2_ie_put(&wr, IAX2_IE_KH_PAD, zeros, n);
		out.len = (size_t)(wr.p - out.data);
	}
	T_TRUE(!wr.bad);
	return out;
}

static inline struct frame mini(void)
{
	return (struct frame){ .data = { 0x00, 0x09, 0, 20, 1, 2, 3, 4 },
			       .len = 8 };
}

/* As the node would, sealed. */
static inline enum iax2_err node_sends(const uint8_t *frame, size_t len)
{
	return world_inject(&w, REGISTRAR, &w.addr[0], frame, len);
}

static inline enum iax2_err out(const struct net_addr *to,
				const struct frame *f)
{
	uint8_t buf[DGRAM_MAX];
	const size_t n =
		oo_relay_frame_wrap(&session, to, f->data, f->len, buf);

	T_TRUE(n > 0);
	return node_sends(buf, n);
}

static inline enum iax2_err out_full(const struct net_addr *to,
				     uint8_t subclass, unsigned dst, size_t len)
{
	const struct frame f = full(subclass, NODE_CALL, dst, len);

	return out(to, &f);
}

static inline enum iax2_err ask(unsigned lifetime_s)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE };
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr wr = oo_frame_begin(buf, OO_RELAY, &hdr);

	oo_session_put(&session, &wr);
	iax2_ie_put_u16(&wr, IAX2_IE_KH_LIFETIME, (uint16_t)lifetime_s);
	seal_append(&wr, buf, session.tx_key);
	return node_sends(buf, (size_t)(wr.p - buf));
}

/* Something arrives at the relay's port: does the node get it? */
static inline bool in(const struct net_addr *from, const struct frame *f)
{
	const struct oo_relay_counters *n = oo_relay_counters(relay());
	const uint64_t before = n->rx;
	const struct dgram d = {
		.path = { .peer = *from,
			  .sock = (uint16_t)(alloc->port - USUAL_RELAY_FIRST) },
		.data = f->data,
		.len = f->len,
	};
	struct dgram got;

	oo_registrar_relay_rx(w.registrar, &d, w.now);
	while (oo_registrar_next_tx(w.registrar, &got)) {
		struct oo_relay_frame r;
		struct oo_msg m;

		T_TRUE(net_addr_equal(&w.addr[0], &got.path.peer));
		T_EQ(IAX2_OK, oo_msg_decode(got.data, got.len, &m));
		T_EQ(OO_RELAY, m.hdr.subclass);
		T_TRUE(oo_session_check(&session, got.data, got.len,
					m.counter));
		T_TRUE(oo_relay_frame_read(m.hdr.body, m.hdr.body_len, &r));
		T_TRUE(net_addr_equal(from, &r.peer));
		T_EQ(f->len, r.len);
		T_EQ(0, memcmp(f->data, r.data, r.len));
	}
	return n->rx == before + 1;
}

static inline bool in_full(const struct net_addr *from, uint8_t subclass,
			   unsigned dst, size_t len)
{
	const struct frame f = full(subclass, 9, dst, len);

	return in(from, &f);
}

/* What left from the relay's ports since: datagrams. */
static inline size_t left(void)
{
	struct dgram d;
	size_t n = 0;

	while (oo_registrar_relay_next_tx(w.registrar, &d)) {
		T_EQ(alloc->port - USUAL_RELAY_FIRST, d.path.sock);
		n++;
	}
	return n;
}

/* --- scenes ------------------------------------------------------------- */

static inline void open_sockets(uint8_t families)
{
	struct oo_relay_socket s;

	while (oo_registrar_next_socket(w.registrar, &s)) {
		if (s.open)
			oo_registrar_socket_opened(w.registrar, s.slot,
						   families, w.now);
	}
}

/* Three nodes are up; 2001 has an address unless @without. */
static inline void begin_with(bool without)
{
	world_init_relay(&w);
	world_up(&w);
	session = oo_node_registrar(w.node[0], 0)->session;
	alloc = NULL;
	if (without)
		return;
	T_EQ(IAX2_OK, ask(300));
	open_sockets(3);
	world_settle(&w);
	alloc = oo_relay_of_node(
		relay(),
		(uint32_t)oo_directory_index(
			oo_registrar_directory(w.registrar), record()));
	T_TRUE(alloc != NULL);
}

static inline void begin(void)
{
	begin_with(false);
}

/* A caller who has answered to the node's call number. */
static inline void prove(const struct net_addr *who)
{
	T_TRUE(in_full(who, IAX2_IAX_NEW, 0, 100));
	T_EQ(IAX2_OK, out_full(who, IAX2_IAX_ACCEPT, 9, 40));
	T_TRUE(in_full(who, IAX2_IAX_ACK, NODE_CALL, 12));
}

#endif
