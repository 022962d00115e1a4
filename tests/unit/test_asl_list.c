/* SPDX-License-Identifier: MIT */

/* Lists of nodes: each name once, never too long, hostile ones included. */

#include <stdio.h>
#include <string.h>

#include "proto/asl_list.h"
#include "tests/t.h"

static size_t read_list(struct asl_list *l, const char *text)
{
	uint8_t *copy = t_dup((const uint8_t *)text, strlen(text));
	const size_t bad = asl_list_read(l, (char *)copy, strlen(text));

	free(copy);
	return bad;
}

static void a_list_is_read_and_written(void)
{
	char out[ASL_TEXT_MAX + 1];
	struct asl_list l;
	struct asl_entry e;
	size_t at = 0;

	T_EQ(0, read_list(&l, "T2001,R2002,CW1AW-P"));
	T_TRUE(asl_list_next(&l, &at, &e));
	T_EQ(ASL_TRANSCEIVED, e.mode);
	T_STR("2001", e.name);
	T_TRUE(asl_list_next(&l, &at, &e));
	T_EQ(ASL_MONITORED, e.mode);
	T_TRUE(asl_list_next(&l, &at, &e));
	T_EQ(ASL_CONNECTING, e.mode);
	T_STR("W1AW-P", e.name);
	T_TRUE(!asl_list_next(&l, &at, &e));
	asl_list_format(&l, out);
	T_STR("L T2001,R2002,CW1AW-P", out);
	asl_list_clear(&l);
	asl_list_format(&l, out);
	T_STR("L ", out);
}

static void a_name_is_there_once_with_its_strongest_mode(void)
{
	struct asl_list l;

	T_EQ(0, read_list(&l, "C2001,T2002,R2001,C2002,T200,R2001"));
	T_STR("R2001,T2002,T200", l.text);
	T_EQ('R', asl_list_find(&l, "2001"));
	T_EQ('T', asl_list_find(&l, "200"));
	T_EQ(0, asl_list_find(&l, "20"));
	T_EQ(0, asl_list_find(&l, "2002,T200"));
	T_TRUE(asl_list_add(&l, ASL_TRANSCEIVED, "2001"));
	T_STR("T2001,T2002,T200", l.text);
	T_TRUE(!asl_list_add(&l, ASL_TRANSCEIVED, "a,b"));
}

static void what_is_no_entry_is_left_out_and_counted(void)
{
	struct asl_list l;

	T_EQ(5, read_list(&l, "T,X2001,T2002,,T1234567890123456,T20 01"));
	T_STR("T2002", l.text);
	T_EQ(0, read_list(&l, ""));
	T_EQ(1, read_list(&l, ","));
	T_EQ(0, l.len);
}

static void a_full_list_is_cut_at_an_entry_and_says_so(void)
{
	char out[ASL_TEXT_MAX + 1], name[ASL_NAME_MAX + 1];
	struct asl_list l, again;
	unsigned n = 0;

	asl_list_clear(&l);
	do {
		(void)snprintf(name, sizeof(name), "%u", 2000000 + n++);
	} while (asl_list_add(&l, ASL_TRANSCEIVED, name));
	T_TRUE(l.cut && l.len <= ASL_LIST_MAX);
	T_EQ(ASL_LIST_MAX / 9, n - 1);
	asl_list_format(&l, out);
	T_TRUE(strlen(out) < 1200);
	T_STR(",R000000", out + strlen(out) - 8);
	/* The mark is no node, and stays a mark. */
	(void)asl_list_read(&again, out + 2, strlen(out + 2));
	T_TRUE(asl_list_equal(&l, &again) && again.cut);
	T_EQ(0, asl_list_find(&again, "000000"));
	/* Nothing fits any more, not even what is shorter. */
	T_TRUE(!asl_list_add(&l, ASL_TRANSCEIVED, "1"));
	asl_list_clear(&l);
	l.cut = true;
	asl_list_format(&l, out);
	T_STR("L R000000", out);
}

static void a_list_of_any_length_is_read(void)
{
	char text[4096];
	struct asl_list l;
	size_t len = 0;

	for (unsigned i = 0; len < sizeof(text) - 16; i++)
		len += (size_t)snprintf(text + len, 16, "T%u,", 100000 + i);
	(void)asl_list_read(&l, text, len);
	T_TRUE(l.cut && l.len <= ASL_LIST_MAX);
	T_EQ('T', asl_list_find(&l, "100000"));
}

static void lists_are_compared(void)
{
	struct asl_list a, b;

	(void)read_list(&a, "T1,T2");
	(void)read_list(&b, "T1,T2");
	T_TRUE(asl_list_equal(&a, &b));
	(void)read_list(&b, "T1,R2");
	T_TRUE(!asl_list_equal(&a, &b));
	(void)read_list(&b, "T1,T2,R000000");
	T_TRUE(!asl_list_equal(&a, &b));
	(void)read_list(&b, "T1");
	T_TRUE(!asl_list_equal(&a, &b));
}

int main(void)
{
	T_RUN(a_list_is_read_and_written);
	T_RUN(a_name_is_there_once_with_its_strongest_mode);
	T_RUN(what_is_no_entry_is_left_out_and_counted);
	T_RUN(a_full_list_is_cut_at_an_entry_and_says_so);
	T_RUN(a_list_of_any_length_is_read);
	T_RUN(lists_are_compared);
	return T_DONE();
}
