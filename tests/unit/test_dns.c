/* SPDX-License-Identifier: MIT */

/* SRV and TXT records: read from answers, and asked of a server of ours. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/dns.h"
#include "daemon/io/loop.h"
#include "tests/t.h"

#define TYPE_TXT 16U
#define TYPE_SRV 33U
#define HEADER_LEN 12U
#define WAIT_US (5 * MONO_S)

/* --- answers ------------------------------------------------------------ */

struct message {
	uint8_t buf[2048];
	size_t len;
};

static void put(struct message *m, const void *data, size_t len)
{
	memcpy(m->buf + m->len, data, len);
	m->len += len;
}

static void put16(struct message *m, unsigned v)
{
	const uint8_t octets[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(m, octets, sizeof(octets));
}

/* "a.b" as two labels and the root. */
static void put_name(struct message *m, const char *name)
{
	while (*name) {
		const size_t len = strcspn(name, ".");
		const uint8_t octet = (uint8_t)len;

		put(m, &octet, 1);
		put(m, name, len);
		name += len + (name[len] == '.');
	}
	put(m, "", 1);
}

static void begin(struct message *m, unsigned type)
{
	static const uint8_t head[HEADER_LEN] = { 0, 1, 0x81, 0x80, 0, 1 };

	m->len = 0;
	put(m, head, sizeof(head));
	put_name(m, "n.example.net");
	put16(m, type);
	put16(m, 1);
}

/* One more record of the name that was asked for. */
static void record(struct message *m, unsigned type, uint32_t ttl_s,
		   const struct message *data)
{
	put16(m, 0xc000 | HEADER_LEN);
	put16(m, type);
	put16(m, 1);
	put16(m, ttl_s >> 16);
	put16(m, ttl_s & 0xffff);
	put16(m, (unsigned)data->len);
	put(m, data->buf, data->len);
	m->buf[7]++;
}

static void srv(struct message *m, unsigned priority, unsigned port,
		const char *host, uint32_t ttl_s)
{
	struct message data = { .len = 0 };

	put16(&data, priority);
	put16(&data, 7);
	put16(&data, port);
	put_name(&data, host);
	record(m, TYPE_SRV, ttl_s, &data);
}

static void txt(struct message *m, const char *one, const char *other)
{
	struct message data = { .len = 0 };
	const uint8_t a = (uint8_t)strlen(one), b = (uint8_t)strlen(other);

	put(&data, &a, 1);
	put(&data, one, a);
	put(&data, &b, 1);
	put(&data, other, b);
	record(m, TYPE_TXT, 60, &data);
}

static struct dns_answer read_as(enum dns_kind kind, const struct message *m)
{
	struct dns_answer a;

	dns_read(kind, m->buf, m->len, &a);
	return a;
}

static void service_records_are_read(void)
{
	struct message m;
	struct dns_answer a;

	begin(&m, TYPE_SRV);
	srv(&m, 10, 4570, "a.example.net", 60);
	srv(&m, 20, 4571, "b.example.net", 30);
	a = read_as(DNS_SRV, &m);
	T_EQ(DNS_FOUND, a.state);
	T_EQ(2, a.n);
	T_EQ(30, a.ttl_s);
	T_EQ(10, a.u.srv[0].priority);
	T_EQ(7, a.u.srv[0].weight);
	T_EQ(4570, a.u.srv[0].port);
	T_STR("a.example.net", a.u.srv[0].host);
	T_STR("b.example.net", a.u.srv[1].host);
}

static void more_records_than_there_is_room_for_are_left_out(void)
{
	struct message m;

	begin(&m, TYPE_SRV);
	for (unsigned i = 0; i < 20; i++)
		srv(&m, i, 4570, "a.example.net", 60);
	T_EQ(DNS_SRV_MAX, read_as(DNS_SRV, &m).n);
	begin(&m, TYPE_TXT);
	for (unsigned i = 0; i < 20; i++)
		txt(&m, "a", "b");
	T_EQ(DNS_TXT_MAX, read_as(DNS_TXT, &m).n);
}

static void a_life_that_is_none_is_none(void)
{
	struct message m;

	begin(&m, TYPE_SRV);
	srv(&m, 0, 4570, "a.example.net", UINT32_MAX);
	T_EQ(0, read_as(DNS_SRV, &m).ttl_s);
}

static void the_strings_of_a_text_record_are_joined(void)
{
	struct message m;
	struct dns_answer a;
	char longest[201];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	begin(&m, TYPE_TXT);
	txt(&m, "NN=2000", ";IP=192.0.2.1");
	txt(&m, longest, longest);
	a = read_as(DNS_TXT, &m);
	T_EQ(2, a.n);
	T_STR("NN=2000;IP=192.0.2.1", a.u.txt[0]);
	T_EQ(DNS_TXT_LEN, strlen(a.u.txt[1]));
}

static void what_is_cut_is_no_answer(void)
{
	struct message m;
	struct dns_answer a;
	size_t len;

	begin(&m, TYPE_SRV);
	srv(&m, 10, 4570, "a.example.net", 60);
	for (len = m.len; len-- > 0;) {
		struct message cut = { .len = len };

		memcpy(cut.buf, m.buf, len);
		a = read_as(DNS_SRV, &cut);
		T_EQ(0, a.n);
		T_TRUE(a.state != DNS_FOUND);
		T_TRUE(a.why[0] != '\0');
	}
	begin(&m, TYPE_SRV);
	T_EQ(DNS_ABSENT, read_as(DNS_SRV, &m).state);
}

/* --- a server ----------------------------------------------------------- */

struct server {
	int fd;
	struct event *ev;
	struct net_addr at;
	unsigned type; /* of the record that it has */
	unsigned asked;
};

static void on_question(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	uint8_t q[600];
	struct message m;
	const ssize_t n = recvfrom(fd, q, sizeof(q), 0,
				   (struct sockaddr *)&from, &from_len);

	(void)what;
	T_TRUE(n > (ssize_t)HEADER_LEN);
	s->asked++;
	begin(&m, s->type);
	if (s->type == TYPE_SRV)
		srv(&m, 0, 4570, "hub.example.net", 60);
	else
		txt(&m, "k=", "v");
	memcpy(m.buf, q, 2);
	(void)sendto(fd, m.buf, m.len, 0, (const struct sockaddr *)&from,
		     from_len);
}

static void server_open(struct server *s, struct event_base *base,
			unsigned type)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*s = (struct server){ .type = type };
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	T_EQ(0, bind(s->fd, (const struct sockaddr *)&at, sizeof(at)));
	T_EQ(0, getsockname(s->fd, (struct sockaddr *)&at, &len));
	s->at = net_addr_v4(127, 0, 0, 1, ntohs(at.sin_port));
	s->ev = event_new(base, s->fd, EV_READ | EV_PERSIST, on_question, s);
	T_EQ(0, event_add(s->ev, NULL));
}

static void on_answer(void *ctx, const struct dns_answer *a)
{
	struct dns_answer *out = ctx;

	*out = *a;
	out->ttl_s++; /* seen */
}

static struct dns_answer ask(enum dns_kind kind, unsigned has)
{
	struct event_base *base = loop_base_new();
	struct dns_answer a = { .ttl_s = 0 };
	const mono_us until = loop_now() + WAIT_US;
	struct resolver *r;
	struct server s;

	server_open(&s, base, has);
	r = resolver_new_of(base, &s.at, 1);
	T_TRUE(r != NULL);
	T_EQ(0, dns_ask(r, kind, "n.example.net.", on_answer, &a));
	T_EQ(0, a.ttl_s); /* not from within the call */
	while (a.ttl_s == 0 && loop_now() < until)
		(void)event_base_loop(base, EVLOOP_ONCE);
	T_TRUE(a.ttl_s > 0);
	T_EQ(1, s.asked);
	(void)resolver_free(r);
	event_free(s.ev);
	T_EQ(0, close(s.fd));
	event_base_free(base);
	return a;
}

static void a_server_of_ones_own_is_asked(void)
{
	struct dns_answer a = ask(DNS_SRV, TYPE_SRV);

	T_EQ(1, a.n);
	T_STR("hub.example.net", a.u.srv[0].host);
	a = ask(DNS_TXT, TYPE_TXT);
	T_EQ(1, a.n);
	T_STR("k=v", a.u.txt[0]);
}

int main(void)
{
	T_RUN(service_records_are_read);
	T_RUN(more_records_than_there_is_room_for_are_left_out);
	T_RUN(a_life_that_is_none_is_none);
	T_RUN(the_strings_of_a_text_record_are_joined);
	T_RUN(what_is_cut_is_no_answer);
	T_RUN(a_server_of_ones_own_is_asked);
	return T_DONE();
}
