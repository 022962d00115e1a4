/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <editline/readline.h>

#include "daemon/console/complete.h"
#include "daemon/console/console.h"
#include "daemon/console/history.h"
#include "daemon/console/plain.h"
#include "daemon/io/rpc.h"

#define WORDS_MAX 32

/* Words apart by blanks; "..." keeps them together.  Returns how many. */
static int split(char *line, char *words[WORDS_MAX])
{
	int n = 0;

	while (*line != '\0' && n < WORDS_MAX - 1) {
		char end = ' ';

		line += strspn(line, " \t\r\n");
		if (*line == '\0')
			break;
		if (*line == '"') {
			end = '"';
			line++;
		}
		words[n++] = line;
		while (*line != '\0' && *line != end &&
		       (end == '"' || !strchr("\t\r\n", *line)))
			line++;
		if (*line != '\0')
			*line++ = '\0';
	}
	words[n] = NULL;
	return n;
}

/* --- completion --------------------------------------------------------- */

/* libedit asks with nothing but the text. */
static const struct console *completing;
static struct complete wanted;
static json_t *nodes; /* that the daemon knows of; NULL: not asked */

#define COMPLETE_PATIENCE_S 2U

/* Nothing is said of a daemon that does not answer: a person is typing. */
static json_t *known_nodes(void)
{
	struct rpc_answer answer = { 0 };
	char why[RPC_WHY_MAX];
	struct rpc *rpc = rpc_open(completing->socket, why);
	json_t *out = NULL;

	if (!rpc)
		return NULL;
	rpc_patience(rpc, COMPLETE_PATIENCE_S);
	if (rpc_call(rpc, "nodes", NULL, NULL, NULL, &answer) == 0)
		out = json_incref(json_object_get(answer.result, "nodes"));
	rpc_answer_free(&answer);
	rpc_close(rpc);
	plain_json(out);
	return out;
}

static char *next_command(const char *text, size_t *at)
{
	static const char *const leave[] = { "exit", "quit" };
	size_t commands = 0;
	const char *name;

	while (console_command(commands))
		commands++;
	while (*at < commands + 2) {
		name = *at < commands ? console_command(*at)
				      : leave[*at - commands];
		(*at)++;
		if (strncmp(name, text, strlen(text)) == 0)
			return strdup(name);
	}
	return NULL;
}

static char *next_node(const char *text, size_t *at)
{
	while (*at < json_array_size(nodes)) {
		const json_t *n = json_array_get(nodes, (*at)++);
		const char *number =
			json_string_value(json_object_get(n, "node"));

		if (!number || strncmp(number, text, strlen(text)) != 0)
			continue;
		if (wanted.kind == COMPLETE_NODES ||
		    json_is_true(json_object_get(n, "linked")))
			return strdup(number);
	}
	return NULL;
}

/* Where a node is wanted, its options come with a dash, or when no node is
 * known. */
static bool offers_words(const char *text)
{
	return wanted.kind == COMPLETE_WORDS || text[0] == '-' ||
	       json_array_size(nodes) == 0;
}

static char *next_match(const char *text, int state)
{
	static size_t at, word;
	const char *found;
	char *match;
	size_t len = 0;

	if (state == 0)
		at = word = 0;
	if (wanted.kind == COMPLETE_COMMANDS)
		return next_command(text, &at);
	match = next_node(text, &at);
	if (!match && offers_words(text))
		len = complete_word(wanted.words, text, word++, &found);
	return len > 0 ? strndup(found, len) : match;
}

static char **complete(const char *text, int start, int end)
{
	char **matches = NULL;

	(void)end;
	wanted = complete_at(rl_line_buffer, (size_t)start, text);
	if (wanted.kind == COMPLETE_FILES && text[0] != '-')
		return NULL; /* libedit's own */
	rl_attempted_completion_over = 1;
	nodes = NULL;
	if ((wanted.kind == COMPLETE_NODES || wanted.kind == COMPLETE_LINKED) &&
	    text[0] != '-')
		nodes = known_nodes();
	if (wanted.kind != COMPLETE_NOTHING)
		matches = rl_completion_matches(text, next_match);
	json_decref(nodes);
	nodes = NULL;
	return matches;
}

/* --- lines -------------------------------------------------------------- */

static bool is_leave(const char *word)
{
	return strcmp(word, "exit") == 0 || strcmp(word, "quit") == 0;
}

/* False: it ends the shell. */
static bool run_line(const struct console *c, char *line,
		     enum console_exit *status)
{
	char *words[WORDS_MAX];
	const int n = split(line, words);

	if (n > 0 && is_leave(words[0]))
		return false;
	if (n > 0)
		*status = console_run(c, n, words);
	(void)fflush(stdout);
	return true;
}

static enum console_exit from_input(const struct console *c)
{
	enum console_exit status = CONSOLE_DONE;
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0 && run_line(c, line, &status))
		;
	free(line);
	return status;
}

/* What Up brings back. */
static void recall(const struct history *h)
{
	clear_history();
	for (size_t i = 0; i < h->n; i++)
		(void)add_history(h->line[i]);
}

static void prepare(const struct console *c)
{
	static char blanks[] = " \t\n\"";

	completing = c;
	using_history();
	stifle_history(HISTORY_LINES);
	rl_basic_word_break_characters = blanks;
	rl_completer_word_break_characters = blanks;
	rl_attempted_completion_function = complete;
}

enum console_exit shell_run(const struct console *c)
{
	enum console_exit status = CONSOLE_DONE;
	struct console own = *c;
	struct history history;
	bool go_on = true;
	char *line;

	if (!isatty(STDIN_FILENO))
		return from_input(c);
	own.shell = true;
	prepare(&own);
	history_open(&history, history_path());
	(void)printf("keyhole: help lists the commands, Tab completes, exit "
		     "leaves.\n");
	while (go_on) {
		recall(&history);
		line = readline("keyhole> ");
		if (!line) {
			(void)printf("\n");
			break;
		}
		history_add(&history, line);
		go_on = run_line(&own, line, &status);
		free(line);
	}
	history_close(&history);
	return status;
}
