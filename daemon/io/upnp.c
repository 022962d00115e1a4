/* SPDX-License-Identifier: MIT */

#include "daemon/io/upnp.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/addr.h"

#define SEARCH_MS 1000
#define SEARCH_TTL 2
#define HOST_MAX 64
#define NUMBER_MAX 16
#define PORTS_TRIED 4U
#define PROTOCOL_UDP "17"
#define ANY_HOST "empty" /* libminiupnpc's word for it */

enum upnp_error {
	UPNP_ACTION_FAILED = 501,
	UPNP_NOT_AUTHORIZED = 606,
	UPNP_CONFLICT = 718,
	UPNP_PERMANENT_ONLY = 725,
	UPNP_NO_ROOM = 728,
	UPNP_OTHER_MECHANISM = 729,
};

struct igd {
	bool found;
	struct UPNPUrls urls;
	struct IGDdatas data;
	char pinhole[8];
};

struct upnp {
	struct igd igd[2]; /* IPv4, IPv6 */
};

struct upnp *upnp_new(void)
{
	return calloc(1, sizeof(struct upnp));
}

static void forget(struct igd *g)
{
	if (g->found)
		FreeUPNPUrls(&g->urls);
	memset(g, 0, sizeof(*g));
}

void upnp_free(struct upnp *u)
{
	forget(&u->igd[0]);
	forget(&u->igd[1]);
	free(u);
}

static const char *error_text(int error)
{
	switch (error) {
	case UPNP_NOT_AUTHORIZED:
		return "the router does not permit it";
	case UPNP_CONFLICT:
	case UPNP_OTHER_MECHANISM:
		return "the port is taken";
	case UPNP_NO_ROOM:
		return "the router has no room for it";
	case UPNP_ACTION_FAILED:
		return "the router could not do it";
	case UPNPCOMMAND_HTTP_ERROR:
		return "the router does not answer";
	default:
		return "the router refuses";
	}
}

/* --- finding it --------------------------------------------------------- */

/* The host of "http://HOST:PORT/..." or "http://[HOST%25SCOPE]:PORT/...". */
static bool url_host(const char *url, struct net_addr *out)
{
	static const char scheme[] = "http://";
	char host[HOST_MAX];
	size_t n;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return false;
	url += sizeof(scheme) - 1;
	if (*url == '[')
		n = strcspn(++url, "%]");
	else
		n = strcspn(url, ":/");
	if (n >= sizeof(host))
		return false;
	memcpy(host, url, n);
	host[n] = '\0';
	return net_addr_parse(host, 0, out);
}

/* An IPv6 gateway is known by its link-local address, and may speak from the
 * one that it has in our network. */
static bool is_gateway(const struct net_addr *host,
		       const struct portmap_upnp_job *job)
{
	if (net_addr_same_ip(host, &job->gateway))
		return true;
	return !net_addr_is_v4(&job->gateway) &&
	       memcmp(host->ip, job->own.ip, 8) == 0;
}

static bool serves(const struct igd *g, bool v4)
{
	const char *url = v4 ? g->urls.controlURL : g->urls.controlURL_6FC;
	const char *service =
		v4 ? g->data.first.servicetype : g->data.IPv6FC.servicetype;

	return url && url[0] != '\0' && service[0] != '\0';
}

/* Its services' addresses are its own too, or it could point us anywhere. */
static bool is_its_own(const struct igd *g, bool v4,
		       const struct portmap_upnp_job *job)
{
	const char *url = v4 ? g->urls.controlURL : g->urls.controlURL_6FC;
	struct net_addr host;

	return url_host(url, &host) && is_gateway(&host, job);
}

static bool try_device(struct igd *g, const struct UPNPDev *dev,
		       const struct portmap_upnp_job *job)
{
	const bool v4 = net_addr_is_v4(&job->own);
	struct net_addr host;
	char lan[HOST_MAX];

	if (!url_host(dev->descURL, &host) || !is_gateway(&host, job) ||
	    !UPNP_GetIGDFromUrl(dev->descURL, &g->urls, &g->data, lan,
				sizeof(lan)))
		return false;
	g->found = true;
	if (serves(g, v4) && is_its_own(g, v4, job))
		return true;
	forget(g);
	return false;
}

/* The text of an address without its port. */
static void ip_text(const struct net_addr *a, char out[INET6_ADDRSTRLEN])
{
	if (net_addr_is_v4(a))
		inet_ntop(AF_INET, a->ip + 12, out, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, a->ip, out, INET6_ADDRSTRLEN);
}

static bool find(struct igd *g, const struct upnp_task *t)
{
	const struct portmap_upnp_job *job = &t->job;
	const bool v4 = net_addr_is_v4(&job->own);
	char from[INET6_ADDRSTRLEN], device[IF_NAMESIZE];
	struct UPNPDev *all;
	int err = 0;

	forget(g);
	ip_text(&job->own, from);
	/* By IPv6 it takes an interface's name. */
	all = upnpDiscover(SEARCH_MS,
			   v4 ? from : if_indextoname(t->device, device), NULL,
			   UPNP_LOCAL_PORT_ANY, !v4, SEARCH_TTL, &err);
	for (const struct UPNPDev *d = all; d && !g->found; d = d->pNext)
		(void)try_device(g, d, job);
	freeUPNPDevlist(all);
	return g->found;
}

/* --- IPv4: a mapping ---------------------------------------------------- */

struct want {
	char own[INET6_ADDRSTRLEN];
	char port[NUMBER_MAX];
	char life[NUMBER_MAX];
};

static void want_of(struct want *w, const struct portmap_upnp_job *job)
{
	ip_text(&job->own, w->own);
	(void)snprintf(w->port, sizeof(w->port), "%u", (unsigned)job->own.port);
	(void)snprintf(w->life, sizeof(w->life), "%" PRIu32, job->lifetime_s);
}

static int add(const struct igd *g, struct want *w, uint16_t port)
{
	char external[NUMBER_MAX];
	int err;

	(void)snprintf(external, sizeof(external), "%u", (unsigned)port);
	err = UPNP_AddPortMapping(g->urls.controlURL, g->data.first.servicetype,
				  external, w->port, w->own, "keyhole", "UDP",
				  NULL, w->life);
	if (err != UPNP_PERMANENT_ONLY)
		return err;
	(void)snprintf(w->life, sizeof(w->life), "0");
	return UPNP_AddPortMapping(g->urls.controlURL,
				   g->data.first.servicetype, external, w->port,
				   w->own, "keyhole", "UDP", NULL, w->life);
}

/* IGD:2 finds a free port itself. */
static int add_any(const struct igd *g, const struct want *w, uint16_t *port)
{
	char reserved[NUMBER_MAX] = "";
	int err = UPNP_AddAnyPortMapping(
		g->urls.controlURL, g->data.first.servicetype, w->port, w->port,
		w->own, "keyhole", "UDP", NULL, w->life, reserved);

	if (err == UPNPCOMMAND_SUCCESS && !net_port_parse(reserved, port))
		err = UPNPCOMMAND_INVALID_RESPONSE;
	return err;
}

static int add_some(const struct igd *g, struct want *w,
		    const struct portmap_upnp_job *job, uint16_t *port)
{
	const char *service = g->data.first.servicetype;
	int err = UPNP_CONFLICT;

	*port = job->external.port;
	if (*port != 0)
		return add(g, w, *port);
	if (strstr(service, ":WANIPConnection:2") &&
	    add_any(g, w, port) == UPNPCOMMAND_SUCCESS)
		return UPNPCOMMAND_SUCCESS;
	for (unsigned i = 0; i < PORTS_TRIED && err == UPNP_CONFLICT; i++) {
		/* Not below 1024 again. */
		*port = (uint16_t)(job->own.port + i);
		if (*port < 1024 && i > 0)
			*port = (uint16_t)(*port + 1024);
		err = add(g, w, *port);
	}
	return err;
}

static void map4(struct igd *g, struct upnp_task *t)
{
	struct portmap_upnp_result *r = &t->result;
	char external[NUMBER_MAX + 1] = "";
	struct want w;
	uint16_t port;
	int err;

	want_of(&w, &t->job);
	err = UPNP_GetExternalIPAddress(g->urls.controlURL,
					g->data.first.servicetype, external);
	if (err != UPNPCOMMAND_SUCCESS ||
	    !net_addr_parse(external, 0, &r->external) ||
	    !net_addr_is_v4(&r->external) || strcmp(external, "0.0.0.0") == 0) {
		r->why = err == UPNPCOMMAND_HTTP_ERROR
				 ? error_text(err)
				 : "the router has no address outside";
		return;
	}
	err = add_some(g, &w, &t->job, &port);
	if (err != UPNPCOMMAND_SUCCESS) {
		r->why = error_text(err);
		return;
	}
	r->ok = true;
	r->external.port = port;
	r->lifetime_s = (uint32_t)strtoul(w.life, NULL, 10);
}

static void unmap4(const struct igd *g, const struct portmap_upnp_job *job)
{
	char external[NUMBER_MAX];

	(void)snprintf(external, sizeof(external), "%u",
		       (unsigned)job->external.port);
	(void)UPNP_DeletePortMapping(g->urls.controlURL,
				     g->data.first.servicetype, external, "UDP",
				     NULL);
}

/* --- IPv6: a pinhole ---------------------------------------------------- */

static void map6(struct igd *g, struct upnp_task *t)
{
	const char *service = g->data.IPv6FC.servicetype;
	struct portmap_upnp_result *r = &t->result;
	struct want w;
	int err = UPNPCOMMAND_UNKNOWN_ERROR;

	want_of(&w, &t->job);
	if (g->pinhole[0] != '\0')
		err = UPNP_UpdatePinhole(g->urls.controlURL_6FC, service,
					 g->pinhole, w.life);
	if (err != UPNPCOMMAND_SUCCESS)
		err = UPNP_AddPinhole(g->urls.controlURL_6FC, service, ANY_HOST,
				      "0", w.own, w.port, PROTOCOL_UDP, w.life,
				      g->pinhole);
	if (err != UPNPCOMMAND_SUCCESS) {
		g->pinhole[0] = '\0';
		r->why = error_text(err);
		return;
	}
	r->ok = true;
	r->external = t->job.own;
	r->lifetime_s = t->job.lifetime_s;
}

static void unmap6(struct igd *g)
{
	if (g->pinhole[0] != '\0')
		(void)UPNP_DeletePinhole(g->urls.controlURL_6FC,
					 g->data.IPv6FC.servicetype,
					 g->pinhole);
	g->pinhole[0] = '\0';
}

void upnp_do(struct upnp *u, struct upnp_task *task)
{
	const bool v4 = net_addr_is_v4(&task->job.own);
	struct igd *g = &u->igd[!v4];

	task->result = (struct portmap_upnp_result){ .why = "" };
	if (task->job.kind == PORTMAP_UPNP_FIND) {
		task->result.ok = find(g, task);
		if (!task->result.ok)
			task->result.why = "the router offers no UPnP";
		return;
	}
	if (!g->found) {
		task->result.why = "the router offers no UPnP";
	} else if (task->job.kind == PORTMAP_UPNP_MAP) {
		(v4 ? map4 : map6)(g, task);
	} else {
		task->result.ok = true;
		if (v4)
			unmap4(g, &task->job);
		else
			unmap6(g);
	}
}
