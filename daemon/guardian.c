/* SPDX-License-Identifier: MIT */

#include "daemon/guardian.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum what { WATCH, FORGET, HOT, COLD };

struct message {
	enum what what;
	struct fob_unkey unkey; /* WATCH; the file comes beside it */
};

static struct {
	pid_t pid; /* 0: none */
	int fd;
	bool gone;
	bool hot; /* as told last */
	uint64_t told_us;
} guardian;

/* --- the guardian's side ------------------------------------------------ */

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
	struct message msg = { 0 };
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
	case WATCH:
		forget(w);
		w->unkey = msg.unkey;
		w->unkey.fd = file_beside(&m);
		break;
	case FORGET:
		forget(w);
		break;
	case HOT:
	case COLD:
		w->hot = msg.what == HOT;
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

static _Noreturn void be_guardian(int daemon)
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

/* --- the daemon's side -------------------------------------------------- */

int guardian_start(void)
{
	char ready;
	int fd[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		(void)close(fd[0]);
		be_guardian(fd[1]);
	}
	(void)close(fd[1]);
	if (pid < 0) {
		const int err = -errno;

		(void)close(fd[0]);
		return err;
	}
	guardian.pid = pid;
	guardian.fd = fd[0];
	/* From here on no signal to both of them ends it. */
	return recv(fd[0], &ready, 1, 0) == 1 ? 0 : -EIO;
}

static void tell(const struct message *msg, const int *file)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct message copy = *msg;
	struct iovec iov = { &copy, sizeof(copy) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (guardian.pid == 0 || guardian.gone)
		return;
	if (file) {
		struct cmsghdr *c = &control.align;

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(*file));
		memcpy(CMSG_DATA(c), file, sizeof(*file));
		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
	}
	if (sendmsg(guardian.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	    errno != EAGAIN && errno != EINTR)
		guardian.gone = true;
}

void guardian_watch(const struct fob_unkey *unkey)
{
	struct message msg = { .what = unkey ? WATCH : FORGET };

	if (unkey)
		msg.unkey = *unkey;
	guardian.hot = false;
	tell(&msg, unkey ? &unkey->fd : NULL);
}

void guardian_beat(bool hot, uint64_t now_us)
{
	const struct message msg = { .what = hot ? HOT : COLD };

	if (hot == guardian.hot &&
	    (!hot || now_us - guardian.told_us < GUARDIAN_BEAT_US))
		return;
	guardian.hot = hot;
	guardian.told_us = now_us;
	tell(&msg, NULL);
}

bool guardian_lives(void)
{
	return !guardian.gone;
}

void guardian_end(void)
{
	if (guardian.pid == 0)
		return;
	(void)close(guardian.fd);
	(void)waitpid(guardian.pid, NULL, 0);
	guardian.pid = 0;
}
