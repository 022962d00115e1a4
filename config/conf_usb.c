/* SPDX-License-Identifier: MIT */

/* What names a place on the USB. */

#include <ctype.h>

#include "config/conf_table.h"

/* "1-1.2": the bus, then the hubs' ports. */
bool conf_text_is_usb_port(const char *text)
{
	const char *c = text;

	if (*c == '\0')
		return true;
	for (char between = '-';; between = '.') {
		if (!isdigit((unsigned char)*c))
			return false;
		while (isdigit((unsigned char)*c))
			c++;
		if (*c == '\0')
			return between == '.';
		if (*c++ != between)
			return false;
	}
}
