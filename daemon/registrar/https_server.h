/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_HTTPS_SERVER_H
#define DAEMON_REGISTRAR_HTTPS_SERVER_H

/*
 * A web server on the event loop, by libmicrohttpd: HTTPS alone, over IPv4,
 * with bounds on all that strangers can make it hold (connections in all and
 * of one address, octets of a question, idle seconds) and do (connections a
 * minute of one address and in all, for each costs a handshake).
 * A newer certificate is noticed and takes the place of the old.
 */

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/net_path.h"

#define WEB_QUESTION_MAX 8192U /* octets of a body */
#define HTTPS_SERVER_WHY_MAX 256U

struct https_server;

struct web_question {
	struct net_addr from;
	const char *path; /* from / on, without what follows a ? */
	bool post;        /* else GET */
	const char *body; /* of a POST, NUL-terminated */
	size_t len;
};

struct web_reply {
	unsigned status;
	const char *type; /* of @text: a MIME type */
	char *text;       /* to be freed with free(); NULL: none */
	size_t len;
};

struct https_server_cfg {
	struct event_base *base;
	const char *address; /* IPv4 */
	uint16_t port;
	const char *cert_file; /* borrowed */
	const char *key_file;
	/* Answer @q; @out is { 404 } when it is called. */
	void (*answer)(void *ctx, const struct web_question *q,
		       struct web_reply *out);
	void *ctx;
};

/* 0, or -errno with a sentence in @why. */
int https_server_open(struct https_server **out,
		      const struct https_server_cfg *cfg,
		      char why[HTTPS_SERVER_WHY_MAX]);
/* Accepts NULL, returns NULL. */
struct https_server *https_server_close(struct https_server *s);
/* Connections now, questions, and what was refused. */
json_t *https_server_json(const struct https_server *s);

#endif
