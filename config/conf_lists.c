/* SPDX-License-Identifier: MIT */

/* The entries of lists. */

#include <string.h>
#include <strings.h>

#include "config/conf_rows.h"

/* It parses, and is nobody's. */
#define EXAMPLE_KEY "ZXhhbXBsZS1rZXktcmVwbGFjZS13aXRoLXlvdXJzISE="

static const char *const codec_words[] = { "ulaw", "alaw",     "slin16",
					   "slin", "g726aal2", "adpcm",
					   "gsm",  NULL };
static const char *const lookup_words[] = { "nodes", "dns", "extnodes",
					    "registrar", NULL };
static const char *const https_words[] = { "no", "auto", "only", NULL };
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

const struct conf_scope conf_registrar_refs = {
	.rows = registrar_ref_rows,
	.n = COUNT(registrar_ref_rows),
	.size = sizeof(struct conf_registrar_ref),
	.same = same_registrar,
	.same_what = "host and port",
	.wrong = wrong_registrar,
};
const struct conf_scope conf_peers = {
	.rows = peer_rows,
	.n = COUNT(peer_rows),
	.size = sizeof(struct conf_peer),
	.same = same_peer,
	.same_what = "number",
	.wrong = wrong_peer,
};
const struct conf_scope conf_users = {
	.rows = user_rows,
	.n = COUNT(user_rows),
	.size = sizeof(struct conf_user),
	.same = same_user,
	.same_what = "name",
};
const struct conf_scope conf_callers = {
	.rows = caller_rows,
	.n = COUNT(caller_rows),
	.size = sizeof(struct conf_caller),
	.same = same_caller,
	.same_what = "caller",
};
const struct conf_scope conf_links = {
	.rows = link_rows,
	.n = COUNT(link_rows),
	.size = sizeof(struct conf_link),
	.same = same_link,
	.same_what = "node",
};
const struct conf_scope conf_functions = {
	.rows = function_rows,
	.n = COUNT(function_rows),
	.size = sizeof(struct conf_function),
	.same = same_function,
	.same_what = "code",
	.wrong = wrong_function,
};
const struct conf_scope conf_events = {
	.rows = event_rows,
	.n = COUNT(event_rows),
	.size = sizeof(struct conf_event),
	.same = same_event,
	.same_what = "name",
};
const struct conf_scope conf_prefixes = {
	.rows = prefix_rows,
	.n = COUNT(prefix_rows),
	.size = sizeof(struct conf_prefix),
	.same = same_prefix,
	.same_what = "address",
};
const struct conf_scope conf_codecs = {
	.rows = codec_rows,
	.n = COUNT(codec_rows),
	.size = sizeof(enum conf_codec),
	.same = same_codec,
	.same_what = "name",
};
const struct conf_scope conf_resolvers = {
	.rows = resolver_rows,
	.n = COUNT(resolver_rows),
	.size = sizeof(struct conf_resolver),
	.same = same_resolver,
	.same_what = "server",
};
const struct conf_scope conf_lookups = {
	.rows = lookup_rows,
	.n = COUNT(lookup_rows),
	.size = sizeof(enum conf_lookup),
	.same = same_lookup,
	.same_what = "source",
};
