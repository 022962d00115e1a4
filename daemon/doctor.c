/* SPDX-License-Identifier: MIT */

#include "daemon/doctor.h"

#include <stdio.h>

#include "daemon/app_https.h"
#include "daemon/io/addr.h"

#define SEEN_MAX 300U
#define SHORT_LIFE_US (20 * MONO_S)

void doctor_find(struct doctor *d, enum doctor_state state, const char *seen,
		 const char *meaning, const char *mend)
{
	static const char *const text[] = { [DOCTOR_OK] = "ok",
					    [DOCTOR_WARN] = "warn",
					    [DOCTOR_FAIL] = "fail" };

	d->failed = d->failed || state == DOCTOR_FAIL;
	(void)json_array_append_new(
		d->findings, json_pack("{s:s, s:s, s:s, s:s, s:s}", "check",
				       d->check, "state", text[state], "seen",
				       seen, "meaning", meaning, "mend", mend));
}

static const struct oo_measured *measured(const struct doctor *d)
{
	return oo_node_measured(node_openover(d->app->node));
}

static bool was_measured(const struct doctor *d)
{
	return measured(d)->at != 0;
}

/* --- registrars --------------------------------------------------------- */

static void check_registrar(struct doctor *d, size_t i)
{
	struct oo_registrar_view v = { .state = "" };
	const char *mend = "Check the network, the registrar's key in the "
			   "configuration, and that its operator has entered "
			   "this node's number and key.";
	char seen[SEEN_MAX], warning[APP_HTTPS_WARNING_MAX];

	(void)oo_node_registrar_view(node_openover(d->app->node), i, &v);
	app_https_view(d->app, i, &v);
	if (v.plain)
		mend = "Check the network, the user name and the secret file "
		       "in the configuration.";
	(void)snprintf(seen, sizeof(seen), "registrar %s: %s",
		       d->app->conf.registrars[i].host, v.state);
	if (v.up)
		doctor_find(d, DOCTOR_OK, seen, "This node can be dialled.",
			    "");
	else
		doctor_find(d, DOCTOR_FAIL, seen,
			    v.why[0] ? v.why : "It has not answered yet.",
			    mend);
	if (d->app->conf.registrars[i].https == CONF_HTTPS_ONLY &&
	    app_https_warning(d->app, i, warning))
		doctor_find(d, DOCTOR_WARN, warning,
			    "Web traffic leaves this network by another "
			    "address than calls do, or through a proxy.",
			    "Set https of this registrar to \"auto\" or "
			    "\"no\", so that the node registers from where "
			    "its calls come from.");
}

static void check_registrars(struct doctor *d)
{
	for (size_t i = 0; i < d->app->conf.registrars_n; i++)
		check_registrar(d, i);
	if (d->app->conf.registrars_n == 0)
		doctor_find(d, DOCTOR_FAIL, "no registrar is configured",
			    "Nobody behind a carrier's network can reach this "
			    "node.",
			    "Add one to registrars in the configuration.");
}

/* --- addresses ---------------------------------------------------------- */

static void check_address(struct doctor *d)
{
	const struct oo_reg *g = app_first_up(d->app);
	const struct net_addr *tcp = &d->app->tcp_seen;
	char udp4[NET_ADDR_TEXT], tcp4[NET_ADDR_TEXT], seen[SEEN_MAX];
	const struct net_addr *udp;

	if (!g)
		return;
	udp = &g->hole[oo_reg_best_family(g)].apparent;
	(void)snprintf(seen, sizeof(seen), "seen by UDP at %s",
		       net_addr_format(udp, udp4));
	doctor_find(d, DOCTOR_OK, seen,
		    "This is where the registrar sends calls.", "");
	udp = &g->hole[OO_V4].apparent;
	if (!net_addr_is_set(udp) || !net_addr_is_set(tcp))
		return;
	(void)snprintf(seen, sizeof(seen), "seen by TCP at %s",
		       net_addr_format(tcp, tcp4));
	if (net_addr_same_ip(udp, tcp))
		doctor_find(d, DOCTOR_OK, seen,
			    "TCP and UDP leave by the same address.", "");
	else
		doctor_find(d, DOCTOR_WARN, seen,
			    "TCP and UDP leave by different addresses: the "
			    "address that a web page shows is not the one for "
			    "calls.",
			    "Give nobody the address of a web page; let "
			    "callers dial this node's number.");
}

/* --- the translator ----------------------------------------------------- */

static void check_measured(struct doctor *d)
{
	const struct oo_reg *g = app_first_up(d->app);

	if (was_measured(d) || !g)
		return;
	if (g->ends.port == 0)
		doctor_find(d, DOCTOR_OK, "the network was not measured",
			    "No registrar of this node's helps with it.", "");
	else
		doctor_find(d, DOCTOR_WARN, "the network was not measured yet",
			    "How its translator behaves is not known.",
			    "Ask again in a minute; if that does not help, UDP "
			    "to the registrar's second port may be blocked.");
}

static void check_mapping(struct doctor *d)
{
	static const char *const meaning[] = {
		[OO_MAPPING_NONE] = "No translator is in the way.",
		[OO_MAPPING_INDEPENDENT] =
			"All peers see the same port: callers find their way.",
		[OO_MAPPING_NOT_PORT] =
			"Peers see the same port, as far as one registrar "
			"address shows.",
		[OO_MAPPING_ADDRESS] =
			"Each peer sees another port, which has to be probed "
			"for.",
		[OO_MAPPING_ADDRESS_PORT] =
			"Each peer sees another port, which has to be probed "
			"for.",
	};
	const struct oo_measured *m = measured(d);
	const bool bad = m->mapping >= OO_MAPPING_ADDRESS;
	char seen[SEEN_MAX];

	if (m->mapping == OO_MAPPING_UNKNOWN)
		return;
	(void)snprintf(seen, sizeof(seen), "mapping: %s",
		       oo_mapping_text(m->mapping));
	doctor_find(d, bad ? DOCTOR_WARN : DOCTOR_OK, seen, meaning[m->mapping],
		    bad ? "Calls with a node behind such a network may fail: "
			  "use IPv6, or forward the UDP port in the router."
			: "");
}

static void check_filtering(struct doctor *d)
{
	const struct oo_measured *m = measured(d);
	char seen[SEEN_MAX];

	if (m->filtering == OO_FILTERING_UNKNOWN)
		return;
	(void)snprintf(seen, sizeof(seen), "filtering: %s",
		       oo_filtering_text(m->filtering));
	doctor_find(d, DOCTOR_OK, seen,
		    m->filtering == OO_FILTERING_INDEPENDENT
			    ? "Anybody gets in while the hole is open."
			    : "Only who was sent something gets in; OPEN/OVER "
			      "takes care of that.",
		    "");
}

static void check_port(struct doctor *d)
{
	const struct oo_measured *m = measured(d);
	char seen[SEEN_MAX];

	if (m->port_preserved == OO_YES) {
		doctor_find(d, DOCTOR_OK, "port numbers are kept",
			    "Callers know beforehand where to send.", "");
	} else if (m->port_preserved == OO_YES_NO && m->delta != 0) {
		(void)snprintf(seen, sizeof(seen),
			       "port numbers change, in steps of %d", m->delta);
		doctor_find(d, DOCTOR_OK, seen, "The next one can be foretold.",
			    "");
	} else if (m->port_preserved == OO_YES_NO) {
		doctor_find(d, DOCTOR_OK, "port numbers change at random",
			    "The next one cannot be foretold.", "");
	}
}

static void check_hole(struct doctor *d)
{
	const struct oo_measured *m = measured(d);
	const struct oo_reg *g = app_first_up(d->app);
	const int f = m->life[OO_V4] != 0 ? OO_V4 : OO_V6;
	char seen[SEEN_MAX];
	bool brief;

	if (!g || !was_measured(d))
		return;
	if (m->life[f] == 0) {
		doctor_find(d, DOCTOR_OK,
			    m->living ? "hole life: being measured"
				      : "hole life: not known",
			    "Until it is known, PINGs come as often as "
			    "configured.",
			    "");
		return;
	}
	(void)snprintf(seen, sizeof(seen),
		       "a hole stays open for %s%u s; PINGs every %u s",
		       m->at_least[f] ? "at least " : "",
		       (unsigned)(m->life[f] / MONO_S),
		       (unsigned)(app_keepalive(g) / MONO_S));
	brief = m->life[f] < SHORT_LIFE_US;
	doctor_find(d, brief ? DOCTOR_WARN : DOCTOR_OK, seen,
		    brief ? "The router forgets quickly, which costs data."
			  : "The way to this node is kept open.",
		    brief ? "If the router has a UDP time-out, set it to 120 s "
			    "or more."
			  : "");
}

static void check_ipv6(struct doctor *d)
{
	switch (measured(d)->ipv6) {
	case OO_IPV6_UNKNOWN:
		break;
	case OO_IPV6_NONE:
		doctor_find(d, DOCTOR_OK, "IPv6: none",
			    "Calls go over IPv4 alone.",
			    "With IPv6 calls get through more surely, if the "
			    "provider offers it.");
		break;
	case OO_IPV6_FIREWALLED:
		doctor_find(d, DOCTOR_OK, "IPv6: firewalled",
			    "Only who was sent something gets in; OPEN/OVER "
			    "takes care of that.",
			    "");
		break;
	case OO_IPV6_OPEN:
		doctor_find(d, DOCTOR_OK, "IPv6: open",
			    "Callers with IPv6 get through directly.", "");
		break;
	}
}

/* --- the router and the relay ------------------------------------------- */

static void check_router_of(struct doctor *d, enum portmap_family family)
{
	const char *name = family == PORTMAP_V4 ? "IPv4" : "IPv6";
	const struct portmap_view v = portmap_io_view(d->app->portmap, family);
	char external[NET_ADDR_TEXT], seen[SEEN_MAX];

	switch (v.state) {
	case PORTMAP_NONE:
	case PORTMAP_ASKING:
		break;
	case PORTMAP_MAPPED:
		(void)snprintf(seen, sizeof(seen),
			       "the router opens %s by %s, at %s", name,
			       portmap_method_text(v.method),
			       net_addr_format(&v.external, external));
		doctor_find(d, DOCTOR_OK, seen,
			    "Everybody can call this node there.", "");
		break;
	case PORTMAP_PRIVATE:
		(void)snprintf(seen, sizeof(seen),
			       "the router's own address is private: %s",
			       net_addr_format(&v.external, external));
		doctor_find(d, DOCTOR_OK, seen,
			    "Two translators, one behind the other, as "
			    "carriers' networks have: the router's port helps "
			    "nobody, OPEN/OVER does.",
			    "");
		break;
	case PORTMAP_REFUSED:
		(void)snprintf(seen, sizeof(seen), "the router opens no %s: %s",
			       name, v.why);
		doctor_find(d, DOCTOR_OK, seen,
			    "Callers get through by OPEN/OVER instead.",
			    "To be called by everybody, allow PCP or UPnP in "
			    "the router.");
		break;
	}
}

static void check_router(struct doctor *d)
{
	if (!d->app->portmap)
		return;
	check_router_of(d, PORTMAP_V4);
	check_router_of(d, PORTMAP_V6);
}

static void check_relay(struct doctor *d)
{
	struct oo_node_relay_view v;

	if (d->app->conf.relay.use != CONF_RELAY_ALWAYS)
		return;
	oo_node_relay_view(node_openover(d->app->node), &v);
	if (v.up)
		doctor_find(d, DOCTOR_OK, "there is a relay",
			    "Plain IAX2 callers reach this node there.", "");
	else
		doctor_find(d, DOCTOR_FAIL,
			    "relay.use is \"always\", but there is no relay",
			    "Plain IAX2 callers reach this node only if its "
			    "own address lets them in.",
			    "Ask the registrar's operator whether it relays "
			    "(relay.enabled there).");
}

static const struct {
	const char *name;
	void (*run)(struct doctor *d);
} checks[] = {
	{ "registrar", check_registrars },
	{ "address", check_address },
	{ "measured", check_measured },
	{ "mapping", check_mapping },
	{ "filtering", check_filtering },
	{ "port", check_port },
	{ "hole", check_hole },
	{ "ipv6", check_ipv6 },
	{ "router", check_router },
	{ "relay", check_relay },
	{ "lookup", doctor_lookup },
};

json_t *app_doctor(const struct app *a)
{
	struct doctor d = { .app = a, .findings = json_array() };

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		d.check = checks[i].name;
		checks[i].run(&d);
	}
	return json_pack("{s:o, s:b}", "findings", d.findings, "ok",
			 (int)!d.failed);
}
