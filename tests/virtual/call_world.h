/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_CALL_WORLD_H
#define TESTS_VIRTUAL_CALL_WORLD_H

/*
 * Two IAX2 endpoints on a simulated network, each with a node's manners that
 * a test chooses: how it answers calls, and what it is said about texts and
 * voice.
 */

#include "proto/iax2_endpoint.h"
#include "tests/virtual/fake_net.h"

enum { ALICE, BOB, PARTIES };

enum manners {
	ACCEPTS,
	CHALLENGES, /* with @want */
	REJECTS,
	HOLDS, /* never decides */
};

struct party {
	struct iax2_endpoint *ep;
	struct key_identity id;
	struct net_addr addr;
	enum manners manners;
	struct iax2_credentials want;
	struct iax2_call_id call; /* the last one it was told of or placed */
	unsigned seen[16];        /* events by kind */
	enum iax2_proof proof;    /* of the last CALL_IN or CALL_PROVED */
	enum iax2_down_reason reason;
	uint8_t code;
	char why[64];
	mono_us up_at;
	mono_us down_at;
	/* Texts are "0", "1", ...: how many came in this order. */
	unsigned texts;
	unsigned texts_wrong;
	unsigned texts_sent;
	/* Voice frames have the time stamp as their first octets. */
	unsigned voices;
	unsigned voices_full;
	unsigned voices_wrong;
	uint32_t voice_ts;
};

struct call_world {
	struct fake_net *net;
	struct party p[PARTIES];
};

/* Without translators; @weather may be NULL for 30 ms each way. */
void call_world_init(struct call_world *w, uint64_t seed,
		     const struct fake_weather *weather);
/* The same, with the translators (or NULL) of each. */
void call_world_init_nat(struct call_world *w, uint64_t seed,
			 const struct fake_weather *weather,
			 const struct fake_nat *const nat[PARTIES]);
void call_world_done(struct call_world *w);
void call_world_run(struct call_world *w, mono_us duration);
/* Forget all that a party knew, as a restart does. */
void call_world_restart(struct call_world *w, int party);
/* ALICE calls BOB, with what @d has; path, called and calling are set. */
void call_world_dial(struct call_world *w, struct iax2_dial d);
/* The two halves of a ticket between ALICE and BOB, good for 10 s. */
void call_world_tickets(const struct call_world *w, struct iax2_ticket *alices,
			struct iax2_ticket *bobs);
/* The next text or voice frame of a party; false when there was no room. */
bool call_world_text(struct call_world *w, int party);
bool call_world_voice(struct call_world *w, int party, uint32_t ts, bool spurt);
enum iax2_err call_world_hangup(struct call_world *w, int party);

/* How ALICE proves herself, or is asked to. */
enum dial_kind { DIAL_TICKET, DIAL_MD5, DIAL_ED25519, DIAL_PLAIN, DIAL_KINDS };
/* Dial and wait 20 s; true when both are up. */
bool call_world_dial_as(struct call_world *w, enum dial_kind kind);
/* Both send @texts texts and ALICE speaks, until all have come or for @limit. */
void call_world_talk(struct call_world *w, unsigned texts, mono_us limit);
/* Fails the test when any call, deadline or packet is left. */
void call_world_is_empty(struct call_world *w);
/* A minute later nothing is left; frees @w. */
void call_world_end(struct call_world *w);

#endif
