/* SPDX-License-Identifier: MIT */

/* What setup reads and writes: the settings, the node's key, its password. */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/conf_text.h"
#include "daemon/console/setup.h"
#include "daemon/io/keyfile.h"

static const char header[] =
	"# Settings of this node, made by keyhole setup, which edits them when "
	"it is run\n# again.  keyholed.conf(5) has all that there are.\n\n";

static int failed(const char *what, const char *why)
{
	(void)fprintf(stderr, "keyhole: %s: %s\n", what, why);
	return -1;
}

/* --- owners and folders ------------------------------------------------- */

/* To the service's user, if there is one and we may. */
static int give(int fd, const char *name)
{
	/* Nobody else asks in this process. */
	const struct passwd *user =
		getpwnam(SETUP_USER); /* NOLINT(*-mt-unsafe) */
	struct stat st;

	if (geteuid() != 0 || !user)
		return 0;
	/* Others may write where it is: not what they put in its place. */
	if (fstat(fd, &st) != 0 || (!S_ISDIR(st.st_mode) &&
				    (!S_ISREG(st.st_mode) || st.st_nlink != 1)))
		return failed(name, "is not the file that was made");
	if (fchown(fd, user->pw_uid, user->pw_gid) != 0)
		return failed(name, strerror(errno));
	return 0;
}

static int give_path(const char *path, int flags)
{
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags);
	int err;

	if (fd < 0)
		return failed(path, strerror(errno));
	err = give(fd, path);
	(void)close(fd);
	return err;
}

/* One that somebody made as root, whom the service cannot ask. */
static int give_if_roots(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0 || st.st_uid != 0)
		return 0;
	return give_path(path, 0);
}

/* The folder of @file, made when it is missing. */
static int have_folder(const char *file, mode_t mode, bool of_the_service)
{
	char *folder = strdup(file);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	int err = 0;

	if (!folder)
		return failed(file, "out of memory");
	if (slash && slash != folder) {
		*slash = '\0';
		if (mkdir(folder, mode) == 0)
			err = of_the_service ? give_path(folder, O_DIRECTORY)
					     : 0;
		else if (errno != EEXIST)
			err = failed(folder, strerror(errno));
	}
	free(folder);
	return err;
}

/* --- settings ----------------------------------------------------------- */

/* One in which only the number is missing, as in the example, will do. */
static bool load_numberless(const char *text, struct conf_node *out)
{
	static const struct conf_edit number = { "node", "number", "\"0\"" };
	struct conf_diags diags = { 0 };
	char why[CONF_EDIT_WHY_MAX];
	char *made = NULL;
	const bool ok = conf_edit_text(text, &number, 1, &made, why) == 0 &&
			conf_load_node_text(made, out, &diags) == 0;

	if (ok)
		out->node.number[0] = '\0';
	conf_diags_free(&diags);
	free(made);
	return ok;
}

int setup_read(const char *config, struct setup_file *out)
{
	struct conf_diags diags = { 0 };
	char *text = NULL;
	struct stat st;
	int err = 0;

	*out = (struct setup_file){ .existing = true };
	if (stat(config, &st) != 0 && errno == ENOENT) {
		out->existing = false;
		conf_node_defaults(&out->is);
		return 0;
	}
	if (conf_text_read(config, &text, &diags) != 0 ||
	    (conf_load_node_text(text, &out->is, &diags) != 0 &&
	     !load_numberless(text, &out->is))) {
		conf_diags_print(&diags, config, stderr);
		err = failed(config, "has to be mended, or moved away, first");
	}
	conf_diags_free(&diags);
	free(text);
	return err;
}

int setup_write(const struct setup_facts *facts, const struct setup_plan *plan,
		bool *changed)
{
	char why[CONF_EDIT_WHY_MAX];
	struct setup_edits edits;
	int err = 0;

	setup_edits(facts, plan, &edits);
	*changed = edits.n > 0 || !facts->existing;
	if (!*changed)
		return 0;
	if (facts->existing)
		err = conf_edit_file_kept(facts->config, edits.v, edits.n, why);
	else if (have_folder(facts->config, 0755, false) != 0)
		return -1;
	else
		err = conf_edit_new(facts->config, header, edits.v, edits.n,
				    why);
	if (err == 0)
		return 0;
	(void)fprintf(stderr, "keyhole: %s\n", why);
	return -1;
}

/* --- secrets ------------------------------------------------------------ */

int setup_key(const char *file, char key[CONF_KEY_TEXT_LEN])
{
	struct key_identity id;
	char why[KEYFILE_WHY_MAX];
	int err;

	if (have_folder(file, 0700, true) != 0)
		return -1;
	err = keyfile_create(file, &id, why);
	if (err == -EEXIST)
		err = keyfile_load(file, &id, why);
	if (err != 0) {
		(void)fprintf(stderr, "keyhole: %s\n", why);
		return -1;
	}
	if (give_if_roots(file) != 0)
		return -1;
	key_to_text(id.public_key, key);
	return 0;
}

static int put_secret(int fd, const char *name, const char *text)
{
	const size_t len = strlen(text);

	if (write(fd, text, len) != (ssize_t)len || write(fd, "\n", 1) != 1 ||
	    fsync(fd) != 0)
		return failed(name, errno ? strerror(errno) : "not written");
	return give(fd, name);
}

int setup_secret(const struct setup_plan *plan)
{
	const char *file = plan->secret_file;
	char *made = NULL;
	int fd, err;

	if (plan->network != SETUP_ALLSTARLINK || !plan->secret[0])
		return 0;
	if (have_folder(file, 0700, true) != 0)
		return -1;
	if (asprintf(&made, "%s.XXXXXX", file) < 0)
		return failed(file, "out of memory");
	fd = mkostemp(made, O_CLOEXEC);
	if (fd < 0) {
		free(made);
		return failed(file, strerror(errno));
	}
	err = put_secret(fd, file, plan->secret);
	(void)close(fd);
	if (err == 0 && rename(made, file) != 0)
		err = failed(file, strerror(errno));
	if (err != 0)
		(void)unlink(made);
	free(made);
	return err;
}

/* Nowhere else does a setting make root give a file away. */
static int give_ours(const char *file)
{
	static const char *const ours[] = { "/etc/keyhole/",
					    "/var/lib/keyhole/" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		const size_t len = strlen(ours[i]);

		if (strncmp(file, ours[i], len) == 0 &&
		    !strchr(file + len, '/'))
			return give_if_roots(file);
	}
	return 0;
}

int setup_give_secrets(const struct conf_node *is)
{
	int err = 0;

	for (size_t i = 0; i < is->registrars_n && err == 0; i++)
		err = give_ours(is->registrars[i].secret_file);
	for (size_t i = 0; i < is->peers_n && err == 0; i++)
		err = give_ours(is->peers[i].secret_file);
	for (size_t i = 0; i < is->accept.users_n && err == 0; i++)
		err = give_ours(is->accept.users[i].secret_file);
	return err;
}
