/* SPDX-License-Identifier: MIT */

/* Rules of looking up that need no memory: patterns, the choice among SRV
 * records, and words. */

#include <string.h>

#include "daemon/node/lookup.h"

const char *lookup_source_text(enum lookup_source s)
{
	static const char *const text[] = {
		[LOOKUP_NODES] = "nodes",
		[LOOKUP_DNS] = "dns",
		[LOOKUP_EXTNODES] = "extnodes",
		[LOOKUP_REGISTRAR] = "registrar",
		[LOOKUP_SOURCES] = "none",
	};

	return text[s];
}

const char *lookup_state_text(enum lookup_state s)
{
	static const char *const text[] = {
		[LOOKUP_UNASKED] = "not asked", [LOOKUP_ASKING] = "asking",
		[LOOKUP_FOUND] = "found",       [LOOKUP_ABSENT] = "not there",
		[LOOKUP_FAILED] = "failed",
	};

	return text[s];
}

bool lookup_matches(const char *pattern, const char *number)
{
	for (; *pattern && *pattern != '*'; pattern++, number++) {
		if (*number == '\0' || (*pattern != 'X' && *pattern != *number))
			return false;
	}
	return *pattern == '*' || *number == '\0';
}

/* --- SRV records -------------------------------------------------------- */

/* 0 to @max, each as likely as the others but for one in 2^16. */
static uint32_t chance(uint32_t max, random_fn random, void *ctx)
{
	uint8_t r[4];

	random(ctx, r, sizeof(r));
	return (uint32_t)(((uint64_t)r[0] << 24 | (uint64_t)r[1] << 16 |
			   (uint64_t)r[2] << 8 |
			   r[3]) * ((uint64_t)max + 1) >>
			  32);
}

static size_t drop_nameless(struct lookup_srv *srv, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (srv[i].port != 0 && srv[i].host[0] != '\0' &&
		    strcmp(srv[i].host, ".") != 0)
			srv[kept++] = srv[i];
	}
	return kept;
}

/* The one that comes first of @n. */
static size_t choose(const struct lookup_srv *srv, size_t n, random_fn random,
		     void *ctx)
{
	uint16_t priority = UINT16_MAX;
	uint32_t sum = 0, at;
	size_t last = 0;

	for (size_t i = 0; i < n; i++) {
		if (srv[i].priority < priority)
			priority = srv[i].priority;
	}
	for (size_t i = 0; i < n; i++)
		sum += srv[i].priority == priority ? srv[i].weight : 0;
	at = chance(sum, random, ctx);
	for (size_t i = 0; i < n; i++) {
		if (srv[i].priority != priority)
			continue;
		last = i;
		if (at <= srv[i].weight)
			break;
		at -= srv[i].weight;
	}
	return last;
}

size_t lookup_srv_order(struct lookup_srv *srv, size_t n, random_fn random,
			void *random_ctx)
{
	n = drop_nameless(srv, n);
	for (size_t i = 0; i < n; i++) {
		const size_t j = i + choose(srv + i, n - i, random, random_ctx);
		const struct lookup_srv chosen = srv[j];

		srv[j] = srv[i];
		srv[i] = chosen;
	}
	return n;
}
