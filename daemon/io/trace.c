/* SPDX-License-Identifier: MIT */

#include "daemon/io/trace.h"

#include <string.h>
#include <time.h>

#include "daemon/io/addr.h"
#include "daemon/io/loop.h"
#include "proto/iax2_trace.h"

static void to_hex(const uint8_t *octets, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[octets[i] >> 4];
		*out++ = digits[octets[i] & 15];
	}
	*out = '\0';
}

static json_int_t wall_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (json_int_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool is_flood(struct trace *t, mono_us now)
{
	if (now - t->since >= MONO_S / 10) {
		t->since = now;
		t->n = 0;
	}
	return t->n++ >= TRACE_PER_S / 10;
}

static void on_seen(void *ctx, const struct udp_seen *s)
{
	struct trace *t = ctx;
	const mono_us now = loop_now();
	char local[NET_ADDR_TEXT], peer[NET_ADDR_TEXT];
	char hex[2 * DGRAM_MAX + 1];
	uint8_t copy[DGRAM_MAX];

	if (is_flood(t, now)) {
		control_feed_skip(t->control);
		return;
	}
	switch (control_feed_state(t->control)) {
	case CONTROL_NOBODY:
		udp_watch(t->udp, NULL, NULL);
		return;
	case CONTROL_BEHIND:
		return;
	case CONTROL_READY:
		break;
	}
	memcpy(copy, s->data, s->len);
	(void)iax2_trace_mask(copy, s->len);
	to_hex(copy, s->len, hex);
	control_feed(t->control, "trace",
		     json_pack("{s:I, s:I, s:s, s:s, s:s, s:i, s:s}", "t_us",
			       (json_int_t)now, "wall_us", wall_us(), "dir",
			       s->sent ? "out" : "in", "local",
			       net_addr_format(&s->local, local), "peer",
			       net_addr_format(&s->peer, peer), "ttl",
			       (int)s->ttl, "octets", hex));
}

void trace_start(struct trace *t, struct control_request *req)
{
	udp_watch(t->udp, on_seen, t);
	control_follow(req);
	control_reply(req, json_pack("{s:b}", "tracing", 1));
}
