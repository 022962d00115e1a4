/* SPDX-License-Identifier: MIT */

/* A connect's steps, as a line that grows or as lines. */

#include "daemon/console/progress.h"

#include "tests/t.h"

static char said[1024];
static FILE *to;

static void begin(void)
{
	memset(said, 0, sizeof(said));
	to = fmemopen(said, sizeof(said), "w");
	T_TRUE(to != NULL);
}

static const char *heard(void)
{
	(void)fflush(to);
	return said;
}

static void take(struct progress *p, const char *step, const char *text)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "step", step, "node", "2002",
			      "text", text);

	progress_take(p, o, to);
	json_decref(o);
}

static void on_a_screen_one_line_grows(void)
{
	struct progress p = { .screen = true, .columns = 80 };

	begin();
	take(&p, "looking-up", "looking up 2002");
	T_STR("\r2002: looking up\033[K", heard());
	take(&p, "requesting", "asking the registrar");
	take(&p, "proved", "a path is proved");
	T_STR("\r2002: looking up\033[K"
	      "\r2002: looking up, registrar\033[K"
	      "\r2002: looking up, registrar, path proved\033[K",
	      heard());
	(void)fclose(to);
}

static void it_gives_way_to_success_and_stays_for_failure(void)
{
	struct progress p = { .screen = true, .columns = 80 };

	begin();
	progress_end(&p, true, to);
	T_STR("", heard());
	take(&p, "calling", "calling");
	progress_end(&p, true, to);
	T_STR("\r2002: calling\033[K\r\033[K", heard());
	(void)fclose(to);
	begin();
	take(&p, "calling", "calling");
	progress_end(&p, false, to);
	progress_end(&p, false, to);
	T_STR("\r2002: calling\033[K\n", heard());
	(void)fclose(to);
}

/* A permanent link, or one that is looked for elsewhere. */
static void a_step_that_comes_again_begins_anew(void)
{
	struct progress p = { .screen = true, .columns = 80 };

	begin();
	take(&p, "requesting", "asking the registrar");
	take(&p, "looking-up", "looking up 2002");
	take(&p, "requesting", "asking the registrar");
	T_STR("\r2002: registrar\033[K"
	      "\r2002: registrar, looking up\033[K"
	      "\r2002: registrar\033[K",
	      heard());
	(void)fclose(to);
}

static void a_narrow_screen_shows_the_end(void)
{
	struct progress p = { .screen = true, .columns = 10 };

	begin();
	take(&p, "requesting", "asking the registrar");
	take(&p, "punching", "opening");
	T_STR("\r"
	      "registrar\033[K\r"
	      " punching\033[K",
	      heard());
	(void)fclose(to);
}

static void elsewhere_each_step_is_a_line(void)
{
	struct progress p = { .screen = false };

	begin();
	take(&p, "requesting", "asking the registrar");
	take(&p, "news", "something else");
	take(&p, "calling", "");
	progress_end(&p, false, to);
	T_STR("... asking the registrar\n... something else\n", heard());
	(void)fclose(to);
}

static void a_step_of_no_name_is_a_line_on_a_screen_too(void)
{
	struct progress p = { .screen = true, .columns = 80 };
	json_t *o = json_pack("{s:s}", "text", "measuring the network");

	begin();
	progress_take(&p, o, to);
	progress_take(&p, NULL, to);
	T_STR("... measuring the network\n", heard());
	json_decref(o);
	(void)fclose(to);
}

int main(void)
{
	T_RUN(on_a_screen_one_line_grows);
	T_RUN(it_gives_way_to_success_and_stays_for_failure);
	T_RUN(a_step_that_comes_again_begins_anew);
	T_RUN(a_narrow_screen_shows_the_end);
	T_RUN(elsewhere_each_step_is_a_line);
	T_RUN(a_step_of_no_name_is_a_line_on_a_screen_too);
	return T_DONE();
}
