/* SPDX-License-Identifier: MIT */

#include "proto/openover_registrar.h"

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
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

static struct rate_table *table(struct oo_registrar *r, struct rate_limit limit)
{
	uint8_t key[16];

	r->random(r->random_ctx, key, sizeof(key));
	return rate_table_new(UNPROVED_BUCKETS, limit, key);
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
	r->measures = table(r, (struct rate_limit){ 60, 20 });
	r->plains = oo_plains_new(cfg->plain_max);
	r->opens_max = cfg->opens_max;
	r->opens = calloc(cfg->opens_max, sizeof(r->opens[0]));
	r->fifo = calloc(cfg->opens_max, sizeof(r->fifo[0]));
	if (!registrar_relay_new(r, cfg) || !r->dir || !r->tx || !r->unproved ||
	    !r->registrations || !r->auth_failures || !r->measures ||
	    !r->plains || !r->opens || !r->fifo)
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
	r->opens_limit = limit_of(cfg->opens_per_min);
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

struct oo_record *registrar_sender(struct oo_registrar *r,
				   const struct dgram *d,
				   const struct oo_msg *m)
{
	struct oo_record *rec;

	if (!m->has_session || !m->sealed) {
		r->n.not_ours++;
		return NULL;
	}
	rec = oo_directory_by_session(r->dir, m->session);
	if (!rec || !seal_check(d->data, d->len, rec->session.rx_key)) {
		r->n.forged++;
		return NULL;
	}
	if (!replay_accept(&rec->session.rx, m->counter)) {
		r->n.replayed++;
		return NULL;
	}
	return rec;
}

static bool path_is_proved(const struct oo_registrar *r, const struct oo_msg *m,
			   const struct net_addr *from)
{
	return m->has_path &&
	       (m->path == registrar_cookie(r->secret.now, m->session, from) ||
		m->path ==
			registrar_cookie(r->secret.before, m->session, from));
}

static enum iax2_err on_ping(struct oo_registrar *r, const struct dgram *d,
			     const struct oo_msg *m, mono_us now)
{
	const struct net_addr *from = &d->path.peer;
	struct oo_record *rec = registrar_sender(r, d, m);
	const struct iax2_full hdr = {
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.dst_callno = m->hdr.src_callno,
		.ts_ms = m->hdr.ts_ms,
		.iseq = (uint8_t)(m->hdr.oseq + 1),
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;
	bool proved;

	if (!rec)
		return IAX2_E_REFUSED;
	r->n.pings++;
	proved = net_addr_equal(&rec->path[oo_family_of(from)].peer, from);
	if (!proved && path_is_proved(r, m, from)) {
		r->n.moves++;
		registrar_event(r, OO_REG_EV_MOVED, rec->number, from);
		proved = true;
	}
	if (proved) {
		oo_directory_move(r->dir, rec, &d->path, now);
		registrar_mapped(r, rec, d, m);
	}
	if (m->has_interval)
		oo_directory_set_interval(r->dir, rec, m->interval_s);

	w = oo_frame_begin(buf, IAX2_IAX_PONG, &hdr);
	oo_session_put(&rec->session, &w);
	oo_put_addr(&w, IAX2_IE_KH_REFLEXIVE, from);
	if (!proved)
		iax2_ie_put_u64(
			&w, IAX2_IE_KH_PATH,
			registrar_cookie(r->secret.now, m->session, from));
	seal_append(&w, buf, rec->session.tx_key);
	if ((size_t)(w.p - buf) > d->len)
		return IAX2_E_LIMITED;
	registrar_send(r, &d->path, buf, &w);
	return IAX2_OK;
}

/* A POKE that knows nothing of us gets the PONG of RFC 5456 6.7.2. */
static enum iax2_err on_plain_poke(struct oo_registrar *r,
				   const struct dgram *d,
				   const struct oo_msg *m)
{
	const struct iax2_full hdr = {
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.dst_callno = m->hdr.src_callno,
		.ts_ms = m->hdr.ts_ms,
		.iseq = (uint8_t)(m->hdr.oseq + 1),
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;

	/* A header, as the POKE has at least. */
	w = oo_frame_begin(buf, IAX2_IAX_PONG, &hdr);
	registrar_send(r, &d->path, buf, &w);
	return IAX2_OK;
}

static enum iax2_err on_regrel(struct oo_registrar *r, const struct dgram *d,
			       const struct oo_msg *m)
{
	struct oo_record *rec = registrar_sender(r, d, m);
	const struct iax2_full hdr = {
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.dst_callno = m->hdr.src_callno,
		.ts_ms = m->hdr.ts_ms,
		.iseq = (uint8_t)(m->hdr.oseq + 1),
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;

	if (!rec)
		return IAX2_E_REFUSED;
	w = oo_frame_begin(buf, IAX2_IAX_REGACK, &hdr);
	oo_session_put(&rec->session, &w);
	seal_append(&w, buf, rec->session.tx_key);
	if ((size_t)(w.p - buf) <= d->len)
		registrar_send(r, &d->path, buf, &w);
	registrar_relay_drop(r, rec);
	oo_directory_end(r->dir, rec);
	registrar_event(r, OO_REG_EV_DOWN, rec->number, &d->path.peer);
	return IAX2_OK;
}

/* The other ends are for measuring: no address is proved through them. */
static bool is_measuring_socket(const struct oo_registrar *r, uint16_t sock)
{
	return sock != 0 &&
	       (sock == r->measure.port[OO_V4] ||
		sock == r->measure.port[OO_V6] || sock == r->measure.other);
}

enum iax2_err oo_registrar_rx(struct oo_registrar *r, const struct dgram *d,
			      mono_us now)
{
	struct oo_msg m;
	enum iax2_err err;

	r->n.rx++;
	rotating_secret_tick(&r->secret, r->random, r->random_ctx, now);
	err = oo_msg_decode(d->data, d->len, &m);
	if (err != IAX2_OK) {
		if (err == IAX2_E_NOT_OURS)
			r->n.not_ours++;
		else
			r->n.malformed++;
		return err;
	}
	if (m.hdr.subclass == OO_MEASURE)
		return registrar_on_measure(r, d, &m, now);
	if (is_measuring_socket(r, d->path.sock)) {
		r->n.not_ours++;
		return IAX2_E_NOT_OURS;
	}
	switch (m.hdr.subclass) {
	case IAX2_IAX_POKE:
		if (m.has_session)
			return on_ping(r, d, &m, now);
		return on_plain_poke(r, d, &m);
	case IAX2_IAX_REGREQ:
		return registrar_on_regreq(r, d, &m, now);
	case IAX2_IAX_REGREL:
		if (m.has_session)
			return on_regrel(r, d, &m);
		return registrar_on_plain(r, d, &m, now);
	case IAX2_IAX_ACK:
		/* Plain clients acknowledge our last answer. */
		return IAX2_OK;
	case OO_OPEN_REQUEST:
		return registrar_on_open_request(r, d, &m, now);
	case OO_OVER:
		return registrar_on_over(r, d, &m, now);
	case OO_RELAY:
		return registrar_on_relay(r, d, &m, now);
	default:
		r->n.not_ours++;
		return IAX2_E_NOT_OURS;
	}
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
	const size_t len = strlen(number);

	if (len == 0 || len > OO_NUMBER_MAX ||
	    strspn(number, "0123456789") != len)
		return IAX2_E_RANGE;
	if (!oo_directory_put(r->dir, number, key))
		return IAX2_E_FULL;
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
