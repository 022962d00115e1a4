/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_STORE_PRIV_H
#define DAEMON_REGISTRAR_STORE_PRIV_H

/* What the store's parts share: its connections (store.c) and what it asks
 * over them (store_command.c), and how much it takes (store_bound.c). */

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "daemon/io/loop.h"
#include "daemon/io/resolve.h"
#include "daemon/registrar/store.h"

#define STORE_PASSWORD_MAX 255U

enum store_state { STORE_DOWN, STORE_RESOLVING, STORE_CONNECTING, STORE_UP };

/* One speaks, the other listens: a connection that has subscribed to a
 * channel takes no other commands. */
enum { STORE_SPEAK, STORE_LISTEN, STORE_CONNS };

/* What holds a connection's answers within bounds. */
struct store_bound {
	struct store *s;
	size_t held; /* by the present answer */
	redisReplyObjectFunctions given, fn;
	void (*add_read)(void *data);
};

struct store {
	struct store_cfg cfg;
	char password[STORE_PASSWORD_MAX + 1];
	char name[CONF_CLUSTER_NAME_MAX + 1];
	enum store_state state;
	redisAsyncContext *conn[STORE_CONNS];
	struct store_bound bound[STORE_CONNS];
	unsigned ready; /* of STORE_CONNS + the answers that are needed */
	struct resolver *resolver;
	struct event *failing; /* ends the connections, outside of hiredis */
	struct loop_timer timer;
	char why[STORE_WHY_MAX];
	unsigned failures;
	mono_us up_since;
	mono_us heard[STORE_CONNS];
	size_t under_way;
	size_t notes_under_way;
};

/* It is of no use any more: the connections end, once back in the loop, and
 * begin anew. */
void store_fail(struct store *s, const char *why);
/* store_bound.c: no answer on this connection takes more memory than any that is
 * due; after redisLibeventAttach(). */
void store_bind(struct store *s, int conn);

#endif
