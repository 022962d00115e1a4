/* SPDX-License-Identifier: MIT */

/* Whether nodes can be found by their numbers. */

#include <inttypes.h>
#include <stdio.h>

#include "daemon/doctor/network.h"

#define DAY_S 86400

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

static void check_fetch(struct doctor *d, const struct doctor_lookup *l)
{
	char seen[DOCTOR_TEXT_MAX];

	if (!l->fetch_trouble)
		return;
	(void)snprintf(seen, sizeof(seen), "%.200s is not fetched: %.200s",
		       l->file[0] != '\0' ? l->file : "the file of nodes",
		       l->fetch_trouble);
	find(d, DOCTOR_WARN, seen, "Nodes move, and this file does not follow.",
	     "Check lookup.extnodes_url, the way to that server, and that "
	     "keyholed may write the file.");
}

/* One that the server leaves as it is counts from when it was asked; a fetch
 * may fail once. */
static bool is_old(const struct doctor_lookup *l)
{
	const int64_t twice = l->fetched ? 2 * (int64_t)l->fetch_s : 0;

	return l->file_age_s >= (twice > DAY_S ? twice : DAY_S);
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
		     l->fetched ? "Check lookup.extnodes and "
				  "lookup.extnodes_url."
				: "Check lookup.extnodes, and what fetches "
				  "the file.");
		return;
	}
	if (l->file[0] == '\0')
		return;
	(void)snprintf(seen, sizeof(seen),
		       "%.255s: %zu nodes, %" PRId64 " days old", l->file,
		       l->file_nodes, l->file_age_s / DAY_S);
	if (is_old(l))
		find(d, DOCTOR_WARN, seen,
		     "Nodes move, and this file does not follow.",
		     l->fetched ? "Check lookup.extnodes_url."
				: "See to what fetches the file.");
	else
		find(d, DOCTOR_OK, seen,
		     "It is fresh, for when DNS does not answer.", "");
}

void doctor_lookup(struct doctor *d, const struct doctor_lookup *l)
{
	check_dns(d, l);
	check_fetch(d, l);
	check_file(d, l);
}
