/* SPDX-License-Identifier: MIT */

#include "config/conf_redis.h"

#include <string.h>

#include "config/conf_table.h"

/* Digits up to the end or @stop; what follows them in *@end. */
static bool number(const char *text, uint32_t max, char stop, const char **end,
		   uint32_t *out)
{
	uint32_t v = 0;

	*end = text + strspn(text, "0123456789");
	if (*end == text || *end - text > 5 || (**end != '\0' && **end != stop))
		return false;
	for (const char *p = text; p < *end; p++)
		v = v * 10 + (uint32_t)(*p - '0');
	*out = v;
	return v <= max;
}

static bool copy(char *to, size_t cap, const char *from, size_t len)
{
	if (len == 0 || len >= cap)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

static bool parse_path(const char *text, struct conf_redis *out)
{
	const size_t len = strcspn(text, "?");
	const char *db = text + len, *end;

	if (text[0] != '/' || !copy(out->path, sizeof(out->path), text, len))
		return false;
	return *db == '\0' ||
	       (strncmp(db, "?db=", 4) == 0 &&
		number(db + 4, CONF_REDIS_DB_MAX, '\0', &end, &out->db));
}

/* The host; what follows it in *@end. */
static bool parse_name(const char *text, struct conf_redis *out,
		       const char **end)
{
	size_t len;

	if (text[0] == '[') {
		len = strcspn(text, "]");
		*end = text + len + 1;
		return text[len] == ']' &&
		       copy(out->host, sizeof(out->host), text + 1, len - 1) &&
		       conf_text_is_ipv6(out->host);
	}
	len = strcspn(text, ":/");
	*end = text + len;
	return copy(out->host, sizeof(out->host), text, len) &&
	       conf_text_is_host(out->host);
}

static bool parse_host(const char *text, struct conf_redis *out)
{
	const char *end;
	uint32_t port = CONF_REDIS_PORT;

	if (!parse_name(text, out, &end))
		return false;
	if (*end == ':' &&
	    (!number(end + 1, UINT16_MAX, '/', &end, &port) || port == 0))
		return false;
	out->port = (uint16_t)port;
	if (*end == '/' && end[1] != '\0')
		return number(end + 1, CONF_REDIS_DB_MAX, '\0', &end, &out->db);
	return *end == '\0' || *end == '/';
}

bool conf_redis_parse(const char *text, struct conf_redis *out)
{
	memset(out, 0, sizeof(*out));
	if (strncmp(text, "redis://", 8) == 0)
		return parse_host(text + 8, out);
	return strncmp(text, "unix://", 7) == 0 && parse_path(text + 7, out);
}

bool conf_text_is_redis(const char *text)
{
	struct conf_redis redis;

	return text[0] == '\0' || conf_redis_parse(text, &redis);
}
