/* SPDX-License-Identifier: MIT */

/* What the doctor says of registrars, addresses, routers and links. */

#include "daemon/doctor/network.h"
#include "tests/unit/doctor_expect.h"

static const struct doctor_self self = {
	.number = "2001",
	.key = "KEY=",
	.port = 4569,
	.has_address = true,
};

static const struct doctor_registrar well = {
	.host = "reg.example",
	.up = true,
	.state = "registered",
	.why = "",
	.rtt_us = 40000,
};

static struct doctor_registrar down(enum oo_registrar_fault fault)
{
	struct doctor_registrar r = well;

	r.up = false;
	r.state = "waiting";
	r.fault = fault;
	return r;
}

static void one(const struct doctor_registrar *r, const char *state,
		const char *seen, const char *mend)
{
	begin();
	doctor_registrar(&d, r, &self);
	expect("registrar", state, seen, mend);
	end(strcmp(state, "ok") == 0);
}

/* --- registration ------------------------------------------------------- */

static void a_registrar_that_has_us_is_well(void)
{
	struct doctor_registrar r = well;

	one(&r, "ok", "reg.example: registered, 40 ms away", "");
	r.rtt_us = 0;
	r.why = "what was before";
	one(&r, "ok", "reg.example: registered", "");
}

static void a_wrong_key_is_told_with_what_has_to_be_entered(void)
{
	struct doctor_registrar r = down(OO_REGISTRAR_FAULT_REFUSED);

	one(&r, "bad", "waiting", "keyhole-registrar node add 2001 KEY=");
	r = down(OO_REGISTRAR_FAULT_FORGED);
	one(&r, "bad", "waiting", "Ask its operator for the key");
}

static void a_wrong_password_is_told(void)
{
	struct doctor_registrar r = down(OO_REGISTRAR_FAULT_REFUSED);

	r.plain = true;
	one(&r, "bad", "waiting", "secret_file");
	r.https = true;
	one(&r, "bad", "waiting", "password into secret_file");
	r.fault = OO_REGISTRAR_FAULT_SILENT;
	r.why = "the certificate is not valid yet";
	one(&r, "bad", "certificate", "the clock");
	r.https = false;
	r.fault = OO_REGISTRAR_FAULT_METHOD;
	one(&r, "bad", "waiting", "MD5");
}

static void a_registrar_that_is_away_is_told(void)
{
	struct doctor_registrar r = down(OO_REGISTRAR_FAULT_SILENT);

	one(&r, "bad", "waiting", "the line on udp");
	r.fault = OO_REGISTRAR_FAULT_NONE;
	one(&r, "bad", "waiting", "again in a minute");
	r.no_address = "there is no such name";
	one(&r, "bad", "waiting", "the line on dns");
}

static void other_addresses_for_web_and_calls_are_told(void)
{
	struct doctor_registrar r = well;

	r.warning = "by HTTPS this node is seen elsewhere";
	begin();
	doctor_registrar(&d, &r, &self);
	expect("registrar", "ok", "registered", "");
	expect("registrar", "warn", "elsewhere", "auto");
	end(false);
}

static void none_at_all_is_told(void)
{
	begin();
	doctor_no_registrar(&d);
	expect("registrar", "bad", "no registrar", "Add one");
	end(false);
}

/* --- names and ports ---------------------------------------------------- */

static void names_that_are_not_found_are_told(void)
{
	struct doctor_registrar r[] = { well, well };

	begin();
	doctor_dns(&d, r, 0);
	end(true);
	begin();
	doctor_dns(&d, r, 2);
	expect("dns", "ok", "", "");
	end(true);
	r[1].no_address = "cannot look up nosuch.example";
	begin();
	doctor_dns(&d, r, 2);
	expect("dns", "bad", "nosuch.example", "/etc/resolv.conf");
	end(false);
}

static void a_blocked_port_is_told_from_a_registrar_that_is_down(void)
{
	struct doctor_registrar r[] = { well, down(OO_REGISTRAR_FAULT_SILENT) };

	begin();
	doctor_udp(&d, r, 1, &self);
	expect("udp", "ok", "UDP port 4569", "");
	end(true);
	r[1].tcp = DOCTOR_TCP_ANSWERS;
	begin();
	doctor_udp(&d, r, 2, &self);
	expect("udp", "bad", "answers by TCP, but not by UDP", "port 4569");
	end(false);
	r[1].tcp = DOCTOR_TCP_SILENT;
	begin();
	doctor_udp(&d, r, 2, &self);
	expect("udp", "bad", "neither by UDP nor by TCP", "ping");
	end(false);
	r[1].tcp = DOCTOR_TCP_UNKNOWN;
	begin();
	doctor_udp(&d, r, 2, &self);
	expect("udp", "bad", "does not answer by UDP", "ping");
	end(false);
	r[1].no_address = "there is no such name";
	begin();
	doctor_udp(&d, r, 2, &self);
	expect("udp", "ok", "", "");
	end(true);
}

static void a_machine_without_a_network_is_told(void)
{
	struct doctor_self alone = self;
	const struct doctor_registrar r = down(OO_REGISTRAR_FAULT_SILENT);

	alone.has_address = false;
	begin();
	doctor_udp(&d, &r, 1, &alone);
	expect("udp", "bad", "this machine has no address", "ip address");
	end(false);
}

/* --- addresses and routers ---------------------------------------------- */

static struct net_addr at(uint8_t last)
{
	return net_addr_v4(198, 51, 100, last, 4569);
}

static void tcp_and_udp_by_other_addresses_are_told(void)
{
	struct doctor_seen s = { .udp = at(1), .udp4 = at(1), .tcp4 = at(1) };

	begin();
	doctor_address(&d, &s);
	expect("address", "ok", "UDP at 198.51.100.1", "");
	expect("address", "ok", "TCP at 198.51.100.1", "");
	end(true);
	s.tcp4 = at(2);
	begin();
	doctor_address(&d, &s);
	expect("address", "ok", "UDP at 198.51.100.1", "");
	expect("address", "warn", "TCP at 198.51.100.2", "number");
	end(false);
	begin();
	doctor_address(&d, &(struct doctor_seen){ .tcp4 = at(1) });
	end(true);
}

static struct oo_measured measured(void)
{
	return (struct oo_measured){
		.at = 1,
		.mapping = OO_MAPPING_INDEPENDENT,
		.filtering = OO_FILTERING_ADDRESS_PORT,
		.port_preserved = OO_YES,
		.ipv6 = OO_IPV6_FIREWALLED,
		.life = { [OO_V4] = 120 * MONO_S },
	};
}

static void look(const struct oo_measured *m)
{
	begin();
	doctor_nat(&d, &(struct doctor_nat){ .rung = "opened",
					     .verdict = "By OPEN/OVER.",
					     .registered = true,
					     .helped = true,
					     .m = m,
					     .keepalive_s = 100 });
	expect("rung", "ok", "opened", "");
}

static void a_good_translator_is_well(void)
{
	struct oo_measured m = measured();

	look(&m);
	expect("mapping", "ok", "endpoint-independent", "");
	expect("filtering", "ok", "address-and-port-dependent", "");
	expect("port", "ok", "kept", "");
	expect("hole", "ok", "120 s; PINGs every 100 s", "");
	expect("ipv6", "ok", "firewalled", "");
	end(true);
	m.ipv6 = OO_IPV6_OPEN;
	m.filtering = OO_FILTERING_INDEPENDENT;
	m.life[OO_V4] = 0;
	look(&m);
	expect("mapping", "ok", "", "");
	expect("filtering", "ok", "endpoint-independent", "");
	expect("port", "ok", "kept", "");
	expect("hole", "ok", "not known", "");
	expect("ipv6", "ok", "open", "");
	end(true);
}

static void a_bad_translator_is_told(void)
{
	struct oo_measured m = measured();

	m.mapping = OO_MAPPING_ADDRESS_PORT;
	m.port_preserved = OO_YES_NO;
	m.delta = 2;
	m.life[OO_V4] = 15 * MONO_S;
	m.ipv6 = OO_IPV6_NONE;
	look(&m);
	expect("mapping", "warn", "address-and-port", "forward the UDP port");
	expect("filtering", "ok", "", "");
	expect("port", "ok", "steps of 2", "");
	expect("hole", "warn", "15 s", "120 s or more");
	expect("ipv6", "ok", "none", "");
	end(false);
	m.delta = 0;
	m.life[OO_V4] = 120 * MONO_S;
	m.mapping = OO_MAPPING_NONE;
	m.ipv6 = OO_IPV6_UNKNOWN;
	look(&m);
	expect("mapping", "ok", "none", "");
	expect("filtering", "ok", "", "");
	expect("port", "ok", "random", "");
	expect("hole", "ok", "", "");
	end(true);
}

static void what_was_not_measured_is_told(void)
{
	const struct oo_measured m = { .at = 0 };
	struct doctor_nat n = { .rung = "none",
				.verdict = "Not registered.",
				.m = &m };

	begin();
	doctor_nat(&d, &n);
	expect("rung", "bad", "nobody can call", "registrar");
	end(false);
	n.rung = "opened";
	n.registered = true;
	begin();
	doctor_nat(&d, &n);
	expect("rung", "ok", "opened", "");
	expect("measured", "skipped", "not measured", "");
	end(true);
	n.helped = true;
	begin();
	doctor_nat(&d, &n);
	expect("rung", "ok", "opened", "");
	expect("measured", "warn", "not measured yet", "again in a minute");
	end(false);
}

static void routers_and_relays_are_told(void)
{
	struct portmap_view v = { .state = PORTMAP_MAPPED,
				  .method = PORTMAP_PCP,
				  .external = at(7) };

	begin();
	doctor_router(&d, &v, "IPv4");
	expect("router", "ok", "opens IPv4 by", "");
	v.state = PORTMAP_PRIVATE;
	doctor_router(&d, &v, "IPv4");
	expect("router", "ok", "private: 198.51.100.7", "");
	v.state = PORTMAP_REFUSED;
	doctor_router(&d, &v, "IPv6");
	expect("router", "ok", "opens no IPv6", "allow PCP or UPnP");
	v.state = PORTMAP_NONE;
	doctor_router(&d, &v, "IPv6");
	doctor_relay(&d, true);
	expect("relay", "ok", "there is a relay", "");
	end(true);
	begin();
	doctor_relay(&d, false);
	expect("relay", "bad", "no relay", "relay.enabled");
	end(false);
}

/* --- links and numbers -------------------------------------------------- */

static void a_link_that_goes_badly_is_told(void)
{
	struct doctor_link l[] = {
		{ .node = "2002", .jitter_ms = 5, .heard = 1000 },
		{ .node = "2003", .jitter_ms = 99, .loss_pct = 50, .heard = 9 },
	};

	begin();
	doctor_jitter(&d, l, 0);
	expect("jitter", "skipped", "not known", "");
	doctor_jitter(&d, l, 2);
	expect("jitter", "ok", "on 1 link", "");
	end(true);
	l[1].heard = DOCTOR_HEARD_MIN;
	begin();
	doctor_jitter(&d, l, 2);
	expect("jitter", "warn", "node 2003: jitter 99 ms", "cable");
	end(false);
	l[1].jitter_ms = DOCTOR_JITTER_MS;
	begin();
	doctor_jitter(&d, l, 2);
	expect("jitter", "warn", "loss 50.0 %", "mtr");
	end(false);
	l[1].loss_pct = DOCTOR_LOSS_PCT;
	begin();
	doctor_jitter(&d, l, 2);
	expect("jitter", "ok", "on 2 links", "");
	end(true);
}

static void the_ways_to_find_numbers_are_told(void)
{
	struct doctor_lookup l = {
		.domain = "example.org",
		.dns_trouble = "",
		.file = "/var/lib/nodes",
		.file_nodes = 9,
	};

	begin();
	doctor_lookup(&d, &l);
	expect("lookup", "ok", "9 nodes, 0 days old", "");
	end(true);
	l.asked = true;
	l.dns_trouble = "no answer";
	l.file_age_s = 86400;
	begin();
	doctor_lookup(&d, &l);
	expect("lookup", "warn", "example.org: no answer", "lookup.resolvers");
	expect("lookup", "warn", "1 days old", "fetches the file");
	end(false);
	l.file_age_s--;
	begin();
	doctor_lookup(&d, &l);
	expect("lookup", "warn", "example.org: no answer", "");
	expect("lookup", "ok", "0 days old", "");
	end(false);
	l.dns_trouble = "";
	l.file_trouble = "No such file or directory";
	begin();
	doctor_lookup(&d, &l);
	expect("lookup", "ok", "example.org: answers", "");
	expect("lookup", "warn", "No such file", "lookup.extnodes");
	end(false);
	l.domain = l.file = "";
	l.file_trouble = NULL;
	begin();
	doctor_lookup(&d, &l);
	end(true);
}

static void a_file_that_is_fetched_seldom_is_old_later(void)
{
	struct doctor_lookup l = {
		.domain = "",
		.dns_trouble = "",
		.file = "/var/lib/nodes",
		.file_nodes = 9,
		.file_age_s = 2 * 604800 - 1,
		.fetched = true,
		.fetch_s = 604800,
	};

	begin();
	doctor_lookup(&d, &l);
	expect("lookup", "ok", "9 nodes, 13 days old", "");
	end(true);
	l.file_age_s++;
	begin();
	doctor_lookup(&d, &l);
	expect("lookup", "warn", "14 days old", "lookup.extnodes_url");
	end(false);
	l.fetch_s = 900;
	l.file_age_s = 86399;
	l.fetch_trouble = "it answers with HTTP 404";
	begin();
	doctor_lookup(&d, &l);
	expect("lookup", "warn", "/var/lib/nodes is not fetched: it answers",
	       "lookup.extnodes_url");
	expect("lookup", "ok", "0 days old", "");
	end(false);
	l.file_trouble = "No such file or directory";
	begin();
	doctor_lookup(&d, &l);
	expect("lookup", "warn", "HTTP 404", "lookup.extnodes_url");
	expect("lookup", "warn", "No such file", "lookup.extnodes_url");
	end(false);
}

int main(void)
{
	T_RUN(a_registrar_that_has_us_is_well);
	T_RUN(a_wrong_key_is_told_with_what_has_to_be_entered);
	T_RUN(a_wrong_password_is_told);
	T_RUN(a_registrar_that_is_away_is_told);
	T_RUN(other_addresses_for_web_and_calls_are_told);
	T_RUN(none_at_all_is_told);
	T_RUN(names_that_are_not_found_are_told);
	T_RUN(a_blocked_port_is_told_from_a_registrar_that_is_down);
	T_RUN(a_machine_without_a_network_is_told);
	T_RUN(tcp_and_udp_by_other_addresses_are_told);
	T_RUN(a_good_translator_is_well);
	T_RUN(a_bad_translator_is_told);
	T_RUN(what_was_not_measured_is_told);
	T_RUN(routers_and_relays_are_told);
	T_RUN(a_link_that_goes_badly_is_told);
	T_RUN(the_ways_to_find_numbers_are_told);
	T_RUN(a_file_that_is_fetched_seldom_is_old_later);
	return T_DONE();
}
