/* SPDX-License-Identifier: MIT */

/* The guardian itself: one thread, no memory but this, and the files that it
 * was given. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/guardian_priv.h"

struct watch {
	int daemon;
	struct fob_unkey unkey; /* fd -1: none */
	bool hot;
	bool silent;
};

static void say(const char *line)
{
	(void)!write(STDERR_FILENO, line, strlen(line));
}

static void forget(struct watch *w)
{
	if (w->unkey.fd >= 0)
		(void)close(w->unkey.fd);
	w->unkey.fd = -1;
	w->hot = false;
}

/* A fob that is gone is not keyed. */
static bool unkey(const struct watch *w)
{
	const int err = w->unkey.fd >= 0 ? fob_usbfs_unkey(&w->unkey) : 0;

	return err == 0 || err == -ENODEV;
}

static int file_beside(struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* False: the daemon is gone. */
static bool hear(struct watch *w)
{
	struct guardian_message msg = { 0 };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { &msg, sizeof(msg) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	const ssize_t n = recvmsg(w->daemon, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	w->silent = false;
	switch (msg.what) {
	case GUARDIAN_WATCH:
		forget(w);
		w->unkey = msg.unkey;
		w->unkey.fd = file_beside(&m);
		break;
	case GUARDIAN_FORGET:
		forget(w);
		break;
	case GUARDIAN_HOT:
	case GUARDIAN_COLD:
		w->hot = msg.what == GUARDIAN_HOT;
		break;
	}
	return true;
}

static void on_silence(struct watch *w)
{
	const bool done = unkey(w);

	if (w->silent)
		return;
	w->silent = true;
	say(done ? "guardian: the daemon is stuck with its transmitter keyed: "
		   "unkeyed\n"
		 : "guardian: the daemon is stuck and its transmitter does not "
		   "unkey\n");
}

static void keep_watch(struct watch *w)
{
	for (;;) {
		struct pollfd p = { .fd = w->daemon, .events = POLLIN };
		const bool listen = w->hot && w->unkey.fd >= 0;
		const int n = poll(&p, 1, listen ? GUARDIAN_SILENCE_MS : -1);

		if (n == 0)
			on_silence(w);
		else if (n > 0 && !hear(w))
			return;
	}
}

_Noreturn void guardian_be(int daemon)
{
	/* Who stops the service, or the terminal, means the daemon: this one
	 * ends with it.  SIGABRT is the service watchdog's. */
	static const int sig[] = {
		SIGTERM, SIGINT,  SIGQUIT, SIGHUP,  SIGABRT,
		SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP
	};
	struct watch w = { .daemon = daemon, .unkey = { .fd = -1 } };
	bool hot;

	for (size_t i = 0; i < sizeof(sig) / sizeof(sig[0]); i++)
		(void)signal(sig[i], SIG_IGN);
	(void)prctl(PR_SET_NAME, "keyhole-guard", 0, 0, 0);
	(void)send(daemon, "", 1, MSG_NOSIGNAL);
	keep_watch(&w);
	hot = w.hot;
	if (!unkey(&w))
		say("guardian: the daemon is gone and its transmitter does not "
		    "unkey\n");
	else if (hot)
		say("guardian: the daemon is gone; its transmitter is "
		    "unkeyed\n");
	_exit(0);
}

void guardian_if_asked(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], GUARDIAN_ARGUMENT) == 0)
		guardian_be(GUARDIAN_FD);
}
