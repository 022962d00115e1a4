/* SPDX-License-Identifier: MIT */

#include "daemon/console/typed.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int ends[TYPED_SIGNALS] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static volatile sig_atomic_t asked_to_end; /* by which signal */

static void on_signal(int number)
{
	asked_to_end = number;
}

void typed_begin(struct typed *t)
{
	const struct sigaction end = { .sa_handler = on_signal };
	sigset_t held;

	*t = (struct typed){ 0 };
	asked_to_end = 0;
	(void)sigemptyset(&held);
	/* Stopped while a secret is typed, the terminal would show its rest. */
	(void)sigaddset(&held, SIGTSTP);
	for (size_t i = 0; i < TYPED_SIGNALS; i++) {
		(void)sigaddset(&held, ends[i]);
		(void)sigaction(ends[i], &end, &t->before[i]);
		/* nohup */
		if (t->before[i].sa_handler == SIG_IGN)
			(void)sigaction(ends[i], &t->before[i], NULL);
	}
	(void)sigprocmask(SIG_BLOCK, &held, &t->mask);
}

void typed_end(struct typed *t)
{
	/* What still waits goes to our handler, as it came while we read. */
	(void)sigprocmask(SIG_SETMASK, &t->mask, NULL);
	for (size_t i = 0; i < TYPED_SIGNALS; i++)
		(void)sigaction(ends[i], &t->before[i], NULL);
	sodium_memzero(t->text, sizeof(t->text));
	if (asked_to_end != 0 && asked_to_end != SIGINT) {
		(void)fflush(stdout);
		(void)raise(asked_to_end);
	}
}

/* More octets behind those that are there; false: there are none. */
static bool read_more(struct typed *t, bool secret)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	sigset_t open = t->mask;
	ssize_t n;

	if (secret)
		(void)sigaddset(&open, SIGTSTP);
	do {
		n = ppoll(&in, 1, NULL, &open);
		if (asked_to_end)
			return false;
		if (n > 0)
			n = read(STDIN_FILENO, t->text + t->n,
				 TYPED_MAX - t->n);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	t->n += (size_t)n;
	return true;
}

static char *next_line(struct typed *t, bool secret)
{
	char *line, *end;

	memmove(t->text, t->text + t->used, t->n - t->used);
	t->n -= t->used;
	t->used = 0;
	while (!(end = memchr(t->text, '\n', t->n)) && t->n < TYPED_MAX &&
	       !t->over)
		t->over = !read_more(t, secret);
	if (asked_to_end || (t->over && t->n == 0))
		return NULL;
	line = t->text;
	t->used = end ? (size_t)(end - line) + 1 : t->n;
	line[end ? (size_t)(end - line) : t->n] = '\0';
	line[strcspn(line, "\r")] = '\0';
	return line;
}

char *typed_line(struct typed *t, bool secret)
{
	struct termios seen, unseen;
	const bool hide = secret && tcgetattr(STDIN_FILENO, &seen) == 0;
	char *line;

	(void)fflush(stdout);
	if (hide) {
		unseen = seen;
		unseen.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
	}
	line = next_line(t, secret);
	if (hide) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &seen);
		(void)printf("\n");
	}
	return line;
}
