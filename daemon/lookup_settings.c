/* SPDX-License-Identifier: MIT */

#include "daemon/lookup_settings.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(LOOKUP_NAME_MAX >= CONF_HOST_MAX, "names");
_Static_assert(LOOKUP_DIGITS >= CONF_NUMBER_MAX, "numbers");

static void system_random(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

static void fill_order(struct lookup_cfg *cfg, const struct conf_node *conf)
{
	static const enum lookup_source usual[CONF_LOOKUPS] = {
		[CONF_LOOKUP_NODES] = LOOKUP_NODES,
		[CONF_LOOKUP_DNS] = LOOKUP_DNS,
		[CONF_LOOKUP_EXTNODES] = LOOKUP_EXTNODES,
		[CONF_LOOKUP_REGISTRAR] = LOOKUP_REGISTRAR,
	};

	cfg->order_n = conf->lookup.order_n;
	for (size_t i = 0; i < cfg->order_n; i++)
		cfg->order[i] = usual[conf->lookup.order[i]];
	if (cfg->order_n > 0)
		return;
	memcpy(cfg->order, usual, sizeof(usual));
	cfg->order_n = LOOKUP_SOURCES;
}

static bool opens_paths(const struct conf_node *conf)
{
	for (size_t i = 0; i < conf->registrars_n; i++) {
		if (conf->registrars[i].key.set)
			return true;
	}
	return false;
}

struct lookup_settings *lookup_settings_free(struct lookup_settings *m)
{
	if (m)
		free(m->nodes);
	free(m);
	return NULL;
}

static void fill(struct lookup_settings *m, const struct conf_node *conf)
{
	for (size_t i = 0; i < conf->peers_n; i++) {
		const struct conf_peer *p = &conf->peers[i];

		memcpy(m->nodes[i].pattern, p->number, sizeof(p->number));
		memcpy(m->nodes[i].host, p->host, sizeof(p->host));
		m->nodes[i].port = p->port;
	}
	memcpy(m->domain, conf->lookup.domain, sizeof(m->domain));
	memcpy(m->extnodes, conf->lookup.extnodes, sizeof(m->extnodes));
	m->cfg = (struct lookup_cfg){
		.nodes = m->nodes,
		.nodes_n = conf->peers_n,
		.domain = m->domain,
		.dns_digits_min = conf->lookup.digits_min,
		.dns_digits_max = conf->lookup.digits_max,
		.extnodes = m->extnodes[0] != '\0',
		.registrar = opens_paths(conf),
		.random = system_random,
	};
	fill_order(&m->cfg, conf);
}

struct lookup_settings *lookup_settings_new(const struct conf_node *conf)
{
	struct lookup_settings *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->nodes = calloc(conf->peers_n + 1, sizeof(m->nodes[0]));
	if (!m->nodes)
		return lookup_settings_free(m);
	fill(m, conf);
	return m;
}
