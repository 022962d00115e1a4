/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/server.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/addr.h"
#include "daemon/io/control.h"
#include "daemon/io/keyfile.h"
#include "daemon/io/log.h"
#include "daemon/io/loop.h"
#include "daemon/io/notify.h"
#include "daemon/io/trace.h"
#include "daemon/io/udp.h"
#include "daemon/registrar/directory.h"
#include "proto/openover_registrar.h"

#define DIRECTORY_LOOK_S 1 /* between looks at the file */
#define TX_MAX 16384U

struct server {
	const struct conf_registrar *conf;
	struct key_identity id;
	struct oo_registrar *registrar;
	struct directory *directory;
	struct event_base *base;
	struct udp *udp;
	struct control *control;
	struct trace trace;
	struct loop_timer timer;
	struct event *look;
	struct event *watchdog;
	struct event *signals[2];
	mono_us started;
	/* For pings_per_s. */
	uint64_t pings_before;
	mono_us pings_at;
	double pings_per_s;
	uint64_t generation; /* of the directory's last reading */
};

static void system_random(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

/* --- the directory ------------------------------------------------------ */

static bool put_node(void *ctx, const struct directory_node *node)
{
	struct server *s = ctx;
	const enum iax2_err err =
		oo_registrar_node_put(s->registrar, node->number, node->key);

	if (err == IAX2_E_FULL)
		LOG_LIMITED(loop_now(), LOG_ERROR,
			    "the directory holds more than %u nodes "
			    "(registrar.nodes_max); node %s is left out",
			    s->conf->registrar.nodes_max, node->number);
	return true;
}

struct known {
	struct oo_directory *dir;
	uint8_t *present; /* one for each record */
};

static bool mark_node(void *ctx, const struct directory_node *node)
{
	const struct known *k = ctx;
	const struct oo_record *rec =
		oo_directory_by_number(k->dir, node->number);

	if (rec)
		k->present[oo_directory_index(k->dir, rec)] = 1;
	return true;
}

/* Nodes that are no longer in the file leave memory as well. */
static void drop_missing(struct server *s)
{
	struct known k = { .dir = oo_registrar_directory(s->registrar) };
	const size_t max = oo_directory_max(k.dir);
	char why[DIRECTORY_WHY_MAX];

	k.present = calloc(max + 1, 1);
	if (!k.present)
		return;
	if (directory_each(s->directory, mark_node, &k, why) == 0) {
		for (size_t i = 0; i < max; i++) {
			const struct oo_record *rec = oo_directory_at(k.dir, i);

			if (rec->number[0] != '\0' && !k.present[i])
				(void)oo_registrar_node_remove(s->registrar,
							       rec->number);
		}
	}
	free(k.present);
}

static void read_directory(struct server *s)
{
	char why[DIRECTORY_WHY_MAX];

	if (directory_each(s->directory, put_node, s, why) != 0) {
		LOG_LIMITED(loop_now(), LOG_ERROR, "directory: %s", why);
		return;
	}
	drop_missing(s);
	log_info("directory: %zu nodes",
		 oo_directory_count(oo_registrar_directory(s->registrar)));
}

/* --- the loop ----------------------------------------------------------- */

static bool next_tx(void *ctx, struct dgram *out)
{
	return oo_registrar_next_tx(ctx, out);
}

static void on_event(const struct oo_registrar_event *ev)
{
	char addr[NET_ADDR_TEXT];

	net_addr_format(&ev->addr, addr);
	switch (ev->kind) {
	case OO_REG_EV_UP:
		log_info("node %s registered from %s", ev->number, addr);
		break;
	case OO_REG_EV_MOVED:
		log_info("node %s moved to %s", ev->number, addr);
		break;
	case OO_REG_EV_DOWN:
		log_info("node %s is gone", ev->number);
		break;
	case OO_REG_EV_REFUSED:
		LOG_LIMITED(loop_now(), LOG_WARNING,
			    "refused %s, which claims to be node %s", addr,
			    ev->number);
		break;
	}
}

static void pump(struct server *s)
{
	struct oo_registrar_event ev;

	while (oo_registrar_next_event(s->registrar, &ev))
		on_event(&ev);
	udp_send(s->udp, next_tx, s->registrar);
	loop_timer_set(&s->timer, oo_registrar_deadline(s->registrar));
}

static void on_dgram(void *ctx, const struct dgram *d)
{
	struct server *s = ctx;

	(void)oo_registrar_rx(s->registrar, d, loop_now());
}

static void on_batch(void *ctx)
{
	pump(ctx);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;

	(void)fd;
	(void)what;
	oo_registrar_tick(s->registrar, loop_now());
	pump(s);
}

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;
	const mono_us now = loop_now();
	const uint64_t pings = oo_registrar_counters(s->registrar)->pings;

	(void)fd;
	(void)what;
	if (directory_changed(s->directory))
		read_directory(s);
	s->pings_per_s = (double)(pings - s->pings_before) * (double)MONO_S /
			 (double)(now - s->pings_at + 1);
	s->pings_before = pings;
	s->pings_at = now;
	pump(s);
}

static void on_watchdog(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
	notify_alive();
}

static void on_signal(evutil_socket_t sig, short what, void *ctx)
{
	struct server *s = ctx;

	(void)sig;
	(void)what;
	notify_stopping();
	(void)event_base_loopbreak(s->base);
}

/* --- control ------------------------------------------------------------ */

static size_t count_online(const struct server *s)
{
	struct oo_directory *dir = oo_registrar_directory(s->registrar);
	const mono_us now = loop_now();
	size_t n = 0;

	for (size_t i = 0; i < oo_directory_max(dir); i++)
		n += oo_registrar_is_online(oo_directory_at(dir, i), now);
	return n;
}

static void do_status(void *ctx, struct control_request *req,
		      const json_t *params)
{
	const struct server *s = ctx;
	const struct oo_registrar_counters *n =
		oo_registrar_counters(s->registrar);
	struct oo_directory *dir = oo_registrar_directory(s->registrar);
	json_t *counters = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"rx", (json_int_t)n->rx, "malformed", (json_int_t)n->malformed,
		"not_ours", (json_int_t)n->not_ours, "limited",
		(json_int_t)n->limited, "forged", (json_int_t)n->forged,
		"replayed", (json_int_t)n->replayed, "token_bad",
		(json_int_t)n->token_bad, "refused", (json_int_t)n->refused,
		"registered", (json_int_t)n->registered, "pings",
		(json_int_t)n->pings, "moves", (json_int_t)n->moves, "oversize",
		(json_int_t)udp_counters(s->udp)->rx_oversize);

	(void)params;
	control_reply(
		req, json_pack("{s:s, s:I, s:I, s:I, s:f, s:{s:I, s:I, s:I}, "
			       "s:{s:b}, s:o}",
			       "version", KEYHOLE_VERSION, "uptime_s",
			       (json_int_t)((loop_now() - s->started) / MONO_S),
			       "nodes", (json_int_t)oo_directory_count(dir),
			       "online", (json_int_t)count_online(s),
			       "pings_per_s", s->pings_per_s, "opens", "now",
			       (json_int_t)oo_registrar_opens(s->registrar),
			       "asked", (json_int_t)n->opens, "accepted",
			       (json_int_t)n->opens_ok, "relay", "enabled", 0,
			       "counters", counters));
}

/* The command line has changed the directory and does not want to wait. */
static void do_refresh(void *ctx, struct control_request *req,
		       const json_t *params)
{
	struct server *s = ctx;

	(void)params;
	if (directory_changed(s->directory))
		read_directory(s);
	control_reply(req, json_object());
}

static void do_trace(void *ctx, struct control_request *req,
		     const json_t *params)
{
	struct server *s = ctx;

	(void)params;
	s->trace = (struct trace){ .udp = s->udp, .control = s->control };
	trace_start(&s->trace, req);
}

static int open_control(struct server *s, char why[CONTROL_WHY_MAX])
{
	static const struct control_method methods[] = {
		{ "status", do_status },
		{ "refresh", do_refresh },
		{ "trace", do_trace },
		{ NULL, NULL },
	};
	const struct control_cfg cfg = {
		.path = s->conf->control.socket,
		.group = s->conf->control.group,
		.methods = methods,
		.ctx = s,
	};
	const int err = control_open(&s->control, s->base, &cfg, why);

	if (err == 0 && why[0] != '\0')
		log_warning("%s", why);
	return err;
}

/* --- start and end ------------------------------------------------------ */

static int add_timer(struct server *s, struct event **out, event_callback_fn fn,
		     mono_us period)
{
	const struct timeval tv = { (time_t)(period / MONO_S),
				    (suseconds_t)(period % MONO_S) };

	*out = event_new(s->base, -1, EV_PERSIST, fn, s);
	return *out && event_add(*out, &tv) == 0 ? 0 : -ENOMEM;
}

static int start_loop(struct server *s)
{
	static const int sig[] = { SIGTERM, SIGINT };
	const mono_us watchdog = notify_watchdog_period();

	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 2; i++) {
		s->signals[i] = evsignal_new(s->base, sig[i], on_signal, s);
		if (!s->signals[i] || event_add(s->signals[i], NULL) != 0)
			return -ENOMEM;
	}
	if (loop_timer_init(&s->timer, s->base, on_timer, s) != 0 ||
	    add_timer(s, &s->look, on_look, DIRECTORY_LOOK_S * MONO_S) != 0 ||
	    (watchdog != MONO_NEVER &&
	     add_timer(s, &s->watchdog, on_watchdog, watchdog) != 0))
		return -ENOMEM;
	return 0;
}

static int start_registrar(struct server *s, char why[CONTROL_WHY_MAX])
{
	const struct oo_registrar_cfg cfg = {
		.identity = &s->id,
		.nodes_max = s->conf->registrar.nodes_max,
		.opens_max = s->conf->limits.opens_max,
		.tx_max = TX_MAX,
		.refresh_s = (uint16_t)s->conf->registrar.refresh_s,
		.registrations_per_min = s->conf->limits.registrations_per_min,
		.opens_per_min = s->conf->limits.opens_per_min,
		.random = system_random,
	};
	int err = keyfile_load(s->conf->registrar.key_file, &s->id, why);

	if (err != 0)
		return err;
	err = directory_open(&s->directory, s->conf->registrar.directory, true,
			     why);
	if (err != 0) {
		char text[DIRECTORY_WHY_MAX];

		(void)snprintf(text, sizeof(text), "%.180s", why);
		(void)snprintf(why, CONTROL_WHY_MAX, "directory %.60s: %.180s",
			       s->conf->registrar.directory, text);
		return err;
	}
	s->registrar = oo_registrar_new(&cfg, loop_now());
	if (s->registrar)
		return 0;
	(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
	return -ENOMEM;
}

static int start(struct server *s, char why[CONTROL_WHY_MAX])
{
	const struct udp_cfg udp = {
		.bind4 = s->conf->iax2.bind4,
		.bind6 = s->conf->iax2.bind6,
		.port = s->conf->iax2.port,
		.on_dgram = on_dgram,
		.on_batch = on_batch,
		.ctx = s,
	};
	int err = start_registrar(s, why);

	if (err != 0)
		return err;
	s->base = loop_base_new();
	if (!s->base) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	err = udp_open(&s->udp, s->base, &udp, why);
	if (err == 0)
		err = open_control(s, why);
	if (err == 0 && start_loop(s) != 0) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		err = -ENOMEM;
	}
	return err;
}

static void free_event(struct event *ev)
{
	if (ev)
		event_free(ev);
}

static void done(struct server *s)
{
	s->control = control_close(s->control);
	free_event(s->look);
	free_event(s->watchdog);
	free_event(s->signals[0]);
	free_event(s->signals[1]);
	loop_timer_done(&s->timer);
	s->udp = udp_close(s->udp);
	s->registrar = oo_registrar_free(s->registrar);
	s->directory = directory_close(s->directory);
	if (s->base)
		event_base_free(s->base);
	key_wipe(&s->id, sizeof(s->id));
}

int server_run(const struct conf_registrar *conf)
{
	struct server s = { .conf = conf, .started = loop_now() };
	char why[CONTROL_WHY_MAX] = "";
	char key[KEY_TEXT_LEN];
	int status = 1;

	log_init((enum log_level)conf->log.level);
	if (start(&s, why) != 0) {
		log_error("%s", why);
	} else {
		key_to_text(s.id.public_key, key);
		log_info("keyhole-registrar %s on UDP port %u, key %s",
			 KEYHOLE_VERSION, (unsigned)conf->iax2.port, key);
		on_look(-1, 0, &s);
		notify_ready();
		status = event_base_dispatch(s.base) < 0;
		log_info("stopped");
	}
	done(&s);
	return status;
}
