/* SPDX-License-Identifier: MIT */

/* By which door a caller without a ticket would come in, and what closes it:
 * the rules of AllStarLink's nodes, and of their telephone portal and web
 * transceiver. */

#include <string.h>

#include "daemon/node/node_priv.h"

#define PORTAL_USER "allstar-sys"
#define WEB_USER "allstar-public"
#define WEB_CALLED "s"

/* --- which door --------------------------------------------------------- */

/* A program on this machine is its operator's. */
static bool is_here(const struct net_addr *a)
{
	const struct net_addr here = net_addr_v4(127, 0, 0, 1, 0);

	return net_addr_same_ip(a, &here);
}

const struct node_user *node_door_user(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->cfg.acl.users_n; i++) {
		if (strcmp(n->cfg.acl.users[i].name, name) == 0)
			return &n->cfg.acl.users[i];
	}
	return NULL;
}

enum node_door node_door_of(const struct node *n, const struct iax2_event *ev)
{
	const char *user = ev->u.in.username;

	if (strcmp(user, PORTAL_USER) == 0)
		return NODE_DOOR_PORTAL;
	if (strcmp(user, WEB_USER) == 0)
		return NODE_DOOR_WEB;
	if (node_door_user(n, user))
		return NODE_DOOR_USER;
	if (is_here(&ev->u.in.path.peer) && n->cfg.acl.by_address)
		return NODE_DOOR_ADDRESS;
	return n->cfg.acl.by_dns_key ? NODE_DOOR_DNS_KEY : NODE_DOOR_ADDRESS;
}

bool node_door_is_ours(const struct node *n, const struct iax2_event *ev)
{
	const char *called = ev->u.in.called;

	switch (node_door_of(n, ev)) {
	case NODE_DOOR_PORTAL: /* a digit says how, the number follows */
		return called[0] != '\0' && strcmp(called + 1, n->number) == 0;
	case NODE_DOOR_WEB:
		return strcmp(called, WEB_CALLED) == 0 &&
		       strcmp(ev->u.in.calling, n->number) == 0;
	case NODE_DOOR_KEY:
	case NODE_DOOR_ADDRESS:
	case NODE_DOOR_DNS_KEY:
	case NODE_DOOR_USER:
		break;
	}
	return strcmp(called, n->number) == 0;
}

bool link_is_client(const struct link *l)
{
	return l->door == NODE_DOOR_USER || l->door == NODE_DOOR_PORTAL ||
	       l->door == NODE_DOOR_WEB;
}

/* --- rules -------------------------------------------------------------- */

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* A letter makes sure that it is no node's number. */
bool node_door_callsign(const char *s)
{
	const size_t len = strlen(s);

	return len <= NODE_CALLSIGN_MAX && strpbrk(s, LETTERS) &&
	       strspn(s, DIGITS LETTERS "-/") == len;
}

#define EITHER(by_key, words) \
	((by_key) ? "accept.by_dns_key: " words : "accept.by_address: " words)

static const char *number_forbids(const struct node *n, const char *number,
				  bool by_key)
{
	const size_t len = strlen(number);

	if (len == 0)
		return EITHER(by_key, "it gives no number");
	if (len > OO_NUMBER_MAX || strspn(number, DIGITS) != len ||
	    number[0] == '0')
		return EITHER(by_key, "it gives no number of a node");
	if (strcmp(number, n->number) == 0)
		return EITHER(by_key, "it gives our own number");
	return NULL;
}

/* Its number is proved, so it is as if a registrar vouched for it; and a node
 * of peers is welcome anyway. */
static const char *lists_forbid(const struct node *n, const char *number,
				const uint8_t *key)
{
	const char *why = node_acl_forbids(n, number, key, true);

	return why && strcmp(why, NODE_ACL_DENY) != 0
		       ? node_acl_forbids(n, number, key, false)
		       : why;
}

static const char *address_forbids(const struct node *n,
				   const struct iax2_event *ev)
{
	const char *number = ev->u.in.calling;
	const char *why = NULL;

	if (!n->cfg.acl.by_address)
		return "accept.by_address is off, and it has no key or secret "
		       "in peers";
	why = number_forbids(n, number, false);
	if (!why && !is_here(&ev->u.in.path.peer))
		why = lists_forbid(n, number, NULL);
	return why;
}

static const char *dns_key_forbids(const struct node *n,
				   const struct iax2_event *ev)
{
	const uint8_t *key =
		ev->u.in.proof == IAX2_PROOF_ED25519 ? ev->u.in.peer_key : NULL;
	const char *why = number_forbids(n, ev->u.in.calling, true);

	if (!n->cfg.acl.by_dns_key)
		return "accept.by_dns_key is off";
	if (why)
		return why;
	why = lists_forbid(n, ev->u.in.calling, key);
	/* The lists may have its key, and not its number. */
	return why && !key && strcmp(why, NODE_ACL_DENY) != 0 ? NULL : why;
}

static const char *portal_forbids(const struct node *n,
				  const struct iax2_event *ev)
{
	if (n->cfg.acl.portal.modulus_len == 0)
		return "accept.portal_key_file is empty: no telephone portal";
	/* 1 is the reverse patch, which wants a telephone line here. */
	if (ev->u.in.called[0] < '2' || ev->u.in.called[0] > '5')
		return "accept.portal_key_file: it asks for what this node has "
		       "not";
	if (!node_door_callsign(ev->u.in.name))
		return "accept.portal_key_file: it brings no callsign";
	return NULL;
}

static const char *web_forbids(const struct node *n,
			       const struct iax2_event *ev)
{
	const char *token = ev->u.in.name;

	if (!n->cfg.acl.web)
		return "accept.web_url is empty: no web transceiver";
	/* It becomes part of an address. */
	if (token[0] == '\0' ||
	    strspn(token, DIGITS LETTERS "-_.") != strlen(token))
		return "accept.web_url: it brings no token";
	return NULL;
}

const char *node_door_forbids(const struct node *n, const struct iax2_event *ev,
			      enum node_door door)
{
	switch (door) {
	case NODE_DOOR_PORTAL:
		return portal_forbids(n, ev);
	case NODE_DOOR_WEB:
		return web_forbids(n, ev);
	case NODE_DOOR_ADDRESS:
		return address_forbids(n, ev);
	case NODE_DOOR_DNS_KEY:
		return dns_key_forbids(n, ev);
	case NODE_DOOR_USER:
		return node_door_user(n, ev->u.in.username) ? NULL
							    : "accept.users";
	case NODE_DOOR_KEY:
		break;
	}
	return NULL;
}

const char *node_door_name(const struct node_user *u)
{
	return u->callsign[0] != '\0' ? u->callsign : u->name;
}

static bool has_user(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->cfg.acl.users_n; i++) {
		if (strcmp(node_door_name(&n->cfg.acl.users[i]), name) == 0)
			return true;
	}
	return false;
}

const char *node_door_closed(const struct node *n, enum node_door door,
			     const char *number, const uint8_t *key)
{
	const struct node_acl *acl = &n->cfg.acl;

	switch (door) {
	case NODE_DOOR_ADDRESS:
		return acl->by_address ? lists_forbid(n, number, NULL)
				       : "accept.by_address";
	case NODE_DOOR_DNS_KEY:
		return acl->by_dns_key ? lists_forbid(n, number, key)
				       : "accept.by_dns_key";
	case NODE_DOOR_USER:
		return has_user(n, number) ? NULL : "accept.users";
	case NODE_DOOR_PORTAL:
		return acl->portal.modulus_len > 0 ? NULL
						   : "accept.portal_key_file";
	case NODE_DOOR_WEB:
		return acl->web ? NULL : "accept.web_url";
	case NODE_DOOR_KEY:
		break;
	}
	return NULL;
}
