/* SPDX-License-Identifier: MIT */

#include "proto/openover_cluster.h"

#include <stdlib.h>
#include <string.h>

#include "proto/openover_cluster_priv.h"

#define HELLO_US (5 * MONO_S)
/* A registrar that missed three is gone; what it sent before may still turn
 * up, so its counter is kept for longer. */
#define GONE_US (15 * MONO_S)
#define FORGET_US (120 * MONO_S)
#define LOOP_MAX_US MONO_S
/* Beyond this a message is somebody's recording, or a clock is wrong. */
#define SKEW_MS 30000U
/* Every note is written again three times in its life. */
#define WALK_S (OO_CLUSTER_NOTE_S / 3)
#define WALK_STEP 65536U /* records looked at in vain in one go */
#define PAUSE_US (10 * MONO_MS)

enum iax2_err oo_cluster_join(struct oo_registrar *r,
			      const struct oo_cluster_cfg *cfg, mono_us now)
{
	const size_t len = strlen(cfg->name);
	struct oo_cluster *c;

	if (len == 0 || len > OO_CLUSTER_NAME_MAX)
		return IAX2_E_RANGE;
	if (r->cluster)
		return IAX2_E_STATE;
	c = calloc(1, sizeof(*c));
	if (!c)
		return IAX2_E_FULL;
	r->cluster = c;
	c->asks_max = r->opens_max;
	c->asks_slots = 2 * c->asks_max;
	c->asks = calloc(c->asks_slots, sizeof(c->asks[0]));
	c->fifo = calloc(c->asks_max, sizeof(c->fifo[0]));
	if (!c->asks || !c->fifo) {
		registrar_cluster_free(r);
		return IAX2_E_FULL;
	}
	memcpy(c->name, cfg->name, len + 1);
	oo_cluster_keys_from(&c->keys, cfg->key);
	r->random(r->random_ctx, (uint8_t *)&c->instance, sizeof(c->instance));
	c->instance += c->instance == 0;
	oo_cluster_clock(r, cfg->wall_ms, now);
	return IAX2_OK;
}

void registrar_cluster_free(struct oo_registrar *r)
{
	struct oo_cluster *c = r->cluster;

	if (!c)
		return;
	if (c->asks)
		key_wipe(c->asks, c->asks_slots * sizeof(c->asks[0]));
	free(c->asks);
	free(c->fifo);
	key_wipe(c, sizeof(*c));
	free(c);
	r->cluster = NULL;
}

void oo_cluster_clock(struct oo_registrar *r, uint64_t wall_ms, mono_us now)
{
	r->cluster->wall_ms = wall_ms;
	r->cluster->wall_at = now;
}

/* Go through the whole directory at once. */
static void walk_all(struct oo_registrar *r, mono_us now)
{
	r->cluster->walk_left = oo_directory_max(r->dir);
	r->cluster->walk_next = now + MONO_S;
}

void oo_cluster_link(struct oo_registrar *r, bool up, mono_us now)
{
	struct oo_cluster *c = r->cluster;

	if (up == c->linked)
		return;
	c->linked = up;
	/* What waits was meant for another moment. */
	c->out_n = 0;
	if (!up)
		return;
	c->hello_next = now;
	walk_all(r, now);
	registrar_cluster_tick(r, now);
}

/* --- messages ----------------------------------------------------------- */

static struct oo_cluster_out *job(struct oo_cluster *c)
{
	if (c->linked && c->out_n < CLUSTER_OUT)
		return &c->out[(c->out_head + c->out_n++) % CLUSTER_OUT];
	c->n.dropped++;
	return NULL;
}

bool cluster_send(struct oo_registrar *r, const struct cluster_letter *l,
		  mono_us now)
{
	struct oo_cluster *c = r->cluster;
	const struct oo_cluster_msg m = {
		.kind = l->kind,
		.from = c->instance,
		.to = l->to,
		.counter = c->counter + 1,
		.at_ms = cluster_wall_ms(c, now),
		.body = l->body,
		.len = l->len,
	};
	struct oo_cluster_out *out = job(c);
	uint8_t nonce[KEY_BOX_NONCE_LEN];

	if (!out)
		return false;
	c->counter++;
	r->random(r->random_ctx, nonce, sizeof(nonce));
	out->job = OO_CLUSTER_SEND;
	out->ask = l->ask;
	out->number[0] = '\0';
	out->to = l->to;
	out->len = oo_cluster_msg_seal(&m, &c->keys, nonce, out->data);
	return true;
}

bool cluster_look_up(struct oo_registrar *r, uint64_t ask, const char *number)
{
	struct oo_cluster_out *out = job(r->cluster);

	if (!out)
		return false;
	out->job = OO_CLUSTER_LOOK_UP;
	out->ask = ask;
	out->to = 0;
	out->len = 0;
	memcpy(out->number, number, strlen(number) + 1);
	return true;
}

bool oo_cluster_next(struct oo_registrar *r, struct oo_cluster_out *out)
{
	struct oo_cluster *c = r->cluster;

	if (c->out_n == 0)
		return false;
	*out = c->out[c->out_head];
	c->out_head = (c->out_head + 1) % CLUSTER_OUT;
	c->out_n--;
	return true;
}

static void say_hello(struct oo_registrar *r, mono_us now)
{
	struct oo_cluster *c = r->cluster;
	uint8_t body[4 + OO_CLUSTER_NAME_MAX];
	struct cluster_letter l = { .kind = OO_CLUSTER_HELLO, .body = body };
	struct wire_wr w = wire_wr(body, sizeof(body));

	wire_wr_u32(&w, (uint32_t)oo_directory_sessions(r->dir));
	wire_wr_bytes(&w, c->name, strlen(c->name));
	c->hello_next = now + HELLO_US;
	l.len = (size_t)(w.p - body);
	if (!cluster_send(r, &l, now))
		return;
	c->hello_counter = c->counter;
	c->hello_at = now;
}

uint16_t cluster_delay_ms(const struct oo_cluster *c, uint16_t delay_ms)
{
	const mono_us sum = delay_ms + c->loop / 2 / MONO_MS;

	return sum < UINT16_MAX ? (uint16_t)sum : UINT16_MAX;
}

/* --- the others --------------------------------------------------------- */

static const struct cluster_peer *peer_find(const struct oo_cluster *c,
					    uint64_t instance)
{
	for (size_t i = 0; i < CLUSTER_PEERS; i++) {
		if (c->peers[i].instance == instance)
			return &c->peers[i];
	}
	return NULL;
}

/* The sender of an authentic message; NULL when there is no room for it. */
static struct cluster_peer *peer_of(struct oo_cluster *c, uint64_t instance,
				    mono_us now)
{
	struct cluster_peer *room = NULL;

	for (size_t i = 0; i < CLUSTER_PEERS; i++) {
		struct cluster_peer *p = &c->peers[i];

		if (p->instance == instance)
			return p;
		if (p->instance == 0 || now - p->heard > FORGET_US)
			room = p;
	}
	if (!room)
		return NULL;
	*room = (struct cluster_peer){ .instance = instance, .heard = now };
	/* It does not know us either. */
	c->hello_next = now;
	return room;
}

bool cluster_is_gone(const struct oo_cluster *c, uint64_t instance, mono_us now)
{
	const struct cluster_peer *p = peer_find(c, instance);

	return p && now - p->heard >= GONE_US;
}

size_t oo_cluster_others(const struct oo_registrar *r, mono_us now,
			 uint64_t *nodes)
{
	const struct oo_cluster *c = r->cluster;
	size_t n = 0;

	*nodes = 0;
	for (size_t i = 0; i < CLUSTER_PEERS; i++) {
		const struct cluster_peer *p = &c->peers[i];

		if (p->instance == 0 || now - p->heard >= GONE_US)
			continue;
		n++;
		*nodes += p->nodes;
	}
	return n;
}

static void on_hello(struct oo_cluster *c, const struct oo_cluster_msg *m,
		     struct cluster_peer *p)
{
	struct wire_rd rd = wire_rd(m->body, m->len);
	const uint32_t nodes = wire_rd_u32(&rd);
	const size_t len = wire_rd_left(&rd);

	if (rd.bad)
		return;
	p->nodes = nodes;
	if (len == strlen(c->name) && memcmp(rd.p, c->name, len) == 0)
		c->n.clashes++;
}

void oo_cluster_rx(struct oo_registrar *r, const uint8_t *data, size_t len,
		   mono_us now)
{
	struct oo_cluster *c = r->cluster;
	uint8_t body[OO_FRAME_MAX];
	struct oo_cluster_msg m;
	struct cluster_peer *p;
	uint64_t wall;

	if (!oo_cluster_msg_open(data, len, &c->keys, body, &m) ||
	    m.from == 0 || (m.to != 0 && m.to != c->instance)) {
		c->n.forged++;
		return;
	}
	if (m.from == c->instance) { /* what goes to all comes back */
		if (m.counter == c->hello_counter)
			c->loop = mono_min(now - c->hello_at, LOOP_MAX_US);
		return;
	}
	wall = cluster_wall_ms(c, now);
	if (m.at_ms + SKEW_MS < wall || m.at_ms > wall + SKEW_MS) {
		c->n.stale++;
		return;
	}
	p = peer_of(c, m.from, now);
	if (!p) {
		c->n.dropped++;
		return;
	}
	if (!replay_accept(&p->rx, m.counter)) {
		c->n.replayed++;
		return;
	}
	p->heard = now;
	if (m.kind == OO_CLUSTER_HELLO)
		on_hello(c, &m, p);
	else if (m.to == c->instance)
		cluster_on_frame(r, &m, now);
	registrar_cluster_tick(r, now);
}

/* --- notes -------------------------------------------------------------- */

void registrar_cluster_changed(struct oo_registrar *r, const char *number)
{
	struct oo_cluster *c = r->cluster;
	const size_t len = strlen(number);

	/* A plain client's name may be longer. */
	if (!c || !c->linked || len > OO_NUMBER_MAX)
		return;
	if (c->changed_n == CLUSTER_CHANGED) {
		/* Those that are here are found on a walk, and the notes on
		 * those that are not end by themselves. */
		c->walk_left = oo_directory_max(r->dir);
		return;
	}
	memcpy(c->changed[(c->changed_head + c->changed_n++) % CLUSTER_CHANGED],
	       number, len + 1);
}

static void note(struct oo_registrar *r, const struct oo_record *rec,
		 struct oo_cluster_note *out)
{
	struct oo_cluster *c = r->cluster;
	struct oo_cluster_presence p = {
		.at = c->instance,
		.heard_ms = cluster_wall_ms(c, registrar_last_heard(rec)),
	};
	uint8_t nonce[KEY_BOX_NONCE_LEN];

	memcpy(p.key, rec->key, sizeof(p.key));
	r->random(r->random_ctx, nonce, sizeof(nonce));
	oo_cluster_presence_seal(&p, rec->number, &c->keys, nonce, out->value);
	memcpy(out->number, rec->number, sizeof(out->number));
	out->here = true;
}

static bool next_changed(struct oo_registrar *r, struct oo_cluster_note *out,
			 mono_us now)
{
	struct oo_cluster *c = r->cluster;
	const char *number;
	const struct oo_record *rec;

	for (;;) {
		if (c->changed_n == 0)
			return false;
		number = c->changed[c->changed_head];
		c->changed_head = (c->changed_head + 1) % CLUSTER_CHANGED;
		c->changed_n--;
		rec = oo_directory_by_number(r->dir, number);
		if (rec || !oo_plains_find(r->plains, number))
			break;
	}
	if (rec && oo_registrar_is_online(r, rec, now)) {
		note(r, rec, out);
		return true;
	}
	memcpy(out->number, number, sizeof(out->number));
	out->here = false;
	return true;
}

static bool next_walked(struct oo_registrar *r, struct oo_cluster_note *out,
			mono_us now)
{
	struct oo_cluster *c = r->cluster;
	const size_t max = oo_directory_max(r->dir);

	for (size_t i = 0; c->walk_left > 0 && max > 0; i++) {
		const struct oo_record *rec;

		if (i == WALK_STEP) { /* the others want to be heard too */
			c->walk_next = mono_min(c->walk_next, now + PAUSE_US);
			return false;
		}
		c->walk_left--;
		c->walk_at = c->walk_at + 1 < max ? c->walk_at + 1 : 0;
		rec = oo_directory_at(r->dir, c->walk_at);
		if (!oo_registrar_is_online(r, rec, now))
			continue;
		note(r, rec, out);
		return true;
	}
	return false;
}

bool oo_cluster_next_note(struct oo_registrar *r, struct oo_cluster_note *out,
			  mono_us now)
{
	if (!r->cluster->linked ||
	    (!next_changed(r, out, now) && !next_walked(r, out, now)))
		return false;
	r->cluster->n.notes++;
	return true;
}

/* --- time --------------------------------------------------------------- */

void registrar_cluster_tick(struct oo_registrar *r, mono_us now)
{
	struct oo_cluster *c = r->cluster;

	if (!c)
		return;
	cluster_asks_tick(r, now);
	if (!c->linked)
		return;
	if (now >= c->hello_next)
		say_hello(r, now);
	if (now >= c->walk_next) {
		c->walk_next = now + MONO_S;
		c->walk_left += oo_directory_max(r->dir) / WALK_S + 1;
	}
	if (c->walk_left > oo_directory_max(r->dir))
		c->walk_left = oo_directory_max(r->dir);
}

mono_us registrar_cluster_deadline(const struct oo_registrar *r)
{
	const struct oo_cluster *c = r->cluster;
	mono_us due;

	if (!c)
		return MONO_NEVER;
	due = cluster_asks_deadline(c);
	if (c->linked)
		due = mono_min(due, mono_min(c->hello_next, c->walk_next));
	return due;
}

const struct oo_cluster_counters *
oo_cluster_counters(const struct oo_registrar *r)
{
	return &r->cluster->n;
}

uint64_t oo_cluster_instance(const struct oo_registrar *r)
{
	return r->cluster->instance;
}

uint64_t oo_cluster_tag(const struct oo_registrar *r)
{
	return r->cluster->keys.tag;
}
