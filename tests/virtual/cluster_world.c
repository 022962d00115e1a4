/* SPDX-License-Identifier: MIT */

#include "tests/virtual/cluster_world.h"

#include <sodium.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/usual_registrar.h"

#define WALL_MS UINT64_C(1800000000000)

const uint8_t cw_key[KEY_SHARED_LEN] = "a key that they all have";
static const char *const number[CW_NODES] = { "2001", "2002", "2003" };
static uint64_t counter;

static struct oo_registrar *registrar(struct cw_world *w, int i)
{
	struct oo_registrar_cfg rc =
		usual_registrar(&w->reg_id, usual_random, &counter);
	const char name[] = { 'r', (char)('1' + i), '\0' };
	const struct oo_cluster_cfg cc = {
		.name = name,
		.key = cw_key,
		.wall_ms = WALL_MS + w->now / MONO_MS,
	};
	struct oo_registrar *r;

	rc.registrations_per_min = 600;
	rc.opens_per_min = 600;
	r = oo_registrar_new(&rc, w->now);
	T_TRUE(r != NULL);
	T_EQ(IAX2_OK, oo_cluster_join(r, &cc, w->now));
	T_EQ(IAX2_E_STATE, oo_cluster_join(r, &cc, w->now));
	for (int n = 0; n < CW_NODES; n++)
		T_EQ(IAX2_OK,
		     oo_registrar_node_put(r, number[n], w->id[n].public_key));
	return r;
}

static struct oo_node *node(struct cw_world *w, int i)
{
	const struct oo_node_cfg nc = {
		.identity = &w->id[i],
		.number = number[i],
		.port = 4569,
		.keepalive = 15 * MONO_S,
		.tx_max = 64,
		.random = usual_random,
		.random_ctx = &counter,
	};
	struct oo_node *n = oo_node_new(&nc, w->now);

	T_TRUE(n != NULL);
	oo_node_own_addresses(n, &w->addr[i], 1);
	return n;
}

void cw_init(struct cw_world *w)
{
	uint8_t seed[KEY_SEED_LEN] = { 99 };

	T_TRUE(sodium_init() >= 0);
	memset(w, 0, sizeof(*w));
	w->now = MONO_S;
	key_identity_from_seed(&w->reg_id, seed);
	for (int i = 0; i < CW_NODES; i++) {
		seed[0] = (uint8_t)(i + 1);
		key_identity_from_seed(&w->id[i], seed);
		w->addr[i] = net_addr_v4(10, 0, 0, (uint8_t)(i + 1), 4569);
		w->node[i] = node(w, i);
	}
	for (int i = 0; i < CW_REGS; i++) {
		w->reg_addr[i] = net_addr_v4(10, 9, 9, (uint8_t)(i + 1), 4569);
		w->reg[i] = registrar(w, i);
	}
	cw_link(w, true);
	cw_run(w, MONO_S);
}

void cw_done(struct cw_world *w)
{
	for (int i = 0; i < CW_REGS; i++)
		w->reg[i] = oo_registrar_free(w->reg[i]);
	for (int i = 0; i < CW_NODES; i++)
		w->node[i] = oo_node_free(w->node[i]);
}

void cw_home_too(struct cw_world *w, int n, int reg)
{
	size_t index;

	T_EQ(IAX2_OK, oo_node_add_registrar(w->node[n], w->reg_id.public_key,
					    w->now, &index));
	oo_node_registrar_addresses(w->node[n], index, &w->reg_addr[reg], 1,
				    w->now);
	cw_run(w, MONO_S);
}

void cw_home(struct cw_world *w, int n, int reg)
{
	(void)oo_node_free(w->node[n]);
	w->node[n] = node(w, n);
	cw_home_too(w, n, reg);
}

void cw_dial(struct cw_world *w, int n, const char *called)
{
	struct oo_id id;

	T_EQ(IAX2_OK, oo_node_dial(w->node[n], called, NULL, w->now, &id));
}

/* --- the wire ----------------------------------------------------------- */

/* What a registrar says to a node. */
static void look_at(struct cw_world *w, const struct dgram *d)
{
	struct oo_msg m;

	if (oo_msg_decode(d->data, d->len, &m) != IAX2_OK)
		return;
	if (m.hdr.subclass == OO_OPEN) {
		w->open_delay_ms = m.delay_ms;
		w->named[0] = m.candidates;
	} else if (m.hdr.subclass == OO_OVER) {
		w->named[1] = m.candidates;
	}
}

static void carry(struct cw_world *w, const struct net_addr *from,
		  const struct dgram *d)
{
	struct dgram in = {
		.path.peer = *from, .ttl = 60, .data = d->data, .len = d->len
	};

	look_at(w, d);
	for (int i = 0; i < CW_REGS; i++) {
		if (!w->gone[i] && !w->frozen[i] &&
		    net_addr_equal(&w->reg_addr[i], &d->path.peer))
			(void)oo_registrar_rx(w->reg[i], &in, w->now);
	}
	for (int i = 0; i < CW_NODES; i++) {
		if (!w->deaf[i] && (d->ttl == 0 || d->ttl > 5) &&
		    (net_addr_equal(&w->addr[i], &d->path.peer) ||
		     net_addr_equal(&w->also[i], &d->path.peer)))
			(void)oo_node_rx(w->node[i], &in, w->now);
	}
}

static void on_node_event(struct cw_world *w, int i, const struct oo_event *ev)
{
	if (ev->kind == OO_EV_PATH) {
		w->paths[i]++;
		w->path[i] = *ev;
	} else if (ev->kind == OO_EV_EXPECT) {
		w->expects[i]++;
	} else if (ev->kind == OO_EV_FAILED) {
		w->failures[i]++;
		w->failed[i] = *ev;
	} else if (ev->kind == OO_EV_OPEN_IN) {
		w->rings[i]++;
		w->open_in[i] = *ev;
		T_EQ(IAX2_OK,
		     oo_node_answer(w->node[i], ev->id, !w->refuse[i], w->now));
	}
}

/* --- the store ---------------------------------------------------------- */

void cw_inject(struct cw_world *w, int reg, const uint8_t *data, size_t len)
{
	uint8_t *copy = t_dup(data, len);

	oo_cluster_rx(w->reg[reg], copy, len, w->now);
	free(copy);
}

void cw_say(struct cw_world *w, int reg, uint64_t from,
	    enum oo_cluster_kind kind, const uint8_t *body, size_t len)
{
	static uint64_t said;
	const struct oo_cluster_msg m = {
		.kind = kind,
		.from = from,
		.to = kind == OO_CLUSTER_HELLO
			      ? 0
			      : oo_cluster_instance(w->reg[reg]),
		/* Beyond what that instance says itself. */
		.counter = 1000000 + ++said,
		.at_ms = WALL_MS + w->now / MONO_MS,
		.body = body,
		.len = len,
	};
	const uint8_t nonce[KEY_BOX_NONCE_LEN] = { (uint8_t)said };
	uint8_t out[OO_CLUSTER_MSG_MAX];
	struct oo_cluster_keys keys;
	size_t n;

	oo_cluster_keys_from(&keys, cw_key);
	n = oo_cluster_msg_seal(&m, &keys, nonce, out);
	T_TRUE(n > 0);
	cw_inject(w, reg, out, n);
}

static void look_up(struct cw_world *w, int from,
		    const struct oo_cluster_out *o)
{
	struct oo_cluster_value v[CW_REGS];
	size_t n = 0;

	for (int r = 0; r < CW_REGS; r++) {
		for (int i = 0; i < CW_NODES; i++) {
			const struct oo_cluster_note *note = &w->notes[r][i];

			if (note->here && strcmp(note->number, o->number) == 0)
				v[n++] = (struct oo_cluster_value){
					note->value, sizeof(note->value)
				};
		}
	}
	oo_cluster_found(w->reg[from], o->ask, v, n, w->now);
}

static void deliver(struct cw_world *w, int from,
		    const struct oo_cluster_out *o, bool late)
{
	const bool talk = o->data[1] != OO_CLUSTER_HELLO;
	unsigned heard = 0;

	if (talk && w->log_n < CW_MAIL)
		w->log[w->log_n++] = (struct cw_mail){ from, *o };
	if (talk && w->lose != 0) {
		const bool lose = w->lose & 1;

		w->lose >>= 1;
		w->lost += lose;
		if (lose)
			return;
	}
	if (!talk && w->loop > 0 && !late) {
		w->hellos[from] = (struct cw_mail){ from, *o };
		w->hellos_due[from] = w->now + w->loop;
		return;
	}
	for (int i = 0; i < CW_REGS; i++) {
		if (w->gone[i] ||
		    (o->to != 0 && o->to != oo_cluster_instance(w->reg[i])))
			continue;
		heard++;
		if (!w->frozen[i])
			cw_inject(w, i, o->data, o->len);
	}
	if (heard == 0)
		oo_cluster_unreached(w->reg[from], o->ask, o->to, w->now);
}

static mono_us hellos_deadline(const struct cw_world *w)
{
	mono_us due = MONO_NEVER;

	for (int i = 0; i < CW_REGS; i++) {
		if (w->hellos_due[i] != 0)
			due = mono_min(due, w->hellos_due[i]);
	}
	return due;
}

static void hellos_tick(struct cw_world *w)
{
	for (int i = 0; i < CW_REGS; i++) {
		if (w->hellos_due[i] == 0 || w->now < w->hellos_due[i])
			continue;
		w->hellos_due[i] = 0;
		deliver(w, i, &w->hellos[i].out, true);
	}
}

static void take_note(struct cw_world *w, int reg,
		      const struct oo_cluster_note *note)
{
	for (int i = 0; i < CW_NODES; i++) {
		if (strcmp(number[i], note->number) == 0 &&
		    (note->here || !w->keep_removed))
			w->notes[reg][i] = *note;
	}
}

static bool serve(struct cw_world *w, int reg)
{
	struct oo_cluster_out o;
	struct oo_cluster_note note;
	bool moved = false;

	while (oo_cluster_next_note(w->reg[reg], &note, w->now)) {
		take_note(w, reg, &note);
		moved = true;
	}
	while (oo_cluster_next(w->reg[reg], &o)) {
		moved = true;
		if (o.job == OO_CLUSTER_LOOK_UP)
			w->looked_up = o.ask;
		if (w->slow)
			continue;
		if (o.job == OO_CLUSTER_LOOK_UP)
			look_up(w, reg, &o);
		else
			deliver(w, reg, &o, false);
	}
	return moved;
}

void cw_link(struct cw_world *w, bool up)
{
	w->down = !up;
	for (int i = 0; i < CW_REGS; i++)
		oo_cluster_link(w->reg[i], up, w->now);
}

/* --- time --------------------------------------------------------------- */

static bool move(struct cw_world *w)
{
	bool moved = false;
	struct dgram d;
	struct oo_event ev;

	for (int i = 0; i < CW_NODES; i++) {
		while (oo_node_next_tx(w->node[i], &d)) {
			carry(w, &w->addr[i], &d);
			moved = true;
		}
		while (oo_node_next_event(w->node[i], &ev)) {
			on_node_event(w, i, &ev);
			moved = true;
		}
	}
	for (int i = 0; i < CW_REGS; i++) {
		if (w->gone[i] || w->frozen[i])
			continue;
		while (oo_registrar_next_tx(w->reg[i], &d)) {
			carry(w, &w->reg_addr[i], &d);
			moved = true;
		}
		moved |= !w->down && serve(w, i);
	}
	return moved;
}

static void settle(struct cw_world *w)
{
	for (int i = 0; i < 1000; i++) {
		if (!move(w))
			return;
	}
	fprintf(stderr, "the wire never rests\n");
	t_die();
}

void cw_run(struct cw_world *w, mono_us duration)
{
	const mono_us end = w->now + duration;

	settle(w);
	while (w->now < end) {
		mono_us due = MONO_NEVER;

		for (int i = 0; i < CW_REGS; i++) {
			if (!w->gone[i] && !w->frozen[i])
				due = mono_min(
					due, oo_registrar_deadline(w->reg[i]));
		}
		for (int i = 0; i < CW_NODES; i++)
			due = mono_min(due, oo_node_deadline(w->node[i]));
		due = mono_min(due, hellos_deadline(w));
		w->now = due > w->now ? mono_min(due, end) : w->now + 1;
		for (int i = 0; i < CW_REGS; i++) {
			if (!w->gone[i] && !w->frozen[i])
				oo_registrar_tick(w->reg[i], w->now);
		}
		for (int i = 0; i < CW_NODES; i++)
			oo_node_tick(w->node[i], w->now);
		hellos_tick(w);
		settle(w);
	}
}
