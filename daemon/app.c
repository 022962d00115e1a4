/* SPDX-License-Identifier: MIT */

#include "daemon/app.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app_fetch.h"
#include "daemon/app_https.h"
#include "daemon/app_stats.h"
#include "daemon/guardian.h"
#include "daemon/io/addr.h"
#include "daemon/io/keyfile.h"
#include "daemon/io/log.h"
#include "daemon/io/notify.h"
#include "proto/iax2_reg.h"

#define BEAT_US 20000U
#define REST_BEAT_US 100000U
#define REST_AFTER 25U /* beats: 0.5 s */
#define WAKE_US 8000U  /* that a radio takes to be back */
#define LOOKUP_AGAIN_S 300
#define LOOKUP_RETRY_S 10

static bool next_tx(void *ctx, struct dgram *out)
{
	return node_next_tx(ctx, out);
}

/* --- the beat ----------------------------------------------------------- */

/* Nobody speaks: neither the sound nor we need to wake 50 times a second. */
static void rest(struct app *a)
{
	a->quiet = 0;
	a->resting = radio_io_rest(a->radio, true);
	if (a->resting)
		loop_beat_set(&a->beat, loop_now() + REST_BEAT_US,
			      REST_BEAT_US);
}

static void rest_when_quiet(struct app *a)
{
	a->quiet = node_rests(a->node) ? a->quiet + 1 : 0;
	if (a->quiet >= REST_AFTER)
		rest(a);
}

/* Beats begin when the first voice may be played, so that none waits for
 * one. */
static void wake_when_needed(struct app *a)
{
	const mono_us now = loop_now();
	mono_us due;

	if (!a->resting || node_rests(a->node))
		return;
	a->resting = false;
	(void)radio_io_rest(a->radio, false);
	due = node_audio_due(a->node, now);
	if (due > now)
		due = now + WAKE_US + (due - now + BEAT_US - WAKE_US) % BEAT_US;
	loop_beat_set(&a->beat, due, BEAT_US);
}

void app_pump(struct app *a)
{
	struct node_event ev;

	/* An event's handler may enter here again. */
	if (a->pumping)
		return;
	a->pumping = true;
	while (node_next_event(a->node, &ev)) {
		app_on_event(a, &ev);
		app_telemetry_event(a, &ev);
		app_commands_event(a, &ev);
	}
	a->pumping = false;
	udp_send(a->udp, next_tx, a->node);
	wake_when_needed(a);
	loop_timer_set(&a->timer, mono_min(node_deadline(a->node),
					   app_control_deadline(a)));
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct app *a = ctx;
	const mono_us now = loop_now();

	(void)fd;
	(void)what;
	node_tick(a->node, now);
	/* Who waits hears what happened before what did not. */
	app_pump(a);
	app_control_tick(a, now);
	app_pump(a);
}

static void on_dgram(void *ctx, const struct dgram *d)
{
	struct app *a = ctx;

	node_rx(a->node, d, loop_now());
}

static void on_batch(void *ctx)
{
	app_pump(ctx);
}

static void on_beat(void *ctx)
{
	struct app *a = ctx;
	const mono_us now = loop_now();
	int16_t rx[AUDIO_BLOCK], tx[AUDIO_BLOCK];
	bool keyed;

	if (a->resting) {
		radio_io_look(a->radio, node_ptt(a->node), now);
		return;
	}
	/* When the loop was kept from running, the voice that came meanwhile is
	 * not late. */
	udp_receive_preferred(a->udp);
	radio_io_receive(a->radio, rx, now);
	keyed = node_audio(a->node, rx, tx, now);
	radio_io_transmit(a->radio, tx, keyed, now);
	app_pump(a);
	rest_when_quiet(a);
}

static void on_radio_inputs(void *ctx, unsigned inputs, uint64_t since)
{
	struct app *a = ctx;

	node_inputs(a->node, inputs, since);
	app_pump(a);
}

static void on_radio_there(void *ctx, bool there)
{
	struct app *a = ctx;

	node_radio_there(a->node, there, loop_now());
	app_pump(a);
}

/* --- registrars --------------------------------------------------------- */

static void look_up(struct app_registrar *r);

static void on_addresses(void *ctx, const struct net_addr *addrs, size_t n,
			 const char *why)
{
	struct app_registrar *r = ctx;
	const struct timeval again = { n > 0 ? LOOKUP_AGAIN_S : LOOKUP_RETRY_S,
				       0 };

	if (n == 0) {
		if (!r->unknown)
			log_warning("registrar: %s; trying again", why);
		app_https_no_address(r->app, r->index);
	} else if (r->unknown) {
		log_info("registrar: the address of %s is known now",
			 r->app->conf.registrars[r->index].host);
	}
	r->unknown = n == 0;
	oo_node_registrar_addresses(node_openover(r->app->node), r->index,
				    addrs, n, loop_now());
	(void)event_add(r->again, &again);
	app_pump(r->app);
}

static void on_look_up(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	look_up(ctx);
}

static void look_up(struct app_registrar *r)
{
	const struct conf_registrar_ref *c = &r->app->conf.registrars[r->index];
	const struct timeval again = { LOOKUP_RETRY_S, 0 };

	if (resolve(r->app->resolver, c->host, c->port, on_addresses, r) != 0)
		(void)event_add(r->again, &again);
}

static int add_registrar(struct app *a, struct app_registrar *r,
			 const struct conf_registrar_ref *c,
			 char why[CONTROL_WHY_MAX])
{
	struct oo_node *oo = node_openover(a->node);
	char secret[IAX2_REG_SECRET_MAX + 2], what[KEYFILE_WHY_MAX];
	enum iax2_err err;
	int failed;

	(void)snprintf(why, CONTROL_WHY_MAX, "registrar %.100s: not possible",
		       c->host);
	if (c->key.set)
		return oo_node_add_registrar(oo, c->key.octets, loop_now(),
					     &r->index) == IAX2_OK
			       ? 0
			       : -EINVAL;
	failed = keyfile_secret(c->secret_file, secret, sizeof(secret), what);
	if (failed != 0) {
		(void)snprintf(why, CONTROL_WHY_MAX, "%s", what);
		return failed;
	}
	err = oo_node_add_plain_registrar(
		oo, c->username[0] ? c->username : a->conf.node.number, secret,
		loop_now(), &r->index);
	key_wipe(secret, sizeof(secret));
	return err == IAX2_OK ? 0 : -EINVAL;
}

static int start_registrars(struct app *a, char why[CONTROL_WHY_MAX])
{
	for (size_t i = 0; i < a->conf.registrars_n; i++) {
		struct app_registrar *r = &a->registrar[i];
		const int err =
			add_registrar(a, r, &a->conf.registrars[i], why);

		r->app = a;
		if (err != 0)
			return err;
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		r->again = event_new(a->base, -1, 0, on_look_up, r);
		if (!r->again)
			return -ENOMEM;
		look_up(r);
	}
	return 0;
}

/* --- signals, watchdog -------------------------------------------------- */

static void on_signal(evutil_socket_t sig, short what, void *ctx)
{
	struct app *a = ctx;
	char why[CONTROL_WHY_MAX];

	(void)what;
	if (sig == SIGHUP) {
		notify_reloading();
		if (app_reload(a, NULL, why) != 0)
			log_error("reload: %s", why);
		app_pump(a);
		notify_ready();
		return;
	}
	if (a->stopping)
		return;
	a->stopping = true;
	log_info("stopping");
	notify_stopping();
	if (a->portmap)
		portmap_io_release(a->portmap);
	node_stop(a->node, loop_now());
	radio_io_key(a->radio, false, loop_now());
	app_pump(a);
}

static void on_watchdog(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
	notify_alive();
}

static int add_timer(struct app *a, struct event **out, event_callback_fn fn,
		     mono_us period)
{
	const struct timeval tv = { (time_t)(period / MONO_S),
				    (suseconds_t)(period % MONO_S) };

	*out = event_new(a->base, -1, EV_PERSIST, fn, a);
	return *out && event_add(*out, &tv) == 0 ? 0 : -ENOMEM;
}

static int start_signals(struct app *a)
{
	static const int sig[APP_SIGNALS] = { SIGTERM, SIGINT, SIGQUIT,
					      SIGHUP };

	for (size_t i = 0; i < APP_SIGNALS; i++) {
		a->signals[i] = evsignal_new(a->base, sig[i], on_signal, a);
		if (!a->signals[i] || event_add(a->signals[i], NULL) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* --- start and end ------------------------------------------------------ */

/* It may open and have something to say all the same. */
static int start_control(struct app *a, char why[CONTROL_WHY_MAX])
{
	int err;

	why[0] = '\0';
	err = app_control_open(a, why);
	if (err == 0 && why[0] != '\0')
		log_warning("%s", why);
	return err;
}

static int start_io(struct app *a, char why[CONTROL_WHY_MAX])
{
	const struct udp_cfg udp = {
		.bind4 = a->conf.iax2.bind4,
		.bind6 = a->conf.iax2.bind6,
		.port = a->conf.iax2.port,
		.interface = a->conf.iax2.interface,
		.stamps = true,
		.on_interface = app_net_interface,
		.on_dgram = on_dgram,
		.on_batch = on_batch,
		.ctx = a,
	};
	const struct radio_io_calls radio = {
		.inputs = on_radio_inputs,
		.there = on_radio_there,
		.kept = app_levels_kept,
		.ctx = a,
	};
	const mono_us watchdog = notify_watchdog_period();
	int err = udp_open(&a->udp, a->base, &udp, why);

	if (err == 0 && why[0] != '\0')
		log_warning("%s", why);
	if (err == 0)
		err = radio_io_open(&a->radio, a->base, &a->conf, &radio, why);
	if (err == 0)
		err = start_control(a, why);
	if (err != 0)
		return err;
	(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
	a->resolver = resolver_new(a->base);
	if (!a->resolver || app_lookup_open(a) != 0 || start_signals(a) != 0 ||
	    loop_timer_init(&a->timer, a->base, on_timer, a) != 0 ||
	    loop_beat_init(&a->beat, a->base, BEAT_US, on_beat, a) != 0 ||
	    (watchdog != MONO_NEVER &&
	     add_timer(a, &a->watchdog, on_watchdog, watchdog) != 0) ||
	    app_map_open(a) != 0 || app_net_open(a) != 0 ||
	    app_stats_open(a) != 0 || app_fetch_open(a) != 0)
		return -ENOMEM;
	rest(a);
	return 0;
}

static int start(struct app *a, char why[CONTROL_WHY_MAX])
{
	struct node_cfg cfg;
	int err = keyfile_load(a->conf.node.key_file, &a->id, why);

	if (err != 0)
		return err;
	app_sounds_load(&a->sounds, a->conf.telemetry.sounds);
	err = app_conf_build(a, &a->conf, &cfg, why);
	if (err != 0)
		return err;
	a->base = loop_base_new();
	if (!a->base || log_attach(a->base) != 0) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	a->node = node_new(&cfg, loop_now());
	if (a->node)
		a->dialled =
			calloc(node_links_max(a->node), sizeof(a->dialled[0]));
	if (!a->dialled) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	app_commands_configure(a);
	a->hooks = hooks_new(a->base);
	if (!a->hooks) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	hooks_configure(a->hooks, a->conf.hooks.program,
			a->conf.hooks.timeout_s);
	err = start_io(a, why);
	if (err != 0)
		return err;
	app_net_start(a);
	err = app_accept_open(a, why);
	if (err == 0)
		err = start_registrars(a, why);
	if (err == 0)
		err = app_https_open(a, why);
	if (err == 0 && app_permanent_open(a) != 0) {
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

static void done(struct app *a)
{
	/* The transmitter first, whatever else there is. */
	a->radio = radio_io_close(a->radio, loop_now());
	if (a->beat.ev)
		loop_beat_done(&a->beat);
	a->https = app_https_close(a->https);
	a->stats = app_stats_close(a->stats);
	a->fetch = app_fetch_close(a->fetch);
	a->control = control_close(a->control);
	a->portmap = portmap_io_free(a->portmap);
	a->accept = app_accept_close(a->accept);
	a->permanent = app_permanent_close(a->permanent);
	a->numbers = lookup_io_free(a->numbers);
	a->resolver = resolver_free(a->resolver);
	for (size_t i = 0; i < CONF_REGISTRARS_MAX; i++)
		free_event(a->registrar[i].again);
	for (size_t i = 0; i < APP_SIGNALS; i++)
		free_event(a->signals[i]);
	a->hooks = hooks_free(a->hooks);
	app_net_close(a);
	free_event(a->watchdog);
	loop_timer_done(&a->timer);
	a->tcp = seen_client_free(a->tcp);
	a->udp = udp_close(a->udp);
	a->node = node_free(a->node);
	free(a->dialled);
	app_sounds_free(&a->sounds);
	log_detach();
	if (a->base)
		event_base_free(a->base);
	app_conf_free(&a->lists);
	conf_node_free(&a->conf);
	key_wipe(&a->id, sizeof(a->id));
}

static int load(struct app *a)
{
	struct conf_diags diags = { 0 };
	const int err = conf_load_node(a->conf_file, &a->conf, &diags);

	conf_diags_print(&diags, a->conf_file, stderr);
	conf_diags_free(&diags);
	return err;
}

int app_run(const char *conf_file)
{
	struct app *a = calloc(1, sizeof(*a));
	char why[CONTROL_WHY_MAX] = "";
	int status = 1;

	if (!a)
		return 1;
	a->conf_file = conf_file;
	keyfile_hide_memory();
	if (load(a) != 0) {
		free(a);
		return 1;
	}
	if (a->conf.radio.type != CONF_RADIO_CM108)
		guardian_end(); /* nothing to guard */
	log_init((enum log_level)a->conf.log.level);
	log_node(a->conf.node.number);
	a->started = loop_now();
	if (start(a, why) != 0) {
		log_error("%s", why);
	} else {
		log_info("keyholed %s: node %s on UDP port %u, as %s says",
			 KEYHOLE_VERSION, a->conf.node.number,
			 (unsigned)a->conf.iax2.port, conf_file);
		notify_ready();
		app_pump(a);
		status = event_base_dispatch(a->base) < 0;
		log_info("stopped");
	}
	done(a);
	free(a);
	return status;
}
