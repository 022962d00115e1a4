/* SPDX-License-Identifier: MIT */

#include "proto/openover_node_relay.h"

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_node_priv.h"
#include "proto/openover_relay.h"

#define ASK_RETRY_US (250 * MONO_MS)
#define ASK_TRIES 4U
#define REFRESH_US (OO_RELAY_LIFETIME_S * MONO_S / 2)
#define SILENT_US (10 * MONO_S)  /* until one that is up is asked again */
#define REFUSED_US (60 * MONO_S) /* until a relay is asked for again */
#define IDLE_US (60 * MONO_S)    /* then one of last resort is given back */

static struct oo_reg *registrar(struct oo_node *n)
{
	return &n->regs[n->relay.reg];
}

static void send_ask(struct oo_node *n, uint16_t lifetime_s)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE };
	struct oo_reg *g = registrar(n);
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_RELAY, &hdr);

	oo_session_put(&g->session, &w);
	iax2_ie_put_u16(&w, IAX2_IE_KH_LIFETIME, lifetime_s);
	oo_reg_send(g, buf, &w, oo_reg_best_family(g));
}

static void ask(struct oo_node *n, mono_us now)
{
	struct node_relay *y = &n->relay;

	if (oo_reg_is_up(registrar(n)))
		send_ask(n, OO_RELAY_LIFETIME_S);
	y->next = now + (ASK_RETRY_US << y->tries);
	y->tries++;
}

/* Who compares a caller's address with the registered one is to find the same:
 * plain registrations leave from where calls to plain nodes do. */
static void register_plainly(struct oo_node *n, mono_us now)
{
	for (size_t i = 0; i < n->plain_n; i++) {
		struct iax2_reg *g = &n->plain[i];

		if (net_addr_is_set(&g->peer))
			iax2_reg_use_socket(
				g, oo_node_path_to(n, &g->peer).sock, now);
	}
}

static void set_address(struct oo_node *n, const struct oo_candidates *c,
			mono_us t)
{
	struct node_relay *y = &n->relay;
	struct net_addr now[OO_FAMILIES] = { { { 0 }, 0 } };

	for (size_t i = 0; c && i < c->n; i++)
		now[oo_family_of(&c->addr[i])] = c->addr[i];
	if (memcmp(now, y->address, sizeof(now)) == 0)
		return;
	memcpy(y->address, now, sizeof(now));
	node_event(n, OO_EV_RELAY)->registrar = n->place[y->reg];
	register_plainly(n, t);
}

/* Ask the first registrar that is up and was not asked in this round; false:
 * there is none. */
static bool ask_next(struct oo_node *n, mono_us now)
{
	struct node_relay *y = &n->relay;

	for (size_t i = 0; i < n->regs_n; i++) {
		if (!oo_reg_is_up(&n->regs[i]) || (y->asked_regs >> i & 1))
			continue;
		y->reg = i;
		y->asked_regs |= 1U << i;
		y->tries = 0;
		y->state = RELAY_ASKING;
		ask(n, now);
		return true;
	}
	return false;
}

/* Said no, or nothing. */
static void refused(struct oo_node *n, mono_us now)
{
	struct node_relay *y = &n->relay;

	y->state = RELAY_NONE;
	set_address(n, NULL, now);
	if (ask_next(n, now))
		return;
	y->asked_regs = 0;
	y->refused_until = now + REFUSED_US;
	node_peers_relay_refused(n);
}

void node_relay_want(struct oo_node *n, size_t reg, mono_us now)
{
	struct node_relay *y = &n->relay;

	y->used = now;
	if (n->cfg.relay == OO_RELAY_NEVER || y->state != RELAY_NONE ||
	    now < y->refused_until)
		return;
	y->reg = reg;
	y->asked_regs = 1U << reg;
	y->tries = 0;
	y->state = RELAY_ASKING;
	ask(n, now);
}

bool node_relay_is_up(const struct oo_node *n)
{
	return n->relay.state == RELAY_UP;
}

bool node_relay_may_help(const struct oo_node *n, mono_us now)
{
	return n->cfg.relay != OO_RELAY_NEVER &&
	       (n->relay.state != RELAY_NONE || now >= n->relay.refused_until);
}

void node_relay_registered(struct oo_node *n, size_t reg, mono_us now)
{
	struct node_relay *y = &n->relay;

	y->refused_until = mono_min(y->refused_until, now);
	/* It may have been restarted, and know nothing of us. */
	if (y->state != RELAY_NONE && y->reg == reg) {
		y->tries = 0;
		y->next = now;
	}
}

bool node_relay_registers(const struct oo_node *n)
{
	for (size_t i = 0; i < n->plain_n; i++) {
		if (n->plain[i].sock == OO_SOCK_RELAY &&
		    n->plain[i].state != IAX2_REG_RELEASED)
			return true;
	}
	return false;
}

void node_relay_leave(struct oo_node *n, mono_us now)
{
	n->relay.state = RELAY_NONE;
	set_address(n, NULL, now);
}

/* --- receiving ---------------------------------------------------------- */

static void on_answer(struct oo_node *n, const struct oo_reg *g,
		      const struct oo_msg *m, uint16_t lifetime_s, mono_us now)
{
	struct node_relay *y = &n->relay;
	const bool was_up = y->state == RELAY_UP;

	if (y->state == RELAY_NONE || g != registrar(n))
		return;
	if (lifetime_s == 0 || m->relays.n == 0) {
		refused(n, now);
		return;
	}
	y->state = RELAY_UP;
	y->asked_regs = 0;
	y->tries = 0;
	y->next = now + REFRESH_US;
	y->ends = now + OO_RELAY_LIFETIME_S * MONO_S;
	set_address(n, &m->relays, now);
	if (!was_up)
		node_peers_relay_up(n, now);
}

enum iax2_err node_on_relay(struct oo_node *n, const struct oo_reg *g,
			    const struct oo_msg *m, mono_us now)
{
	struct node_relay *y = &n->relay;

	if (!oo_relay_frame_read(m->hdr.body, m->hdr.body_len, &y->in)) {
		n->count.malformed++;
		return IAX2_E_BAD_IE;
	}
	if (y->in.has_lifetime) {
		on_answer(n, g, m, y->in.lifetime_s, now);
		return IAX2_OK;
	}
	/* A call that outlives the relay's end here is not kept up by it. */
	if (y->state != RELAY_UP || g != registrar(n))
		return IAX2_E_REFUSED;
	y->used = now;
	y->rx++;
	y->inner = (struct dgram){
		.path = { .peer = y->in.peer, .sock = OO_SOCK_RELAY },
		.data = y->in.data,
		.len = y->in.len,
	};
	y->pending = node_rx_relayed(n, &y->inner, now);
	return IAX2_OK;
}

bool oo_node_relayed(struct oo_node *n, struct dgram *out)
{
	if (!n->relay.pending)
		return false;
	n->relay.pending = false;
	*out = n->relay.inner;
	return true;
}

/* --- sending ------------------------------------------------------------ */

bool oo_node_relay_wrap(struct oo_node *n, struct dgram *d)
{
	struct node_relay *y = &n->relay;
	struct oo_reg *g = registrar(n);
	size_t len = 0;

	if (y->state == RELAY_UP && g->session.id != 0)
		len = oo_relay_frame_wrap(&g->session, &d->path.peer, d->data,
					  d->len, y->buf);
	if (len == 0) {
		y->dropped++;
		return false;
	}
	y->tx++;
	*d = (struct dgram){
		.path.peer = g->hole[oo_reg_best_family(g)].registrar,
		.data = y->buf,
		.len = len,
	};
	return true;
}

struct net_path oo_node_path_to(const struct oo_node *n,
				const struct net_addr *addr)
{
	const struct node_relay *y = &n->relay;
	const struct net_addr *from = &y->address[oo_family_of(addr)];
	struct net_path path = { .peer = *addr };

	/* A relay carries nothing to itself. */
	if (n->cfg.relay == OO_RELAY_ALWAYS && y->state == RELAY_UP &&
	    net_addr_is_set(from) && !net_addr_same_ip(from, addr))
		path.sock = OO_SOCK_RELAY;
	return path;
}

/* --- time, looking ------------------------------------------------------ */

static bool wanted_again(const struct oo_node *n)
{
	if (n->cfg.relay != OO_RELAY_ALWAYS || n->relay.state != RELAY_NONE)
		return false;
	for (size_t i = 0; i < n->regs_n; i++) {
		if (oo_reg_is_up(&n->regs[i]))
			return true;
	}
	return false;
}

/*
 * A few questions got no answer, and the address is ours for a while yet: calls
 * that go through it outlive a short break.  Not where its registrar has gone
 * and another one is there.
 */
static bool holds_out(const struct oo_node *n)
{
	const struct node_relay *y = &n->relay;

	if (y->state != RELAY_UP)
		return false;
	for (size_t i = 0; i < n->regs_n; i++) {
		if (i != y->reg && oo_reg_is_up(&n->regs[i]))
			return oo_reg_is_up(&n->regs[y->reg]);
	}
	return true;
}

void node_relay_tick(struct oo_node *n, mono_us now)
{
	struct node_relay *y = &n->relay;
	const bool over = y->state == RELAY_UP && now >= y->ends;

	register_plainly(n, now);
	if (wanted_again(n) && now >= y->refused_until) {
		y->asked_regs = 0;
		(void)ask_next(n, now);
	}
	if (y->state == RELAY_NONE || now < y->next)
		return;
	if (y->state == RELAY_UP && n->cfg.relay == OO_RELAY_LAST &&
	    now - y->used >= IDLE_US) {
		send_ask(n, 0);
		y->state = RELAY_NONE;
		set_address(n, NULL, now);
	} else if (!over && y->tries < ASK_TRIES) {
		ask(n, now);
	} else if (!over && holds_out(n)) {
		y->tries = 0;
		y->next = mono_min(now + SILENT_US, y->ends);
	} else {
		refused(n, now);
	}
}

mono_us node_relay_deadline(const struct oo_node *n)
{
	if (n->relay.state != RELAY_NONE)
		return n->relay.next;
	return wanted_again(n) ? n->relay.refused_until : MONO_NEVER;
}

void oo_node_relay_view(const struct oo_node *n, struct oo_node_relay_view *out)
{
	const struct node_relay *y = &n->relay;

	*out = (struct oo_node_relay_view){
		.up = y->state == RELAY_UP,
		.rx = y->rx,
		.tx = y->tx,
		.dropped = y->dropped,
	};
	memcpy(out->address, y->address, sizeof(out->address));
}
