/* SPDX-License-Identifier: MIT */

/* What is, as JSON: the names are fixed, scripts rely on them. */

#include <string.h>

#include "daemon/app.h"
#include "daemon/app_https.h"
#include "daemon/app_stats.h"
#include "daemon/io/addr.h"

static json_t *ms(uint32_t us)
{
	return us == 0 ? json_null() : json_real((double)us / 1000.0);
}

static json_t *addr_json(const struct net_addr *a)
{
	char text[NET_ADDR_TEXT];

	if (!net_addr_is_set(a))
		return json_null();
	return json_string(net_addr_format(a, text));
}

static json_t *seconds_since(mono_us then, mono_us now)
{
	return then == 0 ? json_null()
			 : json_integer((json_int_t)((now - then) / MONO_S));
}

static json_t *registrar_json(const struct app *a, size_t i, mono_us now)
{
	struct oo_registrar_view v = { .state = "" };
	json_t *o;

	(void)oo_node_registrar_view(node_openover(a->node), i, &v);
	app_https_view(a, i, &v);
	o = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
		      v.plain ? "plain" : "openover", "host",
		      a->conf.registrars[i].host, "state", v.state, "apparent",
		      addr_json(&v.apparent), "rtt_ms", ms(v.rtt_us),
		      "last_ok_s", seconds_since(v.last_ok, now), "why",
		      control_text(v.why), "apparent4", addr_json(&v.apparent4),
		      "apparent6", addr_json(&v.apparent6));
	app_https_status(a, i, o);
	return o;
}

json_t *app_link_json(struct app *a, const struct node_link_info *l,
		      mono_us now)
{
	const struct iax2_call_info *c = &l->call;
	const uint64_t heard = c->rx_voice + c->rx_lost;
	const bool up = l->state == NODE_LINK_UP;
	struct asl_list behind;
	json_t *o =
		json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s}", "node",
			  l->number[0] ? l->number : "?", "state",
			  l->moving ? "moving" : node_link_state_text(l->state),
			  "mode", node_mode_text(l->mode), "direction",
			  l->outbound ? "out" : "in", "peer",
			  addr_json(&c->path.peer), "family",
			  !net_addr_is_set(&c->path.peer) ? ""
			  : net_addr_is_v4(&c->path.peer) ? "ipv4"
							  : "ipv6",
			  "path", node_rung_text(l->rung), "codec",
			  node_codec_name(c->format));

	(void)json_object_set_new(o, "call",
				  json_integer((json_int_t)l->serial));
	(void)json_object_set_new(o, "rtt_ms", ms(c->rtt_us));
	(void)json_object_set_new(o, "jitter_ms",
				  json_real((double)c->jitter_us / 1000.0));
	(void)json_object_set_new(
		o, "loss_pct",
		json_real(heard ? 100.0 * (double)c->rx_lost / (double)heard
				: 0.0));
	(void)json_object_set_new(o, "playout_ms",
				  json_integer(up ? l->playout_ms : 0));
	(void)json_object_set_new(o, "drift_ppm",
				  json_real(up ? l->drift_ppm : 0.0));
	(void)json_object_set_new(o, "rx_keyed", json_boolean(l->rx_keyed));
	(void)json_object_set_new(o, "tx_keyed", json_boolean(l->tx_keyed));
	(void)json_object_set_new(o, "connected_s",
				  seconds_since(l->up_since, now));
	(void)json_object_set_new(o, "permanent", json_boolean(l->permanent));
	(void)json_object_set_new(
		o, "dial_ms",
		l->dial_us ? json_real((double)l->dial_us / 1e3) : json_null());
	(void)json_object_set_new(o, "rx_frames",
				  json_integer((json_int_t)c->rx_voice));
	(void)json_object_set_new(o, "tx_frames",
				  json_integer((json_int_t)c->tx_voice));
	(void)json_object_set_new(o, "late",
				  json_integer((json_int_t)l->jitter.late));
	(void)json_object_set_new(o, "why", control_text(l->why));
	(void)json_object_set_new(o, "keying",
				  up ? json_string(asl_keying_text(l->keying))
				     : json_null());
	(void)json_object_set_new(o, "loop", json_boolean(l->loop));
	app_names_add(a, o, l->number);
	app_names_add_talker(a, o, l->talker);
	(void)json_object_set_new(o, "talker",
				  l->talker[0] ? json_string(l->talker)
					       : json_null());
	if (node_link_behind(a->node, l->id, &behind))
		(void)json_object_set_new(o, "behind",
					  app_behind_json(a, &behind));
	return o;
}

static json_t *links_json(struct app *a, mono_us now)
{
	json_t *links = json_array();
	struct node_link_info l;

	for (size_t i = 0; i < node_links_max(a->node); i++) {
		if (node_link_at(a->node, i, &l))
			(void)json_array_append_new(links,
						    app_link_json(a, &l, now));
	}
	return links;
}

static json_t *levels_json(struct app *a)
{
	struct station_view v;

	node_radio(a->node, &v);
	return json_pack("{s:f, s:f, s:f, s:f, s:I, s:I}", "rx_dbfs",
			 v.rx.average_dbfs, "tx_dbfs", v.tx.average_dbfs,
			 "rx_peak_dbfs", v.rx.peak_dbfs, "tx_peak_dbfs",
			 v.tx.peak_dbfs, "rx_clipped", (json_int_t)v.rx.clipped,
			 "tx_clipped", (json_int_t)v.tx.clipped);
}

json_t *app_radio(struct app *a)
{
	const struct audio_device_status st = radio_io_status(a->radio);
	json_t *o = levels_json(a);
	struct station_view v;

	node_radio(a->node, &v);
	(void)json_object_update_new(
		o,
		json_pack("{s:s, s:s*, s:s*, s:s, s:I, s:f, s:f, s:f, s:I}",
			  "type", radio_io_type(a->radio), "fault",
			  radio_io_fault(a->radio), "card",
			  radio_io_card(a->radio), "state",
			  st.state == AUDIO_DEVICE_RUNNING ? "running" : "down",
			  "xruns", (json_int_t)st.xruns, "drift_ppm",
			  st.drift_ppm, "capture_ms", st.capture_ms,
			  "playback_ms", st.playback_ms, "missed_beats",
			  (json_int_t)a->beat.missed));
	(void)json_object_update_new(
		o, json_pack("{s:b, s:b, s:b, s:b, s:I, s:I, s:I}", "cor",
			     (int)v.received, "cor_stuck", (int)v.stuck,
			     "ctcss", (int)v.ctcss, "vox", (int)v.vox, "overs",
			     (json_int_t)v.cor.overs, "kerchunks",
			     (json_int_t)v.cor.kerchunks, "stuck_count",
			     (json_int_t)v.cor.stuck));
	(void)json_object_update_new(
		o, json_pack("{s:b, s:s, s:I}", "ptt", (int)v.keyed,
			     "ptt_state", ptt_state_name(v.ptt), "timeouts",
			     (json_int_t)v.timeouts));
	return o;
}

static json_t *counters_json(struct app *a)
{
	const struct iax2_counters *c =
		iax2_endpoint_counters(node_endpoint(a->node));
	const struct oo_node_counters *o =
		oo_node_counters(node_openover(a->node));
	const struct udp_counters *u = udp_counters(a->udp);

	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"rx", (json_int_t)u->rx, "tx", (json_int_t)u->tx, "oversize",
		(json_int_t)u->rx_oversize, "unreachable",
		(json_int_t)u->tx_unreachable, "malformed",
		(json_int_t)c->malformed + (json_int_t)o->malformed,
		"unknown_call", (json_int_t)c->unknown_call, "token_bad",
		(json_int_t)c->token_bad, "auth_failed",
		(json_int_t)c->auth_failed, "forged", (json_int_t)o->forged,
		"replayed", (json_int_t)o->replayed, "limited",
		(json_int_t)c->limited + (json_int_t)o->limited, "retransmits",
		(json_int_t)c->retransmits);
}

/* What a limit allows, and how often it refused. */
static json_t *limit_json(uint32_t max, uint64_t refused)
{
	return json_pack("{s:I, s:I}", "max", (json_int_t)max, "refused",
			 (json_int_t)refused);
}

static json_t *limits_json(struct app *a)
{
	const struct iax2_endpoint *ep = node_endpoint(a->node);
	const struct iax2_limited *n = &iax2_endpoint_counters(ep)->limits;
	const struct conf_node *c = &a->conf;
	json_t *calls = limit_json(c->iax2.calls_max, n->calls);
	json_t *half_open = limit_json(conf_half_open(c), n->half_open);

	(void)json_object_set_new(
		calls, "now",
		json_integer((json_int_t)iax2_endpoint_calls(ep)));
	(void)json_object_set_new(
		half_open, "now",
		json_integer((json_int_t)iax2_endpoint_half_open(ep)));
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o}", "calls", calls,
		"calls_per_address",
		limit_json(c->limits.calls_per_address, n->calls_per_addr),
		"half_open", half_open, "half_open_per_address",
		limit_json(c->limits.half_open_per_address,
			   n->half_open_per_addr),
		"calls_per_s",
		limit_json(c->limits.calls_per_s, n->calls_per_s),
		"auth_failures_per_min",
		limit_json(c->limits.auth_failures_per_min, n->auth_failures));
}

json_t *app_status(struct app *a)
{
	const mono_us now = loop_now();
	json_t *registrars = json_array();

	for (size_t i = 0; i < a->conf.registrars_n; i++)
		(void)json_array_append_new(registrars,
					    registrar_json(a, i, now));
	return json_pack(
		"{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o, s:o, s:o}",
		"node", a->conf.node.number, "callsign", a->conf.node.callsign,
		"version", KEYHOLE_VERSION, "uptime_s",
		(json_int_t)(now - a->started) / (json_int_t)MONO_S,
		"registrars", registrars, "reach", app_reach(a), "links",
		links_json(a, now), "radio", app_radio(a), "limits",
		limits_json(a), "lookup", app_lookup_json(a), "counters",
		counters_json(a), "text", app_text_counters(a), "commands",
		app_commands_json(a), "telemetry", app_telemetry_json(a),
		"stats", app_stats_json(a));
}
