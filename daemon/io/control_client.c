/* SPDX-License-Identifier: MIT */

/* One client: its lines, its questions and their answers (JSON-RPC 2.0). */

#include "daemon/io/control_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 65536U
#define OUT_MAX_OCTETS \
	((size_t)1024 * 1024) /* what a client may leave unread */

/* --- its end ------------------------------------------------------------ */

void client_close(struct client *cl)
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

/* --- what it is told ---------------------------------------------------- */

static void client_flush(struct client *cl)
{
	while (cl->out_n > 0) {
		const ssize_t n = send(cl->fd, cl->out, cl->out_n,
				       MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
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

void client_send(struct client *cl, json_t *object)
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
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		/* Interrupted, it is still readable: the loop comes back. */
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

void client_open(struct client *cl, int fd)
{
	struct event_base *base = cl->control->base;

	cl->fd = fd;
	cl->in = malloc(LINE_MAX_OCTETS);
	cl->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_client, cl);
	cl->writable = event_new(base, fd, EV_WRITE, on_client, cl);
	if (!cl->in || !cl->readable || !cl->writable ||
	    event_add(cl->readable, NULL) != 0)
		client_close(cl);
}
