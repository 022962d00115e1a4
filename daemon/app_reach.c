/* SPDX-License-Identifier: MIT */

/* How this node can be reached, and what was measured of its network. */

#include "daemon/app.h"
#include "daemon/io/addr.h"

#define DAY_S 86400.0
#define COUNTED_S 60 /* before that a day cannot be foretold */

const struct oo_reg *app_first_up(const struct app *a)
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

/* What is known before anything was measured. */
static const char *guessed_mapping(const struct app *a,
				   const struct net_addr *seen)
{
	const uint8_t nat = oo_node_nat(node_openover(a->node));

	if (nat & OO_NAT_PORT_CHANGED)
		return "port-translating";
	if (nat & OO_NAT_TRANSLATED)
		return "port-preserving";
	return is_own(a, seen) ? "none" : "unknown";
}

static const char *translated_verdict(const struct app *a,
				      const struct oo_measured *m)
{
	if (m->mapping == OO_MAPPING_ADDRESS ||
	    m->mapping == OO_MAPPING_ADDRESS_PORT)
		return m->delta != 0
			       ? "Behind a translator that takes another port "
				 "for each peer, one after the other; callers "
				 "get through by OPEN/OVER and port probing."
			       : "Behind a translator that takes another port "
				 "for each peer; callers get through by "
				 "OPEN/OVER and port probing, unless theirs "
				 "does the same.";
	if (m->filtering == OO_FILTERING_INDEPENDENT)
		return "Behind a translator that lets everybody in while the "
		       "hole is open; callers get through by OPEN/OVER.";
	if (m->mapping == OO_MAPPING_UNKNOWN &&
	    (oo_node_nat(node_openover(a->node)) & OO_NAT_PORT_CHANGED))
		return "Behind a translator that changes ports; callers get "
		       "through by OPEN/OVER and port probing.";
	return "Behind an address translator; callers get through by "
	       "OPEN/OVER.";
}

/* How callers of a registered node get through, and a sentence about it. */
static const char *rung_of(const struct app *a, const struct net_addr *seen,
			   const char **verdict)
{
	const struct oo_measured *m = oo_node_measured(node_openover(a->node));
	const bool own = is_own(a, seen);
	struct net_addr v4, v6;

	if (own &&
	    (net_addr_is_v4(seen) ? m->filtering == OO_FILTERING_INDEPENDENT
				  : m->ipv6 == OO_IPV6_OPEN)) {
		*verdict = "The address is this machine's own and no firewall "
			   "is in the way; callers get through directly.";
		return "direct";
	}
	if (portmap_public(a->portmap, &v4, &v6)) {
		*verdict = "The router lets callers through to this node's "
			   "port.";
		return "mapped";
	}
	*verdict = own ? "The address is this machine's own; callers get "
			 "through by OPEN/OVER, and directly unless a firewall "
			 "forbids it."
		       : translated_verdict(a, m);
	return "opened";
}

/* NULL where there is none. */
static const char *text_of(const struct net_addr *a, char text[NET_ADDR_TEXT])
{
	return net_addr_is_set(a) ? net_addr_format(a, text) : NULL;
}

static json_t *life_json(const struct oo_measured *m)
{
	const mono_us life = m->life[OO_V4] ? m->life[OO_V4] : m->life[OO_V6];

	return life ? json_integer((json_int_t)(life / MONO_S)) : json_null();
}

mono_us app_keepalive(const struct oo_reg *g)
{
	mono_us least = MONO_NEVER;

	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_is_set(&g->hole[f].registrar) &&
		    g->hole[f].missed == 0)
			least = mono_min(least, g->hole[f].interval);
	}
	return least == MONO_NEVER ? g->cfg.keepalive : least;
}

static json_t *octets_per_day(const struct app *a)
{
	const mono_us up_s = (loop_now() - a->started) / MONO_S;
	const double n =
		(double)oo_node_counters(node_openover(a->node))->octets;

	return up_s < COUNTED_S
		       ? json_null()
		       : json_integer((json_int_t)(n * DAY_S / (double)up_s));
}

/* Where the relay carries on to us; null: nowhere. */
static json_t *relayed_json(const struct app *a)
{
	struct oo_node_relay_view v;
	char v4[NET_ADDR_TEXT], v6[NET_ADDR_TEXT];

	oo_node_relay_view(node_openover(a->node), &v);
	if (!v.up)
		return json_null();
	return json_pack("{s:s?, s:s?, s:I, s:I, s:I}", "address4",
			 text_of(&v.address[OO_V4], v4), "address6",
			 text_of(&v.address[OO_V6], v6), "rx", (json_int_t)v.rx,
			 "tx", (json_int_t)v.tx, "dropped",
			 (json_int_t)v.dropped);
}

static json_t *yes_json(enum oo_yes yes)
{
	return yes == OO_YES_UNKNOWN ? json_null()
				     : json_boolean(yes == OO_YES);
}

static void add_measured(const struct app *a, const struct oo_reg *g, json_t *o)
{
	const struct oo_measured *m = oo_node_measured(node_openover(a->node));
	char text[NET_ADDR_TEXT];

	(void)json_object_set_new(o, "filtering",
				  json_string(oo_filtering_text(m->filtering)));
	(void)json_object_set_new(o, "port_preserved",
				  yes_json(m->port_preserved));
	(void)json_object_set_new(o, "port_delta", json_integer(m->delta));
	(void)json_object_set_new(o, "hole_life_s", life_json(m));
	(void)json_object_set_new(o, "hole_life_at_least",
				  json_boolean(m->life[OO_V4]
						       ? m->at_least[OO_V4]
						       : m->at_least[OO_V6]));
	(void)json_object_set_new(o, "ipv6",
				  json_string(oo_ipv6_text(m->ipv6)));
	(void)json_object_set_new(o, "measuring",
				  json_boolean(m->running || m->living));
	(void)json_object_set_new(o, "tcp",
				  json_pack("s?", text_of(&a->tcp_seen, text)));
	(void)json_object_set_new(o, "mapped", app_map_json(a));
	(void)json_object_set_new(o, "relayed", relayed_json(a));
	(void)json_object_set_new(
		o, "keepalive_s",
		g ? json_integer((json_int_t)(app_keepalive(g) / MONO_S))
		  : json_null());
	(void)json_object_set_new(o, "octets_per_day", octets_per_day(a));
}

json_t *app_reach(const struct app *a)
{
	const struct oo_reg *g = app_first_up(a);
	const struct oo_measured *m = oo_node_measured(node_openover(a->node));
	const char *verdict = "This node is not registered, so nobody can "
			      "reach it through a registrar.";
	const char *mapping = "unknown";
	const char *rung = "none";
	json_t *o;

	if (!g && plainly_registered(a)) {
		rung = "direct";
		verdict = "Registered by name and secret only; callers get "
			  "through where no firewall or translator is in the "
			  "way.";
	}
	if (g) {
		const struct net_addr *seen =
			&g->hole[oo_reg_best_family(g)].apparent;

		rung = rung_of(a, seen, &verdict);
		mapping = m->mapping == OO_MAPPING_UNKNOWN
				  ? guessed_mapping(a, seen)
				  : oo_mapping_text(m->mapping);
	}
	o = json_pack("{s:s, s:s, s:s}", "rung", rung, "mapping", mapping,
		      "verdict", verdict);
	add_measured(a, g, o);
	return o;
}
