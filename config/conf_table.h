/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_CONF_TABLE_H
#define CONFIG_CONF_TABLE_H

/*
 * The rows that settings are made of, for this room only.  A row says where
 * its value lives, what it may be and what it is for; it knows nothing of
 * libconfig.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/conf.h"

enum conf_type {
	CONF_BOOL,   /* bool */
	CONF_U32,    /* uint32_t or uint16_t */
	CONF_DB,     /* double, to the tenth */
	CONF_STRING, /* char[size] */
	CONF_PATH,   /* char[size] */
	CONF_CHOICE, /* an enum, numbered as .words */
	CONF_KEY,    /* struct conf_key */
	CONF_NODE,   /* char[size], digits */
	CONF_CALLER, /* struct conf_caller */
	CONF_TEXTS,  /* list of texts: each the only row of .items */
	CONF_GROUPS, /* list of groups: each the rows of .items */
};

enum conf_flags {
	CONF_REQUIRED = 1U << 0,
	CONF_RELOAD = 1U << 1, /* takes effect on SIGHUP */
};

/* The rows of a struct of @size octets: a configuration's, or an entry's of a
 * list, with when two of those are one too many, and by what, and what is wrong
 * with one as a whole (NULL: nothing; without the function, nothing ever). */
struct conf_scope {
	const struct conf_row *rows;
	size_t n;
	size_t size;
	bool (*same)(const void *a, const void *b);
	const char *same_what;
	const char *(*wrong)(const void *entry);
};

struct conf_row {
	const char *name; /* "group.setting", or "setting" */
	enum conf_type type;
	size_t offset, size; /* of the member, octets */
	/* CONF_U32: the range; CONF_DB: the same, as int32_t.  Texts: min is the least length (the greatest
	 * is size - 1).  Lists: max entries. */
	uint32_t min, max;
	uint32_t dflt; /* CONF_BOOL, CONF_U32, CONF_CHOICE; CONF_DB: int32_t */
	const char *text;         /* default of a text; NULL: "" */
	const char *example;      /* for the example file, if not the default */
	const char *unit;         /* of CONF_U32: "s", "ms" or NULL */
	const char *const *words; /* CONF_CHOICE: names, NULL at the end */
	bool (*ok)(const char *text); /* further check of a text */
	const char *allowed;          /* what .ok and size accept, for people */
	/* Lists: the member's companion, and the entries. */
	size_t count_offset;
	const struct conf_scope *items;
	unsigned flags; /* enum conf_flags */
	const char *help;
};

/* A rule between settings, blamed on @at. */
struct conf_rule {
	const char *at;
	bool (*holds)(const void *conf);
	const char *text;
};

struct conf_table {
	struct conf_scope scope;
	const struct conf_rule *rules;
	size_t rules_n;
	const char *file; /* where it is installed */
	const char *about;
};

extern const struct conf_table conf_node_table;
extern const struct conf_table conf_registrar_table;

const struct conf_row *conf_row_find(const struct conf_scope *scope,
				     const char *name);
/* Octets of @name before the dot: 0 when it is in no group. */
size_t conf_row_group_len(const char *name);
bool conf_row_is_group(const struct conf_scope *scope, const char *group);
bool conf_row_is_list(const struct conf_row *row);

/* The row's member inside @base. */
void *conf_row_at(const struct conf_row *row, void *base);
const void *conf_row_at_const(const struct conf_row *row, const void *base);

/* A list member: its entries and how many. */
struct conf_list {
	void *items;
	size_t n;
};
struct conf_list conf_list_get(const struct conf_row *row, const void *base);
void conf_list_set(const struct conf_row *row, void *base,
		   struct conf_list list);

/* The table of @which, with its defaults in a new block that the caller frees;
 * NULL without memory (conf_man.c). */
const struct conf_table *conf_table_of(enum conf_program which,
				       void **defaults);

/* Values (conf_value.c).  Setters leave the member alone and answer false
 * when the value is not allowed. */
void conf_value_default(const struct conf_row *row, void *base);
void conf_values_default(const struct conf_scope *scope, void *base);
void conf_values_free(const struct conf_scope *scope, void *base);
bool conf_value_set_number(const struct conf_row *row, void *base,
			   int64_t value);
bool conf_value_set_db(const struct conf_row *row, void *base, double value);
bool conf_value_set_text(const struct conf_row *row, void *base,
			 const char *text);
/* Is there anything to print?  False for a key that is not set. */
bool conf_value_given(const struct conf_row *row, const void *base);
/* The value of a row that is not a list, as libconfig writes it. */
void conf_value_print(const struct conf_row *row, const void *base, FILE *to);
/* What is allowed, such as `a whole number from 5 to 120 s`. */
void conf_value_allowed(const struct conf_row *row, FILE *to);

/* Further checks for rows. */
bool conf_text_is_ipv4(const char *text);
bool conf_text_is_ipv6(const char *text);
bool conf_text_is_prefix(const char *text);
bool conf_text_is_ctcss(const char *text); /* or empty */
bool conf_text_is_host(const char *text);
bool conf_text_is_domain(const char *text); /* or empty */
bool conf_text_is_server(const char *text);
bool conf_text_is_pattern(const char *text);
bool conf_text_is_callsign(const char *text);
bool conf_text_is_url(const char *text);   /* or empty */
bool conf_text_is_https(const char *text); /* or empty */
bool conf_text_is_redis(const char *text); /* or empty */
bool conf_text_is_interface(const char *text);
bool conf_text_is_group_name(const char *text);
bool conf_text_is_usb_port(const char *text); /* or empty */

/* Diagnostics (conf_diag.c). */
/* 0 or -ENOMEM; beyond CONF_DIAGS_MAX entries nothing is added but the last,
 * which says so. */
int conf_diags_add(struct conf_diags *diags, unsigned line, const char *fmt,
		   ...) __attribute__((format(printf, 3, 4)));
void conf_diags_sort(struct conf_diags *diags);
/* The known name nearest to @name, among rows and groups; NULL: none near. */
const struct conf_row *conf_nearest(const struct conf_scope *scope,
				    const char *name, bool *is_group);

#endif
