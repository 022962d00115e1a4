/* SPDX-License-Identifier: MIT */

/*
 * How many PINGs a second the registrar serves on one core over real sockets,
 * with a million nodes registered, and what it keeps for each of them.  The
 * same run measures a bare echo of datagrams of the same sizes, by turns, so
 * that figures of different machines can be compared: the kernel's share of
 * the work is in both.
 *
 * Each server is a process of its own on one core, the load comes from
 * another.  A rate is by the server's processor time, so that neither a
 * generator that is too slow nor another program flatters or slanders it.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/io/loop.h"
#include "daemon/io/udp.h"
#include "daemon/io/udp_control.h"
#include "proto/openover_msg.h"
#include "proto/openover_registrar.h"
#include "tests/bench/bench.h"
#include "tests/bench/process.h"

#define NODES 1000000U
#define PINGS 150000U /* of one round */
#define BATCH 64U
#define UNANSWERED_MAX 256U /* fits into any socket's buffer */
/* The most that counts: a node whose turn comes late on a busy machine is not
 * forgotten before. */
#define INTERVAL_S 120U
#define PONG_LEN 56U /* to a proved IPv4 address */
/* A loss ends the run; a machine with other work only slows it down. */
#define PATIENCE_S 30

/* What the servers tell the generator. */
struct told {
	atomic_bool ready;
	_Atomic uint64_t pings; /* authentic, as the registrar counts */
	long rss_before;        /* octets */
};

struct batch {
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in name[BATCH];
	struct udp_control control[BATCH];
	uint8_t data[BATCH][DGRAM_MAX];
};

struct server {
	pid_t pid;
	uint16_t port;
	double best; /* answers in a second of processor time */
};

struct bench {
	struct told *told;
	struct server echo;
	struct server registrar;
	int fd; /* the generator's, with all of 127/8 as its sources */
	uint16_t port;
	size_t cpu[2]; /* the servers', the generator's */
	struct batch out;
	struct batch in;
	uint64_t counter;     /* of the PINGs' sessions */
	uint32_t node[PINGS]; /* who sends them */
	uint8_t ping[PINGS][OO_PING_LEN];
};

/* --- the nodes ---------------------------------------------------------- */

/* Both sides make them up alike: keys need not be secret here. */
static struct oo_session session_of(uint32_t node, bool registrar)
{
	struct oo_session s = { 0 };
	uint8_t *up = registrar ? s.rx_key : s.tx_key;
	uint8_t *down = registrar ? s.tx_key : s.rx_key;

	/* A bijection that leaves no order in the table. */
	s.id = (node + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
	s.id ^= s.id >> 32;
	memcpy(up, &node, sizeof(node));
	memcpy(down, &node, sizeof(node));
	down[KEY_SHARED_LEN - 1] = 1;
	return s;
}

static struct in_addr ip_of(uint32_t node)
{
	return (struct in_addr){ htonl(0x7f100000U + node) };
}

static struct net_addr addr_of(uint32_t node, uint16_t port)
{
	const uint32_t ip = ntohl(ip_of(node).s_addr);

	return net_addr_v4((uint8_t)(ip >> 24), (uint8_t)(ip >> 16),
			   (uint8_t)(ip >> 8), (uint8_t)ip, port);
}

static struct net_addr v6_addr_of(uint32_t node, uint16_t port)
{
	struct net_addr a = { .ip = { 0x20, 0x01, 0x0d, 0xb8 }, .port = port };

	memcpy(a.ip + 4, &node, sizeof(node));
	return a;
}

/* At an address of each family, the most that a node can have. */
static void register_all(struct oo_registrar *r, uint16_t port, mono_us now)
{
	struct oo_directory *dir = oo_registrar_directory(r);

	for (uint32_t i = 0; i < NODES; i++) {
		const struct oo_session s = session_of(i, true);
		const struct net_path v4 = { .peer = addr_of(i, port) };
		const struct net_path v6 = { .peer = v6_addr_of(i, port) };
		char number[OO_NUMBER_MAX + 1];
		struct oo_record *rec;
		uint8_t key[KEY_PUBLIC_LEN] = { 1 };

		(void)snprintf(number, sizeof(number), "%u", 1000000U + i);
		memcpy(key + 1, &i, sizeof(i));
		must(oo_registrar_node_put(r, number, key) == IAX2_OK,
		     "no room for a node");
		rec = oo_directory_by_number(dir, number);
		oo_directory_begin(dir, rec, &s);
		oo_directory_set_interval(dir, rec, INTERVAL_S);
		oo_directory_move(dir, rec, &v4, now);
		oo_directory_move(dir, rec, &v6, now);
	}
	must(oo_directory_sessions(dir) == NODES, "not every node is there");
}

/* --- the servers -------------------------------------------------------- */

struct service {
	struct oo_registrar *registrar;
	struct udp *udp;
	struct loop_timer timer;
	struct told *told;
};

static bool next_tx(void *ctx, struct dgram *out)
{
	return oo_registrar_next_tx(ctx, out);
}

static void pump(struct service *s)
{
	/* Before the last PONG, after which the end may come at once. */
	s->told->pings = oo_registrar_counters(s->registrar)->pings;
	udp_send(s->udp, next_tx, s->registrar);
	loop_timer_set(&s->timer, oo_registrar_deadline(s->registrar));
}

static void on_dgram(void *ctx, const struct dgram *d)
{
	const struct service *s = ctx;

	(void)oo_registrar_rx(s->registrar, d, loop_now());
}

static void on_batch(void *ctx)
{
	pump(ctx);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct service *s = ctx;

	(void)fd;
	(void)what;
	oo_registrar_tick(s->registrar, loop_now());
	pump(s);
}

/* As the daemon does it, without its log and its directory file. */
static void serve_registrar(struct bench *b)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 1 };
	struct service s = { .told = b->told };
	struct key_identity id;
	const struct oo_registrar_cfg cfg = {
		.identity = &id,
		.nodes_max = NODES,
		.plain_max = 1024,
		.opens_max = 4096,
		.tx_max = 16384,
		.refresh_s = 300,
		.registrations_per_min = 60,
		.opens_per_min = 60,
		.auth_failures_per_min = 10,
		.random = random_octets,
	};
	const struct udp_cfg udp = { .bind4 = "127.0.0.1",
				     .bind6 = "",
				     .port = b->registrar.port,
				     .on_dgram = on_dgram,
				     .on_batch = on_batch,
				     .ctx = &s };
	struct event_base *base = loop_base_new();
	char why[UDP_WHY_MAX];

	key_identity_from_seed(&id, seed);
	must(base && udp_open(&s.udp, base, &udp, why) == 0, "no socket");
	must(loop_timer_init(&s.timer, base, on_timer, &s) == 0, "no timer");
	b->told->rss_before = rss_of(getpid());
	s.registrar = oo_registrar_new(&cfg, loop_now());
	must(s.registrar != NULL, "no registrar");
	register_all(s.registrar, b->port, loop_now());
	b->told->ready = true;
	pump(&s);
	(void)event_base_dispatch(base);
}

static int socket_at(uint32_t ip, uint16_t port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(ip) };
	const int size = 4 << 20;
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0,
	     "cannot open a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

static void batch_for_reading(struct batch *b)
{
	for (size_t i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){ b->data[i], sizeof(b->data[i]) };
		b->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &b->name[i],
			.msg_namelen = sizeof(b->name[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
		};
	}
}

/* As little as a server can do. */
static void serve_echo(struct bench *b)
{
	const int fd = socket_at(INADDR_LOOPBACK, b->echo.port);
	struct batch *x = &b->in;

	b->told->ready = true;
	for (;;) {
		int n;

		batch_for_reading(x);
		n = recvmmsg(fd, x->msg, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			x->iov[i].iov_len = PONG_LEN;
		for (int i = 0; i < n;) {
			const int done =
				sendmmsg(fd, &x->msg[i], (unsigned)(n - i), 0);

			i += done > 0 ? done : 1;
		}
	}
}

static void start(struct bench *b, struct server *s,
		  void (*serve)(struct bench *b))
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	b->told->ready = false;
	s->pid = fork();
	must(s->pid >= 0, "no process");
	if (s->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(b->cpu[0]);
		serve(b);
		_exit(EXIT_FAILURE);
	}
	while (!b->told->ready) {
		must(waitpid(s->pid, NULL, WNOHANG) == 0, "a server has ended");
		(void)nanosleep(&moment, NULL);
	}
}

static void stop(const struct server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
}

/* --- the load ----------------------------------------------------------- */

static void make_pings(struct bench *b)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE };

	/* A counter may be left out, but must not come twice. */
	b->counter++;
	for (uint32_t i = 0; i < PINGS; i++) {
		/* Every node in turn, none near the one before. */
		const uint32_t node =
			(uint32_t)((b->counter * PINGS + i) * 611953U % NODES);
		struct oo_session s = session_of(node, false);
		uint8_t buf[OO_FRAME_MAX];
		struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_POKE, &hdr);

		s.tx_counter = b->counter;
		(void)oo_session_put(&s, &w);
		oo_put_pad(&w, buf, OO_PING_LEN, true);
		seal_append(&w, buf, s.tx_key);
		must(!w.bad && w.p == buf + OO_PING_LEN, "not a PING");
		memcpy(b->ping[i], buf, OO_PING_LEN);
		b->node[i] = node;
	}
}

static void send_some(struct bench *b, uint16_t port, uint32_t from, unsigned n)
{
	struct batch *x = &b->out;
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++) {
		struct dgram d = { .path.peer = net_addr_v4(127, 0, 0, 1, port),
				   .path.local_ip = { [10] = 0xff, 0xff } };
		const struct in_addr ip = ip_of(b->node[from + i]);

		memcpy(d.path.local_ip + 12, &ip, sizeof(ip));
		x->name[i] = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		x->iov[i] = (struct iovec){ b->ping[from + i], OO_PING_LEN };
		x->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &x->name[i],
			.msg_namelen = sizeof(x->name[i]),
			.msg_iov = &x->iov[i],
			.msg_iovlen = 1,
			.msg_control = x->control[i].buf,
			.msg_controllen = sizeof(x->control[i].buf),
		};
		udp_control_write(&x->msg[i].msg_hdr, &d);
	}
	while (done < n) {
		const int k = sendmmsg(b->fd, &x->msg[done], n - done, 0);

		must(k > 0, "a PING cannot be sent");
		done += (unsigned)k;
	}
}

/* How many answers have come; waits for the first. */
static unsigned take_answers(struct bench *b)
{
	int n;

	batch_for_reading(&b->in);
	do {
		n = recvmmsg(b->fd, b->in.msg, BATCH, MSG_WAITFORONE, NULL);
	} while (n < 0 && errno == EINTR);
	must(n > 0, "an answer is missing");
	for (int i = 0; i < n; i++)
		must(b->in.msg[i].msg_len == PONG_LEN, "not a PONG");
	return (unsigned)n;
}

static void measure(struct bench *b, struct server *s)
{
	const double began = cpu_of(s->pid);
	uint32_t sent = 0, answered = 0;
	double rate;

	while (answered < PINGS) {
		while (sent < PINGS &&
		       sent - answered <= UNANSWERED_MAX - BATCH) {
			const uint32_t left = PINGS - sent;
			const unsigned n = left < BATCH ? left : BATCH;

			send_some(b, s->port, sent, n);
			sent += n;
		}
		answered += take_answers(b);
	}
	rate = PINGS / (cpu_of(s->pid) - began);
	if (rate > s->best)
		s->best = rate;
}

/* --- all of it ---------------------------------------------------------- */

/* The port that the kernel gave to a socket. */
static uint16_t port_of(int fd)
{
	struct sockaddr_in at = { 0 };
	socklen_t len = sizeof(at);

	must(getsockname(fd, (struct sockaddr *)&at, &len) == 0, "no port");
	return ntohs(at.sin_port);
}

static uint16_t free_port(void)
{
	const int fd = socket_at(INADDR_LOOPBACK, 0);
	const uint16_t port = port_of(fd);

	close(fd);
	return port;
}

/* The first and the last that we may use, which may be the same. */
static void choose_cpus(struct bench *b)
{
	cpu_set_t set;
	size_t n = 0;

	must(sched_getaffinity(0, sizeof(set), &set) == 0, "no processors");
	for (size_t i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		b->cpu[n > 0] = i;
		if (n++ == 0)
			b->cpu[1] = i;
	}
}

static void open_generator(struct bench *b)
{
	const struct timeval tv = { .tv_sec = PATIENCE_S };

	b->fd = socket_at(INADDR_ANY, 0);
	b->port = port_of(b->fd);
	must(setsockopt(b->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0,
	     "no time limit");
}

int main(int argc, char *argv[])
{
	static struct bench b;
	double per_node;

	must(sodium_init() >= 0, "libsodium does not start");
	b.told = mmap(NULL, sizeof(*b.told), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(b.told != MAP_FAILED, "no memory");
	choose_cpus(&b);
	open_generator(&b);
	b.echo.port = free_port();
	start(&b, &b.echo, serve_echo);
	b.registrar.port = free_port();
	start(&b, &b.registrar, serve_registrar);
	pin(b.cpu[1]);

	for (int i = 0; i < BENCH_ROUNDS; i++) {
		make_pings(&b);
		measure(&b, &b.echo);
		measure(&b, &b.registrar);
	}
	per_node =
		(double)(rss_of(b.registrar.pid) - b.told->rss_before) / NODES;
	stop(&b.echo);
	stop(&b.registrar);
	must(b.told->pings == (uint64_t)BENCH_ROUNDS * PINGS,
	     "not every PING was authentic");
	bench_print(
		"registrar",
		(struct bench_figure[]){
			{ "pings_per_core_s", b.registrar.best,
			  "a second of one core" },
			{ "echoes_per_core_s", b.echo.best,
			  "a second of one core" },
			{ "ratio_to_echo", b.registrar.best / b.echo.best, "" },
			{ "octets_per_node", per_node, "octets" },
		},
		4, bench_wants_json(argc, argv));
	return EXIT_SUCCESS;
}
