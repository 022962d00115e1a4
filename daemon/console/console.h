/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_CONSOLE_H
#define DAEMON_CONSOLE_CONSOLE_H

/*
 * The keyhole command: one command and its exit code, or a shell of them.
 */

#include <jansson.h>
#include <stdbool.h>

enum console_exit {
	CONSOLE_DONE = 0,
	CONSOLE_REFUSED = 1,
	CONSOLE_USAGE = 2,
	CONSOLE_NOT_REACHABLE = 3,
};

struct console {
	const char *socket;
	bool json;  /* print the daemon's own objects */
	bool shell; /* Ctrl-C ends a command, and not the console */
};

/* commands.c: run one command; argv[0] is its name. */
enum console_exit console_run(const struct console *c, int argc,
			      char *const *argv);
/* Names of all commands, NULL after the last. */
const char *console_command(size_t i);
void console_help(void);

/* print.c: what people read, within 80 columns. */
void print_json(const json_t *o, bool indent);
/* What @print prints, broken to the width of a terminal. */
void print_fitting(void (*print)(const json_t *), const json_t *o);
void print_status(const json_t *status);
void print_connected(const char *node, const json_t *result);
void print_who(const json_t *result);
void print_lookup(const json_t *result);
void print_reload(const json_t *result);

/* shell.c: commands from a terminal with history and completion, or, without
 * a terminal, from standard input one a line. */
enum console_exit shell_run(const struct console *c);

#endif
