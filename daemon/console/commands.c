/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/console/ask.h"
#include "daemon/console/doctor.h"
#include "daemon/console/import.h"
#include "daemon/console/interrupt.h"
#include "daemon/console/levels.h"
#include "daemon/console/plain.h"
#include "daemon/console/progress.h"
#include "daemon/console/setup.h"
#include "daemon/console/watch.h"
#include "daemon/io/keyfile.h"
#include "daemon/io/rpc.h"
#include "daemon/io/trace_client.h"

typedef enum console_exit (*command_fn)(const struct console *c, int argc,
					char *const *argv);

#define WORDS_MAX 31 /* of a command */

struct command {
	const char *name;
	const char *usage;
	const char *help;
	command_fn fn;
};

static const struct command *find(const char *name);

static enum console_exit usage(const char *name)
{
	const struct command *k = find(name);

	if (k)
		(void)fprintf(stderr, "usage: keyhole %s\n", k->usage);
	return CONSOLE_USAGE;
}

/* --- commands ----------------------------------------------------------- */

static enum console_exit do_status(const struct console *c, int argc,
				   char *const *argv)
{
	(void)argv;
	return argc == 1 ? ask_and_print(c, "status", NULL, print_status)
			 : usage("status");
}

static enum console_exit do_top(const struct console *c, int argc,
				char *const *argv)
{
	(void)argv;
	return argc == 1 ? watch_top(c) : usage("top");
}

static enum console_exit do_levels(const struct console *c, int argc,
				   char *const *argv)
{
	struct levels_want want;

	if (!levels_options(argc - 1, argv + 1, &want))
		return usage("levels");
	return want.calibrate ? levels_calibrate(c, &want)
			      : levels_watch(c, &want);
}

static enum console_exit do_reload(const struct console *c, int argc,
				   char *const *argv)
{
	(void)argv;
	return argc == 1 ? ask_and_print(c, "reload", NULL, print_reload)
			 : usage("reload");
}

static void on_progress(void *ctx, const char *method, const json_t *params)
{
	json_t *plain;

	if (strcmp(method, "progress") != 0)
		return;
	plain = json_deep_copy(params);
	plain_json(plain);
	progress_take(ctx, plain, stdout);
	json_decref(plain);
}

static void on_ended(void *ctx, bool well)
{
	progress_end(ctx, well, stdout);
}

static enum console_exit do_doctor(const struct console *c, int argc,
				   char *const *argv)
{
	const enum console_exit status = doctor_command(c, argc - 1, argv + 1);

	return status == CONSOLE_USAGE ? usage("doctor") : status;
}

static bool take_connect_option(int argc, char *const *argv, int *i,
				json_t *params)
{
	const bool more = *i + 1 < argc;

	if (strcmp(argv[*i], "--permanent") == 0)
		return json_object_set_new(params, "permanent", json_true()) ==
		       0;
	if (strcmp(argv[*i], "--monitor") == 0 ||
	    strcmp(argv[*i], "--local-monitor") == 0)
		return json_object_set_new(params, "mode",
					   json_string(argv[*i] + 2)) == 0;
	if (strcmp(argv[*i], "--mode") == 0 && more)
		return json_object_set_new(params, "mode",
					   json_string(argv[++*i])) == 0;
	if (strcmp(argv[*i], "--wait") == 0 && more) {
		char *end;
		const double s = strtod(argv[++*i], &end);

		return *end == '\0' && s > 0 &&
		       json_object_set_new(params, "wait_s", json_real(s)) == 0;
	}
	return argv[*i][0] != '-' && !json_object_get(params, "node") &&
	       json_object_set_new(params, "node", json_string(argv[*i])) == 0;
}

static enum console_exit do_connect(const struct console *c, int argc,
				    char *const *argv)
{
	struct progress progress = progress_new();
	struct ask a = { .method = "connect",
			 .params = json_object(),
			 .note = c->json ? NULL : on_progress,
			 .ended = on_ended,
			 .ctx = &progress };
	const char *node;
	json_t *result;
	enum console_exit status;

	for (int i = 1; i < argc; i++) {
		if (!take_connect_option(argc, argv, &i, a.params)) {
			json_decref(a.params);
			return usage("connect");
		}
	}
	node = json_string_value(json_object_get(a.params, "node"));
	if (!node) {
		json_decref(a.params);
		return usage("connect");
	}
	/* On a terminal a person wants to see how it ends. */
	if (!json_object_get(a.params, "wait_s") && !c->json &&
	    isatty(STDOUT_FILENO))
		(void)json_object_set_new(a.params, "wait_s", json_real(20));
	json_incref(a.params);
	status = ask_daemon(c, &a, &result);
	if (status == CONSOLE_DONE) {
		if (c->json)
			print_json(result, true);
		else
			print_connected(node, result);
	}
	json_decref(a.params);
	json_decref(result);
	return status;
}

static enum console_exit do_disconnect(const struct console *c, int argc,
				       char *const *argv)
{
	json_t *params;

	if (argc != 2)
		return usage("disconnect");
	if (strcmp(argv[1], "--all") == 0)
		params = json_pack("{s:b}", "all", 1);
	else
		params = json_pack("{s:s}", "node", argv[1]);
	return ask_and_print(c, "disconnect", params, NULL);
}

static enum console_exit do_lookup(const struct console *c, int argc,
				   char *const *argv)
{
	if (argc != 2)
		return usage("lookup");
	return ask_and_print(c, "lookup", json_pack("{s:s}", "node", argv[1]),
			     print_lookup);
}

static enum console_exit do_dtmf(const struct console *c, int argc,
				 char *const *argv)
{
	if (argc != 2)
		return usage("dtmf");
	return ask_and_print(c, "dtmf", json_pack("{s:s}", "digits", argv[1]),
			     NULL);
}

static enum console_exit do_who(const struct console *c, int argc,
				char *const *argv)
{
	(void)argv;
	return argc == 1 ? ask_and_print(c, "who", NULL, print_who)
			 : usage("who");
}

static enum console_exit do_message(const struct console *c, int argc,
				    char *const *argv)
{
	const bool all = argc == 3 && strcmp(argv[1], "--all") == 0;

	if (argc != 3)
		return usage("message");
	return ask_and_print(c, "message",
			     json_pack("{s:b, s:s, s:s}", "all", (int)all,
				       "node", argv[1], "text", argv[2]),
			     NULL);
}

static enum console_exit do_command(const struct console *c, int argc,
				    char *const *argv)
{
	if (argc != 3)
		return usage("command");
	return ask_and_print(
		c, "command",
		json_pack("{s:s, s:s}", "node", argv[1], "digits", argv[2]),
		NULL);
}

static enum console_exit do_function(const struct console *c, int argc,
				     char *const *argv)
{
	if (argc != 2)
		return usage("function");
	return ask_and_print(c, "function",
			     json_pack("{s:s}", "digits", argv[1]), NULL);
}

static void on_event(void *ctx, const char *method, const json_t *params)
{
	(void)ctx;
	if (strcmp(method, "event") == 0)
		print_json(params, false);
	(void)fflush(stdout);
}

static enum console_exit do_events(const struct console *c, int argc,
				   char *const *argv)
{
	enum console_exit status = CONSOLE_NOT_REACHABLE;
	struct rpc_answer answer;
	char why[RPC_WHY_MAX];
	struct rpc *rpc;
	int err;

	(void)argv;
	if (argc != 1)
		return usage("events");
	rpc = rpc_open(c->socket, why);
	if (!rpc) {
		(void)fprintf(stderr, "keyhole: %s\n", why);
		return CONSOLE_NOT_REACHABLE;
	}
	if (c->shell)
		interrupt_begin(rpc);
	err = rpc_call(rpc, "events", NULL, on_event, NULL, &answer);
	if (answer.result)
		(void)rpc_listen(rpc, on_event, NULL);
	if (c->shell && interrupt_end()) {
		status = CONSOLE_DONE;
	} else if (err == 0 && !answer.result) {
		ask_complain(answer.message);
		status = CONSOLE_REFUSED;
	} else {
		(void)fprintf(stderr, "keyhole: the daemon went away\n");
	}
	rpc_answer_free(&answer);
	rpc_close(rpc);
	return status;
}

static enum console_exit do_trace(const struct console *c, int argc,
				  char *const *argv)
{
	struct trace_want want = {
		.program = "keyhole",
		.socket = c->socket,
		.form = c->json ? TRACE_JSON : TRACE_PCAP,
	};

	if (!trace_options(argc - 1, argv + 1, &want))
		return usage("trace");
	return (enum console_exit)trace_follow(&want);
}

static enum console_exit sim_play(const struct console *c, const char *file)
{
	char *full = realpath(file, NULL);
	enum console_exit status;

	/* The daemon has another working directory. */
	status = ask_and_print(c, "sim.play",
			       json_pack("{s:s}", "file", full ? full : file),
			       NULL);
	free(full);
	return status;
}

static enum console_exit do_sim(const struct console *c, int argc,
				char *const *argv)
{
	if (argc == 3 && strcmp(argv[1], "play") == 0)
		return sim_play(c, argv[2]);
	if (argc == 3 && strcmp(argv[1], "cor") == 0 &&
	    (strcmp(argv[2], "on") == 0 || strcmp(argv[2], "off") == 0))
		return ask_and_print(
			c, "sim.cor",
			json_pack("{s:b}", "on", strcmp(argv[2], "on") == 0),
			NULL);
	return usage("sim");
}

static enum console_exit print_key(int err, const struct key_identity *id,
				   const char *why)
{
	char text[KEY_TEXT_LEN];

	if (err != 0) {
		(void)fprintf(stderr, "keyhole: %s\n", why);
		return CONSOLE_REFUSED;
	}
	key_to_text(id->public_key, text);
	(void)printf("%s\n", text);
	return CONSOLE_DONE;
}

static enum console_exit do_keygen(const struct console *c, int argc,
				   char *const *argv)
{
	struct key_identity id;
	char why[KEYFILE_WHY_MAX];

	(void)c;
	if (argc != 2)
		return usage("keygen");
	return print_key(keyfile_create(argv[1], &id, why), &id, why);
}

static enum console_exit do_pubkey(const struct console *c, int argc,
				   char *const *argv)
{
	struct key_identity id;
	char why[KEYFILE_WHY_MAX];

	(void)c;
	if (argc != 2)
		return usage("pubkey");
	return print_key(keyfile_load(argv[1], &id, why), &id, why);
}

static enum console_exit do_import(const struct console *c, int argc,
				   char *const *argv)
{
	(void)c;
	return (enum console_exit)import_command(argc, argv);
}

static enum console_exit do_setup(const struct console *c, int argc,
				  char *const *argv)
{
	(void)c;
	return setup_command(argc, argv);
}

static enum console_exit do_version(const struct console *c, int argc,
				    char *const *argv)
{
	(void)argc;
	(void)argv;
	if (c->json)
		(void)printf("{\"version\": \"%s\"}\n", KEYHOLE_VERSION);
	else
		(void)printf("keyhole %s\n", KEYHOLE_VERSION);
	return CONSOLE_DONE;
}

static enum console_exit do_help(const struct console *c, int argc,
				 char *const *argv)
{
	(void)c;
	(void)argc;
	(void)argv;
	console_help();
	return CONSOLE_DONE;
}

static const struct command commands[] = {
	{ "setup", SETUP_USAGE, "the first run of this node, or again",
	  do_setup },
	{ "status", "status", "what this node is doing", do_status },
	{ "top", "top", "the same on a screen that follows it", do_top },
	{ "connect",
	  "connect NODE [--monitor|--local-monitor|--mode MODE]\n"
	  "                       [--permanent] [--wait SECONDS]",
	  "link to a node: NUMBER, NUMBER@HOST:PORT or ADDRESS:PORT",
	  do_connect },
	{ "lookup", "lookup NUMBER", "what each source says of where a node is",
	  do_lookup },
	{ "disconnect", "disconnect NODE|--all", "end a link, or all",
	  do_disconnect },
	{ "dtmf", "dtmf DIGITS", "send digits over the links", do_dtmf },
	{ "who", "who", "whose radio is keyed, or was last", do_who },
	{ "message", "message NODE|--all TEXT", "words for a node, or all",
	  do_message },
	{ "command", "command NODE DIGITS",
	  "send digits to one node, however far", do_command },
	{ "function", "function DIGITS",
	  "what these digits do when the radio hears them", do_function },
	{ "events", "events", "follow what happens, an object a line",
	  do_events },
	{ "trace", TRACE_USAGE, "record datagrams for Wireshark, or print them",
	  do_trace },
	{ "doctor", DOCTOR_USAGE, "what is wrong and how to mend it",
	  do_doctor },
	{ "levels", LEVELS_USAGE,
	  "audio levels, as they are; --calibrate sets them", do_levels },
	{ "reload", "reload", "read the configuration again", do_reload },
	{ "sim", "sim play FILE | sim cor on|off",
	  "what the simulated radio receives", do_sim },
	{ "keygen", "keygen FILE", "make an identity, print its public key",
	  do_keygen },
	{ "pubkey", "pubkey FILE", "print an identity's public key",
	  do_pubkey },
	{ "import", IMPORT_USAGE, "take over Asterisk's configuration",
	  do_import },
	{ "version", "version", "print the version", do_version },
	{ "help", "help", "this list", do_help },
	{ NULL, NULL, NULL, NULL },
};

static const struct command *find(const char *name)
{
	for (const struct command *k = commands; k->name; k++) {
		if (strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

void console_help(void)
{
	for (const struct command *k = commands; k->name; k++)
		(void)printf("%-11s %s\n", k->name, k->help);
}

const char *console_command(size_t i)
{
	return commands[i].name;
}

enum console_exit console_run(const struct console *c, int argc,
			      char *const *argv)
{
	struct console own = *c;
	char *rest[WORDS_MAX + 1];
	const struct command *k;
	int n = 0;

	if (argc > WORDS_MAX) {
		(void)fprintf(stderr, "keyhole: at most %d words\n", WORDS_MAX);
		return CONSOLE_USAGE;
	}
	/* --json may follow the command as well. */
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			own.json = true;
		else
			rest[n++] = argv[i];
	}
	rest[n] = NULL;
	k = n > 0 ? find(rest[0]) : NULL;
	if (!k) {
		(void)fprintf(stderr,
			      "keyhole: no command %s; keyhole help lists "
			      "them\n",
			      n > 0 ? rest[0] : "");
		return CONSOLE_USAGE;
	}
	return k->fn(&own, n, rest);
}
