/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_LOOKUP_SETTINGS_H
#define DAEMON_LOOKUP_SETTINGS_H

/*
 * What looking up nodes takes from the configuration: a copy, whose cfg points
 * to the rest of it.
 */

#include "config/conf.h"
#include "daemon/node/lookup.h"

struct lookup_settings {
	struct lookup_cfg cfg;
	struct lookup_node *nodes;
	char domain[CONF_DOMAIN_MAX + 1];
	char extnodes[CONF_PATH_MAX + 1]; /* empty: none */
};

/* NULL without memory. */
struct lookup_settings *lookup_settings_new(const struct conf_node *conf);
/* Accepts NULL, returns NULL. */
struct lookup_settings *lookup_settings_free(struct lookup_settings *m);

#endif
