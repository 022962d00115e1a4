/* SPDX-License-Identifier: MIT */

/* iax.conf and rpt_http_registrations.conf: the port, the codecs, and where
 * the node registers. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/conf.h"
#include "daemon/console/import_take.h"

struct registration {
	const struct ast_var *v;
	char user[CONF_USERNAME_MAX + 1], secret[128], host[CONF_HOST_MAX + 1];
	uint16_t port; /* 0: not said */
	bool iax, http;
};

/* --- registrations ------------------------------------------------------- */

/* USER:SECRET@HOST[:PORT][/EXTENSION] */
static bool parse(const struct ast_var *v, struct registration *r)
{
	const char *at = strchr(v->value, '@');
	const char *colon = strchr(v->value, ':');
	const size_t user = strcspn(v->value, ":@");
	size_t host, secret;

	if (!at || !colon || colon > at)
		return false;
	secret = (size_t)(at - colon) - 1;
	host = strcspn(at + 1, ":/");
	if (user == 0 || user >= sizeof(r->user) || secret == 0 ||
	    secret >= sizeof(r->secret) || colon[1] == '[' || host == 0 ||
	    host >= sizeof(r->host))
		return false;
	*r = (struct registration){ .v = v };
	memcpy(r->user, v->value, user);
	memcpy(r->secret, colon + 1, secret);
	memcpy(r->host, at + 1, host);
	if (at[1 + host] == ':') {
		const unsigned long port = strtoul(at + 2 + host, NULL, 10);

		if (port == 0 || port > UINT16_MAX)
			return false;
		r->port = (uint16_t)port;
	}
	return true;
}

struct registrations {
	struct registration v[CONF_REGISTRARS_MAX];
	size_t n;
};

static void gather(struct import *im, struct registrations *all,
		   const struct ast_var *v, bool http)
{
	struct registration r;
	const char *why = NULL;

	if (!parse(v, &r))
		why = "is not NUMBER:PASSWORD@HOST";
	else if (strcmp(r.user, im->number) != 0 &&
		 import_local(im, r.user) == im->nodes_n)
		why = "is of a node that rpt.conf does not have";
	if (why) {
		import_note(im, v, why);
		return;
	}
	if (strcmp(r.user, im->number) != 0)
		return;
	for (size_t i = 0; i < all->n; i++) {
		struct registration *old = &all->v[i];

		if (strcasecmp(old->host, r.host) == 0) {
			old->http |= http;
			old->iax |= !http;
			if (strcmp(old->secret, r.secret) != 0)
				import_note(im, v,
					    "another password than "
					    "before; that one is taken "
					    "over");
			return;
		}
	}
	r.http = http;
	r.iax = !http;
	if (all->n < CONF_REGISTRARS_MAX)
		all->v[all->n++] = r;
	else
		import_note(im, v, "no more of them are possible");
}

static void gather_all(struct import *im, struct registrations *all,
		       const struct ast_section *s, bool http)
{
	for (size_t i = 0; s && i < s->n; i++) {
		if (strcasecmp(s->vars[i].name, "register") == 0)
			gather(im, all, &s->vars[i], http);
	}
}

static void add(struct import *im, const struct registration *r)
{
	char file[CONF_HOST_MAX + 32], path[CONF_PATH_MAX + 1];
	char url[CONF_HOST_MAX + 48] = "", port[24] = "";
	char *secret = NULL, *text = NULL;

	if (strpbrk(r->host, "/\"\\")) {
		import_note(im, r->v, "is not NUMBER:PASSWORD@HOST");
		return;
	}
	if (r->iax && r->port)
		(void)snprintf(port, sizeof(port), " port = %u;", r->port);
	else if (r->port)
		(void)snprintf(url, sizeof(url), " url = \"https://%s:%u/\";",
			       r->host, r->port);
	(void)snprintf(file, sizeof(file), "%s-%s.secret", im->number, r->host);
	if (import_keep_secret(im, r->v, file, r->secret, path, sizeof(path)))
		secret = import_quoted(path);
	if (secret)
		text = import_printf(
			"host = \"%s\";%s secret_file = %s; https = \"%s\";%s",
			r->host, port, secret,
			!r->http ? "no"
			: r->iax ? "auto"
				 : "only",
			url);
	if (secret && !text)
		im->no_memory = true;
	if (text && !import_add(im, r->v, "registrars", r->host, text))
		import_forget_secret(im);
	free(text);
	free(secret);
}

static void take_registrations(struct import *im)
{
	struct registrations all = { .n = 0 };

	gather_all(im, &all, ast_section(&im->iax, "general"), false);
	for (size_t i = 0; i < im->http.n; i++)
		gather_all(im, &all, &im->http.sections[i], true);
	for (size_t i = 0; i < all.n; i++)
		add(im, &all.v[i]);
}

/* --- codecs --------------------------------------------------------------- */

static const struct {
	const char *theirs, *ours;
} codec[] = {
	{ "ulaw", "ulaw" },   { "alaw", "alaw" },    { "slin16", "slin16" },
	{ "slin", "slin" },   { "slinear", "slin" }, { "g726aal2", "g726aal2" },
	{ "adpcm", "adpcm" }, { "gsm", "gsm" },
};
#define CODECS (sizeof(codec) / sizeof(codec[0]))

struct codecs {
	const char *v[CODECS]; /* ours, the preferred first */
	size_t n;
};

static void drop(struct codecs *c, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->v[i], name) != 0)
			c->v[n++] = c->v[i];
	}
	c->n = n;
}

/* One of ours; NULL: none. */
static const char *codec_name(const char *theirs)
{
	for (size_t i = 0; i < CODECS; i++) {
		if (strcasecmp(codec[i].theirs, theirs) == 0)
			return codec[i].ours;
	}
	return NULL;
}

static void allow_one(struct import *im, const struct ast_var *v, bool yes,
		      const char *word, struct codecs *c)
{
	const char *name = codec_name(word);
	char why[100];

	if (strcasecmp(word, "all") == 0) {
		c->n = 0;
		for (size_t i = 0; yes && i < CODECS; i++) {
			drop(c, codec[i].ours);
			c->v[c->n++] = codec[i].ours;
		}
	} else if (name) {
		drop(c, name);
		if (yes)
			c->v[c->n++] = name;
	} else if (yes) {
		(void)snprintf(why, sizeof(why),
			       "the codec %.20s is not spoken", word);
		import_note(im, v, why);
	}
}

static void allow(struct import *im, const struct ast_var *v, bool yes,
		  struct codecs *c)
{
	char *words = strdup(v->value), *save = NULL;

	if (!words)
		im->no_memory = true;
	for (char *w = words ? strtok_r(words, ", |", &save) : NULL; w;
	     w = strtok_r(NULL, ", |", &save))
		allow_one(im, v, yes && *w != '!', w + (*w == '!'), c);
	free(words);
}

static void take_codecs(struct import *im)
{
	const struct ast_section *s = ast_section(&im->iax, "radio");
	const struct ast_var *last = ast_var(s, "allow");
	struct codecs c = { .n = 0 };
	char text[160] = "";
	size_t len = 0;

	/* What those who call may speak counts more than what is offered. */
	if (!last) {
		s = ast_section(&im->iax, "general");
		last = ast_var(s, "allow");
	}
	for (size_t i = 0; last && i < s->n; i++) {
		const struct ast_var *v = &s->vars[i];

		if (strcasecmp(v->name, "allow") == 0 ||
		    strcasecmp(v->name, "disallow") == 0)
			allow(im, v, strcasecmp(v->name, "allow") == 0, &c);
	}
	if (c.n == 0)
		return;
	for (size_t i = 0; i < c.n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s \"%s\"", i ? "," : "[", c.v[i]);
	(void)snprintf(text + len, sizeof(text) - len, " ]");
	(void)import_set(im, last, "iax2.codecs", text);
}

/* --- the rest ------------------------------------------------------------- */

static void take_port(struct import *im, const struct ast_var *v,
		      const struct import_map *m)
{
	if (import_local(im, im->number) == 0)
		import_number(im, v, m);
}

/* ADDRESS, or ADDRESS:PORT. */
static void take_address(struct import *im, const struct ast_var *v,
			 const struct import_map *m)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	struct in_addr in;
	const char *colon = strchr(v->value, ':');

	(void)m;
	if (inet_pton(AF_INET6, v->value, &in6) == 1) {
		(void)import_set_text(im, v, "iax2.bind6", v->value);
		return;
	}
	(void)snprintf(address, sizeof(address), "%.*s",
		       colon ? (int)(colon - v->value) : INET6_ADDRSTRLEN,
		       v->value);
	if (inet_pton(AF_INET, address, &in) != 1) {
		import_note(im, v, "is no address");
		return;
	}
	if (in.s_addr != htonl(INADDR_ANY))
		(void)import_set_text(im, v, "iax2.bind4", address);
	if (colon)
		import_note(im, v, "its port is not taken over: iax2.port");
}

/* ADDRESS/MASK, or ADDRESS. */
static void take_optional(struct import *im, const struct ast_var *v,
			  const struct import_map *m)
{
	char address[64], text[80];
	const char *slash = strchr(v->value, '/');
	struct in_addr mask = { .s_addr = UINT32_MAX };
	unsigned bits = 0;

	(void)snprintf(address, sizeof(address), "%.*s",
		       (int)strcspn(v->value, "/"), v->value);
	if (slash && strchr(slash, '.') &&
	    inet_pton(AF_INET, slash + 1, &mask) != 1) {
		import_note(im, v, "is no address and mask");
		return;
	}
	if (slash && !strchr(slash, '.')) {
		(void)snprintf(text, sizeof(text), "[ \"%.60s\" ]", v->value);
	} else {
		while (bits < 32 && (ntohl(mask.s_addr) << bits) & 0x80000000U)
			bits++;
		(void)snprintf(text, sizeof(text),
			       slash ? "[ \"%s/%u\" ]" : "[ \"%s\" ]", address,
			       bits);
	}
	if (mask.s_addr == 0 || (slash && strcmp(slash, "/0") == 0))
		import_note(im, v, "would let everybody forge their address");
	else if (!strpbrk(address, "\"\\"))
		(void)import_set(im, v, m->setting, text);
}

#define LOST(what, reason)                      \
	{                                       \
		.name = (what), .why = (reason) \
	}

static const char jitter[] =
	"the jitter buffer sets itself: jitter.min_ms, max_ms";
static const char tuning[] = "is Asterisk's own";

static const struct import_map general_map[] = {
	{ .name = "bindport", .take = take_port, .setting = "iax2.port" },
	{ .name = "bindaddr", .take = take_address },
	{ .name = "calltokenoptional",
	  .take = take_optional,
	  .setting = "iax2.calltoken_optional" },
	IMPORT_ELSEWHERE("register"),
	IMPORT_ELSEWHERE("allow"),
	IMPORT_ELSEWHERE("disallow"),
	LOST("jitter*", jitter),
	LOST("forcejitterbuffer", jitter),
	LOST("maxjitter*", jitter),
	LOST("resyncthreshold", jitter),
	LOST("maxexcessbuffer", jitter),
	LOST("minexcessbuffer", jitter),
	LOST("dropcount", jitter),
	LOST("tos", "voice is marked for its class as it is"),
	LOST("cos", "voice is marked for its class as it is"),
	LOST("autokill", tuning),
	LOST("delayreject", tuning),
	LOST("iaxthreadcount", tuning),
	LOST("iaxmaxthreadcount", tuning),
	LOST("bandwidth", "iax2.codecs says it"),
	LOST("language", tuning),
	LOST("trunk*", "calls are not trunked"),
	LOST("maxcallnumbers*", "the limits are in limits and iax2.calls_max"),
	LOST("srvlookup", "hosts are looked up by name"),
	{ .name = NULL },
};

static bool has_name_and_secret(const struct ast_section *s)
{
	return ast_var(s, "secret") != NULL;
}

/* Users and peers other than [radio], which every node calls as. */
static void tell_sections(struct import *im)
{
	for (size_t i = 0; i < im->iax.n; i++) {
		const struct ast_section *s = &im->iax.sections[i];
		const struct ast_var *call = ast_var(s, "requirecalltoken");

		if (s->is_template || strcasecmp(s->name, "general") == 0)
			continue;
		if (strcasecmp(s->name, "radio") != 0)
			import_skip_section(
				im, s,
				has_name_and_secret(s)
					? "users with a password are not taken "
					  "over; a node is known by its number "
					  "in peers, with a secret_file"
					: "only the user radio is known here");
		else if (call && !import_is_true(call->value))
			import_note(im, call,
				    "a call token proves an address; callers "
				    "without go into iax2.calltoken_optional");
	}
}

void import_iax(struct import *im)
{
	const size_t i = import_local(im, im->number);
	char port[16];

	(void)snprintf(port, sizeof(port), "%u", import_port(im, i));
	if (i > 0)
		(void)import_set_default(im, "each node has its own",
					 "iax2.port", port);
	import_section(im, ast_section(&im->iax, "general"), general_map);
	take_codecs(im);
	take_registrations(im);
	tell_sections(im);
}
