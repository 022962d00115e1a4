/* SPDX-License-Identifier: MIT */

/* keyhole import: whole folders as Asterisk has them, and what becomes of
 * each; IMPORT_DATA/NAME/expected*.conf is what is to come out. */

#include "daemon/console/import.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/conf.h"
#include "daemon/io/keyfile.h"
#include "tests/t.h"

#define TEXT_MAX 65536

static const char simplex[] = IMPORT_DATA "/simplex";
static const char hub[] = IMPORT_DATA "/hub";

static char scratch[] = "/tmp/keyhole-import-XXXXXX";

/* --- files ---------------------------------------------------------------- */

static char *contents(const char *file)
{
	char *text = calloc(1, TEXT_MAX);
	FILE *f = fopen(file, "r");

	if (!text || !f) {
		(void)fprintf(stderr, "%s cannot be read\n", file);
		abort();
	}
	T_TRUE(fread(text, 1, TEXT_MAX - 1, f) < TEXT_MAX - 1);
	(void)fclose(f);
	return text;
}

static void put(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	T_TRUE(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static bool exists(const char *file)
{
	return access(file, F_OK) == 0;
}

/* --- the command, in the scratch folder ----------------------------------- */

/* What the last command said on standard error. */
static char said[TEXT_MAX];

static int quietly(int argc, char *const *argv)
{
	const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	int status, file;
	char *text;

	(void)fflush(stdout);
	file = open("said", O_RDWR | O_CREAT | O_TRUNC, 0600);
	T_TRUE(out >= 0 && err >= 0 && file >= 0);
	T_TRUE(dup2(file, STDERR_FILENO) >= 0);
	T_TRUE(freopen("/dev/null", "w", stdout) != NULL);
	status = import_command(argc, argv);
	(void)fflush(stdout);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)close(out);
	(void)close(err);
	(void)close(file);
	text = contents("said");
	(void)snprintf(said, sizeof(said), "%s", text);
	free(text);
	return status;
}

static int run(const char *const *words)
{
	char *argv[8] = { strdup("import") };
	int argc = 1, status;

	for (; *words; words++)
		argv[argc++] = strdup(*words);
	status = quietly(argc, argv);
	while (argc > 0)
		free(argv[--argc]);
	return status;
}
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static void said_has(const char *text)
{
	if (!strstr(said, text)) {
		(void)fprintf(stderr, "%s does not say %s\n", said, text);
		t_die();
	}
}

/* --- golden --------------------------------------------------------------- */

static void comes_out_as(const char *name, const char *number,
			 const char *expected)
{
	char dir[512], file[512];
	struct import im = { .dir = dir, .secrets = "/etc/keyhole" };
	char *want, *got;

	(void)snprintf(dir, sizeof(dir), IMPORT_DATA "/%s", name);
	(void)snprintf(file, sizeof(file), IMPORT_DATA "/%s/%s", name,
		       expected);
	(void)snprintf(im.number, sizeof(im.number), "%s", number);
	T_EQ(0, import_read(&im));
	T_EQ(0, import_take(&im));
	got = import_text(&im);
	T_EQ(0, import_check(&im, got));
	want = contents(file);
	T_STR(want, got);
	free(want);
	free(got);
	import_free(&im);
}

static void a_simplex_node_comes_out_as_expected(void)
{
	comes_out_as("simplex", "2001", "expected.conf");
}

static void two_nodes_come_out_as_two_daemons(void)
{
	comes_out_as("hub", "2100", "expected-2100.conf");
	comes_out_as("hub", "2101", "expected-2101.conf");
}

static void no_secret_is_in_what_is_said(void)
{
	T_EQ(0, RUN(simplex, "--out", "quiet.conf"));
	T_TRUE(!strstr(said, "n0tshown"));
	T_TRUE(!strstr(said, "s3same"));
	said_has("iax.conf:3: register = (not shown): is of a node that "
		 "rpt.conf does not have\n");
}

/* --- what is written -------------------------------------------------------- */

static void what_is_written_loads_and_its_secrets_are_private(void)
{
	struct conf_diags diags = { 0 };
	char secret[64], why[KEYFILE_WHY_MAX];
	struct conf_node conf;
	struct stat st;

	T_EQ(0, RUN(simplex));
	T_EQ(0, conf_load_node("keyholed.conf", &conf, &diags));
	T_STR("2001", conf.node.number);
	T_EQ(CONF_RADIO_CM108, conf.radio.type);
	T_EQ(1, conf.radio.duplex);
	T_EQ(2, conf.registrars_n);
	T_EQ(CONF_HTTPS_AUTO, conf.registrars[0].https);
	T_EQ(3, conf.peers_n);
	/* The daemon takes the secrets as they are. */
	T_EQ(0, keyfile_secret(conf.registrars[0].secret_file, secret,
			       sizeof(secret), why));
	T_STR("n0tshown", secret);
	T_EQ(0, keyfile_secret(conf.peers[1].secret_file, secret,
			       sizeof(secret), why));
	T_STR("s3same", secret);
	/* Of what was not taken over there is none. */
	T_TRUE(!exists("2001-17XX.secret"));
	T_EQ(0, stat(conf.registrars[0].secret_file, &st));
	T_EQ(0600, st.st_mode & 07777);
	T_EQ(0, stat("keyholed.conf", &st));
	T_EQ(0644, st.st_mode & 07777);
	conf_node_free(&conf);
}

static void nothing_is_written_over_without_force(void)
{
	char *text;

	put("keyholed.conf", "mine\n");
	T_EQ(1, RUN(simplex));
	said_has("keyholed.conf: is there already; --force writes over it\n");
	text = contents("keyholed.conf");
	T_STR("mine\n", text);
	free(text);
	/* A secret is no less somebody's. */
	put("2001-1997.secret", "mine\n");
	T_EQ(1, RUN(simplex, "--out", "other.conf"));
	T_TRUE(!exists("other.conf"));
	text = contents("2001-1997.secret");
	T_STR("mine\n", text);
	free(text);
	T_EQ(0, RUN(simplex, "--force"));
	text = contents("2001-1997.secret");
	T_STR("s3same\n", text);
	free(text);
}

static void each_node_has_its_file_or_one_is_named(void)
{
	T_EQ(0, RUN(hub, "--out", "hub.conf"));
	T_TRUE(exists("hub-2100.conf") && exists("hub-2101.conf"));
	T_TRUE(!exists("hub.conf"));
	T_EQ(0, RUN(hub, "--out", "hub.conf", "--node", "2101"));
	T_TRUE(exists("hub.conf"));
	T_EQ(1, RUN(hub, "--out", "x.conf", "--node", "2102"));
	said_has("rpt.conf: has no node 2102\n");
	T_TRUE(!exists("x.conf"));
	T_EQ(1, RUN(hub, "--out", "nowhere/x.conf", "--node", "2100"));
	said_has("nowhere: No such file or directory\n");
}

static void what_it_is_called_with_is_checked(void)
{
	T_EQ(2, RUN("--force"));
	T_EQ(2, RUN("a", "b"));
	T_EQ(2, RUN("a", "--node"));
	T_EQ(2, RUN("a", "--node", "x"));
	T_EQ(2, RUN("a", "--frob"));
	said_has("usage: keyhole import DIR");
}

/* --- what cannot be read -------------------------------------------------- */

static void folder(const char *name)
{
	T_TRUE(mkdir(name, 0700) == 0);
}

static void what_is_no_folder_of_asterisks_is_told(void)
{
	folder("empty");
	put("plain", "");
	T_EQ(1, RUN("nowhere"));
	said_has("nowhere: No such file or directory\n");
	T_EQ(1, RUN("plain"));
	said_has("plain: is no folder\n");
	T_EQ(1, RUN("empty"));
	said_has("empty: has no rpt.conf, as /etc/asterisk of a node does\n");
	put("empty/rpt.conf", "[general]\n[1999](!)\n[nodes]\n");
	T_EQ(1, RUN("empty"));
	said_has("empty/rpt.conf: has no node: a section whose name is its "
		 "number, such as [1999]\n");
}

static void files_that_cannot_be_read_are_told(void)
{
	char *line = malloc(10U << 20);

	folder("bad");
	folder("bad/rpt.conf");
	T_EQ(1, RUN("bad"));
	said_has("bad/rpt.conf: is no file\n");
	T_EQ(0, rmdir("bad/rpt.conf"));
	put("bad/rpt.conf", "[1999]\n#include rpt.conf\n");
	T_EQ(1, RUN("bad"));
	said_has("bad/rpt.conf:2: #include rpt.conf: it includes itself\n");
	T_TRUE(line != NULL);
	memset(line, 'x', (10U << 20) - 1);
	line[(10U << 20) - 1] = '\0';
	put("bad/rpt.conf", line);
	T_EQ(1, RUN("bad"));
	said_has("bad/rpt.conf: more than 1048576 octets\n");
	line[9000] = '\0';
	put("bad/rpt.conf", line);
	free(line);
	T_EQ(1, RUN("bad"));
	said_has("bad/rpt.conf:1: a line of more than 8191 octets\n");
	T_EQ(0, truncate("bad/rpt.conf", 0) || truncate("bad/rpt.conf", 9));
	T_EQ(1, RUN("bad"));
	said_has("bad/rpt.conf: is no text\n");
	put("bad/rpt.conf", "[1999]\n");
	put("bad/iax.conf", ";--\n");
	T_EQ(1, RUN("bad"));
	said_has("bad/iax.conf:1: a comment ;-- without its end --;\n");
	T_TRUE(!exists("bad.conf"));
}

static void nothing_outside_of_the_folder_is_read(void)
{
	char text[512], cwd[64];

	folder("in");
	put("out", "[1998]\n");
	T_TRUE(symlink("../out", "in/link") == 0);
	T_TRUE(getcwd(cwd, sizeof(cwd)) != NULL);
	put("in/good", "[1997]\n");
	(void)snprintf(
		text, sizeof(text),
		"[1999]\n#include ../out\n#include %s/out\n#include link\n"
		"#include *.conf\n#include %s/in/good\n",
		cwd, cwd);
	put("in/rpt.conf", text);
	T_EQ(0, RUN("in", "--out", "in.conf"));
	said_has("rpt.conf:2: #include ../out: is not in in\n");
	said_has("/out: is not in in\n");
	said_has("rpt.conf:4: #include link: is not in in\n");
	said_has("rpt.conf:5: #include *.conf: cannot be read: No such file or "
		 "directory; patterns are not known\n");
	T_TRUE(exists("in-1999.conf") && exists("in-1997.conf"));
	T_TRUE(!exists("in-1998.conf"));
}

static void clean(const char *what)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", what);
	T_EQ(0, system(command)); /* NOLINT(cert-env33-c): our own folder */
}

int main(void)
{
	if (!mkdtemp(scratch) || chdir(scratch) != 0)
		return EXIT_FAILURE;
	T_RUN(a_simplex_node_comes_out_as_expected);
	T_RUN(two_nodes_come_out_as_two_daemons);
	T_RUN(no_secret_is_in_what_is_said);
	clean("./*.secret ./*.conf");
	T_RUN(what_is_written_loads_and_its_secrets_are_private);
	T_RUN(nothing_is_written_over_without_force);
	T_RUN(each_node_has_its_file_or_one_is_named);
	T_RUN(what_it_is_called_with_is_checked);
	T_RUN(what_is_no_folder_of_asterisks_is_told);
	T_RUN(files_that_cannot_be_read_are_told);
	T_RUN(nothing_outside_of_the_folder_is_read);
	clean(scratch);
	return T_DONE();
}
