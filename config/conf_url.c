/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <string.h>

#include "config/conf_table.h"

/* Nobody's name and password in it: the file is not secret. */
bool conf_text_is_url(const char *text)
{
	const char *host;

	if (text[0] == '\0')
		return true;
	if (strncmp(text, "https://", 8) == 0)
		host = text + 8;
	else if (strncmp(text, "http://", 7) == 0)
		host = text + 7;
	else
		return false;
	if (!isalnum((unsigned char)host[0]))
		return false;
	for (const char *c = host; *c != '\0'; c++) {
		if (!isgraph((unsigned char)*c) || strchr("\"<>\\^`{|}@#", *c))
			return false;
	}
	return true;
}

/* RFC 1035 2.3.1, and figures may come first. */
static bool is_label(const char *text, size_t len)
{
	if (len == 0 || len > 63 || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '-')
			return false;
	}
	return true;
}

bool conf_text_is_domain(const char *text)
{
	while (*text != '\0') {
		const size_t len = strcspn(text, ".");

		if (!is_label(text, len))
			return false;
		text += len;
		if (*text == '.' && *++text == '\0')
			return false;
	}
	return true;
}

bool conf_text_is_https(const char *text)
{
	return conf_text_is_url(text) &&
	       (text[0] == '\0' || strncmp(text, "https", 5) == 0);
}
