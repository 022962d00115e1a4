/* SPDX-License-Identifier: MIT */

/* What a call needed to come up is not kept in memory longer than it needs. */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"
#include "tests/t.h"
#include "tests/virtual/call_world.h"

static const uint8_t none[KEY_SHARED_LEN];

/* In the slots, unused as well as used ones. */
static unsigned keys_of_tickets(const struct iax2_endpoint *ep)
{
	unsigned n = 0;

	for (size_t i = 0; i < TICKETS_MIN; i++)
		n += memcmp(none, ep->expected[i].ticket.key, sizeof(none)) !=
		     0;
	return n;
}

static unsigned keys_of_calls(const struct iax2_endpoint *ep)
{
	unsigned n = 0;

	for (size_t i = 0; i < ep->cfg.calls_max; i++)
		n += memcmp(none, ep->calls[i].ticket.key, sizeof(none)) != 0;
	return n;
}

static unsigned secrets(const struct iax2_endpoint *ep)
{
	unsigned n = 0;

	for (size_t i = 0; i < ep->cfg.calls_max; i++)
		n += ep->calls[i].md5_secret[0] != '\0';
	return n;
}

/* The call itself needs it, should it move. */
static void a_used_ticket_leaves_its_key_to_the_call_alone(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	T_TRUE(call_world_dial_as(&w, DIAL_TICKET));
	T_EQ(0, keys_of_tickets(w.p[ALICE].ep));
	T_EQ(0, keys_of_tickets(w.p[BOB].ep));
	T_EQ(1, keys_of_calls(w.p[ALICE].ep));
	T_EQ(1, keys_of_calls(w.p[BOB].ep));
	(void)call_world_hangup(&w, ALICE);
	call_world_run(&w, 60 * MONO_S);
	T_EQ(0, keys_of_calls(w.p[ALICE].ep));
	T_EQ(0, keys_of_calls(w.p[BOB].ep));
	call_world_end(&w);
}

static void an_unused_ticket_leaves_no_key_for_the_next(void)
{
	struct iax2_ticket ours, theirs;
	struct call_world w;

	call_world_init(&w, 1, NULL);
	for (uint64_t id = 1; id <= 3; id++) {
		call_world_tickets(&w, &ours, &theirs);
		theirs.id = id;
		T_EQ(IAX2_OK,
		     iax2_expect(w.p[BOB].ep, &theirs, &w.p[ALICE].addr,
				 fake_net_now(w.net)));
		T_EQ(id == 3 ? 1 : id, keys_of_tickets(w.p[BOB].ep));
		call_world_run(&w, id == 2 ? 20 * MONO_S : MONO_S);
	}
	call_world_end(&w);
}

static void a_call_that_stands_needs_no_secret(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	T_TRUE(call_world_dial_as(&w, DIAL_MD5));
	T_EQ(0, secrets(w.p[ALICE].ep));
	T_EQ(0, secrets(w.p[BOB].ep));
	(void)call_world_hangup(&w, ALICE);
	call_world_end(&w);
}

/* In BOB's name, to the call whose NEW has just passed. */
static void forge(struct call_world *w, const struct fake_packet *p,
		  uint16_t callno, uint8_t subclass)
{
	const uint8_t frame[] = { (uint8_t)(0x80 | callno >> 8),
				  (uint8_t)callno,
				  p->data[0] & 0x7f,
				  p->data[1],
				  0,
				  0,
				  0,
				  3,
				  0,
				  1,
				  IAX2_FRAME_IAX,
				  subclass };
	const struct dgram d = { .path.peer = w->p[BOB].addr,
				 .data = frame,
				 .len = sizeof(frame) };

	T_EQ(IAX2_E_REFUSED,
	     iax2_endpoint_rx(w->p[ALICE].ep, &d, fake_net_now(w->net)));
}

static bool answer_new(void *ctx, const struct fake_packet *p)
{
	static const uint8_t subclasses[] = { IAX2_IAX_ACCEPT, IAX2_IAX_AUTHREQ,
					      IAX2_IAX_REJECT, IAX2_IAX_HANGUP,
					      IAX2_IAX_INVAL };

	if (p->from != ALICE || p->data[10] != IAX2_FRAME_IAX ||
	    p->data[11] != IAX2_IAX_NEW)
		return true;
	for (size_t i = 0; i < sizeof(subclasses); i++) {
		forge(ctx, p, IAX2_CALLNO_OUTSIDE, subclasses[i]);
		forge(ctx, p, 0x4321, subclasses[i]);
	}
	return true;
}

static void what_has_no_ticket_does_not_answer_one(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	fake_net_hook(w.net, answer_new, &w);
	T_TRUE(call_world_dial_as(&w, DIAL_TICKET));
	T_EQ(10, iax2_endpoint_counters(w.p[ALICE].ep)->auth_failed);
	/* One round trip, as if nobody had said anything. */
	T_EQ(1000 * MONO_S + 60 * MONO_MS, w.p[ALICE].up_at);
	(void)call_world_hangup(&w, ALICE);
	call_world_end(&w);
}

static void a_refusal_with_the_ticket_is_believed_at_once(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	w.p[BOB].manners = REJECTS;
	T_TRUE(!call_world_dial_as(&w, DIAL_TICKET));
	T_EQ(IAX2_DOWN_REJECTED, w.p[ALICE].reason);
	T_STR("Not today", w.p[ALICE].why);
	T_EQ(1000 * MONO_S + 60 * MONO_MS, w.p[ALICE].down_at);
	call_world_end(&w);
}

int main(void)
{
	T_RUN(a_used_ticket_leaves_its_key_to_the_call_alone);
	T_RUN(an_unused_ticket_leaves_no_key_for_the_next);
	T_RUN(a_call_that_stands_needs_no_secret);
	T_RUN(what_has_no_ticket_does_not_answer_one);
	T_RUN(a_refusal_with_the_ticket_is_believed_at_once);
	return T_DONE();
}
