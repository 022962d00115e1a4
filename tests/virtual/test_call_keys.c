/* SPDX-License-Identifier: MIT */

/* What a call needed to come up is not kept in memory afterwards. */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"
#include "tests/t.h"
#include "tests/virtual/call_world.h"

/* In the slots, unused as well as used ones. */
static unsigned keys_of_tickets(const struct iax2_endpoint *ep)
{
	static const uint8_t none[KEY_SHARED_LEN];
	unsigned n = 0;

	for (size_t i = 0; i < TICKETS; i++)
		n += memcmp(none, ep->expected[i].ticket.key, sizeof(none)) !=
		     0;
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

static void a_used_ticket_leaves_no_key(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	T_TRUE(call_world_dial_as(&w, DIAL_TICKET));
	T_EQ(0, keys_of_tickets(w.p[ALICE].ep));
	T_EQ(0, keys_of_tickets(w.p[BOB].ep));
	(void)call_world_hangup(&w, ALICE);
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

int main(void)
{
	T_RUN(a_used_ticket_leaves_no_key);
	T_RUN(an_unused_ticket_leaves_no_key_for_the_next);
	T_RUN(a_call_that_stands_needs_no_secret);
	return T_DONE();
}
