/* SPDX-License-Identifier: MIT */

/* Our own addresses and the way out, as they change. */

#include <errno.h>
#include <string.h>

#include "daemon/app.h"
#include "daemon/app_https.h"
#include "daemon/io/log.h"

#define LOOK_S 5 /* between looks that nobody asked for */

enum {
	WHY_ROUTED = 1,    /* the way out may be another one */
	WHY_INTERFACE = 2, /* the interface came or went */
};

_Static_assert((int)NETLOOK_V4 == (int)PORTMAP_V4 &&
		       (int)NETLOOK_V6 == (int)PORTMAP_V6,
	       "both say the same of an array");

/* True when they are others than before. */
static bool take_own_addresses(struct app *a, const struct netlook_view *v)
{
	const size_t size = v->own_n * sizeof(v->own[0]);

	if (v->own_n == a->own_n && memcmp(v->own, a->own, size) == 0)
		return false;
	memcpy(a->own, v->own, size);
	a->own_n = v->own_n;
	oo_node_own_addresses(node_openover(a->node), v->own, v->own_n);
	return true;
}

static void on_view(void *ctx, const struct netlook_view *v, unsigned why)
{
	struct app *a = ctx;
	const bool other = take_own_addresses(a, v);

	/* Another router may have come behind the same addresses. */
	if (a->portmap)
		portmap_io_look(a->portmap, v->gateway);
	if (!other && why == 0)
		return;
	/* Of an interface the reason was said. */
	if (!(why & WHY_INTERFACE))
		LOG_EVENT(loop_now(), LOG_INFO, "network",
			  "this machine's %s changed",
			  why & WHY_ROUTED ? "way out" : "addresses");
	node_network_changed(a->node, loop_now());
	app_https_network_changed(a);
	app_pump(a);
}

/* With a default route the way out may be another one, also from the same
 * addresses. */
static void on_netwatch(void *ctx, bool routed)
{
	struct app *a = ctx;

	netlook_ask(a->netlook, routed ? WHY_ROUTED : 0);
}

/* Also when it came back with the addresses that it had. */
void app_net_interface(void *ctx, const char *why)
{
	struct app *a = ctx;

	if (why)
		log_warning("%s", why);
	else
		log_info("interface %s is in use", a->conf.iax2.interface);
	if (a->netlook)
		netlook_ask(a->netlook, WHY_INTERFACE);
}

static void on_time(evutil_socket_t fd, short what, void *ctx)
{
	struct app *a = ctx;

	(void)fd;
	(void)what;
	netlook_ask(a->netlook, 0);
}

static struct netlook_cfg cfg_of(struct app *a)
{
	return (struct netlook_cfg){
		.port = a->conf.iax2.port,
		.interface = a->conf.iax2.interface,
		.gateways = a->portmap != NULL,
		.on_view = on_view,
		.ctx = a,
	};
}

int app_net_open(struct app *a)
{
	static const struct timeval every = { LOOK_S, 0 };
	const struct netlook_cfg cfg = cfg_of(a);

	a->netlook = netlook_new(a->base, &cfg);
	a->addresses = event_new(a->base, -1, EV_PERSIST, on_time, a);
	return a->netlook && a->addresses &&
			       event_add(a->addresses, &every) == 0
		       ? 0
		       : -ENOMEM;
}

void app_net_start(struct app *a)
{
	const struct netlook_cfg cfg = cfg_of(a);
	struct netlook_view v;
	int err;

	netlook_read(&cfg, &v);
	(void)take_own_addresses(a, &v);
	if (a->portmap)
		portmap_io_look(a->portmap, v.gateway);
	err = netwatch_open(&a->netwatch, a->base, on_netwatch, a);
	if (err != 0)
		log_warning("changes of the network are noticed late: %s",
			    strerror(-err));
}

void app_net_close(struct app *a)
{
	a->netwatch = netwatch_close(a->netwatch);
	a->netlook = netlook_free(a->netlook);
	if (a->addresses)
		event_free(a->addresses);
}
