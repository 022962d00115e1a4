/* SPDX-License-Identifier: MIT */

#include "daemon/node/node_priv.h"

#include <string.h>

static bool listed(const struct node_caller *list, size_t n, const char *number,
		   const uint8_t *key)
{
	for (size_t i = 0; i < n; i++) {
		const bool by_key = list[i].number[0] == '\0';

		if (by_key ? key && key_equal(list[i].key, key, KEY_PUBLIC_LEN)
			   : strcmp(list[i].number, number) == 0)
			return true;
	}
	return false;
}

const char *node_key_forbids(const struct node *n, const char *number,
			     const uint8_t key[KEY_PUBLIC_LEN])
{
	const struct node_peer *peer = node_peer(n, number);

	if (peer && peer->has_key && !key_equal(peer->key, key, KEY_PUBLIC_LEN))
		return "its key is not the one that peers lists for its number";
	return NULL;
}

const char *node_acl_forbids(const struct node *n, const char *number,
			     const uint8_t *key, bool vouched)
{
	const struct node_acl *acl = &n->cfg.acl;

	if (listed(acl->deny, acl->deny_n, number, key))
		return "accept.deny";
	if (key) {
		const char *why = node_key_forbids(n, number, key);

		if (why)
			return why;
	}
	if (listed(acl->allow, acl->allow_n, number, key))
		return NULL;
	if (vouched && acl->registered)
		return NULL;
	if (!vouched && node_peer(n, number))
		return NULL;
	return "accept.default";
}

const struct node_peer *node_peer(const struct node *n, const char *number)
{
	for (size_t i = 0; i < n->cfg.peers_n; i++) {
		if (strcmp(n->cfg.peers[i].number, number) == 0)
			return &n->cfg.peers[i];
	}
	return NULL;
}
