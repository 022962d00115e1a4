/* SPDX-License-Identifier: MIT */

/* The UDP sockets when all is not well: sources that have gone, datagrams
 * too long, ports nobody listens on, more than one batch. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "tests/unit/udp_inbox.h"

#define FLOOD 200U /* more than three batches */

/* Numbered datagrams, all alike otherwise. */
struct outbox {
	struct dgram d;
	unsigned n;
	unsigned sent;
	uint8_t data[1];
};

static bool next(void *ctx, struct dgram *out)
{
	struct outbox *o = ctx;

	if (o->sent == o->n)
		return false;
	o->data[0] = (uint8_t)o->sent++;
	*out = o->d;
	out->data = o->data;
	out->len = sizeof(o->data);
	return true;
}

static void send_n(struct udp *u, const struct dgram *d, unsigned n)
{
	struct outbox o = { .d = *d, .n = n };

	udp_send(u, next, &o);
}

static struct dgram to(const char *text, uint16_t port)
{
	struct dgram d = { 0 };

	T_TRUE(net_addr_parse(text, port, &d.path.peer));
	return d;
}

static void a_lost_source_leaves_the_hops_alone(const char *peer,
						const char *source)
{
	struct inbox server_in = { 0 }, client_in = { 0 };
	struct udp *server = open_udp("127.0.0.1", "::1", &server_in);
	struct udp *client = open_udp("0.0.0.0", "::", &client_in);
	struct dgram d = to(peer, server_in.port);
	struct net_addr gone;

	T_TRUE(net_addr_parse(source, 1, &gone));
	memcpy(d.path.local_ip, gone.ip, sizeof(gone.ip));
	d.ttl = 5;
	send_n(client, &d, 3);
	wait_for(&server_in, 3);
	T_EQ(5, server_in.last.ttl);
	T_EQ(3, udp_counters(client)->tx);
	T_EQ(0, udp_counters(client)->tx_failed);
	T_EQ(0, udp_counters(client)->tx_unreachable);
	server = udp_close(server);
	client = udp_close(client);
}

static void a_low_ttl_stays_low_when_the_source_has_gone(void)
{
	a_lost_source_leaves_the_hops_alone("127.0.0.1", "192.0.2.77");
	a_lost_source_leaves_the_hops_alone("[::1]", "2001:db8::77");
}

static void more_than_one_batch_arrives_in_order(void)
{
	struct inbox server_in = { 0 }, client_in = { 0 };
	struct udp *server = open_udp("127.0.0.1", "", &server_in);
	struct udp *client = open_udp("127.0.0.1", "", &client_in);
	struct dgram d = to("127.0.0.1", server_in.port);

	send_n(client, &d, FLOOD);
	wait_for(&server_in, FLOOD);
	T_EQ(0, server_in.out_of_order);
	T_TRUE(server_in.batches >= 4 && server_in.batches <= FLOOD);
	T_EQ(FLOOD, udp_counters(client)->tx);
	T_EQ(FLOOD, udp_counters(server)->rx);
	server = udp_close(server);
	client = udp_close(client);
}

/* The kernel begins to stamp a moment after the first socket asked for it; what
 * comes before has the time at which it was read. */
static bool stamped(struct udp *from, const struct inbox *in,
		    const struct dgram *d, unsigned n)
{
	const mono_us before = loop_now();
	mono_us after;

	send_n(from, d, 1);
	after = loop_now();
	while (loop_now() < after + 50 * MONO_MS)
		;
	wait_for(in, n);
	/* Between two clocks there is a microsecond's rounding. */
	T_TRUE(in->last.arrived + 200 >= before);
	return in->last.arrived <= after + 200;
}

/* However late it is looked at. */
static void a_datagram_has_the_time_it_came(void)
{
	struct inbox in = { 0 }, none = { 0 };
	struct udp *a = open_udp("127.0.0.1", "", &none);
	struct udp *b = open_udp("127.0.0.1", "", &in);
	const struct dgram d = to("127.0.0.1", in.port);
	unsigned n = 1;

	while (!stamped(a, &in, &d, n) && n < 100)
		n++;
	T_TRUE(n < 100);
	T_TRUE(stamped(a, &in, &d, n + 1));
	udp_close(a);
	udp_close(b);
}

static void what_peers_sent_is_there_when_it_is_asked_for(void)
{
	struct inbox in = { 0 }, none = { 0 };
	struct udp *a = open_udp("127.0.0.1", "", &none);
	struct udp *b = open_udp("127.0.0.1", "", &in);
	const struct dgram d = to("127.0.0.1", in.port);
	struct net_addr peer;

	T_TRUE(net_addr_parse("127.0.0.1", none.port, &peer));
	udp_receive_preferred(b);
	T_EQ(0, udp_prefer(b, &peer, 1));
	send_n(a, &d, 1);
	udp_receive_preferred(b);
	T_EQ(1, in.n);
	T_EQ(0, in.batches);
	udp_close(a);
	udp_close(b);
}

static void what_is_too_long_is_counted_and_dropped(void)
{
	static const uint8_t data[DGRAM_MAX + 500];
	static const size_t lens[] = { DGRAM_MAX + 1, DGRAM_MAX + 500,
				       DGRAM_MAX, 0 };
	struct inbox in = { 0 };
	struct udp *u = open_udp("127.0.0.1", "", &in);
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(in.port),
					.sin_addr.s_addr =
						htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		T_EQ(lens[i], sendto(fd, data, lens[i], 0,
				     (const struct sockaddr *)&at, sizeof(at)));
	wait_for(&in, 2);
	T_EQ(2, udp_counters(u)->rx_oversize);
	T_EQ(4, udp_counters(u)->rx);
	T_EQ(0, in.last.len);
	T_EQ(0, close(fd));
	u = udp_close(u);
}

/* An ICMP error comes back; what is sent and received after it is not lost. */
static void a_closed_port_stops_nothing(void)
{
	struct inbox server_in = { 0 }, client_in = { 0 };
	struct udp *server = open_udp("127.0.0.1", "::1", &server_in);
	struct udp *client = open_udp("127.0.0.1", "::1", &client_in);
	struct dgram d = to("127.0.0.1", server_in.port), back = d;

	back.path.peer.port = client_in.port;
	for (unsigned i = 1; i <= 20; i++) {
		d.path.peer.port = UDP_NOBODY;
		send_n(client, &d, 1);
		d.path.peer.port = server_in.port;
		send_n(client, &d, 1);
		wait_for(&server_in, i);
		send_n(server, &back, 1);
		wait_for(&client_in, i);
	}
	T_EQ(40, udp_counters(client)->tx);
	server = udp_close(server);
	client = udp_close(client);
}

static void a_family_without_a_socket_is_counted(void)
{
	struct inbox in = { 0 };
	struct udp *u = open_udp("127.0.0.1", "", &in);
	struct dgram d = to("[::1]", in.port);

	send_n(u, &d, 2);
	T_EQ(2, udp_counters(u)->tx_unreachable);
	d = to("127.0.0.1", in.port);
	d.path.sock = UINT16_MAX;
	send_n(u, &d, 1);
	T_EQ(3, udp_counters(u)->tx_unreachable);
	T_EQ(0, udp_counters(u)->tx);
	u = udp_close(u);
}

static bool keep_none(void *ctx, uint16_t sock)
{
	(void)ctx;
	(void)sock;
	return false;
}

static void extra_sockets_come_and_go_fast(void)
{
	struct inbox in = { 0 };
	struct udp *u = open_udp("127.0.0.1", "", &in);

	for (int round = 0; round < 20; round++) {
		uint16_t first = 0;

		T_EQ(256, udp_extra_open(u, 256, &first));
		T_EQ(1, first);
		udp_extra_close(u, keep_none, NULL);
	}
	u = udp_close(u);
}

static void an_address_that_is_not_ours_is_said_in_a_sentence(void)
{
	struct inbox in = { 0 };
	struct udp_cfg cfg = { .bind4 = "192.0.2.77",
			       .bind6 = "",
			       .port = 4569,
			       .on_dgram = on_dgram,
			       .on_batch = on_batch,
			       .ctx = &in };
	char why[UDP_WHY_MAX];
	struct udp *u;

	T_TRUE(udp_open(&u, base, &cfg, why) < 0);
	T_STR("192.0.2.77 is not an address of this machine", why);
	T_TRUE(u == NULL);
	cfg.bind4 = "::1";
	T_TRUE(udp_open(&u, base, &cfg, why) < 0);
	T_STR("::1 is not an IPv4 address", why);
	cfg.bind4 = "";
	T_TRUE(udp_open(&u, base, &cfg, why) < 0);
}

static void one_interface_is_used_alone(void)
{
	struct inbox in = { 0 };
	struct udp_cfg cfg = { .bind4 = "127.0.0.1",
			       .bind6 = "",
			       .interface = "lo",
			       .on_dgram = on_dgram,
			       .on_batch = on_batch,
			       .ctx = &in };
	char why[UDP_WHY_MAX];
	struct dgram d;
	struct udp *u;

	T_EQ(0, udp_open_somewhere(&u, base, &cfg, why));
	T_STR("", why);
	d = to("127.0.0.1", cfg.port);
	T_EQ(1, udp_extra_open(u, 1, &d.path.sock));
	send_n(u, &d, 1);
	wait_for(&in, 1);
	u = udp_close(u);
}

static void an_interface_that_is_not_there_is_waited_for(void)
{
	struct inbox in = { 0 };
	struct udp_cfg cfg = { .bind4 = "0.0.0.0",
			       .bind6 = "",
			       .interface = "keyhole-none",
			       .on_dgram = on_dgram,
			       .on_batch = on_batch,
			       .ctx = &in };
	char why[UDP_WHY_MAX];
	struct dgram d;
	uint16_t first;
	struct udp *u;

	T_EQ(0, udp_open_somewhere(&u, base, &cfg, why));
	d = to("127.0.0.1", cfg.port);
	T_STR("there is no interface keyhole-none: waiting for it", why);
	T_EQ(0, udp_prefer(u, &d.path.peer, 1));
	T_EQ(0, udp_extra_open(u, 1, &first));
	send_n(u, &d, 1);
	T_EQ(0, udp_counters(u)->tx);
	T_EQ(1, udp_counters(u)->tx_unreachable);
	u = udp_close(u);
}

/* --- preferred peers ---------------------------------------------------- */

/* Sources by their first octet: friends count up from 0, strangers say 255. */
struct crowd {
	unsigned friends;
	unsigned strangers;
	unsigned before; /* strangers heard before the last friend */
};

static void on_crowd(void *ctx, const struct dgram *d)
{
	struct crowd *c = ctx;

	if (d->data[0] == 255) {
		c->strangers++;
		return;
	}
	T_EQ(c->friends, d->data[0]);
	c->friends++;
	c->before = c->strangers;
}

static void on_crowd_batch(void *ctx)
{
	(void)ctx;
}

static void shout(int fd, const struct net_addr *home, uint8_t first,
		  unsigned n)
{
	struct sockaddr_storage sa;
	const socklen_t len = net_addr_to_sockaddr(home, &sa);

	for (unsigned i = 0; i < n; i++) {
		const uint8_t octet = first == 255 ? 255 : (uint8_t)(first + i);

		(void)sendto(fd, &octet, 1, MSG_DONTWAIT,
			     (const struct sockaddr *)&sa, len);
	}
}

/* The strangers' datagrams overflow a buffer before anything is read. */
static void crowd_at(const char *home, const char *friend, const char *stranger)
{
	struct crowd c = { 0 };
	struct udp_cfg cfg = { .bind4 = "127.0.0.1",
			       .bind6 = "::1",
			       .on_dgram = on_crowd,
			       .on_batch = on_crowd_batch,
			       .ctx = &c };
	char why[UDP_WHY_MAX] = "";
	struct net_addr peers[3], at;
	uint16_t friend_port, port;
	const int friend_fd = udp_socket_at(friend, &friend_port);
	const int stranger_fd = udp_socket_at(stranger, &port);
	struct udp *u, *second;

	T_EQ(0, udp_open_somewhere(&u, base, &cfg, why));
	T_TRUE(net_addr_parse(home, cfg.port, &at));
	T_TRUE(net_addr_parse("192.0.2.1", 1, &peers[0]));
	T_TRUE(net_addr_parse("2001:db8::1", 1, &peers[1]));
	T_TRUE(net_addr_parse(friend, friend_port, &peers[2]));
	T_EQ(0, udp_prefer(u, peers, 3));
	shout(stranger_fd, &at, 255, 30000);
	shout(friend_fd, &at, 0, 100);
	for (int i = 0; i < 3; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	T_EQ(100, c.friends);
	T_EQ(0, c.before);
	/* No longer a friend: it is heard all the same, in its turn. */
	T_EQ(0, udp_prefer(u, peers, 2));
	for (int i = 0; i < 1000; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	T_TRUE(c.strangers > 100 && c.strangers < 30000);
	shout(friend_fd, &at, 100, 10);
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	T_EQ(110, c.friends);
	/* The port is not to be had by a second program. */
	T_EQ(-EADDRINUSE, udp_open(&second, base, &cfg, why));
	T_EQ(0, close(friend_fd));
	T_EQ(0, close(stranger_fd));
	udp_close(u);
}

static void a_flood_does_not_displace_a_peer(void)
{
	crowd_at("127.0.0.1", "127.0.0.2", "127.0.0.3");
}

static void a_flood_over_ipv6_does_not_either(void)
{
	/* Loopback has one IPv6 address: the port decides. */
	crowd_at("::1", "::1", "::1");
}

static void peers_beyond_the_table_are_strangers(void)
{
	struct inbox in = { 0 };
	struct udp *u = open_udp("127.0.0.1", "::1", &in);
	struct net_addr peers[UDP_PREFER_MAX + 1];

	for (unsigned i = 0; i <= UDP_PREFER_MAX; i++) {
		T_TRUE(net_addr_parse(i % 2 ? "192.0.2.1" : "2001:db8::1",
				      (uint16_t)(1000 + i), &peers[i]));
	}
	T_EQ(0, udp_prefer(u, peers, UDP_PREFER_MAX + 1));
	T_EQ(0, udp_prefer(u, peers, UDP_PREFER_MAX + 1));
	T_EQ(0, udp_prefer(u, NULL, 0));
	udp_close(u);
}

int main(void)
{
	base = loop_base_new();
	T_TRUE(base != NULL);
	T_RUN(a_low_ttl_stays_low_when_the_source_has_gone);
	T_RUN(more_than_one_batch_arrives_in_order);
	T_RUN(a_datagram_has_the_time_it_came);
	T_RUN(what_peers_sent_is_there_when_it_is_asked_for);
	T_RUN(what_is_too_long_is_counted_and_dropped);
	T_RUN(a_closed_port_stops_nothing);
	T_RUN(a_family_without_a_socket_is_counted);
	T_RUN(extra_sockets_come_and_go_fast);
	T_RUN(an_address_that_is_not_ours_is_said_in_a_sentence);
	T_RUN(one_interface_is_used_alone);
	T_RUN(an_interface_that_is_not_there_is_waited_for);
	T_RUN(a_flood_does_not_displace_a_peer);
	T_RUN(a_flood_over_ipv6_does_not_either);
	T_RUN(peers_beyond_the_table_are_strangers);
	event_base_free(base);
	return T_DONE();
}
