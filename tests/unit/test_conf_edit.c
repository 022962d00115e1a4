/* SPDX-License-Identifier: MIT */

/* Settings changed in files as people write them. */

#include "config/conf_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/conf.h"
#include "tests/t.h"

static const struct conf_edit rx[] = { { "audio", "rx_db", "-3.0" } };

static void becomes(const char *before, const char *after)
{
	char why[CONF_EDIT_WHY_MAX] = "";
	char *out;

	T_EQ(0, conf_edit_text(before, rx, 1, &out, why));
	T_STR(after, out);
	free(out);
}

static void is_refused(const char *text)
{
	char why[CONF_EDIT_WHY_MAX] = "";
	char *out;

	T_EQ((uint64_t)-EINVAL,
	     (uint64_t)conf_edit_text(text, rx, 1, &out, why));
	T_TRUE(out == NULL);
	T_TRUE(why[0] != '\0');
}

static void a_value_is_replaced_and_nothing_else(void)
{
	becomes("audio = { rx_db = 3.0; };", "audio = { rx_db = -3.0; };");
	becomes("audio={rx_db=3}", "audio={rx_db=-3.0}");
	becomes("audio : { rx_db : 1e1, tx_a_db : 2.0 };\n",
		"audio : { rx_db : -3.0, tx_a_db : 2.0 };\n");
	becomes("# mine\naudio = {\n\ttx_a_db = 1; // left\n"
		"\trx_db =   /* was 2 */ 7.5 ; # loud\n};\r\nsim = {};\n",
		"# mine\naudio = {\n\ttx_a_db = 1; // left\n"
		"\trx_db =   /* was 2 */ -3.0 ; # loud\n};\r\nsim = {};\n");
	becomes("audio = { rx_db = \"a\" /* b */ \"c\\\"};\"; };",
		"audio = { rx_db = -3.0; };");
}

static void a_setting_that_is_not_there_begins_its_group(void)
{
	becomes("audio = { boost = true; };",
		"audio = { rx_db = -3.0; boost = true; };");
	becomes("audio = {};", "audio = { rx_db = -3.0;};");
	becomes("audio =\n{\n    boost = true\n}\n",
		"audio =\n{\n    rx_db = -3.0;\n    boost = true\n}\n");
	becomes("audio = { # mine\n};\n",
		"audio = { rx_db = -3.0; # mine\n};\n");
	becomes("audio = {\r\n\tboost = true;\r\n};\r\n",
		"audio = {\n\trx_db = -3.0;\r\n\tboost = true;\r\n};\r\n");
}

static void a_group_that_is_not_there_ends_the_file(void)
{
	becomes("", "audio = { rx_db = -3.0; };\n");
	becomes("sim = { }", "sim = { }\naudio = { rx_db = -3.0; };\n");
	becomes("sim = { };\n// the end",
		"sim = { };\n// the end\naudio = { rx_db = -3.0; };\n");
}

static void what_only_looks_like_it_is_let_alone(void)
{
	becomes("# audio = { rx_db = 1; };\naudio = { rx_db = 2; };",
		"# audio = { rx_db = 1; };\naudio = { rx_db = -3.0; };");
	becomes("/* audio = { rx_db = 1; }; */ audio = { rx_db = 2; };",
		"/* audio = { rx_db = 1; }; */ audio = { rx_db = -3.0; };");
	becomes("node = { callsign = \"audio = { rx_db = 1; }\"; };\n"
		"audio = { rx_db = 2; };",
		"node = { callsign = \"audio = { rx_db = 1; }\"; };\n"
		"audio = { rx_db = -3.0; };");
	becomes("peers = ( { audio = { rx_db = 1; }; }, [ 1, 2 ] );\n"
		"rx_db = 4; audio2 = { rx_db = 5; }; audio = { "
		"deeper = { rx_db = 6; }; rx_db2 = 7; rx_db = 8; };",
		"peers = ( { audio = { rx_db = 1; }; }, [ 1, 2 ] );\n"
		"rx_db = 4; audio2 = { rx_db = 5; }; audio = { "
		"deeper = { rx_db = 6; }; rx_db2 = 7; rx_db = -3.0; };");
}

static void what_is_not_understood_is_refused(void)
{
	is_refused("audio = { rx_db = 1; ");
	is_refused("audio = { rx_db = 1; /* }; ");
	is_refused("audio = { rx_db = \"1; };");
	is_refused("audio = { rx_db = \"1\\");
	is_refused("audio = { rx_db = ; };");
	is_refused("audio = { rx_db = { }; };");
	is_refused("audio = { rx_db = ( 1 ); };");
	is_refused("audio = { rx_db 1; };");
	is_refused("audio = 3;");
	is_refused("audio = [ 3 ];");
	is_refused("audio = { rx_db = 1; }; audio = { rx_db = 1; };");
	is_refused("audio = { rx_db = 1; rx_db = 2; };");
	is_refused("@include \"other.conf\"\n");
	is_refused("audio = { rx_db = 1; }; }");
	is_refused("audio = { rx_db = 1; }; ?");
}

/* --- lists --------------------------------------------------------------- */

static void entry_becomes(const char *group, const char *before,
			  const char *after)
{
	const struct conf_edit e = { group, "host", "\"b\"" };
	char why[CONF_EDIT_WHY_MAX] = "";
	char *out;

	T_EQ(0, conf_edit_text(before, &e, 1, &out, why));
	T_STR(after, out);
	free(out);
}

static void an_entry_of_a_list_is_changed_or_added(void)
{
	entry_becomes("registrars[0]", "registrars = ( { host = \"a\"; } );",
		      "registrars = ( { host = \"b\"; } );");
	entry_becomes("registrars[1]",
		      "registrars : (\n# one\n{ port = 1; }, { port = 2; }, );",
		      "registrars : (\n# one\n{ port = 1; }, "
		      "{ host = \"b\"; port = 2; }, );");
	entry_becomes("registrars[1]", "registrars = ( { port = 1; } /* x */ )",
		      "registrars = ( { port = 1; }, { host = \"b\"; } /* x */ "
		      ")");
	entry_becomes("registrars[0]", "registrars = ();\nnode = {};",
		      "registrars = ( { host = \"b\"; });\nnode = {};");
	entry_becomes("registrars[0]", "# registrars = ();",
		      "# registrars = ();\nregistrars = ( { host = \"b\"; } "
		      ");\n");
}

static void entry_is_refused(const char *group, const char *text)
{
	const struct conf_edit e = { group, "host", "\"b\"" };
	char why[CONF_EDIT_WHY_MAX] = "";
	char *out;

	T_EQ((uint64_t)-EINVAL,
	     (uint64_t)conf_edit_text(text, &e, 1, &out, why));
	T_TRUE(out == NULL);
	T_TRUE(why[0] != '\0');
}

static void an_entry_that_has_no_place_is_refused(void)
{
	entry_is_refused("registrars[1]", "");
	entry_is_refused("registrars[2]", "registrars = ( { port = 1; } );");
	entry_is_refused("registrars[0]", "registrars = { port = 1; };");
	entry_is_refused("registrars[0]", "registrars = [ \"a\" ];");
	entry_is_refused("registrars[0]", "registrars = ( \"a\" );");
	entry_is_refused("registrars[0]", "registrars = ( { host } );");
	entry_is_refused("registrars[1]", "registrars = ( { port = 1; };");
	entry_is_refused("registrars", "registrars = ( { port = 1; } );");
	entry_is_refused("registrars[]", "registrars = ( { port = 1; } );");
	entry_is_refused("registrars[-1]", "registrars = ( { port = 1; } );");
	entry_is_refused("registrars[0]]", "registrars = ( { port = 1; } );");
	entry_is_refused("registrars[0x1]", "registrars = ( { port = 1; } );");
}

static void several_are_changed_at_once(void)
{
	static const struct conf_edit edits[] = {
		{ "audio", "rx_db", "1.0" },
		{ "audio", "tx_a_db", "-2.5" },
		{ "audio", "levels", "\"eeprom\"" },
	};
	char why[CONF_EDIT_WHY_MAX];
	char *out;

	T_EQ(0, conf_edit_text("node = { };\n", edits, 3, &out, why));
	T_STR("node = { };\naudio = { levels = \"eeprom\"; tx_a_db = -2.5; "
	      "rx_db = 1.0; };\n",
	      out);
	free(out);
}

/* --- files -------------------------------------------------------------- */

static char dir[] = "/tmp/conf_edit.XXXXXX";
static char file[64], link_to[64];

static void write_file(const char *text)
{
	FILE *f = fopen(file, "we");

	T_TRUE(f != NULL);
	T_TRUE(fputs(text, f) >= 0);
	T_EQ(0, fclose(f));
}

static void holds(const char *text)
{
	char got[4096] = "";
	FILE *f = fopen(file, "re");

	T_TRUE(f != NULL);
	(void)fread(got, 1, sizeof(got) - 1, f);
	T_EQ(0, fclose(f));
	T_STR(text, got);
}

/* Nothing else is left in the folder. */
static void is_alone(void)
{
	T_EQ(0, unlink(file));
	T_EQ(0, unlink(link_to));
	T_EQ(0, rmdir(dir));
	T_EQ(0, mkdir(dir, 0700));
	T_EQ(0, symlink(file, link_to));
}

#define NODE "node = { number = \"2001\"; };\n"

static void a_file_is_replaced_as_a_whole(void)
{
	char why[CONF_EDIT_WHY_MAX];
	struct stat before, after;

	write_file(NODE "audio = { rx_db = 1; }; # mine\n");
	T_EQ(0, chmod(file, 0640));
	T_EQ(0, stat(file, &before));
	T_EQ(0, conf_edit_file(link_to, rx, 1, why));
	holds(NODE "audio = { rx_db = -3.0; }; # mine\n");
	T_EQ(0, stat(file, &after));
	T_TRUE(before.st_ino != after.st_ino);
	T_EQ(before.st_mode, after.st_mode);
	T_EQ(before.st_uid, after.st_uid);
	T_EQ(0, lstat(link_to, &after));
	T_TRUE(S_ISLNK(after.st_mode));
	is_alone();
}

static void a_file_stays_when_the_new_one_would_not_do(void)
{
	static const struct conf_edit far[] = { { "audio", "rx_db", "90.0" } };
	static const struct conf_edit no_row[] = { { "audio", "volume", "1" } };
	static const char bad[] = NODE "audio = { rx_db = true; x = 1; };\n";
	char why[CONF_EDIT_WHY_MAX];

	write_file(NODE);
	T_EQ((uint64_t)-EINVAL, (uint64_t)conf_edit_file(file, far, 1, why));
	T_TRUE(strstr(why, "would not load") != NULL);
	T_EQ((uint64_t)-EINVAL, (uint64_t)conf_edit_file(file, no_row, 1, why));
	holds(NODE);
	write_file(bad);
	T_EQ((uint64_t)-EINVAL, (uint64_t)conf_edit_file(file, rx, 1, why));
	holds(bad);
	is_alone();
}

static void what_cannot_be_read_is_told(void)
{
	char why[CONF_EDIT_WHY_MAX];
	const int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	T_EQ((uint64_t)-ENOENT,
	     (uint64_t)conf_edit_file("/no/such/file", rx, 1, why));
	T_TRUE(strstr(why, "/no/such/file") != NULL);
	T_TRUE(fd >= 0);
	T_EQ(3, write(fd, "a\0b", 3));
	T_EQ((uint64_t)-EILSEQ, (uint64_t)conf_edit_file(file, rx, 1, why));
	T_EQ(0, ftruncate(fd, CONF_FILE_MAX + 1L));
	T_EQ((uint64_t)-EFBIG, (uint64_t)conf_edit_file(file, rx, 1, why));
	T_EQ(0, close(fd));
	is_alone();
}

static void a_copy_is_kept_of_what_is_changed(void)
{
	char why[CONF_EDIT_WHY_MAX], kept[128];
	struct stat st;

	(void)snprintf(kept, sizeof(kept), "%s.bak", file);
	write_file(NODE "audio = { rx_db = 90.0; };\n");
	T_EQ(0, chmod(file, 0640));
	T_EQ(0, conf_edit_file_kept(link_to, rx, 1, why));
	holds(NODE "audio = { rx_db = -3.0; };\n");
	T_EQ(0, stat(kept, &st));
	T_EQ(0640, st.st_mode & 07777U);
	T_EQ(0, rename(kept, file));
	holds(NODE "audio = { rx_db = 90.0; };\n");
	/* None of what was not changed. */
	T_EQ((uint64_t)-EINVAL,
	     (uint64_t)conf_edit_file_kept(
		     file, (struct conf_edit[]){ { "audio", "x", "1" } }, 1,
		     why));
	T_TRUE(stat(kept, &st) != 0);
	is_alone();
}

static void a_new_file_is_made_but_never_over_another(void)
{
	static const struct conf_edit made[] = {
		{ "node", "number", "\"1\"" },
		{ "peers[0]", "key",
		  "\"ZXhhbXBsZS1rZXktcmVwbGFjZS13aXRoLXlvdXJz"
		  "ISE=\"" },
		{ "peers[0]", "number", "\"2\"" },
	};
	char why[CONF_EDIT_WHY_MAX];
	struct stat st;

	T_EQ(0, conf_edit_new(file, "# new\n", made, 3, why));
	holds("# new\nnode = { number = \"1\"; };\npeers = ( { number = "
	      "\"2\"; key = \"ZXhhbXBsZS1rZXktcmVwbGFjZS13aXRoLXlvdXJzISE=\"; "
	      "} );\n");
	T_EQ(0, stat(file, &st));
	T_EQ(0644, st.st_mode & 07777U);
	T_EQ((uint64_t)-EEXIST,
	     (uint64_t)conf_edit_new(file, "", made, 1, why));
	T_TRUE(strstr(why, file) != NULL);
	T_EQ(0, unlink(file));
	/* Neither the number nor what there is no row for. */
	T_EQ((uint64_t)-EINVAL,
	     (uint64_t)conf_edit_new(file, "", made + 1, 2, why));
	T_TRUE(stat(file, &st) != 0);
	T_EQ((uint64_t)-ENOENT,
	     (uint64_t)conf_edit_new("/no/such/file", "", made, 1, why));
	write_file("");
	is_alone();
}

int main(void)
{
	T_RUN(a_value_is_replaced_and_nothing_else);
	T_RUN(a_setting_that_is_not_there_begins_its_group);
	T_RUN(a_group_that_is_not_there_ends_the_file);
	T_RUN(what_only_looks_like_it_is_let_alone);
	T_RUN(what_is_not_understood_is_refused);
	T_RUN(an_entry_of_a_list_is_changed_or_added);
	T_RUN(an_entry_that_has_no_place_is_refused);
	T_RUN(several_are_changed_at_once);
	T_TRUE(mkdtemp(dir) != NULL);
	(void)snprintf(file, sizeof(file), "%s/node.conf", dir);
	(void)snprintf(link_to, sizeof(link_to), "%s/link.conf", dir);
	T_EQ(0, symlink(file, link_to));
	T_RUN(a_file_is_replaced_as_a_whole);
	T_RUN(a_file_stays_when_the_new_one_would_not_do);
	T_RUN(what_cannot_be_read_is_told);
	T_RUN(a_copy_is_kept_of_what_is_changed);
	T_RUN(a_new_file_is_made_but_never_over_another);
	T_EQ(0, unlink(link_to));
	T_EQ(0, rmdir(dir));
	return T_DONE();
}
