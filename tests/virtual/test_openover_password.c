/* SPDX-License-Identifier: MIT */

/* Plain clients that register with the registrar by HTTPS: a name, a password,
 * the address they came from. */

#include "tests/virtual/plain_client.h"

#define REFRESH_S 179U

static enum oo_password tell(const char *name, const char *password)
{
	return oo_registrar_plain_password(w.registrar, name, password, &client,
					   REFRESH_S, w.now);
}

static void a_client_registers_with_its_password(void)
{
	begin();
	T_EQ(OO_PASSWORD_GOOD, tell("3000", "sesame"));
	T_TRUE(online("3000"));
	T_TRUE(net_addr_equal(&client, &record("3000")->path.peer));
	T_EQ(1, count()->registered);
	T_EQ(1, events(OO_REG_EV_UP, "3000"));
	/* For as long as it was told, and half a minute. */
	w.now += (REFRESH_S + 29) * MONO_S;
	T_TRUE(online("3000"));
	w.now += 2 * MONO_S;
	T_TRUE(!online("3000"));
	T_EQ(OO_PASSWORD_GOOD, tell("3000", "sesame"));
	T_TRUE(online("3000"));
	world_done(&w);
}

static void it_comes_back_after_two_minutes_and_not_before(void)
{
	begin();
	T_EQ(OO_PASSWORD_GOOD, tell("3000", "sesame"));
	w.now += 119 * MONO_S;
	T_EQ(OO_PASSWORD_SOON, tell("3000", "sesame"));
	T_EQ(1, count()->limited);
	/* Only to who knows the password. */
	T_EQ(OO_PASSWORD_BAD, tell("3000", "sesam"));
	(void)events(OO_REG_EV_UP, "3000");
	w.now += MONO_S;
	client.port = 4570;
	T_EQ(OO_PASSWORD_GOOD, tell("3000", "sesame"));
	T_EQ(1, events(OO_REG_EV_MOVED, "3000"));
	T_TRUE(net_addr_equal(&client, &record("3000")->path.peer));
	w.now += REFRESH_S * MONO_S;
	T_EQ(OO_PASSWORD_GOOD, tell("3000", "sesame"));
	T_EQ(0, events(OO_REG_EV_MOVED, "3000"));
	world_done(&w);
}

static void wrong_passwords_and_names_look_the_same(void)
{
	static const char *const wrong[] = { "", "sesam", "sesame ", "Sesame",
					     "sesamesesame" };
	char longest[200];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin();
		T_EQ(OO_PASSWORD_BAD, tell("3000", wrong[i]));
		T_TRUE(!online("3000"));
		T_EQ(1, count()->auth_failed);
		T_EQ(1, events(OO_REG_EV_REFUSED, "3000"));
		world_done(&w);
	}
	begin();
	T_EQ(OO_PASSWORD_BAD, tell("3999", "sesame"));
	T_EQ(OO_PASSWORD_BAD, tell("3998", ""));
	/* A node's number has a key, not a password. */
	T_EQ(OO_PASSWORD_BAD, tell("2001", ""));
	memset(longest, 'a', sizeof(longest));
	longest[OO_PLAIN_SECRET_MAX] = '\0';
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3001", longest));
	T_EQ(OO_PASSWORD_GOOD, tell("3001", longest));
	longest[OO_PLAIN_SECRET_MAX] = 'a';
	longest[sizeof(longest) - 1] = '\0';
	T_EQ(OO_PASSWORD_BAD, tell("3001", longest));
	world_done(&w);
}

static void after_too_many_wrong_ones_none_is_looked_at(void)
{
	begin();
	for (int i = 0; i < 5; i++)
		T_EQ(OO_PASSWORD_BAD, tell("3000", "guess"));
	T_EQ(OO_PASSWORD_LIMITED, tell("3000", "sesame"));
	T_EQ(1, count()->auth_limited);
	/* Its owner, elsewhere, is not shut out. */
	client = stranger;
	T_EQ(OO_PASSWORD_GOOD, tell("3000", "sesame"));
	world_done(&w);
}

int main(void)
{
	T_RUN(a_client_registers_with_its_password);
	T_RUN(it_comes_back_after_two_minutes_and_not_before);
	T_RUN(wrong_passwords_and_names_look_the_same);
	T_RUN(after_too_many_wrong_ones_none_is_looked_at);
	return T_DONE();
}
