/* SPDX-License-Identifier: MIT */

/* keyhole setup: what the options and the person say, and then all that it
 * takes, one after the other. */

#include "daemon/console/setup.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/console/setup_asked.h"
#include "daemon/console/typed.h"
#include "daemon/io/keyfile.h"

/* --- options ------------------------------------------------------------ */

struct options {
	const char *answers[SETUP_QUESTIONS]; /* NULL: not given */
	const char *config, *key_file;
	bool yes, no_start;
};

static const char **value_of(struct options *o, const char *name)
{
	if (strcmp(name, "--config") == 0)
		return &o->config;
	if (strcmp(name, "--key-file") == 0)
		return &o->key_file;
	for (int q = 0; q < SETUP_QUESTIONS; q++) {
		if (q != SETUP_Q_AGREE &&
		    strcmp(name, setup_asked((enum setup_question)q)->option) ==
			    0)
			return &o->answers[q];
	}
	return NULL;
}

static bool take_options(int argc, char *const *argv, struct options *o)
{
	*o = (struct options){ .config = SETUP_CONFIG };
	for (int i = 1; i < argc; i++) {
		const char **value = value_of(o, argv[i]);

		if (strcmp(argv[i], "--yes") == 0)
			o->yes = true;
		else if (strcmp(argv[i], "--no-start") == 0)
			o->no_start = true;
		else if (value && i + 1 < argc)
			*value = argv[++i];
		else
			return false;
	}
	return true;
}

static bool failed(const char *why)
{
	(void)fprintf(stderr, "keyhole: %s\n", why);
	return false;
}

/* A password comes by a file: others see what programs are called with. */
static bool take_password(struct setup_ask *a, const char *file)
{
	char secret[256], why[SETUP_WHY_MAX];
	bool ok;

	if (keyfile_secret(file, secret, sizeof(secret), why) != 0)
		return failed(why);
	ok = setup_ask_given(a, SETUP_Q_PASSWORD, secret, why) || failed(why);
	sodium_memzero(secret, sizeof(secret));
	return ok;
}

/* What was given before, then the network, which the rest of it goes by. */
static bool take_given(struct setup_ask *a, const struct options *o)
{
	char why[SETUP_WHY_MAX];

	if (o->key_file) {
		const size_t len = strlen(o->key_file);

		/* The daemon has another working directory. */
		if (o->key_file[0] != '/' || len > CONF_PATH_MAX)
			return failed("--key-file: a file's name from / on, of "
				      "at most 255 characters.");
		memcpy(a->plan.key_file, o->key_file, len + 1);
	}
	for (int q = 0; q < SETUP_QUESTIONS; q++) {
		if (!o->answers[q])
			continue;
		if (q == SETUP_Q_PASSWORD) {
			if (!take_password(a, o->answers[q]))
				return false;
			continue;
		}
		if (!setup_ask_given(a, (enum setup_question)q, o->answers[q],
				     why))
			return failed(why);
	}
	return setup_ask_agrees(a, false, why) || failed(why);
}

/* --- asking ------------------------------------------------------------- */

/* Whether all was answered, and agreed to. */
static bool talk(struct setup_ask *a)
{
	struct typed typed;
	bool more;

	typed_begin(&typed);
	(void)printf("Enter takes what is in [brackets]; Ctrl-C leaves "
		     "everything as it is.\n");
	more = setup_ask_begin(a);
	while (more)
		more = setup_ask_line(
			a, typed_line(&typed, setup_ask_is_secret(a)));
	if (a->over)
		(void)printf("\nNothing was changed.\n");
	typed_end(&typed);
	return !a->over;
}

/* --- all ---------------------------------------------------------------- */

/* Where only the system writes. */
static bool is_system(const char *file)
{
	return strncmp(file, "/etc/", 5) == 0 || strncmp(file, "/var/", 5) == 0;
}

static bool may(const char *config, const char *key_file)
{
	if (geteuid() == 0 || !(is_system(config) || is_system(key_file)))
		return true;
	return failed("this writes the system's files: sudo keyhole setup");
}

static void tell_registrar(const struct setup_plan *p, const char *key)
{
	if (p->network != SETUP_KEYHOLE)
		return;
	(void)printf("\nThe registrar's operator has to enter this node, "
		     "with:\n"
		     "    sudo runuser -u keyhole-registrar -- "
		     "keyhole-registrar \\\n"
		     "      -c /etc/keyhole/registrar.conf node add %s %s\n",
		     p->number, key);
}

static bool write_all(const struct setup_facts *f, const struct setup_plan *p)
{
	char key[KEY_TEXT_LEN];
	bool changed;

	if (setup_key(p->key_file, key) != 0 || setup_secret(p) != 0 ||
	    setup_give_secrets(f->is) != 0 || setup_write(f, p, &changed) != 0)
		return false;
	if (!changed)
		(void)printf("\n%s stays as it is.\n", f->config);
	else if (f->existing)
		(void)printf("\n%s is changed; as it was: %s.bak\n", f->config,
			     f->config);
	else
		(void)printf("\n%s is written.\n", f->config);
	(void)printf("This node's public key: %s\n", key);
	tell_registrar(p, key);
	return true;
}

/* All that is known and wanted; too much for a stack. */
struct setup {
	struct options o;
	struct setup_file file;
	struct fob_seen seen[FOB_SEEN_MAX];
	struct setup_facts facts;
	struct setup_ask ask;
};

static bool ask_all(struct setup *s)
{
	char why[SETUP_WHY_MAX];

	if (!take_given(&s->ask, &s->o))
		return false;
	if (!s->o.yes) {
		if (!talk(&s->ask))
			return false;
	} else if (!setup_ask_rest(&s->ask, why)) {
		return failed(why);
	}
	return setup_ask_agrees(&s->ask, true, why) || failed(why);
}

static enum console_exit set_up(struct setup *s)
{
	const struct setup_plan *p = &s->ask.plan;
	struct setup_start start = {
		.config = s->o.config,
		.socket = s->file.is.control.socket,
		.plan = p,
		.no_start = s->o.no_start,
		.people = !s->o.yes && isatty(STDIN_FILENO) &&
			  isatty(STDOUT_FILENO),
	};

	s->facts.config = s->o.config;
	s->facts.existing = s->file.existing;
	s->facts.is = &s->file.is;
	setup_fobs(&s->facts, s->seen);
	setup_ask_init(&s->ask, &s->facts, stdout);
	if (!may(s->o.config, s->o.key_file ? s->o.key_file : p->key_file) ||
	    !ask_all(s) || !write_all(&s->facts, p))
		return CONSOLE_REFUSED;
	start.fob = p->radio == CONF_RADIO_CM108 && s->facts.fobs_n > 0;
	if (start.fob)
		setup_fob_rights(&s->facts, p);
	return setup_run_node(&start);
}

enum console_exit setup_command(int argc, char *const *argv)
{
	enum console_exit status = CONSOLE_REFUSED;
	struct setup *s = calloc(1, sizeof(*s));

	if (!s)
		return CONSOLE_REFUSED;
	if (!take_options(argc, argv, &s->o)) {
		(void)fprintf(stderr, "usage: keyhole " SETUP_USAGE "\n");
		status = CONSOLE_USAGE;
	} else if (setup_read(s->o.config, &s->file) == 0) {
		status = set_up(s);
		conf_node_free(&s->file.is);
	}
	sodium_memzero(s, sizeof(*s));
	free(s);
	return status;
}
