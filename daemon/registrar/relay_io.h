/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_RELAY_IO_H
#define DAEMON_REGISTRAR_RELAY_IO_H

/*
 * The relay's sockets: one of each family for each node that has an address
 * there, opened when it is given one and closed when it ends.
 */

#include <event2/event.h>
#include <jansson.h>

#include "config/conf.h"
#include "proto/openover_registrar_relay.h"

struct relay_io;

/* What the relay is to be: from the configuration and, where that leaves it
 * open, this machine's addresses.  False when it is not enabled. */
bool relay_io_cfg(const struct conf_registrar *conf, struct oo_relay_cfg *out);

/* @pumped is called after datagrams were given to @r, which may have no relay:
 * then this does nothing.  NULL when memory is short. */
struct relay_io *relay_io_open(struct event_base *base, struct oo_registrar *r,
			       const struct conf_registrar *conf,
			       void (*pumped)(void *ctx), void *ctx);
/* Accepts NULL, returns NULL. */
struct relay_io *relay_io_close(struct relay_io *io);

/* Open, close and send what the registrar wants; call it after every entry. */
void relay_io_pump(struct relay_io *io);

/* For status. */
json_t *relay_io_json(const struct relay_io *io);

#endif
