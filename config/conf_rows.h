/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_CONF_ROWS_H
#define CONFIG_CONF_ROWS_H

/* What the tables' files share: how a row says where its member is, and the
 * entries of lists. */

#include "config/conf_table.h"

/* Where a row's member is; a list's, with its entries and their number. */
#define AT(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define LIST_OF(type, member, scope, most)                             \
	.offset = offsetof(type, member), .size = sizeof(void *),      \
	.count_offset = offsetof(type, member##_n), .items = &(scope), \
	.max = (most)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern const struct conf_scope conf_registrar_refs;
extern const struct conf_scope conf_peers;
extern const struct conf_scope conf_users;
extern const struct conf_scope conf_callers;
extern const struct conf_scope conf_links;
extern const struct conf_scope conf_functions;
extern const struct conf_scope conf_events;
extern const struct conf_scope conf_prefixes;
extern const struct conf_scope conf_codecs;
extern const struct conf_scope conf_resolvers;
extern const struct conf_scope conf_lookups;

#endif
