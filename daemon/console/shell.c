/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <editline/readline.h>

#include "daemon/console/console.h"

#define WORDS_MAX 32
#define HISTORY_MAX 500

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

static char *next_match(const char *text, int state)
{
	static size_t at;

	if (state == 0)
		at = 0;
	while (console_command(at)) {
		const char *name = console_command(at++);

		if (strncmp(name, text, strlen(text)) == 0)
			return strdup(name);
	}
	return NULL;
}

static char **complete(const char *text, int start, int end)
{
	(void)end;
	rl_attempted_completion_over = 1;
	return start == 0 ? rl_completion_matches(text, next_match) : NULL;
}

static bool is_leave(const char *word)
{
	return strcmp(word, "exit") == 0 || strcmp(word, "quit") == 0;
}

static enum console_exit from_input(const struct console *c)
{
	enum console_exit status = CONSOLE_DONE;
	char *words[WORDS_MAX];
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		const int n = split(line, words);

		if (n > 0 && is_leave(words[0]))
			break;
		if (n > 0)
			status = console_run(c, n, words);
		(void)fflush(stdout);
	}
	free(line);
	return status;
}

static char *history_file(void)
{
	const char *home = getenv("HOME");
	char *path = NULL;

	if (!home || asprintf(&path, "%s/.keyhole_history", home) < 0)
		return NULL;
	return path;
}

enum console_exit shell_run(const struct console *c)
{
	enum console_exit status = CONSOLE_DONE;
	char *words[WORDS_MAX];
	char *file, *line;

	if (!isatty(STDIN_FILENO))
		return from_input(c);
	file = history_file();
	using_history();
	stifle_history(HISTORY_MAX);
	if (file)
		(void)read_history(file);
	rl_attempted_completion_function = complete;
	(void)printf("keyhole: help lists the commands, exit leaves.\n");
	while ((line = readline("keyhole> "))) {
		int n;

		if (line[strspn(line, " \t")] != '\0')
			(void)add_history(line);
		n = split(line, words);
		if (n > 0 && is_leave(words[0])) {
			free(line);
			break;
		}
		if (n > 0)
			status = console_run(c, n, words);
		free(line);
	}
	if (file)
		(void)write_history(file);
	free(file);
	return status;
}
