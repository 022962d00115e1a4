/* SPDX-License-Identifier: MIT */

/* rpt.conf's nodes: where to call those that nobody else knows. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/conf.h"
#include "daemon/console/import_take.h"

#define IAX_PORT 4569UL

/* NUMBER = [IAX2/]USER[:SECRET]@HOST[:PORT]/EXTENSION[,IP|NONE] */
struct target {
	char user[64], secret[128], host[CONF_HOST_MAX + 1];
	unsigned long port;
	char check[64]; /* the address that may call, NONE: any */
};

/* The text up to any of @ends, which is skipped, into @to; false when it does
 * not fit. */
static bool piece(const char **text, const char *ends, char *to, size_t cap)
{
	const size_t len = strcspn(*text, ends);

	if (len >= cap)
		return false;
	memcpy(to, *text, len);
	to[len] = '\0';
	*text += len;
	return true;
}

static bool parse_host(const char **text, struct target *t)
{
	char port[8] = "";

	if (**text == '[') {
		(*text)++;
		if (!piece(text, "]", t->host, sizeof(t->host)) ||
		    **text != ']')
			return false;
		(*text)++;
	} else if (!piece(text, ":/,", t->host, sizeof(t->host))) {
		return false;
	}
	t->port = IAX_PORT;
	if (**text == ':') {
		(*text)++;
		if (!piece(text, "/,", port, sizeof(port)))
			return false;
		t->port = strtoul(port, NULL, 10);
	}
	return t->host[0] != '\0';
}

static bool parse(const char *text, struct target *t)
{
	char extension[64];

	*t = (struct target){ 0 };
	if (strncasecmp(text, "IAX2/", 5) == 0)
		text += 5;
	if (strchr(text, '@')) {
		if (!piece(&text, ":@", t->user, sizeof(t->user)))
			return false;
		if (*text == ':' &&
		    (text++, !piece(&text, "@", t->secret, sizeof(t->secret))))
			return false;
		if (*text++ != '@')
			return false;
	}
	if (!parse_host(&text, t))
		return false;
	if (*text == '/' &&
	    (text++, !piece(&text, ",", extension, sizeof(extension))))
		return false;
	if (*text == ',')
		text++;
	return piece(&text, ",", t->check, sizeof(t->check));
}

/* Asterisk's pattern _19XX as ours. */
static bool pattern(const char *name, char to[CONF_NUMBER_MAX + 1])
{
	size_t n = 0;

	if (import_is_number(name)) {
		(void)snprintf(to, CONF_NUMBER_MAX + 1, "%s", name);
		return true;
	}
	if (*name++ != '_')
		return false;
	for (; *name && n + 1 < CONF_NUMBER_MAX; name++) {
		const char last = name[1];

		if (strchr("0123456789", *name)) {
			to[n++] = *name;
		} else if (*name == 'X' || *name == 'x') {
			to[n++] = 'X';
		} else if (*name == '!' && last == '\0') {
			to[n++] = '*';
		} else if (*name == '.' && last == '\0') {
			to[n++] = 'X';
			to[n++] = '*';
		} else {
			return false;
		}
	}
	to[n] = '\0';
	return n > 0 && *name == '\0';
}

static bool is_here(const char *host)
{
	return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
	       strcasecmp(host, "localhost") == 0;
}

static void add(struct import *im, const struct ast_var *v, const char *number,
		const struct target *t)
{
	char file[32], path[CONF_PATH_MAX + 1] = "";
	char *host = import_quoted(t->host), *secret = NULL, *text = NULL;

	(void)snprintf(file, sizeof(file), "%s-%s.secret", im->number, number);
	if (t->secret[0] == '\0' ||
	    import_keep_secret(im, v, file, t->secret, path, sizeof(path)))
		secret = import_quoted(path);
	if (host && secret)
		text = import_printf(
			"number = \"%s\"; host = %s; port = %lu;%s%s%s", number,
			host, t->port, path[0] ? " secret_file = " : "",
			path[0] ? secret : "", path[0] ? ";" : "");
	if (!host || (secret && !text))
		im->no_memory = true;
	if (text && !import_add(im, v, "peers", number, text) && path[0])
		import_forget_secret(im);
	free(text);
	free(secret);
	free(host);
}

static void take(struct import *im, const struct ast_var *v)
{
	char number[CONF_NUMBER_MAX + 2];
	struct target t;
	size_t local;

	if (!pattern(v->name, number)) {
		import_note(im, v,
			    "is neither a number nor a pattern of "
			    "digits, X and a last . or !");
		return;
	}
	if (!parse(v->value, &t)) {
		import_note(im, v, "is not USER@HOST:PORT/NODE,ADDRESS");
		return;
	}
	if (strcmp(number, im->number) == 0)
		return;
	local = import_local(im, number);
	if (local < im->nodes_n && is_here(t.host))
		t.port = import_port(im, local);
	if (t.user[0] && strcasecmp(t.user, "radio") != 0)
		import_note(im, v,
			    "calls go out as node numbers, without its "
			    "user name");
	if (t.check[0] && strcasecmp(t.check, "NONE") != 0 &&
	    strcasecmp(t.check, t.host) != 0)
		import_note(im, v,
			    "that it calls from another address than "
			    "where it is called is not taken over");
	add(im, v, number, &t);
}

void import_peers(struct import *im)
{
	const struct ast_var *name = ast_var(im->node, "nodes");
	const struct ast_section *s =
		ast_section(&im->rpt, name ? name->value : "nodes");

	for (size_t i = 0; s && i < s->n; i++) {
		if (ast_var(s, s->vars[i].name) == &s->vars[i])
			take(im, &s->vars[i]);
	}
}
