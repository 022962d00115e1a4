/* SPDX-License-Identifier: MIT */

#include "config/conf_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_table.h"

#define INT31_DIGITS 9U  /* decimal digits that always fit */
#define INT31_XDIGITS 7U /* hexadecimal */
#define INT63_DIGITS 18U
#define INT63_XDIGITS 15U

static int read_all(FILE *f, char *buf, size_t *len)
{
	errno = 0;
	*len = fread(buf, 1, CONF_FILE_MAX + 1, f);
	return ferror(f) ? -errno : 0;
}

static int check_content(const char *buf, size_t len, struct conf_diags *diags)
{
	int err = 0;

	if (len > CONF_FILE_MAX)
		err = conf_diags_add(diags, 0,
				     "the file is too long; at most "
				     "%u octets are allowed",
				     CONF_FILE_MAX);
	else if (memchr(buf, '\0', len))
		err = conf_diags_add(diags, 0, "this is not a text file");
	else
		return 0;
	return err ? err : -EINVAL;
}

int conf_text_read(const char *file, char **text, struct conf_diags *diags)
{
	/* One octet more than allowed, to tell too long; one for the NUL. */
	char *buf = malloc(CONF_FILE_MAX + 2);
	FILE *f = fopen(file, "re");
	size_t len = 0;
	int err = f ? 0 : -errno;

	if (f && buf)
		err = read_all(f, buf, &len);
	if (f)
		(void)fclose(f);
	if (!buf)
		return -ENOMEM;
	if (err) {
		const int add = conf_diags_add(diags, 0, "cannot read it: %s",
					       strerror(-err));

		err = add ? add : -EINVAL;
	} else {
		err = check_content(buf, len, diags);
	}
	if (err) {
		free(buf);
		return err;
	}
	buf[len] = '\0';
	*text = buf;
	return 0;
}

struct scan {
	const char *p; /* what comes next */
	unsigned line; /* of p */
	char *out;
	size_t n; /* octets in out */
	struct conf_diags *diags;
	int err;
};

static void complain(struct scan *s, const char *what)
{
	const int err = conf_diags_add(s->diags, s->line, "%s", what);

	s->err = err ? err : -EINVAL;
}

/* Give out @len octets from p as they are. */
static void copy(struct scan *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		s->line += s->p[i] == '\n';
		s->out[s->n++] = s->p[i];
	}
	s->p += len;
}

/* Step over what is before @end, giving out its line ends only. */
static void skip(struct scan *s, const char *end)
{
	s->out[s->n++] = ' ';
	for (; s->p < end; s->p++) {
		if (*s->p != '\n')
			continue;
		s->out[s->n++] = '\n';
		s->line++;
	}
}

/* The end of the white space or comment that starts at @p: @p when there is
 * none, NULL when the comment has no end. */
static const char *blank_end(const char *p)
{
	const char *end;

	if (isspace((unsigned char)*p))
		return p + strspn(p, " \t\r\n\v\f");
	if (*p == '#' || (p[0] == '/' && p[1] == '/'))
		return p + strcspn(p, "\n");
	if (p[0] != '/' || p[1] != '*')
		return p;
	end = strstr(p + 2, "*/");
	return end ? end + 2 : NULL;
}

/* The end of the text in quotes that starts at @p; NULL: it has none. */
static const char *quote_end(const char *p)
{
	for (p++; *p && *p != '"'; p++) {
		if (p[0] == '\\' && p[1])
			p++;
	}
	return *p ? p + 1 : NULL;
}

static void take_quote(struct scan *s)
{
	const char *end = quote_end(s->p);
	const char *next;

	if (!end) {
		complain(s, "the text that begins here is not closed; "
			    "a \" must end it");
		return;
	}
	copy(s, (size_t)(end - s->p));
	for (next = end; next && blank_end(next) != next;)
		next = blank_end(next);
	if (!next || !*next || !strchr(",])", *next))
		return;
	s->out[s->n++] = *next;
	skip(s, next);
	s->p++;
}

/* A number of @digits digits, which @fit always and @most at all. */
static void take_integer(struct scan *s, size_t digits, size_t fit, size_t most,
			 const char *huge)
{
	if (digits <= most) {
		copy(s, digits);
	} else {
		memcpy(s->out + s->n, huge, most);
		s->n += most;
		s->p += digits;
	}
	if (digits > fit && *s->p != 'L')
		s->out[s->n++] = 'L';
}

static void take_number(struct scan *s)
{
	static const char digits[] = "0123456789";
	static const char xdigits[] = "0123456789abcdefABCDEF";
	const size_t n = strspn(s->p, digits);

	if (n == 1 && *s->p == '0' && (s->p[1] == 'x' || s->p[1] == 'X')) {
		copy(s, 2);
		take_integer(s, strspn(s->p, xdigits), INT31_XDIGITS,
			     INT63_XDIGITS, "fffffffffffffff");
	} else if (s->p[n] && strchr(".eE", s->p[n])) {
		copy(s, strspn(s->p, "0123456789.eE"));
	} else {
		take_integer(s, n, INT31_DIGITS, INT63_DIGITS,
			     "999999999999999999");
	}
}

static size_t name_len(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || (p[n] && strchr("-_*", p[n])))
		n++;
	return n;
}

static void take_token(struct scan *s)
{
	const char *end = blank_end(s->p);

	if (!end)
		complain(s, "the comment that begins here is not closed; "
			    "*/ must end it");
	else if (end != s->p)
		skip(s, end);
	else if (*s->p == '"')
		take_quote(s);
	else if (isdigit((unsigned char)*s->p))
		take_number(s);
	else if (isalpha((unsigned char)*s->p) || *s->p == '*')
		copy(s, name_len(s->p));
	else if (strncmp(s->p, "@include", strlen("@include")) == 0)
		complain(s, "@include is not allowed; all settings are in one "
			    "file");
	else
		copy(s, 1);
}

int conf_text_prepare(const char *text, char **out, struct conf_diags *diags)
{
	const size_t len = strnlen(text, CONF_FILE_MAX + 1);
	struct scan s = { .p = text, .line = 1, .diags = diags };

	if (len > CONF_FILE_MAX)
		return check_content(text, len, diags);
	/* No token grows to more than twice its octets. */
	s.out = malloc(2 * len + 1);
	if (!s.out)
		return -ENOMEM;
	if (strncmp(s.p, "\xef\xbb\xbf", 3) == 0) /* byte order mark */
		s.p += 3;
	while (*s.p && !s.err)
		take_token(&s);
	if (s.err) {
		free(s.out);
		return s.err;
	}
	s.out[s.n] = '\0';
	*out = s.out;
	return 0;
}
