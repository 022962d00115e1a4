/* SPDX-License-Identifier: MIT */

/* The Unix socket that consoles connect to. */

#include "daemon/io/control_priv.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 64 /* as many as CONTROL_CLIENTS_MAX */

/* @err, with the sentence for it. */
static int say(int err, char why[CONTROL_WHY_MAX], const char *path,
	       const char *what)
{
	(void)snprintf(why, CONTROL_WHY_MAX, "control socket %s: %s", path,
		       what);
	return err;
}

/* What is at the path may be replaced: nothing, or a socket that a dead
 * process left.  Otherwise what it is. */
static const char *is_taken(const struct sockaddr_un *sa)
{
	struct stat st;
	bool alive;
	int fd;

	if (lstat(sa->sun_path, &st) != 0)
		return NULL;
	if (!S_ISSOCK(st.st_mode))
		return "something that is not a socket is there";
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return strerror(errno);
	/* A process that is behind with accepting is alive as well. */
	alive = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 ||
		errno == EAGAIN;
	close(fd);
	return alive ? "another process answers there" : NULL;
}

/* Its descriptor, or -errno. */
static int listen_at(const struct sockaddr_un *sa)
{
	const int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t old;
	int err = 0;

	if (fd < 0)
		return -errno;
	(void)unlink(sa->sun_path);
	/* Closed to all until its group is right. */
	old = umask(0177);
	if (bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0)
		err = errno;
	(void)umask(old);
	if (err == 0 && listen(fd, BACKLOG) != 0)
		err = errno;
	if (err == 0)
		return fd;
	close(fd);
	return -err;
}

static void give_to_group(const char *path, const char *group,
			  char why[CONTROL_WHY_MAX])
{
	const struct group *g = NULL;

	if (group[0] != '\0') {
		g = getgrnam(group);
		if (!g)
			(void)snprintf(why, CONTROL_WHY_MAX,
				       "there is no group %s: only the "
				       "daemon's own user can use %s",
				       group, path);
		else if (chown(path, (uid_t)-1, g->gr_gid) != 0)
			(void)snprintf(why, CONTROL_WHY_MAX,
				       "cannot give %s to group %s: %s", path,
				       group, strerror(errno));
	}
	(void)chmod(path, 0660);
}

int control_socket_listen(const char *path, const char *group,
			  char why[CONTROL_WHY_MAX])
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *taken;
	int fd;

	why[0] = '\0';
	if (strlen(path) >= sizeof(sa.sun_path))
		return say(-ENAMETOOLONG, why, path, "the path is too long");
	memcpy(sa.sun_path, path, strlen(path) + 1);
	taken = is_taken(&sa);
	if (taken)
		return say(-EADDRINUSE, why, path, taken);
	fd = listen_at(&sa);
	if (fd < 0)
		return say(fd, why, path, strerror(-fd));
	give_to_group(path, group, why);
	return fd;
}
