/* SPDX-License-Identifier: MIT */

/* The question over TCP how we are seen, and the second ports that a registrar
 * listens on. */

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/loop.h"
#include "daemon/io/seen.h"
#include "daemon/io/udp.h"
#include "tests/t.h"

static struct event_base *base;
static struct net_addr answer;
static unsigned answers, silences;

static void on_answer(void *ctx, const struct net_addr *seen)
{
	(void)ctx;
	if (seen)
		answer = *seen;
	answers += seen != NULL;
	silences += seen == NULL;
	(void)event_base_loopbreak(base);
}

/* A port of this machine that nobody uses just now. */
static struct net_addr free_at(const char *text)
{
	struct sockaddr_storage sa;
	struct net_addr a;
	socklen_t len;
	int fd;

	T_TRUE(net_addr_parse(text, 1, &a));
	a.port = 0;
	len = net_addr_to_sockaddr(&a, &sa);
	fd = socket(sa.ss_family, SOCK_STREAM, 0);
	T_TRUE(fd >= 0);
	T_EQ(0, bind(fd, (const struct sockaddr *)&sa, len));
	len = sizeof(sa);
	T_EQ(0, getsockname(fd, (struct sockaddr *)&sa, &len));
	T_TRUE(net_addr_from_sockaddr((const struct sockaddr *)&sa, &a));
	close(fd);
	return a;
}

static void who_asks_is_told_its_address(void)
{
	const struct net_addr at = free_at("127.0.0.1");
	struct seen_server *server;
	struct seen_client *c;

	base = loop_base_new();
	T_EQ(0, seen_server_open(&server, base, &at, ""));
	for (unsigned i = 1; i <= 3; i++) {
		c = seen_client_ask(base, &at, NULL, on_answer, NULL);
		T_TRUE(c != NULL);
		(void)event_base_dispatch(base);
		T_EQ(i, answers);
		T_TRUE(net_addr_same_ip(&at, &answer));
		seen_client_free(c);
	}
	/* Given up before the answer came. */
	seen_client_free(seen_client_ask(base, &at, NULL, on_answer, NULL));
	T_EQ(0, event_base_loop(base, EVLOOP_NONBLOCK) < 0);
	T_EQ(3, answers);
	T_EQ(0, silences);
	seen_server_close(server);
	event_base_free(base);
}

static void no_answer_is_said_to_be_none(void)
{
	const struct net_addr at = free_at("127.0.0.1");
	struct seen_client *c;

	base = loop_base_new();
	answers = silences = 0;
	c = seen_client_ask(base, &at, NULL, on_answer, NULL);
	if (c)
		(void)event_base_dispatch(base);
	T_EQ(0, answers);
	T_EQ(c != NULL, silences);
	seen_client_free(c);
	T_TRUE(seen_client_free(NULL) == NULL);
	T_TRUE(seen_server_close(NULL) == NULL);
	event_base_free(base);
}

/* Without a descriptor to spare the server waits, and not by spinning. */
static void who_asks_a_full_process_waits(void)
{
	const struct net_addr at = free_at("127.0.0.1");
	const mono_us began = loop_now();
	struct rlimit had, none;
	struct seen_server *server;
	struct seen_client *c;
	unsigned turns = 0;

	base = loop_base_new();
	answers = silences = 0;
	T_EQ(0, seen_server_open(&server, base, &at, NULL));
	c = seen_client_ask(base, &at, NULL, on_answer, NULL);
	T_TRUE(c != NULL);
	T_EQ(0, getrlimit(RLIMIT_NOFILE, &had));
	none = had;
	none.rlim_cur = 0;
	T_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	while (answers == 0) {
		(void)event_base_loop(base, EVLOOP_ONCE);
		if (++turns == 2)
			T_EQ(0, setrlimit(RLIMIT_NOFILE, &had));
		T_TRUE(turns < 10);
	}
	T_TRUE(loop_now() - began >= MONO_S / 2);
	T_EQ(0, silences);
	seen_client_free(c);
	seen_server_close(server);
	event_base_free(base);
}

static void a_port_in_use_is_an_error(void)
{
	const struct net_addr at = free_at("127.0.0.1");
	struct seen_server *one, *two;

	base = loop_base_new();
	T_EQ(0, seen_server_open(&one, base, &at, NULL));
	T_TRUE(seen_server_open(&two, base, &at, NULL) < 0);
	T_TRUE(two == NULL);
	seen_server_close(one);
	event_base_free(base);
}

static void ignore(void *ctx, const struct dgram *d)
{
	(void)ctx;
	(void)d;
}

static void ignore_batch(void *ctx)
{
	(void)ctx;
}

static bool keep_none(void *ctx, uint16_t sock)
{
	(void)ctx;
	(void)sock;
	return false;
}

static bool keep_third(void *ctx, uint16_t sock)
{
	(void)ctx;
	return sock == 3;
}

static void extra_sockets_come_in_rows(void)
{
	struct udp_cfg cfg = { .bind4 = "127.0.0.1",
			       .bind6 = "",
			       .on_dgram = ignore,
			       .on_batch = ignore_batch };
	const struct net_addr at = free_at("127.0.0.1");
	char why[UDP_WHY_MAX];
	uint16_t first, sock;
	struct udp *u;

	base = loop_base_new();
	cfg.port = free_at("127.0.0.1").port;
	T_EQ(0, udp_open(&u, base, &cfg, why));
	T_EQ(4, udp_extra_open(u, 4, &first));
	T_EQ(1, first);
	T_TRUE(udp_extra_port(u, 1) != 0);
	T_TRUE(udp_extra_port(u, 1) != udp_extra_port(u, 2));
	T_EQ(0, udp_extra_port(u, 5));
	T_EQ(0, udp_extra_port(u, 0));
	udp_extra_close(u, keep_third, NULL);
	/* Two places before it would not do. */
	T_EQ(4, udp_extra_open(u, 4, &first));
	T_EQ(4, first);
	T_EQ(0, udp_extra_listen(u, &at, &sock));
	T_EQ(1, sock);
	T_EQ(at.port, udp_extra_port(u, sock));
	T_TRUE(udp_extra_listen(u, &at, &sock) < 0);
	T_EQ(0, udp_extra_open6(u, 4, &first));
	udp_extra_close(u, keep_none, NULL);
	T_EQ(0, udp_extra_port(u, 3));
	udp_close(u);
	event_base_free(base);
}

int main(void)
{
	T_RUN(who_asks_is_told_its_address);
	T_RUN(no_answer_is_said_to_be_none);
	T_RUN(who_asks_a_full_process_waits);
	T_RUN(a_port_in_use_is_an_error);
	T_RUN(extra_sockets_come_in_rows);
	return T_DONE();
}
