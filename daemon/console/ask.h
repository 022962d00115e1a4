/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_ASK_H
#define DAEMON_CONSOLE_ASK_H

/* One question to the daemon, and what becomes of it on standard error. */

#include "daemon/console/console.h"
#include "daemon/io/rpc.h"

struct ask {
	const char *method;
	json_t *params;                      /* consumed */
	rpc_note_fn note;                    /* or NULL */
	void (*ended)(void *ctx, bool well); /* before it is told; or NULL */
	void *ctx;
};

/* *@result is NULL unless CONSOLE_DONE; for people its text is plain. */
enum console_exit ask_daemon(const struct console *c, const struct ask *a,
			     json_t **result);
/* Ask, and print what people or scripts want to see. */
enum console_exit ask_and_print(const struct console *c, const char *method,
				json_t *params, void (*print)(const json_t *));
/* What the daemon says may have words of others in it. */
void ask_complain(const char *message);

#endif
