/* SPDX-License-Identifier: MIT */

/* Whether nodes can be found by their numbers. */

#include <stdio.h>
#include <time.h>

#include "daemon/doctor.h"

#define SEEN_MAX 400U
#define DAY_S 86400

static void check_dns(struct doctor *d)
{
	const struct lookup_io *io = d->app->numbers;
	const char *trouble = lookup_io_trouble(io);
	char seen[SEEN_MAX];

	if (d->app->conf.lookup.domain[0] == '\0' ||
	    lookup_io_counters(io)->questions == 0)
		return;
	(void)snprintf(seen, sizeof(seen), "DNS of %s: %s",
		       d->app->conf.lookup.domain,
		       trouble[0] ? trouble : "answers");
	if (trouble[0])
		doctor_find(d, DOCTOR_WARN, seen,
			    "Nodes that only DNS knows cannot be dialled.",
			    "Check lookup.resolvers, or the name servers in "
			    "/etc/resolv.conf, and the way to them.");
	else
		doctor_find(d, DOCTOR_OK, seen,
			    "Nodes are found by their numbers.", "");
}

static void check_file(struct doctor *d)
{
	const struct file_table *file = lookup_io_file(d->app->numbers);
	const struct extnodes *x = lookup_io_table(d->app->numbers);
	const char *trouble = file ? file_table_trouble(file) : NULL;
	char seen[SEEN_MAX];
	int64_t days;

	if (trouble) {
		(void)snprintf(seen, sizeof(seen), "%s: %s",
			       d->app->conf.lookup.extnodes, trouble);
		doctor_find(d, DOCTOR_WARN, seen,
			    "Nodes that only this file knows cannot be "
			    "dialled, or not where they are now.",
			    "Check lookup.extnodes, and what fetches the "
			    "file.");
		return;
	}
	if (!x)
		return;
	days = ((int64_t)time(NULL) - file_table_written(file)) / DAY_S;
	(void)snprintf(seen, sizeof(seen), "%s: %zu nodes, %lld days old",
		       d->app->conf.lookup.extnodes, extnodes_count(x),
		       (long long)days);
	if (days > 0)
		doctor_find(d, DOCTOR_WARN, seen,
			    "Nodes move, and this file does not follow.",
			    "See to what fetches the file.");
	else
		doctor_find(d, DOCTOR_OK, seen,
			    "It is fresh, for when DNS does not answer.", "");
}

void doctor_lookup(struct doctor *d)
{
	check_dns(d);
	check_file(d);
}
