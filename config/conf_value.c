/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_key.h"
#include "config/conf_table.h"

/* Choices are stored and read as unsigned. */
_Static_assert(sizeof(enum conf_accept) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum conf_radio) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum conf_codec) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum conf_log) == sizeof(unsigned), "enum size");

const struct conf_row *conf_row_find(const struct conf_scope *scope,
				     const char *name)
{
	for (size_t i = 0; i < scope->n; i++) {
		if (strcmp(scope->rows[i].name, name) == 0)
			return &scope->rows[i];
	}
	return NULL;
}

size_t conf_row_group_len(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? (size_t)(dot - name) : 0;
}

bool conf_row_is_group(const struct conf_scope *scope, const char *group)
{
	const size_t len = strlen(group);

	for (size_t i = 0; i < scope->n; i++) {
		const char *name = scope->rows[i].name;

		if (len > 0 && conf_row_group_len(name) == len &&
		    strncmp(name, group, len) == 0)
			return true;
	}
	return false;
}

bool conf_row_is_list(const struct conf_row *row)
{
	return row->type == CONF_TEXTS || row->type == CONF_GROUPS;
}

void *conf_row_at(const struct conf_row *row, void *base)
{
	return (char *)base + row->offset;
}

const void *conf_row_at_const(const struct conf_row *row, const void *base)
{
	return (const char *)base + row->offset;
}

/* The members are pointers of other types: copied, not aliased. */
struct conf_list conf_list_get(const struct conf_row *row, const void *base)
{
	struct conf_list list;

	memcpy(&list.items, conf_row_at_const(row, base), sizeof(list.items));
	memcpy(&list.n, (const char *)base + row->count_offset, sizeof(list.n));
	return list;
}

void conf_list_set(const struct conf_row *row, void *base,
		   struct conf_list list)
{
	memcpy(conf_row_at(row, base), &list.items, sizeof(list.items));
	memcpy((char *)base + row->count_offset, &list.n, sizeof(list.n));
}

static void store_number(const struct conf_row *row, void *base, uint32_t value)
{
	const uint16_t port = (uint16_t)value;

	if (row->size == sizeof(port))
		memcpy(conf_row_at(row, base), &port, sizeof(port));
	else
		memcpy(conf_row_at(row, base), &value, sizeof(value));
}

static uint32_t stored_number(const struct conf_row *row, const void *base)
{
	uint16_t port;
	uint32_t value;

	memcpy(&port, conf_row_at_const(row, base), sizeof(port));
	if (row->size == sizeof(port))
		return port;
	memcpy(&value, conf_row_at_const(row, base), sizeof(value));
	return value;
}

bool conf_value_set_number(const struct conf_row *row, void *base,
			   int64_t value)
{
	if (row->type == CONF_BOOL) {
		*(bool *)conf_row_at(row, base) = value != 0;
		return true;
	}
	if (row->type != CONF_U32 || value < row->min || value > row->max)
		return false;
	store_number(row, base, (uint32_t)value);
	return true;
}

bool conf_value_set_db(const struct conf_row *row, void *base, double value)
{
	double tenths;

	if (row->type != CONF_DB || !(value >= (int32_t)row->min) ||
	    !(value <= (int32_t)row->max))
		return false;
	tenths = (int)(value * 10.0 + (value < 0.0 ? -0.5 : 0.5)) / 10.0;
	memcpy(conf_row_at(row, base), &tenths, sizeof(tenths));
	return true;
}

static double stored_db(const struct conf_row *row, const void *base)
{
	double value;

	memcpy(&value, conf_row_at_const(row, base), sizeof(value));
	return value + 0.0; /* not -0 */
}

static bool is_number(const char *text, size_t size)
{
	const size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < size && text[digits] == '\0';
}

static bool set_choice(const struct conf_row *row, void *base, const char *word)
{
	for (unsigned i = 0; row->words[i]; i++) {
		if (strcmp(row->words[i], word) != 0)
			continue;
		memcpy(conf_row_at(row, base), &i, sizeof(i));
		return true;
	}
	return false;
}

static bool set_key(struct conf_key *key, const char *text)
{
	if (!conf_key_decode(text, key->octets))
		return false;
	key->set = true;
	return true;
}

static bool set_caller(struct conf_caller *caller, const char *text)
{
	struct conf_caller c = { 0 };

	if (is_number(text, sizeof(c.number)))
		(void)snprintf(c.number, sizeof(c.number), "%s", text);
	else if (!set_key(&c.key, text))
		return false;
	*caller = c;
	return true;
}

static bool has_controls(const char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			return true;
	}
	return false;
}

static bool set_chars(const struct conf_row *row, void *base, const char *text)
{
	const size_t len = strlen(text);
	char *at = conf_row_at(row, base);

	if (len < row->min || len >= row->size || has_controls(text))
		return false;
	if (row->ok && !(len == 0 && row->min == 0) && !row->ok(text))
		return false;
	memset(at, 0, row->size);
	memcpy(at, text, len + 1);
	return true;
}

bool conf_value_set_text(const struct conf_row *row, void *base,
			 const char *text)
{
	switch (row->type) {
	case CONF_NODE:
		return is_number(text, row->size) && set_chars(row, base, text);
	case CONF_STRING:
	case CONF_PATH:
		return set_chars(row, base, text);
	case CONF_CHOICE:
		return set_choice(row, base, text);
	case CONF_KEY:
		return set_key(conf_row_at(row, base), text);
	case CONF_CALLER:
		return set_caller(conf_row_at(row, base), text);
	case CONF_BOOL:
	case CONF_U32:
	case CONF_DB:
	case CONF_TEXTS:
	case CONF_GROUPS:
		break;
	}
	return false;
}

void conf_value_default(const struct conf_row *row, void *base)
{
	memset(conf_row_at(row, base), 0, row->size);
	if (row->type == CONF_CHOICE)
		memcpy(conf_row_at(row, base), &row->dflt, sizeof(row->dflt));
	else if (row->type == CONF_DB)
		(void)conf_value_set_db(row, base, (int32_t)row->dflt);
	else if (row->text)
		(void)conf_value_set_text(row, base, row->text);
	else
		(void)conf_value_set_number(row, base, row->dflt);
}

void conf_values_default(const struct conf_scope *scope, void *base)
{
	memset(base, 0, scope->size);
	for (size_t i = 0; i < scope->n; i++) {
		if (!conf_row_is_list(&scope->rows[i]))
			conf_value_default(&scope->rows[i], base);
	}
}

void conf_values_free(const struct conf_scope *scope, void *base)
{
	for (size_t i = 0; i < scope->n; i++) {
		if (conf_row_is_list(&scope->rows[i]))
			free(conf_list_get(&scope->rows[i], base).items);
	}
	memset(base, 0, scope->size);
}

bool conf_value_given(const struct conf_row *row, const void *base)
{
	const struct conf_key *key = conf_row_at_const(row, base);

	if (row->type == CONF_NODE)
		return *(const char *)conf_row_at_const(row, base) != '\0';
	return row->type != CONF_KEY || key->set;
}

static void print_quoted(const char *text, FILE *to)
{
	(void)fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
	(void)fputc('"', to);
}

static void print_key(const struct conf_key *key, FILE *to)
{
	char text[CONF_KEY_TEXT_LEN];

	conf_key_encode(key->octets, text);
	print_quoted(text, to);
}

static void print_choice(const struct conf_row *row, const void *base, FILE *to)
{
	unsigned i;

	memcpy(&i, conf_row_at_const(row, base), sizeof(i));
	print_quoted(row->words[i], to);
}

static void print_caller(const struct conf_caller *caller, FILE *to)
{
	if (caller->key.set)
		print_key(&caller->key, to);
	else
		print_quoted(caller->number, to);
}

void conf_value_print(const struct conf_row *row, const void *base, FILE *to)
{
	const void *at = conf_row_at_const(row, base);

	switch (row->type) {
	case CONF_BOOL:
		(void)fputs(*(const bool *)at ? "true" : "false", to);
		break;
	case CONF_U32:
		(void)fprintf(to, "%" PRIu32, stored_number(row, base));
		break;
	case CONF_DB:
		(void)fprintf(to, "%.1f", stored_db(row, base));
		break;
	case CONF_STRING:
	case CONF_PATH:
	case CONF_NODE:
		print_quoted(at, to);
		break;
	case CONF_CHOICE:
		print_choice(row, base, to);
		break;
	case CONF_KEY:
		print_key(at, to);
		break;
	case CONF_CALLER:
		print_caller(at, to);
		break;
	case CONF_TEXTS:
	case CONF_GROUPS:
		break;
	}
}

static void allowed_choice(const struct conf_row *row, FILE *to)
{
	for (unsigned i = 0; row->words[i]; i++) {
		if (i > 0)
			(void)fputs(row->words[i + 1] ? ", " : " or ", to);
		print_quoted(row->words[i], to);
	}
}

static void allowed_chars(const struct conf_row *row, FILE *to)
{
	if (row->allowed)
		(void)fputs(row->allowed, to);
	else
		(void)fprintf(to, "%s of %s%zu characters",
			      row->type == CONF_PATH ? "a file's name" : "text",
			      row->min > 0 ? "1 to " : "at most ",
			      row->size - 1);
	if (row->min == 0 && row->allowed)
		(void)fputs(", or \"\"", to);
}

static void allowed_list(const struct conf_row *row, FILE *to)
{
	if (row->type == CONF_GROUPS) {
		(void)fprintf(to,
			      "a list of at most %" PRIu32
			      " groups: ( {...}, ... )",
			      row->max);
	} else if (row->items->rows[0].type == CONF_CHOICE) {
		(void)fputs("a list of ", to);
		allowed_choice(&row->items->rows[0], to);
		(void)fputs(": [ \"...\", ... ]", to);
	} else {
		(void)fprintf(to,
			      "a list of at most %" PRIu32
			      " texts: [ \"...\", ... ]",
			      row->max);
	}
}

void conf_value_allowed(const struct conf_row *row, FILE *to)
{
	switch (row->type) {
	case CONF_BOOL:
		(void)fputs("true or false", to);
		break;
	case CONF_U32:
		(void)fprintf(to, "a whole number from %" PRIu32 " to %" PRIu32,
			      row->min, row->max);
		if (row->unit)
			(void)fprintf(to, " %s", row->unit);
		break;
	case CONF_DB:
		(void)fprintf(to, "a number from %d to %d dB",
			      (int)(int32_t)row->min, (int)(int32_t)row->max);
		break;
	case CONF_STRING:
	case CONF_PATH:
		allowed_chars(row, to);
		break;
	case CONF_CHOICE:
		allowed_choice(row, to);
		break;
	case CONF_KEY:
		(void)fputs("a public key: 44 characters of base64", to);
		break;
	case CONF_NODE:
		(void)fprintf(to, "1 to %zu digits in quotes", row->size - 1);
		break;
	case CONF_CALLER:
		(void)fputs("a node number or a public key, in quotes", to);
		break;
	case CONF_TEXTS:
	case CONF_GROUPS:
		allowed_list(row, to);
		break;
	}
}

bool conf_text_is_ipv4(const char *text)
{
	struct in_addr addr;

	return inet_pton(AF_INET, text, &addr) == 1;
}

bool conf_text_is_ipv6(const char *text)
{
	struct in6_addr addr;

	return inet_pton(AF_INET6, text, &addr) == 1;
}

bool conf_text_is_prefix(const char *text)
{
	const char *slash = strchr(text, '/');
	const size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char addr[INET6_ADDRSTRLEN];
	bool v4;

	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	v4 = conf_text_is_ipv4(addr);
	if (!v4 && !conf_text_is_ipv6(addr))
		return false;
	return !slash || (is_number(slash + 1, 4) &&
			  strtoul(slash + 1, NULL, 10) <= (v4 ? 32 : 128));
}

static bool is_made_of(const char *text, const char *others)
{
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr(others, *text))
			return false;
	}
	return true;
}

bool conf_text_is_host(const char *text)
{
	if (strchr(text, ':'))
		return conf_text_is_ipv6(text);
	return is_made_of(text, "-._") && *text != '-' && *text != '.' &&
	       !strstr(text, "..");
}

/* 60 to 260 Hz, to the tenth. */
bool conf_text_is_ctcss(const char *text)
{
	const size_t whole = strspn(text, "0123456789");
	unsigned tenths = 0;

	if (text[0] == '\0')
		return true;
	if (whole < 2 || whole > 3 || text[whole] != '.' ||
	    strspn(text + whole + 1, "0123456789") != 1 ||
	    text[whole + 2] != '\0')
		return false;
	for (const char *c = text; *c; c++)
		tenths =
			*c == '.' ? tenths : tenths * 10 + (unsigned)(*c - '0');
	return tenths >= 600 && tenths <= 2600;
}

bool conf_text_is_callsign(const char *text)
{
	return is_made_of(text, "/-");
}

/* As the kernel has it, and nothing that would not be seen. */
bool conf_text_is_interface(const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c <= ' ' || *c > '~' || *c == '/' || *c == ':')
			return false;
	}
	return strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

bool conf_text_is_group_name(const char *text)
{
	return is_made_of(text, "-_.") && *text != '-';
}
