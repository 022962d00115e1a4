/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_COMMAND_H
#define DAEMON_NODE_COMMAND_H

/*
 * Digits become commands: those of the radio, of links and of the console, each
 * of them for itself, so that two who dial at once do not disturb each other.
 *
 * `*` begins a function's code, which is carried out as soon as no other code
 * begins with it.  A node's number that follows the code is complete with
 * number_max digits, as a single 0 (the last node), with `#`, with the `*` of
 * the next function, or after COMMAND_PAUSE_US without a digit; what is shorter
 * than number_min is dropped then.  In command mode digits go to another node
 * until `#`.
 *
 * Nothing is looked up here, so no digit waits for an answer.  Pure; bounded;
 * no allocation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/mono.h"
#include "proto/rate.h"

#define COMMAND_DIGITS_MAX 32U
#define COMMAND_NUMBER_MAX 15U
#define COMMAND_FUNCTIONS_MAX 128U
#define COMMAND_LINES 9U  /* the radio, and whoever else dials at once */
#define COMMAND_QUEUE 32U /* commands that wait to be carried out */
#define COMMAND_PAUSE_US (3 * MONO_S)
#define COMMAND_REMOTE_US (60 * MONO_S) /* command mode without a digit */

enum command_verb {
	COMMAND_NONE, /* in a table: there is no such code after all */
	COMMAND_DISCONNECT,
	COMMAND_MONITOR,
	COMMAND_CONNECT,
	COMMAND_LOCAL_MONITOR,
	COMMAND_DISCONNECT_PERMANENT,
	COMMAND_PERMANENT_MONITOR,
	COMMAND_PERMANENT_CONNECT,
	COMMAND_PERMANENT_LOCAL_MONITOR,
	COMMAND_REMOTE, /* begin command mode */
	COMMAND_STATUS,
	COMMAND_FULL_STATUS,
	COMMAND_LAST_KEYED,
	COMMAND_ALL_OFF,
	COMMAND_RESTORE,
	COMMAND_TIME,
	COMMAND_VERSION,
	COMMAND_IDENTIFY,
	COMMAND_PARROT_ON,
	COMMAND_PARROT_OFF,
	COMMAND_MACRO,
	COMMAND_EVENT, /* for programs that listen */
	COMMAND_DIGIT, /* in no table: a digit of command mode */
	COMMAND_VERBS,
};

/* As the configuration calls it. */
const char *command_verb_text(enum command_verb v);
/* Does a node's number follow the code? */
bool command_takes_node(enum command_verb v);

struct command_function {
	char code[COMMAND_DIGITS_MAX + 1]; /* without the `*` */
	enum command_verb verb;
	char digits[COMMAND_DIGITS_MAX + 1]; /* of a macro */
	bool links; /* nodes that are linked may use it as well */
};

/* The codes that AllStarLink's users know. */
extern const struct command_function command_usual[];
extern const size_t command_usual_n;

enum command_from { COMMAND_RADIO, COMMAND_LINK, COMMAND_CONSOLE };

struct command {
	enum command_verb verb;
	enum command_from from;
	char who[COMMAND_NUMBER_MAX + 1]; /* the node; empty: it is ours */
	char code[COMMAND_DIGITS_MAX + 1];
	char number[COMMAND_NUMBER_MAX + 1]; /* empty: none, or unknown */
	char digit;                          /* COMMAND_DIGIT */
};

struct command_cfg {
	bool usual; /* command_usual, but for codes that .functions has */
	const struct command_function *functions; /* copied */
	size_t n;
	bool radio;          /* the radio's digits are heeded */
	bool links;          /* those of links are */
	unsigned number_min; /* 1..number_max */
	unsigned number_max; /* ..COMMAND_NUMBER_MAX */
};

struct command_counters {
	uint64_t done;
	uint64_t unknown; /* no such code, or a number too short or too long */
	uint64_t refused; /* not from there */
	uint64_t limited; /* too many, too fast */
};

/* Somebody who dials. */
struct command_line {
	bool used;
	bool open;  /* after `*` */
	bool macro; /* the digits are of one: no other begins here */
	enum command_from from;
	char who[COMMAND_NUMBER_MAX + 1];
	char digits[COMMAND_DIGITS_MAX + 1];
	size_t n;
	char remote[COMMAND_NUMBER_MAX + 1]; /* in command mode */
	mono_us last;
};

struct commands {
	struct command_function function[COMMAND_FUNCTIONS_MAX];
	size_t functions;
	bool radio, links;
	unsigned number_min, number_max;
	struct command_line line[COMMAND_LINES];
	struct command_line macro; /* about to be dialled, if used */
	char macro_digits[COMMAND_DIGITS_MAX + 1];
	char last[COMMAND_NUMBER_MAX + 1]; /* node, that 0 stands for */
	struct rate rate;                  /* of links */
	struct command queue[COMMAND_QUEUE];
	size_t head, queued;
	struct command_counters counters;
};

/* Start anew with these functions; those beyond COMMAND_FUNCTIONS_MAX are left
 * out.  What is being dialled, and the last node, stay. */
void command_configure(struct commands *c, const struct command_cfg *cfg);

/* A digit (0-9, A-D, * or #; others are ignored) of the radio, or of node
 * @who. */
void command_digit(struct commands *c, enum command_from from, const char *who,
		   char digit, mono_us now);
/* All digits of the console's at once: a first `*` may be left out.  False when
 * one is none, or there are too many. */
bool command_digits(struct commands *c, const char *digits, mono_us now);
/* Node @number was linked: 0 stands for it. */
void command_last(struct commands *c, const char *number);

void command_tick(struct commands *c, mono_us now);
mono_us command_deadline(const struct commands *c);
/* The next one to carry out; COMMAND_NONE: there was no such function. */
bool command_next(struct commands *c, struct command *out);

#endif
