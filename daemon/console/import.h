/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_IMPORT_H
#define DAEMON_CONSOLE_IMPORT_H

/*
 * An Asterisk node's configuration taken over as far as keyholed has settings
 * for it: one node of rpt.conf, with what belongs to it in the files beside.
 * What was not taken over is noted with its file, line and the reason; a
 * secret is neither in a note nor in the configuration.
 *
 * Each setting is tried on keyholed's own table as it is taken, so that what
 * comes out loads.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/console/import_ast.h"

#define IMPORT_NODES_MAX 32U
#define IMPORT_NUMBER_MAX 15U
#define IMPORT_WHY_MAX 1024U

/* What is in the configuration: radio.duplex, 2. */
struct import_setting {
	char *group, *name;
	char *value; /* as libconfig spells it */
	char *from;  /* FILE:LINE: what it said there */
};

/* An entry of registrars or peers. */
struct import_entry {
	char *key;  /* by which an entry is known: host:port, number */
	char *text; /* its settings */
	char *from;
};

struct import_secret {
	char *file; /* without its folder */
	char *text;
};

struct import_list {
	void *v;
	size_t n;
};

struct import {
	/* From the caller. */
	const char *dir;     /* of Asterisk's files */
	const char *secrets; /* the folder that secrets will be in */
	char number[IMPORT_NUMBER_MAX + 1]; /* the node */

	/* What was read. */
	struct ast_conf rpt, iax, http, simpleusb, usbradio, extensions;
	char nodes[IMPORT_NODES_MAX][IMPORT_NUMBER_MAX + 1]; /* rpt.conf's */
	size_t nodes_n;
	const struct ast_section *node;
	const struct ast_section *device; /* its USB fob */

	/* What came of it. */
	struct import_setting *settings;
	size_t settings_n;
	struct import_entry *registrars, *peers;
	size_t registrars_n, peers_n;
	struct import_secret *secret;
	size_t secret_n;
	char **notes;
	size_t notes_n;
	bool no_memory;
	char why[IMPORT_WHY_MAX];
};

/*
 * import.c: read the files of im->dir.  Returns 0 with im->nodes set, or
 * -EINVAL with a sentence in im->why; import_free() it in any case.
 */
int import_read(struct import *im);
/* The last of what import_read() does: im->nodes, from im->rpt. */
int import_find_nodes(struct import *im);
/* Take over im->number, one of im->nodes.  As import_read(). */
int import_take(struct import *im);
void import_free(struct import *im);

/* import_text.c: the configuration, which the caller frees; NULL without
 * memory. */
char *import_text(const struct import *im);
/* 0, or -EINVAL with im->why: what is wrong with @text, which is a mistake
 * of ours. */
int import_check(struct import *im, const char *text);

/* import_command.c: the command.  An enum console_exit. */
int import_command(int argc, char *const *argv);
#define IMPORT_USAGE "import DIR [--node NUMBER] [--out FILE] [--force]"

#endif
