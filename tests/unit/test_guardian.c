/* SPDX-License-Identifier: MIT */

/* The guardian as a process, with a file that is no fob: what it tries shows
 * in what it says. */

#include "daemon/guardian_keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/guardian.h"
#include "tests/t.h"

enum how { KILLED, SILENT, ORDERLY, COLD_AND_SILENT, FORGOTTEN };

static struct fob_unkey no_fob(void)
{
	return (struct fob_unkey){ .fd = open("/dev/null", O_RDWR | O_CLOEXEC),
				   .ptt = CM108_GPIO(3) };
}

/* A daemon as far as the guardian sees one.  It never returns. */
static _Noreturn void be_daemon(enum how how)
{
	struct fob_unkey unkey = no_fob();

	if (guardian_start() != 0)
		_exit(1);
	guardian_watch(&unkey);
	guardian_beat(true, 1);
	if (how == COLD_AND_SILENT)
		guardian_beat(false, 2);
	if (how == FORGOTTEN)
		guardian_watch(NULL);
	if (how == SILENT || how == COLD_AND_SILENT)
		(void)usleep(1000U * 3 * GUARDIAN_SILENCE_MS);
	if (how == KILLED || how == SILENT)
		(void)raise(SIGKILL);
	guardian_end();
	_exit(0);
}

/* All that guardian and daemon say until both have ended. */
static void hear(enum how how, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fd[2];
	pid_t pid;

	T_EQ(0, pipe(fd));
	(void)fflush(NULL);
	pid = fork();
	T_TRUE(pid >= 0);
	if (pid == 0) {
		(void)dup2(fd[1], STDERR_FILENO);
		(void)close(fd[0]);
		(void)close(fd[1]);
		be_daemon(how);
	}
	(void)close(fd[1]);
	while ((n = read(fd[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	(void)close(fd[0]);
	T_EQ(pid, waitpid(pid, NULL, 0));
}

static void a_killed_daemon_is_unkeyed(void)
{
	char said[512];

	hear(KILLED, said, sizeof(said));
	T_STR("guardian: the daemon is gone and its transmitter does not "
	      "unkey\n",
	      said);
}

static void a_silent_daemon_is_unkeyed_and_said_so_once(void)
{
	char said[512];

	hear(SILENT, said, sizeof(said));
	T_STR("guardian: the daemon is stuck and its transmitter does not "
	      "unkey\n"
	      "guardian: the daemon is gone and its transmitter does not "
	      "unkey\n",
	      said);
}

static void a_daemon_that_does_not_transmit_may_be_silent(void)
{
	char said[512];

	hear(COLD_AND_SILENT, said, sizeof(said));
	T_TRUE(strstr(said, "stuck") == NULL);
}

static void without_a_fob_there_is_nothing_to_do(void)
{
	char said[512];

	hear(FORGOTTEN, said, sizeof(said));
	T_STR("", said);
}

static void the_signals_that_end_a_service_do_not_end_it(void)
{
	static const int sig[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT };
	char said[512];

	/* Sent to all of the group, the daemon among it. */
	for (size_t i = 0; i < sizeof(sig) / sizeof(sig[0]); i++) {
		int fd[2], status;
		ssize_t n;
		size_t len = 0;
		pid_t pid;

		T_EQ(0, pipe(fd));
		(void)fflush(NULL);
		pid = fork();
		T_TRUE(pid >= 0);
		if (pid == 0) {
			struct fob_unkey unkey = no_fob();

			(void)setpgid(0, 0);
			(void)dup2(fd[1], STDERR_FILENO);
			(void)close(fd[0]);
			(void)close(fd[1]);
			(void)signal(sig[i], SIG_DFL);
			if (guardian_start() != 0)
				_exit(1);
			guardian_watch(&unkey);
			(void)kill(0, sig[i]);
			for (;;)
				(void)pause();
		}
		(void)close(fd[1]);
		while ((n = read(fd[0], said + len, sizeof(said) - 1 - len)) >
		       0)
			len += (size_t)n;
		said[len] = '\0';
		(void)close(fd[0]);
		T_EQ(pid, waitpid(pid, &status, 0));
		T_TRUE(WIFSIGNALED(status));
		T_TRUE(strstr(said, "the daemon is gone"));
	}
}

/* --- one that dies ------------------------------------------------------ */

/* The only child of this process; 0: none. */
static pid_t child(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	pid_t found = 0;

	while (proc && (e = readdir(proc))) { /* NOLINT(*-mt-unsafe) */
		char path[300], text[300];
		const long pid = strtol(e->d_name, NULL, 10);
		const char *at;
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
		f = pid > 0 ? fopen(path, "re") : NULL;
		if (!f)
			continue;
		at = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
		/* ") S PPID" */
		if (at && strtol(at + 4, NULL, 10) == getpid())
			found = (pid_t)pid;
		(void)fclose(f);
	}
	if (proc)
		(void)closedir(proc);
	return found;
}

struct kept {
	struct event_base *base;
	struct guardian_keep *keep;
	unsigned gone, back;
};

static void on_change(void *ctx, const char *why)
{
	struct kept *k = ctx;

	k->gone += why != NULL;
	k->back += why == NULL;
	(void)event_base_loopbreak(k->base);
}

static void open_kept(struct kept *k)
{
	const struct guardian_keep_cb cb = { k, on_change };

	*k = (struct kept){ .base = event_base_new() };
	if (guardian_keep_open(&k->keep, k->base, &cb) != 0)
		_exit(1);
}

/* Until it is told of something; the test's own time-out bounds it. */
static void await(const struct kept *k)
{
	(void)event_base_loop(k->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

/* A daemon whose guardian is killed, and killed again: 0 when all was well,
 * else the step that was not. */
static int lose_guardians(void)
{
	struct fob_unkey unkey = no_fob();
	struct kept k;
	pid_t first;

	if (guardian_start() != 0)
		return 1;
	open_kept(&k);
	if (!guardian_kept(k.keep))
		return 2;
	guardian_watch(&unkey);
	guardian_beat(true, 1);
	for (unsigned i = 1; i <= 2; i++) {
		first = child();
		if (first == 0 || kill(first, SIGKILL) != 0)
			return 3;
		await(&k);
		if (k.gone != i || guardian_kept(k.keep))
			return 4;
		await(&k);
		if (k.back != i || !guardian_kept(k.keep))
			return 5;
		if (child() == first || child() == 0)
			return 6;
	}
	/* It was told anew what there is to unkey, and says so in the end. */
	guardian_beat(true, 2);
	(void)raise(SIGKILL);
	return 7;
}

static void another_follows_one_that_is_killed(void)
{
	char said[512];
	size_t len = 0;
	int fd[2], status = 0;
	ssize_t n;
	pid_t pid;

	T_EQ(0, pipe(fd));
	(void)fflush(NULL);
	pid = fork();
	T_TRUE(pid >= 0);
	if (pid == 0) {
		(void)dup2(fd[1], STDERR_FILENO);
		(void)close(fd[0]);
		(void)close(fd[1]);
		_exit(lose_guardians());
	}
	(void)close(fd[1]);
	while ((n = read(fd[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	(void)close(fd[0]);
	T_EQ(pid, waitpid(pid, &status, 0));
	T_EQ(0, WIFEXITED(status) ? WEXITSTATUS(status) : 0);
	T_TRUE(WIFSIGNALED(status));
	T_STR("guardian: the daemon is gone and its transmitter does not "
	      "unkey\n",
	      said);
}

/* In a child, for a guardian is one a process. */
static void one_that_was_never_there_is_started(void)
{
	int status = 0;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	T_TRUE(pid >= 0);
	if (pid == 0) {
		struct kept k;

		open_kept(&k);
		if (guardian_kept(k.keep) || guardian_fd() >= 0)
			_exit(1);
		while (!guardian_kept(k.keep))
			await(&k);
		if (child() == 0)
			_exit(2);
		k.keep = guardian_keep_close(k.keep);
		guardian_end();
		_exit(child() == 0 && waitpid(-1, NULL, WNOHANG) < 0 &&
				      errno == ECHILD
			      ? 0
			      : 3);
	}
	T_EQ(pid, waitpid(pid, &status, 0));
	T_EQ(0, status);
}

int main(int argc, char *argv[])
{
	guardian_if_asked(argc, argv);
	T_RUN(a_killed_daemon_is_unkeyed);
	T_RUN(a_silent_daemon_is_unkeyed_and_said_so_once);
	T_RUN(a_daemon_that_does_not_transmit_may_be_silent);
	T_RUN(without_a_fob_there_is_nothing_to_do);
	T_RUN(the_signals_that_end_a_service_do_not_end_it);
	T_RUN(another_follows_one_that_is_killed);
	T_RUN(one_that_was_never_there_is_started);
	return T_DONE();
}
