/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_RPC_H
#define DAEMON_IO_RPC_H

/* The other end of the control socket: a client that waits for its answers. */

#include <jansson.h>
#include <sys/types.h>

#define RPC_WHY_MAX 256U

struct rpc;

/* NULL, with errno and a sentence in @why, when nobody answers there. */
struct rpc *rpc_open(const char *path, char why[RPC_WHY_MAX]);
/* How long rpc_call() waits for the daemon to say anything, 1..86400 s;
 * RPC_PATIENCE_S unless set. */
#define RPC_PATIENCE_S 30U
void rpc_patience(struct rpc *r, unsigned seconds);
/* The user that the daemon runs as; (uid_t)-1: not known. */
uid_t rpc_user(const struct rpc *r);
/* Accepts NULL, returns NULL. */
struct rpc *rpc_close(struct rpc *r);

struct rpc_answer {
	json_t *result; /* NULL: refused */
	int code;       /* of the refusal */
	char message[256];
	json_t *data; /* may be NULL */
};

/* A notification that came while waiting; borrowed. */
typedef void (*rpc_note_fn)(void *ctx, const char *method,
			    const json_t *params);

/* Ask and wait.  @params is consumed and may be NULL.  0 and *@out, refused or
 * not; -ECONNRESET when the daemon went away, -ETIMEDOUT when it is silent. */
int rpc_call(struct rpc *r, const char *method, json_t *params,
	     rpc_note_fn note, void *ctx, struct rpc_answer *out);
/* Hand notifications to @note until the daemon goes away. */
int rpc_listen(struct rpc *r, rpc_note_fn note, void *ctx);
/* End rpc_listen() after what has arrived; a signal handler may call it. */
void rpc_stop(const struct rpc *r);
/* What is wrong, after a call that failed: "the daemon went away". */
const char *rpc_trouble(int err);
void rpc_answer_free(struct rpc_answer *a);

#endif
