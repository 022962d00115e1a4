/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_ZONE_SERVER_H
#define DAEMON_REGISTRAR_ZONE_SERVER_H

/*
 * Answers DNS questions for the nodes that are online (zone_wire.h), by UDP and
 * TCP.  No reflector worth the name: an answer by UDP is small, and whoever
 * asks more than its share, by network (IPv4 /24), is told to ask by TCP, in an
 * answer no longer than its question, or nothing at all.
 */

#include <event2/event.h>
#include <jansson.h>
#include <stddef.h>

#include "config/conf.h"
#include "proto/openover_registrar.h"

#define ZONE_WHY_MAX 256U

struct zone_server;

/* 0, with NULL in @out when it is not configured, or -errno with a sentence in
 * @why. */
int zone_server_open(struct zone_server **out, struct event_base *base,
		     struct oo_registrar *registrar,
		     const struct conf_registrar *conf, char why[ZONE_WHY_MAX]);
/* Accepts NULL, returns NULL. */
struct zone_server *zone_server_close(struct zone_server *s);
json_t *zone_server_json(const struct zone_server *s);

#endif
