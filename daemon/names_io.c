/* SPDX-License-Identifier: MIT */

#include "daemon/names_io.h"

static void *make(const char *text, size_t len)
{
	return names_new(text, len);
}

static void end(void *table)
{
	(void)names_free(table);
}

static size_t count(const void *table)
{
	return names_count(table);
}

static size_t bad(const void *table)
{
	return names_bad(table);
}

const struct file_table_kind names_file = {
	.setting = "lookup.names",
	.octets_max = NAMES_FILE_MAX,
	.make = make,
	.end = end,
	.count = count,
	.bad = bad,
};
