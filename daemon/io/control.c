/* SPDX-License-Identifier: MIT */

#include "daemon/io/control.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 64U
#define LINE_MAX_OCTETS 65536U
#define FEED_MAX_OCTETS ((size_t)256 * 1024) /* of that, records of a feed */
#define OUT_MAX_OCTETS \
	((size_t)1024 * 1024) /* what a client may leave unread */

struct client;

struct control_request {
	struct client *client;
	struct control_request *next;
	json_t *id; /* NULL: a notification, which nobody answers */
};

struct client {
	struct control *control;
	int fd; /* -1: free */
	struct event *readable;
	struct event *writable;
	char *in;
	size_t in_n;
	char *out;
	size_t out_n;
	bool subscribed;
	bool follows;
	uint64_t lost; /* records of the feed since the last it got */
	bool broken;   /* nothing more is sent; closed from the loop */
	struct control_request *requests;
};

struct control {
	struct control_cfg cfg;
	struct event_base *base;
	struct event *accept;
	struct event *again; /* when there are descriptors again */
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct client client[CLIENTS_MAX];
};

/* --- clients ------------------------------------------------------------ */

static void client_close(struct client *cl)
{
	struct control *c = cl->control;

	while (cl->requests) {
		struct control_request *req = cl->requests;

		cl->requests = req->next;
		if (c->cfg.cancelled)
			c->cfg.cancelled(c->cfg.ctx, req);
		json_decref(req->id);
		free(req);
	}
	if (cl->readable)
		event_free(cl->readable);
	if (cl->writable)
		event_free(cl->writable);
	close(cl->fd);
	free(cl->in);
	free(cl->out);
	memset(cl, 0, sizeof(*cl));
	cl->control = c;
	cl->fd = -1;
}

/* Give it up, but not under the feet of a caller that still uses it. */
static void client_break(struct client *cl)
{
	cl->broken = true;
	event_active(cl->readable, EV_TIMEOUT, 1);
}

static void client_flush(struct client *cl)
{
	while (cl->out_n > 0) {
		const ssize_t n = send(cl->fd, cl->out, cl->out_n,
				       MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			if (errno == EAGAIN)
				(void)event_add(cl->writable, NULL);
			else
				client_break(cl);
			return;
		}
		cl->out_n -= (size_t)n;
		memmove(cl->out, cl->out + n, cl->out_n);
	}
}

/* Send one object, which is consumed; a client that does not read, or that
 * there is no memory for, is given up: half a conversation misleads. */
static void client_send(struct client *cl, json_t *object)
{
	char *text = cl->broken ? NULL : json_dumps(object, JSON_COMPACT);
	const size_t len = text ? strlen(text) : 0;
	char *grown = NULL;

	json_decref(object);
	if (cl->broken)
		return;
	if (text && cl->out_n + len + 1 <= OUT_MAX_OCTETS)
		grown = realloc(cl->out, cl->out_n + len + 1);
	if (grown) {
		/* A line: its end takes the place of the NUL. */
		memcpy(grown + cl->out_n, text, len + 1);
		grown[cl->out_n + len] = '\n';
		cl->out = grown;
		cl->out_n += len + 1;
		client_flush(cl);
	} else {
		client_break(cl);
	}
	free(text);
}

json_t *control_text(const char *text)
{
	json_t *out = json_string(text);
	char *copy;

	if (out)
		return out;
	copy = strdup(text);
	for (char *p = copy; p && *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	}
	out = json_string(copy ? copy : "out of memory");
	free(copy);
	return out;
}

static json_t *error_object(const json_t *id, int code, const char *message,
			    json_t *data)
{
	json_t *err = json_pack("{s:i, s:o}", "code", code, "message",
				control_text(message));

	if (data)
		(void)json_object_set_new(err, "data", data);
	return json_pack("{s:s, s:o, s:O?}", "jsonrpc", "2.0", "error", err,
			 "id", id);
}

/* --- answers ------------------------------------------------------------ */

static void request_free(struct control_request *req)
{
	struct control_request **at = &req->client->requests;

	while (*at != req)
		at = &(*at)->next;
	*at = req->next;
	json_decref(req->id);
	free(req);
}

void control_reply(struct control_request *req, json_t *result)
{
	if (!result) {
		control_fail(req, CONTROL_INTERNAL,
			     "the answer cannot be written as JSON", NULL);
		return;
	}
	if (req->id)
		client_send(req->client,
			    json_pack("{s:s, s:o, s:O}", "jsonrpc", "2.0",
				      "result", result, "id", req->id));
	else
		json_decref(result);
	request_free(req);
}

void control_fail(struct control_request *req, int code, const char *message,
		  json_t *data)
{
	if (req->id)
		client_send(req->client,
			    error_object(req->id, code, message, data));
	else
		json_decref(data);
	request_free(req);
}

void control_notify(struct control_request *req, const char *method,
		    json_t *params)
{
	if (params)
		client_send(req->client,
			    json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0",
				      "method", method, "params", params));
}

void control_subscribe(struct control_request *req)
{
	req->client->subscribed = true;
}

void control_publish(struct control *c, const char *method, json_t *params)
{
	for (size_t i = 0; params && i < CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd < 0 || !cl->subscribed)
			continue;
		client_send(cl, json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0",
					  "method", method, "params", params));
	}
	json_decref(params);
}

/* --- the feed ----------------------------------------------------------- */

void control_follow(struct control_request *req)
{
	req->client->follows = true;
}

static bool is_behind(const struct client *cl)
{
	return cl->out_n > FEED_MAX_OCTETS;
}

enum control_feed control_feed_state(struct control *c)
{
	enum control_feed state = CONTROL_NOBODY;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd < 0 || cl->broken || !cl->follows)
			continue;
		if (!is_behind(cl)) {
			state = CONTROL_READY;
			continue;
		}
		cl->lost++;
		if (state == CONTROL_NOBODY)
			state = CONTROL_BEHIND;
	}
	return state;
}

void control_feed_skip(struct control *c)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (c->client[i].fd >= 0 && c->client[i].follows)
			c->client[i].lost++;
	}
}

static void feed_one(struct client *cl, const char *method, json_t *params)
{
	(void)json_object_set_new(params, "dropped",
				  json_integer((json_int_t)cl->lost));
	cl->lost = 0;
	client_send(cl, json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0", "method",
				  method, "params", params));
}

void control_feed(struct control *c, const char *method, json_t *params)
{
	for (size_t i = 0; params && i < CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd >= 0 && !cl->broken && cl->follows && !is_behind(cl))
			feed_one(cl, method, params);
	}
	json_decref(params);
}

/* --- questions ---------------------------------------------------------- */

static void call_method(struct client *cl, const json_t *root,
			const char *method, const json_t *params)
{
	const struct control *c = cl->control;
	struct control_request *req = calloc(1, sizeof(*req));
	json_t *id = json_object_get(root, "id");

	if (!req) {
		client_break(cl);
		return;
	}
	req->client = cl;
	req->id = json_incref(id);
	req->next = cl->requests;
	cl->requests = req;
	for (const struct control_method *m = c->cfg.methods; m->name; m++) {
		if (strcmp(m->name, method) == 0) {
			m->fn(c->cfg.ctx, req, params);
			return;
		}
	}
	control_fail(req, CONTROL_NO_METHOD, "there is no such method", NULL);
}

static void on_line(struct client *cl, const char *line, size_t len)
{
	json_t *root = json_loadb(line, len, 0, NULL);
	json_t *none = json_object();
	const json_t *params = json_object_get(root, "params");
	const char *method = json_string_value(json_object_get(root, "method"));

	if (!root)
		client_send(cl, error_object(NULL, CONTROL_BAD_JSON,
					     "this line is not JSON", NULL));
	else if (!method)
		client_send(cl, error_object(json_object_get(root, "id"),
					     CONTROL_BAD_REQUEST,
					     "there is no method in it", NULL));
	else if (params && !json_is_object(params))
		client_send(cl, error_object(json_object_get(root, "id"),
					     CONTROL_BAD_PARAMS,
					     "params must be an object", NULL));
	else
		call_method(cl, root, method, params ? params : none);
	json_decref(root);
	json_decref(none);
}

static void take_lines(struct client *cl)
{
	char *start = cl->in, *end;

	while (!cl->broken &&
	       (end = memchr(start, '\n',
			     cl->in_n - (size_t)(start - cl->in)))) {
		if (end > start)
			on_line(cl, start, (size_t)(end - start));
		start = end + 1;
	}
	cl->in_n -= (size_t)(start - cl->in);
	memmove(cl->in, start, cl->in_n);
}

static void client_read(struct client *cl)
{
	const ssize_t n = recv(cl->fd, cl->in + cl->in_n,
			       LINE_MAX_OCTETS - cl->in_n, MSG_DONTWAIT);

	if (n > 0) {
		cl->in_n += (size_t)n;
		take_lines(cl);
	} else if (n == 0 || errno != EAGAIN) {
		cl->broken = true;
	}
	if (cl->in_n == LINE_MAX_OCTETS) {
		client_send(cl, error_object(NULL, CONTROL_BAD_REQUEST,
					     "this line is too long", NULL));
		cl->broken = true;
	}
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
	struct client *cl = arg;

	(void)fd;
	if ((what & EV_WRITE) && !cl->broken)
		client_flush(cl);
	if ((what & EV_READ) && !cl->broken)
		client_read(cl);
	if (cl->broken)
		client_close(cl);
}

static struct client *client_slot(struct control *c)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (c->client[i].fd < 0)
			return &c->client[i];
	}
	return NULL;
}

static void turn_away(int fd)
{
	static const char full[] =
		"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":"
		"\"too many consoles are open already\"},\"id\":null}\n";

	(void)send(fd, full, sizeof(full) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval pause = { .tv_sec = 1 };
	struct control *c = arg;
	struct client *cl = client_slot(c);
	const int in = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (in < 0) {
		/* It stays readable: without descriptors this would spin. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			(void)event_del(c->accept);
			(void)event_add(c->again, &pause);
		}
		return;
	}
	if (!cl) {
		turn_away(in);
		return;
	}
	cl->fd = in;
	cl->in = malloc(LINE_MAX_OCTETS);
	cl->readable =
		event_new(c->base, in, EV_READ | EV_PERSIST, on_client, cl);
	cl->writable = event_new(c->base, in, EV_WRITE, on_client, cl);
	if (!cl->in || !cl->readable || !cl->writable ||
	    event_add(cl->readable, NULL) != 0)
		client_close(cl);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	(void)event_add(c->accept, NULL);
}

/* --- the socket --------------------------------------------------------- */

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

static int listen_at(struct control *c, const struct sockaddr_un *sa)
{
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	(void)unlink(sa->sun_path);
	/* Closed to all until its group is right. */
	const mode_t old = umask(0177);
	const int bound = bind(c->fd, (const struct sockaddr *)sa, sizeof(*sa));
	const int err = errno;

	(void)umask(old);
	if (bound != 0)
		return -err;
	return listen(c->fd, 16) == 0 ? 0 : -errno;
}

static void give_to_group(const struct control *c, char why[CONTROL_WHY_MAX])
{
	const struct group *g = NULL;

	if (c->cfg.group[0] != '\0') {
		g = getgrnam(c->cfg.group);
		if (!g)
			(void)snprintf(why, CONTROL_WHY_MAX,
				       "there is no group %s: only the "
				       "daemon's own user can use %s",
				       c->cfg.group, c->path);
		else if (chown(c->path, (uid_t)-1, g->gr_gid) != 0)
			(void)snprintf(why, CONTROL_WHY_MAX,
				       "cannot give %s to group %s: %s",
				       c->path, c->cfg.group, strerror(errno));
	}
	(void)chmod(c->path, 0660);
}

int control_open(struct control **out, struct event_base *base,
		 const struct control_cfg *cfg, char why[CONTROL_WHY_MAX])
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *taken;
	struct control *c;
	int err;

	*out = NULL;
	why[0] = '\0';
	if (strlen(cfg->path) >= sizeof(sa.sun_path))
		return say(-ENAMETOOLONG, why, cfg->path,
			   "the path is too long");
	memcpy(sa.sun_path, cfg->path, strlen(cfg->path) + 1);
	taken = is_taken(&sa);
	if (taken)
		return say(-EADDRINUSE, why, cfg->path, taken);
	c = calloc(1, sizeof(*c));
	if (!c)
		return say(-ENOMEM, why, cfg->path, "out of memory");
	c->cfg = *cfg;
	c->base = base;
	memcpy(c->path, sa.sun_path, sizeof(c->path));
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		c->client[i].control = c;
		c->client[i].fd = -1;
	}
	err = listen_at(c, &sa);
	if (err == 0) {
		c->accept = event_new(base, c->fd, EV_READ | EV_PERSIST,
				      on_accept, c);
		c->again = event_new(base, -1, 0, on_again, c);
		if (!c->accept || !c->again || event_add(c->accept, NULL) != 0)
			err = -ENOMEM;
	}
	if (err != 0) {
		c->path[0] = '\0';
		control_close(c);
		return say(err, why, cfg->path, strerror(-err));
	}
	give_to_group(c, why);
	*out = c;
	return 0;
}

struct control *control_close(struct control *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (c->client[i].fd >= 0)
			client_close(&c->client[i]);
	}
	if (c->accept)
		event_free(c->accept);
	if (c->again)
		event_free(c->again);
	if (c->fd >= 0)
		close(c->fd);
	if (c->path[0] != '\0')
		(void)unlink(c->path);
	free(c);
	return NULL;
}
