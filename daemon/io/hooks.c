/* SPDX-License-Identifier: MIT */

#include "daemon/io/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/io/log.h"
#include "daemon/io/loop.h"
#include "proto/rate.h"

#define PROGRAM_MAX 256U

struct running {
	struct hooks *hooks;
	pid_t pid; /* 0: free */
	struct event *limit;
};

struct hooks {
	char program[PROGRAM_MAX];
	unsigned limit_s;
	struct event *ended; /* SIGCHLD */
	struct running running[HOOKS_RUNNING];
	char *waiting[HOOKS_WAITING];
	size_t head, n;
	struct rate rate;
	struct hooks_counters counters;
};

/* --- one run ------------------------------------------------------------ */

static bool set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr,
		   int input)
{
	sigset_t none, all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	return posix_spawnattr_setsigmask(attr, &none) == 0 &&
	       posix_spawnattr_setsigdefault(attr, &all) == 0 &&
	       posix_spawnattr_setpgroup(attr, 0) == 0 &&
	       posix_spawnattr_setflags(
		       attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
				     POSIX_SPAWN_SETPGROUP) == 0 &&
	       posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO) ==
		       0 &&
	       posix_spawn_file_actions_addopen(
		       files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
	       posix_spawn_file_actions_addclosefrom_np(files,
							STDERR_FILENO + 1) == 0;
}

static int spawn(const struct hooks *h, int input, pid_t *pid)
{
	char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", program[PROGRAM_MAX];
	char *const env[] = { path, NULL };
	char *const argv[] = { program, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int err = ENOMEM;

	memcpy(program, h->program, sizeof(program));
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attr);
	if (set_up(&files, &attr, input))
		err = posix_spawn(pid, program, &files, &attr, argv, env);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	return err;
}

/* All of @text waits in the pipe, so that nobody has to write it. */
static int pipe_with(const char *text)
{
	const size_t n = strlen(text);
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) != 0)
		return -1;
	(void)fcntl(fd[1], F_SETFL, O_NONBLOCK);
	if (write(fd[1], text, n) != (ssize_t)n) {
		(void)close(fd[0]);
		fd[0] = -1;
	}
	(void)close(fd[1]);
	return fd[0];
}

static void run(struct running *r, const char *text)
{
	struct hooks *h = r->hooks;
	const struct timeval limit = { (time_t)h->limit_s, 0 };
	const int input = pipe_with(text);
	const int err = input < 0 ? EMFILE : spawn(h, input, &r->pid);

	if (input >= 0)
		(void)close(input);
	if (err == 0) {
		h->counters.run++;
		(void)event_add(r->limit, &limit);
		return;
	}
	r->pid = 0;
	h->counters.failed++;
	LOG_LIMITED(loop_now(), LOG_WARNING, "hook %s: %s", h->program,
		    strerror(err));
}

/* --- all of them -------------------------------------------------------- */

static struct running *free_place(struct hooks *h)
{
	for (size_t i = 0; i < HOOKS_RUNNING; i++) {
		if (h->running[i].pid == 0)
			return &h->running[i];
	}
	return NULL;
}

static void run_waiting(struct hooks *h)
{
	struct running *r = free_place(h);

	while (r && h->n > 0) {
		char *text = h->waiting[h->head];

		h->head = (h->head + 1) % HOOKS_WAITING;
		h->n--;
		if (h->program[0] != '\0')
			run(r, text);
		free(text);
		r = free_place(h);
	}
}

static void on_limit(evutil_socket_t fd, short what, void *ctx)
{
	struct running *r = ctx;

	(void)fd;
	(void)what;
	if (r->pid == 0)
		return;
	r->hooks->counters.late++;
	LOG_LIMITED(loop_now(), LOG_WARNING,
		    "hook %s took more than %u s and is killed",
		    r->hooks->program, r->hooks->limit_s);
	(void)kill(-r->pid, SIGKILL);
}

/* The group is left alone once its first is gone: its number may be another's
 * then. */
static void reap(struct running *r)
{
	int status;

	if (r->pid == 0 || waitpid(r->pid, &status, WNOHANG) != r->pid)
		return;
	r->pid = 0;
	(void)event_del(r->limit);
	if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0) {
		r->hooks->counters.failed++;
		LOG_LIMITED(loop_now(), LOG_WARNING, "hook %s: exit status %d",
			    r->hooks->program, WEXITSTATUS(status));
	}
}

static void on_ended(evutil_socket_t fd, short what, void *ctx)
{
	struct hooks *h = ctx;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < HOOKS_RUNNING; i++)
		reap(&h->running[i]);
	run_waiting(h);
}

void hooks_tell(struct hooks *h, const char *text)
{
	static const struct rate_limit often = { 600, 128 };
	const size_t len = strlen(text);
	char *line;

	if (h->program[0] == '\0')
		return;
	/* Strangers cause events, and a program costs more than a datagram. */
	line = len <= HOOKS_TEXT_MAX && h->n < HOOKS_WAITING &&
			       rate_take(&h->rate, &often, loop_now())
		       ? malloc(len + 2)
		       : NULL;
	if (!line) {
		h->counters.lost++;
		return;
	}
	memcpy(line, text, len);
	memcpy(line + len, "\n", 2);
	h->waiting[(h->head + h->n++) % HOOKS_WAITING] = line;
	run_waiting(h);
}

/* --- life --------------------------------------------------------------- */

struct hooks *hooks_new(struct event_base *base)
{
	struct hooks *h = calloc(1, sizeof(*h));
	bool ok;

	if (!h)
		return NULL;
	h->ended = evsignal_new(base, SIGCHLD, on_ended, h);
	ok = h->ended && event_add(h->ended, NULL) == 0;
	for (size_t i = 0; i < HOOKS_RUNNING; i++) {
		h->running[i].hooks = h;
		h->running[i].limit =
			evtimer_new(base, on_limit, &h->running[i]);
		ok = ok && h->running[i].limit;
	}
	return ok ? h : hooks_free(h);
}

struct hooks *hooks_free(struct hooks *h)
{
	if (!h)
		return NULL;
	for (size_t i = 0; i < HOOKS_RUNNING; i++) {
		struct running *r = &h->running[i];

		if (r->pid != 0) {
			(void)kill(-r->pid, SIGKILL);
			(void)waitpid(r->pid, NULL, 0);
		}
		if (r->limit)
			event_free(r->limit);
	}
	for (size_t i = 0; i < h->n; i++)
		free(h->waiting[(h->head + i) % HOOKS_WAITING]);
	if (h->ended)
		event_free(h->ended);
	free(h);
	return NULL;
}

void hooks_configure(struct hooks *h, const char *program, unsigned limit_s)
{
	(void)snprintf(h->program, sizeof(h->program), "%s", program);
	h->limit_s = limit_s;
}

const struct hooks_counters *hooks_counters(const struct hooks *h)
{
	return &h->counters;
}
