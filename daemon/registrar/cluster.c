/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/conf_redis.h"
#include "daemon/io/keyfile.h"
#include "daemon/io/log.h"
#include "daemon/registrar/store.h"
#include "proto/openover_cluster.h"

#define PASSWORD_CAP 256U

struct cluster {
	struct oo_registrar *registrar;
	struct store *store;
	loop_fn changed;
	void *ctx;
	char name[CONF_CLUSTER_NAME_MAX + 1];
	char at[CONF_REDIS_MAX + 1];
	bool up;
	bool complained; /* that it is not */
	char why[STORE_WHY_MAX];
	uint64_t stale; /* the registrar's counters, as last looked at */
	uint64_t clashes;
};

static uint64_t wall_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- from the store ----------------------------------------------------- */

static void on_state(void *ctx, bool up, const char *why)
{
	struct cluster *c = ctx;

	c->up = up;
	oo_cluster_link(c->registrar, up, loop_now());
	if (up) {
		LOG_EVENT(loop_now(), LOG_INFO, "cluster",
			  "cluster: %s is connected to %s", c->name, c->at);
		c->complained = false;
		c->why[0] = '\0';
	} else {
		(void)snprintf(c->why, sizeof(c->why), "%s", why);
		if (!c->complained)
			LOG_EVENT(loop_now(), LOG_WARNING, "cluster",
				  "cluster: %s: %s; until it is back, nodes "
				  "of other registrars cannot be called",
				  c->at, why);
		c->complained = true;
	}
	c->changed(c->ctx);
}

static void on_message(void *ctx, const uint8_t *data, size_t len)
{
	struct cluster *c = ctx;

	oo_cluster_rx(c->registrar, data, len, loop_now());
	c->changed(c->ctx);
}

static void on_found(void *ctx, uint64_t ask, const struct store_value *v,
		     size_t n)
{
	struct cluster *c = ctx;
	struct oo_cluster_value values[STORE_VALUES_MAX];

	for (size_t i = 0; i < n; i++)
		values[i] = (struct oo_cluster_value){ v[i].data, v[i].len };
	oo_cluster_found(c->registrar, ask, values, n, loop_now());
	c->changed(c->ctx);
}

static void on_unreached(void *ctx, uint64_t ask, uint64_t to)
{
	struct cluster *c = ctx;

	oo_cluster_unreached(c->registrar, ask, to, loop_now());
	c->changed(c->ctx);
}

static void on_room(void *ctx)
{
	struct cluster *c = ctx;

	c->changed(c->ctx);
}

/* --- to the store ------------------------------------------------------- */

void cluster_pump(struct cluster *c)
{
	struct oo_cluster_out out;
	struct oo_cluster_note note;

	if (!c || !c->up)
		return;
	while (oo_cluster_next(c->registrar, &out)) {
		if (out.job == OO_CLUSTER_LOOK_UP)
			(void)store_look_up(c->store, out.ask, out.number);
		else
			(void)store_publish(c->store, out.ask, out.to, out.data,
					    out.len);
	}
	while (store_has_room(c->store) &&
	       oo_cluster_next_note(c->registrar, &note, loop_now()))
		(void)store_note(c->store, note.number,
				 note.here ? note.value : NULL,
				 sizeof(note.value));
}

void cluster_look(struct cluster *c)
{
	const struct oo_cluster_counters *n;

	if (!c)
		return;
	oo_cluster_clock(c->registrar, wall_ms(), loop_now());
	n = oo_cluster_counters(c->registrar);
	if (n->stale != c->stale)
		LOG_LIMITED(loop_now(), LOG_WARNING,
			    "cluster: messages of another time: do the clocks "
			    "of all registrars agree?");
	if (n->clashes != c->clashes)
		LOG_LIMITED(loop_now(), LOG_WARNING,
			    "cluster: another registrar is named %s too; set "
			    "cluster.name",
			    c->name);
	c->stale = n->stale;
	c->clashes = n->clashes;
}

json_t *cluster_status(const struct cluster *c)
{
	const struct oo_cluster_counters *n;
	uint64_t nodes;
	size_t others;

	if (!c)
		return json_pack("{s:s}", "state", "off");
	n = oo_cluster_counters(c->registrar);
	others = oo_cluster_others(c->registrar, loop_now(), &nodes);
	return json_pack(
		"{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
		" s:I, s:I, s:I}",
		"state", c->up ? "up" : "down", "why", c->why, "name", c->name,
		"registrars", (json_int_t)others + 1, "remote_nodes",
		(json_int_t)nodes, "opens_out", (json_int_t)n->opens_out,
		"opens_in", (json_int_t)n->opens_in, "notes",
		(json_int_t)n->notes, "unreached", (json_int_t)n->unreached,
		"moved", (json_int_t)n->moved, "forged", (json_int_t)n->forged,
		"replayed", (json_int_t)n->replayed, "stale",
		(json_int_t)n->stale, "mismatched", (json_int_t)n->mismatched,
		"dropped", (json_int_t)n->dropped);
}

/* --- start and end ------------------------------------------------------ */

static int join(struct cluster *c, const struct conf_registrar *conf,
		char why[CLUSTER_WHY_MAX])
{
	char line[KEY_TEXT_LEN + 2];
	uint8_t key[KEY_SHARED_LEN];
	const struct oo_cluster_cfg cfg = {
		.name = c->name,
		.key = key,
		.wall_ms = wall_ms(),
	};
	int err =
		keyfile_secret(conf->cluster.key_file, line, sizeof(line), why);

	if (err == 0 && !keyfile_key_from_text(line, key)) {
		(void)snprintf(why, CLUSTER_WHY_MAX,
			       "%.180s is not a key file (44 characters of "
			       "base64)",
			       conf->cluster.key_file);
		err = -EINVAL;
	}
	if (err == 0 &&
	    oo_cluster_join(c->registrar, &cfg, loop_now()) != IAX2_OK) {
		(void)snprintf(why, CLUSTER_WHY_MAX, "out of memory");
		err = -ENOMEM;
	}
	key_wipe(line, sizeof(line));
	key_wipe(key, sizeof(key));
	return err;
}

/* As configured, or the host's name as far as it fits. */
static int name_it(struct cluster *c, const struct conf_registrar *conf,
		   char why[CLUSTER_WHY_MAX])
{
	char host[256] = "";

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(c->name, sizeof(c->name), "%.*s",
		       (int)CONF_CLUSTER_NAME_MAX,
		       conf->cluster.name[0] ? conf->cluster.name : host);
	if (c->name[0] != '\0')
		return 0;
	(void)snprintf(why, CLUSTER_WHY_MAX,
		       "the host has no name; set cluster.name");
	return -EINVAL;
}

static int open_store(struct cluster *c, struct event_base *base,
		      const struct conf_registrar *conf,
		      char why[CLUSTER_WHY_MAX])
{
	char password[PASSWORD_CAP] = "";
	struct store_cfg cfg = {
		.base = base,
		.password = password,
		.name = c->name,
		.tag = oo_cluster_tag(c->registrar),
		.instance = oo_cluster_instance(c->registrar),
		.note_s = OO_CLUSTER_NOTE_S,
		.on_state = on_state,
		.on_message = on_message,
		.on_found = on_found,
		.on_unreached = on_unreached,
		.on_room = on_room,
		.ctx = c,
	};
	int err = 0;

	(void)conf_redis_parse(conf->cluster.redis, &cfg.where);
	(void)snprintf(c->at, sizeof(c->at), "%s", conf->cluster.redis);
	if (conf->cluster.password_file[0])
		err = keyfile_secret(conf->cluster.password_file, password,
				     sizeof(password), why);
	if (err == 0) {
		c->store = store_open(&cfg);
		if (!c->store) {
			(void)snprintf(why, CLUSTER_WHY_MAX, "out of memory");
			err = -ENOMEM;
		}
	}
	key_wipe(password, sizeof(password));
	return err;
}

int cluster_open(struct cluster **out, const struct cluster_cfg *cfg,
		 char why[CLUSTER_WHY_MAX])
{
	struct cluster *c;
	int err;

	*out = NULL;
	if (!cfg->conf->cluster.redis[0])
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c) {
		(void)snprintf(why, CLUSTER_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	c->registrar = cfg->registrar;
	c->changed = cfg->changed;
	c->ctx = cfg->ctx;
	err = name_it(c, cfg->conf, why);
	if (err == 0)
		err = join(c, cfg->conf, why);
	if (err == 0)
		err = open_store(c, cfg->base, cfg->conf, why);
	if (err != 0) {
		cluster_close(c);
		return err;
	}
	*out = c;
	return 0;
}

struct cluster *cluster_close(struct cluster *c)
{
	if (!c)
		return NULL;
	store_close(c->store);
	free(c);
	return NULL;
}
