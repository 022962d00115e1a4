/* SPDX-License-Identifier: MIT */

/* keyhole-registrar's settings. */

#include <string.h>

#include "config/conf_rows.h"

#define REGISTRAR(member) AT(struct conf_registrar, member)

static const char *const log_words[] = { "error", "warning", "info", "debug",
					 NULL };

static const struct conf_row registrar_rows[] = {
	{ "iax2.port", CONF_U32, REGISTRAR(iax2.port), .min = 1, .max = 65535,
	  .dflt = 4569, .help = "The UDP port to listen on." },
	{ "iax2.bind4", CONF_STRING, REGISTRAR(iax2.bind4), .text = "0.0.0.0",
	  .ok = conf_text_is_ipv4, .allowed = "an IPv4 address",
	  .help = "The IPv4 address to listen on; empty for no IPv4." },
	{ "iax2.bind6", CONF_STRING, REGISTRAR(iax2.bind6),
	  .text = "::", .ok = conf_text_is_ipv6, .allowed = "an IPv6 address",
	  .help = "The IPv6 address to listen on; empty for no IPv6." },
	{ "iax2.interface", CONF_STRING, REGISTRAR(iax2.interface),
	  .ok = conf_text_is_interface,
	  .allowed = "an interface's name of at most 15 characters",
	  .help = "The network interface to use alone, such as a VPN's; empty "
		  "for any. It may come later than the daemon, or go and come "
		  "back." },
	{ "iax2.calltoken_optional", CONF_TEXTS,
	  LIST_OF(struct conf_registrar, iax2.calltoken_optional, conf_prefixes,
		  CONF_PREFIXES_MAX),
	  .help = "Addresses of plain clients that know no call tokens, each "
		  "\"ADDRESS\" or \"ADDRESS/BITS\". All others must bring one: "
		  "it "
		  "proves their address.",
	  .flags = CONF_RELOAD },
	{ "registrar.key_file", CONF_PATH, REGISTRAR(registrar.key_file),
	  .min = 1, .text = "/var/lib/keyhole-registrar/registrar.key",
	  .help = "The registrar's identity, a file of mode 0600 as keyhole "
		  "keygen makes it." },
	{ "registrar.directory", CONF_PATH, REGISTRAR(registrar.directory),
	  .min = 1, .text = "/var/lib/keyhole-registrar/directory.db",
	  .help = "The SQLite file with the numbers and keys of the nodes, and "
		  "the names "
		  "and secrets of plain IAX2 clients." },
	{ "registrar.nodes_max", CONF_U32, REGISTRAR(registrar.nodes_max),
	  .min = 16, .max = 4000000, .dflt = 20000,
	  .help = "Nodes that the directory has room for; memory is set aside "
		  "at the start." },
	{ "registrar.plain_max", CONF_U32, REGISTRAR(registrar.plain_max),
	  .min = 0, .max = 65536, .dflt = 1024,
	  .help = "Plain IAX2 clients (Asterisk and others, with an MD5 "
		  "secret) "
		  "that the directory has room for." },
	{ "registrar.refresh_s", CONF_U32, REGISTRAR(registrar.refresh_s),
	  .min = 30, .max = 3600, .dflt = 1800, .unit = "s",
	  .flags = CONF_RELOAD,
	  .help = "How often nodes register again; plain clients may ask for "
		  "less." },
	{ "measure.port", CONF_U32, REGISTRAR(measure.port), .max = 65535,
	  .dflt = 1,
	  .help = "A second UDP port, by which nodes measure how their address "
		  "translators behave; 0 for none, 1 for the one after "
		  "iax2.port." },
	{ "measure.address", CONF_STRING, REGISTRAR(measure.address),
	  .ok = conf_text_is_ipv4, .allowed = "an IPv4 address",
	  .help = "A second public IPv4 address of this machine, for the same; "
		  "empty for none. Without it a node cannot tell "
		  "endpoint-independent translators from address-dependent "
		  "ones." },
	{ "measure.tcp", CONF_BOOL, REGISTRAR(measure.tcp), .dflt = true,
	  .help = "Whether to answer on the TCP port of iax2.port too: it "
		  "tells who connects its address." },
	{ "limits.registrations_per_min", CONF_U32,
	  REGISTRAR(limits.registrations_per_min), .min = 1, .max = 6000,
	  .dflt = 60, .unit = "a minute", .flags = CONF_RELOAD,
	  .help = "Steps of registrations, each of which takes two, that one "
		  "address may try for a number, and 16 times as many for all "
		  "numbers." },
	{ "limits.opens_per_min", CONF_U32, REGISTRAR(limits.opens_per_min),
	  .min = 1, .max = 6000, .dflt = 60, .unit = "a minute",
	  .flags = CONF_RELOAD,
	  .help = "Calls that one node may ask to be opened." },
	{ "limits.auth_failures_per_min", CONF_U32,
	  REGISTRAR(limits.auth_failures_per_min), .min = 1, .max = 6000,
	  .dflt = 20, .unit = "a minute", .flags = CONF_RELOAD,
	  .help = "Wrong passwords of plain clients that one address may try "
		  "for "
		  "a name, and 16 times as many for all names; beyond that it "
		  "is "
		  "not heard until the minute is over." },
	{ "limits.opens_max", CONF_U32, REGISTRAR(limits.opens_max), .min = 16,
	  .max = 1000000, .dflt = 4096,
	  .help = "Calls being opened at the same time, for all nodes." },
	{ "cluster.redis", CONF_STRING, REGISTRAR(cluster.redis),
	  .ok = conf_text_is_redis,
	  .allowed = "redis://HOST:PORT/DB or unix://PATH?db=DB",
	  .help = "The Redis or Valkey server through which several registrars "
		  "stand as one, redis://HOST:PORT/DB or unix://PATH?db=DB; "
		  "empty: this registrar stands alone." },
	{ "cluster.password_file", CONF_PATH, REGISTRAR(cluster.password_file),
	  .help = "A file of mode 0600 with that server's password; empty: "
		  "it asks for none." },
	{ "cluster.key_file", CONF_PATH, REGISTRAR(cluster.key_file),
	  .help = "A file of mode 0600, as keyhole keygen makes it, with the "
		  "key that all registrars of the cluster share: who has it "
		  "can pass for one of them, and who has not cannot, even "
		  "with access to the server." },
	{ "cluster.name", CONF_STRING, REGISTRAR(cluster.name),
	  .ok = conf_text_is_host,
	  .allowed = "at most 32 characters A-Z, a-z, 0-9, - _ and .",
	  .help = "This registrar's name, which no other of the cluster has; "
		  "empty: the host's name." },
	{ "relay.enabled", CONF_BOOL, REGISTRAR(relay.enabled),
	  .help = "Carry calls for nodes that nothing else leads to. It costs "
		  "the registrar's bandwidth, about 100 kbit/s each way for "
		  "each call." },
	{ "relay.address4", CONF_STRING, REGISTRAR(relay.address4),
	  .ok = conf_text_is_ipv4, .allowed = "an IPv4 address",
	  .help = "The public IPv4 address that leads to the relay's ports; "
		  "empty: this machine's own." },
	{ "relay.address6", CONF_STRING, REGISTRAR(relay.address6),
	  .ok = conf_text_is_ipv6, .allowed = "an IPv6 address",
	  .help = "The same for IPv6." },
	{ "relay.port_first", CONF_U32, REGISTRAR(relay.port_first),
	  .min = 1024, .max = 65535, .dflt = 20000,
	  .help = "The first UDP port of the relay; each node that uses it "
		  "takes one. A firewall has to let them in." },
	{ "relay.port_last", CONF_U32, REGISTRAR(relay.port_last), .min = 1024,
	  .max = 65535, .dflt = 20999, .help = "The last one." },
	{ "relay.kbit_s", CONF_U32, REGISTRAR(relay.kbit_s), .min = 16,
	  .max = 100000, .dflt = 512, .unit = "kbit/s",
	  .help = "What the relay carries for one node, each way." },
	{ "relay.peers", CONF_U32, REGISTRAR(relay.peers), .min = 8, .max = 32,
	  .dflt = 16,
	  .help = "With how many others one node may talk through it at the "
		  "same time." },
	{ "relay.idle_s", CONF_U32, REGISTRAR(relay.idle_s), .min = 10,
	  .max = 600, .dflt = 60, .unit = "s",
	  .help = "After this long without a word one of them is a stranger "
		  "again." },
	{ "https.port", CONF_U32, REGISTRAR(https.port), .max = 65535,
	  .dflt = 0,
	  .help = "The TCP port on which plain clients may register by HTTPS, "
		  "as with AllStarLink, and get the list of the nodes that "
		  "are online (/extnodes); 0: none." },
	{ "https.address", CONF_STRING, REGISTRAR(https.address), .min = 1,
	  .text = "0.0.0.0", .ok = conf_text_is_ipv4,
	  .allowed = "an IPv4 address",
	  .help = "The IPv4 address to listen on for it." },
	{ "https.cert_file", CONF_PATH, REGISTRAR(https.cert_file),
	  .help = "Its certificate, with those between it and the authority "
		  "(PEM). A newer one is noticed." },
	{ "https.key_file", CONF_PATH, REGISTRAR(https.key_file),
	  .help = "The certificate's private key (PEM), a file of mode 0600." },
	{ "dns.port", CONF_U32, REGISTRAR(dns.port), .max = 65535, .dflt = 0,
	  .help = "The UDP and TCP port on which to answer DNS questions for "
		  "the nodes that are online; 0: none." },
	{ "dns.address", CONF_STRING, REGISTRAR(dns.address), .min = 1,
	  .text = "0.0.0.0", .ok = conf_text_is_ipv4,
	  .allowed = "an IPv4 address",
	  .help = "The IPv4 address to listen on for it." },
	{ "dns.domain", CONF_STRING, REGISTRAR(dns.domain),
	  .ok = conf_text_is_domain, .allowed = "the name of a domain",
	  .help = "The domain in which the nodes have their names: node 2000 "
		  "is 2000.nodes. and this, as SRV, A and TXT." },
	{ "control.socket", CONF_PATH, REGISTRAR(control.socket), .min = 1,
	  .text = "/run/keyhole-registrar/registrar.sock",
	  .help = "The socket that the registrar's commands use." },
	{ "control.group", CONF_STRING, REGISTRAR(control.group), .min = 1,
	  .text = "keyhole", .ok = conf_text_is_group_name,
	  .allowed = "a group's name of at most 32 characters",
	  .help = "Who may use it." },
	{ "log.level", CONF_CHOICE, REGISTRAR(log.level), .words = log_words,
	  .dflt = CONF_LOG_INFO, .flags = CONF_RELOAD,
	  .help = "Log this and what is more severe." },
};

static bool registrar_has_a_family(const void *conf)
{
	const struct conf_registrar *c = conf;

	return c->iax2.bind4[0] || c->iax2.bind6[0];
}

static bool cluster_has_a_key(const void *conf)
{
	const struct conf_registrar *c = conf;

	return !c->cluster.redis[0] || c->cluster.key_file[0];
}

static bool https_has_its_files(const void *conf)
{
	const struct conf_registrar *c = conf;

	return c->https.port == 0 ||
	       (c->https.cert_file[0] && c->https.key_file[0]);
}

static bool dns_has_a_domain(const void *conf)
{
	const struct conf_registrar *c = conf;

	return c->dns.port == 0 || c->dns.domain[0];
}

static bool relay_ports_are_ordered(const void *conf)
{
	const struct conf_registrar *c = conf;

	return c->relay.port_last >= c->relay.port_first;
}

/* No node could be given such a port. */
static bool relay_ports_are_free(const void *conf)
{
	const struct conf_registrar *c = conf;
	const uint32_t iax2 = c->iax2.port;
	const uint32_t second =
		c->measure.port == 1 ? iax2 + 1 : c->measure.port;

	return !c->relay.enabled ||
	       ((iax2 < c->relay.port_first || iax2 > c->relay.port_last) &&
		(second < c->relay.port_first || second > c->relay.port_last));
}

static const struct conf_rule registrar_rules[] = {
	{ "cluster.key_file", cluster_has_a_key,
	  "cluster.redis is set and cluster.key_file is not; allowed: both, or "
	  "neither" },
	{ "https.port", https_has_its_files,
	  "https.port is set and https.cert_file or https.key_file is not; "
	  "allowed: all three, or port 0" },
	{ "dns.port", dns_has_a_domain,
	  "dns.port is set and dns.domain is not; allowed: both, or port 0" },
	{ "relay.port_last", relay_ports_are_ordered,
	  "relay.port_last is less than relay.port_first; allowed: the same or "
	  "more" },
	{ "relay.port_first", relay_ports_are_free,
	  "relay.port_first to relay.port_last hold iax2.port or measure.port; "
	  "allowed: ports of their own" },
	{ "iax2.bind6", registrar_has_a_family,
	  "iax2.bind4 and iax2.bind6 are both empty; allowed: one of them" },
};

const struct conf_table conf_registrar_table = {
	.scope = { .rows = registrar_rows,
		   .n = COUNT(registrar_rows),
		   .size = sizeof(struct conf_registrar) },
	.rules = registrar_rules,
	.rules_n = COUNT(registrar_rules),
	.file = "/etc/keyhole/registrar.conf",
	.about = "keyhole-registrar, the registration server",
};

void conf_registrar_defaults(struct conf_registrar *out)
{
	conf_values_default(&conf_registrar_table.scope, out);
}

void conf_registrar_free(struct conf_registrar *c)
{
	conf_values_free(&conf_registrar_table.scope, c);
}
