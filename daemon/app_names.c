/* SPDX-License-Identifier: MIT */

/* Whose a node is, from the file of lookup.names and the configured users: in
 * the status, in events and for who types a number. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/app.h"
#include "daemon/io/log.h"
#include "daemon/names_io.h"

struct app_names {
	char path[CONF_PATH_MAX + 1];
	struct file_table *file;
	const struct names *table; /* NULL: not read yet */
};

static void on_table(void *ctx, const void *table)
{
	struct app_names *m = ctx;

	m->table = table;
}

int app_names_configure(struct app *a)
{
	const char *path = a->conf.lookup.names;
	struct app_names *m;

	if (a->names && strcmp(a->names->path, path) == 0)
		return 0;
	a->names = app_names_free(a->names);
	if (path[0] == '\0')
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	memcpy(m->path, path, sizeof(m->path));
	m->file = file_table_new(a->base, &names_file, path, on_table, m);
	if (!m->file) {
		free(m);
		return -ENOMEM;
	}
	a->names = m;
	return 0;
}

struct app_names *app_names_free(struct app_names *m)
{
	if (m)
		m->file = file_table_free(m->file);
	free(m);
	return NULL;
}

static bool is_user(const struct app *a, const char *name, struct name *out)
{
	for (size_t i = 0; i < a->conf.accept.users_n; i++) {
		const struct conf_user *u = &a->conf.accept.users[i];

		if (strcmp(u->name, name) != 0)
			continue;
		*out = (struct name){ .callsign = "" };
		(void)snprintf(out->callsign, sizeof(out->callsign), "%s",
			       u->callsign);
		return true;
	}
	return false;
}

static void add(json_t *o, const char *name, const char *value)
{
	if (value[0] != '\0')
		(void)json_object_set_new(o, name, control_text(value));
}

void app_names_add(const struct app *a, json_t *o, const char *number)
{
	struct name n;

	if (!is_user(a, number, &n) &&
	    !names_find(a->names ? a->names->table : NULL, number, &n))
		return;
	add(o, "callsign", n.callsign);
	add(o, "description", n.description);
	add(o, "location", n.location);
}

void app_names_add_talker(const struct app *a, json_t *o, const char *number)
{
	struct name n;

	if (names_find(a->names ? a->names->table : NULL, number, &n))
		add(o, "talker_callsign", n.callsign);
}

json_t *app_names_json(const struct app *a)
{
	const struct app_names *m = a->names;

	if (!m)
		return json_null();
	return json_pack(
		"{s:s, s:I, s:I, s:o, s:s?}", "file", m->path, "nodes",
		(json_int_t)names_count(m->table), "bad_lines",
		(json_int_t)names_bad(m->table), "age_s",
		m->table ? json_integer((json_int_t)time(NULL) -
					(json_int_t)file_table_written(m->file))
			 : json_null(),
		"trouble", file_table_trouble(m->file));
}
