/* SPDX-License-Identifier: MIT */

/* Sockets for measuring our own network, and the question over TCP that goes
 * with it. */

#include "daemon/app.h"
#include "daemon/io/addr.h"
#include "daemon/io/log.h"

static void on_tcp(void *ctx, const struct net_addr *seen)
{
	struct app *a = ctx;

	if (seen)
		a->tcp_seen = *seen;
	app_doctor_tick(a, loop_now());
}

static void ask_tcp(struct app *a, size_t registrar)
{
	const struct oo_reg *g =
		oo_node_registrar(node_openover(a->node), registrar);

	a->tcp = seen_client_free(a->tcp);
	if (g && g->ends.tcp && net_addr_is_set(&g->hole[OO_V4].registrar))
		a->tcp = seen_client_ask(a->base, &g->hole[OO_V4].registrar,
					 a->conf.iax2.interface, on_tcp, a);
}

static uint16_t open_family(struct app *a, int f, uint16_t *first)
{
	return f == OO_V6 ? udp_extra_open6(a->udp, OO_MEASURE_FLOWS, first)
			  : udp_extra_open(a->udp, OO_MEASURE_FLOWS, first);
}

void app_measure_open(struct app *a, size_t registrar)
{
	struct oo_measure_sockets s = { 0 };

	for (int f = 0; f < OO_FAMILIES; f++) {
		s.of[f].n = open_family(a, f, &s.of[f].first);
		for (uint16_t i = 0; i < s.of[f].n; i++)
			s.of[f].port[i] = udp_extra_port(
				a->udp, (uint16_t)(s.of[f].first + i));
	}
	node_measure_sockets(a->node, &s, loop_now());
	ask_tcp(a, registrar);
}

void app_measure_news(struct app *a)
{
	const struct oo_measured *m = oo_node_measured(node_openover(a->node));
	char text[OO_MEASURED_TEXT_MAX];

	oo_measured_say(m, text, sizeof(text));
	LOG_EVENT(loop_now(), LOG_INFO, "measured", "%s", text);
	app_doctor_tick(a, loop_now());
}
