/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses its scanner's text at some syntax errors. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static char *dumped(const struct conf_node *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		abort();
	conf_dump_node(c, to);
	if (fclose(to) != 0)
		abort();
	return text;
}

/* What loads must dump, and load again to the same dump. */
static void check_round_trip(struct conf_node *c)
{
	struct conf_diags diags = { 0 };
	static struct conf_node again;
	char *first = dumped(c);
	char *second;

	if (conf_load_node_text(first, &again, &diags) != 0 || diags.n > 0)
		abort();
	second = dumped(&again);
	if (strcmp(first, second) != 0)
		abort();
	free(first);
	free(second);
	conf_node_free(&again);
}

/* Property: a file gives values or messages, never both and never neither. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_diags diags = { 0 };
	static struct conf_registrar r;
	struct conf_node c;
	char *text = malloc(size + 1);
	int err;

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	err = conf_load_node_text(text, &c, &diags);
	if ((err == 0) != (diags.n == 0) || (err != 0 && err != -EINVAL))
		abort();
	if (err == 0)
		check_round_trip(&c);
	conf_diags_free(&diags);
	conf_node_free(&c);
	err = conf_load_registrar_text(text, &r, &diags);
	if ((err == 0) != (diags.n == 0))
		abort();
	conf_diags_free(&diags);
	conf_registrar_free(&r);
	free(text);
	return 0;
}
