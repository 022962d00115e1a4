/* SPDX-License-Identifier: MIT */

#include "daemon/node/node_priv.h"

#include <string.h>

static bool listed(const char *const *list, size_t n, const char *number,
		   const uint8_t *key)
{
	char text[KEY_TEXT_LEN] = "";

	if (key)
		key_to_text(key, text);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], number) == 0 ||
		    (key && strcmp(list[i], text) == 0))
			return true;
	}
	return false;
}

const char *node_acl_forbids(const struct node *n, const char *number,
			     const uint8_t *key, bool vouched)
{
	const struct node_acl *acl = &n->cfg.acl;

	if (listed(acl->deny, acl->deny_n, number, key))
		return "accept.deny";
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
