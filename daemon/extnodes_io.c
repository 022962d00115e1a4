/* SPDX-License-Identifier: MIT */

#include "daemon/extnodes_io.h"

static void *make(const char *text, size_t len)
{
	return extnodes_new(text, len);
}

static void end(void *table)
{
	(void)extnodes_free(table);
}

static size_t count(const void *table)
{
	return extnodes_count(table);
}

static size_t bad(const void *table)
{
	return extnodes_bad(table);
}

const struct file_table_kind extnodes_file = {
	.setting = "lookup.extnodes",
	.octets_max = EXTNODES_FILE_MAX,
	.make = make,
	.end = end,
	.count = count,
	.bad = bad,
};
