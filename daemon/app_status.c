/* SPDX-License-Identifier: MIT */

/* What is, as JSON: the names are fixed, scripts rely on them. */

#include <string.h>

#include "daemon/app.h"
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

	(void)oo_node_registrar_view(node_openover(a->node), i, &v);
	return json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
		v.plain ? "plain" : "openover", "host",
		a->conf.registrars[i].host, "state", v.state, "apparent",
		addr_json(&v.apparent), "rtt_ms", ms(v.rtt_us), "last_ok_s",
		seconds_since(v.last_ok, now), "why", control_text(v.why),
		"apparent4", addr_json(&v.apparent4), "apparent6",
		addr_json(&v.apparent6));
}

/* The first registrar that opens paths and has us; NULL: none. */
static const struct oo_reg *first_up(const struct app *a)
{
	for (size_t i = 0; i < a->conf.registrars_n; i++) {
		const struct oo_reg *g =
			oo_node_registrar(node_openover(a->node), i);

		if (g && oo_reg_is_up(g))
			return g;
	}
	return NULL;
}

static bool plainly_registered(const struct app *a)
{
	struct oo_registrar_view v;

	for (size_t i = 0; i < a->conf.registrars_n; i++) {
		if (oo_node_registrar_view(node_openover(a->node), i, &v) &&
		    v.plain && v.up)
			return true;
	}
	return false;
}

static bool is_own(const struct app *a, const struct net_addr *addr)
{
	for (size_t i = 0; i < a->own_n; i++) {
		if (net_addr_same_ip(&a->own[i], addr))
			return true;
	}
	return false;
}

/* Where the relay carries on to us; null: nowhere. */
static json_t *relayed_json(const struct app *a)
{
	struct oo_node_relay_view v;

	oo_node_relay_view(node_openover(a->node), &v);
	if (!v.up)
		return json_null();
	return json_pack("{s:o, s:o, s:I, s:I, s:I}", "address4",
			 addr_json(&v.address[OO_V4]), "address6",
			 addr_json(&v.address[OO_V6]), "rx", (json_int_t)v.rx,
			 "tx", (json_int_t)v.tx, "dropped",
			 (json_int_t)v.dropped);
}

static json_t *reach_json(const struct app *a)
{
	const struct oo_reg *g = first_up(a);
	const uint8_t nat = oo_node_nat(node_openover(a->node));
	const char *verdict = "This node is not registered, so nobody can "
			      "reach it through a registrar.";
	const char *mapping = "unknown";
	const char *rung = "none";
	struct net_addr mapped[PORTMAP_FAMILIES];

	if (!g && plainly_registered(a)) {
		rung = "direct";
		verdict = "Registered by name and secret only; callers get "
			  "through where no firewall or translator is in the "
			  "way.";
	}
	if (g) {
		const struct net_addr *seen =
			&g->hole[oo_reg_best_family(g)].apparent;

		rung = "opened";
		verdict = "Behind an address translator; callers get through "
			  "by OPEN/OVER.";
		if (nat & OO_NAT_PORT_CHANGED) {
			mapping = "port-translating";
			verdict = "Behind a translator that changes ports; "
				  "callers get through by OPEN/OVER and port "
				  "probing.";
		} else if (nat & OO_NAT_TRANSLATED) {
			mapping = "port-preserving";
		} else if (is_own(a, seen)) {
			mapping = "none";
			verdict = "The address is this machine's own; callers "
				  "get through by OPEN/OVER, and directly "
				  "unless a firewall forbids it.";
		}
	}
	if (portmap_public(a->portmap, &mapped[0], &mapped[1])) {
		rung = "mapped";
		verdict = "The router lets callers through to this node's "
			  "port.";
	}
	return json_pack("{s:s, s:s, s:s, s:n, s:s, s:o, s:o}", "rung", rung,
			 "mapping", mapping, "filtering", "unknown",
			 "hole_life_s", "verdict", verdict, "mapped",
			 app_map_json(a), "relayed", relayed_json(a));
}

json_t *app_link_json(struct app *a, const struct node_link_info *l,
		      mono_us now)
{
	const struct iax2_call_info *c = &l->call;
	const uint64_t heard = c->rx_voice + c->rx_lost;
	const bool up = l->state == NODE_LINK_UP;
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

	(void)a;
	(void)json_object_set_new(o, "rtt_ms", ms(c->rtt_us));
	(void)json_object_set_new(o, "jitter_ms",
				  json_real((double)c->jitter_us / 1000.0));
	(void)json_object_set_new(
		o, "loss_pct",
		json_real(heard ? 100.0 * (double)c->rx_lost / (double)heard
				: 0.0));
	(void)json_object_set_new(o, "playout_ms",
				  json_integer(up ? l->playout_ms : 0));
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
	return o;
}

static json_t *links_json(struct app *a, mono_us now)
{
	json_t *links = json_array();
	struct node_link_info l;

	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		if (node_link_at(a->node, i, &l))
			(void)json_array_append_new(links,
						    app_link_json(a, &l, now));
	}
	return links;
}

json_t *app_levels(struct app *a)
{
	struct meter_level rx, tx;

	node_levels(a->node, &rx, &tx);
	return json_pack("{s:f, s:f, s:f, s:f, s:I, s:I}", "rx_dbfs",
			 rx.average_dbfs, "tx_dbfs", tx.average_dbfs,
			 "rx_peak_dbfs", rx.peak_dbfs, "tx_peak_dbfs",
			 tx.peak_dbfs, "rx_clipped", (json_int_t)rx.clipped,
			 "tx_clipped", (json_int_t)tx.clipped);
}

static json_t *radio_json(struct app *a)
{
	const struct audio_device_status st = radio_io_status(a->radio);
	struct meter_level rx, tx;

	node_levels(a->node, &rx, &tx);
	return json_pack("{s:s, s:s, s:b, s:b, s:f, s:f, s:I, s:f, s:I}",
			 "type", radio_io_type(a->radio), "state",
			 st.state == AUDIO_DEVICE_RUNNING ? "running" : "down",
			 "cor", (int)node_cor(a->node), "ptt",
			 (int)node_ptt(a->node), "rx_dbfs", rx.average_dbfs,
			 "tx_dbfs", tx.average_dbfs, "xruns",
			 (json_int_t)st.xruns, "drift_ppm", st.drift_ppm,
			 "missed_beats", (json_int_t)a->beat.missed);
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
	json_t *half_open = limit_json(c->limits.half_open, n->half_open);

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
		"{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "node",
		a->conf.node.number, "callsign", a->conf.node.callsign,
		"version", KEYHOLE_VERSION, "uptime_s",
		(json_int_t)(now - a->started) / (json_int_t)MONO_S,
		"registrars", registrars, "reach", reach_json(a), "links",
		links_json(a, now), "radio", radio_json(a), "limits",
		limits_json(a), "counters", counters_json(a));
}

/* --- doctor ------------------------------------------------------------- */

static bool finding(json_t *list, bool good, const char *what,
		    const char *means, const char *mend)
{
	(void)json_array_append_new(list,
				    json_pack("{s:s, s:s, s:s, s:s}", "level",
					      good ? "ok" : "bad", "what", what,
					      "means", means, "mend", mend));
	return good;
}

static bool check_registrar(const struct app *a, size_t i, json_t *list)
{
	struct oo_registrar_view v = { .state = "" };
	const char *mend = "Check the network, the registrar's key in the "
			   "configuration, and that its operator has entered "
			   "this node's number and key.";
	char what[300];

	(void)oo_node_registrar_view(node_openover(a->node), i, &v);
	if (v.plain)
		mend = "Check the network, the user name and the secret file "
		       "in the configuration.";
	(void)snprintf(what, sizeof(what), "registrar %s: %s",
		       a->conf.registrars[i].host, v.state);
	return finding(list, v.up, what,
		       v.up ? "This node can be dialled." : v.why,
		       v.up ? "" : mend);
}

static bool check_relay(const struct app *a, json_t *list)
{
	struct oo_node_relay_view v;

	oo_node_relay_view(node_openover(a->node), &v);
	return finding(list, v.up,
		       v.up ? "relay: there is one"
			    : "relay.use is \"always\", but there is no relay",
		       v.up ? "Plain IAX2 callers reach this node there."
			    : "Plain IAX2 callers reach this node only if its "
			      "own address lets them in.",
		       v.up ? ""
			    : "Ask the registrar's operator whether it relays "
			      "(relay.enabled there).");
}

json_t *app_doctor(struct app *a)
{
	json_t *list = json_array();
	bool ok = true;

	for (size_t i = 0; i < a->conf.registrars_n; i++)
		ok &= check_registrar(a, i, list);
	if (a->conf.registrars_n == 0)
		ok &= finding(list, false, "no registrar is configured",
			      "Nobody behind a carrier's network can reach "
			      "this node.",
			      "Add one to registrars in the configuration.");
	if (a->conf.relay.use == CONF_RELAY_ALWAYS)
		ok &= check_relay(a, list);
	return json_pack("{s:o, s:b}", "findings", list, "ok", (int)ok);
}
