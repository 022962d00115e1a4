/* SPDX-License-Identifier: MIT */

#include "proto/openover_node.h"

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_node_priv.h"

#define OPENS_MAX 4096U

static bool make_tables(struct oo_node *n)
{
	if (n->cfg.opens_max < OPENS_MIN)
		n->cfg.opens_max = OPENS_MIN;
	n->peer_max = n->cfg.opens_max + OWN_DIALS;
	n->ev_max = n->peer_max * PEERING_EVENTS;
	n->peer = calloc(n->peer_max, sizeof(n->peer[0]));
	n->events = calloc(n->ev_max, sizeof(n->events[0]));
	return n->peer && n->events;
}

struct oo_node *oo_node_new(const struct oo_node_cfg *cfg, mono_us now)
{
	const size_t len = strlen(cfg->number);
	struct oo_node *n;

	if (len == 0 || len > OO_NUMBER_MAX || !cfg->random ||
	    cfg->keepalive < 5 * MONO_S || cfg->keepalive > 120 * MONO_S ||
	    cfg->opens_max > OPENS_MAX)
		return NULL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->id = *cfg->identity;
	memcpy(n->number, cfg->number, len + 1);
	n->cfg = *cfg;
	n->cfg.identity = &n->id;
	n->cfg.number = n->number;
	n->started = now;
	n->measure_at = MONO_NEVER;
	n->measure_ends = MONO_NEVER;
	n->tx = dgram_queue_new(cfg->tx_max);
	if (!n->tx || !make_tables(n))
		return oo_node_free(n);
	return n;
}

struct oo_node *oo_node_free(struct oo_node *n)
{
	if (!n)
		return NULL;
	dgram_queue_free(n->tx);
	if (n->peer)
		key_wipe(n->peer, n->peer_max * sizeof(n->peer[0]));
	free(n->peer);
	if (n->events)
		key_wipe(n->events, n->ev_max * sizeof(n->events[0]));
	free(n->events);
	key_wipe(n, sizeof(*n));
	free(n);
	return NULL;
}

struct oo_event *node_event(struct oo_node *n, enum oo_event_kind kind)
{
	/* The tables bound what can happen between two drains; the oldest
	 * gives way should a caller never drain. */
	if (n->ev_n == n->ev_max) {
		n->ev_head = (n->ev_head + 1) % n->ev_max;
		n->ev_n--;
	}
	struct oo_event *ev = &n->events[(n->ev_head + n->ev_n++) % n->ev_max];

	memset(ev, 0, sizeof(*ev));
	ev->kind = kind;
	return ev;
}

/* --- registrars --------------------------------------------------------- */

/* The last good-bye has been answered, or nobody is left to answer. */
static void check_released(struct oo_node *n)
{
	if (!n->releasing || !n->own_released)
		return;
	for (size_t i = 0; i < n->regs_n; i++) {
		if (n->regs[i].state != OO_REG_RELEASED)
			return;
	}
	for (size_t i = 0; i < n->plain_n; i++) {
		if (n->plain[i].state != IAX2_REG_RELEASED)
			return;
	}
	n->releasing = false;
	node_event(n, OO_EV_RELEASED);
}

static void report(struct oo_node *n, size_t i, unsigned change, mono_us now)
{
	static const struct {
		unsigned change;
		enum oo_event_kind kind;
	} map[] = {
		{ OO_CHANGE_UP, OO_EV_REGISTERED },
		{ OO_CHANGE_DOWN, OO_EV_UNREGISTERED },
		{ OO_CHANGE_TROUBLE, OO_EV_TROUBLE },
		{ OO_CHANGE_APPARENT, OO_EV_APPARENT },
	};

	for (size_t k = 0; k < sizeof(map) / sizeof(map[0]); k++) {
		if (change & map[k].change)
			node_event(n, map[k].kind)->registrar = n->place[i];
	}
	node_measure_change(n, change, now);
	if (change & OO_CHANGE_UP)
		node_relay_registered(n, i, now);
}

static void report_plain(struct oo_node *n, size_t i, unsigned change)
{
	static const struct {
		unsigned change;
		enum oo_event_kind kind;
	} map[] = {
		{ IAX2_REG_CHANGE_UP, OO_EV_REGISTERED },
		{ IAX2_REG_CHANGE_DOWN, OO_EV_UNREGISTERED },
		{ IAX2_REG_CHANGE_TROUBLE, OO_EV_TROUBLE },
		{ IAX2_REG_CHANGE_APPARENT, OO_EV_APPARENT },
	};

	for (size_t k = 0; k < sizeof(map) / sizeof(map[0]); k++) {
		if (change & map[k].change)
			node_event(n, map[k].kind)->registrar =
				n->plain_place[i];
	}
	if (change & IAX2_REG_CHANGE_RELEASED)
		check_released(n);
}

static struct oo_reg *reg_by_session(struct oo_node *n, uint64_t id)
{
	for (size_t i = 0; i < n->regs_n; i++) {
		if (n->regs[i].session.id != 0 && n->regs[i].session.id == id)
			return &n->regs[i];
	}
	return NULL;
}

/* --- receiving ---------------------------------------------------------- */

/* Without decoding: most datagrams are voice and not for this layer. */
static bool may_be_ours(const struct dgram *d)
{
	const uint8_t *p = d->data;
	uint16_t dst;

	if (d->len < IAX2_FULL_HDR_LEN || !(p[0] & 0x80) ||
	    p[10] != IAX2_FRAME_IAX)
		return false;
	dst = (uint16_t)((p[2] & 0x7f) << 8 | p[3]);
	if (dst >= IAX2_CALLNO_REG_MIN)
		return true;
	switch (p[11]) {
	case OO_OPEN_REQUEST:
	case OO_OPEN:
	case OO_OVER:
	case OO_MEASURE:
	case OO_RELAY:
		return true;
	case IAX2_IAX_POKE:
		return d->len > IAX2_FULL_HDR_LEN;
	case IAX2_IAX_PONG:
		return dst == IAX2_CALLNO_OUTSIDE;
	default:
		return false;
	}
}

static enum iax2_err on_session_frame(struct oo_node *n, const struct dgram *d,
				      const struct oo_msg *m, mono_us now)
{
	struct oo_reg *g = reg_by_session(n, m->session);

	if (!g || !m->sealed ||
	    !seal_check(d->data, d->len, g->session.rx_key)) {
		n->count.forged++;
		return IAX2_E_REFUSED;
	}
	if (!replay_accept(&g->session.rx, m->counter)) {
		n->count.replayed++;
		return IAX2_E_REPLAY;
	}
	switch (m->hdr.subclass) {
	case IAX2_IAX_PONG:
		if (d->path.sock != 0)
			node_look_on_pong(n, g, d, m, now);
		else
			report(n, (size_t)(g - n->regs),
			       oo_reg_on_pong(g, d, m, now), now);
		return IAX2_OK;
	case OO_OPEN:
		return node_on_open(n, g, m, now);
	case OO_OVER:
		return node_on_over(n, g, m, now);
	case OO_MEASURE:
		return node_on_measure(n, g, d, m, now);
	case OO_RELAY:
		return node_on_relay(n, g, m, now);
	default:
		return IAX2_E_NOT_OURS;
	}
}

static enum iax2_err on_registration(struct oo_node *n, const struct dgram *d,
				     const struct oo_msg *m, mono_us now)
{
	for (size_t i = 0; i < n->regs_n; i++) {
		unsigned change;

		if (!oo_reg_owns(&n->regs[i], d, m))
			continue;
		change = oo_reg_rx(&n->regs[i], d, m, now);
		report(n, i, change, now);
		if (change & OO_CHANGE_RELEASED)
			check_released(n);
		return IAX2_OK;
	}
	n->count.forged++;
	return IAX2_E_REFUSED;
}

/* Plain registrars' frames are read by their own rules: they may hold
 * elements that OPEN/OVER would refuse. */
static bool on_plain(struct oo_node *n, const struct dgram *d, mono_us now)
{
	struct iax2_full f;

	if (n->plain_n == 0 ||
	    iax2_full_decode(d->data, d->len, &f) != IAX2_OK ||
	    f.dst_callno < IAX2_CALLNO_REG_MIN)
		return false;
	for (size_t i = 0; i < n->plain_n; i++) {
		if (!iax2_reg_owns(&n->plain[i], d, &f))
			continue;
		n->count.rx++;
		if (iax2_ie_check(f.body, f.body_len) == IAX2_OK)
			report_plain(n, i, iax2_reg_rx(&n->plain[i], &f, now));
		else
			n->count.malformed++;
		return true;
	}
	return false;
}

static bool is_measure(const struct dgram *d)
{
	return may_be_ours(d) && d->data[11] == OO_MEASURE;
}

/* They are for measuring: nobody is to place a call there. */
static bool is_on_a_measuring_socket(const struct oo_node *n,
				     const struct dgram *d)
{
	return d->path.sock != 0 && oo_measure_uses(&n->measure, d->path.sock);
}

static size_t octets_of(const struct dgram *d)
{
	return d->len + (net_addr_is_v4(&d->path.peer) ? 28 : 48);
}

enum iax2_err oo_node_rx(struct oo_node *n, const struct dgram *d, mono_us now)
{
	struct oo_msg m;
	enum iax2_err err;

	if (is_on_a_measuring_socket(n, d) && !is_measure(d))
		return IAX2_E_REFUSED;
	if (!may_be_ours(d))
		return IAX2_E_NOT_OURS;
	if (on_plain(n, d, now))
		return IAX2_OK;
	err = oo_msg_decode(d->data, d->len, &m);
	if (err != IAX2_OK) {
		n->count.rx++;
		n->count.malformed++;
		return err;
	}
	if (m.hdr.subclass == IAX2_IAX_POKE && !m.has_punch && !m.has_session)
		return IAX2_E_NOT_OURS;
	n->count.rx++;
	n->count.octets += octets_of(d);
	if (m.hdr.dst_callno >= IAX2_CALLNO_REG_MIN)
		return on_registration(n, d, &m, now);
	if (m.has_punch)
		return node_on_punch(n, d, &m, now);
	if (m.has_session)
		return on_session_frame(n, d, &m, now);
	n->count.forged++;
	return IAX2_E_REFUSED;
}

/* Sessions and registrations have their own way, and only calls and punches
 * come through a relay. */
bool node_rx_relayed(struct oo_node *n, const struct dgram *d, mono_us now)
{
	struct oo_msg m;

	if (!may_be_ours(d))
		return true;
	if (on_plain(n, d, now))
		return false;
	if (oo_msg_decode(d->data, d->len, &m) != IAX2_OK) {
		n->count.malformed++;
		return false;
	}
	if (m.has_punch)
		(void)node_on_punch(n, d, &m, now);
	return m.hdr.subclass == IAX2_IAX_POKE && !m.has_punch &&
	       !m.has_session;
}

/* --- time, output ------------------------------------------------------- */

/* What goes through a relay has to be over before its registrar is left. */
static bool is_held_up(const struct oo_node *n)
{
	return !n->releasing || n->own_released || node_relay_registers(n);
}

static void release_own(struct oo_node *n, mono_us now)
{
	if (is_held_up(n))
		return;
	n->own_released = true;
	node_relay_leave(n, now);
	for (size_t i = 0; i < n->regs_n; i++)
		oo_reg_release(&n->regs[i], now);
	check_released(n);
}

void oo_node_tick(struct oo_node *n, mono_us now)
{
	for (size_t i = 0; i < n->regs_n; i++) {
		const unsigned change = oo_reg_tick(&n->regs[i], now);

		report(n, i, change, now);
		if (change & OO_CHANGE_RELEASED)
			check_released(n);
	}
	for (size_t i = 0; i < n->plain_n; i++)
		report_plain(n, i, iax2_reg_tick(&n->plain[i], now));
	node_peers_tick(n, now);
	node_measure_tick(n, now);
	node_relay_tick(n, now);
	release_own(n, now);
}

mono_us oo_node_deadline(const struct oo_node *n)
{
	mono_us due = mono_min(
		mono_min(node_peers_deadline(n), node_relay_deadline(n)),
		node_measure_deadline(n));

	if (!is_held_up(n))
		return n->started;
	for (size_t i = 0; i < n->regs_n; i++)
		due = mono_min(due, oo_reg_deadline(&n->regs[i]));
	for (size_t i = 0; i < n->plain_n; i++)
		due = mono_min(due, iax2_reg_deadline(&n->plain[i]));
	return due;
}

bool oo_node_next_tx(struct oo_node *n, struct dgram *out)
{
	while (dgram_queue_pop(n->tx, out)) {
		if (out->path.sock == OO_SOCK_RELAY &&
		    !oo_node_relay_wrap(n, out))
			continue;
		n->count.octets += octets_of(out);
		return true;
	}
	return false;
}

bool oo_node_next_event(struct oo_node *n, struct oo_event *out)
{
	if (n->ev_n == 0)
		return false;
	*out = n->events[n->ev_head];
	n->ev_head = (n->ev_head + 1) % n->ev_max;
	n->ev_n--;
	return true;
}

const struct oo_node_counters *oo_node_counters(const struct oo_node *n)
{
	return &n->count;
}

void oo_node_release(struct oo_node *n, mono_us now)
{
	n->releasing = true;
	n->own_released = false;
	for (size_t i = 0; i < n->plain_n; i++)
		iax2_reg_release(&n->plain[i], now);
	release_own(n, now);
}

void oo_node_network_changed(struct oo_node *n, mono_us now)
{
	node_measure_change(n, OO_CHANGE_MOVED, now);
	for (size_t i = 0; i < n->regs_n; i++)
		oo_reg_network_changed(&n->regs[i], now);
	for (size_t i = 0; i < n->plain_n; i++)
		iax2_reg_network_changed(&n->plain[i], now);
	node_peers_network_changed(n, now);
}

void oo_node_own_addresses(struct oo_node *n, const struct net_addr *addrs,
			   size_t count)
{
	n->own_n = count < OWN_ADDRS ? count : OWN_ADDRS;
	memcpy(n->own, addrs, n->own_n * sizeof(n->own[0]));
}

bool node_is_own(const struct oo_node *n, const struct net_addr *a)
{
	for (size_t i = 0; i < n->own_n; i++) {
		if (net_addr_same_ip(&n->own[i], a))
			return true;
	}
	return false;
}

uint8_t oo_node_nat(const struct oo_node *n)
{
	for (size_t i = 0; i < n->regs_n; i++) {
		const struct net_addr *a = &n->regs[i].hole[OO_V4].apparent;
		uint8_t nat = 0;

		if (!net_addr_is_set(a))
			continue;
		if (!node_is_own(n, a))
			nat |= OO_NAT_TRANSLATED;
		if (a->port != n->cfg.port)
			nat |= OO_NAT_PORT_CHANGED;
		return nat;
	}
	return 0;
}
