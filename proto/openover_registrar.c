/* SPDX-License-Identifier: MIT */

#include "proto/openover_registrar.h"

#include <stdlib.h>
#include <string.h>

#include "proto/openover_registrar_priv.h"

/* A node that was not heard for two of its intervals and this is offline. */
#define ONLINE_SLACK_US (15 * MONO_S)
#define ONLINE_MIN_US (45 * MONO_S)
/* Its session is forgotten later: a node that comes back need not register. */
#define FORGET_TIMES 4
#define INTERVAL_MAX_S 120U
#define SWEEP_US MONO_S
#define UNPROVED_BUCKETS 16384U

static bool limits_are_sane(const struct oo_registrar_cfg *c)
{
	return c->refresh_s >= 30 && c->refresh_s <= 3600 &&
	       c->registrations_per_min >= 1 && c->opens_per_min >= 1 &&
	       c->auth_failures_per_min >= 1;
}

static bool cfg_is_sane(const struct oo_registrar_cfg *c)
{
	return c->nodes_max >= 16 && c->nodes_max <= 4000000 &&
	       c->plain_max <= 65536 && c->opens_max >= 16 &&
	       c->opens_max <= 1000000 && limits_are_sane(c) && c->random &&
	       c->identity;
}

static struct rate_limit limit_of(uint32_t per_minute)
{
	return (struct rate_limit){ per_minute, per_minute / 4 + 4 };
}

/* A hub's links all come back at once when it restarts. */
static struct rate_limit burst_of(uint32_t per_minute)
{
	return (struct rate_limit){ per_minute, per_minute };
}

static struct rate_table *table(struct oo_registrar *r, struct rate_limit limit)
{
	uint8_t key[16];

	r->random(r->random_ctx, key, sizeof(key));
	return rate_table_new(UNPROVED_BUCKETS, limit, key);
}

/* Those by record: nobody chooses his own, so that one key does for both. */
static void make_tables_of_records(struct oo_registrar *r, uint32_t opens)
{
	uint8_t key[16];

	r->random(r->random_ctx, key, sizeof(key));
	r->measures = rate_table_new(UNPROVED_BUCKETS,
				     (struct rate_limit){ 60, 20 }, key);
	r->relays = rate_table_new(UNPROVED_BUCKETS, burst_of(opens), key);
}

struct oo_registrar *oo_registrar_new(const struct oo_registrar_cfg *cfg,
				      mono_us now)
{
	struct oo_registrar *r;
	uint8_t key[16];

	if (!cfg_is_sane(cfg))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->id = *cfg->identity;
	r->random = cfg->random;
	r->random_ctx = cfg->random_ctx;
	r->random(r->random_ctx, key, sizeof(key));
	r->dir = oo_directory_new(cfg->nodes_max, key);
	r->tx = dgram_queue_new(cfg->tx_max);
	/* Enough for a club behind one address to come back at once. */
	r->unproved = table(r, (struct rate_limit){ 1200, 40 });
	r->registrations = table(r, limit_of(cfg->registrations_per_min));
	r->auth_failures = table(r, limit_of(cfg->auth_failures_per_min));
	make_tables_of_records(r, cfg->opens_per_min);
	r->plains = oo_plains_new(cfg->plain_max);
	r->opens_max = cfg->opens_max;
	r->opens_slots = 2 * cfg->opens_max;
	r->opens = calloc(r->opens_slots, sizeof(r->opens[0]));
	r->fifo = calloc(cfg->opens_max, sizeof(r->fifo[0]));
	if (!registrar_relay_new(r, cfg) || !r->dir || !r->tx || !r->unproved ||
	    !r->registrations || !r->auth_failures || !r->measures ||
	    !r->relays || !r->plains || !r->opens || !r->fifo)
		return oo_registrar_free(r);
	(void)oo_registrar_limits(r, cfg);
	rotating_secret_init(&r->secret, r->random, r->random_ctx, now);
	r->random(r->random_ctx, r->tx_key, sizeof(r->tx_key));
	r->random(r->random_ctx, r->measure_key[0], sizeof(r->measure_key));
	r->measure_since = now;
	r->sweep_next = now + SWEEP_US;
	return r;
}

struct oo_registrar *oo_registrar_free(struct oo_registrar *r)
{
	if (!r)
		return NULL;
	registrar_cluster_free(r);
	oo_directory_free(r->dir);
	dgram_queue_free(r->tx);
	rate_table_free(r->unproved);
	rate_table_free(r->registrations);
	rate_table_free(r->auth_failures);
	rate_table_free(r->measures);
	rate_table_free(r->relays);
	oo_plains_free(r->plains);
	registrar_relay_free(r);
	free(r->opens);
	free(r->fifo);
	key_wipe(r, sizeof(*r));
	free(r);
	return NULL;
}

bool oo_registrar_limits(struct oo_registrar *r,
			 const struct oo_registrar_cfg *cfg)
{
	if (!limits_are_sane(cfg))
		return false;
	r->refresh_s = cfg->refresh_s;
	r->opens_limit = burst_of(cfg->opens_per_min);
	rate_table_limit(r->relays, r->opens_limit);
	rate_table_limit(r->registrations,
			 limit_of(cfg->registrations_per_min));
	rate_table_limit(r->auth_failures,
			 limit_of(cfg->auth_failures_per_min));
	r->token_optional = cfg->token_optional;
	r->token_optional_n = cfg->token_optional_n;
	return true;
}

void oo_registrar_measure(struct oo_registrar *r,
			  const struct oo_measure_ends *ends)
{
	r->measure = *ends;
}

void oo_registrar_datetime(struct oo_registrar *r, uint32_t datetime)
{
	r->datetime = datetime;
}

bool registrar_send(struct oo_registrar *r, const struct net_path *path,
		    const uint8_t *frame, const struct wire_wr *w)
{
	const struct dgram d = {
		.path = *path,
		.data = frame,
		.len = (size_t)(w->p - frame),
	};

	return !w->bad && dgram_queue_push(r->tx, &d, false);
}

void registrar_event(struct oo_registrar *r, enum oo_registrar_event_kind kind,
		     const char *number, const struct net_addr *addr)
{
	struct oo_registrar_event *ev;

	if (kind <= OO_REG_EV_DOWN)
		registrar_cluster_changed(r, number);
	if (r->ev_n == EVENTS_MAX)
		return;
	ev = &r->events[(r->ev_head + r->ev_n++) % EVENTS_MAX];
	memset(ev, 0, sizeof(*ev));
	ev->kind = kind;
	memcpy(ev->number, number, strlen(number) + 1);
	if (addr)
		ev->addr = *addr;
}

/* Whatever address the node asks from. */
bool registrar_take_of(struct oo_registrar *r, struct rate_table *t,
		       const struct oo_record *rec, mono_us now)
{
	const size_t i = oo_directory_index(r->dir, rec);
	const struct net_addr as =
		net_addr_v4((uint8_t)(i >> 24), (uint8_t)(i >> 16),
			    (uint8_t)(i >> 8), (uint8_t)i, 1);

	return rate_table_take(t, &as, now);
}

mono_us registrar_last_heard(const struct oo_record *rec)
{
	return rec->heard[OO_V4] > rec->heard[OO_V6] ? rec->heard[OO_V4]
						     : rec->heard[OO_V6];
}

/* How long a node counts as online after it was heard: it is up to the node
 * how often it PINGs, within limits. */
static mono_us online_time(const struct oo_registrar *r,
			   const struct oo_record *rec)
{
	const uint8_t told = oo_directory_interval(r->dir, rec);
	const mono_us interval =
		(told < INTERVAL_MAX_S ? told : INTERVAL_MAX_S) * MONO_S;
	const mono_us online = 2 * interval + ONLINE_SLACK_US;

	return online > ONLINE_MIN_US ? online : ONLINE_MIN_US;
}

bool registrar_is_lately(const struct oo_registrar *r,
			 const struct oo_record *rec, mono_us heard,
			 mono_us now)
{
	return now - heard < online_time(r, rec);
}

bool oo_registrar_is_online(const struct oo_registrar *r,
			    const struct oo_record *rec, mono_us now)
{
	return rec->session.id != 0 &&
	       registrar_is_lately(r, rec, registrar_last_heard(rec), now);
}

/* Look at a thirtieth of the records each second. */
static void sweep(struct oo_registrar *r, mono_us now)
{
	const size_t max = oo_directory_max(r->dir);
	const size_t n = max / 30 + 1;

	for (size_t i = 0; i < n && max > 0; i++) {
		struct oo_record *rec;

		r->sweep_at = r->sweep_at + 1 < max ? r->sweep_at + 1 : 0;
		rec = oo_directory_at(r->dir, r->sweep_at);
		if (rec->session.id == 0 ||
		    now - registrar_last_heard(rec) <
			    FORGET_TIMES * online_time(r, rec))
			continue;
		oo_directory_end(r->dir, rec);
		registrar_event(r, OO_REG_EV_DOWN, rec->number, NULL);
	}
}

void oo_registrar_tick(struct oo_registrar *r, mono_us now)
{
	registrar_opens_tick(r, now);
	registrar_cluster_tick(r, now);
	if (now < r->sweep_next)
		return;
	r->sweep_next = now + SWEEP_US;
	sweep(r, now);
	registrar_plain_sweep(r, now);
	registrar_relay_sweep(r, now);
}

mono_us oo_registrar_deadline(const struct oo_registrar *r)
{
	const mono_us opens = mono_min(registrar_opens_deadline(r),
				       registrar_cluster_deadline(r));

	if (oo_directory_sessions(r->dir) == 0 &&
	    oo_plains_registered(r->plains) == 0 &&
	    (!r->relay || oo_relay_allocations(r->relay) == 0))
		return opens;
	return mono_min(opens, r->sweep_next);
}

bool oo_registrar_next_tx(struct oo_registrar *r, struct dgram *out)
{
	return dgram_queue_pop(r->tx, out);
}

bool oo_registrar_next_event(struct oo_registrar *r,
			     struct oo_registrar_event *out)
{
	if (r->ev_n == 0)
		return false;
	*out = r->events[r->ev_head];
	r->ev_head = (r->ev_head + 1) % EVENTS_MAX;
	r->ev_n--;
	return true;
}

enum iax2_err oo_registrar_node_put(struct oo_registrar *r, const char *number,
				    const uint8_t key[KEY_PUBLIC_LEN])
{
	const struct oo_record *rec = oo_directory_by_number(r->dir, number);
	const bool was = rec && rec->session.id != 0;
	const size_t len = strlen(number);

	if (len == 0 || len > OO_NUMBER_MAX ||
	    strspn(number, "0123456789") != len)
		return IAX2_E_RANGE;
	rec = oo_directory_put(r->dir, number, key);
	if (!rec)
		return IAX2_E_FULL;
	/* What the old key proved is over. */
	if (was && rec->session.id == 0)
		registrar_event(r, OO_REG_EV_DOWN, rec->number, NULL);
	(void)oo_registrar_plain_remove(r, number);
	return IAX2_OK;
}

enum iax2_err oo_registrar_node_remove(struct oo_registrar *r,
				       const char *number)
{
	struct oo_record *rec = oo_directory_by_number(r->dir, number);

	if (!rec)
		return IAX2_E_STALE;
	if (rec->session.id != 0)
		registrar_event(r, OO_REG_EV_DOWN, rec->number, NULL);
	registrar_relay_drop(r, rec);
	oo_directory_remove(r->dir, rec);
	return IAX2_OK;
}

const struct oo_plains *oo_registrar_plains(const struct oo_registrar *r)
{
	return r->plains;
}

struct oo_directory *oo_registrar_directory(struct oo_registrar *r)
{
	return r->dir;
}

const struct oo_registrar_counters *
oo_registrar_counters(const struct oo_registrar *r)
{
	return &r->n;
}

size_t oo_registrar_opens(const struct oo_registrar *r)
{
	return r->fifo_n;
}
