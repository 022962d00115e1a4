/* SPDX-License-Identifier: MIT */

#include "daemon/io/rpc.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct rpc {
	FILE *in;
	int fd;
	int next_id;
	unsigned patience_s;
	char *line;
	size_t cap;
};

#define GROUP_USUAL "keyhole"

/* Who may use @path, as far as that can be seen from here. */
static const char *group_of(const char *path)
{
	struct stat st;
	const struct group *g = stat(path, &st) == 0 && (st.st_mode & S_IWGRP)
					? getgrgid(st.st_gid)
					: NULL;

	return g && g->gr_gid != 0 ? g->gr_name : GROUP_USUAL;
}

static void explain_access(const char *path, char why[RPC_WHY_MAX])
{
	const struct passwd *user = getpwuid(geteuid());
	const char *name = user ? user->pw_name : "USER";
	const char *group = group_of(path);

	(void)snprintf(why, RPC_WHY_MAX,
		       "%.60s: you are not in the group %.32s: sudo adduser "
		       "%.32s %.32s, then log in again",
		       path, group, name, group);
}

static void explain(const char *path, int err, char why[RPC_WHY_MAX])
{
	if (err == EACCES || err == EPERM)
		explain_access(path, why);
	else
		(void)snprintf(why, RPC_WHY_MAX, "%.120s: %s", path,
			       err == ENOENT || err == ECONNREFUSED
				       ? "the daemon is not running"
				       : strerror(err));
}

struct rpc *rpc_open(const char *path, char why[RPC_WHY_MAX])
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct rpc *r = calloc(1, sizeof(*r));
	int err = 0;

	if (!r || strlen(path) >= sizeof(sa.sun_path)) {
		(void)snprintf(why, RPC_WHY_MAX, "%.200s: %s", path,
			       r ? "too long" : strerror(ENOMEM));
		free(r);
		errno = r ? ENAMETOOLONG : ENOMEM;
		return NULL;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd < 0 ||
	    connect(r->fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0)
		err = errno;
	if (err == 0)
		r->in = fdopen(r->fd, "r");
	r->patience_s = RPC_PATIENCE_S;
	if (r->in)
		return r;
	explain(path, err, why);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
	errno = err;
	return NULL;
}

uid_t rpc_user(const struct rpc *r)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(r->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0
		       ? peer.uid
		       : (uid_t)-1;
}

/* 0: for ever. */
static void wait_for(const struct rpc *r, unsigned seconds)
{
	const struct timeval tv = { .tv_sec = seconds };

	(void)setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

void rpc_patience(struct rpc *r, unsigned seconds)
{
	r->patience_s = seconds;
}

const char *rpc_trouble(int err)
{
	return err == -ETIMEDOUT ? "the daemon does not answer"
				 : "the daemon went away";
}

struct rpc *rpc_close(struct rpc *r)
{
	if (!r)
		return NULL;
	(void)fclose(r->in);
	free(r->line);
	free(r);
	return NULL;
}

static int send_line(const struct rpc *r, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	size_t len, at = 0;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len++] = '\n'; /* the NUL has served */
	while (at < len) {
		const ssize_t n =
			send(r->fd, text + at, len - at, MSG_NOSIGNAL);

		if (n < 0)
			break;
		at += (size_t)n;
	}
	free(text);
	return at == len ? 0 : -ECONNRESET;
}

/* The next object; NULL when the daemon is gone. */
static json_t *receive(struct rpc *r)
{
	const ssize_t n = getline(&r->line, &r->cap, r->in);

	return n > 0 ? json_loadb(r->line, (size_t)n, 0, NULL) : NULL;
}

static void take_error(const json_t *err, struct rpc_answer *out)
{
	const char *text = json_string_value(json_object_get(err, "message"));

	out->code = (int)json_integer_value(json_object_get(err, "code"));
	out->data = json_incref(json_object_get(err, "data"));
	(void)snprintf(out->message, sizeof(out->message), "%s",
		       text ? text : "refused");
}

int rpc_call(struct rpc *r, const char *method, json_t *params,
	     rpc_note_fn note, void *ctx, struct rpc_answer *out)
{
	const int id = ++r->next_id;
	json_t *ask = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id",
				id, "method", method, "params",
				params ? params : json_object());
	json_t *got;

	memset(out, 0, sizeof(*out));
	wait_for(r, r->patience_s);
	if (send_line(r, ask) != 0)
		return -ECONNRESET;
	errno = 0;
	while ((got = receive(r))) {
		const json_t *err = json_object_get(got, "error");
		const char *m =
			json_string_value(json_object_get(got, "method"));

		if (m) {
			if (note)
				note(ctx, m, json_object_get(got, "params"));
			json_decref(got);
			continue;
		}
		if (err)
			take_error(err, out);
		else
			out->result =
				json_incref(json_object_get(got, "result"));
		json_decref(got);
		return 0;
	}
	return errno == EAGAIN ? -ETIMEDOUT : -ECONNRESET;
}

int rpc_listen(struct rpc *r, rpc_note_fn note, void *ctx)
{
	json_t *got;

	wait_for(r, 0);
	while ((got = receive(r))) {
		const char *m =
			json_string_value(json_object_get(got, "method"));

		if (m)
			note(ctx, m, json_object_get(got, "params"));
		json_decref(got);
	}
	return -ECONNRESET;
}

void rpc_stop(const struct rpc *r)
{
	(void)shutdown(r->fd, SHUT_RD);
}

void rpc_answer_free(struct rpc_answer *a)
{
	json_decref(a->result);
	json_decref(a->data);
	memset(a, 0, sizeof(*a));
}
