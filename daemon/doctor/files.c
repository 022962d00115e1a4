/* SPDX-License-Identifier: MIT */

#include "daemon/doctor/files.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/io/keyfile.h"
#include "proto/keys.h"

#define DIAGS_TOLD 5U /* the rest is told by keyholed --check */

/* --- the daemon --------------------------------------------------------- */

static void tell_away(struct doctor *d, const struct doctor_daemon *s)
{
	char seen[DOCTOR_TEXT_MAX];

	(void)snprintf(seen, sizeof(seen), "keyholed is not running (%.107s)",
		       s->socket);
	if (s->conf_missing) {
		doctor_find(d, &(struct doctor_finding){
				       "daemon", DOCTOR_BAD, seen,
				       "It was never set up, as the next line "
				       "says.",
				       "keyhole setup starts it." });
		return;
	}
	doctor_find(
		d, &(struct doctor_finding){
			   "daemon", DOCTOR_BAD, seen,
			   s->conf_bad ? "Its configuration is wrong, as the "
					 "next lines say: it cannot start."
				       : "It was not started, or it ended.",
			   s->conf_bad ? "Mend the configuration, then "
					 "systemctl restart keyholed."
				       : "systemctl start keyholed; journalctl "
					 "-u keyholed -e says why it ended." });
}

static void tell_forbidden(struct doctor *d, const struct doctor_daemon *s)
{
	const char *group = s->group[0] ? s->group : "keyhole";
	char seen[DOCTOR_TEXT_MAX], cause[DOCTOR_TEXT_MAX];
	char mend[DOCTOR_TEXT_MAX];

	(void)snprintf(seen, sizeof(seen), "you may not use %.107s", s->socket);
	(void)snprintf(cause, sizeof(cause),
		       "It is for members of the group %.32s.", group);
	(void)snprintf(mend, sizeof(mend),
		       "adduser YOU %.32s, then log in again; or run keyhole "
		       "doctor as root.",
		       group);
	doctor_find(d, &(struct doctor_finding){ "daemon", DOCTOR_BAD, seen,
						 cause, mend });
}

void doctor_daemon(struct doctor *d, const struct doctor_daemon *s)
{
	char seen[DOCTOR_TEXT_MAX];

	switch (s->state) {
	case DOCTOR_DAEMON_RUNS:
		(void)snprintf(seen, sizeof(seen), "keyholed runs");
		doctor_find(d, &(struct doctor_finding){ "daemon", DOCTOR_OK,
							 seen, NULL, NULL });
		break;
	case DOCTOR_DAEMON_AWAY:
		tell_away(d, s);
		break;
	case DOCTOR_DAEMON_FORBIDDEN:
		tell_forbidden(d, s);
		break;
	case DOCTOR_DAEMON_SILENT:
		(void)snprintf(seen, sizeof(seen), "keyholed: %.255s", s->why);
		doctor_find(d, &(struct doctor_finding){
				       "daemon", DOCTOR_BAD, seen,
				       "It hangs, ends, or is of another "
				       "version.",
				       "systemctl restart keyholed; journalctl "
				       "-u keyholed -e" });
		break;
	}
}

/* --- configuration ------------------------------------------------------ */

static void tell_diag(struct doctor *d, const char *file,
		      const struct conf_diag *g)
{
	char seen[DOCTOR_TEXT_MAX];

	if (g->line > 0)
		(void)snprintf(seen, sizeof(seen), "%.160s:%u: %.280s", file,
			       g->line, g->text);
	else
		(void)snprintf(seen, sizeof(seen), "%.160s: %.280s", file,
			       g->text);
	doctor_find(d, &(struct doctor_finding){
			       "configuration", DOCTOR_BAD, seen,
			       "keyholed does not start with it, nor take it "
			       "on a reload.",
			       "Mend that line; keyholed -c FILE --check looks "
			       "again." });
}

static void tell_no_conf(struct doctor *d, const char *file)
{
	char seen[DOCTOR_TEXT_MAX], mend[DOCTOR_TEXT_MAX];
	const bool usual = strcmp(file, DOCTOR_CONF_USUAL) == 0;

	(void)snprintf(seen, sizeof(seen),
		       "there is no configuration yet (%.255s)", file);
	(void)snprintf(mend, sizeof(mend), "sudo keyhole setup%s%.255s",
		       usual ? "" : " --config ", usual ? "" : file);
	doctor_find(d, &(struct doctor_finding){
			       "configuration", DOCTOR_BAD, seen,
			       "keyholed does not start without one.", mend });
}

void doctor_conf(struct doctor *d, const char *file, int err,
		 const struct conf_diags *diags)
{
	char seen[DOCTOR_TEXT_MAX];

	if (err == 0) {
		(void)snprintf(seen, sizeof(seen), "%.255s is sound", file);
		doctor_find(d, &(struct doctor_finding){ "configuration",
							 DOCTOR_OK, seen, NULL,
							 NULL });
		return;
	}
	if (err == -EACCES) {
		(void)snprintf(seen, sizeof(seen), "%.255s: %s", file,
			       strerror(EACCES));
		doctor_find(d, &(struct doctor_finding){
				       "configuration", DOCTOR_SKIPPED, seen,
				       "You may not read it.",
				       "Run keyhole doctor as root to have it "
				       "looked at." });
		return;
	}
	if (err == -ENOENT) {
		tell_no_conf(d, file);
		return;
	}
	for (size_t i = 0; i < diags->n && i < DIAGS_TOLD; i++)
		tell_diag(d, file, &diags->v[i]);
}

/* --- secrets ------------------------------------------------------------ */

void doctor_secret_look(const char *path, bool identity, uid_t daemon,
			char why[256], struct doctor_secret *out)
{
	struct key_identity id = { 0 };
	char secret[512];
	struct stat st;
	int err;

	*out = (struct doctor_secret){ .path = path,
				       .identity = identity,
				       .owner = (uid_t)-1,
				       .daemon = daemon,
				       .why = why };
	why[0] = '\0';
	if (stat(path, &st) != 0) {
		out->err = errno;
		return;
	}
	out->mode = st.st_mode;
	out->owner = st.st_uid;
	if ((st.st_mode & 077) != 0)
		return;
	err = identity ? keyfile_load(path, &id, why)
		       : keyfile_secret(path, secret, sizeof(secret), why);
	key_wipe(&id, sizeof(id));
	key_wipe(secret, sizeof(secret));
	if (err == 0)
		why[0] = '\0';
	/* Whoever asks may be another than who needs it. */
	if (err == -EACCES)
		out->err = EACCES;
}

static void tell_secret(struct doctor *d, const struct doctor_secret *s,
			enum doctor_state state, const char *seen,
			const char *cause, const char *mend)
{
	char what[DOCTOR_TEXT_MAX], how[DOCTOR_TEXT_MAX];

	(void)snprintf(what, sizeof(what), "%.255s %s", s->path, seen);
	(void)snprintf(how, sizeof(how), "%s%.255s", mend,
		       mend[0] ? s->path : "");
	doctor_find(d,
		    &(struct doctor_finding){ "key", state, what, cause, how });
}

static const char *user_name(uid_t uid, char text[32])
{
	const struct passwd *p = getpwuid(uid);

	if (p)
		(void)snprintf(text, 32, "%.31s", p->pw_name);
	else
		(void)snprintf(text, 32, "%u", (unsigned)uid);
	return text;
}

static void tell_owner(struct doctor *d, const struct doctor_secret *s)
{
	char owner[32], user[32], seen[96], mend[64];

	(void)snprintf(seen, sizeof(seen), "belongs to %s",
		       user_name(s->owner, owner));
	(void)snprintf(mend, sizeof(mend), "chown %s ",
		       user_name(s->daemon, user));
	tell_secret(d, s, DOCTOR_BAD, seen,
		    "keyholed runs as another user, who cannot read it.", mend);
}

/* How the node's key is made so that the daemon may read it. */
static void keygen(const struct doctor_secret *s, char out[96])
{
	char user[32];

	if (s->daemon == (uid_t)-1)
		(void)snprintf(out, 96, "keyhole keygen ");
	else if (s->daemon == 0)
		(void)snprintf(out, 96, "sudo keyhole keygen ");
	else
		(void)snprintf(out, 96, "sudo runuser -u %s -- keyhole keygen ",
			       user_name(s->daemon, user));
}

static void tell_missing(struct doctor *d, const struct doctor_secret *s)
{
	char make[96];

	if (s->err == EACCES || s->err == EPERM) {
		tell_secret(d, s, DOCTOR_SKIPPED, "is not for you to see",
			    "Run keyhole doctor as root to have it looked at.",
			    "");
		return;
	}
	keygen(s, make);
	tell_secret(d, s, DOCTOR_BAD, strerror(s->err),
		    s->identity ? "The node has no identity: keyholed does "
				  "not start."
				: "The configuration names it: keyholed does "
				  "not start.",
		    s->identity ? make : "Put the password, one line, into ");
}

void doctor_secret(struct doctor *d, const struct doctor_secret *s)
{
	char seen[DOCTOR_TEXT_MAX];

	if (s->err != 0) {
		tell_missing(d, s);
	} else if ((s->mode & 077) != 0) {
		(void)snprintf(seen, sizeof(seen), "has mode %04o",
			       (unsigned)(s->mode & 07777));
		tell_secret(d, s, DOCTOR_BAD, seen,
			    "Others may read it: keyholed does not use it.",
			    "chmod 600 ");
	} else if (s->daemon != (uid_t)-1 && s->daemon != 0 &&
		   s->owner != s->daemon) {
		tell_owner(d, s);
	} else if (s->why[0]) {
		doctor_find(d,
			    &(struct doctor_finding){
				    "key", DOCTOR_BAD, s->why,
				    "What is in the file is not what it should "
				    "be: keyholed does not start.",
				    s->identity
					    ? "Restore it from a backup, or "
					      "move it away and make another: "
					      "keyhole keygen."
					    : "Write the password into it, one "
					      "line." });
	} else {
		tell_secret(d, s, DOCTOR_OK, "is its owner's only", NULL, "");
	}
}
