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

/* What each node lists of the other, and who then finds fault. */
static void a_registrar_cannot_give_away_a_number_whose_key_is_listed(void)
{
	enum list { NOTHING, RIGHT, WRONG };
	static const struct {
		enum list lists[NODES];
		int fault; /* this node's; -1: none, the link stands */
	} rows[] = {
		{ { NOTHING, NOTHING }, -1 }, { { RIGHT, RIGHT }, -1 },
		{ { NOTHING, WRONG }, 1 },    { { WRONG, NOTHING }, 0 },
		{ { RIGHT, WRONG }, 1 },      { { WRONG, RIGHT }, 0 },
	};
	static const char *const number[NODES] = { "2001", "2002" };

	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		const int fault = rows[k].fault;
		struct scene s;

		for (int i = 0; i < NODES; i++) {
			if (rows[k].lists[i] != NOTHING)
				lists_key(i, number[1 - i],
					  rows[k].lists[i] == RIGHT);
		}
		scene_begin(&s, 1, NULL, NULL);
		(void)scene_dial(&s);
		scene_run(&s, 2 * MONO_S);
		for (int i = 0; i < NODES; i++) {
			T_EQ(fault < 0, scene_links(&s, i, NODE_LINK_UP));
			T_EQ(fault < 0, scene_all_links(&s, i));
		}
		T_EQ(fault < 0, s.at[1].ups);
		T_EQ(fault == 1, s.at[1].refused);
		if (fault == 0)
			T_TRUE(strstr(s.at[0].why, "key") != NULL);
		else if (fault == 1)
			T_TRUE(strstr(s.at[1].refused_why, "key") != NULL);
		T_EQ(fault >= 0, s.at[0].downs);
		end(&s);
	}
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

/* --- changes while links stand ----------------------------------------- */

static struct node_caller by_number(const char *number)
{
	struct node_caller c = { 0 };

	memcpy(c.number, number, strlen(number));
	return c;
}

static void a_caller_that_is_denied_now_is_gone_at_once(void)
{
	const struct node_caller deny = by_number("2001");
	struct node_cfg cfg;
	struct scene s;

	scene_begin(&s, 1, NULL, NULL);
	(void)scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
	cfg = s.at[1].node->cfg;
	/* Nothing that concerns it: it stays. */
	node_reconfigure(s.at[1].node, &cfg, fake_net_now(s.net));
	scene_run(&s, MONO_S);
	T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
	cfg.acl.deny = &deny;
	cfg.acl.deny_n = 1;
	node_reconfigure(s.at[1].node, &cfg, fake_net_now(s.net));
	T_EQ(0, scene_all_links(&s, 1));
	scene_run(&s, MONO_S);
	T_EQ(1, s.at[1].downs);
	T_TRUE(strstr(s.at[1].why, "accept.deny") != NULL);
	T_EQ(0, scene_all_links(&s, 0));
	end(&s);
}

static void the_lists_say_who_may_call_and_not_whom_we_call(void)
{
	const struct node_caller deny = by_number("2002");
	struct node_cfg cfg;
	struct scene s;

	scene_begin(&s, 1, NULL, NULL);
	(void)scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	cfg = s.at[0].node->cfg;
	cfg.acl.deny = &deny;
	cfg.acl.deny_n = 1;
	node_reconfigure(s.at[0].node, &cfg, fake_net_now(s.net));
	scene_run(&s, MONO_S);
	T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
	/* But the key must be the listed one. */
	lists_key(0, "2002", false);
	cfg.peers = &scene_peer_of[0];
	cfg.peers_n = 1;
	node_reconfigure(s.at[0].node, &cfg, fake_net_now(s.net));
	scene_run(&s, MONO_S);
	T_EQ(0, scene_all_links(&s, 0));
	T_TRUE(strstr(s.at[0].why, "key") != NULL);
	end(&s);
}

/* 2001 calls 2002 plainly and proves its key. */
static void dial_plainly(const struct scene *s)
{
	const struct node_connect c = {
		.number = "2002",
		.addr = net_addr_v4(198, 51, 100, 21, 4569),
	};
	struct node_link_id id;

	T_EQ(IAX2_OK,
	     node_connect(s->at[0].node, &c, fake_net_now(s->net), &id));
}

static void a_plain_caller_is_denied_by_the_key_that_it_proves(void)
{
	struct node_caller deny = { 0 };
	struct node_cfg cfg;
	struct scene s;

	lists_key(1, "2001", true);
	scene_begin(&s, 1, NULL, NULL);
	dial_plainly(&s);
	scene_run(&s, 2 * MONO_S);
	T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
	cfg = s.at[1].node->cfg;
	memcpy(deny.key, s.at[0].id.public_key, KEY_PUBLIC_LEN);
	cfg.acl.deny = &deny;
	cfg.acl.deny_n = 1;
	node_reconfigure(s.at[1].node, &cfg, fake_net_now(s.net));
	scene_run(&s, MONO_S);
	T_EQ(0, scene_all_links(&s, 1));
	/* Nor does it come in again. */
	dial_plainly(&s);
	scene_run(&s, 2 * MONO_S);
	T_EQ(1, s.at[1].ups);
	T_EQ(1, s.at[1].refused);
	T_STR("accept.deny", s.at[1].refused_why);
	end(&s);
}

static void rules_that_change_while_it_proves_itself_hold(void)
{
	const struct node_caller deny = by_number("2001");
	struct node_cfg cfg;
	struct scene s;

	lists_key(1, "2001", true);
	scene_begin(&s, 1, NULL, NULL);
	dial_plainly(&s);
	/* NEW, token, NEW, challenge: two round trips. */
	scene_run(&s, 4 * ONE_WAY + ONE_WAY / 2);
	T_EQ(0, s.at[1].ups);
	cfg = s.at[1].node->cfg;
	cfg.acl.deny = &deny;
	cfg.acl.deny_n = 1;
	node_reconfigure(s.at[1].node, &cfg, fake_net_now(s.net));
	scene_run(&s, 2 * MONO_S);
	T_EQ(0, s.at[1].ups);
	T_EQ(1, s.at[1].refused);
	T_STR("accept.deny", s.at[1].refused_why);
	end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_registrar_cannot_give_away_a_number_whose_key_is_listed);
	T_RUN(the_key_is_looked_at_when_the_call_comes_too);
	T_RUN(a_caller_that_is_denied_now_is_gone_at_once);
	T_RUN(the_lists_say_who_may_call_and_not_whom_we_call);
	T_RUN(a_plain_caller_is_denied_by_the_key_that_it_proves);
	T_RUN(rules_that_change_while_it_proves_itself_hold);
	return T_DONE();
}
