/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_TEXT_SCENE_H
#define TESTS_VIRTUAL_TEXT_SCENE_H

/*
 * Up to five whole nodes in virtual time, 2001 and on, all with public
 * addresses and one registrar; and a peer of another make, which says what the
 * test wants and keeps what it hears.
 */

#include "daemon/node/node.h"
#include "proto/openover_registrar.h"
#include "tests/virtual/fake_net.h"

#define TEXT_NODES 5
#define TEXT_HEARD 128

/* What the other peer heard, cut to fit. */
struct text_heard {
	mono_us when;
	char text[128];
};

struct text_node {
	struct node *node;
	struct key_identity id;
	char number[16];
	unsigned ups, downs, loops, answers, behinds;
	char why[NODE_WHY_MAX]; /* the last link went down */
	char looped[IAX2_NUMBER_MAX + 1];
	char digits[64]; /* by text or by frames, in order */
	char digits_from[IAX2_NUMBER_MAX + 1];
	char message[256];
	char message_from[IAX2_NUMBER_MAX + 1];
	unsigned messages;
	char gps[64];   /* the last G, cut to fit */
	char told[256]; /* in a T */
	char told_by[IAX2_NUMBER_MAX + 1];
	char talker[IAX2_NUMBER_MAX + 1]; /* empty: nobody talks */
	char talker_name[64];
	unsigned talks;       /* how often somebody began */
	uint32_t cor;         /* its radio receives, as COR_IN_COR */
	bool keyed;           /* it transmits */
	unsigned transmitted; /* blocks */
};

/* The peer of another make: number 1999. */
struct text_peer {
	struct iax2_endpoint *ep;
	struct net_addr at;
	struct iax2_call_id call;
	bool up;
	bool refuses;  /* calls */
	uint8_t cause; /* the CAUSECODE that it says then */
	unsigned ups, downs;
	mono_us called[48]; /* when it was, each time */
	unsigned calls;
	mono_us down_at;
	unsigned keys, unkeys, cngs, voice;
	struct text_heard *heard; /* TEXT_HEARD of them */
	size_t n;
};

struct text_scene {
	struct fake_net *net;
	struct oo_registrar *registrar;
	struct key_identity registrar_id;
	struct text_node at[TEXT_NODES];
	struct text_peer peer;
	int n;
};

void text_begin(struct text_scene *s, int n);
void text_end(struct text_scene *s);
void text_run(struct text_scene *s, mono_us d);
/* The same, with sound: 20 ms at a time, of all nodes. */
void text_run_sound(struct text_scene *s, mono_us d);
mono_us text_now(const struct text_scene *s);

/* Node @i dials node @j, or, with @j < 0, the other peer. */
enum iax2_err text_connect(struct text_scene *s, int i, int j,
			   enum node_mode mode, bool permanent);
/* The same as a check, and a second for it to stand. */
void text_link_both(struct text_scene *s, int i, int j);
/* text_begin(), and each linked to the next: 2001 - 2002 - 2003 - ... */
void text_chain(struct text_scene *s, int n);
/* The link from @i to @j (or the peer); false: none. */
bool text_link(const struct text_scene *s, int i, int j,
	       struct node_link_info *out);
unsigned text_links_up(const struct text_scene *s, int i);
/* The names and modes that node @i knows behind that link. */
const char *text_behind(const struct text_scene *s, int i, int j);

/* The peer says something in its call; what it heard that begins with
 * @text: how often, and the last one. */
void text_peer_says(struct text_scene *s, const char *text);
void text_peer_keys(struct text_scene *s, bool keyed);
/* @frames of voice, 20 ms each, while all nodes have sound. */
void text_peer_talks(struct text_scene *s, unsigned frames);
unsigned text_peer_heard(const struct text_scene *s, const char *text);
const char *text_peer_last(const struct text_scene *s, const char *text);
void text_peer_hangs_up(struct text_scene *s);

#endif
