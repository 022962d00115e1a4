/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/hub.h"

#define STEP_US 5000U   /* of those who join */
#define JOINS_A_STEP 5U /* 1,000 a second */
#define LATE_US 20000

void number_of(char out[OO_NUMBER_MAX + 1], unsigned i)
{
	(void)snprintf(out, OO_NUMBER_MAX + 1, "%u", 10000 + i);
}

struct in_addr ip_of(unsigned i)
{
	return (struct in_addr){ htonl(0x7f100001U + i) };
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
			.md5_secret = SECRET,
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
void run_for(const struct bench *b, mono_us us)
{
	const mono_us end = loop_now() + us;

	while (loop_now() < end)
		(void)event_base_loop(b->base, EVLOOP_NONBLOCK);
}

void join(struct bench *b, unsigned n)
{
	const mono_us began = loop_now();

	b->wanted = n;
	while (b->up < n) {
		run_for(b, MONO_S / 20);
		must(loop_now() < began + 30 * MONO_S, "not all got in");
	}
}

void talk(struct bench *b, mono_us first)
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

void begin_window(struct bench *b)
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

double gap_ms(const struct bench *b, double share)
{
	uint64_t below = 0;
	size_t i = 0;

	while (i < GAP_STEPS - 1 &&
	       (double)(below += b->gaps[i]) < share * (double)b->gap_n)
		i++;
	return (double)(i + 1) / 10;
}

double still_ms(const struct bench *b)
{
	return (double)b->told->still / 1000;
}

uint64_t frames_min(const struct bench *b)
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

void begin(struct bench *b, unsigned n)
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

void end(struct bench *b)
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
