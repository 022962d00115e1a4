/* SPDX-License-Identifier: MIT */

#include "daemon/doctor/finding.h"

#include <string.h>

#include "daemon/io/control.h"

void doctor_begin(struct doctor *d)
{
	d->list = json_array();
}

void doctor_end(struct doctor *d)
{
	json_decref(d->list);
	d->list = NULL;
}

const char *doctor_state_text(enum doctor_state s)
{
	static const char *const text[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_SKIPPED] = "skipped",
		[DOCTOR_WARN] = "warn",
		[DOCTOR_BAD] = "bad",
	};

	return text[s];
}

static json_t *text_of(const char *text)
{
	return control_text(text ? text : "");
}

void doctor_find(struct doctor *d, const struct doctor_finding *f)
{
	(void)json_array_append_new(
		d->list, json_pack("{s:s, s:s, s:o, s:o, s:o}", "id", f->id,
				   "state", doctor_state_text(f->state), "seen",
				   text_of(f->seen), "cause", text_of(f->cause),
				   "mend", text_of(f->mend)));
}

bool doctor_all_well(const json_t *list)
{
	const json_t *f;
	size_t i;

	json_array_foreach(list, i, f)
	{
		const char *s = json_string_value(json_object_get(f, "state"));

		if (!s || (strcmp(s, "ok") != 0 && strcmp(s, "skipped") != 0))
			return false;
	}
	return json_is_array(list);
}
