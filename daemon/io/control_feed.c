/* SPDX-License-Identifier: MIT */

/* What goes to many clients: events to all that subscribed, and the feed,
 * of which who is behind loses records. */

#include "daemon/io/control_priv.h"

/* Beyond this much unread, a client is behind; the rest of what it may leave
 * unread is for answers. */
#define FEED_MAX_OCTETS ((size_t)256 * 1024)

/* --- events ------------------------------------------------------------- */

void control_publish(struct control *c, const char *method, json_t *params)
{
	for (size_t i = 0; params && i < CONTROL_CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd < 0 || !cl->subscribed)
			continue;
		client_send(cl, json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0",
					  "method", method, "params", params));
	}
	json_decref(params);
}

/* --- the feed ----------------------------------------------------------- */

void control_follow(struct control_request *req)
{
	req->client->follows = true;
}

static bool is_behind(const struct client *cl)
{
	return cl->out_n > FEED_MAX_OCTETS;
}

enum control_feed control_feed_state(struct control *c)
{
	enum control_feed state = CONTROL_NOBODY;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd < 0 || cl->broken || !cl->follows)
			continue;
		if (!is_behind(cl)) {
			state = CONTROL_READY;
			continue;
		}
		cl->lost++;
		if (state == CONTROL_NOBODY)
			state = CONTROL_BEHIND;
	}
	return state;
}

void control_feed_skip(struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (c->client[i].fd >= 0 && c->client[i].follows)
			c->client[i].lost++;
	}
}

static void feed_one(struct client *cl, const char *method, json_t *params)
{
	(void)json_object_set_new(params, "dropped",
				  json_integer((json_int_t)cl->lost));
	cl->lost = 0;
	client_send(cl, json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0", "method",
				  method, "params", params));
}

void control_feed(struct control *c, const char *method, json_t *params)
{
	for (size_t i = 0; params && i < CONTROL_CLIENTS_MAX; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd >= 0 && !cl->broken && cl->follows && !is_behind(cl))
			feed_one(cl, method, params);
	}
	json_decref(params);
}
