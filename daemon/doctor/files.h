/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_DOCTOR_FILES_H
#define DAEMON_DOCTOR_FILES_H

/*
 * The daemon's files, and the daemon itself as the console sees it: whatever
 * has to be right before it runs.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "config/conf.h"
#include "daemon/doctor/finding.h"

/* The configuration of the service that the package brings. */
#define DOCTOR_CONF_USUAL "/etc/keyhole/keyholed.conf"

enum doctor_daemon_state {
	DOCTOR_DAEMON_RUNS,
	DOCTOR_DAEMON_AWAY,
	DOCTOR_DAEMON_FORBIDDEN, /* for who asks */
	DOCTOR_DAEMON_SILENT,    /* it is there and does not answer */
};

struct doctor_daemon {
	enum doctor_daemon_state state;
	const char *socket;
	const char *why;   /* what the attempt came to */
	const char *group; /* that may use the socket, "": not known */
	const char *conf;  /* its configuration */
	bool conf_bad;
	bool conf_missing; /* so bad that there is none */
};

/* One finding; it comes before all others. */
void doctor_daemon(struct doctor *d, const struct doctor_daemon *s);

/* What loading @file came to: @diags, or @err when it is not readable. */
void doctor_conf(struct doctor *d, const char *file, int err,
		 const struct conf_diags *diags);

/* A file with a secret in it. */
struct doctor_secret {
	const char *path;
	bool identity; /* the node's own key; else a password */
	int err;       /* errno when it cannot be looked at */
	mode_t mode;
	uid_t owner, daemon; /* (uid_t)-1: not known */
	const char *why;     /* what is wrong with its text; "": nothing */
};

/* @daemon runs as that user. */
void doctor_secret_look(const char *path, bool identity, uid_t daemon,
			char why[256], struct doctor_secret *out);
void doctor_secret(struct doctor *d, const struct doctor_secret *s);

#endif
