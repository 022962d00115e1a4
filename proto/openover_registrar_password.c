/* SPDX-License-Identifier: MIT */

/* Plain clients that register by HTTPS: the name, and the secret itself. */

#include "proto/openover_registrar_priv.h"

#include <string.h>

#define MARGIN_US (30 * MONO_S)

/* In a time that says nothing of where they differ, or how long one is. */
static bool is_secret(const struct oo_plain *c, const char *password)
{
	char want[OO_PLAIN_SECRET_MAX + 1] = "";
	char got[OO_PLAIN_SECRET_MAX + 1] = "";
	const size_t len = strlen(password);
	bool same;

	/* Without such a client the work is the same. */
	if (c)
		memcpy(want, c->secret, sizeof(want));
	memcpy(got, password, len < sizeof(got) ? len : sizeof(got) - 1);
	same = key_equal(want, got, sizeof(want));
	key_wipe(want, sizeof(want));
	key_wipe(got, sizeof(got));
	return same && c && len > 0 && len <= OO_PLAIN_SECRET_MAX;
}

static void take(struct oo_registrar *r, struct oo_plain *c,
		 const struct net_addr *from, uint16_t refresh_s, mono_us now)
{
	const struct net_path path = { .peer = *from };

	if (!oo_plain_is_online(c, now))
		registrar_event(r, OO_REG_EV_UP, c->name, from);
	else if (!net_addr_equal(&c->path.peer, from))
		registrar_event(r, OO_REG_EV_MOVED, c->name, from);
	oo_plains_register(r->plains, c, &path,
			   now + refresh_s * MONO_S + MARGIN_US);
	c->posted = now;
	r->n.registered++;
}

enum oo_password oo_registrar_plain_password(struct oo_registrar *r,
					     const char *name,
					     const char *password,
					     const struct net_addr *from,
					     uint16_t refresh_s, mono_us now)
{
	struct oo_plain *c = oo_plains_find(r->plains, name);

	if (!rate_table_has_for(r->auth_failures, from, name, now)) {
		r->n.auth_limited++;
		return OO_PASSWORD_LIMITED;
	}
	if (!is_secret(c, password)) {
		(void)rate_table_take_for(r->auth_failures, from, name, now);
		r->n.refused++;
		r->n.auth_failed++;
		registrar_event(r, OO_REG_EV_REFUSED, name, from);
		return OO_PASSWORD_BAD;
	}
	if (c->posted != 0 && now - c->posted < refresh_s * MONO_S * 2 / 3) {
		r->n.limited++;
		return OO_PASSWORD_SOON;
	}
	take(r, c, from, refresh_s, now);
	return OO_PASSWORD_GOOD;
}
