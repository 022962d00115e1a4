/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_CONTROL_H
#define DAEMON_IO_CONTROL_H

/*
 * The control socket: JSON-RPC 2.0 over a Unix stream socket, one object a
 * line.  A method answers at once or later; a client that has gone cancels
 * what it waited for.  At most 64 clients, lines of at most 64 kB; a client
 * that leaves 1 MB unread is given up.
 */

#include <event2/event.h>
#include <jansson.h>

#define CONTROL_WHY_MAX 256U

struct control;
struct control_request; /* one question that is not answered yet */

/* JSON-RPC's own codes; those above 0 are the application's. */
enum control_error {
	CONTROL_BAD_JSON = -32700,
	CONTROL_BAD_REQUEST = -32600,
	CONTROL_NO_METHOD = -32601,
	CONTROL_BAD_PARAMS = -32602,
	CONTROL_INTERNAL = -32603,
	CONTROL_REFUSED = 1,
};

/* @params is an object, perhaps empty; borrowed.  The method must answer
 * @req, now or later, exactly once, unless it is told that it was cancelled. */
typedef void (*control_fn)(void *ctx, struct control_request *req,
			   const json_t *params);

struct control_method {
	const char *name;
	control_fn fn;
};

struct control_cfg {
	const char *path;
	const char *group; /* that may use it; empty: the owner's */
	const struct control_method *methods; /* ends with a NULL name */
	void *ctx;
	/* @req's client is gone: it must not be answered any more. */
	void (*cancelled)(void *ctx, struct control_request *req);
};

/*
 * Listen, mode 0660.  A socket that a dead process left is replaced; a live
 * one, or anything that is no socket, is -EADDRINUSE.  A group that does not
 * exist is a warning.  @base must outlive the result.  0 and *@out, or -errno
 * with a sentence in @why; with 0, @why may hold a warning.
 */
int control_open(struct control **out, struct event_base *base,
		 const struct control_cfg *cfg, char why[CONTROL_WHY_MAX]);
/* Cancels every question, removes the socket; accepts NULL, returns NULL. */
struct control *control_close(struct control *c);

/* A string of text of any origin: what is not UTF-8 becomes question marks. */
json_t *control_text(const char *text);

/* Answer; @result is consumed.  NULL is answered with CONTROL_INTERNAL. */
void control_reply(struct control_request *req, json_t *result);
/* Refuse, with a sentence, made UTF-8 if it is not; @data is consumed and may
 * be NULL. */
void control_fail(struct control_request *req, int code, const char *message,
		  json_t *data);
/* A notification to the client that waits; @params is consumed, and with NULL
 * nothing is sent. */
void control_notify(struct control_request *req, const char *method,
		    json_t *params);
/* From here on this client gets what control_publish() sends. */
void control_subscribe(struct control_request *req);
/*
 * A feed: notifications in numbers, of which a client that is behind with
 * reading loses some.  From here on this client gets what control_feed()
 * sends, until it is gone.
 */
void control_follow(struct control_request *req);
/* Is a record worth making?  Those that are behind lose it here. */
enum control_feed { CONTROL_NOBODY, CONTROL_BEHIND, CONTROL_READY };
enum control_feed control_feed_state(struct control *c);
/* A record is not made: all that follow lose it. */
void control_feed_skip(struct control *c);
/* To all that follow and are not behind, after control_feed_state();
 * "dropped" in @params, which is consumed, tells each how many it lost. */
void control_feed(struct control *c, const char *method, json_t *params);
/* To all subscribers; @params is consumed, and with NULL nothing is sent. */
void control_publish(struct control *c, const char *method, json_t *params);

#endif
