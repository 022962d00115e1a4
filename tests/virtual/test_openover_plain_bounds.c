/* SPDX-License-Identifier: MIT */

/* The table of plain clients, the limits that strangers meet there, and the
 * dial that finds a client in it. */

#include "tests/virtual/plain_client.h"

/* Its address may be somebody else's: no flood goes there. */
static void a_listed_address_is_challenged_so_many_times_a_second(void)
{
	const struct say s = { IAX2_IAX_REGREQ, 0, "3000", NULL, NULL, 60 };
	struct net_prefix all = { net_addr_v4(0, 0, 0, 0, 0), 96 };
	unsigned n = 0;

	begin();
	limits.token_optional = &all;
	limits.token_optional_n = 1;
	T_TRUE(oo_registrar_limits(w.registrar, &limits));
	for (int i = 0; i < 1000; i++) {
		say(&s, &client);
		n += answers;
	}
	T_TRUE(n >= 20 && n <= 100);
	say(&s, &stranger);
	T_EQ(1, answers);
	world_done(&w);
}

static void too_many_wrong_passwords_close_the_ear_for_a_while(void)
{
	unsigned rejected = 0;

	begin();
	for (int i = 0; i < 20; i++) {
		rejected += exchange(IAX2_IAX_REGREQ, "3000", "guess",
				     &client) == IAX2_IAX_REGREJ;
		world_run(&w, 100 * MONO_MS);
	}
	T_EQ(5, rejected); /* the burst of four a minute */
	T_EQ(5, count()->auth_failed);
	T_EQ(15, count()->auth_limited);
	/* Another client behind the same address is heard. */
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3001", "open"));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3001", "open", &client));
	T_EQ(0, exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &stranger));
	world_run(&w, 60 * MONO_S);
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	world_done(&w);
}

/* Somebody who cannot receive at an address cannot spend its patience. */
static void wrong_proofs_from_a_made_up_address_are_not_counted(void)
{
	const struct say s = { IAX2_IAX_REGREQ,
			       0x2222,
			       "3000",
			       NULL,
			       "00112233445566778899aabbccddeeff",
			       60 };

	begin();
	for (int i = 0; i < 1000; i++) {
		say(&s, &client);
		T_EQ(0, answers);
	}
	T_EQ(0, count()->auth_failed);
	T_EQ(1000, count()->forged);
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	world_done(&w);
}

static void strangers_never_draw_more_than_they_send(void)
{
	static const uint8_t subclass[] = { IAX2_IAX_REGREQ, IAX2_IAX_REGREL,
					    IAX2_IAX_POKE, IAX2_IAX_ACK };
	static const char *const tokens[] = { NULL, "", "abcdefgh", "?" };
	static const char md5[] = "00112233445566778899aabbccddeeff";
	char user[OO_PLAIN_NAME_MAX + 1] = "";
	unsigned answered = 0;

	begin();
	for (size_t len = 1; len <= OO_PLAIN_NAME_MAX; len++) {
		user[len - 1] = '3';
		for (size_t i = 0; i < 4 * 4 * 2; i++) {
			const struct say s = { subclass[i % 4],
					       0,
					       user,
					       tokens[i / 4 % 4],
					       i < 16 ? NULL : md5,
					       len % 2 ? 60 : 0 };
			const struct net_addr from = net_addr_v4(
				10, 1, (uint8_t)len, (uint8_t)i, 4569);

			say(&s, &from);
			T_TRUE(answer_len <= sent_len);
			answered += answers;
		}
	}
	T_TRUE(answered > 100);
	world_done(&w);
}

static void a_new_secret_ends_the_registration_and_the_same_does_not(void)
{
	begin();
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3000", "sesame"));
	T_TRUE(online("3000"));
	T_EQ(0, events(OO_REG_EV_DOWN, "3000"));
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3000", "third"));
	T_TRUE(!online("3000"));
	T_EQ(1, events(OO_REG_EV_DOWN, "3000"));
	/* Once. */
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3000", "other"));
	T_EQ(0, events(OO_REG_EV_DOWN, "3000"));
	T_EQ(IAX2_IAX_REGREJ,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "other", &client));
	T_EQ(IAX2_OK, oo_registrar_plain_remove(w.registrar, "3000"));
	T_EQ(1, events(OO_REG_EV_DOWN, "3000"));
	T_EQ(IAX2_E_STALE, oo_registrar_plain_remove(w.registrar, "3000"));
	T_EQ(IAX2_IAX_REGREJ,
	     exchange(IAX2_IAX_REGREQ, "3000", "other", &client));
	world_done(&w);
}

static void a_number_is_a_nodes_or_a_clients(void)
{
	struct oo_directory *dir;

	begin();
	dir = oo_registrar_directory(w.registrar);
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "2001", "x"));
	T_TRUE(!oo_directory_by_number(dir, "2001"));
	T_TRUE(record("2001") != NULL);
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.registrar, "2001", w.id[0].public_key));
	T_TRUE(oo_directory_by_number(dir, "2001") != NULL);
	T_TRUE(!record("2001"));
	world_done(&w);
}

static void bad_names_and_secrets_are_refused(void)
{
	static const char *const bad[] = {
		"", "a b", "a/b", "\x80", "a23456789012345678901234567890123"
	};
	char secret[OO_PLAIN_SECRET_MAX + 2];

	begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_EQ(IAX2_E_RANGE,
		     oo_registrar_plain_put(w.registrar, bad[i], "x"));
	memset(secret, 's', sizeof(secret));
	secret[OO_PLAIN_SECRET_MAX + 1] = '\0';
	T_EQ(IAX2_E_RANGE, oo_registrar_plain_put(w.registrar, "a", secret));
	T_EQ(IAX2_E_RANGE, oo_registrar_plain_put(w.registrar, "a", ""));
	secret[OO_PLAIN_SECRET_MAX] = '\0';
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar,
					     "fax_modem.1-ABCDEFGHIJKLMNOPQRST",
					     secret));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "fax_modem.1-ABCDEFGHIJKLMNOPQRST",
		      secret, &client));
	world_done(&w);
}

static void the_table_finds_what_was_put_and_not_removed(void)
{
	enum { N = 500 };
	struct oo_plains *p = oo_plains_new(N);
	struct net_path path = { .peer = net_addr_v4(10, 0, 0, 1, 4569) };
	char name[16];

	T_TRUE(p != NULL);
	for (unsigned i = 0; i < N; i++) {
		/* A permutation: 211 and 500 have no common factor. */
		(void)snprintf(name, sizeof(name), "n%u", i * 211 % N);
		T_TRUE(oo_plains_put(p, name, name) != NULL);
	}
	T_TRUE(!oo_plains_put(p, "one-more", "x"));
	oo_plains_register(p, oo_plains_find(p, "n7"), &path, MONO_S);
	oo_plains_register(p, oo_plains_find(p, "n8"), &path, MONO_S);
	T_EQ(2, oo_plains_registered(p));
	for (unsigned i = 0; i < N; i += 2) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		oo_plains_remove(p, oo_plains_find(p, name));
	}
	T_EQ(N / 2, oo_plains_count(p));
	T_EQ(1, oo_plains_registered(p));
	for (unsigned i = 0; i < N; i++) {
		const struct oo_plain *c;

		(void)snprintf(name, sizeof(name), "n%u", i);
		c = oo_plains_find(p, name);
		T_EQ(i % 2, c != NULL);
		if (c)
			T_STR(name, c->secret);
	}
	T_TRUE(oo_plain_is_online(oo_plains_find(p, "n7"), 0));
	p = oo_plains_free(p);
}

static void who_dials_a_plain_client_is_told_its_address(void)
{
	const struct oo_event *ev = &w.last[0][OO_EV_PATH];

	begin();
	world_up(&w);
	(void)world_dial(&w, 0, "3000");
	world_run(&w, MONO_S);
	T_EQ(1, w.seen[0][OO_EV_FAILED]);
	T_EQ(OO_OFFLINE, w.last[0][OO_EV_FAILED].u.failed.verdict);
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	(void)world_dial(&w, 0, "3000");
	world_settle(&w);
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	T_TRUE(ev->u.path.plain);
	T_TRUE(net_addr_equal(&client, &ev->u.path.path.peer));
	T_EQ(1, count()->opens_ok);
	/* The dial is over: nothing follows. */
	world_run(&w, 20 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	T_EQ(1, w.seen[0][OO_EV_FAILED]);
	world_done(&w);
}

static void limits_out_of_range_are_refused_and_change_nothing(void)
{
	begin();
	limits.refresh_s = 29;
	T_TRUE(!oo_registrar_limits(w.registrar, &limits));
	limits.refresh_s = 45;
	limits.auth_failures_per_min = 0;
	T_TRUE(!oo_registrar_limits(w.registrar, &limits));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(60, got.refresh_s);
	limits.auth_failures_per_min = 1;
	T_TRUE(oo_registrar_limits(w.registrar, &limits));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &stranger));
	T_EQ(45, got.refresh_s);
	world_done(&w);
}

int main(void)
{
	T_RUN(a_listed_address_is_challenged_so_many_times_a_second);
	T_RUN(too_many_wrong_passwords_close_the_ear_for_a_while);
	T_RUN(wrong_proofs_from_a_made_up_address_are_not_counted);
	T_RUN(strangers_never_draw_more_than_they_send);
	T_RUN(a_new_secret_ends_the_registration_and_the_same_does_not);
	T_RUN(a_number_is_a_nodes_or_a_clients);
	T_RUN(bad_names_and_secrets_are_refused);
	T_RUN(the_table_finds_what_was_put_and_not_removed);
	T_RUN(who_dials_a_plain_client_is_told_its_address);
	T_RUN(limits_out_of_range_are_refused_and_change_nothing);
	return T_DONE();
}
