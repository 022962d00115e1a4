/* SPDX-License-Identifier: MIT */

/* keyhole: the console. */

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/console/console.h"
#include "daemon/console/tty.h"

#define DEFAULT_SOCKET "/run/keyhole/keyholed.sock"

static int usage(FILE *to, int status)
{
	(void)fprintf(to, "usage: keyhole [-s SOCKET] [--json] [COMMAND]\n"
			  "       keyhole --version\n"
			  "Without COMMAND: a shell.  keyhole help lists the "
			  "commands.\n");
	return status;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	struct console c = { .socket = DEFAULT_SOCKET };
	int opt;

	/* "+": what follows the command's name is the command's. */
	while ((opt = getopt_long(argc, argv, "+s:jh", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			c.socket = optarg;
			break;
		case 'j':
			c.json = true;
			break;
		case 'v':
			(void)printf("keyhole %s\n", KEYHOLE_VERSION);
			return CONSOLE_DONE;
		case 'h':
			return usage(stdout, CONSOLE_DONE);
		default:
			return usage(stderr, CONSOLE_USAGE);
		}
	}
	tty_charset();
	if (sodium_init() < 0)
		return CONSOLE_REFUSED;
	if (optind == argc)
		return (int)shell_run(&c);
	return (int)console_run(&c, argc - optind, argv + optind);
}
