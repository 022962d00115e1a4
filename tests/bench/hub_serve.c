/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/node/node.h"
#include "tests/bench/hub.h"

#define BATCH 64U

/* --- the hub ------------------------------------------------------------ */

struct hub {
	struct node *node;
	struct udp *udp;
	struct told *told;
	struct loop_timer timer;
	struct loop_beat beat;
};

static bool next_tx(void *ctx, struct dgram *out)
{
	return node_next_tx(ctx, out);
}

static void hub_pump(struct hub *h)
{
	struct node_event ev;

	while (node_next_event(h->node, &ev))
		;
	udp_send(h->udp, next_tx, h->node);
	h->told->sent = udp_counters(h->udp)->tx;
	loop_timer_set(&h->timer, node_deadline(h->node));
}

static void hub_on_dgram(void *ctx, const struct dgram *d)
{
	const struct hub *h = ctx;

	node_rx(h->node, d, loop_now());
}

static void hub_on_batch(void *ctx)
{
	hub_pump(ctx);
}

static void hub_on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct hub *h = ctx;

	(void)fd;
	(void)what;
	node_tick(h->node, loop_now());
	hub_pump(h);
}

static mono_us cpu_now(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (mono_us)ts.tv_sec * MONO_S + (mono_us)ts.tv_nsec / 1000;
}

static void hub_on_beat(void *ctx)
{
	static const int16_t silence[AUDIO_BLOCK];
	const mono_us began = loop_now(), used = cpu_now();
	struct hub *h = ctx;
	int16_t tx[AUDIO_BLOCK];
	mono_us still;

	(void)node_audio(h->node, silence, tx, loop_now());
	hub_pump(h);
	/* Nothing here waits: the rest of the time was not ours. */
	still = loop_now() - began;
	still -= mono_min(still, cpu_now() - used);
	if (still > h->told->still)
		h->told->still = still;
}

static struct node_peer *make_peers(unsigned n)
{
	struct node_peer *p = calloc(n, sizeof(*p));

	if (!p)
		exit(EXIT_FAILURE);
	for (unsigned i = 0; i < n; i++) {
		number_of(p[i].number, i);
		memcpy(p[i].md5_secret, SECRET, sizeof(SECRET));
	}
	return p;
}

void serve_hub(const struct bench *b)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 1 };
	static struct hub h;
	struct key_identity id;
	const struct node_cfg cfg = {
		.number = "2000",
		.identity = &id,
		.port = b->hub_port,
		.keepalive_s = 25,
		/* A quarter is kept for others than such callers. */
		.calls_max = (uint16_t)((b->n + 1) * 4 / 3 + 4),
		.limits = { .calls_per_addr = 8,
			    .half_open = 8192,
			    .half_open_per_addr = 4,
			    .calls_per_s = 4,
			    .auth_failures_per_min = 10 },
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.formats = { .v = { IAX2_FORMAT_ULAW }, .n = 1 },
		.peers = make_peers(b->n + 1),
		.peers_n = b->n + 1,
		.random = random_octets,
	};
	const struct udp_cfg udp = { .bind4 = "127.0.0.1",
				     .bind6 = "",
				     .port = b->hub_port,
				     .stamps = true,
				     .on_dgram = hub_on_dgram,
				     .on_batch = hub_on_batch,
				     .ctx = &h };
	struct event_base *base = loop_base_new();
	char why[UDP_WHY_MAX];

	h.told = b->told;
	key_identity_from_seed(&id, seed);
	must(base && udp_open(&h.udp, base, &udp, why) == 0, "no socket");
	must(loop_timer_init(&h.timer, base, hub_on_timer, &h) == 0 &&
		     loop_beat_init(&h.beat, base, FRAME_US, hub_on_beat, &h) ==
			     0,
	     "no timer");
	b->told->rss_before = rss_of(getpid());
	h.node = node_new(&cfg, loop_now());
	must(h.node != NULL, "no node");
	b->told->ready = true;
	hub_pump(&h);
	(void)event_base_dispatch(base);
}

/* --- a bare server ------------------------------------------------------ */

struct bare {
	int fd;
	struct told *told;
	unsigned n;
	struct mmsghdr msg[LISTENERS_MAX];
	struct sockaddr_in name[LISTENERS_MAX];
	struct iovec iov;
	uint8_t frame[MINI_OCTETS + FRAME_OCTETS];
};

static void bare_on_beat(void *ctx)
{
	struct bare *x = ctx;
	unsigned done = x->told->bare ? 0 : x->n;

	while (done < x->n) {
		const unsigned left = x->n - done;
		const int k = sendmmsg(x->fd, &x->msg[done],
				       left < BATCH ? left : BATCH, 0);

		must(k > 0, "a frame cannot be sent");
		done += (unsigned)k;
		x->told->sent_bare += (uint64_t)k;
	}
}

void serve_bare(const struct bench *b)
{
	static struct bare x;
	struct loop_beat beat;
	struct event_base *base = loop_base_new();

	x.n = b->n;
	x.told = b->told;
	x.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(x.fd >= 0 && base, "cannot open a socket");
	x.iov = (struct iovec){ x.frame, sizeof(x.frame) };
	for (unsigned i = 0; i < x.n; i++) {
		x.name[i] = (struct sockaddr_in){ .sin_family = AF_INET,
						  .sin_port = htons(b->port),
						  .sin_addr = ip_of(i + 1) };
		x.msg[i].msg_hdr =
			(struct msghdr){ .msg_name = &x.name[i],
					 .msg_namelen = sizeof(x.name[i]),
					 .msg_iov = &x.iov,
					 .msg_iovlen = 1 };
	}
	must(loop_beat_init(&beat, base, FRAME_US, bare_on_beat, &x) == 0,
	     "no timer");
	b->told->ready = true;
	(void)event_base_dispatch(base);
}

/* --- processes ---------------------------------------------------------- */

pid_t start(struct bench *b, void (*serve)(const struct bench *b))
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	pid_t pid;

	b->told->ready = false;
	pid = fork();
	must(pid >= 0, "no process");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(b->cpu[0]);
		serve(b);
		_exit(EXIT_FAILURE);
	}
	while (!b->told->ready) {
		must(waitpid(pid, NULL, WNOHANG) == 0, "a server has ended");
		(void)nanosleep(&moment, NULL);
	}
	return pid;
}

void stop(pid_t pid)
{
	if (pid == 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
