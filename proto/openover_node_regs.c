/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "proto/openover_node_priv.h"

#define ASKING_US (300 * MONO_MS)

static size_t enlist(struct oo_node *n, bool plain, size_t at)
{
	n->list[n->list_n].plain = plain;
	n->list[n->list_n].at = at;
	return n->list_n++;
}

enum iax2_err oo_node_add_registrar(struct oo_node *n,
				    const uint8_t key[KEY_PUBLIC_LEN],
				    mono_us now, size_t *index)
{
	struct oo_reg_cfg c = {
		.identity = &n->id,
		.number = n->number,
		.keepalive = n->cfg.keepalive,
		.random = n->cfg.random,
		.random_ctx = n->cfg.random_ctx,
		.tx = n->tx,
	};

	if (n->list_n == OO_REGISTRARS_MAX)
		return IAX2_E_FULL;
	memcpy(c.registrar_key, key, KEY_PUBLIC_LEN);
	oo_reg_init(&n->regs[n->regs_n], &c, now);
	*index = enlist(n, false, n->regs_n);
	n->place[n->regs_n++] = *index;
	return IAX2_OK;
}

enum iax2_err oo_node_add_plain_registrar(struct oo_node *n,
					  const char *username,
					  const char *secret, mono_us now,
					  size_t *index)
{
	const struct iax2_reg_cfg c = {
		.username = username,
		.secret = secret,
		.random = n->cfg.random,
		.random_ctx = n->cfg.random_ctx,
		.tx = n->tx,
	};

	if (n->list_n == OO_REGISTRARS_MAX)
		return IAX2_E_FULL;
	if (!iax2_reg_init(&n->plain[n->plain_n], &c, now))
		return IAX2_E_RANGE;
	*index = enlist(n, true, n->plain_n);
	n->plain_place[n->plain_n++] = *index;
	return IAX2_OK;
}

void oo_node_registrar_addresses(struct oo_node *n, size_t index,
				 const struct net_addr *addrs, size_t count,
				 mono_us now)
{
	if (index >= n->list_n)
		return;
	if (n->list[index].plain)
		iax2_reg_addresses(&n->plain[n->list[index].at], addrs, count,
				   now);
	else
		oo_reg_addresses(&n->regs[n->list[index].at], addrs, count,
				 now);
}

void oo_node_registrar_hold(struct oo_node *n, size_t index, bool hold,
			    mono_us now)
{
	struct iax2_reg *g;

	if (index >= n->list_n || !n->list[index].plain)
		return;
	g = &n->plain[n->list[index].at];
	if (hold)
		iax2_reg_hold(g);
	else
		iax2_reg_resume(g, now);
}

const struct oo_reg *oo_node_registrar(const struct oo_node *n, size_t index)
{
	if (index >= n->list_n || n->list[index].plain)
		return NULL;
	return &n->regs[n->list[index].at];
}

static enum oo_registrar_fault plain_fault(enum iax2_reg_trouble t)
{
	static const enum oo_registrar_fault fault[] = {
		[IAX2_REG_OK] = OO_REGISTRAR_FAULT_NONE,
		[IAX2_REG_SILENT] = OO_REGISTRAR_FAULT_SILENT,
		[IAX2_REG_REFUSED] = OO_REGISTRAR_FAULT_REFUSED,
		[IAX2_REG_NO_METHOD] = OO_REGISTRAR_FAULT_METHOD,
		[IAX2_REG_INVALID] = OO_REGISTRAR_FAULT_NONE,
	};

	return fault[t];
}

static enum oo_registrar_fault own_fault(enum oo_reg_trouble t)
{
	static const enum oo_registrar_fault fault[] = {
		[OO_TROUBLE_NONE] = OO_REGISTRAR_FAULT_NONE,
		[OO_TROUBLE_SILENT] = OO_REGISTRAR_FAULT_SILENT,
		[OO_TROUBLE_REFUSED] = OO_REGISTRAR_FAULT_REFUSED,
		[OO_TROUBLE_FORGED] = OO_REGISTRAR_FAULT_FORGED,
		[OO_TROUBLE_LOST] = OO_REGISTRAR_FAULT_SILENT,
	};

	return fault[t];
}

static void view_plain(const struct iax2_reg *g, struct oo_registrar_view *v)
{
	v->plain = true;
	v->fault = plain_fault(g->trouble);
	v->up = iax2_reg_is_up(g);
	v->state = v->up ? "registered" : iax2_reg_state_text(g->state);
	v->apparent = g->apparent;
	if (net_addr_is_v4(&g->apparent))
		v->apparent4 = g->apparent;
	else
		v->apparent6 = g->apparent;
	if (g->addrs_n > 0)
		v->server[oo_family_of(&g->addrs[g->cur])] = g->addrs[g->cur];
	v->rtt_us = g->rtt_us;
	v->last_ok = g->last_ok;
	(void)snprintf(v->why, sizeof(v->why), "%s%s%s",
		       iax2_reg_trouble_text(g->trouble),
		       g->trouble == IAX2_REG_REFUSED && g->cause[0] ? ": "
								     : "",
		       g->trouble == IAX2_REG_REFUSED ? g->cause : "");
}

static void view_own(const struct oo_reg *g, struct oo_registrar_view *v)
{
	const struct oo_hole *h = &g->hole[oo_reg_best_family(g)];

	v->up = oo_reg_is_up(g);
	v->fault = own_fault(g->trouble);
	v->state = v->up ? "registered" : oo_reg_state_text(g->state);
	v->apparent = h->apparent;
	for (int f = 0; f < OO_FAMILIES; f++)
		v->server[f] = g->hole[f].registrar;
	v->apparent4 = g->hole[OO_V4].apparent;
	v->apparent6 = g->hole[OO_V6].apparent;
	v->rtt_us = h->rtt_us;
	v->last_ok = h->last_ok;
	(void)snprintf(v->why, sizeof(v->why), "%s",
		       oo_reg_trouble_text(g->trouble));
}

bool oo_node_registrar_view(const struct oo_node *n, size_t index,
			    struct oo_registrar_view *out)
{
	if (index >= n->list_n)
		return false;
	memset(out, 0, sizeof(*out));
	if (n->list[index].plain)
		view_plain(&n->plain[n->list[index].at], out);
	else
		view_own(&n->regs[n->list[index].at], out);
	return true;
}

/* One of its PINGs is under way and may yet be answered. */
static bool is_asking(const struct oo_reg *g, mono_us now)
{
	for (int f = 0; f < OO_FAMILIES; f++) {
		if (g->hole[f].sent_at != 0 &&
		    now - g->hole[f].sent_at < ASKING_US)
			return true;
	}
	return false;
}

void oo_node_ping(struct oo_node *n, mono_us now)
{
	for (size_t i = 0; i < n->regs_n; i++) {
		if (!is_asking(&n->regs[i], now))
			oo_reg_ping(&n->regs[i], now);
	}
}
