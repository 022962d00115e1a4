/* SPDX-License-Identifier: MIT */

#include "daemon/console/tty.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/console/plain.h"

bool tty_screen(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

bool tty_colour(void)
{
	const char *no = getenv("NO_COLOR");

	return tty_screen() && (!no || no[0] == '\0');
}

void tty_size(unsigned *columns, unsigned *lines)
{
	struct winsize size;
	const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;

	*columns = known && size.ws_col > 0 ? size.ws_col : TTY_COLUMNS_USUAL;
	*lines = known && size.ws_row > 0 ? size.ws_row : TTY_LINES_USUAL;
}

void tty_charset(void)
{
	/* Only that: figures keep their points. */
	(void)setlocale(LC_CTYPE, "");
	plain_utf8(strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
}
