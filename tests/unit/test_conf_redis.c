/* SPDX-License-Identifier: MIT */

#include "config/conf_redis.h"

#include "tests/t.h"
#include "tests/unit/conf_expect.h"

static void is_at(const char *text, const char *host, uint16_t port,
		  uint32_t db)
{
	struct conf_redis r;

	T_TRUE(conf_redis_parse(text, &r));
	T_STR(host, r.host);
	T_STR("", r.path);
	T_EQ(port, r.port);
	T_EQ(db, r.db);
}

static void servers_are_found_by_name_and_address(void)
{
	is_at("redis://redis.example.org", "redis.example.org", 6379, 0);
	is_at("redis://redis.example.org/", "redis.example.org", 6379, 0);
	is_at("redis://10.0.0.1:7000", "10.0.0.1", 7000, 0);
	is_at("redis://10.0.0.1:7000/", "10.0.0.1", 7000, 0);
	is_at("redis://10.0.0.1:65535/15", "10.0.0.1", 65535, 15);
	is_at("redis://10.0.0.1/3", "10.0.0.1", 6379, 3);
	is_at("redis://[2001:db8::1]:7000/2", "2001:db8::1", 7000, 2);
	is_at("redis://[::1]", "::1", 6379, 0);
}

static void and_by_path(void)
{
	struct conf_redis r;

	T_TRUE(conf_redis_parse("unix:///run/redis/redis.sock", &r));
	T_STR("/run/redis/redis.sock", r.path);
	T_STR("", r.host);
	T_EQ(0, r.db);
	T_TRUE(conf_redis_parse("unix:///r?db=7", &r));
	T_STR("/r", r.path);
	T_EQ(7, r.db);
}

static void what_is_neither_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"redis",
		"redis://",
		"redis:///1",
		"redis://:6379",
		"redis://a:0",
		"redis://a:65536",
		"redis://a:1x",
		"redis://a:",
		"redis://a/x",
		"redis://a/65536",
		"redis://a/1/",
		"redis://a/100000",
		"redis://[::1",
		"redis://[]",
		"redis://[10.0.0.1]",
		"redis://[::1]x",
		"redis://user:secret@a",
		"rediss://a",
		"unix://",
		"unix://run/redis",
		"unix:///a?db=",
		"unix:///a?db=1x",
		"unix:///a?table=1",
	};
	struct conf_redis r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (conf_redis_parse(bad[i], &r))
			t_fail_str(__FILE__, __LINE__, "refused", "", bad[i]);
	}
}

static void a_path_that_fits_no_socket_is_refused(void)
{
	char text[256] = "unix://";
	struct conf_redis r;

	memset(text + 7, '/', CONF_SOCKET_MAX);
	T_TRUE(conf_redis_parse(text, &r));
	text[7 + CONF_SOCKET_MAX] = '/';
	T_TRUE(!conf_redis_parse(text, &r));
}

static void the_file_is_held_to_it(void)
{
	expect_registrar("cluster: { redis = \"a:1\";\n key_file = \"k\"; };\n",
			 "F:1: cluster.redis is \"a:1\"; allowed: "
			 "redis://HOST:PORT/DB or unix://PATH?db=DB, or "
			 "\"\"\n");
	expect_registrar(
		"cluster: { redis = \"redis://a\"; };\n",
		"F:1: cluster.redis is set and cluster.key_file is not; "
		"allowed: both, or neither\n");
}

int main(void)
{
	T_RUN(servers_are_found_by_name_and_address);
	T_RUN(and_by_path);
	T_RUN(what_is_neither_is_refused);
	T_RUN(a_path_that_fits_no_socket_is_refused);
	T_RUN(the_file_is_held_to_it);
	return T_DONE();
}
