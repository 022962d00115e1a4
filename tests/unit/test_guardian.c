/* SPDX-License-Identifier: MIT */

/* The guardian as a process, with a file that is no fob: what it tries shows
 * in what it says. */

#include "daemon/guardian.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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
	_exit(guardian_lives() ? 0 : 1);
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

int main(void)
{
	T_RUN(a_killed_daemon_is_unkeyed);
	T_RUN(a_silent_daemon_is_unkeyed_and_said_so_once);
	T_RUN(a_daemon_that_does_not_transmit_may_be_silent);
	T_RUN(without_a_fob_there_is_nothing_to_do);
	T_RUN(the_signals_that_end_a_service_do_not_end_it);
	return T_DONE();
}
