/* SPDX-License-Identifier: MIT */

/* The fobs that are plugged in, and whether the service may open them. */

#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/console/setup.h"
#include "radio/fob_sysfs.h"

#define GROUPS_MAX 64

/* What a device says of itself goes to a terminal and into a file. */
static void only_plain(char *serial)
{
	for (const char *c = serial; *c; c++) {
		if (!isprint((unsigned char)*c) || strchr("\"\\", *c)) {
			*serial = '\0';
			return;
		}
	}
}

static int by_port(const void *a, const void *b)
{
	const struct fob_seen *one = a, *other = b;

	return strverscmp(one->port, other->port);
}

void setup_fobs(struct setup_facts *facts, struct fob_seen *seen)
{
	const size_t n = fob_sysfs_scan("/sys", seen, FOB_SEEN_MAX);

	qsort(seen, n, sizeof(*seen), by_port);
	for (size_t i = 0; i < n; i++)
		only_plain(seen[i].serial);
	facts->fobs_n = fob_list(seen, n, facts->fobs, SETUP_FOBS_MAX);
}

/* With those that the service's unit adds. */
static bool is_in(const struct passwd *user, gid_t group)
{
	static const char *const added[] = { "plugdev", "audio" };
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;

	/* Nobody else asks in this process. */
	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++) {
		const struct group *g =
			getgrnam(added[i]); /* NOLINT(*-mt-unsafe) */

		if (g && g->gr_gid == group)
			return true;
	}
	if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

static bool may_open(const struct passwd *user, const struct stat *st)
{
	const mode_t both = S_IROTH | S_IWOTH;

	if (st->st_uid == user->pw_uid)
		return (st->st_mode >> 6 & both) == both;
	if (is_in(user, st->st_gid))
		return (st->st_mode >> 3 & both) == both;
	return (st->st_mode & both) == both;
}

static const struct fob_seen *of_plan(const struct setup_facts *facts,
				      const struct setup_plan *plan)
{
	for (size_t i = 0; i < facts->fobs_n; i++) {
		if (setup_is_bound_to(plan, facts->fobs[i].seen))
			return facts->fobs[i].seen;
	}
	return facts->fobs_n == 1 ? facts->fobs[0].seen : NULL;
}

void setup_fob_rights(const struct setup_facts *facts,
		      const struct setup_plan *plan)
{
	const struct fob_seen *fob = of_plan(facts, plan);
	const struct passwd *user =
		getpwnam(SETUP_USER); /* NOLINT(*-mt-unsafe) */
	char path[64];
	struct stat st;

	if (!fob || !user)
		return;
	(void)snprintf(path, sizeof(path), "/dev/bus/usb/%03u/%03u", fob->bus,
		       fob->address);
	if (stat(path, &st) != 0 || may_open(user, &st))
		return;
	(void)printf("The service's user, %s, may not open the fob (%s): its "
		     "udev rule gives it\nto the group plugdev when it is "
		     "plugged in. Unplug it and plug it in again.\n",
		     SETUP_USER, path);
}
