/* SPDX-License-Identifier: MIT */

#include "proto/openover_local.h"

#include <string.h>

#define PORT_LOW 1024U /* below are the ports of system services */

static bool is_private_v4(const uint8_t ip[4])
{
	return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
	       (ip[0] == 192 && ip[1] == 168) ||
	       (ip[0] == 100 && (ip[1] & 0xc0) == 64);
}

bool oo_addr_is_private(const struct net_addr *a)
{
	if (net_addr_is_v4(a))
		return is_private_v4(a->ip + 12);
	return (a->ip[0] & 0xfe) == 0xfc;
}

bool oo_addr_same_net(const struct net_addr *a, const struct net_addr *b)
{
	return net_addr_is_v4(a) == net_addr_is_v4(b) &&
	       memcmp(a->ip, b->ip, net_addr_net_len(a)) == 0;
}

/* 2000::/3, which is all of it that is in use (RFC 4291 section 2.4). */
static bool is_global_v6(const struct net_addr *a)
{
	return !net_addr_is_v4(a) && (a->ip[0] & 0xe0) == 0x20;
}

static bool is_among(const struct net_addr *list, size_t n,
		     const struct net_addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (net_addr_same_ip(&list[i], a))
			return true;
	}
	return false;
}

void oo_local_tell(const struct net_addr *own, size_t own_n,
		   const struct net_addr *used, size_t used_n,
		   struct oo_candidates *out)
{
	size_t told = 0;

	for (int in_use = 1; in_use >= 0; in_use--) {
		for (size_t i = 0; i < own_n && told < OO_LOCAL_MAX; i++) {
			const struct net_addr *a = &own[i];

			if (is_among(used, used_n, a) != (in_use == 1) ||
			    !(oo_addr_is_private(a) || is_global_v6(a)))
				continue;
			oo_candidate_add(out, OO_CANDIDATE_LOCAL, a);
			told++;
		}
	}
}

void oo_local_keep(const struct oo_candidates *said,
		   const struct net_addr *proved, struct oo_local *out)
{
	out->n = 0;
	for (size_t i = 0; i < said->n && out->n < OO_LOCAL_MAX; i++) {
		const struct net_addr *a = &said->addr[i];

		if (said->type[i] != OO_CANDIDATE_LOCAL ||
		    !(oo_addr_is_private(a) ||
		      (is_global_v6(a) && net_addr_is_set(proved) &&
		       oo_addr_same_net(a, proved))))
			continue;
		out->addr[out->n++] = *a;
	}
}

static bool is_on_link(const struct net_addr *a, const struct net_addr *own,
		       size_t own_n)
{
	for (size_t i = 0; i < own_n; i++) {
		if (is_global_v6(&own[i]) && oo_addr_same_net(a, &own[i]))
			return true;
	}
	return false;
}

static bool is_fit(const struct net_addr *a, const struct net_addr *own,
		   size_t own_n)
{
	if (a->port < PORT_LOW)
		return false;
	for (size_t i = 0; i < own_n; i++) {
		if (net_addr_equal(&own[i], a))
			return false;
	}
	return oo_addr_is_private(a) || is_on_link(a, own, own_n);
}

void oo_local_take(struct oo_candidates *c, const struct net_addr *own,
		   size_t own_n)
{
	const struct oo_candidates all = *c;
	size_t taken = 0;

	c->n = 0;
	for (size_t i = 0; i < all.n; i++) {
		const bool local = all.type[i] == OO_CANDIDATE_LOCAL;

		if (local && (taken == OO_LOCAL_MAX ||
			      !is_fit(&all.addr[i], own, own_n)))
			continue;
		taken += local;
		oo_candidate_add(c, (enum oo_candidate_type)all.type[i],
				 &all.addr[i]);
	}
}
