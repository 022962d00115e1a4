/* SPDX-License-Identifier: MIT */

#include "daemon/console/ask.h"

#include <stdio.h>

#include "daemon/console/interrupt.h"
#include "daemon/console/plain.h"

/* As long as the daemon lets anybody wait. */
#define WAIT_MAX_S 3600

void ask_complain(const char *message)
{
	char plain[RPC_WHY_MAX];

	plain_text(message, plain, sizeof(plain));
	(void)fprintf(stderr, "keyhole: %s\n", plain);
}

enum console_exit ask_daemon(const struct console *c, const struct ask *a,
			     json_t **result)
{
	struct rpc_answer answer = { 0 };
	char why[RPC_WHY_MAX];
	struct rpc *rpc = rpc_open(c->socket, why);
	const double wait_s =
		json_number_value(json_object_get(a->params, "wait_s"));
	enum console_exit status = CONSOLE_NOT_REACHABLE;
	bool interrupted;
	int err;

	*result = NULL;
	if (!rpc) {
		(void)fprintf(stderr, "keyhole: %s\n", why);
		json_decref(a->params);
		return CONSOLE_NOT_REACHABLE;
	}
	rpc_patience(rpc, RPC_PATIENCE_S + (unsigned)(wait_s < WAIT_MAX_S
							      ? wait_s
							      : WAIT_MAX_S));
	if (c->shell)
		interrupt_begin(rpc);
	err = rpc_call(rpc, a->method, a->params, a->note, a->ctx, &answer);
	interrupted = c->shell && interrupt_end();
	if (a->ended)
		a->ended(a->ctx, err == 0 && answer.result);
	if (err != 0) {
		(void)fprintf(stderr, "keyhole: %s\n",
			      interrupted ? "interrupted" : rpc_trouble(err));
	} else if (!answer.result) {
		ask_complain(answer.message);
		status = CONSOLE_REFUSED;
	} else {
		*result = json_incref(answer.result);
		if (!c->json)
			plain_json(*result);
		status = CONSOLE_DONE;
	}
	rpc_answer_free(&answer);
	rpc_close(rpc);
	return status;
}

enum console_exit ask_and_print(const struct console *c, const char *method,
				json_t *params, void (*print)(const json_t *))
{
	const struct ask a = { .method = method, .params = params };
	json_t *result;
	const enum console_exit status = ask_daemon(c, &a, &result);

	if (status == CONSOLE_DONE) {
		if (c->json)
			print_json(result, true);
		else if (print)
			print_fitting(print, result);
	}
	json_decref(result);
	return status;
}
