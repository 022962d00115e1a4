/* SPDX-License-Identifier: MIT */

/* What comes of a look for the fob: it is open, or why not. */

#include <errno.h>
#include <stdio.h>

#include "radio/fob_priv.h"

/* A new device is root's until udev has been there, and shows its interfaces
 * one after the other: for so long it may not be what it will be. */
#define YOUNG_US 1000000U
#define YOUNG_LOOK_US 50000U

static void warn_unknown(struct fob *f)
{
	char what[FOB_WHY_MAX];

	if (f->found.known || f->warned_unknown)
		return;
	f->warned_unknown = true;
	(void)snprintf(what, sizeof(what),
		       "%s is taken for a CM108, which it may not be: check "
		       "that it keys and unkeys",
		       f->name);
	f->cb.on_warning(f->cb.ctx, what);
}

static bool same_device(const struct fob_seen *a, const struct fob_seen *b)
{
	return a->bus == b->bus && a->address == b->address;
}

static bool is_young(struct fob *f, const struct fob_job *job)
{
	if (job->err != -EACCES && job->err != -EPERM && job->err != -ENOTSUP)
		return false;
	if (!same_device(&f->refused, &job->seen)) {
		f->refused = job->seen;
		f->refused_since = f->now;
	}
	return f->now - f->refused_since < YOUNG_US;
}

static void not_opened(struct fob *f, const struct fob_job *job)
{
	f->found.seen = NULL;
	if (is_young(f, job)) {
		fob_machine_looked(&f->machine, FOB_STAGE_ABSENT, f->now);
		fob_machine_look_at(&f->machine, f->now + YOUNG_LOOK_US);
		return;
	}
	/* That it went says more than that it is not there. */
	if (job->err != -ENODEV || !f->was_lost)
		(void)snprintf(f->why, sizeof(f->why), "%s", job->why);
	fob_machine_looked(&f->machine,
			   job->err == -ENODEV ? FOB_STAGE_ABSENT
					       : FOB_STAGE_FAILED,
			   f->now);
}

void fob_opened(struct fob *f, const struct fob_job *job)
{
	struct fob_unkey unkey;

	if (job->err != 0) {
		not_opened(f, job);
		return;
	}
	f->seen = job->seen;
	f->found = job->found;
	f->found.seen = &f->seen;
	f->was_lost = false;
	fob_describe(&f->found, f->name);
	f->counters.opened++;
	f->card[0] = '\0';
	f->card_due = f->now;
	fob_machine_looked(&f->machine, FOB_STAGE_OPENING, f->now);
	unkey = fob_unkey_of(f);
	f->cb.on_device(f->cb.ctx, &unkey);
	warn_unknown(f);
}
