/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_WEB_H
#define DAEMON_REGISTRAR_WEB_H

/*
 * What the registrar offers by HTTPS to those who are no OPEN/OVER nodes:
 * registration as AllStarLink has it (POST /, asl_json.h) and the list of who
 * is online (GET /extnodes).
 */

#include <event2/event.h>
#include <jansson.h>

#include "config/conf.h"
#include "daemon/registrar/https_server.h"
#include "proto/openover_registrar.h"

struct web;

struct web_cfg {
	struct event_base *base;
	struct oo_registrar *registrar;    /* borrowed */
	const struct conf_registrar *conf; /* borrowed */
	void (*changed)(void *ctx);        /* the registrar has events */
	void *ctx;
};

/* 0, with NULL in @out when it is not configured, or -errno with a sentence in
 * @why. */
int web_open(struct web **out, const struct web_cfg *cfg,
	     char why[HTTPS_SERVER_WHY_MAX]);
/* Accepts NULL, returns NULL. */
struct web *web_close(struct web *w);
json_t *web_json(const struct web *w);

#endif
