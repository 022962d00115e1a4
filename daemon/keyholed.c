/* SPDX-License-Identifier: MIT */

/* keyholed: the node daemon. */

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "daemon/app.h"

#define EXIT_USAGE 2

enum task { RUN, CHECK, DUMP };

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

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "dump-config", no_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = NULL;
	enum task task = RUN;
	int opt;

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
	if (sodium_init() < 0) {
		(void)fprintf(stderr, "keyholed: no source of randomness\n");
		return EXIT_FAILURE;
	}
	return task == RUN ? app_run(file) : check(file, task == DUMP);
}
