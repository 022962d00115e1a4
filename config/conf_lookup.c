/* SPDX-License-Identifier: MIT */

/* What is needed to look up nodes. */

#include <string.h>

#include "config/conf_table.h"

static bool is_port(const char *text)
{
	const size_t digits = strspn(text, "0123456789");
	unsigned port = 0;

	if (digits == 0 || digits > 5 || text[digits] != '\0')
		return false;
	for (; *text; text++)
		port = port * 10 + (unsigned)(*text - '0');
	return port >= 1 && port <= 65535;
}

bool conf_text_is_server(const char *text)
{
	const bool bracket = *text == '[';
	const char *end = strchr(text, bracket ? ']' : ':');
	char addr[46];
	size_t len;

	if (conf_text_is_ipv6(text) || conf_text_is_ipv4(text))
		return true;
	if (!end)
		return false;
	text += bracket;
	len = (size_t)(end - text);
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	end += bracket;
	return (bracket ? conf_text_is_ipv6(addr) : conf_text_is_ipv4(addr)) &&
	       *end == ':' && is_port(end + 1);
}

bool conf_text_is_pattern(const char *text)
{
	const size_t len = strspn(text, "0123456789X");

	return len > 0 && (text[len] == '\0' ||
			   (text[len] == '*' && text[len + 1] == '\0'));
}
