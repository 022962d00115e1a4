/* SPDX-License-Identifier: MIT */

/* The functions: what they are called, and their usual codes. */

#include "daemon/node/command.h"

const char *command_verb_text(enum command_verb v)
{
	static const char *const text[COMMAND_VERBS] = {
		[COMMAND_NONE] = "none",
		[COMMAND_DISCONNECT] = "disconnect",
		[COMMAND_MONITOR] = "monitor",
		[COMMAND_CONNECT] = "connect",
		[COMMAND_LOCAL_MONITOR] = "local-monitor",
		[COMMAND_DISCONNECT_PERMANENT] = "disconnect-permanent",
		[COMMAND_PERMANENT_MONITOR] = "permanent-monitor",
		[COMMAND_PERMANENT_CONNECT] = "permanent-connect",
		[COMMAND_PERMANENT_LOCAL_MONITOR] = "permanent-local-monitor",
		[COMMAND_REMOTE] = "remote",
		[COMMAND_STATUS] = "status",
		[COMMAND_FULL_STATUS] = "full-status",
		[COMMAND_LAST_KEYED] = "last-keyed",
		[COMMAND_ALL_OFF] = "all-off",
		[COMMAND_RESTORE] = "restore",
		[COMMAND_TIME] = "time",
		[COMMAND_VERSION] = "version",
		[COMMAND_IDENTIFY] = "identify",
		[COMMAND_PARROT_ON] = "parrot-on",
		[COMMAND_PARROT_OFF] = "parrot-off",
		[COMMAND_MACRO] = "macro",
		[COMMAND_EVENT] = "event",
		[COMMAND_DIGIT] = "digit",
	};

	return v < COMMAND_VERBS ? text[v] : text[COMMAND_NONE];
}

bool command_takes_node(enum command_verb v)
{
	return v >= COMMAND_DISCONNECT && v <= COMMAND_REMOTE;
}

/* What asks only may be asked by anybody. */
const struct command_function command_usual[] = {
	{ .code = "1", .verb = COMMAND_DISCONNECT },
	{ .code = "2", .verb = COMMAND_MONITOR },
	{ .code = "3", .verb = COMMAND_CONNECT },
	{ .code = "4", .verb = COMMAND_REMOTE },
	{ .code = "70", .verb = COMMAND_STATUS, .links = true },
	{ .code = "71", .verb = COMMAND_ALL_OFF },
	{ .code = "72", .verb = COMMAND_LAST_KEYED, .links = true },
	{ .code = "73", .verb = COMMAND_FULL_STATUS, .links = true },
	{ .code = "74", .verb = COMMAND_RESTORE },
	{ .code = "75", .verb = COMMAND_LOCAL_MONITOR },
	{ .code = "80", .verb = COMMAND_IDENTIFY, .links = true },
	{ .code = "81", .verb = COMMAND_TIME, .links = true },
	{ .code = "811", .verb = COMMAND_DISCONNECT_PERMANENT },
	{ .code = "812", .verb = COMMAND_PERMANENT_MONITOR },
	{ .code = "813", .verb = COMMAND_PERMANENT_CONNECT },
	{ .code = "818", .verb = COMMAND_PERMANENT_LOCAL_MONITOR },
	{ .code = "980", .verb = COMMAND_VERSION, .links = true },
	{ .code = "921", .verb = COMMAND_PARROT_ON },
	{ .code = "922", .verb = COMMAND_PARROT_OFF },
};
const size_t command_usual_n = sizeof(command_usual) / sizeof(command_usual[0]);
