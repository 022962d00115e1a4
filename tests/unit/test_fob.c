/* SPDX-License-Identifier: MIT */

/* A fob that is looked for, in a sysfs and a usbfs that are folders: what is
 * said of one that cannot be used, and when. */

#include "radio/fob.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/t.h"
#include "tests/unit/fake_sysfs.h"

#define MS 1000U
#define S 1000000U
#define NOBODY 65534U

struct scene {
	struct fob *fob;
	uint64_t now;
	struct fob_job *job; /* for the other thread */
	bool busy;           /* it takes none */
	unsigned jobs;
	enum fob_state state;
	char why[FOB_WHY_MAX];
	unsigned sentences;
	char devices[64];
};

static void on_input(void *ctx, bool cor, bool ctcss)
{
	(void)ctx;
	T_TRUE(!cor && !ctcss);
}

static void on_state(void *ctx, enum fob_state state, const char *why)
{
	struct scene *s = ctx;

	T_TRUE(why != NULL && why[0]);
	s->state = state;
	s->sentences++;
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
}

static void on_warning(void *ctx, const char *what)
{
	(void)ctx;
	(void)what;
}

static void on_device(void *ctx, const struct fob_unkey *unkey)
{
	(void)ctx;
	T_TRUE(!unkey);
}

static void on_poll_add(void *ctx, int fd, short events)
{
	(void)ctx;
	(void)fd;
	(void)events;
}

static void on_poll_remove(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
}

static bool on_job(void *ctx, struct fob_job *job)
{
	struct scene *s = ctx;

	T_TRUE(!s->job); /* one at a time */
	if (s->busy)
		return false;
	s->job = job;
	s->jobs++;
	return true;
}

static void on_eeprom(void *ctx, int err, const struct cm108_levels *levels)
{
	(void)ctx;
	(void)err;
	(void)levels;
}

static void begin(struct scene *s, uint32_t look_us)
{
	const struct fob_callbacks cb = { .ctx = s,
					  .on_input = on_input,
					  .on_state = on_state,
					  .on_warning = on_warning,
					  .on_device = on_device,
					  .on_poll_add = on_poll_add,
					  .on_poll_remove = on_poll_remove,
					  .on_job = on_job,
					  .on_eeprom = on_eeprom };
	struct fob_config c = { .map = *cm108_map(0),
				.cos = CM108_BIT_SET,
				.sysfs = root,
				.devices = s->devices,
				.look_us = look_us };
	char why[FOB_WHY_MAX];

	*s = (struct scene){ .now = 5 * S };
	(void)snprintf(s->devices, sizeof(s->devices), "%s/dev", root);
	T_EQ(0, fob_new(&s->fob, &c, &cb, s->now, why));
}

static void do_job(struct scene *s)
{
	struct fob_job *job = s->job;

	fob_job_do(job);
	s->job = NULL;
	fob_job_done(s->fob, s->now);
}

static void run(struct scene *s, uint64_t us)
{
	const uint64_t end = s->now + us;

	for (;;) {
		const uint64_t due =
			s->job ? s->now + MS : fob_deadline(s->fob);

		if (due > end)
			break;
		if (due > s->now)
			s->now = due;
		if (s->job)
			do_job(s);
		else
			fob_tick(s->fob, s->now);
	}
	s->now = end;
}

static void end(struct scene *s)
{
	if (s->job)
		do_job(s);
	T_TRUE(fob_free(s->fob) == NULL);
}

static void put_file(const char *number, mode_t mode)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/dev/003/%s", root, number);
	(void)unlink(path);
	put("no device", "dev/003/%s", number);
	T_EQ(0, chmod(path, mode));
}

static void remove_all(const char *what)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s/%s", root, what);
	T_EQ(0, system(command)); /* NOLINT(cert-env33-c): our own folder */
}

static void none_is_said_once_and_looked_for_when_told(void)
{
	struct scene s;

	begin(&s, S);
	run(&s, 10 * S);
	T_EQ(FOB_ABSENT, s.state);
	T_STR("no USB radio fob is plugged in", s.why);
	T_EQ(1, s.sentences);
	T_TRUE(s.jobs >= 10 && s.jobs <= 11);
	run(&s, S / 4);
	s.jobs = 0;
	fob_hint(s.fob, s.now);
	run(&s, 20 * MS);
	T_EQ(1, s.jobs);
	T_TRUE(!fob_card(s.fob) && !fob_name(s.fob) && !fob_hot(s.fob));
	end(&s);
}

static void without_being_told_it_looks_more_often(void)
{
	struct scene s;

	begin(&s, 0);
	run(&s, S);
	T_TRUE(s.jobs >= 9 && s.jobs <= 11);
	end(&s);
}

static void two_are_one_too_many_until_one_goes(void)
{
	struct scene s;

	put_fob("3-1", "5");
	put_fob("3-2", "6");
	put_file("005", 0600);
	begin(&s, S);
	run(&s, 3 * S);
	T_EQ(FOB_FAILED, s.state);
	T_TRUE(strstr(s.why, "several fobs are plugged in"));
	T_EQ(1, s.sentences);
	remove_all(AT "3-2*");
	fob_hint(s.fob, s.now);
	run(&s, 20 * MS);
	/* It is no device, which is what is said of it now. */
	T_TRUE(strstr(s.why, "the USB fob at 3-1 does not open"));
	run(&s, 5 * S);
	T_EQ(2, s.sentences);
	end(&s);
	remove_all("bus");
	remove_all("dev");
}

static void rights_that_come_late_are_waited_for(void)
{
	struct scene s;

	put_fob("3-1", "5");
	put_file("005", 0);
	begin(&s, S);
	run(&s, 900 * MS);
	T_EQ(0, s.sentences);
	T_TRUE(s.jobs > 10);
	run(&s, 200 * MS);
	T_EQ(1, s.sentences);
	T_EQ(FOB_FAILED, s.state);
	T_TRUE(strstr(s.why, "no permission for the USB fob at 3-1"));
	T_TRUE(strstr(s.why, "group plugdev"));
	run(&s, 5 * S);
	T_EQ(1, s.sentences);
	/* Another one has its own second. */
	remove_all("bus");
	run(&s, S);
	T_EQ(2, s.sentences);
	put_fob("3-1", "7");
	put_file("007", 0);
	fob_hint(s.fob, s.now);
	run(&s, 500 * MS);
	T_EQ(2, s.sentences);
	put_file("007", 0600);
	fob_hint(s.fob, s.now);
	run(&s, 50 * MS);
	T_EQ(3, s.sentences);
	T_TRUE(strstr(s.why, "does not open"));
	end(&s);
	remove_all("bus");
	remove_all("dev");
}

static void interfaces_that_come_late_are_waited_for(void)
{
	struct scene s;

	put_device("3-1", "0d8c", "013c", "5");
	put_interface("3-1", 0, "01");
	put_file("005", 0600);
	begin(&s, S);
	run(&s, 500 * MS);
	T_EQ(0, s.sentences);
	put_fob("3-1", "5");
	run(&s, 100 * MS);
	T_TRUE(strstr(s.why, "does not open"));
	end(&s);
	remove_all("bus");
	put_device("3-1", "0d8c", "013c", "5");
	begin(&s, S);
	run(&s, 2 * S);
	T_EQ(1, s.sentences);
	T_TRUE(strstr(s.why, "has no HID interface"));
	end(&s);
	remove_all("bus");
	remove_all("dev");
}

static void one_that_went_before_it_was_opened_is_not_there(void)
{
	struct scene s;

	put_fob("3-1", "5");
	begin(&s, S);
	run(&s, S);
	T_EQ(FOB_ABSENT, s.state);
	T_EQ(1, s.sentences);
	end(&s);
	remove_all("bus");
}

static void a_thread_that_takes_no_job_is_asked_again(void)
{
	struct scene s;

	begin(&s, S);
	s.busy = true;
	run(&s, 5 * S);
	T_EQ(0, s.jobs);
	s.busy = false;
	run(&s, S);
	T_TRUE(s.jobs >= 1);
	end(&s);
}

static void an_end_amid_a_job_leaves_it_alone(void)
{
	static struct scene s; /* the thread has it for ever */
	struct fob_job *job;

	begin(&s, S);
	fob_tick(s.fob, s.now);
	T_TRUE(s.job != NULL);
	job = s.job;
	T_TRUE(fob_free(s.fob) == NULL);
	fob_job_do(job); /* all that it needs is there yet */
}

static void keying_one_that_is_away_waits(void)
{
	struct scene s;

	begin(&s, S);
	run(&s, S);
	fob_key(s.fob, true, s.now);
	T_TRUE(!fob_hot(s.fob));
	run(&s, S);
	T_TRUE(!fob_hot(s.fob));
	T_EQ(FOB_ABSENT, fob_state(s.fob));
	end(&s);
}

int main(void)
{
	/* root needs no permission */
	if (geteuid() == 0)
		T_EQ(0, seteuid(NOBODY));
	T_TRUE(mkdtemp(root) != NULL);
	T_RUN(none_is_said_once_and_looked_for_when_told);
	T_RUN(without_being_told_it_looks_more_often);
	T_RUN(two_are_one_too_many_until_one_goes);
	T_RUN(rights_that_come_late_are_waited_for);
	T_RUN(interfaces_that_come_late_are_waited_for);
	T_RUN(one_that_went_before_it_was_opened_is_not_there);
	T_RUN(a_thread_that_takes_no_job_is_asked_again);
	T_RUN(an_end_amid_a_job_leaves_it_alone);
	T_RUN(keying_one_that_is_away_waits);
	remove_all("");
	if (getuid() == 0)
		T_EQ(0, seteuid(0));
	return T_DONE();
}
