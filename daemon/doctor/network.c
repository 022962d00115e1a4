/* SPDX-License-Identifier: MIT */

/* Addresses, what is on the way, and how links go. */

#include "daemon/doctor/network.h"

#include <stdio.h>

#include "daemon/io/addr.h"

#define SHORT_LIFE_US (20 * MONO_S)

static void find(struct doctor *d, const char *id, enum doctor_state state,
		 const char *seen, const char *cause, const char *mend)
{
	doctor_find(d,
		    &(struct doctor_finding){ id, state, seen, cause, mend });
}

void doctor_address(struct doctor *d, const struct doctor_seen *s)
{
	char udp[NET_ADDR_TEXT], tcp[NET_ADDR_TEXT], seen[DOCTOR_TEXT_MAX];
	const bool both =
		net_addr_is_set(&s->udp4) && net_addr_is_set(&s->tcp4);

	if (!net_addr_is_set(&s->udp))
		return;
	(void)snprintf(seen, sizeof(seen), "seen by UDP at %s",
		       net_addr_format(&s->udp, udp));
	find(d, "address", DOCTOR_OK, seen,
	     "This is where the registrar sends calls.", "");
	if (!both)
		return;
	(void)snprintf(seen, sizeof(seen), "seen by TCP at %s",
		       net_addr_format(&s->tcp4, tcp));
	if (net_addr_same_ip(&s->udp4, &s->tcp4))
		find(d, "address", DOCTOR_OK, seen,
		     "TCP and UDP leave by the same address.", "");
	else
		find(d, "address", DOCTOR_WARN, seen,
		     "TCP and UDP leave by different addresses: what a web "
		     "page shows is not the address for calls.",
		     "Let callers dial this node's number; or have the router "
		     "or VPN send TCP and UDP the same way.");
}

/* --- the translator ----------------------------------------------------- */

static void check_rung(struct doctor *d, const struct doctor_nat *n)
{
	char seen[DOCTOR_TEXT_MAX];

	if (!n->rung)
		return;
	(void)snprintf(seen, sizeof(seen), "callers come by: %s", n->rung);
	if (n->rung[0] == 'n') /* none */
		find(d, "rung", DOCTOR_BAD, "nobody can call this node",
		     n->verdict, "See the lines on registrar and udp.");
	else
		find(d, "rung", DOCTOR_OK, seen, n->verdict, "");
}

static void check_measured(struct doctor *d, const struct doctor_nat *n)
{
	if (n->m->at != 0 || !n->registered)
		return;
	if (!n->helped)
		find(d, "measured", DOCTOR_SKIPPED,
		     "the network was not measured",
		     "No registrar of this node's helps with it.", "");
	else
		find(d, "measured", DOCTOR_WARN,
		     "the network was not measured yet",
		     "How its translator behaves is not known.",
		     "Ask again in a minute; if that does not help, UDP to the "
		     "registrar's second port may be blocked.");
}

static void check_mapping(struct doctor *d, const struct oo_measured *m)
{
	static const char *const cause[] = {
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
	const bool bad = m->mapping >= OO_MAPPING_ADDRESS;
	char seen[DOCTOR_TEXT_MAX];

	if (m->mapping == OO_MAPPING_UNKNOWN)
		return;
	(void)snprintf(seen, sizeof(seen), "mapping: %s",
		       oo_mapping_text(m->mapping));
	find(d, "mapping", bad ? DOCTOR_WARN : DOCTOR_OK, seen,
	     cause[m->mapping],
	     bad ? "Calls with a node behind such a network may fail: use "
		   "IPv6, or forward the UDP port in the router."
		 : "");
}

static void check_filtering(struct doctor *d, const struct oo_measured *m)
{
	char seen[DOCTOR_TEXT_MAX];

	if (m->filtering == OO_FILTERING_UNKNOWN)
		return;
	(void)snprintf(seen, sizeof(seen), "filtering: %s",
		       oo_filtering_text(m->filtering));
	find(d, "filtering", DOCTOR_OK, seen,
	     m->filtering == OO_FILTERING_INDEPENDENT
		     ? "Anybody gets in while the hole is open."
		     : "Only who was sent something gets in; OPEN/OVER takes "
		       "care of that.",
	     "");
}

static void check_port(struct doctor *d, const struct oo_measured *m)
{
	char seen[DOCTOR_TEXT_MAX];

	if (m->port_preserved == OO_YES) {
		find(d, "port", DOCTOR_OK, "port numbers are kept",
		     "Callers know beforehand where to send.", "");
	} else if (m->port_preserved == OO_YES_NO && m->delta != 0) {
		(void)snprintf(seen, sizeof(seen),
			       "port numbers change, in steps of %d", m->delta);
		find(d, "port", DOCTOR_OK, seen,
		     "The next one can be foretold.", "");
	} else if (m->port_preserved == OO_YES_NO) {
		find(d, "port", DOCTOR_OK, "port numbers change at random",
		     "The next one cannot be foretold.", "");
	}
}

static void check_hole(struct doctor *d, const struct doctor_nat *n)
{
	const struct oo_measured *m = n->m;
	const int f = m->life[OO_V4] != 0 ? OO_V4 : OO_V6;
	const bool brief = m->life[f] < SHORT_LIFE_US;
	char seen[DOCTOR_TEXT_MAX];

	if (!n->registered || m->at == 0)
		return;
	if (m->life[f] == 0) {
		find(d, "hole", DOCTOR_OK,
		     m->living ? "hole life: being measured"
			       : "hole life: not known",
		     "Until it is known, PINGs come as often as configured.",
		     "");
		return;
	}
	(void)snprintf(seen, sizeof(seen),
		       "a hole stays open for %s%u s; PINGs every %u s",
		       m->at_least[f] ? "at least " : "",
		       (unsigned)(m->life[f] / MONO_S),
		       (unsigned)n->keepalive_s);
	find(d, "hole", brief ? DOCTOR_WARN : DOCTOR_OK, seen,
	     brief ? "The router forgets quickly, which costs data."
		   : "The way to this node is kept open.",
	     brief ? "If the router has a UDP time-out, set it to 120 s or "
		     "more."
		   : "");
}

static void check_ipv6(struct doctor *d, const struct oo_measured *m)
{
	switch (m->ipv6) {
	case OO_IPV6_UNKNOWN:
		break;
	case OO_IPV6_NONE:
		find(d, "ipv6", DOCTOR_OK, "IPv6: none",
		     "Calls go over IPv4 alone.",
		     "With IPv6 calls get through more surely, if the provider "
		     "offers it.");
		break;
	case OO_IPV6_FIREWALLED:
		find(d, "ipv6", DOCTOR_OK, "IPv6: firewalled",
		     "Only who was sent something gets in; OPEN/OVER takes "
		     "care of that.",
		     "");
		break;
	case OO_IPV6_OPEN:
		find(d, "ipv6", DOCTOR_OK, "IPv6: open",
		     "Callers with IPv6 get through directly.", "");
		break;
	}
}

void doctor_nat(struct doctor *d, const struct doctor_nat *n)
{
	check_rung(d, n);
	check_measured(d, n);
	check_mapping(d, n->m);
	check_filtering(d, n->m);
	check_port(d, n->m);
	check_hole(d, n);
	check_ipv6(d, n->m);
}

/* --- the router and the relay ------------------------------------------- */

void doctor_router(struct doctor *d, const struct portmap_view *v,
		   const char *family)
{
	char external[NET_ADDR_TEXT], seen[DOCTOR_TEXT_MAX];

	switch (v->state) {
	case PORTMAP_NONE:
	case PORTMAP_ASKING:
		break;
	case PORTMAP_MAPPED:
		(void)snprintf(seen, sizeof(seen),
			       "the router opens %s by %s, at %s", family,
			       portmap_method_text(v->method),
			       net_addr_format(&v->external, external));
		find(d, "router", DOCTOR_OK, seen,
		     "Everybody can call this node there.", "");
		break;
	case PORTMAP_PRIVATE:
		(void)snprintf(seen, sizeof(seen),
			       "the router's own address is private: %s",
			       net_addr_format(&v->external, external));
		find(d, "router", DOCTOR_OK, seen,
		     "Two translators, one behind the other, as carriers' "
		     "networks have: the router's port helps nobody, OPEN/OVER "
		     "does.",
		     "");
		break;
	case PORTMAP_REFUSED:
		(void)snprintf(seen, sizeof(seen), "the router opens no %s: %s",
			       family, v->why);
		find(d, "router", DOCTOR_OK, seen,
		     "Callers get through by OPEN/OVER instead.",
		     "To be called by everybody, allow PCP or UPnP in the "
		     "router.");
		break;
	}
}

void doctor_relay(struct doctor *d, bool up)
{
	if (up)
		find(d, "relay", DOCTOR_OK, "there is a relay",
		     "Plain IAX2 callers reach this node there.", "");
	else
		find(d, "relay", DOCTOR_BAD,
		     "relay.use is \"always\", but there is no relay",
		     "Plain IAX2 callers reach this node only if its own "
		     "address lets them in.",
		     "Ask the registrar's operator whether it relays "
		     "(relay.enabled there).");
}

/* --- links -------------------------------------------------------------- */

static bool tell_link(struct doctor *d, const struct doctor_link *l)
{
	char seen[DOCTOR_TEXT_MAX];

	(void)snprintf(seen, sizeof(seen),
		       "node %.32s: jitter %.0f ms, loss %.1f %%", l->node,
		       l->jitter_ms, l->loss_pct);
	if (l->jitter_ms > DOCTOR_JITTER_MS)
		find(d, "jitter", DOCTOR_WARN, seen,
		     "Something on the way is busy or weak: Wi-Fi, a mobile "
		     "network, a full upload.",
		     "Use a cable, set the router's queue (SQM) to less than "
		     "the line, or raise jitter.min_ms.");
	else if (l->loss_pct > DOCTOR_LOSS_PCT)
		find(d, "jitter", DOCTOR_WARN, seen,
		     "Packets get lost on the way.",
		     "Use a cable instead of Wi-Fi; see whether mtr to that "
		     "node loses at your first hops.");
	else
		return false;
	return true;
}

void doctor_jitter(struct doctor *d, const struct doctor_link *l, size_t n)
{
	char seen[64];
	size_t heard = 0;
	bool bad = false;

	for (size_t i = 0; i < n; i++) {
		if (l[i].heard < DOCTOR_HEARD_MIN)
			continue;
		heard++;
		bad = tell_link(d, &l[i]) || bad;
	}
	if (heard == 0) {
		find(d, "jitter", DOCTOR_SKIPPED,
		     "no link has carried sound: jitter is not known", NULL,
		     NULL);
		return;
	}
	(void)snprintf(seen, sizeof(seen), "sound arrives well on %zu link%s",
		       heard, heard == 1 ? "" : "s");
	if (!bad)
		find(d, "jitter", DOCTOR_OK, seen, NULL, NULL);
}
