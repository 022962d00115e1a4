/* SPDX-License-Identifier: MIT */

#include "daemon/console/complete.h"

#include <string.h>

#define BLANKS " \t"

/* A command's own words, by its grammar. */
static const struct grammar {
	const char *command;
	const char *options;      /* each begins with a dash */
	const char *valued;       /* those that a value follows */
	enum complete_kind first; /* its first word that is no option */
	const char *words;
} grammars[] = {
	{ "status", "--json", "", COMPLETE_NOTHING, "" },
	{ "connect",
	  "--monitor --local-monitor --mode --permanent --wait --json",
	  "--mode --wait", COMPLETE_NODES, "" },
	{ "disconnect", "--all --json", "", COMPLETE_LINKED, "" },
	{ "lookup", "--json", "", COMPLETE_NODES, "" },
	{ "message", "--all", "", COMPLETE_NODES, "" },
	{ "command", "", "", COMPLETE_NODES, "" },
	{ "who", "--json", "", COMPLETE_NOTHING, "" },
	{ "setup",
	  "--yes --number --callsign --network --registrar --registrar-key "
	  "--password-file --radio --fob-serial --config --key-file --no-start",
	  "--number --callsign --network --registrar --registrar-key "
	  "--password-file --radio --fob-serial --config --key-file",
	  COMPLETE_NOTHING, "" },
	{ "doctor", "--config --json", "--config", COMPLETE_NOTHING, "" },
	{ "trace", "--text --json --seconds", "--seconds", COMPLETE_FILES, "" },
	{ "levels",
	  "--seconds --every --calibrate --receive --transmit --yes --tone "
	  "--deviation --eeprom --dry-run --json",
	  "--seconds --every --tone --deviation", COMPLETE_NOTHING, "" },
	{ "sim", "", "", COMPLETE_WORDS, "play cor" },
	{ "keygen", "", "", COMPLETE_FILES, "" },
	{ "pubkey", "", "", COMPLETE_FILES, "" },
	{ "import", "--node --out --force", "--node --out", COMPLETE_FILES,
	  "" },
};

/* What follows a word, whatever the command. */
static const struct {
	const char *before;
	enum complete_kind kind;
	const char *words;
} followers[] = {
	{ "--mode", COMPLETE_WORDS, "transceive monitor local-monitor" },
	{ "--out", COMPLETE_FILES, "" },
	{ "--config", COMPLETE_FILES, "" },
	{ "--key-file", COMPLETE_FILES, "" },
	{ "--password-file", COMPLETE_FILES, "" },
	{ "--network", COMPLETE_WORDS, "keyhole allstarlink none" },
	{ "--radio", COMPLETE_WORDS, "cm108 alsa sim none" },
	{ "play", COMPLETE_FILES, "" },
	{ "cor", COMPLETE_WORDS, "on off" },
};

struct word {
	const char *at;
	size_t len;
};

static bool is(const struct word *w, const char *text)
{
	return strlen(text) == w->len && memcmp(w->at, text, w->len) == 0;
}

/* The next word of what ends at @end; of no length after the last. */
static struct word next_word(const char **at, const char *end)
{
	struct word w;

	*at += strspn(*at, BLANKS);
	if (*at >= end)
		return (struct word){ end, 0 };
	w.at = *at;
	w.len = strcspn(*at, BLANKS);
	if (w.at + w.len > end)
		w.len = (size_t)(end - w.at);
	*at += w.len;
	return w;
}

size_t complete_word(const char *words, const char *text, size_t i,
		     const char **out)
{
	const char *const end = words + strlen(words);
	const size_t len = strlen(text);
	struct word w;

	while ((w = next_word(&words, end)).len > 0) {
		if (w.len < len || memcmp(w.at, text, len) != 0 || i-- > 0)
			continue;
		*out = w.at;
		return w.len;
	}
	return 0;
}

static bool among(const char *words, const struct word *w)
{
	const char *const end = words + strlen(words);
	struct word one;

	while ((one = next_word(&words, end)).len > 0) {
		if (one.len == w->len && memcmp(one.at, w->at, w->len) == 0)
			return true;
	}
	return false;
}

static const struct grammar *grammar_of(const struct word *command)
{
	for (size_t i = 0; i < sizeof(grammars) / sizeof(grammars[0]); i++) {
		if (is(command, grammars[i].command))
			return &grammars[i];
	}
	return NULL;
}

static struct complete after(const struct word *before)
{
	for (size_t i = 0; i < sizeof(followers) / sizeof(followers[0]); i++) {
		if (is(before, followers[i].before))
			return (struct complete){ followers[i].kind,
						  followers[i].words };
	}
	return (struct complete){ COMPLETE_NOTHING, "" };
}

struct complete complete_at(const char *line, size_t start, const char *text)
{
	const char *at = line, *const end = line + start;
	const struct word command = next_word(&at, end);
	const struct grammar *g = grammar_of(&command);
	struct word w, last = { end, 0 };
	size_t given = 0;
	struct complete c;

	if (command.len == 0)
		return (struct complete){ COMPLETE_COMMANDS, "" };
	if (!g)
		return (struct complete){ COMPLETE_NOTHING, "" };
	while ((w = next_word(&at, end)).len > 0) {
		const bool value = last.len > 0 && among(g->valued, &last);

		given += !value && w.at[0] != '-';
		/* A value tells nothing of what follows it. */
		last = value ? (struct word){ end, 0 } : w;
	}
	c = after(&last);
	if (c.kind != COMPLETE_NOTHING || among(g->valued, &last))
		return c;
	if (text[0] == '-' || given > 0)
		return (struct complete){ COMPLETE_WORDS, g->options };
	return (struct complete){ g->first, g->first == COMPLETE_WORDS
						    ? g->words
						    : g->options };
}
