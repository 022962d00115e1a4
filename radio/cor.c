/* SPDX-License-Identifier: MIT */

#include "radio/cor.h"

#include <errno.h>

#define US_PER_MS UINT64_C(1000)

int cor_init(struct cor *c, const struct cor_config *config)
{
	*c = (struct cor){ 0 };
	if (config->up_ms > COR_MS_MAX || config->down_ms > COR_MS_MAX)
		return -EINVAL;
	c->config = *config;
	return 0;
}

uint64_t cor_deadline(const struct cor *c)
{
	const uint32_t ms = c->raw ? c->config.up_ms : c->config.down_ms;

	if (c->raw == c->up)
		return COR_NEVER;
	return c->raw_since + ms * US_PER_MS;
}

void cor_tick(struct cor *c, uint64_t now_us)
{
	if (c->raw != c->up && now_us >= cor_deadline(c))
		c->up = c->raw;
}

void cor_input(struct cor *c, bool raw, uint64_t now_us)
{
	/* What was due before this moment comes first. */
	cor_tick(c, now_us);
	if (raw == c->raw)
		return;
	c->raw = raw;
	c->raw_since = now_us;
	cor_tick(c, now_us);
}

void cor_reset(struct cor *c, uint64_t now_us)
{
	c->raw = false;
	c->raw_since = now_us;
	c->up = false;
}

bool cor_up(const struct cor *c)
{
	return c->up;
}
