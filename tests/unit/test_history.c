/* SPDX-License-Identifier: MIT */

/* The shell's lines survive it, for their owner alone. */

#include "daemon/console/history.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/t.h"

static char folder[64];

static void expect(const struct history *h, const char *const *lines)
{
	size_t i = 0;

	for (; lines[i]; i++) {
		T_TRUE(i < h->n);
		T_STR(lines[i], h->line[i]);
	}
	T_EQ(i, h->n);
}

static char *path_of(const char *name)
{
	char *path;

	T_TRUE(asprintf(&path, "%s/%s", folder, name) > 0);
	return path;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	T_EQ(0, stat(path, &st));
	return st.st_mode & 07777;
}

static void lines_survive_and_are_there_once(void)
{
	static const char *const want[] = { "connect 2002", "status", "top",
					    NULL };
	struct history h;

	history_open(&h, path_of("once"));
	history_add(&h, "status");
	history_add(&h, "connect 2002");
	history_add(&h, "status");
	history_add(&h, "top");
	history_add(&h, "top");
	expect(&h, want);
	history_close(&h);
	history_open(&h, path_of("once"));
	expect(&h, want);
	T_EQ(0600, mode_of(h.path));
	history_close(&h);
}

static void what_is_not_to_be_kept(void)
{
	static const char *const want[] = { "kept", NULL };
	char longest[HISTORY_OCTETS + 2];
	struct history h;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	history_open(&h, path_of("not"));
	history_add(&h, "");
	history_add(&h, " secret");
	history_add(&h, "escape\033[2J");
	history_add(&h, longest);
	history_add(&h, "kept");
	expect(&h, want);
	history_close(&h);
}

static void two_shells_share_it(void)
{
	static const char *const want[] = { "one", "two", "three", NULL };
	struct history a, b;

	history_open(&a, path_of("both"));
	history_open(&b, path_of("both"));
	history_add(&a, "one");
	history_add(&b, "two");
	history_add(&a, "three");
	expect(&a, want);
	history_close(&a);
	history_close(&b);
}

static void the_oldest_go(void)
{
	struct history h;
	char line[32];

	history_open(&h, path_of("many"));
	for (unsigned i = 0; i < HISTORY_LINES + 7; i++) {
		(void)snprintf(line, sizeof(line), "connect %u", i);
		history_add(&h, line);
	}
	T_EQ(HISTORY_LINES, h.n);
	T_STR("connect 7", h.line[0]);
	history_close(&h);
}

static void a_file_of_any_content_is_read(void)
{
	static const char *const want[] = { "whole", "last", NULL };
	char *path = path_of("foul");
	FILE *f = fopen(path, "w");
	struct history h;

	T_TRUE(f != NULL);
	for (int i = 0; i < 5000; i++)
		(void)fputc(0x01 + i % 9, f);
	(void)fputs("\n\nwhole\n\033[2J\nlast", f);
	(void)fclose(f);
	T_EQ(0, chmod(path, 0644));
	history_open(&h, path);
	expect(&h, want);
	T_EQ(0600, mode_of(path));
	history_close(&h);
}

static void without_a_file_this_shell_has_it(void)
{
	static const char *const want[] = { "status", NULL };
	struct history h;
	char *link;

	history_open(&h, NULL);
	history_add(&h, "status");
	expect(&h, want);
	history_close(&h);
	/* No folder, and another's file. */
	history_open(&h, path_of("no/folder"));
	history_add(&h, "status");
	expect(&h, want);
	history_close(&h);
	link = path_of("link");
	T_EQ(0, symlink("/etc/passwd", link));
	history_open(&h, link);
	T_EQ(0, h.n);
	history_close(&h);
}

static void it_is_where_the_state_is(void)
{
	char *want, *got;

	want = path_of("a/state");
	T_EQ(0, setenv("XDG_STATE_HOME", want, 1));
	free(want);
	want = path_of("a");
	T_EQ(0, mkdir(want, 0755));
	free(want);
	want = path_of("a/state/keyhole/history");
	got = history_path();
	T_STR(want, got);
	free(want);
	free(got);
	want = path_of("a/state/keyhole");
	T_EQ(0700, mode_of(want));
	free(want);
	T_EQ(0, setenv("XDG_STATE_HOME", "not/absolute", 1));
	T_EQ(0, setenv("HOME", folder, 1));
	want = path_of(".local/state/keyhole/history");
	got = history_path();
	T_STR(want, got);
	free(want);
	free(got);
	T_EQ(0, unsetenv("XDG_STATE_HOME"));
	T_EQ(0, setenv("HOME", "", 1));
	T_TRUE(history_path() == NULL);
	T_EQ(0, setenv("HOME", "/dev/null", 1));
	T_TRUE(history_path() == NULL);
}

static void clean(void)
{
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	T_EQ(0, system(command)); // NOLINT(cert-env33-c)
}

int main(void)
{
	(void)snprintf(folder, sizeof(folder), "%s",
		       "/tmp/keyhole-history-XXXXXX");
	T_TRUE(mkdtemp(folder) != NULL);
	T_RUN(lines_survive_and_are_there_once);
	T_RUN(what_is_not_to_be_kept);
	T_RUN(two_shells_share_it);
	T_RUN(the_oldest_go);
	T_RUN(a_file_of_any_content_is_read);
	T_RUN(without_a_file_this_shell_has_it);
	T_RUN(it_is_where_the_state_is);
	clean();
	return T_DONE();
}
