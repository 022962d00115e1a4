/* SPDX-License-Identifier: MIT */

/* Who may call a whole node, and be called: lists, keys, and their changes
 * while links stand. */

#include <sodium.h>
#include <string.h>

#include "daemon/node/node_priv.h"
#include "tests/t.h"
#include "tests/virtual/node_scene.h"

/* What node @i knows of the other: its key, or another one. */
static void lists_key(int i, const char *number, bool right)
{
	const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(right ? 2 - i : 99) };
	struct key_identity id;

	key_identity_from_seed(&id, seed);
	scene_peer_of[i] = (struct node_peer){ .has_key = true };
	memcpy(scene_peer_of[i].number, number, strlen(number));
	memcpy(scene_peer_of[i].key, id.public_key, KEY_PUBLIC_LEN);
}

static void end(struct scene *s)
{
	scene_end(s);
	memset(scene_peer_of, 0, sizeof(scene_peer_of));
}

static void a_listed_key_that_fits_is_no_hindrance(void)
{
	struct scene s;

	lists_key(0, "2002", true);
	lists_key(1, "2001", true);
	scene_begin(&s, 1, NULL, NULL);
	(void)scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
	T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
	end(&s);
}

static void a_registrar_cannot_give_a_caller_anothers_number(void)
{
	struct scene s;

	lists_key(1, "2001", false);
	scene_begin(&s, 1, NULL, NULL);
	(void)scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_EQ(0, scene_all_links(&s, 0));
	T_EQ(0, s.at[1].ups);
	T_EQ(1, s.at[1].refused);
	T_TRUE(strstr(s.at[1].refused_why, "key") != NULL);
	end(&s);
}

static void a_registrar_cannot_answer_with_another_key(void)
{
	struct scene s;

	lists_key(0, "2002", false);
	scene_begin(&s, 1, NULL, NULL);
	(void)scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_EQ(0, scene_all_links(&s, 0));
	T_EQ(1, s.at[0].downs);
	T_TRUE(strstr(s.at[0].why, "key") != NULL);
	T_EQ(0, s.at[1].ups);
	end(&s);
}

/* Between the OPEN and the call the list may have changed. */
static void the_key_is_looked_at_when_the_call_comes_too(void)
{
	struct node *n;
	struct scene s;

	scene_begin(&s, 1, NULL, NULL);
	n = s.at[1].node;
	(void)scene_dial(&s);
	while (scene_links(&s, 0, NODE_LINK_CALLING) == 0)
		scene_run(&s, MONO_MS);
	lists_key(1, "2001", false);
	n->cfg.peers = &scene_peer_of[1];
	n->cfg.peers_n = 1;
	scene_run(&s, 2 * MONO_S);
	T_EQ(0, scene_all_links(&s, 0));
	T_EQ(0, s.at[1].ups);
	T_EQ(1, s.at[1].refused);
	T_TRUE(strstr(s.at[1].refused_why, "key") != NULL);
	end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_listed_key_that_fits_is_no_hindrance);
	T_RUN(a_registrar_cannot_give_a_caller_anothers_number);
	T_RUN(a_registrar_cannot_answer_with_another_key);
	T_RUN(the_key_is_looked_at_when_the_call_comes_too);
	return T_DONE();
}
