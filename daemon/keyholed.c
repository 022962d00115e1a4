/* SPDX-License-Identifier: MIT */

/* keyholed: the node daemon. */

#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "daemon/app.h"
#include "daemon/guardian.h"
#include "daemon/radio_cm108.h"

#define EXIT_USAGE 2

enum task { RUN, CHECK, DUMP, UNKEY };

static int usage(FILE *to, int status)
{
	(void)fprintf(to, "usage: keyholed -c FILE [--check | --dump-config]\n"
			  "       keyholed --version\n");
	return status;
}

static int check(const char *file, bool dump)
{
	struct conf_diags diags = { 0 };
	struct conf_node conf;
	const int err = conf_load_node(file, &conf, &diags);

	conf_diags_print(&diags, file, stderr);
	conf_diags_free(&diags);
	if (err != 0)
		return EXIT_FAILURE;
	if (dump)
		conf_dump_node(&conf, stdout);
	conf_node_free(&conf);
	return EXIT_SUCCESS;
}

/* The service's last resort when it ended, in whatever way; told by no usage
 * text, since there is nothing else to use it for. */
static int unkey(const char *file)
{
	struct conf_diags diags = { 0 };
	struct fob_config fob;
	struct conf_node conf;
	char why[FOB_WHY_MAX] = "";
	int err = conf_load_node(file, &conf, &diags);

	conf_diags_free(&diags);
	if (err != 0) {
		(void)fprintf(stderr, "keyholed: %s: not readable\n", file);
		return EXIT_FAILURE;
	}
	if (conf.radio.type == CONF_RADIO_CM108)
		err = radio_cm108_config(&conf, &fob, why)
			      ? fob_unkey_once(&fob, why)
			      : -EINVAL;
	conf_node_free(&conf);
	if (err == 0)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "keyholed: %s\n", why);
	return EXIT_FAILURE;
}

/* The guardian first: it must know no thread and no secret. */
static int run(const char *file)
{
	const int err = guardian_start();
	int status;

	if (err != 0)
		(void)fprintf(stderr, "keyholed: no guardian process: %s\n",
			      strerror(-err));
	if (sodium_init() < 0) {
		(void)fprintf(stderr, "keyholed: no source of randomness\n");
		status = EXIT_FAILURE;
	} else {
		status = app_run(file);
	}
	guardian_end();
	return status;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "dump-config", no_argument, NULL, 'd' },
		{ "unkey", no_argument, NULL, 'u' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = NULL;
	enum task task = RUN;
	int opt;

	guardian_if_asked(argc, argv);
	while ((opt = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			file = optarg;
			break;
		case 'k':
			task = CHECK;
			break;
		case 'd':
			task = DUMP;
			break;
		case 'u':
			task = UNKEY;
			break;
		case 'v':
			(void)printf("keyholed %s\n", KEYHOLE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			return usage(stdout, EXIT_SUCCESS);
		default:
			return usage(stderr, EXIT_USAGE);
		}
	}
	if (!file || optind < argc)
		return usage(stderr, EXIT_USAGE);
	switch (task) {
	case RUN:
		return run(file);
	case UNKEY:
		return unkey(file);
	case CHECK:
	case DUMP:
		break;
	}
	return check(file, task == DUMP);
}
