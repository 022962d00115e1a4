/* SPDX-License-Identifier: MIT */

/* The port that routers open for us, and the order in which things end. */

#include <errno.h>
#include <sodium.h>

#include "daemon/app.h"
#include "daemon/io/addr.h"

static void random_octets(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

void app_end_when_done(struct app *a)
{
	if (a->stopped && portmap_io_released(a->portmap))
		(void)event_base_loopbreak(a->base);
}

static void on_change(void *ctx)
{
	struct app *a = ctx;
	struct net_addr v4, v6;

	(void)portmap_public(a->portmap, &v4, &v6);
	oo_node_mapped(node_openover(a->node), &v4, &v6, loop_now());
	app_pump(a);
	app_end_when_done(a);
}

int app_map_open(struct app *a)
{
	const struct portmap_io_cfg cfg = {
		.use = { [PORTMAP_V4] = a->conf.iax2.bind4[0] != '\0',
			 [PORTMAP_V6] = a->conf.iax2.bind6[0] != '\0' },
		.port = a->conf.iax2.port,
		.lifetime_s = a->conf.map.lifetime_s,
		.interface = a->conf.iax2.interface,
		.random = random_octets,
		.on_change = on_change,
		.ctx = a,
	};

	if (!a->conf.map.enabled)
		return 0;
	a->portmap = portmap_io_new(a->base, &cfg);
	return a->portmap ? 0 : -ENOMEM;
}

static json_t *family_json(const struct app *a, enum portmap_family family)
{
	struct portmap_view v = { .why = "map.enabled is off" };
	char text[NET_ADDR_TEXT];

	if (a->portmap)
		v = portmap_io_view(a->portmap, family);
	if (v.state != PORTMAP_MAPPED && v.state != PORTMAP_PRIVATE)
		return json_pack("{s:s, s:n, s:n, s:i, s:s}", "state",
				 portmap_state_text(v.state), "method",
				 "external", "lifetime_s", 0, "why", v.why);
	return json_pack("{s:s, s:s, s:s, s:I, s:s}", "state",
			 portmap_state_text(v.state), "method",
			 portmap_method_text(v.method), "external",
			 net_addr_format(&v.external, text), "lifetime_s",
			 (json_int_t)v.lifetime_s, "why", v.why);
}

json_t *app_map_json(const struct app *a)
{
	return json_pack("{s:o, s:o}", "ipv4", family_json(a, PORTMAP_V4),
			 "ipv6", family_json(a, PORTMAP_V6));
}
