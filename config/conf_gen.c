/* SPDX-License-Identifier: MIT */

/*
 * Writes what is made from the table of settings:
 *   conf_gen example node|registrar FILE    the example file
 *   conf_gen table node|registrar FILE      the manual's table
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"

static int usage(void)
{
	(void)fputs("usage: conf_gen example|table node|registrar FILE\n",
		    stderr);
	return 2;
}

int main(int argc, char **argv)
{
	enum conf_program which = CONF_PROGRAM_NODE;
	FILE *to;

	if (argc != 4)
		return usage();
	if (strcmp(argv[2], "registrar") == 0)
		which = CONF_PROGRAM_REGISTRAR;
	else if (strcmp(argv[2], "node") != 0)
		return usage();
	if (strcmp(argv[1], "example") != 0 && strcmp(argv[1], "table") != 0)
		return usage();
	to = fopen(argv[3], "we");
	if (to && strcmp(argv[1], "example") == 0)
		conf_example(to, which);
	else if (to)
		conf_manual_table(to, which);
	if (!to || fclose(to) != 0) {
		(void)fprintf(stderr, "conf_gen: %s: %s\n", argv[3],
			      strerror(errno));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
