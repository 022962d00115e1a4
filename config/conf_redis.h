/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_CONF_REDIS_H
#define CONFIG_CONF_REDIS_H

/*
 * Where a Redis or Valkey server is: redis://HOST[:PORT][/DB], where an IPv6
 * address stands in brackets, or unix://PATH[?db=DB].
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"

#define CONF_REDIS_PORT 6379U
#define CONF_REDIS_DB_MAX 65535U

struct conf_redis {
	char host[CONF_HOST_MAX + 1]; /* a name or an address; empty: a path */
	char path[CONF_SOCKET_MAX + 1];
	uint16_t port;
	uint32_t db;
};

/* False, @out undefined, when @text is neither. */
bool conf_redis_parse(const char *text, struct conf_redis *out);

#endif
