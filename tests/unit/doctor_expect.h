/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_DOCTOR_EXPECT_H
#define TESTS_UNIT_DOCTOR_EXPECT_H

/* What a doctor's check finds, one after the other. */

#include "daemon/doctor/finding.h"
#include "tests/t.h"

static struct doctor d;
static size_t told; /* findings that were expected */

static inline void begin(void)
{
	doctor_end(&d);
	doctor_begin(&d);
	told = 0;
}

static inline const char *text_of(const json_t *f, const char *name)
{
	const char *text = json_string_value(json_object_get(f, name));

	T_TRUE(text != NULL);
	return text ? text : "";
}

static inline void has(const json_t *f, const char *name, const char *part)
{
	const char *text = text_of(f, name);

	if (!strstr(text, part))
		t_fail_str(__FILE__, __LINE__, name, part, text);
}

/* The next finding is @id and @state; what is seen, and what mends it, has
 * these words in it.  What is not well has a cause and a mend. */
static inline void expect(const char *id, const char *state, const char *seen,
			  const char *mend)
{
	const json_t *f = json_array_get(d.list, told++);

	T_TRUE(f != NULL);
	T_STR(id, text_of(f, "id"));
	T_STR(state, text_of(f, "state"));
	has(f, "seen", seen);
	has(f, "mend", mend);
	if (strcmp(state, "bad") == 0 || strcmp(state, "warn") == 0) {
		T_TRUE(text_of(f, "cause")[0] != '\0');
		T_TRUE(text_of(f, "mend")[0] != '\0');
	}
}

/* That was all, and all of it was well or not. */
static inline void end(bool well)
{
	T_EQ(told, json_array_size(d.list));
	T_EQ(well, doctor_all_well(d.list));
	doctor_end(&d);
	told = 0;
}

#endif
