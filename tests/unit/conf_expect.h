/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_CONF_EXPECT_H
#define TESTS_UNIT_CONF_EXPECT_H

/* Load a text and compare all that is said about it. */

#include <errno.h>
#include <unistd.h>

#include "config/conf.h"
#include "tests/t.h"

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "ZXhhbXBsZS1rZXktcmVwbGFjZS13aXRoLXlvdXJzISE="
#define NUMBER "node: { number = \"1999\"; };\n"

/* Load a node's @text; its messages, a line each, are the caller's to free. */
static inline char *node_messages(const char *text)
{
	static struct conf_node c;
	struct conf_diags diags = { 0 };
	char *out = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&out, &len);
	const int err = conf_load_node_text(text, &c, &diags);

	T_TRUE(to != NULL);
	T_EQ(diags.n > 0 ? -EINVAL : 0, err);
	conf_diags_print(&diags, "F", to);
	T_EQ(0, fclose(to));
	conf_diags_free(&diags);
	T_TRUE(diags.v == NULL && diags.n == 0);
	conf_node_free(&c);
	return out;
}

static inline void expect(const char *text, const char *want)
{
	char *got = node_messages(text);

	T_STR(want, got);
	free(got);
}

static inline void expect_registrar(const char *text, const char *want)
{
	struct conf_registrar c;
	struct conf_diags diags = { 0 };
	char *got = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&got, &len);

	T_EQ(want[0] ? -EINVAL : 0, conf_load_registrar_text(text, &c, &diags));
	conf_diags_print(&diags, "F", to);
	T_EQ(0, fclose(to));
	T_STR(want, got);
	free(got);
	conf_diags_free(&diags);
	conf_registrar_free(&c);
}

/* The node that @text says without an error. */
static inline void load(const char *text, struct conf_node *c)
{
	struct conf_diags diags = { 0 };
	const int err = conf_load_node_text(text, c, &diags);

	conf_diags_print(&diags, "F", stderr);
	T_EQ(0, err);
	T_EQ(0, diags.n);
}

/* A file of @len octets from @text, then dots; the name is its own. */
static inline const char *temp_file(const char *text, size_t text_len,
				    size_t len)
{
	static char name[64];
	FILE *f;
	int fd;

	(void)snprintf(name, sizeof(name), "/tmp/test_conf.XXXXXX");
	fd = mkstemp(name);
	T_TRUE(fd >= 0);
	f = fdopen(fd, "w");
	T_TRUE(f != NULL);
	T_EQ(text_len, fwrite(text, 1, text_len, f));
	for (size_t i = text_len; i < len; i++)
		T_TRUE(fputc('#', f) != EOF);
	T_EQ(0, fclose(f));
	return name;
}

#endif
