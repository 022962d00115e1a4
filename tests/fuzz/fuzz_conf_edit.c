/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "config/conf_edit.h"

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

/* What loads says the same after an edit, but for what was edited. */
static void check(struct conf_node *before, const char *edited)
{
	struct conf_diags diags = { 0 };
	static struct conf_node after;
	char *want, *got;

	if (conf_load_node_text(edited, &after, &diags) != 0)
		abort();
	before->audio.rx_db = -3.0;
	before->audio.levels = CONF_LEVELS_EEPROM;
	want = dumped(before);
	got = dumped(&after);
	if (strcmp(want, got) != 0)
		abort();
	free(want);
	free(got);
	conf_diags_free(&diags);
	conf_node_free(&after);
}

/* Property: an edit is refused, or is the edit and nothing else. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conf_edit edits[] = {
		{ "audio", "rx_db", "-3.0" },
		{ "audio", "levels", "\"eeprom\"" },
	};
	struct conf_diags diags = { 0 };
	char why[CONF_EDIT_WHY_MAX];
	struct conf_node conf;
	char *text = malloc(size + 1), *out;
	int err;

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	err = conf_edit_text(text, edits, 2, &out, why);
	if ((err == 0) != (out != NULL))
		abort();
	if (conf_load_node_text(text, &conf, &diags) == 0 && out)
		check(&conf, out);
	conf_diags_free(&diags);
	conf_node_free(&conf);
	free(out);
	free(text);
	return 0;
}
