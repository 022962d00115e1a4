/* SPDX-License-Identifier: MIT */

#include "tests/virtual/text_scene.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/usual_registrar.h"

/* --- nodes -------------------------------------------------------------- */

static void node_place_rx(void *ctx, const struct dgram *d, mono_us now)
{
	node_rx(((struct text_node *)ctx)->node, d, now);
}

static void node_place_tick(void *ctx, mono_us now)
{
	node_tick(((struct text_node *)ctx)->node, now);
}

static mono_us node_place_deadline(void *ctx)
{
	return node_deadline(((struct text_node *)ctx)->node);
}

static bool node_place_tx(void *ctx, struct dgram *out)
{
	return node_next_tx(((struct text_node *)ctx)->node, out);
}

static void take_talker(struct text_node *t, const struct node_event *ev)
{
	t->talks += ev->on;
	if (ev->on) {
		memcpy(t->talker, ev->number, sizeof(t->talker));
		(void)snprintf(t->talker_name, sizeof(t->talker_name), "%.63s",
			       ev->text);
	} else if (strcmp(t->talker, ev->number) == 0) {
		t->talker[0] = '\0';
	}
}

static void take_event(struct text_node *t, const struct node_event *ev)
{
	if (ev->kind == NODE_EV_LINK_UP) {
		t->ups++;
	} else if (ev->kind == NODE_EV_LINK_DOWN) {
		t->downs++;
		memcpy(t->why, ev->why, sizeof(t->why));
	} else if (ev->kind == NODE_EV_LOOP) {
		t->loops++;
		memcpy(t->looped, ev->number, sizeof(t->looped));
	} else if (ev->kind == NODE_EV_DTMF && strlen(t->digits) < 63) {
		t->digits[strlen(t->digits)] = ev->digit;
		memcpy(t->digits_from, ev->number, sizeof(t->digits_from));
	} else if (ev->kind == NODE_EV_MESSAGE) {
		t->messages++;
		memcpy(t->message, ev->text, sizeof(t->message));
		memcpy(t->message_from, ev->number, sizeof(t->message_from));
	} else if (ev->kind == NODE_EV_TEXT && ev->text[0] == 'G') {
		(void)snprintf(t->gps, sizeof(t->gps), "%.63s", ev->text);
	} else if (ev->kind == NODE_EV_TOLD) {
		memcpy(t->told, ev->text, sizeof(t->told));
		memcpy(t->told_by, ev->number, sizeof(t->told_by));
	} else if (ev->kind == NODE_EV_TALKER) {
		take_talker(t, ev);
	}
	t->behinds += ev->kind == NODE_EV_BEHIND;
	t->answers += ev->kind == NODE_EV_ANSWERS;
}

static void node_place_settle(void *ctx, mono_us now)
{
	struct text_node *t = ctx;
	struct node_event ev;

	(void)now;
	while (node_next_event(t->node, &ev))
		take_event(t, &ev);
}

static void start_node(struct text_scene *s, int i)
{
	static const char *const callsign[TEXT_NODES] = { "W1AW", "DL0XX",
							  "F5ABC", "", "K2" };
	struct text_node *t = &s->at[i];
	const struct node_cfg cfg = {
		.number = t->number,
		.callsign = callsign[i],
		.identity = &t->id,
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = 16,
		.limits = { .calls_per_addr = 16,
			    .half_open = 16,
			    .half_open_per_addr = 8,
			    .calls_per_s = 100,
			    .auth_failures_per_min = 100 },
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.parrot_s = 30,
		.acl = { .registered = true },
		.random = fake_net_random,
		.random_ctx = s->net,
	};
	const struct fake_machine m = { .ctx = t,
					.rx = node_place_rx,
					.tick = node_place_tick,
					.deadline = node_place_deadline,
					.next_tx = node_place_tx,
					.settle = node_place_settle };
	const struct net_addr registrar = net_addr_v4(198, 51, 100, 1, 4569);
	const struct net_addr at =
		net_addr_v4(198, 51, 100, (uint8_t)(20 + i), 4569);
	const int slot = fake_net_attach(s->net, &m);
	size_t index;

	t->node = node_new(&cfg, text_now(s));
	T_TRUE(t->node != NULL);
	fake_net_address(s->net, slot, &at, FAKE_NO_NAT);
	oo_node_own_addresses(node_openover(t->node), &at, 1);
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(s->registrar, t->number, t->id.public_key));
	T_EQ(IAX2_OK, oo_node_add_registrar(node_openover(t->node),
					    s->registrar_id.public_key,
					    text_now(s), &index));
	oo_node_registrar_addresses(node_openover(t->node), index, &registrar,
				    1, text_now(s));
}

/* --- the peer of another make ------------------------------------------- */

static void peer_rx(void *ctx, const struct dgram *d, mono_us now)
{
	(void)iax2_endpoint_rx(((struct text_peer *)ctx)->ep, d, now);
}

static void peer_tick(void *ctx, mono_us now)
{
	iax2_endpoint_tick(((struct text_peer *)ctx)->ep, now);
}

static mono_us peer_deadline(void *ctx)
{
	return iax2_endpoint_deadline(((struct text_peer *)ctx)->ep);
}

static bool peer_tx(void *ctx, struct dgram *out)
{
	return iax2_endpoint_next_tx(((struct text_peer *)ctx)->ep, out);
}

static void peer_on_text(struct text_peer *p, const struct iax2_event *ev,
			 mono_us now)
{
	T_TRUE(p->n < TEXT_HEARD);
	(void)snprintf(p->heard[p->n].text, sizeof(p->heard[0].text), "%s",
		       ev->u.text.data);
	p->heard[p->n++].when = now;
}

static void peer_on_call(struct text_peer *p, const struct iax2_event *ev,
			 mono_us now)
{
	T_TRUE(p->calls < 48);
	p->called[p->calls++] = now;
	p->call = ev->call;
	if (p->refuses)
		(void)iax2_reject(p->ep, ev->call, "No", p->cause, now);
	else
		(void)iax2_accept(p->ep, ev->call, now);
}

static void peer_on_event(struct text_peer *p, const struct iax2_event *ev,
			  mono_us now)
{
	if (ev->kind == IAX2_EV_CALL_IN) {
		peer_on_call(p, ev, now);
	} else if (ev->kind == IAX2_EV_CALL_UP) {
		p->up = true;
		p->ups++;
	} else if (ev->kind == IAX2_EV_CALL_DOWN) {
		p->up = false;
		p->downs++;
		p->down_at = now;
	} else if (ev->kind == IAX2_EV_TEXT) {
		peer_on_text(p, ev, now);
	} else if (ev->kind == IAX2_EV_KEY) {
		p->keys += ev->u.key.keyed;
		p->unkeys += !ev->u.key.keyed;
	}
	p->cngs += ev->kind == IAX2_EV_CNG;
	p->voice += ev->kind == IAX2_EV_VOICE;
}

static void peer_settle(void *ctx, mono_us now)
{
	struct text_peer *p = ctx;
	struct iax2_event ev;

	while (iax2_endpoint_next_event(p->ep, &ev))
		peer_on_event(p, &ev, now);
}

static void start_peer(struct text_scene *s, const struct key_identity *id)
{
	const struct iax2_endpoint_cfg cfg = {
		.calls_max = 16,
		.tx_max = 256,
		.limits = { .calls_per_addr = 16,
			    .half_open = 16,
			    .half_open_per_addr = 8,
			    .calls_per_s = 100,
			    .auth_failures_per_min = 100 },
		.identity = id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = fake_net_random,
		.random_ctx = s->net,
	};
	const struct fake_machine m = { .ctx = &s->peer,
					.rx = peer_rx,
					.tick = peer_tick,
					.deadline = peer_deadline,
					.next_tx = peer_tx,
					.settle = peer_settle };

	s->peer.cause = 50;
	s->peer.at = net_addr_v4(198, 51, 100, 99, 4569);
	s->peer.ep = iax2_endpoint_new(&cfg, text_now(s));
	s->peer.heard = calloc(TEXT_HEARD, sizeof(*s->peer.heard));
	T_TRUE(s->peer.ep != NULL && s->peer.heard != NULL);
	fake_net_address(s->net, fake_net_attach(s->net, &m), &s->peer.at,
			 FAKE_NO_NAT);
}

void text_peer_says(struct text_scene *s, const char *text)
{
	T_TRUE(s->peer.up);
	T_EQ(IAX2_OK,
	     iax2_send_text(s->peer.ep, s->peer.call, text, text_now(s)));
	text_run(s, 100 * MONO_MS);
}

void text_peer_keys(struct text_scene *s, bool keyed)
{
	T_EQ(IAX2_OK,
	     iax2_send_control(s->peer.ep, s->peer.call,
			       keyed ? IAX2_CONTROL_KEY : IAX2_CONTROL_UNKEY,
			       text_now(s)));
	text_run_sound(s, 100 * MONO_MS);
}

void text_peer_talks(struct text_scene *s, unsigned frames)
{
	uint8_t codes[160];
	uint32_t ts = 0;

	memset(codes, 0x30, sizeof(codes));
	T_EQ(IAX2_OK,
	     iax2_media_time(s->peer.ep, s->peer.call, text_now(s), &ts));
	for (unsigned i = 0; i < frames; i++) {
		T_EQ(IAX2_OK, iax2_send_voice(s->peer.ep, s->peer.call,
					      &(struct iax2_voice){
						      codes, sizeof(codes),
						      ts + 20 * i, i == 0 },
					      text_now(s)));
		text_run_sound(s, 20 * MONO_MS);
	}
}

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

unsigned text_peer_heard(const struct text_scene *s, const char *text)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->peer.n; i++)
		n += begins_with(s->peer.heard[i].text, text);
	return n;
}

const char *text_peer_last(const struct text_scene *s, const char *text)
{
	for (size_t i = s->peer.n; i > 0; i--) {
		if (begins_with(s->peer.heard[i - 1].text, text))
			return s->peer.heard[i - 1].text;
	}
	return "";
}

void text_peer_hangs_up(struct text_scene *s)
{
	T_EQ(IAX2_OK,
	     iax2_hangup(s->peer.ep, s->peer.call, NULL, 16, text_now(s)));
	text_run(s, 100 * MONO_MS);
}

/* --- the scene ---------------------------------------------------------- */

static void start_registrar(struct text_scene *s)
{
	const struct net_addr at = net_addr_v4(198, 51, 100, 1, 4569);
	struct oo_registrar_cfg cfg =
		usual_registrar(&s->registrar_id, fake_net_random, s->net);
	struct fake_machine m;

	cfg.tx_max = 256;
	cfg.refresh_s = 1800;
	cfg.registrations_per_min = 600;
	cfg.opens_per_min = 600;
	s->registrar = oo_registrar_new(&cfg, text_now(s));
	T_TRUE(s->registrar != NULL);
	m = usual_registrar_machine(s->registrar);
	fake_net_address(s->net, fake_net_attach(s->net, &m), &at, FAKE_NO_NAT);
}

void text_begin(struct text_scene *s, int n)
{
	const struct fake_weather fair = { .delay = 25 * MONO_MS };

	memset(s, 0, sizeof(*s));
	s->n = n;
	s->net = fake_net_new(77, MONO_S);
	fake_net_weather(s->net, &fair);
	for (int i = 0; i <= n; i++) {
		const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		key_identity_from_seed(i < n ? &s->at[i].id : &s->registrar_id,
				       seed);
	}
	start_registrar(s);
	start_peer(s, &s->registrar_id);
	for (int i = 0; i < n; i++) {
		(void)snprintf(s->at[i].number, sizeof(s->at[i].number), "%d",
			       2001 + i);
		start_node(s, i);
	}
	text_run(s, 3 * MONO_S);
}

void text_end(struct text_scene *s)
{
	for (int i = 0; i < s->n; i++)
		node_free(s->at[i].node);
	iax2_endpoint_free(s->peer.ep);
	free(s->peer.heard);
	oo_registrar_free(s->registrar);
	fake_net_free(s->net);
}

mono_us text_now(const struct text_scene *s)
{
	return fake_net_now(s->net);
}

void text_run(struct text_scene *s, mono_us d)
{
	fake_net_run(s->net, text_now(s) + d);
}

void text_run_sound(struct text_scene *s, mono_us d)
{
	const mono_us end = text_now(s) + d;

	while (text_now(s) < end) {
		text_run(s, 20 * MONO_MS);
		for (int i = 0; i < s->n; i++) {
			struct text_node *t = &s->at[i];
			int16_t rx[AUDIO_BLOCK] = { 0 }, tx[AUDIO_BLOCK];

			for (size_t k = 0; t->cor && k < AUDIO_BLOCK; k++)
				rx[k] = (int16_t)(k % 8 < 4 ? 8000 : -8000);
			node_inputs(t->node, t->cor, text_now(s));
			t->keyed = node_audio(t->node, rx, tx, text_now(s));
			t->transmitted += t->keyed;
		}
	}
}

enum iax2_err text_connect(struct text_scene *s, int i, int j,
			   enum node_mode mode, bool permanent)
{
	struct node_connect c = {
		.number = j < 0 ? "1999" : s->at[j].number,
		.mode = mode,
		.permanent = permanent,
	};
	struct node_link_id id;

	if (j < 0)
		c.addr = s->peer.at;
	return node_connect(s->at[i].node, &c, text_now(s), &id);
}

void text_link_both(struct text_scene *s, int i, int j)
{
	T_EQ(IAX2_OK, text_connect(s, i, j, NODE_TRANSCEIVE, false));
	text_run(s, MONO_S);
}

void text_chain(struct text_scene *s, int n)
{
	text_begin(s, n);
	for (int i = 0; i + 1 < n; i++)
		text_link_both(s, i, i + 1);
}

bool text_link(const struct text_scene *s, int i, int j,
	       struct node_link_info *out)
{
	const char *number = j < 0 ? "1999" : s->at[j].number;

	for (size_t k = 0; k < node_links_max(s->at[i].node); k++) {
		if (node_link_at(s->at[i].node, k, out) &&
		    strcmp(out->number, number) == 0)
			return true;
	}
	return false;
}

unsigned text_links_up(const struct text_scene *s, int i)
{
	struct node_link_info l;
	unsigned n = 0;

	for (size_t k = 0; k < node_links_max(s->at[i].node); k++)
		n += node_link_at(s->at[i].node, k, &l) &&
		     l.state == NODE_LINK_UP;
	return n;
}

const char *text_behind(const struct text_scene *s, int i, int j)
{
	static struct asl_list list;
	struct node_link_info l;

	if (!text_link(s, i, j, &l) ||
	    !node_link_behind(s->at[i].node, l.id, &list))
		return "no link";
	return list.text;
}
