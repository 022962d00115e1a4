/* SPDX-License-Identifier: MIT */

#include "daemon/guardian.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/guardian_priv.h"

static struct {
	enum guardian_state state;
	pid_t pid; /* 0: none */
	int fd;
	bool watching;
	struct fob_unkey unkey; /* when watching */
	bool hot;               /* as told last */
	uint64_t told_us;
} guardian;

/* --- life --------------------------------------------------------------- */

static int pair(int fd[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == 0
		       ? 0
		       : -errno;
}

static void is_starting(pid_t pid, int fd)
{
	guardian.state = GUARDIAN_STARTING;
	guardian.pid = pid;
	guardian.fd = fd;
}

int guardian_start(void)
{
	char ready;
	int fd[2];
	int err = pair(fd);
	pid_t pid;

	if (err != 0)
		return err;
	pid = fork();
	if (pid == 0) {
		(void)close(fd[0]);
		guardian_be(fd[1]);
	}
	err = -errno;
	(void)close(fd[1]);
	if (pid < 0) {
		(void)close(fd[0]);
		return err;
	}
	is_starting(pid, fd[0]);
	/* From here on no signal to both of them ends it. */
	if (recv(fd[0], &ready, 1, 0) != 1)
		return -EIO;
	guardian.state = GUARDIAN_THERE;
	return 0;
}

/* Nothing of ours but what it says on standard error, and its socket. */
static int spawn(int socket, pid_t *pid)
{
	char name[] = "keyhole-guard", argument[] = GUARDIAN_ARGUMENT;
	char *argv[] = { name, argument, NULL };
	char *environment[] = { NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int err;

	(void)sigemptyset(&none);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	err = posix_spawn_file_actions_adddup2(&files, socket, GUARDIAN_FD);
	if (err == 0)
		err = posix_spawn_file_actions_addclosefrom_np(&files,
							       GUARDIAN_FD + 1);
	if (err == 0)
		err = posix_spawn(pid, "/proc/self/exe", &files, &attr, argv,
				  environment);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	return -err;
}

int guardian_start_again(void)
{
	int fd[2];
	pid_t pid = 0;
	int err;

	if (guardian.state != GUARDIAN_GONE)
		return 0;
	err = pair(fd);
	if (err != 0)
		return err;
	err = spawn(fd[1], &pid);
	(void)close(fd[1]);
	if (err == 0)
		is_starting(pid, fd[0]);
	else
		(void)close(fd[0]);
	return err;
}

static void gone(void)
{
	if (guardian.pid == 0)
		return;
	(void)close(guardian.fd);
	(void)kill(guardian.pid, SIGKILL);
	(void)waitpid(guardian.pid, NULL, 0);
	guardian.pid = 0;
	guardian.state = GUARDIAN_GONE;
}

void guardian_end(void)
{
	guardian.watching = false;
	if (guardian.pid == 0)
		return;
	(void)close(guardian.fd);
	(void)waitpid(guardian.pid, NULL, 0);
	guardian.pid = 0;
	guardian.state = GUARDIAN_GONE;
}

/* --- telling ------------------------------------------------------------ */

static void tell(const struct guardian_message *msg, const int *file)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct guardian_message copy = *msg;
	struct iovec iov = { &copy, sizeof(copy) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (guardian.state != GUARDIAN_THERE)
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
	/* That it is gone is heard of at its socket. */
	(void)sendmsg(guardian.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void tell_fob(void)
{
	struct guardian_message msg = { .what = GUARDIAN_FORGET };

	guardian.hot = false;
	if (guardian.watching) {
		msg.what = GUARDIAN_WATCH;
		msg.unkey = guardian.unkey;
	}
	tell(&msg, guardian.watching ? &guardian.unkey.fd : NULL);
}

void guardian_watch(const struct fob_unkey *unkey)
{
	guardian.watching = unkey != NULL;
	if (unkey)
		guardian.unkey = *unkey;
	tell_fob();
}

void guardian_beat(bool hot, uint64_t now_us)
{
	const struct guardian_message msg = { .what = hot ? GUARDIAN_HOT
							  : GUARDIAN_COLD };

	if (hot == guardian.hot &&
	    (!hot || now_us - guardian.told_us < GUARDIAN_BEAT_US))
		return;
	guardian.hot = hot;
	guardian.told_us = now_us;
	tell(&msg, NULL);
}

/* --- hearing ------------------------------------------------------------ */

int guardian_fd(void)
{
	return guardian.state == GUARDIAN_GONE ? -1 : guardian.fd;
}

enum guardian_state guardian_hear(void)
{
	char ready;
	ssize_t n;

	if (guardian.state == GUARDIAN_GONE)
		return GUARDIAN_GONE;
	n = recv(guardian.fd, &ready, 1, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		gone();
	} else if (n == 1 && guardian.state == GUARDIAN_STARTING) {
		guardian.state = GUARDIAN_THERE;
		tell_fob();
	}
	return guardian.state;
}
