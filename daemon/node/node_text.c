/* SPDX-License-Identifier: MIT */

/*
 * Text between nodes: what comes on a link is read, acted on where it is for
 * this node, and passed on where it is for others, as app_rpt's nodes do.
 *
 * A conference is a tree as long as everybody heeds the lists; where it is not,
 * nothing that was passed on is passed on again.
 */

#include <string.h>

#include "daemon/node/node_priv.h"

#define SEEN_US (10 * MONO_S)

/*
 * What all links together have passed on, in copies: a thousand that answer one
 * question make a million of them.  At once no more than the queue holds.
 */
#define PASS_PER_MINUTE (20000U * 60U)
#define PASS_BURST NODE_TX_MAX

void node_text_init(struct node *n, mono_us now)
{
	const char *callsign = n->cfg.callsign ? n->cfg.callsign : "";
	const size_t len = strlen(callsign);

	n->cfg.callsign = NULL;
	if (len <= ASL_ALIAS_MAX)
		memcpy(n->text.callsign, callsign, len + 1);
	n->text.keyed_at = now;
	n->cfg.random(n->cfg.random_ctx, (uint8_t *)&n->text.salt,
		      sizeof(n->text.salt));
}

const struct node_text_counters *node_text_counters(const struct node *n)
{
	return &n->text.n;
}

/* --- sent --------------------------------------------------------------- */

bool node_text_say(struct node *n, const struct link *l, const char *text,
		   mono_us now)
{
	bool said;

	/* Programs for people show them what they are sent. */
	if (link_is_client(l))
		return true;
	said = iax2_send_text(n->ep, l->call, text, now) == IAX2_OK;
	n->text.n.unsent += !said;
	return said;
}

/* A copy for one link, if it is for such a one. */
static void copy_for(struct node *n, const struct link *l,
		     const struct link *from, const struct asl_text *t,
		     const char *text, mono_us now)
{
	/* What we tell is for those that we take part with; what others tell
	 * is not ours to keep from anybody. */
	const bool ours = !from && t->kind == ASL_TELEMETRY;

	if (l == from || l->state != NODE_LINK_UP ||
	    (ours && l->mode != NODE_TRANSCEIVE) ||
	    (t->kind == ASL_TALKER && !l->text.talker))
		return;
	(void)node_text_say(n, l, text, now);
}

static bool is_addressed(const struct asl_text *t)
{
	return (t->kind == ASL_DIGIT || t->kind == ASL_ASK ||
		t->kind == ASL_KEYED) &&
	       strcmp(t->dest, ASL_ALL) != 0;
}

/* The one link that it is for; NULL: all are told. */
static const struct link *link_for(struct node *n, const struct link *from,
				   const struct asl_text *t)
{
	const struct link *next =
		is_addressed(t) ? link_by_number(n, t->dest) : NULL;

	return next && next->state == NODE_LINK_UP && next != from ? next
								   : NULL;
}

void node_text_send(struct node *n, const struct link *from,
		    const struct asl_text *t, const char *text, mono_us now)
{
	const struct link *next = link_for(n, from, t);

	if (next) {
		(void)node_text_say(n, next, text, now);
		return;
	}
	for (size_t i = 0; i < n->links_max; i++)
		copy_for(n, &n->link[i], from, t, text, now);
}

/* --- received ----------------------------------------------------------- */

/* FNV-1a, with a salt of ours. */
uint64_t node_text_hash(const struct node *n, const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ n->text.salt;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return h;
}

/* Has the same come by another link just now? */
static bool came_round(struct node *n, const struct link *l, const char *text,
		       mono_us now)
{
	const uint16_t slot = (uint16_t)(l - n->link);
	const uint64_t hash = node_text_hash(n, text);

	for (size_t i = 0; i < NODE_SEEN_MAX; i++) {
		struct text_seen *s = &n->text.seen[i];

		if (s->hash != hash || s->at == 0 || now >= s->at + SEEN_US)
			continue;
		if (s->slot == slot)
			s->at = now;
		return s->slot != slot;
	}
	n->text.seen[n->text.seen_next++ % NODE_SEEN_MAX] =
		(struct text_seen){ hash, slot, now };
	return false;
}

static void answer(struct node *n, const struct link *l,
		   const struct asl_text *ask, mono_us now)
{
	const mono_us since = n->text.keyed ? 0 : now - n->text.keyed_at;
	struct asl_text t = { .kind = ASL_KEYED,
			      .on = n->text.keyed,
			      .seconds = (uint32_t)(since / MONO_S) };
	char text[ASL_TEXT_MAX + 1];

	memcpy(t.dest, ask->src, sizeof(t.dest));
	memcpy(t.src, n->number, strlen(n->number) + 1);
	if (asl_text_format(&t, text))
		(void)node_text_say(n, l, text, now);
}

static void on_digit(struct node *n, const struct link *l,
		     const struct asl_text *t)
{
	struct node_event *ev = node_push_link(n, NODE_EV_DTMF, l);

	memcpy(ev->number, t->src, sizeof(t->src));
	ev->digit = t->digit;
}

static void on_message(struct node *n, const struct link *l,
		       const struct asl_text *t)
{
	struct node_event *ev = node_push_link(n, NODE_EV_MESSAGE, l);

	memcpy(ev->number, t->src, sizeof(t->src));
	memcpy(ev->text, t->rest, t->rest_len);
}

static void on_telemetry(struct node *n, const struct link *l,
			 const struct asl_text *t)
{
	struct node_event *ev = node_push_link(n, NODE_EV_TOLD, l);

	_Static_assert(sizeof(ev->text) > ASL_PAYLOAD_MAX, "room for it");
	memcpy(ev->number, t->src, sizeof(t->src));
	memcpy(ev->text, t->rest, t->rest_len);
}

static bool is_for_us(const struct node *n, const struct asl_text *t)
{
	const bool everybody =
		t->kind == ASL_MESSAGE && strcmp(t->dest, ASL_EVERYBODY) == 0;

	return everybody || strcmp(t->dest, ASL_ALL) == 0 ||
	       strcmp(t->dest, n->number) == 0;
}

/* A message of the kinds that cross a conference. */
static void act(struct node *n, struct link *l, const struct asl_text *t,
		mono_us now)
{
	if (t->kind == ASL_TALKER)
		node_tell_talker(n, l, t);
	else if (t->kind == ASL_TELEMETRY)
		on_telemetry(n, l, t);
	else if (!is_for_us(n, t))
		return;
	else if (t->kind == ASL_ASK)
		answer(n, l, t, now);
	else if (t->kind == ASL_KEYED)
		node_tell_keyed(n, t);
	else if (t->kind == ASL_DIGIT)
		on_digit(n, l, t);
	else if (t->kind == ASL_MESSAGE)
		on_message(n, l, t);
}

/* To all whom it is for, or to none: a copy costs a token, and so many are one
 * of a larger kind. */
static void pass_on(struct node *n, const struct link *l,
		    const struct asl_text *t, const char *text, mono_us now)
{
	const size_t links = n->links_max - n->free_n;
	const uint32_t copies =
		link_for(n, l, t) || links < 2 ? 1 : (uint32_t)links - 1;
	const struct rate_limit often = {
		PASS_PER_MINUTE / copies,
		copies < PASS_BURST ? PASS_BURST / copies : 1,
	};

	if (rate_take(&n->text.passed, &often, now))
		node_text_send(n, l, t, text, now);
	else
		n->text.n.limited++;
}

static void cross(struct node *n, struct link *l, struct asl_text *t,
		  const char *text, mono_us now)
{
	const bool by_zero = t->kind != ASL_MESSAGE && t->dest[0] == '0';

	if (strcmp(t->src, n->number) == 0 || came_round(n, l, text, now)) {
		n->text.n.looped++;
		return;
	}
	/* Whoever receives a 0 is meant, and it goes no further. */
	if (by_zero)
		memcpy(t->dest, n->number, strlen(n->number) + 1);
	act(n, l, t, now);
	if (strcmp(t->dest, n->number) != 0)
		pass_on(n, l, t, text, now);
}

static void on_good(struct node *n, struct link *l, struct asl_text *t,
		    const char *text, mono_us now)
{
	switch (t->kind) {
	case ASL_LIST:
		node_lists_in(n, l, t, now);
		break;
	case ASL_DISCONNECT:
		l->ended = NODE_ENDED_THERE;
		link_end(n, l, "the other node hung up", now);
		break;
	case ASL_TALKER:
		if (l->text.talker)
			cross(n, l, t, text, now);
		break;
	case ASL_ASK:
	case ASL_KEYED:
	case ASL_TELEMETRY:
	case ASL_DIGIT:
	case ASL_MESSAGE:
	case ASL_MDC:
	case ASL_GPS:
		cross(n, l, t, text, now);
		break;
	case ASL_NEWKEY1:
	case ASL_NEWKEY:
	case ASL_IAXKEY:
	case ASL_OTHER:
	case ASL_KINDS:
		break;
	}
}

static void note_keying(struct node *n, const struct link *l,
			enum asl_keying_state was)
{
	const char *text = asl_keying_text(l->keying.state);
	struct node_event *ev;

	if (l->keying.state == was)
		return;
	ev = node_push_link(n, NODE_EV_KEYING, l);
	memcpy(ev->why, text, strlen(text) + 1);
}

static void on_keying(struct node *n, struct link *l, enum asl_kind kind,
		      mono_us now)
{
	const enum asl_keying_state was = l->keying.state;

	if (asl_keying_on_text(&l->keying, kind, now))
		(void)node_text_say(n, l, "!NEWKEY!", now);
	note_keying(n, l, was);
}

void node_text_in(struct node *n, struct link *l, const struct iax2_event *ev,
		  mono_us now)
{
	static const struct rate_limit often = { 3000, 200 };
	const size_t len =
		ev->u.text.len < DGRAM_MAX ? ev->u.text.len : DGRAM_MAX - 1;
	char text[DGRAM_MAX];
	struct asl_text t;

	if (l->state != NODE_LINK_UP)
		return;
	/* What is said in answer ends the loan. */
	memcpy(text, ev->u.text.data, len);
	text[len] = '\0';
	switch (asl_text_parse(text, len, &t)) {
	case ASL_UNKNOWN:
		n->text.n.unknown++;
		break;
	case ASL_MALFORMED:
		n->text.n.malformed[t.kind]++;
		break;
	case ASL_GOOD:
		on_keying(n, l, t.kind, now);
		if (t.kind == ASL_LIST || rate_take(&l->text.rate, &often, now))
			on_good(n, l, &t, text, now);
		else
			n->text.n.limited++;
		break;
	}
}

void node_text_key(struct node *n, struct link *l, bool keyed, mono_us now)
{
	const enum asl_keying_state was = l->keying.state;

	asl_keying_on_key(&l->keying, keyed, now);
	note_keying(n, l, was);
}

/* --- life --------------------------------------------------------------- */

void node_text_up(struct node *n, struct link *l, mono_us now)
{
	struct iax2_call_info info = { 0 };

	memset(&l->text, 0, sizeof(l->text));
	(void)iax2_call_info(n->ep, l->call, &info);
	l->text.talker = (info.features & IAX2_FEATURE_TALKER) != 0;
	asl_keying_start(&l->keying, now);
	/* Who says nothing of the kind is taken for a telephone in the end. */
	if (link_is_client(l))
		l->keying.state = ASL_KEYING_PLAIN;
	(void)node_text_say(n, l, "!NEWKEY1!", now);
	node_lists_up(l, now);
	node_lists_changed(n, now);
	node_tell_up(n, l, now);
}

void node_text_down(struct node *n, struct link *l, mono_us now)
{
	node_tell_down(n, l, now);
	memset(&l->text, 0, sizeof(l->text));
	node_lists_changed(n, now);
}

static void keying_tick(struct node *n, struct link *l, mono_us now)
{
	const enum asl_keying_state was = l->keying.state;
	enum asl_keying_due due = asl_keying_tick(&l->keying, now);

	while (due != ASL_KEYING_NOTHING) {
		if (due == ASL_KEYING_TELL)
			(void)iax2_send_control(n->ep, l->call,
						l->keying.ours
							? IAX2_CONTROL_KEY
							: IAX2_CONTROL_UNKEY,
						now);
		else if (due == ASL_KEYING_LOST)
			node_voice_end(l);
		due = asl_keying_tick(&l->keying, now);
	}
	note_keying(n, l, was);
}

void link_keying_tick(struct node *n, struct link *l, mono_us now)
{
	if (l->state == NODE_LINK_UP && now >= asl_keying_deadline(&l->keying))
		keying_tick(n, l, now);
}

mono_us link_keying_due(const struct link *l)
{
	return l->state == NODE_LINK_UP ? asl_keying_deadline(&l->keying)
					: MONO_NEVER;
}

void node_text_tick(struct node *n, mono_us now)
{
	node_lists_tick(n, now);
	node_tell_tick(n, now);
}

mono_us node_text_deadline(const struct node *n)
{
	return mono_min(node_lists_deadline(n), node_tell_deadline(n));
}
