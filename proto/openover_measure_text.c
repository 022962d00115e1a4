/* SPDX-License-Identifier: MIT */

/* What was measured, in words. */

#include <stdio.h>

#include "proto/openover_measure.h"

const char *oo_mapping_text(enum oo_mapping m)
{
	static const char *const text[] = {
		[OO_MAPPING_UNKNOWN] = "unknown",
		[OO_MAPPING_NONE] = "none",
		[OO_MAPPING_INDEPENDENT] = "endpoint-independent",
		[OO_MAPPING_NOT_PORT] = "not-port-dependent",
		[OO_MAPPING_ADDRESS] = "address-dependent",
		[OO_MAPPING_ADDRESS_PORT] = "address-and-port-dependent",
	};

	return text[m];
}

const char *oo_filtering_text(enum oo_filtering f)
{
	static const char *const text[] = {
		[OO_FILTERING_UNKNOWN] = "unknown",
		[OO_FILTERING_INDEPENDENT] = "endpoint-independent",
		[OO_FILTERING_NOT_PORT] = "not-port-dependent",
		[OO_FILTERING_ADDRESS] = "address-dependent",
		[OO_FILTERING_ADDRESS_PORT] = "address-and-port-dependent",
	};

	return text[f];
}

const char *oo_ipv6_text(enum oo_ipv6 v)
{
	static const char *const text[] = {
		[OO_IPV6_UNKNOWN] = "unknown",
		[OO_IPV6_NONE] = "none",
		[OO_IPV6_FIREWALLED] = "firewalled",
		[OO_IPV6_OPEN] = "open",
	};

	return text[v];
}

static void say_life(const struct oo_measured *m, char *out, size_t cap)
{
	const int f = m->life[OO_V4] != 0 ? OO_V4 : OO_V6;

	if (m->life[f] == 0)
		(void)snprintf(out, cap,
			       "network: how long a hole stays open is not "
			       "known");
	else
		(void)snprintf(out, cap,
			       "network: a hole stays open for %s%u s",
			       m->at_least[f] ? "at least " : "",
			       (unsigned)(m->life[f] / MONO_S));
}

void oo_measured_say(const struct oo_measured *m, char *out, size_t cap)
{
	if (m->failed)
		(void)snprintf(out, cap,
			       "measuring the network came to no end");
	else if (m->living)
		(void)snprintf(
			out, cap, "network: mapping %s, filtering %s, IPv6 %s",
			oo_mapping_text(m->mapping),
			oo_filtering_text(m->filtering), oo_ipv6_text(m->ipv6));
	else
		say_life(m, out, cap);
}
