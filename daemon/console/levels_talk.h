/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_LEVELS_TALK_H
#define DAEMON_CONSOLE_LEVELS_TALK_H

/* What the parts of the calibration share: the conversation (levels_talk.c),
 * and where its result is kept (levels_store.c). */

#include "daemon/console/levels.h"
#include "daemon/io/rpc.h"

struct talk {
	const struct console *c;
	const struct levels_want *want;
	struct rpc *rpc;
	json_t *settings; /* what levels.get said last */
	json_t *result;   /* for scripts */
	bool changed;
};

/* For people; scripts read the result. */
__attribute__((format(printf, 2, 3))) void talk_say(const struct talk *t,
						    const char *format, ...);
/* On standard error; CONSOLE_REFUSED. */
__attribute__((format(printf, 1, 2))) enum console_exit
talk_refuse(const char *format, ...);
/* Yes or no; @usual is what no answer means. */
bool talk_agrees(const struct talk *t, const char *question, bool usual);

/* Ask the daemon; *@result is NULL unless CONSOLE_DONE. */
enum console_exit talk_call(struct talk *t, const char *method, json_t *params,
			    rpc_note_fn note, void *ctx, json_t **result);
/* With a method that answers with the settings. */
enum console_exit talk_settings(struct talk *t, const char *method,
				json_t *params);
double talk_number(const json_t *o, const char *name);
const char *talk_text(const json_t *o, const char *name); /* "": none */

/* levels_store.c */
enum console_exit talk_store(struct talk *t);

#endif
