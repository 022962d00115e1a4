/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/console/import.h"
#include "daemon/console/import_take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES 6 /* separated by form feeds */

struct folder {
	const uint8_t *text[FILES];
	size_t len[FILES];
};

/* A file is its number: they can include one another. */
static char *open_file(void *ctx, const char *name, bool may_miss, size_t *len,
		       char why[AST_WHY_MAX])
{
	const struct folder *f = ctx;
	const unsigned i = (unsigned)(unsigned char)name[0] - '0';
	char *text;

	if (i >= FILES || name[1] != '\0') {
		if (!may_miss)
			(void)snprintf(why, AST_WHY_MAX, "is not there");
		return NULL;
	}
	text = malloc(f->len[i] ? f->len[i] : 1);
	if (!text)
		abort();
	if (f->len[i] > 0)
		memcpy(text, f->text[i], f->len[i]);
	*len = f->len[i];
	return text;
}

static void split(const uint8_t *data, size_t size, struct folder *f)
{
	for (size_t i = 0; i < FILES; i++) {
		const uint8_t *end = size > 0 && i + 1 < FILES
					     ? memchr(data, '\f', size)
					     : NULL;

		f->text[i] = data;
		f->len[i] = end ? (size_t)(end - data) : size;
		data += f->len[i] + (end != NULL);
		size -= f->len[i] + (end != NULL);
	}
}

static bool is_line(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ')
			return false;
	}
	return true;
}

/* Property: whatever the files say, what is made of them loads. */
static void take(struct import *im)
{
	char *text;

	if (import_take(im) != 0)
		abort();
	text = import_text(im);
	if (!text || import_check(im, text) != 0)
		abort();
	for (size_t i = 0; i < im->notes_n; i++) {
		if (!is_line(im->notes[i]))
			abort();
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import im = { .dir = "d", .secrets = "/etc/keyhole" };
	struct ast_conf *const conf[FILES] = {
		&im.rpt,       &im.iax,      &im.http,
		&im.simpleusb, &im.usbradio, &im.extensions,
	};
	struct folder f;
	const struct ast_source src = { open_file, NULL, &f };
	bool good = true;

	split(data, size, &f);
	for (size_t i = 0; i < FILES && good; i++) {
		const char name[2] = { (char)('0' + i), '\0' };

		good = ast_read(conf[i], name, &src) == 0;
	}
	if (good && import_find_nodes(&im) == 0) {
		/* The last: it is the one that differs from the defaults. */
		(void)snprintf(im.number, sizeof(im.number), "%s",
			       im.nodes[im.nodes_n - 1]);
		take(&im);
	}
	import_free(&im);
	return 0;
}
