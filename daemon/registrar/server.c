/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/server.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/io/addr.h"
#include "daemon/io/keyfile.h"
#include "daemon/io/log.h"
#include "daemon/io/notify.h"
#include "daemon/registrar/server_priv.h"
#include "proto/iax2_ie.h"

#define DIRECTORY_LOOK_S 1 /* between looks at the file */
#define TX_MAX 16384U
#define NODE_LINES 120U /* a minute, of nodes that come; as many of others */

static void system_random(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

/* --- the directory ------------------------------------------------------ */

int server_refresh(struct server *s, char why[DIRECTORY_WHY_MAX])
{
	bool read;
	const int err = roster_refresh(&s->roster, &read, why);

	if (err != 0)
		LOG_LIMITED(loop_now(), LOG_ERROR, "directory: %s", why);
	if (!read)
		return err;
	log_info("directory: %zu nodes, %zu plain clients",
		 oo_directory_count(oo_registrar_directory(s->registrar)),
		 oo_plains_count(oo_registrar_plains(s->registrar)));
	if (s->roster.left_out > 0)
		log_error("the directory holds more than registrar.nodes_max "
			  "(%u) or registrar.plain_max (%u) have room for: "
			  "%zu are left out, among them %s",
			  s->conf->registrar.nodes_max,
			  s->conf->registrar.plain_max, s->roster.left_out,
			  s->roster.first_left_out);
	return 0;
}

/* --- the loop ----------------------------------------------------------- */

static bool next_tx(void *ctx, struct dgram *out)
{
	return oo_registrar_next_tx(ctx, out);
}

static void on_event(const struct oo_registrar_event *ev)
{
	static const char *const name[] = {
		[OO_REG_EV_UP] = "registered",
		[OO_REG_EV_MOVED] = "moved",
		[OO_REG_EV_DOWN] = "gone",
		[OO_REG_EV_REFUSED] = "refused",
		[OO_REG_EV_NO_TOKEN] = "no_token",
	};
	const struct log_about about = { .level = LOG_INFO,
					 .event = name[ev->kind],
					 .peer = ev->number };
	char addr[NET_ADDR_TEXT];

	net_addr_format(&ev->addr, addr);
	switch (ev->kind) {
	case OO_REG_EV_UP:
		LOG_AT_MOST(NODE_LINES, loop_now(), &about,
			    "node %s registered from %s", ev->number, addr);
		break;
	case OO_REG_EV_MOVED:
		LOG_AT_MOST(NODE_LINES, loop_now(), &about,
			    "node %s moved to %s", ev->number, addr);
		break;
	case OO_REG_EV_DOWN:
		LOG_AT_MOST(NODE_LINES, loop_now(), &about, "node %s is gone",
			    ev->number);
		break;
	case OO_REG_EV_REFUSED:
		LOG_EVENT_OF(loop_now(), LOG_WARNING, name[ev->kind],
			     ev->number, "refused %s, which claims to be %s",
			     addr, ev->number);
		break;
	case OO_REG_EV_NO_TOKEN:
		LOG_EVENT_OF(
			loop_now(), LOG_WARNING, name[ev->kind], ev->number,
			"%s registers as %s without a call token; if it is "
			"yours, list it in iax2.calltoken_optional",
			addr, ev->number);
		break;
	}
}

static void pump(struct server *s)
{
	struct oo_registrar_event ev;

	while (oo_registrar_next_event(s->registrar, &ev))
		on_event(&ev);
	/* First: a socket that is there now is answered for. */
	relay_io_pump(s->relay);
	udp_send(s->udp, next_tx, s->registrar);
	cluster_pump(s->cluster);
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

/* The time as plain clients show it, UTC (RFC 5456 8.6.28). */
static uint32_t datetime_now(void)
{
	const time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) || tm.tm_year < 100)
		return 0;
	return iax2_datetime(&(struct iax2_datetime){
		.year = (unsigned)tm.tm_year + 1900,
		.month = (unsigned)tm.tm_mon + 1,
		.day = (unsigned)tm.tm_mday,
		.hour = (unsigned)tm.tm_hour,
		.minute = (unsigned)tm.tm_min,
		.second = (unsigned)tm.tm_sec,
	});
}

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;
	const mono_us now = loop_now();
	const uint64_t pings = oo_registrar_counters(s->registrar)->pings;
	char why[DIRECTORY_WHY_MAX];

	(void)fd;
	(void)what;
	(void)server_refresh(s, why);
	oo_registrar_datetime(s->registrar, datetime_now());
	cluster_look(s->cluster);
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

static void registrar_cfg(struct server *s, const struct conf_registrar *conf,
			  struct oo_registrar_cfg *out)
{
	*out = (struct oo_registrar_cfg){
		.identity = &s->id,
		.nodes_max = conf->registrar.nodes_max,
		.plain_max = conf->registrar.plain_max,
		.opens_max = conf->limits.opens_max,
		.tx_max = TX_MAX,
		.refresh_s = (uint16_t)conf->registrar.refresh_s,
		.registrations_per_min = conf->limits.registrations_per_min,
		.opens_per_min = conf->limits.opens_per_min,
		.auth_failures_per_min = conf->limits.auth_failures_per_min,
		.token_optional = s->token_optional,
		.token_optional_n = conf->iax2.calltoken_optional_n,
		.random = system_random,
	};
	for (size_t i = 0; i < out->token_optional_n; i++)
		(void)net_prefix_parse(conf->iax2.calltoken_optional[i].text,
				       &s->token_optional[i]);
}

static void say_change(void *ctx, const char *name, bool reloads)
{
	(void)ctx;
	log_info("%s has changed%s", name,
		 reloads ? "" : "; it takes effect after a restart");
}

/* SIGHUP: the settings that can change meanwhile, and the directory. */
static void on_hup(evutil_socket_t sig, short what, void *ctx)
{
	struct server *s = ctx;
	struct conf_diags diags = { 0 };
	struct conf_registrar conf;
	struct oo_registrar_cfg cfg;
	char why[DIRECTORY_WHY_MAX];

	(void)sig;
	(void)what;
	if (conf_load_registrar(s->file, &conf, &diags) == 0) {
		(void)conf_registrar_changes(s->has_reloaded ? &s->reloaded
							     : s->conf,
					     &conf, say_change, NULL);
		registrar_cfg(s, &conf, &cfg);
		(void)oo_registrar_limits(s->registrar, &cfg);
		log_set_level((enum log_level)conf.log.level);
		conf_registrar_free(&s->reloaded);
		s->reloaded = conf;
		s->has_reloaded = true;
	} else {
		log_error("%s is in error; the settings stay as they are",
			  s->file);
	}
	conf_diags_print(&diags, s->file, stderr);
	conf_diags_free(&diags);
	s->roster.stale = true;
	(void)server_refresh(s, why);
	pump(s);
}

static void on_signal(evutil_socket_t sig, short what, void *ctx)
{
	struct server *s = ctx;

	(void)sig;
	(void)what;
	notify_stopping();
	(void)event_base_loopbreak(s->base);
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
	static const int sig[SERVER_SIGNALS] = { SIGTERM, SIGINT, SIGQUIT,
						 SIGHUP };
	const mono_us watchdog = notify_watchdog_period();

	for (size_t i = 0; i < SERVER_SIGNALS; i++) {
		s->signals[i] =
			evsignal_new(s->base, sig[i],
				     sig[i] == SIGHUP ? on_hup : on_signal, s);
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
	struct oo_registrar_cfg cfg;
	struct oo_relay_cfg relay;
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
	registrar_cfg(s, s->conf, &cfg);
	if (relay_io_cfg(s->conf, &relay))
		cfg.relay = &relay;
	s->registrar = oo_registrar_new(&cfg, loop_now());
	s->roster = (struct roster){ .directory = s->directory,
				     .registrar = s->registrar,
				     .stale = true };
	if (s->registrar)
		return 0;
	(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
	return -ENOMEM;
}

static void on_interface(void *ctx, const char *why)
{
	const struct server *s = ctx;

	if (why)
		log_warning("%s", why);
	else
		log_info("interface %s is in use", s->conf->iax2.interface);
}

/* What those need who are no nodes of ours. */
static int start_guests(struct server *s, char why[CONTROL_WHY_MAX])
{
	const struct web_cfg web = { .base = s->base,
				     .registrar = s->registrar,
				     .conf = s->conf,
				     .changed = on_batch,
				     .ctx = s };
	const int err = web_open(&s->web, &web, why);

	if (err != 0)
		return err;
	return zone_server_open(&s->dns, s->base, s->registrar, s->conf, why);
}

static int start(struct server *s, char why[CONTROL_WHY_MAX])
{
	const struct udp_cfg udp = {
		.bind4 = s->conf->iax2.bind4,
		.bind6 = s->conf->iax2.bind6,
		.port = s->conf->iax2.port,
		.interface = s->conf->iax2.interface,
		.on_interface = on_interface,
		.on_dgram = on_dgram,
		.on_batch = on_batch,
		.ctx = s,
	};
	struct oo_measure_ends ends;
	int err = start_registrar(s, why);

	if (err != 0)
		return err;
	s->base = loop_base_new();
	if (!s->base || log_attach(s->base) != 0) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	s->relay = relay_io_open(s->base, s->registrar, s->conf, on_batch, s);
	if (!s->relay) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	err = udp_open(&s->udp, s->base, &udp, why);
	if (err == 0 && why[0] != '\0')
		log_warning("%s", why);
	if (err == 0) {
		ends_open(&s->ends, s->udp, s->base, s->conf, &ends);
		oo_registrar_measure(s->registrar, &ends);
		err = server_control_open(s, why);
	}
	if (err == 0)
		err = start_guests(s, why);
	if (err == 0)
		err = cluster_open(&s->cluster,
				   &(struct cluster_cfg){
					   .base = s->base,
					   .registrar = s->registrar,
					   .conf = s->conf,
					   .changed = on_batch,
					   .ctx = s,
				   },
				   why);
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
	s->cluster = cluster_close(s->cluster);
	s->web = web_close(s->web);
	s->dns = zone_server_close(s->dns);
	free_event(s->look);
	free_event(s->watchdog);
	for (size_t i = 0; i < SERVER_SIGNALS; i++)
		free_event(s->signals[i]);
	loop_timer_done(&s->timer);
	ends_close(&s->ends);
	s->udp = udp_close(s->udp);
	s->relay = relay_io_close(s->relay);
	s->registrar = oo_registrar_free(s->registrar);
	s->directory = directory_close(s->directory);
	log_detach();
	if (s->base)
		event_base_free(s->base);
	key_wipe(&s->id, sizeof(s->id));
	conf_registrar_free(&s->reloaded);
}

int server_run(const struct conf_registrar *conf, const char *file)
{
	struct server s = { .conf = conf, .file = file, .started = loop_now() };
	char why[CONTROL_WHY_MAX] = "";
	char key[KEY_TEXT_LEN];
	int status = 1;

	keyfile_hide_memory();
	log_init((enum log_level)conf->log.level);
	if (start(&s, why) != 0) {
		log_error("%s", why);
	} else {
		key_to_text(s.id.public_key, key);
		log_info("keyhole-registrar %s on UDP port %u, as %s says; its "
			 "key is %s",
			 KEYHOLE_VERSION, (unsigned)conf->iax2.port, file, key);
		on_look(-1, 0, &s);
		notify_ready();
		status = event_base_dispatch(s.base) < 0;
		log_info("stopped");
	}
	done(&s);
	return status;
}
