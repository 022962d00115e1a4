/* SPDX-License-Identifier: MIT */

/* keyhole-registrar: the registration server, and the commands that change
 * its directory. */

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "daemon/io/keyfile.h"
#include "daemon/io/rpc.h"
#include "daemon/io/trace_client.h"
#include "daemon/registrar/directory.h"
#include "daemon/registrar/server.h"

#define EXIT_USAGE 2
#define EXIT_NOT_REACHABLE 3

struct args {
	const char *file;
	bool check;
	bool dump;
	bool json;
	bool text;
	char *seconds;           /* --seconds; NULL: none */
	const char *secret_file; /* --md5-secret; NULL: none */
	int argc;
	char *const *argv;
};

static int usage(FILE *to, int status)
{
	(void)fprintf(to,
		      "usage: keyhole-registrar -c FILE [--check | "
		      "--dump-config]\n"
		      "       keyhole-registrar -c FILE node add NUMBER KEY\n"
		      "       keyhole-registrar -c FILE node add NAME "
		      "--md5-secret FILE\n"
		      "       keyhole-registrar -c FILE node remove NUMBER\n"
		      "       keyhole-registrar -c FILE node list\n"
		      "       keyhole-registrar -c FILE key\n"
		      "       keyhole-registrar -c FILE status [--json]\n"
		      "       keyhole-registrar -c FILE " TRACE_USAGE "\n"
		      "       keyhole-registrar --version\n");
	return status;
}

static int complain(const char *why)
{
	(void)fprintf(stderr, "keyhole-registrar: %s\n", why);
	return EXIT_FAILURE;
}

/* --- node --------------------------------------------------------------- */

static bool print_node(void *ctx, const struct directory_node *node)
{
	char key[KEY_TEXT_LEN];

	(void)ctx;
	if (!node->key) {
		(void)printf("%s md5\n", node->number);
		return true;
	}
	key_to_text(node->key, key);
	(void)printf("%s ed25519 %s\n", node->number, key);
	return true;
}

static int node_add(struct directory *d, char *const *argv,
		    char why[DIRECTORY_WHY_MAX])
{
	uint8_t key[KEY_PUBLIC_LEN];

	if (!keyfile_key_from_text(argv[1], key)) {
		(void)snprintf(why, DIRECTORY_WHY_MAX,
			       "that is not a public key: it has 44 "
			       "characters of base64, as keyhole keygen "
			       "prints it");
		return -EINVAL;
	}
	return directory_add(d, argv[0], key, why);
}

static int plain_add(struct directory *d, const char *name,
		     const char *secret_file, char why[DIRECTORY_WHY_MAX])
{
	char secret[DIRECTORY_SECRET_MAX + 2];
	int err = keyfile_secret(secret_file, secret, sizeof(secret), why);

	if (err == 0)
		err = directory_add_plain(d, name, secret, why);
	key_wipe(secret, sizeof(secret));
	return err;
}

/* A running registrar would notice by itself within a second. */
static void tell_registrar(const struct conf_registrar *conf)
{
	struct rpc_answer answer = { 0 };
	char why[RPC_WHY_MAX];
	struct rpc *rpc = rpc_open(conf->control.socket, why);

	if (!rpc)
		return;
	if (rpc_call(rpc, "refresh", NULL, NULL, NULL, &answer) == 0 &&
	    !answer.result)
		(void)complain(answer.message);
	rpc_answer_free(&answer);
	rpc_close(rpc);
}

enum node_verb { NODE_ADD, NODE_ADD_PLAIN, NODE_REMOVE, NODE_LIST };

static bool node_verb(const struct args *a, enum node_verb *out)
{
	const char *word = a->argc >= 2 ? a->argv[1] : "";

	if (strcmp(word, "add") == 0 && a->argc == 4 && !a->secret_file)
		*out = NODE_ADD;
	else if (strcmp(word, "add") == 0 && a->argc == 3 && a->secret_file)
		*out = NODE_ADD_PLAIN;
	else if (strcmp(word, "remove") == 0 && a->argc == 3)
		*out = NODE_REMOVE;
	else if (strcmp(word, "list") == 0 && a->argc == 2)
		*out = NODE_LIST;
	else
		return false;
	return true;
}

static int node_do(struct directory *d, enum node_verb verb,
		   const struct args *a, char why[DIRECTORY_WHY_MAX])
{
	switch (verb) {
	case NODE_ADD:
		return node_add(d, a->argv + 2, why);
	case NODE_ADD_PLAIN:
		return plain_add(d, a->argv[2], a->secret_file, why);
	case NODE_REMOVE:
		return directory_remove(d, a->argv[2], why);
	case NODE_LIST:
		break;
	}
	return directory_each(d, print_node, NULL, why);
}

static int node_command(const struct conf_registrar *conf, const struct args *a)
{
	char why[DIRECTORY_WHY_MAX] = "";
	struct directory *d;
	enum node_verb verb;
	int err;

	if (!node_verb(a, &verb))
		return usage(stderr, EXIT_USAGE);
	err = directory_open(&d, conf->registrar.directory, true, why);
	if (err != 0)
		return complain(why);
	err = node_do(d, verb, a, why);
	directory_close(d);
	if (err != 0)
		return complain(why);
	if (verb != NODE_LIST)
		tell_registrar(conf);
	return EXIT_SUCCESS;
}

/* --- status ------------------------------------------------------------- */

static int print_status(const json_t *o, bool json)
{
	const json_t *opens = json_object_get(o, "opens");
	const json_t *plain = json_object_get(o, "plain");
	const json_t *relay = json_object_get(o, "relay");

	if (json) {
		(void)json_dumpf(o, stdout, JSON_INDENT(2));
		(void)printf("\n");
		return EXIT_SUCCESS;
	}
	(void)printf(
		"%lld nodes, %lld online, %.1f PINGs a second\n"
		"%lld plain clients, %lld online\n"
		"%lld OPENs under way, %lld asked for, %lld accepted\n",
		(long long)json_integer_value(json_object_get(o, "nodes")),
		(long long)json_integer_value(json_object_get(o, "online")),
		json_number_value(json_object_get(o, "pings_per_s")),
		(long long)json_integer_value(
			json_object_get(plain, "clients")),
		(long long)json_integer_value(json_object_get(plain, "online")),
		(long long)json_integer_value(json_object_get(opens, "now")),
		(long long)json_integer_value(json_object_get(opens, "asked")),
		(long long)json_integer_value(
			json_object_get(opens, "accepted")));
	if (json_is_true(json_object_get(relay, "enabled")))
		(void)printf("%lld nodes at the relay, with %lld others\n",
			     (long long)json_integer_value(
				     json_object_get(relay, "allocations")),
			     (long long)json_integer_value(
				     json_object_get(relay, "peers")));
	return EXIT_SUCCESS;
}

static int status_command(const struct conf_registrar *conf, bool json)
{
	struct rpc_answer answer;
	char why[RPC_WHY_MAX];
	struct rpc *rpc = rpc_open(conf->control.socket, why);
	int status, err;

	if (!rpc) {
		(void)complain(why);
		return EXIT_NOT_REACHABLE;
	}
	err = rpc_call(rpc, "status", NULL, NULL, NULL, &answer);
	if (err != 0) {
		(void)complain(rpc_trouble(err));
		status = EXIT_NOT_REACHABLE;
	} else if (!answer.result) {
		status = complain(answer.message);
	} else {
		status = print_status(answer.result, json);
	}
	rpc_answer_free(&answer);
	rpc_close(rpc);
	return status;
}

static int key_command(const struct conf_registrar *conf)
{
	struct key_identity id;
	char why[KEYFILE_WHY_MAX];
	char text[KEY_TEXT_LEN];

	if (keyfile_load(conf->registrar.key_file, &id, why) != 0)
		return complain(why);
	key_to_text(id.public_key, text);
	(void)printf("%s\n", text);
	key_wipe(&id, sizeof(id));
	return EXIT_SUCCESS;
}

/* --- main --------------------------------------------------------------- */

static int trace_command(const struct conf_registrar *conf,
			 const struct args *a)
{
	struct trace_want want = {
		.program = "keyhole-registrar",
		.socket = conf->control.socket,
		.form = a->json ? TRACE_JSON : TRACE_PCAP,
	};
	static char text[] = "--text", seconds[] = "--seconds";
	char *words[5];
	int n = 0;

	/* One file at most is as it should be. */
	for (int i = 1; i < a->argc && n < 2; i++)
		words[n++] = a->argv[i];
	if (a->text)
		words[n++] = text;
	if (a->seconds) {
		words[n++] = seconds;
		words[n++] = a->seconds;
	}
	if (!trace_options(n, words, &want))
		return usage(stderr, EXIT_USAGE);
	return trace_follow(&want);
}

static int command(const struct conf_registrar *conf, const struct args *a)
{
	if (a->check)
		return EXIT_SUCCESS;
	if (a->dump) {
		conf_dump_registrar(conf, stdout);
		return EXIT_SUCCESS;
	}
	if (a->argc == 0)
		return server_run(conf, a->file);
	if (strcmp(a->argv[0], "node") == 0)
		return node_command(conf, a);
	if (strcmp(a->argv[0], "status") == 0 && a->argc == 1)
		return status_command(conf, a->json);
	if (strcmp(a->argv[0], "trace") == 0)
		return trace_command(conf, a);
	if (strcmp(a->argv[0], "key") == 0 && a->argc == 1)
		return key_command(conf);
	return usage(stderr, EXIT_USAGE);
}

static int run(const struct args *a)
{
	struct conf_diags diags = { 0 };
	struct conf_registrar conf;
	int status, err;

	if (sodium_init() < 0)
		return complain("no source of randomness");
	err = conf_load_registrar(a->file, &conf, &diags);
	conf_diags_print(&diags, a->file, stderr);
	conf_diags_free(&diags);
	if (err != 0)
		return EXIT_FAILURE;
	status = command(&conf, a);
	conf_registrar_free(&conf);
	return status;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "dump-config", no_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "md5-secret", required_argument, NULL, 'm' },
		{ "text", no_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct args a = { 0 };
	int opt;

	while ((opt = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			a.file = optarg;
			break;
		case 'k':
			a.check = true;
			break;
		case 'd':
			a.dump = true;
			break;
		case 'j':
			a.json = true;
			break;
		case 'm':
			a.secret_file = optarg;
			break;
		case 't':
			a.text = true;
			break;
		case 's':
			a.seconds = optarg;
			break;
		case 'v':
			(void)printf("keyhole-registrar %s\n", KEYHOLE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			return usage(stdout, EXIT_SUCCESS);
		default:
			return usage(stderr, EXIT_USAGE);
		}
	}
	if (!a.file)
		return usage(stderr, EXIT_USAGE);
	a.argc = argc - optind;
	a.argv = argv + optind;
	return run(&a);
}
