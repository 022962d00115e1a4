/* SPDX-License-Identifier: MIT */

/* Long lines on a narrow terminal. */

#include "daemon/console/wrap.h"

#include "daemon/console/plain.h"
#include "tests/t.h"

/* Valid until the next. */
static const char *wrap(const char *text, unsigned columns)
{
	static char out[4096];
	FILE *to = fmemopen(out, sizeof(out), "w");

	T_TRUE(to != NULL);
	wrap_text(to, text, columns);
	(void)fclose(to);
	return out;
}

static void short_lines_stay(void)
{
	T_STR("one\n\n  two\n", wrap("one\n\n  two\n", 5));
	T_STR("exact\n", wrap("exact", 5));
}

static void a_text_goes_on_below_its_begin(void)
{
	T_STR("reach      opened: behind a\n"
	      "           translator\n",
	      wrap("reach      opened: behind a translator\n", 30));
	T_STR("     Mend: open the\n"
	      "     port\n",
	      wrap("     Mend: open the port\n", 20));
	T_STR("no label at\nall here\n", wrap("no label at all here\n", 12));
}

static void what_has_no_blank_is_cut(void)
{
	T_STR("12345\n67890\n12\n", wrap("123456789012\n", 5));
	T_STR("a\nb\n", wrap("a b", 1));
	/* A label with no room beside it. */
	T_STR("label\nlong\ntext\n", wrap("label      long text\n", 6));
}

static void characters_are_counted_and_not_octets(void)
{
	plain_utf8(true);
	T_STR("\303\274\303\274\303\274\303\274\n",
	      wrap("\303\274\303\274\303\274\303\274", 4));
	T_STR("\303\274\303\274\n\303\274\303\274\n",
	      wrap("\303\274\303\274 \303\274\303\274", 4));
}

static void nothing_is_lost(void)
{
	const char *text = "link       2002 (out, transceive) for 3m 10s, "
			   "opened at 203.0.113.11:4569\n";

	for (unsigned columns = 1; columns < 90; columns++) {
		const char *got = wrap(text, columns);
		const char *want = text;

		for (; *got != '\0'; got++) {
			if (*got == ' ' || *got == '\n')
				continue;
			want += strspn(want, " \n");
			T_EQ(*want++, *got);
		}
		want += strspn(want, " \n");
		T_STR("", want);
	}
}

int main(void)
{
	T_RUN(short_lines_stay);
	T_RUN(a_text_goes_on_below_its_begin);
	T_RUN(what_has_no_blank_is_cut);
	T_RUN(characters_are_counted_and_not_octets);
	T_RUN(nothing_is_lost);
	return T_DONE();
}
