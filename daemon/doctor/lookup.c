/* SPDX-License-Identifier: MIT */

/* Whether nodes can be found by their numbers. */

#include <stdio.h>

#include "daemon/doctor/network.h"

static void find(struct doctor *d, enum doctor_state state, const char *seen,
		 const char *cause, const char *mend)
{
	doctor_find(d, &(struct doctor_finding){ "lookup", state, seen, cause,
						 mend });
}

static void check_dns(struct doctor *d, const struct doctor_lookup *l)
{
	const bool bad = l->dns_trouble[0] != '\0';
	char seen[DOCTOR_TEXT_MAX];

	if (l->domain[0] == '\0' || !l->asked)
		return;
	(void)snprintf(seen, sizeof(seen), "DNS of %.200s: %s", l->domain,
		       bad ? l->dns_trouble : "answers");
	if (bad)
		find(d, DOCTOR_WARN, seen,
		     "Nodes that only DNS knows cannot be dialled.",
		     "Check lookup.resolvers, or the name servers in "
		     "/etc/resolv.conf, and the way to them.");
	else
		find(d, DOCTOR_OK, seen, "Nodes are found by their numbers.",
		     "");
}

static void check_file(struct doctor *d, const struct doctor_lookup *l)
{
	char seen[DOCTOR_TEXT_MAX];

	if (l->file_trouble) {
		(void)snprintf(seen, sizeof(seen), "%.255s: %s", l->file,
			       l->file_trouble);
		find(d, DOCTOR_WARN, seen,
		     "Nodes that only this file knows cannot be dialled, or "
		     "not where they are now.",
		     "Check lookup.extnodes, and what fetches the file.");
		return;
	}
	if (l->file[0] == '\0')
		return;
	(void)snprintf(seen, sizeof(seen), "%.255s: %zu nodes, %lld days old",
		       l->file, l->file_nodes, (long long)l->file_days);
	if (l->file_days > 0)
		find(d, DOCTOR_WARN, seen,
		     "Nodes move, and this file does not follow.",
		     "See to what fetches the file.");
	else
		find(d, DOCTOR_OK, seen,
		     "It is fresh, for when DNS does not answer.", "");
}

void doctor_lookup(struct doctor *d, const struct doctor_lookup *l)
{
	check_dns(d, l);
	check_file(d, l);
}
