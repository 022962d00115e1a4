/* SPDX-License-Identifier: MIT */

#include "proto/asl_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/backoff.h"

#define FIRST_US (10 * MONO_S)
#define KEY_LEAST_US (5 * MONO_S) /* between two changes that are told */
#define FAILED_MAX_US (3600 * MONO_S)

static struct backoff spread_of(const struct asl_stats *g)
{
	return (struct backoff){
		.min = g->cfg.interval_s * (2 * MONO_S),
		.max = FAILED_MAX_US,
		.random = g->cfg.random,
		.random_ctx = g->cfg.random_ctx,
	};
}

void asl_stats_init(struct asl_stats *g, const struct asl_stats_cfg *cfg,
		    mono_us now)
{
	memset(g, 0, sizeof(*g));
	g->cfg = *cfg;
	g->status = 200;
	g->due = now + FIRST_US;
	g->key_due = MONO_NEVER;
}

void asl_stats_keyed(struct asl_stats *g, bool keyed, mono_us now)
{
	if (keyed == g->keyed)
		return;
	g->keyed = keyed;
	if (keyed)
		g->keyed_at = now;
	/* Who does not want the whole does not want this. */
	if (g->failures > 0)
		return;
	g->key_due = g->key_last == 0 || now - g->key_last > KEY_LEAST_US
			     ? now
			     : g->key_last + KEY_LEAST_US;
}

enum asl_stats_what asl_stats_tick(struct asl_stats *g, mono_us now)
{
	const struct backoff b = spread_of(g);
	const mono_us interval = g->cfg.interval_s * MONO_S;

	if (now >= g->due) {
		g->key_due = MONO_NEVER; /* it says that, too */
		g->key_last = now;
		g->due = g->failures > 0
				 ? now + backoff_pause(&b, g->failures)
				 : backoff_spread(&b, now + interval,
						  now + interval + 2 * MONO_S);
		return ASL_STATS_ALL;
	}
	if (now < g->key_due)
		return ASL_STATS_NOTHING;
	g->key_due = MONO_NEVER;
	g->key_last = now;
	return ASL_STATS_KEY;
}

bool asl_stats_answered(struct asl_stats *g, unsigned status, mono_us now)
{
	const struct backoff b = spread_of(g);
	const bool news = status != g->status;

	g->status = status;
	if (status == 200) {
		g->failures = 0;
		return news;
	}
	g->due = now + backoff_pause(&b, g->failures);
	g->key_due = MONO_NEVER;
	if (g->failures < UINT8_MAX)
		g->failures++;
	return news;
}

mono_us asl_stats_deadline(const struct asl_stats *g)
{
	return mono_min(g->due, g->key_due);
}

uint32_t asl_stats_keytime_s(const struct asl_stats *g, mono_us now)
{
	if (g->keyed_at == 0)
		return 0;
	return (uint32_t)((now - g->keyed_at) / MONO_S);
}

/* --- the address -------------------------------------------------------- */

struct text {
	char *p;
	char *end;
	bool bad;
};

static void put(struct text *t, const char *name, uint64_t value)
{
	const size_t room = (size_t)(t->end - t->p);
	const int n = snprintf(t->p, room, "&%s=%" PRIu64, name, value);

	t->bad |= n < 0 || (size_t)n >= room;
	if (!t->bad)
		t->p += n;
}

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c != '\0' && strchr("-_.,", c));
}

/* RFC 3986 2.1 */
static void put_text(struct text *t, const char *name, const char *value)
{
	const size_t room = (size_t)(t->end - t->p);
	int n = snprintf(t->p, room, "%s=", name);

	t->bad |= n < 0 || (size_t)n >= room;
	for (; !t->bad; value++) {
		t->p += n;
		if (*value == '\0')
			return;
		n = is_plain(*value) ? 1 : 3;
		t->bad = t->end - t->p <= n;
		if (!t->bad)
			(void)snprintf(t->p, (size_t)n + 1,
				       n == 1 ? "%c" : "%%%02X",
				       (unsigned char)*value);
	}
}

size_t asl_stats_url(char *out, size_t cap, const char *base,
		     enum asl_stats_what what, const struct asl_stats_report *r)
{
	struct text t = { .p = out, .end = out + cap };
	const int n = snprintf(out, cap, "%s?", base);

	if (n < 0 || (size_t)n >= cap)
		return 0;
	t.p += n;
	put_text(&t, "node", r->node);
	put(&t, "time", r->time_s);
	put(&t, "seqno", r->seqno);
	if (what == ASL_STATS_ALL) {
		put_text(&t, "&nodes", r->links);
		put_text(&t, "&apprptvers", r->version);
		put(&t, "apprptuptime", r->uptime_s);
		put(&t, "totalkerchunks", r->kerchunks);
		put(&t, "totalkeyups", r->keyups);
		put(&t, "totaltxtime", r->tx_s);
		put(&t, "timeouts", r->timeouts);
		put(&t, "totalexecdcommands", r->commands);
	}
	put(&t, "keyed", r->keyed);
	put(&t, "keytime", r->keytime_s);
	return t.bad ? 0 : (size_t)(t.p - out);
}
