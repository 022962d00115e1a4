/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/ends.h"

#include <errno.h>
#include <string.h>

#include "daemon/io/addr.h"
#include "daemon/io/log.h"

#define PORT_NEXT 1U /* measure.port: the one after iax2.port */

/* A machine without IPv6 is no fault, as for calls. */
static bool is_no_fault(int err, const struct net_addr *at)
{
	return err == -EAFNOSUPPORT && !net_addr_is_v4(at);
}

static uint16_t listen_at(struct udp *udp, const struct net_addr *at)
{
	char text[NET_ADDR_TEXT];
	uint16_t sock;
	const int err = udp_extra_listen(udp, at, &sock);

	if (err == 0)
		return sock;
	if (!is_no_fault(err, at))
		log_warning("measuring: cannot open UDP %s: %s",
			    net_addr_format(at, text), strerror(-err));
	return 0;
}

static bool is_any(const struct net_addr *a)
{
	static const uint8_t none[16] = { 0 };
	const size_t from = net_addr_is_v4(a) ? 12 : 0;

	return memcmp(a->ip + from, none, sizeof(none) - from) == 0;
}

static void open_tcp(struct ends *e, int f, struct event_base *base,
		     const struct net_addr *at, const char *interface)
{
	char text[NET_ADDR_TEXT];
	const int err = seen_server_open(&e->tcp[f], base, at, interface);

	if (err != 0 && !is_no_fault(err, at))
		log_warning("measuring: cannot open TCP %s: %s",
			    net_addr_format(at, text), strerror(-err));
}

/* A socket for all addresses serves the other one too. */
static void open_other(struct udp *udp, const struct conf_registrar *conf,
		       uint16_t port, const struct net_addr *bind4,
		       struct oo_measure_ends *out)
{
	struct net_addr at;

	if (!net_addr_parse(conf->measure.address, port, &at))
		return;
	out->other = is_any(bind4) ? out->port[OO_V4] : listen_at(udp, &at);
	if (out->other != 0)
		out->told.other = at;
}

void ends_open(struct ends *e, struct udp *udp, struct event_base *base,
	       const struct conf_registrar *conf, struct oo_measure_ends *out)
{
	const char *const bind[OO_FAMILIES] = {
		[OO_V4] = conf->iax2.bind4, [OO_V6] = conf->iax2.bind6
	};
	const uint16_t port =
		(uint16_t)(conf->measure.port == PORT_NEXT
				   ? (conf->iax2.port % 65535U) + 1U
				   : conf->measure.port);

	memset(out, 0, sizeof(*out));
	for (int f = 0; f < OO_FAMILIES && port != 0; f++) {
		struct net_addr at;

		if (!net_addr_parse(bind[f], (uint16_t)conf->iax2.port, &at))
			continue;
		if (conf->measure.tcp)
			open_tcp(e, f, base, &at, conf->iax2.interface);
		at.port = port;
		out->port[f] = listen_at(udp, &at);
		if (f == OO_V4 && out->port[f] != 0)
			open_other(udp, conf, port, &at, out);
	}
	if (out->port[OO_V4] != 0 || out->port[OO_V6] != 0)
		out->told.port = port;
	out->told.tcp = e->tcp[OO_V4] != NULL;
}

void ends_close(struct ends *e)
{
	for (int f = 0; f < OO_FAMILIES; f++)
		e->tcp[f] = seen_server_close(e->tcp[f]);
}
