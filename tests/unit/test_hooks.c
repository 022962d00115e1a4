/* SPDX-License-Identifier: MIT */

/* Programs that are run for events. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/hooks.h"
#include "daemon/io/loop.h"
#include "tests/t.h"

static char folder[] = "/tmp/keyhole-hooks-XXXXXX";
static char program[64], output[64];
static struct event_base *base;
static struct hooks *hooks;

static void begin(const char *script, unsigned limit_s)
{
	FILE *f = fopen(program, "w");

	T_TRUE(f != NULL);
	T_TRUE(fprintf(f, "#!/bin/sh\nout=%s\n%s\n", output, script) > 0);
	T_EQ(0, fclose(f));
	T_EQ(0, chmod(program, 0700));
	(void)unlink(output);
	base = loop_base_new();
	hooks = hooks_new(base);
	T_TRUE(base && hooks);
	hooks_configure(hooks, program, limit_s);
}

static void end(void)
{
	hooks = hooks_free(hooks);
	event_base_free(base);
	(void)unlink(program);
	(void)unlink(output);
}

/* What the program wrote, once it has @lines. */
static const char *written(unsigned lines)
{
	static char text[65536];
	unsigned n = 0;

	while (n < lines) {
		FILE *f = fopen(output, "r");
		size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

		if (f)
			T_EQ(0, fclose(f));
		text[len] = '\0';
		n = 0;
		for (const char *c = text; *c; c++)
			n += *c == '\n';
		(void)usleep(2000);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	}
	return text;
}

static void the_event_is_on_standard_input(void)
{
	begin("cat >>$out", 10);
	hooks_tell(hooks, "{\"event\":\"ptt\"}");
	T_STR("{\"event\":\"ptt\"}\n", written(1));
	T_EQ(1, hooks_counters(hooks)->run);
	end();
}

static void what_is_ours_is_not_its_own(void)
{
	T_EQ(0, setenv("SECRET", "1", 1));
	/* No pipe: its shell would have an end of that for a moment. */
	begin("exec >>$out; env | grep -c SECRET; ls /proc/$$/fd; :", 10);
	hooks_tell(hooks, "x");
	/* 10 is the script, as its shell reads it. */
	T_STR("0\n0\n1\n10\n2\n", written(5));
	end();
}

static void many_take_turns_and_none_is_lost(void)
{
	begin("cat >>$out", 10);
	for (unsigned i = 0; i < HOOKS_RUNNING + HOOKS_WAITING; i++)
		hooks_tell(hooks, "x");
	hooks_tell(hooks, "one too many");
	T_EQ(1, hooks_counters(hooks)->lost);
	T_TRUE(strstr(written(HOOKS_RUNNING + HOOKS_WAITING), "many") == NULL);
	T_EQ(HOOKS_RUNNING + HOOKS_WAITING, hooks_counters(hooks)->run);
	end();
}

static void one_that_hangs_is_killed_with_its_children(void)
{
	begin("sleep 1000 & echo $! >>$out; wait", 1);
	hooks_tell(hooks, "x");
	{
		const int pid = (int)strtol(written(1), NULL, 10);
		char proc[32];

		T_EQ(0, hooks_counters(hooks)->late);
		while (hooks_counters(hooks)->late == 0) {
			(void)usleep(2000);
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
		}
		/* Dead, or not yet collected by whoever inherits it. */
		(void)snprintf(proc, sizeof(proc), "/proc/%d/cmdline", pid);
		for (char c = 'x'; c == 'x';) {
			FILE *f = fopen(proc, "r");

			c = f && fread(&c, 1, 1, f) == 1 ? 'x' : '\0';
			if (f)
				T_EQ(0, fclose(f));
		}
	}
	end();
}

static void failures_are_counted(void)
{
	static char long_text[HOOKS_TEXT_MAX + 2];

	begin("exit 3", 10);
	hooks_tell(hooks, "x");
	while (hooks_counters(hooks)->failed == 0) {
		(void)usleep(2000);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	}
	hooks_configure(hooks, "/nonexistent/program", 10);
	hooks_tell(hooks, "x");
	T_EQ(2, hooks_counters(hooks)->failed);
	memset(long_text, 'x', sizeof(long_text) - 1);
	hooks_tell(hooks, long_text);
	T_EQ(1, hooks_counters(hooks)->lost);
	hooks_configure(hooks, "", 10);
	hooks_tell(hooks, "x");
	T_EQ(1, hooks_counters(hooks)->run);
	end();
}

int main(void)
{
	T_TRUE(mkdtemp(folder) != NULL);
	(void)snprintf(program, sizeof(program), "%s/hook", folder);
	(void)snprintf(output, sizeof(output), "%s/out", folder);
	T_RUN(the_event_is_on_standard_input);
	T_RUN(what_is_ours_is_not_its_own);
	T_RUN(many_take_turns_and_none_is_lost);
	T_RUN(one_that_hangs_is_killed_with_its_children);
	T_RUN(failures_are_counted);
	T_EQ(0, rmdir(folder));
	return T_DONE();
}
