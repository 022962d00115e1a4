/* SPDX-License-Identifier: MIT */

#include "daemon/record.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/io/addr.h"
#include "daemon/io/control.h"

static double loss_pct(const struct iax2_call_info *c)
{
	const uint64_t due = c->rx_voice + c->rx_lost;

	return due > 0 ? 100.0 * (double)c->rx_lost / (double)due : 0.0;
}

static const char *number_of(const struct node_event *ev)
{
	return ev->number[0] != '\0' ? ev->number : "?";
}

/* Its largest two units. */
static void lasted_text(mono_us us, char *out, size_t cap)
{
	const uint64_t s = us / MONO_S;
	const uint64_t min = s / 60, h = min / 60, d = h / 24;

	if (d > 0)
		(void)snprintf(out, cap, "%" PRIu64 " d %" PRIu64 " h", d,
			       h % 24);
	else if (h > 0)
		(void)snprintf(out, cap, "%" PRIu64 " h %" PRIu64 " min", h,
			       min % 60);
	else if (min > 0)
		(void)snprintf(out, cap, "%" PRIu64 " min %" PRIu64 " s", min,
			       s % 60);
	else
		(void)snprintf(out, cap, "%" PRIu64 ".%" PRIu64 " s", s,
			       us / (100 * MONO_MS) % 10);
}

static void rtt_text(uint32_t us, char *out, size_t cap)
{
	if (us == 0)
		(void)snprintf(out, cap, "unknown");
	else
		(void)snprintf(out, cap, "%.0f ms", (double)us / 1e3);
}

void record_text(const struct node_event *ev, char out[RECORD_TEXT_MAX])
{
	static const char *const by[] = {
		[NODE_ENDED_HERE] = "ended here",
		[NODE_ENDED_THERE] = "ended by the other node",
		[NODE_ENDED_NOBODY] = "lost",
	};
	const struct node_record *r = &ev->record;
	const struct iax2_call_info *c = &r->call;
	char addr[NET_ADDR_TEXT], lasted[48], rtt[24];

	lasted_text(r->lasted, lasted, sizeof(lasted));
	rtt_text(c->rtt_us, rtt, sizeof(rtt));
	(void)snprintf(
		out, RECORD_TEXT_MAX,
		"link to %s %s after %s: %s (%s, %s, %s, path %s, %s; sent "
		"%" PRIu64 " packets of %" PRIu64 " octets, received %" PRIu64
		" of %" PRIu64 ", lost %.1f %%, jitter %.0f ms, round trip %s)",
		number_of(ev), by[r->ended], lasted, ev->why,
		net_addr_format(&ev->addr, addr),
		r->outbound ? "we called" : "it called",
		node_mode_text(r->mode), node_rung_text(ev->rung),
		node_codec_name(c->format), c->tx_packets, c->tx_octets,
		c->rx_packets, c->rx_octets, loss_pct(c),
		(double)c->jitter_us / 1e3, rtt);
}

static json_t *ms(uint32_t us)
{
	return us == 0 ? json_null() : json_real((double)us / 1e3);
}

static json_t *traffic(const struct iax2_call_info *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}",
			 "tx_packets", (json_int_t)c->tx_packets, "tx_octets",
			 (json_int_t)c->tx_octets, "rx_packets",
			 (json_int_t)c->rx_packets, "rx_octets",
			 (json_int_t)c->rx_octets, "tx_frames",
			 (json_int_t)c->tx_voice, "rx_frames",
			 (json_int_t)c->rx_voice, "rx_lost",
			 (json_int_t)c->rx_lost, "loss_pct", loss_pct(c));
}

json_t *record_json(const struct node_event *ev, int64_t unix_s)
{
	const struct node_record *r = &ev->record;
	char addr[NET_ADDR_TEXT];
	json_t *o = json_pack(
		"{s:s, s:o, s:I, s:s, s:s, s:s, s:s, s:s, s:b}", "event",
		"call_record", "node", control_text(number_of(ev)), "call",
		(json_int_t)ev->serial, "peer",
		net_addr_format(&ev->addr, addr), "direction",
		r->outbound ? "out" : "in", "mode", node_mode_text(r->mode),
		"path", node_rung_text(ev->rung), "codec",
		node_codec_name(r->call.format), "permanent",
		(int)r->permanent);

	(void)json_object_update_new(
		o,
		json_pack("{s:I, s:f, s:o, s:s, s:o}", "ended",
			  (json_int_t)unix_s, "lasted_s",
			  (double)r->lasted / (double)MONO_S, "dial_ms",
			  ms(r->dial_us), "ended_by", node_ended_text(r->ended),
			  "why", control_text(ev->why)));
	(void)json_object_update_new(o, traffic(&r->call));
	(void)json_object_update_new(
		o, json_pack("{s:I, s:f, s:o}", "late", (json_int_t)r->late,
			     "jitter_ms", (double)r->call.jitter_us / 1e3,
			     "rtt_ms", ms(r->call.rtt_us)));
	return o;
}
