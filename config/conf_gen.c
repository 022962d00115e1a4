/* SPDX-License-Identifier: MIT */

/*
 * Writes what is made from the table of settings:
 *   conf_gen example node|registrar FILE    the example file
 *   conf_gen man node|registrar FILE        the settings in a manual page,
 *                                           between its .SH SETTINGS and the
 *                                           .SH that follows
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/conf.h"

#define PAGE_MAX 262144U
#define HEADING "\n.SH SETTINGS\n"

static int usage(void)
{
	(void)fputs("usage: conf_gen example|man node|registrar FILE\n",
		    stderr);
	return 2;
}

static int complain(const char *file, const char *what)
{
	(void)fprintf(stderr, "conf_gen: %s: %s\n", file, what);
	return EXIT_FAILURE;
}

static int write_example(const char *file, enum conf_program which)
{
	FILE *to = fopen(file, "we");

	if (to)
		conf_example(to, which);
	if (!to || fclose(to) != 0)
		return complain(file, strerror(errno));
	return EXIT_SUCCESS;
}

static int write_man(const char *file, enum conf_program which)
{
	static char page[PAGE_MAX];
	FILE *f = fopen(file, "r+e");
	char *begin, *end;

	if (!f)
		return complain(file, strerror(errno));
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	begin = strstr(page, HEADING);
	end = begin ? strstr(begin + strlen(HEADING), "\n.SH ") : NULL;
	if (!end) {
		(void)fclose(f);
		return complain(file, "it has no .SH SETTINGS");
	}
	rewind(f);
	(void)fwrite(page, 1, (size_t)(begin - page) + strlen(HEADING), f);
	conf_man(f, which);
	(void)fputs(end + 1, f);
	if (fflush(f) != 0 || ftruncate(fileno(f), ftell(f)) != 0 ||
	    fclose(f) != 0)
		return complain(file, strerror(errno));
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	enum conf_program which = CONF_PROGRAM_NODE;

	if (argc != 4)
		return usage();
	if (strcmp(argv[2], "registrar") == 0)
		which = CONF_PROGRAM_REGISTRAR;
	else if (strcmp(argv[2], "node") != 0)
		return usage();
	if (strcmp(argv[1], "example") == 0)
		return write_example(argv[3], which);
	if (strcmp(argv[1], "man") == 0)
		return write_man(argv[3], which);
	return usage();
}
