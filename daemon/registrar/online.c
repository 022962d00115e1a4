/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/online.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "[extnodes]\n"
/* NUMBER=radio@ADDRESS:PORT/NUMBER,ADDRESS */
#define LINE_MAX (2 * (OO_PLAIN_NAME_MAX + INET_ADDRSTRLEN) + 24U)

static bool is_number(const char *name)
{
	return name[0] != '\0' && strspn(name, "0123456789") == strlen(name);
}

static bool node_addr(const struct oo_registrar *r, const struct oo_record *rec,
		      mono_us now, struct net_addr *out)
{
	if (rec->number[0] == '\0' || !oo_registrar_is_online(r, rec, now) ||
	    !net_addr_is_set(&rec->path[OO_V4].peer))
		return false;
	*out = rec->path[OO_V4].peer;
	/* That one is open to all. */
	if (rec->mapped4 != 0)
		out->port = rec->mapped4;
	return true;
}

static bool plain_addr(const struct oo_plain *c, mono_us now,
		       struct net_addr *out)
{
	*out = c->path.peer;
	return is_number(c->name) && oo_plain_is_online(c, now) &&
	       net_addr_is_v4(out);
}

bool online_find(struct oo_registrar *r, const char *number, mono_us now,
		 struct net_addr *out)
{
	const struct oo_record *rec =
		oo_directory_by_number(oo_registrar_directory(r), number);
	const struct oo_plain *c;

	if (rec)
		return node_addr(r, rec, now, out);
	c = oo_plains_find(oo_registrar_plains(r), number);
	return c && plain_addr(c, now, out);
}

/* --- the list ----------------------------------------------------------- */

struct list {
	char *text;
	size_t len;
	size_t cap;
	size_t n;
};

static bool add(struct list *l, const char *number, const struct net_addr *a)
{
	char ip[INET_ADDRSTRLEN] = "";

	if (l->cap - l->len < LINE_MAX) {
		const size_t cap = l->cap * 2;
		char *text = realloc(l->text, cap);

		if (!text)
			return false;
		l->text = text;
		l->cap = cap;
	}
	(void)inet_ntop(AF_INET, &a->ip[12], ip, sizeof(ip));
	l->len += (size_t)snprintf(l->text + l->len, l->cap - l->len,
				   "%s=radio@%s:%u/%s,%s\n", number, ip,
				   (unsigned)a->port, number, ip);
	return ++l->n < ONLINE_LIST_MAX;
}

static void add_all(struct list *l, struct oo_registrar *r, mono_us now)
{
	const struct oo_plains *plains = oo_registrar_plains(r);
	struct oo_directory *dir = oo_registrar_directory(r);
	struct net_addr a;

	for (size_t i = 0; i < oo_plains_count(plains); i++) {
		const struct oo_plain *c = oo_plains_at(plains, i);

		if (plain_addr(c, now, &a) && !add(l, c->name, &a))
			return;
	}
	for (size_t i = 0; i < oo_directory_max(dir); i++) {
		const struct oo_record *rec = oo_directory_at(dir, i);

		if (node_addr(r, rec, now, &a) && !add(l, rec->number, &a))
			return;
	}
}

char *online_extnodes(struct oo_registrar *r, mono_us now, size_t *len)
{
	struct list l = { .cap = 4096 };

	l.text = malloc(l.cap);
	if (!l.text)
		return NULL;
	l.len = strlen(HEAD);
	memcpy(l.text, HEAD, l.len + 1);
	add_all(&l, r, now);
	*len = l.len;
	return l.text;
}
