/* SPDX-License-Identifier: MIT */

/*
 * Names, asked of a name server in a network of our own: loopback alone, and
 * an /etc/resolv.conf that only this process sees.
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/loop.h"
#include "daemon/io/resolve.h"
#include "tests/t.h"

#define DNS_PORT 53
#define DNS_HEADER 12U
#define DNS_TYPE_A 1
#define WAIT_US (5 * MONO_S)

static struct event_base *base;
static char conf[] = "/tmp/keyhole-resolv-XXXXXX";

/* --- a network of our own ----------------------------------------------- */

static bool loopback_up(void)
{
	struct ifreq req = { .ifr_name = "lo" };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up;

	if (fd < 0)
		return false;
	req.ifr_flags = IFF_UP;
	up = ioctl(fd, SIOCSIFFLAGS, &req) == 0;
	(void)close(fd);
	return up;
}

static bool enter_a_network(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0)
		return false;
	return loopback_up() &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(conf, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;
}

/* Each with an age of its own, however fast they follow one another. */
static void servers_are(const char *text)
{
	static time_t age = 1000000000;
	const struct timespec times[2] = { { age, 0 }, { age, 0 } };
	const int fd = open(conf, O_WRONLY | O_TRUNC | O_CLOEXEC);

	age++;
	T_TRUE(fd >= 0);
	T_EQ(strlen(text), write(fd, text, strlen(text)));
	T_EQ(0, futimens(fd, times));
	T_EQ(0, close(fd));
}

/* --- a name server ------------------------------------------------------ */

enum reply { AN_ADDRESS, NO_SUCH_NAME, NONE };

struct server {
	int fd;
	struct event *ev;
	enum reply reply;
	unsigned asked;
};

/* The length of the header and the one question; 0 when it is none. */
static size_t question_len(const uint8_t *q, size_t len)
{
	size_t at = DNS_HEADER;

	while (at < len && q[at] != 0)
		at += (size_t)q[at] + 1;
	return at + 5 <= len ? at + 5 : 0;
}

/* Every name has the address 192.0.2.55 and no IPv6 address; or none exists. */
static size_t answer(uint8_t *q, size_t len, bool exists)
{
	static const uint8_t record[] = {
		0xc0, DNS_HEADER, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 55
	};
	const size_t end = question_len(q, len);
	const bool has = exists && end > 0 && q[end - 3] == DNS_TYPE_A;

	T_TRUE(end > 0);
	q[2] = 0x81;                 /* a response; recursion was desired */
	q[3] = exists ? 0x80 : 0x83; /* and is to be had; NXDOMAIN */
	memset(q + 6, 0, 6);
	q[7] = has;
	if (!has)
		return end;
	memcpy(q + end, record, sizeof(record));
	return end + sizeof(record);
}

static void on_question(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	uint8_t buf[600];
	const ssize_t n =
		recvfrom(fd, buf, 512, 0, (struct sockaddr *)&from, &from_len);

	(void)what;
	T_TRUE(n > (ssize_t)DNS_HEADER);
	s->asked++;
	if (s->reply != NONE)
		(void)sendto(fd, buf,
			     answer(buf, (size_t)n, s->reply == AN_ADDRESS), 0,
			     (const struct sockaddr *)&from, from_len);
}

static void server_open(struct server *s, const char *ip, enum reply reply)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(DNS_PORT) };

	*s = (struct server){ .reply = reply };
	T_EQ(1, inet_pton(AF_INET, ip, &at.sin_addr));
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	T_EQ(0, bind(s->fd, (const struct sockaddr *)&at, sizeof(at)));
	s->ev = event_new(base, s->fd, EV_READ | EV_PERSIST, on_question, s);
	T_EQ(0, event_add(s->ev, NULL));
}

static void server_close(struct server *s)
{
	event_free(s->ev);
	T_EQ(0, close(s->fd));
}

/* --- questions ---------------------------------------------------------- */

struct result {
	struct resolver *to_free;
	unsigned calls;
	size_t n;
	struct net_addr first;
	char why[128];
};

static void on_result(void *ctx, const struct net_addr *addrs, size_t n,
		      const char *why)
{
	struct result *r = ctx;

	r->calls++;
	r->n = n;
	if (n > 0)
		r->first = addrs[0];
	(void)snprintf(r->why, sizeof(r->why), "%s", why);
	r->to_free = resolver_free(r->to_free);
}

static void until(const unsigned *count, unsigned n)
{
	const mono_us end = loop_now() + WAIT_US;

	while (*count < n) {
		T_TRUE(loop_now() < end);
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
}

/* The name server in use is at @ip; it is asked for a name. */
static struct resolver *ask(struct server *s, const char *ip, enum reply reply,
			    struct result *res)
{
	struct resolver *r;
	char text[40];

	(void)snprintf(text, sizeof(text), "nameserver %s\n", ip);
	servers_are(text);
	server_open(s, ip, reply);
	r = resolver_new(base);
	T_EQ(0, resolve(r, "registrar.example", 4569, on_result, res));
	return r;
}

static const struct net_addr want = { .ip = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					      0xff, 0xff, 192, 0, 2, 55 },
				      .port = 4569 };

static void a_name_server_is_asked(void)
{
	struct result res = { 0 };
	struct resolver *r;
	struct server s;

	r = ask(&s, "127.0.0.3", AN_ADDRESS, &res);
	until(&res.calls, 1);
	T_EQ(1, res.n);
	T_TRUE(net_addr_equal(&want, &res.first));
	T_STR("", res.why);
	r = resolver_free(r);
	server_close(&s);
}

/* A node outlives the network it started in, and that network's servers. */
static void a_change_of_servers_is_followed(void)
{
	struct result res = { 0 };
	struct resolver *r;
	struct server s, other;

	r = ask(&other, "127.0.0.4", NO_SUCH_NAME, &res);
	until(&res.calls, 1);
	T_EQ(0, res.n);
	T_TRUE(strstr(res.why, "cannot look up registrar.example: ") != NULL);
	servers_are("nameserver 127.0.0.3\n");
	server_open(&s, "127.0.0.3", AN_ADDRESS);
	T_EQ(0, resolve(r, "registrar.example", 4569, on_result, &res));
	until(&res.calls, 2);
	T_EQ(1, res.n);
	T_TRUE(net_addr_equal(&want, &res.first));
	r = resolver_free(r);
	server_close(&s);
	server_close(&other);
}

static void a_question_under_way_may_be_abandoned(void)
{
	struct result res = { 0 };
	struct resolver *r;
	struct server s;

	r = ask(&s, "127.0.0.4", NONE, &res);
	until(&s.asked, 1);
	r = resolver_free(r);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	T_EQ(0, res.calls);
	server_close(&s);
}

/* The answer to one question frees the resolver under another. */
static void an_answer_may_free_the_resolver(void)
{
	struct result res = { 0 }, other = { 0 };
	struct server s;

	servers_are("nameserver 127.0.0.4\n");
	server_open(&s, "127.0.0.4", NONE);
	res.to_free = resolver_new(base);
	T_EQ(0, resolve(res.to_free, "other.example", 1, on_result, &other));
	T_EQ(0, resolve(res.to_free, "192.0.2.55", 4569, on_result, &res));
	until(&res.calls, 1);
	T_TRUE(net_addr_equal(&want, &res.first));
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	T_EQ(0, other.calls);
	server_close(&s);
}

int main(void)
{
	const int fd = mkstemp(conf);

	T_TRUE(fd >= 0);
	T_EQ(0, close(fd));
	if (!enter_a_network()) {
		(void)unlink(conf);
		printf("1..0 # SKIP no right to a network of its own\n");
		return EXIT_SUCCESS;
	}
	base = loop_base_new();
	T_TRUE(base != NULL);
	T_RUN(a_name_server_is_asked);
	T_RUN(a_change_of_servers_is_followed);
	T_RUN(a_question_under_way_may_be_abandoned);
	T_RUN(an_answer_may_free_the_resolver);
	event_base_free(base);
	T_EQ(0, unlink(conf));
	return T_DONE();
}
