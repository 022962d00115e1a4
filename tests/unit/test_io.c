/* SPDX-License-Identifier: MIT */

/* Sockets, names, keys and the log, on loopback and in a temporary folder. */

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/keyfile.h"
#include "daemon/io/log.h"
#include "daemon/io/resolve.h"
#include "tests/unit/udp_inbox.h"

/* --- addresses ---------------------------------------------------------- */

static void addresses_survive_their_text(void)
{
	static const struct {
		const char *in;
		const char *out; /* NULL: refused */
	} rows[] = {
		{ "192.0.2.1:99", "192.0.2.1:99" },
		{ "192.0.2.1", "192.0.2.1:4569" },
		{ "2001:db8::1", "[2001:db8::1]:4569" },
		{ "[2001:db8::1]", "[2001:db8::1]:4569" },
		{ "[2001:db8::1]:1", "[2001:db8::1]:1" },
		{ "192.0.2.1:0", NULL },
		{ "192.0.2.1:65536", NULL },
		{ "192.0.2.1:", NULL },
		{ "192.0.2.1:4x", NULL },
		{ "192.0.2", NULL },
		{ "[2001:db8::1", NULL },
		{ "[2001:db8::1]x", NULL },
		{ "host", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[NET_ADDR_TEXT];
		struct net_addr a;

		if (!rows[i].out) {
			T_TRUE(!net_addr_parse(rows[i].in, 4569, &a));
			continue;
		}
		T_TRUE(net_addr_parse(rows[i].in, 4569, &a));
		T_STR(rows[i].out, net_addr_format(&a, text));
	}
}

/* --- UDP ---------------------------------------------------------------- */

static bool next_once(void *ctx, struct dgram *out)
{
	struct dgram **d = ctx;

	if (!*d)
		return false;
	*out = **d;
	*d = NULL;
	return true;
}

static void send_one(struct udp *u, struct dgram d)
{
	struct dgram *once = &d;

	udp_send(u, next_once, &once);
}

static struct dgram hello_to(struct net_addr to)
{
	return (struct dgram){ .path.peer = to,
			       .data = (const uint8_t *)"hello",
			       .len = 5 };
}

static void an_answer_leaves_from_the_address_that_was_asked(void)
{
	struct inbox server_in = { 0 }, client_in = { 0 };
	struct udp *server = open_udp("0.0.0.0", "::", &server_in);
	struct udp *client = open_udp("127.0.0.1", "::1", &client_in);
	struct net_addr v6;

	for (uint8_t host = 1; host <= 3; host++) {
		const struct net_addr asked =
			net_addr_v4(127, 0, 0, host, server_in.port);
		struct dgram answer;

		send_one(client, hello_to(asked));
		wait_for(&server_in, host);
		T_EQ(5, server_in.last.len);
		T_EQ(64, server_in.last.ttl);
		answer = hello_to(server_in.last.path.peer);
		answer.path = server_in.last.path;
		send_one(server, answer);
		wait_for(&client_in, host);
		T_TRUE(net_addr_equal(&asked, &client_in.last.path.peer));
	}
	T_TRUE(net_addr_parse("::1", server_in.port, &v6));
	send_one(client, hello_to(v6));
	wait_for(&server_in, 4);
	T_TRUE(!net_addr_is_v4(&server_in.last.path.peer));
	T_EQ(64, server_in.last.ttl);
	server = udp_close(server);
	client = udp_close(client);
}

static void a_time_to_live_is_set_for_one_datagram_only(void)
{
	struct inbox server_in = { 0 }, client_in = { 0 };
	struct udp *server = open_udp("127.0.0.1", "::1", &server_in);
	struct udp *client = open_udp("127.0.0.1", "::1", &client_in);
	struct dgram d = hello_to(net_addr_v4(127, 0, 0, 1, server_in.port));

	d.ttl = 3;
	send_one(client, d);
	wait_for(&server_in, 1);
	T_EQ(3, server_in.last.ttl);
	d.ttl = 0;
	send_one(client, d);
	wait_for(&server_in, 2);
	T_EQ(64, server_in.last.ttl);
	T_TRUE(net_addr_parse("::1", server_in.port, &d.path.peer));
	d.ttl = 4;
	send_one(client, d);
	wait_for(&server_in, 3);
	T_EQ(4, server_in.last.ttl);
	server = udp_close(server);
	client = udp_close(client);
}

static void a_source_that_has_gone_does_not_stop_a_datagram(void)
{
	struct inbox server_in = { 0 }, client_in = { 0 };
	struct udp *server = open_udp("127.0.0.1", "", &server_in);
	struct udp *client = open_udp("127.0.0.1", "", &client_in);
	struct dgram d = hello_to(net_addr_v4(127, 0, 0, 1, server_in.port));
	const struct net_addr gone = net_addr_v4(192, 0, 2, 77, 0);

	memcpy(d.path.local_ip, gone.ip, sizeof(gone.ip));
	send_one(client, d);
	wait_for(&server_in, 1);
	T_EQ(1, udp_counters(client)->tx);
	server = udp_close(server);
	client = udp_close(client);
}

static bool keep_second(void *ctx, uint16_t sock)
{
	return sock == *(const uint16_t *)ctx;
}

static void extra_sockets_send_and_receive_under_their_ids(void)
{
	struct inbox server_in = { 0 }, client_in = { 0 };
	struct udp *server = open_udp("127.0.0.1", "", &server_in);
	struct udp *client = open_udp("127.0.0.1", "", &client_in);
	struct dgram d = hello_to(net_addr_v4(127, 0, 0, 1, server_in.port));
	uint16_t first = 0, second;

	T_EQ(256, udp_extra_open(client, 256, &first));
	T_TRUE(first >= 1);
	second = (uint16_t)(first + 1);
	d.path.sock = second;
	send_one(client, d);
	wait_for(&server_in, 1);
	T_TRUE(server_in.last.path.peer.port != client_in.port);
	d = hello_to(server_in.last.path.peer);
	send_one(server, d);
	wait_for(&client_in, 1);
	T_EQ(second, client_in.last.path.sock);
	udp_extra_close(client, keep_second, &second);
	send_one(server, d);
	wait_for(&client_in, 2);
	d = hello_to(net_addr_v4(127, 0, 0, 1, server_in.port));
	d.path.sock = first;
	send_one(client, d);
	T_EQ(1, udp_counters(client)->tx_unreachable);
	server = udp_close(server);
	client = udp_close(client);
}

static void a_busy_port_is_said_in_a_sentence(void)
{
	struct inbox in = { 0 };
	struct udp *first = open_udp("127.0.0.1", "", &in);
	const struct udp_cfg cfg = { .bind4 = "127.0.0.1",
				     .bind6 = "",
				     .port = in.port,
				     .on_dgram = on_dgram,
				     .on_batch = on_batch,
				     .ctx = &in };
	char why[UDP_WHY_MAX], want[UDP_WHY_MAX];
	struct udp *u;

	T_EQ((uint64_t)-EADDRINUSE, udp_open(&u, base, &cfg, why));
	(void)snprintf(want, sizeof(want),
		       "UDP port %u is in use by another program", in.port);
	T_STR(want, why);
	first = udp_close(first);
}

/* --- names -------------------------------------------------------------- */

struct looked_up {
	size_t n;
	struct net_addr first;
	bool done;
	char why[128];
};

static void on_looked_up(void *ctx, const struct net_addr *addrs, size_t n,
			 const char *why)
{
	struct looked_up *l = ctx;

	l->n = n;
	if (n > 0)
		l->first = addrs[0];
	(void)snprintf(l->why, sizeof(l->why), "%s", why);
	l->done = true;
}

static void look_up(const char *host, struct looked_up *l)
{
	struct resolver *r = resolver_new(base);
	const mono_us end = loop_now() + 20 * MONO_S;

	T_TRUE(r != NULL);
	memset(l, 0, sizeof(*l));
	T_EQ(0, resolve(r, host, 4569, on_looked_up, l));
	T_TRUE(!l->done);
	while (!l->done) {
		T_TRUE(loop_now() < end);
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	r = resolver_free(r);
}

static void numbers_and_localhost_are_looked_up(void)
{
	const struct net_addr want = net_addr_v4(192, 0, 2, 9, 4569);
	struct looked_up l;

	look_up("192.0.2.9", &l);
	T_EQ(1, l.n);
	T_TRUE(net_addr_equal(&want, &l.first));
	/* A machine without /etc/hosts may not know localhost. */
	if (access("/etc/hosts", R_OK) == 0) {
		look_up("localhost", &l);
		T_TRUE(l.n >= 1);
		T_EQ(4569, l.first.port);
	}
	look_up("not a name", &l);
	T_EQ(0, l.n);
	T_TRUE(strstr(l.why, "cannot look up not a name") != NULL);
}

/* What is under way when the resolver goes is not called back. */
static void a_lookup_may_be_abandoned(void)
{
	struct resolver *r = resolver_new(base);
	struct looked_up l = { 0 };

	T_EQ(0, resolve(r, "192.0.2.9", 1, on_looked_up, &l));
	T_EQ(0, resolve(r, "localhost", 1, on_looked_up, &l));
	r = resolver_free(r);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	T_TRUE(r == NULL);
}

/* --- keys --------------------------------------------------------------- */

static void keys_are_made_loaded_and_guarded(void)
{
	char dir[] = "/tmp/keyhole-key-XXXXXX", path[64];
	char why[KEYFILE_WHY_MAX], text[KEY_TEXT_LEN];
	struct key_identity made, loaded;
	uint8_t key[KEY_PUBLIC_LEN];
	struct stat st;

	T_TRUE(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	T_EQ(0, keyfile_create(path, &made, why));
	T_EQ(0, stat(path, &st));
	T_EQ(0600, st.st_mode & 0777);
	T_EQ((uint64_t)-EEXIST, keyfile_create(path, &loaded, why));
	T_EQ(0, keyfile_load(path, &loaded, why));
	T_EQ(0, memcmp(&made, &loaded, sizeof(made)));
	key_to_text(made.public_key, text);
	T_TRUE(keyfile_key_from_text(text, key));
	T_EQ(0, memcmp(key, made.public_key, sizeof(key)));
	text[3] = '!';
	T_TRUE(!keyfile_key_from_text(text, key));
	T_EQ(0, chmod(path, 0640));
	T_EQ((uint64_t)-EPERM, keyfile_load(path, &loaded, why));
	T_TRUE(strstr(why, "chmod 600") != NULL);
	T_EQ(0, unlink(path));
	T_EQ((uint64_t)-ENOENT, keyfile_load(path, &loaded, why));
	T_EQ(0, rmdir(dir));
}

/* --- timers ------------------------------------------------------------- */

static unsigned beats;

static void on_beat(void *ctx)
{
	(void)ctx;
	beats++;
}

static void a_loop_that_was_held_up_catches_up_a_little_and_counts(void)
{
	struct loop_beat b;
	const struct timespec held = { 0, 200 * 1000 * 1000 };

	beats = 0;
	T_EQ(0, loop_beat_init(&b, base, 10000, on_beat, NULL));
	T_EQ(0, nanosleep(&held, NULL));
	(void)event_base_loop(base, EVLOOP_ONCE);
	T_EQ(LOOP_CATCH_UP, beats);
	T_TRUE(b.missed >= 10);
	loop_beat_done(&b);
}

#define LONG_BEATS 20U

static void on_long_beat(void *ctx)
{
	const mono_us began = loop_now();

	while (loop_now() < began + 3000)
		;
	if (++beats == LONG_BEATS)
		(void)event_base_loopbreak(ctx);
}

static void on_rest(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)event_base_loopbreak(ctx);
}

static void a_beat_that_takes_too_long_leaves_time_for_the_rest(void)
{
	struct loop_beat b;
	struct event *rest = event_new(base, -1, 0, on_rest, base);

	beats = 0;
	T_EQ(0, loop_beat_init(&b, base, 2000, on_long_beat, base));
	T_TRUE(rest != NULL && event_priority_set(rest, LOOP_LAST) == 0);
	while (beats == 0)
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	event_active(rest, EV_TIMEOUT, 0);
	(void)event_base_loop(base, EVLOOP_ONCE);
	T_TRUE(beats < LONG_BEATS);
	T_TRUE(b.missed > 0);
	event_free(rest);
	loop_beat_done(&b);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	log_init(LOG_ERROR);
	base = loop_base_new();
	T_TRUE(base != NULL);
	T_RUN(addresses_survive_their_text);
	T_RUN(an_answer_leaves_from_the_address_that_was_asked);
	T_RUN(a_time_to_live_is_set_for_one_datagram_only);
	T_RUN(a_source_that_has_gone_does_not_stop_a_datagram);
	T_RUN(extra_sockets_send_and_receive_under_their_ids);
	T_RUN(a_busy_port_is_said_in_a_sentence);
	T_RUN(numbers_and_localhost_are_looked_up);
	T_RUN(a_lookup_may_be_abandoned);
	T_RUN(keys_are_made_loaded_and_guarded);
	T_RUN(a_loop_that_was_held_up_catches_up_a_little_and_counts);
	T_RUN(a_beat_that_takes_too_long_leaves_time_for_the_rest);
	event_base_free(base);
	return T_DONE();
}
