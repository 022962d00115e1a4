/* SPDX-License-Identifier: MIT */

/*
 * A conference of thousands over real sockets: one talks, all others listen.
 * What each listener gets, when, and what that costs the hub, next to a bare
 * sendmmsg() of as many datagrams of the same size to the same addresses.
 *
 * The hub is a process of its own on one core, as the daemon does it but for
 * its radio and its log; the listeners, each at an address of its own, are one
 * process on another core.  When is by the kernel's stamps, so that the
 * listeners' own load does not count.
 */

#include <arpa/inet.h>
#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/io/loop.h"
#include "daemon/io/udp.h"
#include "daemon/node/node.h"
#include "tests/bench/bench.h"

#define LISTENERS_MAX 4000U
#define FRAME_US 20000U
#define FRAME_OCTETS 160U
#define MINI_OCTETS 4U
#define BATCH 64U
#define STEP_US 5000U   /* of those who join */
#define JOINS_A_STEP 5U /* 1,000 a second */
#define GAP_STEPS 2000U /* of 0.1 ms */
#define LATE_US 20000
#define WINDOW_US (3 * MONO_S)
#define ROUNDS 3U /* of the comparison, by turns */
#define ROUND_US (MONO_S / 2)
#define LEVELS 16U

struct told {
	atomic_bool ready;
	_Atomic uint64_t sent; /* datagrams of the hub */
	_Atomic uint64_t sent_bare;
	atomic_bool bare; /* it is to send */
	_Atomic mono_us
		still;   /* the longest that the hub was kept from its core */
	long rss_before; /* octets */
};

/* What one listener, or the talker, hears. */
struct hearer {
	struct iax2_call_id call;
	bool up;
	bool old; /* it was in before the storm */
	uint64_t frames;
	uint64_t missed;
	mono_us at; /* of the last frame */
	uint16_t ts;
	int64_t offset; /* least of arrival less time stamp */
	bool any;
};

struct bench {
	struct told *told;
	size_t cpu[2]; /* the hub's, the listeners' */
	uint16_t hub_port;
	pid_t hub;
	pid_t bare;
	unsigned n; /* listeners; the talker is one more, the first */
	struct event_base *base;
	struct udp *udp;
	uint16_t port;
	struct loop_timer timer;
	struct loop_beat beat;
	struct loop_beat joins;
	struct iax2_endpoint *ep;
	struct hearer hearer[LISTENERS_MAX + 1];
	uint16_t of_callno[IAX2_CALLNO_MAX + 1]; /* by the hub's number; 0: ? */
	unsigned dialled, wanted, up;
	bool talks;
	uint32_t talk_ts;
	bool spurt;
	mono_us sent[LEVELS]; /* when it was last said */
	unsigned level;
	/* This window. */
	uint64_t gaps[GAP_STEPS];
	uint64_t gap_n;
	double delay_sum;
	uint64_t delay_n;
	int64_t late_max;
	uint64_t late_n;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "bench_hub: %s\n", what);
	exit(EXIT_FAILURE);
}

static void random_octets(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

static long rss_of(pid_t pid)
{
	char text[64];
	char *second = text;
	long pages = 0;
	FILE *f;

	(void)snprintf(text, sizeof(text), "/proc/%d/statm", (int)pid);
	f = fopen(text, "r");
	must(f && fgets(text, sizeof(text), f), "no memory figure");
	(void)fclose(f);
	(void)strtol(text, &second, 10);
	pages = strtol(second, NULL, 10);
	must(pages > 0, "no memory figure");
	return pages * sysconf(_SC_PAGESIZE);
}

static double cpu_of(pid_t pid)
{
	struct timespec ts = { 0 };
	clockid_t clock;

	must(clock_getcpuclockid(pid, &clock) == 0 &&
		     clock_gettime(clock, &ts) == 0,
	     "no processor time");
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void pin(size_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set) == 0, "cannot be pinned");
}

static void number_of(char out[OO_NUMBER_MAX + 1], unsigned i)
{
	(void)snprintf(out, OO_NUMBER_MAX + 1, "%u", 10000 + i);
}

static struct in_addr ip_of(unsigned i)
{
	return (struct in_addr){ htonl(0x7f100001U + i) };
}

static const char secret[] = "of the bench";

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
		memcpy(p[i].md5_secret, secret, sizeof(secret));
	}
	return p;
}

static void serve_hub(const struct bench *b)
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

/* As little as a server can do. */
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

static void serve_bare(const struct bench *b)
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

static pid_t start(struct bench *b, void (*serve)(const struct bench *b))
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

static void stop(pid_t pid)
{
	if (pid == 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* --- the listeners ------------------------------------------------------ */

static bool next_ep_tx(void *ctx, struct dgram *out)
{
	return iax2_endpoint_next_tx(ctx, out);
}

static void on_up(struct bench *b, struct iax2_call_id call)
{
	for (unsigned i = 0; i < b->dialled; i++) {
		struct hearer *h = &b->hearer[i];

		if (h->call.slot != call.slot || h->call.gen != call.gen)
			continue;
		h->up = true;
		b->up++;
	}
}

static void pump(struct bench *b)
{
	struct iax2_event ev;

	while (iax2_endpoint_next_event(b->ep, &ev)) {
		must(ev.kind != IAX2_EV_CALL_DOWN, "a call has ended");
		if (ev.kind == IAX2_EV_CALL_UP)
			on_up(b, ev.call);
	}
	udp_send(b->udp, next_ep_tx, b->ep);
	loop_timer_set(&b->timer, iax2_endpoint_deadline(b->ep));
}

/* Which of them is at our end of @d: 0 is the talker. */
static unsigned who_is_at(const struct dgram *d)
{
	uint32_t ip;

	memcpy(&ip, d->path.local_ip + 12, sizeof(ip));
	return ntohl(ip) - 0x7f100001U;
}

static void note_delay(struct bench *b, const uint8_t *codes, mono_us at)
{
	const mono_us said = b->sent[(codes[FRAME_OCTETS / 2] & 0x7f) >> 3];

	if (said == 0 || at < said)
		return;
	b->delay_sum += (double)(at - said);
	b->delay_n++;
}

static void note_frame(struct bench *b, unsigned i, const struct dgram *d,
		       uint16_t ts)
{
	struct hearer *h = &b->hearer[i];
	const mono_us at = d->arrived != 0 ? d->arrived : loop_now();
	const uint16_t step = (uint16_t)(ts - h->ts);
	const uint64_t gap = at - h->at;

	/* A full frame that was sent again. */
	if (h->any && (step == 0 || step >= 0x8000))
		return;
	h->frames++;
	if (h->any) {
		h->missed += step > 20 ? step / 20U - 1 : 0;
		b->gaps[gap / 100 < GAP_STEPS ? gap / 100 : GAP_STEPS - 1]++;
		b->gap_n++;
		h->offset += (int64_t)gap - step * INT64_C(1000);
		if (h->offset < 0)
			h->offset = 0;
		if (h->old && h->offset > b->late_max)
			b->late_max = h->offset;
		b->late_n += h->old && h->offset > LATE_US;
	}
	h->any = true;
	h->at = at;
	h->ts = ts;
}

static void on_dgram(void *ctx, const struct dgram *d)
{
	struct bench *b = ctx;
	const unsigned i = who_is_at(d);
	const bool full = (d->data[0] & 0x80) != 0;

	if (d->path.peer.port != b->hub_port)
		return;
	if (full)
		(void)iax2_endpoint_rx(b->ep, d, loop_now());
	if (i > b->n || d->len < MINI_OCTETS + FRAME_OCTETS ||
	    (full && d->data[10] != 2))
		return;
	note_frame(b, i, d,
		   full ? (uint16_t)(d->data[6] << 8 | d->data[7])
			: (uint16_t)(d->data[2] << 8 | d->data[3]));
	if (!full)
		note_delay(b, d->data + MINI_OCTETS, b->hearer[i].at);
}

static void on_batch(void *ctx)
{
	pump(ctx);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct bench *b = ctx;

	(void)fd;
	(void)what;
	iax2_endpoint_tick(b->ep, loop_now());
	pump(b);
}

/* One level a frame, each of its own, so that it is known again. */
static void on_beat(void *ctx)
{
	struct bench *b = ctx;
	const mono_us now = loop_now();
	uint8_t codes[FRAME_OCTETS];

	if (!b->talks)
		return;
	b->level = (b->level + 1) % LEVELS;
	memset(codes, (int)(0x84 | b->level << 3), sizeof(codes));
	b->sent[b->level] = now;
	(void)iax2_send_voice(b->ep, b->hearer[0].call,
			      &(struct iax2_voice){ codes, sizeof(codes),
						    b->talk_ts, b->spurt },
			      now);
	b->spurt = false;
	b->talk_ts += 20;
	pump(b);
}

static void on_joins(void *ctx)
{
	struct bench *b = ctx;
	char number[OO_NUMBER_MAX + 1];

	for (unsigned k = 0; k < JOINS_A_STEP && b->dialled < b->wanted; k++) {
		const unsigned i = b->dialled++;
		struct iax2_dial d = {
			.path.peer = net_addr_v4(127, 0, 0, 1, b->hub_port),
			.path.local_ip = { [10] = 0xff, 0xff },
			.called = "2000",
			.calling = number,
			.username = number,
			.md5_secret = secret,
		};
		const struct in_addr ip = ip_of(i);

		number_of(number, i);
		memcpy(d.path.local_ip + 12, &ip, sizeof(ip));
		must(iax2_dial(b->ep, &d, loop_now(), &b->hearer[i].call) ==
			     IAX2_OK,
		     "a call cannot be placed");
	}
	pump(b);
}

/* They never sleep: whom the hub had to wake would cost it, and a listener
 * that is another machine costs no hub that. */
static void run_for(const struct bench *b, mono_us us)
{
	const mono_us end = loop_now() + us;

	while (loop_now() < end)
		(void)event_base_loop(b->base, EVLOOP_NONBLOCK);
}

static void join(struct bench *b, unsigned n)
{
	const mono_us began = loop_now();

	b->wanted = n;
	while (b->up < n) {
		run_for(b, MONO_S / 20);
		must(loop_now() < began + 30 * MONO_S, "not all got in");
	}
}

static void talk(struct bench *b, mono_us first)
{
	(void)iax2_send_control(b->ep, b->hearer[0].call, IAX2_CONTROL_KEY,
				loop_now());
	must(iax2_media_time(b->ep, b->hearer[0].call, loop_now(),
			     &b->talk_ts) == IAX2_OK,
	     "the talker is gone");
	b->spurt = true;
	b->talks = true;
	run_for(b, first);
}

static void begin_window(struct bench *b)
{
	for (unsigned i = 0; i <= b->n; i++) {
		b->hearer[i].frames = 0;
		b->hearer[i].missed = 0;
		b->hearer[i].offset = 0;
		b->hearer[i].old = b->hearer[i].up;
	}
	memset(b->gaps, 0, sizeof(b->gaps));
	b->gap_n = 0;
	b->delay_sum = 0;
	b->delay_n = 0;
	b->late_max = 0;
	b->late_n = 0;
	b->told->still = 0;
}

static double gap_ms(const struct bench *b, double share)
{
	uint64_t below = 0;
	size_t i = 0;

	while (i < GAP_STEPS - 1 &&
	       (double)(below += b->gaps[i]) < share * (double)b->gap_n)
		i++;
	return (double)(i + 1) / 10;
}

static double still_ms(const struct bench *b)
{
	return (double)b->told->still / 1000;
}

static uint64_t frames_min(const struct bench *b)
{
	uint64_t least = b->hearer[1].frames;

	for (unsigned i = 2; i <= b->n; i++)
		least = b->hearer[i].frames < least ? b->hearer[i].frames
						    : least;
	return least;
}

static uint16_t free_port(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_ANY) };
	struct sockaddr_in at = { 0 };
	socklen_t len = sizeof(at);
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 &&
		     bind(fd, (const struct sockaddr *)&any, sizeof(any)) ==
			     0 &&
		     getsockname(fd, (struct sockaddr *)&at, &len) == 0,
	     "no port");
	close(fd);
	return ntohs(at.sin_port);
}

static void open_listeners(struct bench *b)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 2 };
	struct key_identity id;
	const struct iax2_endpoint_cfg ep = {
		.calls_max = (uint16_t)(b->n + 1),
		.tx_max = 16384,
		.limits = { 8192, 8192, 8192, 1000, 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = random_octets,
	};
	const struct udp_cfg udp = { .bind4 = "0.0.0.0",
				     .bind6 = "",
				     .port = b->port,
				     .stamps = true,
				     .on_dgram = on_dgram,
				     .on_batch = on_batch,
				     .ctx = b };
	char why[UDP_WHY_MAX];

	key_identity_from_seed(&id, seed);
	b->base = loop_base_new();
	b->ep = iax2_endpoint_new(&ep, loop_now());
	must(b->base && b->ep && udp_open(&b->udp, b->base, &udp, why) == 0,
	     "no listeners");
	must(loop_timer_init(&b->timer, b->base, on_timer, b) == 0 &&
		     loop_beat_init(&b->beat, b->base, FRAME_US, on_beat, b) ==
			     0 &&
		     loop_beat_init(&b->joins, b->base, STEP_US, on_joins, b) ==
			     0,
	     "no timer");
}

static void begin(struct bench *b, unsigned n)
{
	struct told *told = b->told;
	const size_t cpu[2] = { b->cpu[0], b->cpu[1] };

	memset(b, 0, sizeof(*b));
	b->told = told;
	memcpy(b->cpu, cpu, sizeof(cpu));
	b->n = n;
	b->told->bare = false;
	b->hub_port = free_port();
	b->hub = start(b, serve_hub);
	b->port = free_port();
	open_listeners(b);
}

static void end(struct bench *b)
{
	stop(b->hub);
	stop(b->bare);
	loop_timer_done(&b->timer);
	loop_beat_done(&b->beat);
	loop_beat_done(&b->joins);
	b->udp = udp_close(b->udp);
	b->ep = iax2_endpoint_free(b->ep);
	event_base_free(b->base);
}

/* --- figures ------------------------------------------------------------ */

/* Seconds of processor time of a datagram. */
static double cost_of(const struct bench *b, pid_t pid, _Atomic uint64_t *sent,
		      mono_us us)
{
	const double began = cpu_of(pid);
	const uint64_t before = *sent;

	/* A hub that is behind may keep the core from it for a while. */
	for (int i = 0; i < 10 && *sent == before; i++)
		run_for(b, us);
	must(*sent > before, "nothing was sent");
	return (cpu_of(pid) - began) / (double)(*sent - before);
}

struct cost {
	double hub;
	double bare;
};

/* The best of each, for what disturbs only ever adds. */
static void compare(struct bench *b, struct cost *c)
{
	double hub, bare;

	b->talks = false;
	b->told->bare = true;
	run_for(b, MONO_S / 10);
	bare = cost_of(b, b->bare, &b->told->sent_bare, ROUND_US);
	b->told->bare = false;
	talk(b, MONO_S / 4);
	hub = cost_of(b, b->hub, &b->told->sent, ROUND_US);
	c->hub = hub < c->hub ? hub : c->hub;
	c->bare = c->bare == 0 || bare < c->bare ? bare : c->bare;
}

static void measure(struct bench *b, unsigned n, bool json)
{
	struct cost cost = { 0, 0 };
	double cores, fps, gap, kb, delay, still;

	begin(b, n);
	join(b, n + 1);
	talk(b, MONO_S);
	begin_window(b);
	cores = cpu_of(b->hub);
	cost.hub = cost_of(b, b->hub, &b->told->sent, WINDOW_US);
	cores = (cpu_of(b->hub) - cores) * 1e6 / WINDOW_US;
	fps = (double)frames_min(b) * 1e6 / WINDOW_US;
	gap = gap_ms(b, 0.99);
	delay = b->delay_sum / 1000 / (double)b->delay_n;
	still = still_ms(b);
	kb = (double)(rss_of(b->hub) - b->told->rss_before) / n / 1024;
	b->bare = start(b, serve_bare);
	for (unsigned i = 0; i < ROUNDS; i++)
		compare(b, &cost);
	bench_print("hub",
		    (struct bench_figure[]){
			    { "listeners", n, "" },
			    { "fps_min", fps, "frames a second" },
			    { "gap_p99_ms", gap, "ms" },
			    { "cores", cores, "" },
			    { "kb_per_call", kb, "kB" },
			    { "ratio_to_sendmmsg", cost.hub / cost.bare, "" },
			    { "delay_ms", delay, "ms" },
			    { "bare_us", cost.bare * 1e6, "us a datagram" },
			    { "stood_still_ms", still, "ms" },
		    },
		    9, json);
	end(b);
}

/* Half of @n are in, and hear; the others come within a second. */
static void storm(struct bench *b, unsigned n, bool json)
{
	const unsigned old = n / 2;
	uint64_t missed = 0;
	mono_us began;

	begin(b, n);
	join(b, old + 1);
	talk(b, MONO_S);
	begin_window(b);
	began = loop_now();
	join(b, n + 1);
	began = loop_now() - began;
	run_for(b, 2 * MONO_S);
	for (unsigned i = 1; i <= old; i++)
		missed += b->hearer[i].missed;
	bench_print("hub_storm",
		    (struct bench_figure[]){
			    { "listeners", old, "" },
			    { "joins", n - old, "" },
			    { "join_s", (double)began / 1e6, "s" },
			    { "missed", (double)missed, "frames" },
			    { "late", (double)b->late_n, "frames" },
			    { "late_max_ms", (double)b->late_max / 1000, "ms" },
			    { "stood_still_ms", still_ms(b), "ms" },
		    },
		    7, json);
	end(b);
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

int main(int argc, char *argv[])
{
	static const unsigned listeners[] = { 100, 400, 1000, 2000, 4000 };
	static struct bench b;
	const bool json = bench_wants_json(argc, argv);
	const unsigned only =
		argc > 1 && !json ? (unsigned)strtoul(argv[1], NULL, 10) : 0;

	must(sodium_init() >= 0, "libsodium does not start");
	b.told = mmap(NULL, sizeof(*b.told), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(b.told != MAP_FAILED, "no memory");
	choose_cpus(&b);
	pin(b.cpu[1]);
	/* What else the machine does is not to be heard, where we may say so;
	 * the hub inherits it.  Not a real-time class, which the kernel keeps
	 * from the processor for a twentieth of each second. */
	(void)setpriority(PRIO_PROCESS, 0, -20);
	for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
		if (only == 0 || only == listeners[i])
			measure(&b, listeners[i], json);
	}
	if (only <= 1)
		storm(&b, 2000, json);
	return EXIT_SUCCESS;
}
