/* SPDX-License-Identifier: MIT */

/*
 * keyhole doctor: what the daemon finds, and what can be found without it.
 * The daemon's files are those of its configuration: the one that it says, or
 * --config, or the usual one.
 */

#include "daemon/console/doctor.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/conf.h"
#include "daemon/console/ask.h"
#include "daemon/console/interrupt.h"
#include "daemon/console/plain.h"
#include "daemon/doctor/files.h"
#include "daemon/doctor/machine.h"
#include "daemon/io/rpc.h"

#define USUAL_USER "keyhole"
#define WIDTH 80U
#define INDENT 9U

/* --- the daemon --------------------------------------------------------- */

static void on_progress(void *ctx, const char *method, const json_t *params)
{
	const char *text = json_string_value(json_object_get(params, "text"));

	char plain[DOCTOR_TEXT_MAX];

	(void)ctx;
	if (strcmp(method, "progress") != 0 || !text)
		return;
	plain_text(text, plain, sizeof(plain));
	(void)fprintf(stderr, "... %s\n", plain);
}

/* Who may use the socket: it tells, or its folder does. */
static void group_of(const char *path, char out[64])
{
	char folder[128];
	const struct group *g;
	struct stat st;
	char *slash;

	out[0] = '\0';
	(void)snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	if (stat(path, &st) != 0 && stat(folder, &st) != 0)
		return;
	g = getgrgid(st.st_gid);
	if (g)
		(void)snprintf(out, 64, "%s", g->gr_name);
}

struct asked {
	struct doctor_daemon daemon;
	char why[RPC_WHY_MAX], group[64];
	uid_t user;     /* that it runs as, (uid_t)-1: not known */
	json_t *result; /* NULL: there is none */
	bool interrupted;
};

static void ask(const struct console *c, struct asked *out)
{
	struct rpc_answer answer = { 0 };
	struct rpc *rpc;
	int err;

	*out = (struct asked){ .user = (uid_t)-1 };
	out->daemon = (struct doctor_daemon){ .socket = c->socket,
					      .why = out->why,
					      .group = out->group };
	group_of(c->socket, out->group);
	rpc = rpc_open(c->socket, out->why);
	if (!rpc) {
		out->daemon.state = errno == EACCES || errno == EPERM
					    ? DOCTOR_DAEMON_FORBIDDEN
					    : DOCTOR_DAEMON_AWAY;
		return;
	}
	out->user = rpc_user(rpc);
	if (c->shell)
		interrupt_begin(rpc);
	err = rpc_call(rpc, "doctor", NULL,
		       isatty(STDERR_FILENO) ? on_progress : NULL, NULL,
		       &answer);
	out->interrupted = c->shell && interrupt_end() && err != 0;
	if (err != 0 || !answer.result) {
		out->daemon.state = DOCTOR_DAEMON_SILENT;
		(void)snprintf(out->why, sizeof(out->why), "%s",
			       err != 0 ? rpc_trouble(err) : answer.message);
	} else {
		out->result = json_incref(answer.result);
	}
	rpc_answer_free(&answer);
	rpc_close(rpc);
}

/* --- its files ---------------------------------------------------------- */

/* Who is going to read what @file names, when no daemon runs that tells. */
static uid_t usual_user(const char *file)
{
	const struct passwd *p = NULL;

	if (strcmp(file, DOCTOR_CONF_USUAL) == 0)
		p = getpwnam(USUAL_USER);
	return p ? p->pw_uid : (uid_t)-1;
}

static void add_secret(struct doctor *d, const char *path, bool identity,
		       uid_t user)
{
	struct doctor_secret s;
	char why[256];

	if (path[0] == '\0')
		return;
	doctor_secret_look(path, identity, user, why, &s);
	doctor_secret(d, &s);
}

static void add_secrets(struct doctor *d, const struct conf_node *conf,
			uid_t user)
{
	add_secret(d, conf->node.key_file, true, user);
	for (size_t i = 0; i < conf->registrars_n; i++)
		add_secret(d, conf->registrars[i].secret_file, false, user);
	for (size_t i = 0; i < conf->peers_n; i++)
		add_secret(d, conf->peers[i].secret_file, false, user);
	for (size_t i = 0; i < conf->accept.users_n; i++)
		add_secret(d, conf->accept.users[i].secret_file, false, user);
}

#define DISKS_MAX 4U

struct disks {
	char path[DISKS_MAX][CONF_PATH_MAX + 1];
	dev_t dev[DISKS_MAX];
	size_t n;
};

/* The folder of @file, unless it shares a disk with one before. */
static void add_disk(struct disks *k, const char *file)
{
	char path[CONF_PATH_MAX + 1], *slash;
	struct stat st = { 0 };

	(void)snprintf(path, sizeof(path), "%s", file);
	slash = strrchr(path, '/');
	if (path[0] == '\0' || !slash || k->n == DISKS_MAX)
		return;
	slash[slash == path] = '\0';
	if (stat(path, &st) == 0) {
		for (size_t i = 0; i < k->n; i++) {
			if (k->dev[i] == st.st_dev)
				return;
		}
	}
	k->dev[k->n] = st.st_dev;
	(void)snprintf(k->path[k->n++], sizeof(k->path[0]), "%s", path);
}

static void add_disks(struct doctor *d, const struct conf_node *conf,
		      const char *file)
{
	struct doctor_disk disk;
	struct disks k = { .n = 0 };

	add_disk(&k, file);
	add_disk(&k, conf->node.key_file);
	add_disk(&k, conf->sim.tx_wav);
	add_disk(&k, "/var/log/");
	for (size_t i = 0; i < k.n; i++) {
		doctor_disk_look(k.path[i], &disk);
		doctor_disk(d, &disk);
	}
}

/* What is seen of the configuration and the files that it names, which may be
 * why @a's daemon does not run. */
static void add_files(struct doctor *d, const char *file, struct asked *a)
{
	struct conf_diags diags = { 0 };
	struct conf_node conf = { 0 };
	int err = conf_load_node(file, &conf, &diags);

	if (err != 0 && access(file, R_OK) != 0 &&
	    (errno == EACCES || errno == ENOENT))
		err = -errno;
	if (a->user == (uid_t)-1)
		a->user = usual_user(file);
	doctor_conf(d, file, err, &diags);
	if (err == 0)
		add_secrets(d, &conf, a->user);
	add_disks(d, &conf, file);
	conf_diags_free(&diags);
	conf_node_free(&conf);
	a->daemon.conf_bad = err != 0 && err != -EACCES;
	a->daemon.conf_missing = err == -ENOENT;
}

static void add_machine(struct doctor *d)
{
	/* Tests have machines of their own. */
	const char *root = getenv("KEYHOLE_SYSROOT");
	struct doctor_machine m;

	doctor_machine_look(root ? root : "", &m);
	doctor_clock(d, &m);
	doctor_cpu(d, &m);
	doctor_power(d, &m);
}

/* --- print -------------------------------------------------------------- */

static const char *text(const json_t *f, const char *name)
{
	const char *t = json_string_value(json_object_get(f, name));

	return t ? t : "";
}

/* Words, as many a line as fit behind the indentation; the cursor stands at
 * @at. */
static void print_words(const char *words, size_t at)
{
	bool first = true;

	while (*words) {
		const size_t n = strcspn(words, " ");

		if (!first && at + 1 + n > WIDTH - 1) {
			(void)printf("\n%*s", (int)INDENT, "");
			at = INDENT;
			first = true;
		}
		(void)printf("%s%.*s", first ? "" : " ", (int)n, words);
		at += n + (first ? 0 : 1);
		first = false;
		words += n;
		words += strspn(words, " ");
	}
	(void)printf("\n");
}

static void print_finding(const json_t *f)
{
	const char *state = text(f, "state"), *id = text(f, "id");
	const bool well =
		strcmp(state, "ok") == 0 || strcmp(state, "skipped") == 0;

	(void)printf("%-*s%s: ", (int)INDENT, state, id);
	print_words(text(f, "seen"), INDENT + strlen(id) + 2);
	if (well)
		return;
	if (text(f, "cause")[0]) {
		(void)printf("%*s", (int)INDENT, "");
		print_words(text(f, "cause"), INDENT);
	}
	if (text(f, "mend")[0]) {
		(void)printf("%*sMend: ", (int)INDENT, "");
		print_words(text(f, "mend"), INDENT + 6);
	}
}

static void print_findings(const json_t *list)
{
	const json_t *f;
	size_t i;

	json_array_foreach(list, i, f) print_finding(f);
	(void)printf("%s\n", doctor_all_well(list) ? "All is well."
						   : "Not all is well.");
}

/* --- all of it ---------------------------------------------------------- */

/* The daemon's line is the first, and says whether the configuration is why it
 * does not run. */
static void join(const struct asked *a, const struct doctor *files,
		 struct doctor *all)
{
	json_t *found = json_object_get(a->result, "findings");

	doctor_daemon(all, &a->daemon);
	(void)json_array_extend(all->list, files->list);
	if (found)
		(void)json_array_extend(all->list, found);
}

static void print_all(const struct console *c, const struct doctor *all)
{
	json_t *o;

	if (!c->json) {
		plain_json(all->list);
		print_findings(all->list);
		return;
	}
	o = json_pack("{s:b, s:O}", "ok", (int)doctor_all_well(all->list),
		      "findings", all->list);
	print_json(o, true);
	json_decref(o);
}

enum console_exit doctor_command(const struct console *c, int argc,
				 char *const *argv)
{
	const char *file = NULL;
	struct doctor files, all;
	struct asked a;
	bool well;

	if (argc == 2 && strcmp(argv[0], "--config") == 0)
		file = argv[1];
	else if (argc != 0)
		return CONSOLE_USAGE;
	ask(c, &a);
	if (a.interrupted) {
		ask_complain("interrupted");
		return CONSOLE_REFUSED;
	}
	if (!file)
		file = json_string_value(json_object_get(a.result, "conf"));
	if (!file)
		file = DOCTOR_CONF_USUAL;
	doctor_begin(&files);
	doctor_begin(&all);
	add_files(&files, file, &a);
	add_machine(&files);
	join(&a, &files, &all);
	print_all(c, &all);
	well = doctor_all_well(all.list);
	doctor_end(&files);
	doctor_end(&all);
	json_decref(a.result);
	return well ? CONSOLE_DONE : CONSOLE_REFUSED;
}
