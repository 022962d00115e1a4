/* SPDX-License-Identifier: MIT */

/* Asterisk's configuration syntax: what is read, and what is refused. */

#include "daemon/console/import_ast.h"

#include "tests/t.h"

struct file {
	const char *name, *text;
};

struct scene {
	const struct file *files; /* ended by a NULL name */
	char notes[1024];
};

static char *open_file(void *ctx, const char *name, bool may_miss, size_t *len,
		       char why[AST_WHY_MAX])
{
	const struct scene *s = ctx;

	for (const struct file *f = s->files; f->name; f++) {
		if (strcmp(f->name, name) == 0) {
			*len = strlen(f->text);
			return (char *)t_dup((const uint8_t *)f->text, *len);
		}
	}
	if (!may_miss)
		(void)snprintf(why, AST_WHY_MAX, "is not there");
	return NULL;
}

static void on_note(void *ctx, struct ast_at at, const char *what,
		    const char *why)
{
	struct scene *s = ctx;
	const size_t len = strlen(s->notes);

	(void)snprintf(s->notes + len, sizeof(s->notes) - len,
		       "%s:%u: %s: %s\n", at.file, at.line, what, why);
}

static int read_files(struct ast_conf *c, struct scene *s)
{
	const struct ast_source src = { open_file, on_note, s };

	return ast_read(c, s->files[0].name, &src);
}

/* The sections, each as [NAME]name=value,... with a ! after a template. */
static char *shown(const struct ast_conf *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		abort();
	for (size_t i = 0; i < c->n; i++) {
		const struct ast_section *s = &c->sections[i];

		(void)fprintf(to, "[%s]%s", s->name, s->is_template ? "!" : "");
		for (size_t j = 0; j < s->n; j++)
			(void)fprintf(to, "%s%s=%s", j ? "," : "",
				      s->vars[j].name, s->vars[j].value);
	}
	(void)fclose(to);
	return text;
}

static void expect_notes(const char *text, const char *want, const char *notes)
{
	const struct file files[] = { { "f", text }, { NULL, NULL } };
	struct scene s = { .files = files };
	struct ast_conf c;
	char *got;

	T_EQ(0, read_files(&c, &s));
	got = shown(&c);
	T_STR(want, got);
	T_STR(notes, s.notes);
	free(got);
	ast_free(&c);
}

static void expect(const char *text, const char *want)
{
	expect_notes(text, want, "");
}

static void refused(const char *text, const char *why)
{
	const struct file files[] = { { "f", text }, { NULL, NULL } };
	struct scene s = { .files = files };
	struct ast_conf c;

	T_EQ(-22, read_files(&c, &s));
	T_STR(why, c.why);
	ast_free(&c);
	T_EQ(0, c.n);
}

static void sections_have_names_and_values(void)
{
	expect("", "");
	expect("[a]\nx=1\ny = two words \n[b]\nx=>1",
	       "[a]x=1,y=two words[b]x=1");
	expect("\xef\xbb\xbf[a]\r\n\tx = 1\r\n", "[a]x=1");
	expect("[a]\nx=\ny==2\nz=a=b", "[a]x=,y==2,z=a=b");
	expect("[a]\n[a]\nx=1", "[a][a]x=1");
}

static void comments_are_left_out(void)
{
	expect("; x\n[a] ; y\nx=1;2\n;y=2\n", "[a]x=1");
	expect("[a]\nx=1\\;2 ; 3", "[a]x=1;2");
	expect("[a]\nx=\\n", "[a]x=\\n");
	expect("[a]\n;-- x=1\ny=2\n--;z=3", "[a]z=3");
	expect("[a]\nx=1 ;-- no --; 2", "[a]x=1  2");
	expect("[a]\n;-- one ;-- two --; x=1\n--;y=2", "[a]y=2");
	expect("[a]\n;---- a line ----\nx=1", "[a]x=1");
}

static void templates_come_before_a_sections_own(void)
{
	expect("[t](!)\nx=1\ny=1\n[a](t)\ny=2", "[t]!x=1,y=1[a]x=1,y=1,y=2");
	expect("[t](!)\nx=1\n[u](!,t)\ny=2\n[a](u, t)",
	       "[t]!x=1[u]!x=1,y=2[a]x=1,y=2,x=1");
	expect("[a]\nx=1\n[b](a)", "[a]x=1[b]x=1");
	expect("[a]\nx=1\n[b]\n[A](+)\ny=2", "[a]x=1,y=2[b]");
	expect("[a](+)\nx=1", "[a]x=1");
	expect("[t](!)\nx=1\n[a]\ny=2\n[a](+,t)", "[t]!x=1[a]y=2,x=1");
	expect_notes("[a](b)", "[a]",
		     "f:1: b: there is no such section to inherit from\n");
	expect_notes("[a](a)", "[a]",
		     "f:1: a: there is no such section to inherit from\n");
}

static void values_can_be_appended(void)
{
	expect("[a]\nx=1\nx+=2\nx += 3", "[a]x=1,x=12,x=123");
	expect("[a]\nx+=2", "[a]x=2");
	expect("[a]\n+=2", "[a]+=2");
}

static void what_is_no_line_is_noted(void)
{
	expect_notes("x=1\n[a]\nhello\n=2\n[b\n#exec /bin/true\n#\n#include\n",
		     "[a]",
		     "f:1: x=1: stands before any section\n"
		     "f:3: hello: neither a section nor NAME = VALUE\n"
		     "f:4: =2: neither a section nor NAME = VALUE\n"
		     "f:5: [b: the bracket is not closed\n"
		     "f:6: #exec: no program is run to read a configuration\n"
		     "f:7: #: neither #include nor #tryinclude of a file\n"
		     "f:8: #include: neither #include nor #tryinclude of a "
		     "file\n");
}

static void the_last_of_a_name_counts(void)
{
	const struct file files[] = {
		{ "f", "[t](!)\nX=1\n[a](t)\nx=2\n[A]\nx=3\n" },
		{ NULL, NULL },
	};
	struct scene s = { .files = files };
	struct ast_conf c;

	T_EQ(0, read_files(&c, &s));
	T_STR("2", ast_var(ast_section(&c, "A"), "x")->value);
	T_EQ(4, ast_var(ast_section(&c, "a"), "X")->at.line);
	T_TRUE(!ast_section(&c, "t"));
	T_TRUE(!ast_var(ast_section(&c, "a"), "y"));
	T_TRUE(!ast_var(NULL, "x"));
	ast_free(&c);
}

static void included_text_stands_where_it_is_included(void)
{
	const struct file files[] = {
		{ "f", "[a]\n#include \"g\"\ny=2\n#include <h>\n#tryinclude i\n"
		       "#include j\nz=3\n" },
		{ "g", "x=1\n" },
		{ "h", "[b]\n" },
		{ NULL, NULL },
	};
	struct scene s = { .files = files };
	struct ast_conf c;
	char *got;

	T_EQ(0, read_files(&c, &s));
	got = shown(&c);
	T_STR("[a]x=1,y=2[b]z=3", got);
	T_STR("f:6: #include j: is not there\n", s.notes);
	T_STR("g", c.sections[0].vars[0].at.file);
	T_EQ(1, c.sections[0].vars[0].at.line);
	T_STR("f", c.sections[0].vars[1].at.file);
	T_EQ(3, c.sections[0].vars[1].at.line);
	free(got);
	ast_free(&c);
}

static void a_file_may_not_include_itself(void)
{
	const struct file files[] = {
		{ "f", "\n#include g\n" },
		{ "g", "#tryinclude f\n" },
		{ NULL, NULL },
	};
	struct scene s = { .files = files };
	struct ast_conf c;

	T_EQ(-22, read_files(&c, &s));
	T_STR("g:1: #include f: it includes itself", c.why);
	ast_free(&c);
}

static void files_have_a_depth_and_a_number(void)
{
	const struct file deep[] = {
		{ "0", "#include 1" }, { "1", "#include 2" },
		{ "2", "#include 3" }, { "3", "#include 4" },
		{ "4", "#include 5" }, { "5", "#include 6" },
		{ "6", "#include 7" }, { "7", "#include 8" },
		{ "8", "" },           { NULL, NULL },
	};
	char text[AST_FILES_MAX * 12 + 1] = "";
	const struct file many[] = {
		{ "f", text },
		{ "g", "" },
		{ NULL, NULL },
	};
	struct scene s = { .files = deep };
	struct ast_conf c;

	T_EQ(-22, read_files(&c, &s));
	T_STR("7:1: #include 8: more than 8 files deep", c.why);
	ast_free(&c);
	for (size_t i = 0; i < AST_FILES_MAX; i++)
		memcpy(text + 11 * i, "#include g\n", 12);
	s.files = many;
	T_EQ(-22, read_files(&c, &s));
	T_STR("f:64: #include g: more than 64 files", c.why);
	ast_free(&c);
}

static char *repeated(const char *what, size_t n, const char *before)
{
	const size_t len = strlen(what);
	char *text = malloc(strlen(before) + n * len + 1);

	if (!text)
		abort();
	memcpy(text, before, strlen(before));
	for (size_t i = 0; i < n; i++)
		memcpy(text + strlen(before) + i * len, what, len);
	text[strlen(before) + n * len] = '\0';
	return text;
}

static void bounds_are_kept(void)
{
	char *text = repeated("x", AST_LINE_MAX - 2, "[a]\nx=");

	expect("[a]\nx=1\n", "[a]x=1");
	{
		const struct file files[] = { { "f", text }, { NULL, NULL } };
		struct scene s = { .files = files };
		struct ast_conf c;

		T_EQ(0, read_files(&c, &s));
		T_EQ(AST_LINE_MAX - 2, strlen(c.sections[0].vars[0].value));
		ast_free(&c);
	}
	free(text);
	text = repeated("x", AST_LINE_MAX - 1, "[a]\nx=");
	refused(text, "f:2: a line of more than 8191 octets");
	free(text);
	text = repeated("x+=1234567890\n", 820, "[a]\n");
	refused(text, "f:821: longer than 8191 octets");
	free(text);
	text = repeated("[a]\n", AST_SECTIONS_MAX + 1, "");
	refused(text, "f:2001: too many sections");
	free(text);
	/* Each gets twice the other, again and again. */
	text = repeated("[a](+,b,b)\n[b](+,a,a)\n", 20, "[a]\nx=1\n[b]\nx=1\n");
	refused(text, "f:15: too many settings");
	free(text);
	text = repeated("\n", AST_FILE_MAX + 1, "");
	refused(text, "f: more than 1048576 octets");
	free(text);
}

static char *open_binary(void *ctx, const char *name, bool may_miss,
			 size_t *len, char why[AST_WHY_MAX])
{
	(void)ctx;
	(void)name;
	(void)may_miss;
	(void)why;
	*len = 4;
	return (char *)t_dup((const uint8_t *)"[a\0]", 4);
}

static void what_is_no_text_is_refused(void)
{
	const struct ast_source src = { open_binary, NULL, NULL };
	struct ast_conf c;

	T_EQ(-22, ast_read(&c, "f", &src));
	T_STR("f: is no text", c.why);
	ast_free(&c);
	refused("[a]\n\n;-- x\n[b]\n",
		"f:3: a comment ;-- without its end --;");
}

static void a_file_that_is_not_there_is_an_error(void)
{
	const struct file files[] = { { NULL, NULL } };
	struct scene s = { .files = files };
	const struct ast_source src = { open_file, on_note, &s };
	struct ast_conf c;

	T_EQ(-22, ast_read(&c, "f", &src));
	T_STR("f: is not there", c.why);
	ast_free(&c);
}

int main(void)
{
	T_RUN(sections_have_names_and_values);
	T_RUN(comments_are_left_out);
	T_RUN(templates_come_before_a_sections_own);
	T_RUN(values_can_be_appended);
	T_RUN(what_is_no_line_is_noted);
	T_RUN(the_last_of_a_name_counts);
	T_RUN(included_text_stands_where_it_is_included);
	T_RUN(a_file_may_not_include_itself);
	T_RUN(files_have_a_depth_and_a_number);
	T_RUN(bounds_are_kept);
	T_RUN(what_is_no_text_is_refused);
	T_RUN(a_file_that_is_not_there_is_an_error);
	return T_DONE();
}
