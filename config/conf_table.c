/* SPDX-License-Identifier: MIT */

#include "config/conf_table.h"

#include <string.h>
#include <strings.h>

/* Where a row's member is; a list's, with its entries and their number. */
#define AT(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define NODE(member) AT(struct conf_node, member)
#define REGISTRAR(member) AT(struct conf_registrar, member)
#define LIST_OF(type, member, scope, most)                             \
	.offset = offsetof(type, member), .size = sizeof(void *),      \
	.count_offset = offsetof(type, member##_n), .items = &(scope), \
	.max = (most)
#define LIST(member, scope, most) LIST_OF(struct conf_node, member, scope, most)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* It parses, and is nobody's. */
#define EXAMPLE_KEY "ZXhhbXBsZS1rZXktcmVwbGFjZS13aXRoLXlvdXJzISE="

static const char *const accept_words[] = { "registered", "listed", NULL };
static const char *const radio_words[] = { "none", "sim", "alsa", "cm108",
					   NULL };
static const char *const hwtype_words[] = { "fob", "dingotel", "n1kdo",
					    "custom", NULL };
static const char *const line_words[] = {
	"auto",  "volume_up", "volume_down", "mute_play", "mute_record",
	"hook",  "gpio1",     "gpio2",       "gpio3",     "gpio4",
	"gpio5", "gpio6",     "gpio7",       "gpio8",     NULL
};
static const char *const sense_words[] = { "no", "usb", "usbinvert", NULL };
static const char *const codec_words[] = { "ulaw", "alaw",     "slin16",
					   "slin", "g726aal2", "adpcm",
					   "gsm",  NULL };
static const char *const lookup_words[] = { "nodes", "dns", "extnodes",
					    "registrar", NULL };
static const char *const https_words[] = { "no", "auto", "only", NULL };
static const char *const relay_words[] = { "never", "last", "always", NULL };
static const char *const cor_words[] = { "auto",      "cor",       "ctcss",
					 "vox",       "cor+ctcss", "vox+ctcss",
					 "cor/ctcss", "cor/vox",   NULL };
static const char *const others_words[] = { "off", "asked", "on", NULL };
static const char *const switch_words[] = { "auto", "on", "off", NULL };
static const char *const levels_words[] = { "config", "eeprom", NULL };
static const char *const dtmf_words[] = { "off", "decode", "mute", NULL };
static const char *const ctcss_end_words[] = { "silence", "reverse", NULL };
static const char *const does_words[] = { "none",
					  "disconnect",
					  "monitor",
					  "connect",
					  "local-monitor",
					  "disconnect-permanent",
					  "permanent-monitor",
					  "permanent-connect",
					  "permanent-local-monitor",
					  "remote",
					  "status",
					  "full-status",
					  "last-keyed",
					  "all-off",
					  "restore",
					  "time",
					  "version",
					  "identify",
					  "parrot-on",
					  "parrot-off",
					  "macro",
					  "event",
					  NULL };
static const char *const mode_words[] = { "transceive", "monitor",
					  "local-monitor", NULL };
static const char *const log_words[] = { "error", "warning", "info", "debug",
					 NULL };

/* A password goes there. */
static bool conf_text_is_https(const char *text)
{
	return conf_text_is_url(text) &&
	       (text[0] == '\0' || strncmp(text, "https", 5) == 0);
}

/* The entries of lists. */

static const struct conf_row registrar_ref_rows[] = {
	{ "host", CONF_STRING, AT(struct conf_registrar_ref, host), .min = 1,
	  .ok = conf_text_is_host, .allowed = "a DNS name or an address",
	  .example = "registrar.example.org", .flags = CONF_REQUIRED,
	  .help = "Where the registrar is." },
	{ "port", CONF_U32, AT(struct conf_registrar_ref, port), .min = 1,
	  .max = 65535, .dflt = 4569, .help = "Its UDP port." },
	{ "key", CONF_KEY, AT(struct conf_registrar_ref, key),
	  .example = EXAMPLE_KEY,
	  .help = "The public key of an OPEN/OVER registrar. A registrar with "
		  "another key is not believed. Leave it out for a plain IAX2 "
		  "registrar, such as Asterisk's." },
	{ "username", CONF_STRING, AT(struct conf_registrar_ref, username),
	  .help = "The user name with a plain IAX2 registrar; empty: the "
		  "node's number." },
	{ "secret_file", CONF_PATH, AT(struct conf_registrar_ref, secret_file),
	  .help = "A file of mode 0600 with the secret shared with a plain "
		  "IAX2 registrar." },
	{ "https", CONF_CHOICE, AT(struct conf_registrar_ref, https),
	  .words = https_words, .dflt = CONF_HTTPS_NO,
	  .help = "Whether to register by HTTPS with a registrar of "
		  "AllStarLink's kind: no (by IAX2), only, or auto: by HTTPS "
		  "when it shows the same address as IAX2 does, else by IAX2, "
		  "and never by both at once." },
	{ "url", CONF_STRING, AT(struct conf_registrar_ref, url),
	  .ok = conf_text_is_https, .allowed = "an address https://HOST/PATH",
	  .help = "Where to register by HTTPS; empty: https://, the host and "
		  "a slash." },
};

static const struct conf_row peer_rows[] = {
	{ "number", CONF_STRING, AT(struct conf_peer, number), .min = 1,
	  .ok = conf_text_is_pattern,
	  .allowed = "1 to 15 digits in quotes; X for any digit, and * at the "
		     "end for "
		     "any that follow",
	  .example = "1998", .flags = CONF_REQUIRED,
	  .help = "The node's number. \"19XX\" or \"19*\" says where to call "
		  "all whose numbers begin so and are not listed otherwise." },
	{ "host", CONF_STRING, AT(struct conf_peer, host),
	  .ok = conf_text_is_host, .allowed = "a DNS name or an address",
	  .help = "Where to call it; empty: it is only recognised when it "
		  "calls." },
	{ "port", CONF_U32, AT(struct conf_peer, port), .min = 1, .max = 65535,
	  .dflt = 4569, .help = "Its UDP port." },
	{ "key", CONF_KEY, AT(struct conf_peer, key), .example = EXAMPLE_KEY,
	  .help = "Its public key, if it has one. A registrar that names "
		  "another "
		  "key for its number is not believed." },
	{ "secret_file", CONF_PATH, AT(struct conf_peer, secret_file),
	  .help = "A file of mode 0600 with the secret shared with a node that "
		  "has no key; empty for none." },
};

static bool is_code(const char *text)
{
	return text[0] && text[strspn(text, "0123456789ABCD")] == '\0';
}

static bool is_macro(const char *text)
{
	return text[strspn(text, "0123456789ABCD*#")] == '\0';
}

static bool is_identification(const char *text)
{
	return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/ ")] ==
	       '\0';
}

static const struct conf_row function_rows[] = {
	{ "code", CONF_STRING, AT(struct conf_function, code), .min = 1,
	  .ok = is_code, .allowed = "1 to 32 of 0-9 and A-D, in quotes",
	  .example = "51", .flags = CONF_REQUIRED,
	  .help = "What is dialled after *." },
	{ "does", CONF_CHOICE, AT(struct conf_function, does),
	  .words = does_words, .dflt = CONF_DOES_NONE, .example = "macro",
	  .help = "What it does; \"none\" takes a usual code away. Those "
		  "from disconnect to remote are followed by a node's "
		  "number; \"remote\" sends the digits that follow to that "
		  "node, until #; \"event\" is left to a program that "
		  "listens." },
	{ "digits", CONF_STRING, AT(struct conf_function, digits),
	  .ok = is_macro, .allowed = "at most 32 of 0-9, A-D, * and #",
	  .example = "*32000", .help = "What a macro dials." },
	{ "links", CONF_BOOL, AT(struct conf_function, links),
	  .help = "Whether nodes that are linked may dial it as well." },
};

static const struct conf_row link_rows[] = {
	{ "node", CONF_NODE, AT(struct conf_link, node), .min = 1,
	  .example = "1998", .flags = CONF_REQUIRED,
	  .help = "The node to be linked to." },
	{ "mode", CONF_CHOICE, AT(struct conf_link, mode), .words = mode_words,
	  .dflt = CONF_MODE_TRANSCEIVE,
	  .help = "Both hear each other (transceive), or it is heard and hears "
		  "nothing: by all that are linked (monitor), or by this "
		  "node's radio alone (local-monitor)." },
};

static bool is_event(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz_")] == '\0';
}

static const struct conf_row event_rows[] = {
	{ "", CONF_STRING, AT(struct conf_event, text), .min = 1,
	  .ok = is_event, .allowed = "the name of an event" },
};

/* A link bears it, where nodes have numbers; and AllStarLink has its own. */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool is_user(const char *text)
{
	return strpbrk(text, LETTERS) &&
	       text[strspn(text, LETTERS "0123456789-./")] == '\0' &&
	       strcmp(text, "allstar-sys") != 0 &&
	       strcmp(text, "allstar-public") != 0 &&
	       strcmp(text, "radio") != 0;
}

static bool is_short_sign(const char *text)
{
	return text[0] == '\0' ||
	       (conf_text_is_callsign(text) && is_user(text));
}

static const struct conf_row user_rows[] = {
	{ "name", CONF_STRING, AT(struct conf_user, name), .min = 1,
	  .ok = is_user,
	  .allowed = "at most 15 letters, digits, -, . and /, a letter "
		     "among them; not radio, allstar-sys or allstar-public",
	  .example = "alice", .flags = CONF_REQUIRED,
	  .help = "The user name that it calls with." },
	{ "callsign", CONF_STRING, AT(struct conf_user, callsign),
	  .ok = is_short_sign,
	  .allowed = "at most 8 letters, digits, / and -, a letter among them",
	  .help = "What its link is called; empty: as the user." },
	{ "secret_file", CONF_PATH, AT(struct conf_user, secret_file), .min = 1,
	  .example = "/etc/keyhole/alice.secret", .flags = CONF_REQUIRED,
	  .help = "A file of mode 0600 with the secret shared with that "
		  "user." },
};

static const struct conf_row caller_rows[] = {
	{ "", CONF_CALLER, .size = sizeof(struct conf_caller) },
};

static const struct conf_row prefix_rows[] = {
	{ "", CONF_STRING, AT(struct conf_prefix, text), .min = 1,
	  .ok = conf_text_is_prefix,
	  .allowed = "an address, or an address, a slash and the bits that "
		     "count" },
};

static const struct conf_row resolver_rows[] = {
	{ "", CONF_STRING, AT(struct conf_resolver, text), .min = 1,
	  .ok = conf_text_is_server,
	  .allowed = "an address, or ADDRESS:PORT or [IPV6]:PORT" },
};

/* What is no source is the same as none. */
static const struct conf_row lookup_rows[] = {
	{ "", CONF_CHOICE, .size = sizeof(enum conf_lookup),
	  .words = lookup_words, .dflt = CONF_LOOKUPS },
};

/* What is no codec is the same as none. */
static const struct conf_row codec_rows[] = {
	{ "", CONF_CHOICE, .size = sizeof(enum conf_codec),
	  .words = codec_words, .dflt = CONF_CODECS },
};

static const struct conf_scope registrar_refs = {
	registrar_ref_rows,
	COUNT(registrar_ref_rows),
	sizeof(struct conf_registrar_ref),
};
static const struct conf_scope peers = {
	peer_rows,
	COUNT(peer_rows),
	sizeof(struct conf_peer),
};
static const struct conf_scope users = {
	user_rows,
	COUNT(user_rows),
	sizeof(struct conf_user),
};
static const struct conf_scope callers = {
	caller_rows,
	COUNT(caller_rows),
	sizeof(struct conf_caller),
};

static const struct conf_scope links = {
	link_rows,
	COUNT(link_rows),
	sizeof(struct conf_link),
};

static const struct conf_scope functions = {
	function_rows,
	COUNT(function_rows),
	sizeof(struct conf_function),
};

static const struct conf_scope events = {
	event_rows,
	COUNT(event_rows),
	sizeof(struct conf_event),
};

static const struct conf_scope prefixes = {
	prefix_rows,
	COUNT(prefix_rows),
	sizeof(struct conf_prefix),
};

static const struct conf_scope codecs = {
	codec_rows,
	COUNT(codec_rows),
	sizeof(enum conf_codec),
};

static const struct conf_scope resolvers = {
	resolver_rows,
	COUNT(resolver_rows),
	sizeof(struct conf_resolver),
};

static const struct conf_scope lookups = {
	lookup_rows,
	COUNT(lookup_rows),
	sizeof(enum conf_lookup),
};

static bool same_registrar(const void *a, const void *b)
{
	const struct conf_registrar_ref *one = a, *other = b;

	return one->host[0] && strcasecmp(one->host, other->host) == 0 &&
	       one->port == other->port;
}

static const char *wrong_registrar(const void *entry)
{
	const struct conf_registrar_ref *r = entry;
	const bool plain = r->username[0] || r->secret_file[0];

	if (r->key.set && plain)
		return "has a key and also a username or secret_file; allowed: "
		       "key for an OPEN/OVER registrar, the others for a plain "
		       "one";
	if (r->key.set && r->https != CONF_HTTPS_NO)
		return "has a key and also https; allowed: https for a plain "
		       "registrar";
	if (!r->key.set && !r->secret_file[0])
		return "has neither key nor secret_file; allowed: key for an "
		       "OPEN/OVER registrar, secret_file for a plain one";
	return NULL;
}

static bool same_peer(const void *a, const void *b)
{
	const struct conf_peer *one = a, *other = b;

	return one->number[0] && strcmp(one->number, other->number) == 0;
}

static const char *wrong_peer(const void *entry)
{
	const struct conf_peer *p = entry;

	if (!strpbrk(p->number, "X*"))
		return NULL;
	if (!p->host[0])
		return "is a pattern without a host; allowed: a host, or the "
		       "number of one node";
	if (p->key.set || p->secret_file[0])
		return "is a pattern with a key or secret_file; allowed: these "
		       "for the number of one node";
	return NULL;
}

static bool same_event(const void *a, const void *b)
{
	const struct conf_event *one = a, *other = b;

	return strcmp(one->text, other->text) == 0;
}

static bool same_link(const void *a, const void *b)
{
	const struct conf_link *one = a, *other = b;

	return one->node[0] && strcmp(one->node, other->node) == 0;
}

static bool same_function(const void *a, const void *b)
{
	const struct conf_function *one = a, *other = b;

	return one->code[0] && strcmp(one->code, other->code) == 0;
}

static const char *wrong_function(const void *entry)
{
	const struct conf_function *f = entry;

	if ((f->does == CONF_DOES_MACRO) != (f->digits[0] != '\0'))
		return "has digits and is no macro, or is a macro without; "
		       "allowed: digits for a macro";
	return NULL;
}

static bool same_user(const void *a, const void *b)
{
	const struct conf_user *one = a, *other = b;

	return one->name[0] && strcmp(one->name, other->name) == 0;
}

static bool same_resolver(const void *a, const void *b)
{
	const struct conf_resolver *one = a, *other = b;

	return strcasecmp(one->text, other->text) == 0;
}

static bool same_lookup(const void *a, const void *b)
{
	const enum conf_lookup *one = a, *other = b;

	return *one != CONF_LOOKUPS && *one == *other;
}

static bool same_caller(const void *a, const void *b)
{
	const struct conf_caller *one = a, *other = b;

	if (one->key.set && other->key.set)
		return memcmp(one->key.octets, other->key.octets,
			      CONF_KEY_LEN) == 0;
	return one->number[0] && strcmp(one->number, other->number) == 0;
}

static bool same_prefix(const void *a, const void *b)
{
	const struct conf_prefix *one = a, *other = b;

	return strcasecmp(one->text, other->text) == 0;
}

static bool same_codec(const void *a, const void *b)
{
	const enum conf_codec *one = a, *other = b;

	return *one != CONF_CODECS && *one == *other;
}

/* keyholed */

static const struct conf_row node_rows[] = {
	{ "node.number", CONF_NODE, NODE(node.number), .min = 1,
	  .example = "1999", .flags = CONF_REQUIRED,
	  .help = "This node's number." },
	{ "node.key_file", CONF_PATH, NODE(node.key_file), .min = 1,
	  .text = "/var/lib/keyhole/node.key",
	  .help = "This node's identity, a file of mode 0600 as keyhole keygen "
		  "makes it." },
	{ "node.callsign", CONF_STRING, NODE(node.callsign),
	  .ok = conf_text_is_callsign,
	  .allowed = "at most 15 letters, digits, / and -",
	  .help = "The callsign told to other nodes; empty for none." },
	{ "iax2.port", CONF_U32, NODE(iax2.port), .min = 1, .max = 65535,
	  .dflt = 4569, .help = "The UDP port to listen on." },
	{ "iax2.bind4", CONF_STRING, NODE(iax2.bind4), .text = "0.0.0.0",
	  .ok = conf_text_is_ipv4, .allowed = "an IPv4 address",
	  .help = "The IPv4 address to listen on; empty for no IPv4." },
	{ "iax2.bind6", CONF_STRING, NODE(iax2.bind6),
	  .text = "::", .ok = conf_text_is_ipv6, .allowed = "an IPv6 address",
	  .help = "The IPv6 address to listen on; empty for no IPv6." },
	{ "iax2.interface", CONF_STRING, NODE(iax2.interface),
	  .ok = conf_text_is_interface,
	  .allowed = "an interface's name of at most 15 characters",
	  .help = "The network interface to use alone, such as a VPN's; empty "
		  "for any. It may come later than the daemon, or go and come "
		  "back." },
	{ "iax2.calls_max", CONF_U32, NODE(iax2.calls_max), .min = 1,
	  .max = 8192, .dflt = 64,
	  .help = "Calls at the same time, of some 30 kB of memory each; 64 of "
		  "them may talk at once. A quarter is kept for calls that "
		  "this "
		  "node places and those that a registrar vouches for." },
	{ "iax2.calltoken_optional", CONF_TEXTS,
	  LIST(iax2.calltoken_optional, prefixes, CONF_PREFIXES_MAX),
	  .same = same_prefix, .same_what = "address",
	  .help = "Addresses of callers that know no call tokens, each "
		  "\"ADDRESS\" or \"ADDRESS/BITS\". All others must bring one: "
		  "it "
		  "proves their address." },
	{ "iax2.codecs", CONF_TEXTS, LIST(iax2.codecs, codecs, CONF_CODECS),
	  .same = same_codec, .same_what = "name",
	  .help = "The codecs to speak, the preferred one first; empty for all "
		  "of them in the order named here." },
	{ "registrars", CONF_GROUPS,
	  LIST(registrars, registrar_refs, CONF_REGISTRARS_MAX),
	  .same = same_registrar, .same_what = "host and port",
	  .wrong = wrong_registrar,
	  .help = "The registrars that this node registers with, so that "
		  "others can call it by its number from behind any NAT." },
	{ "keepalive.interval_s", CONF_U32, NODE(keepalive.interval_s),
	  .min = 5, .max = 120, .dflt = 15, .unit = "s",
	  .help = "How often a registrar is pinged to keep the way to it open "
		  "through NAT, until it was measured how long it stays "
		  "open." },
	{ "keepalive.max_s", CONF_U32, NODE(keepalive.max_s), .max = 120,
	  .dflt = 120, .unit = "s",
	  .help = "The longest time between two such pings when the way stays "
		  "open so long; 0 for interval_s always." },
	{ "accept.default", CONF_CHOICE, NODE(accept.by_default),
	  .words = accept_words, .dflt = CONF_ACCEPT_REGISTERED,
	  .flags = CONF_RELOAD,
	  .help = "Who may call: \"registered\" is any caller that a registrar "
		  "vouches for, \"listed\" is accept.allow only." },
	{ "accept.allow", CONF_TEXTS,
	  LIST(accept.allow, callers, CONF_CALLERS_MAX), .same = same_caller,
	  .same_what = "caller", .flags = CONF_RELOAD,
	  .help = "Callers that are welcome, each a node number or a public "
		  "key." },
	{ "accept.deny", CONF_TEXTS,
	  LIST(accept.deny, callers, CONF_CALLERS_MAX), .same = same_caller,
	  .same_what = "caller", .flags = CONF_RELOAD,
	  .help = "Callers that are refused, each a node number or a public "
		  "key." },
	{ "accept.by_address", CONF_BOOL, NODE(accept.by_address),
	  .flags = CONF_RELOAD,
	  .help = "Let a caller in who brings neither a registrar's word nor a "
		  "key or secret of peers, when it calls from the address "
		  "where its number is found (see lookup), as AllStarLink's "
		  "nodes do. The lists above hold for it too; a number under "
		  "2000 has to be in peers." },
	{ "accept.users", CONF_GROUPS,
	  LIST(accept.users, users, CONF_USERS_MAX), .same = same_user,
	  .same_what = "name", .flags = CONF_RELOAD,
	  .help = "Users who call with a program for people and prove "
		  "themselves with a secret (MD5)." },
	{ "accept.portal_key_file", CONF_PATH, NODE(accept.portal_key_file),
	  .flags = CONF_RELOAD,
	  .help = "The public key (RSA, PEM) of AllStarLink's telephone "
		  "portal, whose users are let in; empty: they are not." },
	{ "accept.web_url", CONF_STRING, NODE(accept.web_url),
	  .ok = conf_text_is_https, .allowed = "an address https://HOST/PATH",
	  .help = "Where to ask whose a token of AllStarLink's web transceiver "
		  "is, such as \"https://register.allstarlink.org/cgi-bin/"
		  "authwebphone.pl\": those that it knows are let in. Empty: "
		  "nobody is asked, and nobody let in." },
	{ "peers", CONF_GROUPS, LIST(peers, peers, CONF_PEERS_MAX),
	  .same = same_peer, .same_what = "number", .wrong = wrong_peer,
	  .flags = CONF_RELOAD, .help = "Nodes known without a registrar." },
	{ "links", CONF_GROUPS, LIST(links, links, CONF_LINKS_MAX),
	  .same = same_link, .same_what = "node", .flags = CONF_RELOAD,
	  .help = "Permanent links, placed at the start and on reload; one "
		  "that is lost is dialled again for ever. It is enough that "
		  "one "
		  "of two nodes has the other here." },
	{ "lookup.order", CONF_TEXTS, LIST(lookup.order, lookups, CONF_LOOKUPS),
	  .same = same_lookup, .same_what = "source", .flags = CONF_RELOAD,
	  .help = "Where the number of a node is looked up that is dialled, "
		  "until it is found: \"nodes\" is the peers above, \"dns\" "
		  "the name servers, \"extnodes\" the file, \"registrar\" the "
		  "OPEN/OVER registrars; empty for all, in this order." },
	{ "lookup.domain", CONF_STRING, NODE(lookup.domain),
	  .ok = conf_text_is_domain,
	  .allowed = "a DNS name of at most 200 octets", .flags = CONF_RELOAD,
	  .help = "The domain whose DNS knows nodes, by _iax._udp.NUMBER.nodes "
		  "in it; empty for none. AllStarLink's is "
		  "\"allstarlink.org\"." },
	{ "lookup.digits_min", CONF_U32, NODE(lookup.digits_min), .min = 1,
	  .max = 15, .dflt = 4, .flags = CONF_RELOAD,
	  .help = "Numbers of fewer digits are not asked for there." },
	{ "lookup.digits_max", CONF_U32, NODE(lookup.digits_max), .min = 1,
	  .max = 15, .dflt = 6, .flags = CONF_RELOAD,
	  .help = "Nor those of more; not less than lookup.digits_min." },
	{ "lookup.resolvers", CONF_TEXTS,
	  LIST(lookup.resolvers, resolvers, CONF_RESOLVERS_MAX),
	  .same = same_resolver, .same_what = "server", .flags = CONF_RELOAD,
	  .help = "The name servers to ask for it, such as \"192.0.2.53\" or "
		  "\"[2001:db8::53]:5353\", the next when one does not answer "
		  "within a second; empty for those of the system." },
	{ "lookup.extnodes", CONF_PATH, NODE(lookup.extnodes),
	  .flags = CONF_RELOAD,
	  .help = "A file of nodes as AllStarLink hands it out, "
		  "NUMBER=USER@IP:PORT/NUMBER,IP a line; read again when it "
		  "changes; empty for none." },
	{ "lookup.extnodes_url", CONF_STRING, NODE(lookup.extnodes_url),
	  .ok = conf_text_is_https, .allowed = "an address https://HOST/PATH",
	  .help = "Where to fetch that file, which the daemon then has to be "
		  "able to write; empty: it is not fetched. AllStarLink's is "
		  "\"https://snodes.allstarlink.org/gennodes.php\", that of a "
		  "registrar of Keyhole \"https://HOST/extnodes\"." },
	{ "lookup.extnodes_s", CONF_U32, NODE(lookup.extnodes_s), .min = 300,
	  .max = 604800, .dflt = 900, .unit = "s", .help = "How often." },
	{ "commands.radio", CONF_BOOL, NODE(commands.radio), .dflt = true,
	  .flags = CONF_RELOAD,
	  .help = "Whether the radio's DTMF digits are commands." },
	{ "commands.links", CONF_BOOL, NODE(commands.links), .dflt = true,
	  .flags = CONF_RELOAD,
	  .help = "Whether those of linked nodes are, for the functions that "
		  "links may use." },
	{ "commands.usual", CONF_BOOL, NODE(commands.usual), .dflt = true,
	  .flags = CONF_RELOAD,
	  .help = "Whether the usual codes are there: *1 to *4 and a number "
		  "disconnect, monitor, connect and command a node, *70 tells "
		  "the status, *71 ends all links, *72 tells who keyed last, "
		  "*73 is the full status, *74 restores the links, *75 "
		  "monitors locally, *80 identifies, *81 tells the time, *811 "
		  "to *813 and *818 are for permanent links, *980 tells the "
		  "version, *921 and *922 turn the parrot on and off." },
	{ "commands.number_min", CONF_U32, NODE(commands.number_min), .min = 1,
	  .max = 15, .dflt = 4, .flags = CONF_RELOAD,
	  .help = "A node's number that is dialled has so many digits at "
		  "least: then # or 3 s without a digit complete it." },
	{ "commands.number_max", CONF_U32, NODE(commands.number_max), .min = 1,
	  .max = 15, .dflt = 6, .flags = CONF_RELOAD,
	  .help = "It is complete at once with so many; not less than "
		  "commands.number_min." },
	{ "functions", CONF_GROUPS,
	  LIST(functions, functions, CONF_FUNCTIONS_MAX), .same = same_function,
	  .same_what = "code", .wrong = wrong_function, .flags = CONF_RELOAD,
	  .help = "Codes of your own, or others for the usual ones." },
	{ "limits.calls_per_address", CONF_U32, NODE(limits.calls_per_address),
	  .min = 1, .max = 8192, .dflt = 8,
	  .help = "Calls that one address may have with this node at the "
		  "same time. An IPv6 /64 counts as one address." },
	{ "limits.half_open", CONF_U32, NODE(limits.half_open), .min = 1,
	  .max = 8192, .dflt = 32,
	  .help = "Calls that are not yet up, at the same time." },
	{ "limits.half_open_per_address", CONF_U32,
	  NODE(limits.half_open_per_address), .min = 1, .max = 8192, .dflt = 4,
	  .help = "Those of one address." },
	{ "limits.calls_per_s", CONF_U32, NODE(limits.calls_per_s), .min = 1,
	  .max = 1000, .dflt = 4, .unit = "a second",
	  .help = "New calls of one address." },
	{ "limits.auth_failures_per_min", CONF_U32,
	  NODE(limits.auth_failures_per_min), .min = 1, .max = 1000, .dflt = 10,
	  .unit = "a minute",
	  .help = "Failed authentications of one number at an address, and 16 "
		  "times as many of the address, before its calls are refused "
		  "for a while." },
	{ "open.spray", CONF_BOOL, NODE(open.spray), .dflt = true,
	  .help = "Probe many ports when a port-translating NAT is in the "
		  "way." },
	{ "open.spray_packets", CONF_U32, NODE(open.spray_packets), .max = 8192,
	  .dflt = 2048, .help = "Datagrams that one such probing may take." },
	{ "open.spray_sockets", CONF_U32, NODE(open.spray_sockets), .max = 1024,
	  .dflt = 256, .help = "Sockets that one such probing may take." },
	{ "map.enabled", CONF_BOOL, NODE(map.enabled), .dflt = true,
	  .help = "Ask the router, by PCP, NAT-PMP or UPnP, to let callers "
		  "through to iax2.port." },
	{ "map.lifetime_s", CONF_U32, NODE(map.lifetime_s), .min = 120,
	  .max = 86400, .dflt = 3600, .unit = "s",
	  .help = "How long the router is to keep that up when this node no "
		  "longer asks; it is renewed in time." },
	{ "relay.use", CONF_CHOICE, NODE(relay.use), .words = relay_words,
	  .dflt = CONF_RELAY_LAST,
	  .help = "Whether to use a registrar's relay: \"last\" when nothing "
		  "else leads to a node, \"always\" to have an address for "
		  "plain IAX2 callers too, from which calls to plain nodes "
		  "leave, \"never\"." },
	{ "radio.type", CONF_CHOICE, NODE(radio.type), .words = radio_words,
	  .dflt = CONF_RADIO_NONE,
	  .help = "The radio interface: \"cm108\" is a USB sound fob that also "
		  "keys, \"alsa\" a sound card that is keyed by other means or "
		  "not at all, \"sim\" needs no hardware." },
	{ "radio.timeout_s", CONF_U32, NODE(radio.timeout_s), .min = 10,
	  .max = 600, .dflt = 180, .unit = "s", .flags = CONF_RELOAD,
	  .help = "The transmitter is unkeyed after this long without a "
		  "pause." },
	{ "radio.hang_ms", CONF_U32, NODE(radio.hang_ms), .max = 5000,
	  .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long the transmitter stays keyed after the last word." },
	{ "radio.duplex", CONF_U32, NODE(radio.duplex), .max = 5, .dflt = 5,
	  .flags = CONF_RELOAD,
	  .help = "0: half duplex without tones and hang time; 1: half duplex, "
		  "nothing is transmitted while somebody is received; 2: a "
		  "repeater; 3: keyed as a repeater, but the radio repeats by "
		  "itself; 4: as 2, but not during a telephone patch; 5: as 1, "
		  "but a simulated radio transmits what the links say while it "
		  "receives." },
	{ "cor.source", CONF_CHOICE, NODE(cor.source), .words = cor_words,
	  .dflt = CONF_COR_AUTO, .flags = CONF_RELOAD,
	  .help = "What tells that somebody is received: the radio's squelch "
		  "(cor), its CTCSS output or cor.ctcss (ctcss), the sound "
		  "itself (vox); + is both, / is either, \"auto\" is vox for "
		  "radio.type \"alsa\" and cor for others." },
	{ "cor.attack_ms", CONF_U32, NODE(cor.attack_ms), .max = 1000,
	  .dflt = 20, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "It counts once it has lasted so long." },
	{ "cor.release_ms", CONF_U32, NODE(cor.release_ms), .max = 2000,
	  .dflt = 40, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "It is over once it has been gone for so long." },
	{ "cor.tail_ms", CONF_U32, NODE(cor.tail_ms), .max = 1000, .unit = "ms",
	  .flags = CONF_RELOAD,
	  .help = "How long received sound is held back, so that the noise "
		  "before the squelch shuts can be cut off: of what came in "
		  "the last tail_ms less release_ms nothing is heard." },
	{ "cor.kerchunk_ms", CONF_U32, NODE(cor.kerchunk_ms), .max = 2000,
	  .unit = "ms", .flags = CONF_RELOAD,
	  .help = "After a long silence, what is shorter than this is not "
		  "heard; what is longer is heard from its start, so much "
		  "later. 0 for no such filter, else more than attack_ms." },
	{ "cor.kerchunk_idle_s", CONF_U32, NODE(cor.kerchunk_idle_s),
	  .max = 3600, .dflt = 60, .unit = "s", .flags = CONF_RELOAD,
	  .help = "How long that silence is." },
	{ "cor.stuck_s", CONF_U32, NODE(cor.stuck_s), .min = 30, .max = 3600,
	  .dflt = 600, .unit = "s", .flags = CONF_RELOAD,
	  .help = "A receiver that is open for longer is not believed until "
		  "it has closed." },
	{ "cor.vox_db", CONF_U32, NODE(cor.vox_db), .min = 6, .max = 60,
	  .dflt = 30, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale sound still counts, for vox." },
	{ "cor.vox_ms", CONF_U32, NODE(cor.vox_ms), .max = 5000, .dflt = 800,
	  .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long a pause between words may be, for vox." },
	{ "cor.ctcss", CONF_STRING, NODE(cor.ctcss), .ok = conf_text_is_ctcss,
	  .allowed = "a tone from \"60.0\" to \"260.0\" Hz",
	  .flags = CONF_RELOAD,
	  .help = "The CTCSS tone to look for in the received sound, such as "
		  "\"88.5\"; empty for none." },
	{ "ptt.key_up_ms", CONF_U32, NODE(ptt.key_up_ms), .max = 1000,
	  .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long the transmitter takes to be heard; all sound waits "
		  "for it, so that no syllable is lost." },
	{ "ptt.courtesy_hz", CONF_U32, NODE(ptt.courtesy_hz), .max = 4000,
	  .unit = "Hz", .flags = CONF_RELOAD,
	  .help = "A tone after each over, at least 100 Hz; 0 for none." },
	{ "ptt.courtesy_ms", CONF_U32, NODE(ptt.courtesy_ms), .max = 2000,
	  .dflt = 100, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long it sounds." },
	{ "ptt.courtesy_wait_ms", CONF_U32, NODE(ptt.courtesy_wait_ms),
	  .max = 2000, .dflt = 300, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long after the over." },
	{ "ptt.announce_hz", CONF_U32, NODE(ptt.announce_hz), .max = 4000,
	  .dflt = 440, .unit = "Hz", .flags = CONF_RELOAD,
	  .help = "A tone before radio.timeout_s unkeys the transmitter, at "
		  "least 100 Hz; 0 for none." },
	{ "ptt.announce_ms", CONF_U32, NODE(ptt.announce_ms), .max = 5000,
	  .dflt = 1000, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long it sounds, in place of the links." },
	{ "ptt.tone_db", CONF_U32, NODE(ptt.tone_db), .max = 40, .dflt = 20,
	  .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale these tones are." },
	{ "ptt.ctcss", CONF_STRING, NODE(ptt.ctcss), .ok = conf_text_is_ctcss,
	  .allowed = "a tone from \"60.0\" to \"260.0\" Hz",
	  .flags = CONF_RELOAD,
	  .help = "The CTCSS tone to transmit, such as \"88.5\"; empty for "
		  "none." },
	{ "ptt.ctcss_db", CONF_U32, NODE(ptt.ctcss_db), .min = 6, .max = 40,
	  .dflt = 20, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale it is." },
	{ "ptt.ctcss_off_ms", CONF_U32, NODE(ptt.ctcss_off_ms), .max = 1000,
	  .dflt = 180, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "How long before the carrier it ends, so that receivers shut "
		  "without noise." },
	{ "ptt.ctcss_end", CONF_CHOICE, NODE(ptt.ctcss_end),
	  .words = ctcss_end_words, .flags = CONF_RELOAD,
	  .help = "What it is followed by: silence, or itself with its phase "
		  "reversed." },
	{ "telemetry.announce", CONF_CHOICE, NODE(telemetry.announce),
	  .words = switch_words, .dflt = CONF_SWITCH_AUTO, .flags = CONF_RELOAD,
	  .help = "Whether links that come and go, what functions did and the "
		  "time-out are announced on the air; \"auto\" is on but "
		  "for a simulated radio." },
	{ "telemetry.others", CONF_CHOICE, NODE(telemetry.others),
	  .words = others_words, .dflt = CONF_OTHERS_ASKED,
	  .flags = CONF_RELOAD,
	  .help = "Whether what other nodes tell of their links and functions "
		  "is announced, too: not, for two minutes after a function "
		  "was used here, or always." },
	{ "telemetry.sounds", CONF_PATH, NODE(telemetry.sounds),
	  .help = "A folder with sounds of your own, NAME.wav, in place of "
		  "those in the usual one; empty for none." },
	{ "telemetry.wpm", CONF_U32, NODE(telemetry.wpm), .min = 5, .max = 60,
	  .dflt = 20, .unit = "words a minute", .flags = CONF_RELOAD,
	  .help = "How fast Morse code is sent." },
	{ "telemetry.hz", CONF_U32, NODE(telemetry.hz), .min = 100, .max = 4000,
	  .dflt = 800, .unit = "Hz", .flags = CONF_RELOAD,
	  .help = "Its tone." },
	{ "telemetry.tone_db", CONF_U32, NODE(telemetry.tone_db), .max = 40,
	  .dflt = 20, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale it is." },
	{ "telemetry.duck_db", CONF_U32, NODE(telemetry.duck_db), .max = 60,
	  .dflt = 12, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How much quieter announcements are while somebody "
		  "speaks." },
	{ "id.text", CONF_STRING, NODE(id.text), .ok = is_identification,
	  .allowed = "at most 31 capitals, digits, / and spaces",
	  .flags = CONF_RELOAD,
	  .help = "The identification to transmit, such as the callsign; "
		  "empty for none." },
	{ "id.speech", CONF_BOOL, NODE(id.speech), .flags = CONF_RELOAD,
	  .help = "Spell it; else it is sent in Morse code." },
	{ "id.interval_s", CONF_U32, NODE(id.interval_s), .max = 3600,
	  .dflt = 540, .unit = "s", .flags = CONF_RELOAD,
	  .help = "How long after the last one, when something was "
		  "transmitted since; the first comes with the first pause. "
		  "0: by command only." },
	{ "id.late_s", CONF_U32, NODE(id.late_s), .max = 300, .dflt = 30,
	  .unit = "s", .flags = CONF_RELOAD,
	  .help = "How long it then waits for a pause, before it is sent "
		  "under the voices." },
	{ "parrot.enabled", CONF_BOOL, NODE(parrot.enabled),
	  .help = "Whether each over is played back to whoever said it, for "
		  "all to try their sound; functions turn that on and off as "
		  "well." },
	{ "parrot.max_s", CONF_U32, NODE(parrot.max_s), .max = 120, .dflt = 30,
	  .unit = "s",
	  .help = "As much of an over is recorded; 0: there is no parrot." },
	{ "hooks.program", CONF_PATH, NODE(hooks.program), .flags = CONF_RELOAD,
	  .help = "A program to run for each event, which it reads from its "
		  "standard input, as one line of JSON; empty for none. It "
		  "runs as the daemon's user and within the limits of its "
		  "service." },
	{ "hooks.timeout_s", CONF_U32, NODE(hooks.timeout_s), .min = 1,
	  .max = 300, .dflt = 10, .unit = "s", .flags = CONF_RELOAD,
	  .help = "It is killed when it takes longer." },
	{ "hooks.events", CONF_TEXTS,
	  LIST(hooks.events, events, CONF_EVENTS_MAX), .same = same_event,
	  .same_what = "name", .flags = CONF_RELOAD,
	  .help = "The events to run it for, by their names in keyhole(1) "
		  "events, such as \"link_up\"; empty for all." },
	{ "rx.deemphasis", CONF_BOOL, NODE(rx.deemphasis), .flags = CONF_RELOAD,
	  .help = "Whether to de-emphasise: the sound comes from the "
		  "receiver's discriminator." },
	{ "rx.highpass", CONF_CHOICE, NODE(rx.highpass), .words = switch_words,
	  .dflt = CONF_SWITCH_AUTO, .flags = CONF_RELOAD,
	  .help = "Whether to take out what is below 300 Hz, CTCSS above all; "
		  "\"auto\" is on but for a simulated radio." },
	{ "rx.agc_db", CONF_U32, NODE(rx.agc_db), .max = 24, .unit = "dB",
	  .flags = CONF_RELOAD,
	  .help = "By how much those who speak softly or loudly are made "
		  "louder or softer, at most; 0 for not at all." },
	{ "rx.agc_to_db", CONF_U32, NODE(rx.agc_to_db), .min = 6, .max = 40,
	  .dflt = 12, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "How far below full scale their average is to be." },
	{ "rx.limit_db", CONF_U32, NODE(rx.limit_db), .max = 40, .unit = "dB",
	  .flags = CONF_RELOAD,
	  .help = "No peak is to come closer to full scale; it takes 5 ms. 0 "
		  "for no limiter." },
	{ "rx.dtmf", CONF_CHOICE, NODE(rx.dtmf), .words = dtmf_words,
	  .dflt = CONF_DTMF_DECODE, .flags = CONF_RELOAD,
	  .help = "Whether to listen for DTMF digits; \"mute\" also keeps them "
		  "from the links, which takes 40 ms." },
	{ "tx.preemphasis", CONF_BOOL, NODE(tx.preemphasis),
	  .flags = CONF_RELOAD,
	  .help = "Whether to pre-emphasise: the sound goes to the "
		  "transmitter's modulator. Set tx.limit_db with it." },
	{ "tx.limit_db", CONF_U32, NODE(tx.limit_db), .max = 40, .unit = "dB",
	  .flags = CONF_RELOAD,
	  .help = "No peak is to come closer to full scale, so that the "
		  "deviation stays within its limit; it takes 5 ms. 0 for no "
		  "limiter." },
	{ "fob.serial", CONF_STRING, NODE(fob.serial),
	  .help = "The serial number of the USB fob that is this node's; "
		  "empty: any. Needed, or fob.port, when more than one is "
		  "plugged in." },
	{ "fob.port", CONF_STRING, NODE(fob.port), .ok = conf_text_is_usb_port,
	  .allowed = "a USB port as Linux names it, such as 1-1.2",
	  .help = "The USB port that it is plugged into, such as \"1-1.2\"; "
		  "empty: any." },
	{ "fob.hwtype", CONF_CHOICE, NODE(fob.hwtype), .words = hwtype_words,
	  .dflt = CONF_HWTYPE_FOB,
	  .help = "How it is wired, in the order of app_rpt's hwtype 0 to 3. "
		  "\"fob\" is nearly every one: PTT on GPIO3, COR on volume "
		  "down, CTCSS on volume up." },
	{ "fob.ptt_pin", CONF_U32, NODE(fob.ptt_pin), .max = 8,
	  .help = "The GPIO that keys; 0: as fob.hwtype has it." },
	{ "fob.ptt_inverted", CONF_BOOL, NODE(fob.ptt_inverted),
	  .help = "A low pin keys. Such a transmitter may key by itself when "
		  "the fob is unplugged or this machine is off." },
	{ "fob.cor", CONF_CHOICE, NODE(fob.cor), .words = line_words,
	  .dflt = CONF_LINE_AUTO,
	  .help = "The input that says that the receiver hears a carrier; "
		  "\"auto\": as fob.hwtype has it." },
	{ "fob.cor_sense", CONF_CHOICE, NODE(fob.cor_sense),
	  .words = sense_words, .dflt = CONF_SENSE_USBINVERT,
	  .help = "When it is active, in app_rpt's words: \"usbinvert\" when "
		  "the bit is set, which is a button's pin pulled low and a "
		  "GPIO that is high, as most radios do; \"usb\" when it is "
		  "not; \"no\" never." },
	{ "fob.ctcss", CONF_CHOICE, NODE(fob.ctcss), .words = line_words,
	  .dflt = CONF_LINE_AUTO,
	  .help = "The input that says that it hears the right CTCSS tone." },
	{ "fob.ctcss_sense", CONF_CHOICE, NODE(fob.ctcss_sense),
	  .words = sense_words, .dflt = CONF_SENSE_NO,
	  .help = "When that one is active, as for fob.cor_sense." },
	{ "audio.capture", CONF_STRING, NODE(audio.capture), .text = "default",
	  .allowed = "at most 127 characters",
	  .help = "For radio.type \"alsa\": the PCM that is received from, by "
		  "ALSA's name for it, such as \"hw:CARD=Device\"; empty for "
		  "none." },
	{ "audio.playback", CONF_STRING, NODE(audio.playback),
	  .text = "default", .allowed = "at most 127 characters",
	  .help = "The PCM that is transmitted to; empty for none." },
	{ "audio.levels", CONF_CHOICE, NODE(audio.levels),
	  .words = levels_words, .flags = CONF_RELOAD,
	  .help = "Where the following levels come from: here, or \"eeprom\", "
		  "the USB fob's own memory, where keyhole(1) levels and "
		  "app_rpt's programs store them. Those here hold until it "
		  "was read, or when it keeps none." },
	{ "audio.rx_db", CONF_DB, NODE(audio.rx_db), .min = (uint32_t)-60,
	  .max = 40, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "The sound card's capture volume, as its mixer counts it." },
	{ "audio.tx_a_db", CONF_DB, NODE(audio.tx_a_db), .min = (uint32_t)-60,
	  .max = 40, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "Its playback volume, left." },
	{ "audio.tx_b_db", CONF_DB, NODE(audio.tx_b_db), .min = (uint32_t)-60,
	  .max = 40, .unit = "dB", .flags = CONF_RELOAD,
	  .help = "Its playback volume, right." },
	{ "audio.boost", CONF_BOOL, NODE(audio.boost), .flags = CONF_RELOAD,
	  .help = "Whether its microphone boost or automatic gain is on." },
	{ "sim.rx_wav", CONF_PATH, NODE(sim.rx_wav),
	  .help = "The WAV file that the simulated radio hears; empty for "
		  "silence." },
	{ "sim.tx_wav", CONF_PATH, NODE(sim.tx_wav),
	  .help = "Where to write what it transmits; empty for nowhere." },
	{ "sim.autoplay", CONF_BOOL, NODE(sim.autoplay),
	  .help = "Play sim.rx_wav at the start." },
	{ "jitter.min_ms", CONF_U32, NODE(jitter.min_ms), .min = 0, .max = 500,
	  .dflt = 10, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "The least delay that the jitter buffer adds." },
	{ "jitter.max_ms", CONF_U32, NODE(jitter.max_ms), .min = 20, .max = 500,
	  .dflt = 400, .unit = "ms", .flags = CONF_RELOAD,
	  .help = "The greatest; not less than jitter.min_ms." },
	{ "https.ca_file", CONF_PATH, NODE(https.ca_file),
	  .help = "A file with the certificates (PEM) of the authorities that "
		  "are trusted to vouch for web servers; empty: the "
		  "system's." },
	{ "stats.url", CONF_STRING, NODE(stats.url), .ok = conf_text_is_url,
	  .allowed = "an address http://HOST/PATH or https://HOST/PATH",
	  .help = "Where to report what this node does: its number, its links, "
		  "how long and how often it was keyed. AllStarLink's is "
		  "http://stats.allstarlink.org/uhandler. Empty: nowhere." },
	{ "stats.interval_s", CONF_U32, NODE(stats.interval_s), .min = 60,
	  .max = 600, .dflt = 180, .unit = "s", .help = "How often." },
	{ "control.socket", CONF_PATH, NODE(control.socket), .min = 1,
	  .text = "/run/keyhole/keyholed.sock",
	  .help = "The socket that the console uses." },
	{ "control.group", CONF_STRING, NODE(control.group), .min = 1,
	  .text = "keyhole", .ok = conf_text_is_group_name,
	  .allowed = "a group's name of at most 32 characters",
	  .help = "Who may use it." },
	{ "log.level", CONF_CHOICE, NODE(log.level), .words = log_words,
	  .dflt = CONF_LOG_INFO, .flags = CONF_RELOAD,
	  .help = "Log this and what is more severe." },
};

static bool jitter_is_ordered(const void *conf)
{
	const struct conf_node *c = conf;

	return c->jitter.max_ms >= c->jitter.min_ms;
}

static bool digits_are_ordered(const void *conf)
{
	const struct conf_node *c = conf;

	return c->lookup.digits_max >= c->lookup.digits_min;
}

static bool fetched_file_has_a_name(const void *conf)
{
	const struct conf_node *c = conf;

	return c->lookup.extnodes_url[0] == '\0' ||
	       c->lookup.extnodes[0] != '\0';
}

static bool dialled_digits_are_ordered(const void *conf)
{
	const struct conf_node *c = conf;

	return c->commands.number_max >= c->commands.number_min;
}

static bool kerchunk_outlasts_attack(const void *conf)
{
	const struct conf_node *c = conf;

	return c->cor.kerchunk_ms == 0 || c->cor.kerchunk_ms > c->cor.attack_ms;
}

static bool is_none_or_audible(uint32_t hz)
{
	return hz == 0 || hz >= 100;
}

static bool courtesy_is_audible(const void *conf)
{
	return is_none_or_audible(
		((const struct conf_node *)conf)->ptt.courtesy_hz);
}

static bool announcement_is_audible(const void *conf)
{
	return is_none_or_audible(
		((const struct conf_node *)conf)->ptt.announce_hz);
}

static bool ctcss_has_a_source(const void *conf)
{
	const struct conf_node *c = conf;

	return c->radio.type != CONF_RADIO_ALSA || c->cor.ctcss[0] ||
	       (c->cor.source != CONF_COR_CTCSS &&
		c->cor.source != CONF_COR_VOX_AND_CTCSS);
}

static bool node_has_a_family(const void *conf)
{
	const struct conf_node *c = conf;

	return c->iax2.bind4[0] || c->iax2.bind6[0];
}

static bool nobody_is_both(const void *conf)
{
	const struct conf_node *c = conf;

	for (size_t i = 0; i < c->accept.deny_n; i++) {
		for (size_t j = 0; j < c->accept.allow_n; j++) {
			if (same_caller(&c->accept.deny[i],
					&c->accept.allow[j]))
				return false;
		}
	}
	return true;
}

static bool links_lead_elsewhere(const void *conf)
{
	const struct conf_node *c = conf;

	for (size_t i = 0; i < c->links_n; i++) {
		if (strcmp(c->links[i].node, c->node.number) == 0)
			return false;
	}
	return true;
}

static const struct conf_rule node_rules[] = {
	{ "links", links_lead_elsewhere,
	  "links has this node's own number; allowed: those of others" },
	{ "jitter.max_ms", jitter_is_ordered,
	  "jitter.max_ms is less than jitter.min_ms; allowed: the same or "
	  "more" },
	{ "lookup.digits_max", digits_are_ordered,
	  "lookup.digits_max is less than lookup.digits_min; allowed: the same "
	  "or more" },
	{ "lookup.extnodes_url", fetched_file_has_a_name,
	  "lookup.extnodes_url is set and lookup.extnodes is not; allowed: "
	  "with the file that it is written to" },
	{ "commands.number_max", dialled_digits_are_ordered,
	  "commands.number_max is less than commands.number_min; allowed: the "
	  "same or more" },
	{ "cor.kerchunk_ms", kerchunk_outlasts_attack,
	  "cor.kerchunk_ms is not more than cor.attack_ms; allowed: more, or "
	  "0" },
	{ "ptt.courtesy_hz", courtesy_is_audible,
	  "ptt.courtesy_hz is too low; allowed: 100 to 4000 Hz, or 0" },
	{ "ptt.announce_hz", announcement_is_audible,
	  "ptt.announce_hz is too low; allowed: 100 to 4000 Hz, or 0" },
	{ "cor.source", ctcss_has_a_source,
	  "cor.source names ctcss, which a sound card does not tell; allowed: "
	  "with the tone in cor.ctcss" },
	{ "iax2.bind6", node_has_a_family,
	  "iax2.bind4 and iax2.bind6 are both empty; allowed: one of them" },
	{ "accept.deny", nobody_is_both,
	  "a caller is both in accept.allow and in accept.deny; allowed: one "
	  "of them" },
};

const struct conf_table conf_node_table = {
	.scope = { node_rows, COUNT(node_rows), sizeof(struct conf_node) },
	.rules = node_rules,
	.rules_n = COUNT(node_rules),
	.file = "/etc/keyhole/keyholed.conf",
	.about = "keyholed, the node daemon",
};

/* keyhole-registrar */

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
	  LIST_OF(struct conf_registrar, iax2.calltoken_optional, prefixes,
		  CONF_PREFIXES_MAX),
	  .same = same_prefix, .same_what = "address",
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
	  .help = "Registrations that one address may try." },
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
	.scope = { registrar_rows, COUNT(registrar_rows),
		   sizeof(struct conf_registrar) },
	.rules = registrar_rules,
	.rules_n = COUNT(registrar_rules),
	.file = "/etc/keyhole/registrar.conf",
	.about = "keyhole-registrar, the registration server",
};

void conf_node_defaults(struct conf_node *out)
{
	conf_values_default(&conf_node_table.scope, out);
}

void conf_registrar_defaults(struct conf_registrar *out)
{
	conf_values_default(&conf_registrar_table.scope, out);
}

void conf_node_free(struct conf_node *c)
{
	conf_values_free(&conf_node_table.scope, c);
}

void conf_registrar_free(struct conf_registrar *c)
{
	conf_values_free(&conf_registrar_table.scope, c);
}
