/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/conf.h"
#include "daemon/console/import_take.h"

#define VALUE_SHOWN 100 /* octets of a value that a note shows */

char *import_printf(const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		return NULL;
	text = malloc((size_t)len + 1);
	if (!text)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

char *import_quoted(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + 3);
	char *to = quoted;

	if (!quoted)
		return NULL;
	*to++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	*to++ = '"';
	*to = '\0';
	return quoted;
}

/* --- notes -------------------------------------------------------------- */

/* Room for one more. */
static void *grown(struct import *im, void *v, size_t n, size_t size)
{
	void *more = realloc(v, (n + 1) * size);

	if (!more)
		im->no_memory = true;
	return more;
}

/* A line is a line, whatever a file says. */
static void tame(char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			*text = '?';
	}
}

void import_note_at(struct import *im, struct ast_at at, const char *what,
		    const char *why)
{
	char **notes = grown(im, im->notes, im->notes_n, sizeof(*notes));
	char *text;

	if (!notes)
		return;
	im->notes = notes;
	text = at.line > 0 ? import_printf("%.100s:%u: %.200s: %s", at.file,
					   at.line, what, why)
			   : import_printf("%.100s: %.200s%s%s", at.file, what,
					   *what ? ": " : "", why);
	if (!text) {
		im->no_memory = true;
		return;
	}
	tame(text);
	notes[im->notes_n++] = text;
}

static bool is_secret(const char *name)
{
	static const char *const secret[] = { "secret",    "register",
					      "password",  "outkey",
					      "inkeys",    "dbsecret",
					      "md5secret", NULL };

	for (size_t i = 0; secret[i]; i++) {
		if (strcasecmp(name, secret[i]) == 0)
			return true;
	}
	return false;
}

/* user:secret@host is one, too. */
static bool has_secret(const char *value)
{
	const char *at = strchr(value, '@');

	return at && memchr(value, ':', (size_t)(at - value));
}

static char *said(const struct ast_var *v)
{
	const bool hide = is_secret(v->name) || has_secret(v->value);

	return import_printf("%.60s = %.*s%s", v->name, VALUE_SHOWN,
			     hide ? "(not shown)" : v->value,
			     strlen(v->value) > VALUE_SHOWN && !hide ? "..."
								     : "");
}

void import_note(struct import *im, const struct ast_var *v, const char *why)
{
	char *what = said(v);

	if (what)
		import_note_at(im, v->at, what, why);
	else
		im->no_memory = true;
	free(what);
}

/* --- what keyholed would have ------------------------------------------- */

/* Whether keyholed loads @text; if not, the first thing wrong. */
static bool loads(struct import *im, const char *text, char *why, size_t cap)
{
	struct conf_diags diags = { 0 };
	struct conf_node conf;
	const int err = conf_load_node_text(text, &conf, &diags);

	if (err == 0)
		conf_node_free(&conf);
	else if (err == -ENOMEM)
		im->no_memory = true;
	else if (diags.n > 0)
		(void)snprintf(why, cap, "%s", diags.v[0].text);
	conf_diags_free(&diags);
	return err == 0;
}

/* A file with nothing but that setting. */
static char *alone(const char *group, const char *name, const char *value)
{
	if (strcmp(group, "node") != 0)
		return import_printf("node = { number = \"1\"; };\n"
				     "%s = { %s = %s; };\n",
				     group, name, value);
	if (strcmp(name, "number") == 0)
		return import_printf("node = { number = %s; };\n", value);
	return import_printf("node = { number = \"1\"; %s = %s; };\n", name,
			     value);
}

static bool tried(struct import *im, const struct ast_var *from, char *text)
{
	char why[IMPORT_WHY_MAX] = "";
	bool ok;

	if (!text) {
		im->no_memory = true;
		return false;
	}
	ok = loads(im, text, why, sizeof(why));
	if (!ok && from)
		import_note(im, from, why);
	free(text);
	return ok;
}

/* Takes @from. */
static bool keep(struct import *im, const char *setting, const char *value,
		 char *from)
{
	struct import_setting *s =
		grown(im, im->settings, im->settings_n, sizeof(*s));
	const char *dot = strchr(setting, '.');

	if (s)
		im->settings = s;
	if (!s || !dot || !from) {
		im->no_memory = true;
		free(from);
		return false;
	}
	s += im->settings_n++;
	tame(from);
	*s = (struct import_setting){ strndup(setting, (size_t)(dot - setting)),
				      strdup(dot + 1), strdup(value), from };
	if (!s->group || !s->name || !s->value)
		im->no_memory = true;
	return true;
}

static char *from_text(const struct ast_var *v)
{
	char *what = said(v);
	char *text =
		what ? import_printf("%s:%u: %s", v->at.file, v->at.line, what)
		     : NULL;

	free(what);
	return text;
}

static bool set(struct import *im, const struct ast_var *from,
		const char *said_so, const char *setting, const char *value)
{
	const char *dot = strchr(setting, '.');
	char group[32];

	(void)snprintf(group, sizeof(group), "%.*s", (int)(dot - setting),
		       setting);
	for (size_t i = 0; i < im->settings_n; i++) {
		if (strcmp(im->settings[i].group, group) == 0 &&
		    strcmp(im->settings[i].name, dot + 1) == 0) {
			if (from)
				import_note(im, from, "said before");
			return false;
		}
	}
	if (!tried(im, from, alone(group, dot + 1, value)))
		return false;
	return keep(im, setting, value,
		    from ? from_text(from) : import_printf("%s", said_so));
}

bool import_set(struct import *im, const struct ast_var *from,
		const char *setting, const char *value)
{
	return set(im, from, NULL, setting, value);
}

bool import_set_default(struct import *im, const char *said_so,
			const char *setting, const char *value)
{
	return set(im, NULL, said_so, setting, value);
}

bool import_set_text(struct import *im, const struct ast_var *from,
		     const char *setting, const char *text)
{
	char *quoted = import_quoted(text);
	const bool ok = quoted && import_set(im, from, setting, quoted);

	if (!quoted)
		im->no_memory = true;
	free(quoted);
	return ok;
}

bool import_add(struct import *im, const struct ast_var *from, const char *list,
		const char *key, const char *text)
{
	const bool peers = strcmp(list, "peers") == 0;
	struct import_entry **v = peers ? &im->peers : &im->registrars;
	size_t *n = peers ? &im->peers_n : &im->registrars_n;
	struct import_entry *e;

	for (size_t i = 0; i < *n; i++) {
		if (strcasecmp((*v)[i].key, key) == 0) {
			import_note(im, from, "said before");
			return false;
		}
	}
	if (*n == (peers ? CONF_PEERS_MAX : CONF_REGISTRARS_MAX)) {
		import_note(im, from, "no more of them are possible");
		return false;
	}
	if (!tried(im, from,
		   import_printf("node = { number = \"1\"; };\n"
				 "%s = ( { %s } );\n",
				 list, text)))
		return false;
	e = grown(im, *v, *n, sizeof(*e));
	if (!e)
		return false;
	*v = e;
	e += (*n)++;
	*e = (struct import_entry){ strdup(key), strdup(text),
				    from_text(from) };
	if (!e->key || !e->text || !e->from)
		im->no_memory = true;
	else
		tame(e->from);
	return true;
}

bool import_keep_secret(struct import *im, const struct ast_var *from,
			const char *file, const char *secret, char *path,
			size_t cap)
{
	struct import_secret *s;

	for (const char *c = secret; *c; c++) {
		if (iscntrl((unsigned char)*c)) {
			import_note(im, from, "a secret is a line of text");
			return false;
		}
	}
	if (snprintf(path, cap, "%s/%s", im->secrets, file) >= (int)cap) {
		import_note(im, from, "its file's name is too long");
		return false;
	}
	s = grown(im, im->secret, im->secret_n, sizeof(*s));
	if (!s)
		return false;
	im->secret = s;
	s += im->secret_n++;
	*s = (struct import_secret){ strdup(file), strdup(secret) };
	if (!s->file || !s->text)
		im->no_memory = true;
	return true;
}

void import_forget_secret(struct import *im)
{
	struct import_secret *s = &im->secret[--im->secret_n];

	free(s->file);
	free(s->text);
}
