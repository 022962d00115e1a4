/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_SETUP_H
#define DAEMON_CONSOLE_SETUP_H

/*
 * keyhole setup, the first run of a node: questions in plain words, and what
 * comes of the answers.
 *
 * The dialogue is pure: lines in, text out (setup_ask.c, setup_asked.h),
 * and so is what the answers are in the configuration (setup_edits.c).  The
 * rest reads the machine, writes files and starts the service.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/conf.h"
#include "config/conf_edit.h"
#include "config/conf_key.h"
#include "daemon/console/console.h"
#include "radio/fob_find.h"

#define SETUP_CONFIG "/etc/keyhole/keyholed.conf"
#define SETUP_ANSWER_MAX 512U /* octets of an answer, with its NUL */
#define SETUP_WHY_MAX 512U
#define SETUP_FOBS_MAX 8U
#define SETUP_SECRET_MAX 64U

/* --- what is so before anything is asked -------------------------------- */

struct setup_facts {
	const char *config;         /* the file */
	bool existing;              /* it is there: it is edited */
	const struct conf_node *is; /* its settings, or the defaults */
	struct fob_found fobs[SETUP_FOBS_MAX];
	size_t fobs_n;
};

/* --- what is wanted ----------------------------------------------------- */

enum setup_network {
	SETUP_KEYHOLE,     /* an OPEN/OVER registrar */
	SETUP_ALLSTARLINK, /* number and password */
	SETUP_ALONE,       /* registrars stay as they are */
};

struct setup_plan {
	char number[CONF_NUMBER_MAX + 1];
	char callsign[CONF_CALLSIGN_MAX + 1];
	enum setup_network network;
	char host[CONF_HOST_MAX + 1]; /* the registrar's */
	uint16_t port;
	char key[CONF_KEY_TEXT_LEN];         /* base64, SETUP_KEYHOLE */
	char secret[SETUP_SECRET_MAX + 1];   /* "": the one that is there */
	char secret_file[CONF_PATH_MAX + 1]; /* where it is or will be */
	char key_file[CONF_PATH_MAX + 1];    /* the node's */
	enum conf_radio radio;
	char serial[FOB_SERIAL_MAX + 1]; /* of the fob; both "": the only one */
	char fob_port[FOB_PORT_MAX + 1];
};

/* --- the dialogue ------------------------------------------------------- */

enum setup_question {
	SETUP_Q_NUMBER,
	SETUP_Q_CALLSIGN,
	SETUP_Q_NETWORK,
	SETUP_Q_REGISTRAR,
	SETUP_Q_KEY,
	SETUP_Q_PASSWORD,
	SETUP_Q_RADIO,
	SETUP_Q_FOB,
	SETUP_Q_AGREE,
	SETUP_QUESTIONS,
};

struct setup_ask {
	const struct setup_facts *facts;
	struct setup_plan plan;
	enum setup_question at;      /* SETUP_QUESTIONS: all are answered */
	bool given[SETUP_QUESTIONS]; /* by an option: not asked */
	bool option;                 /* the answer comes from one */
	bool over;                   /* ended, or declined: nothing is done */
	FILE *to;
};

/* The plan as the facts have it; options may change it, by
 * setup_ask_given(). */
void setup_ask_init(struct setup_ask *a, const struct setup_facts *facts,
		    FILE *to);
/* An answer that was given before; false with a sentence in @why.  In any
 * order, but the network before what it takes. */
bool setup_ask_given(struct setup_ask *a, enum setup_question q,
		     const char *answer, char why[SETUP_WHY_MAX]);
/* Nobody's option goes unheard: false with a sentence in @why when the network
 * or the radio has no use for one.  Both have to be known: by options, or when
 * all is @answered. */
bool setup_ask_agrees(const struct setup_ask *a, bool answered,
		      char why[SETUP_WHY_MAX]);
/* Print the first question.  False: there is none to ask. */
bool setup_ask_begin(struct setup_ask *a);
/* A line without its end, NULL when the answers ended.  A wrong answer is told
 * why, and asked for again.  False: nothing more is asked. */
bool setup_ask_line(struct setup_ask *a, const char *line);
/* Is the answer to what is asked now not to be seen? */
bool setup_ask_is_secret(const struct setup_ask *a);
/* What nobody gave is what is in brackets.  False with a sentence in @why:
 * what is missing. */
bool setup_ask_rest(struct setup_ask *a, char why[SETUP_WHY_MAX]);
/* What is going to be, in lines. */
void setup_ask_tell(const struct setup_ask *a);

/* setup_edits.c: what has to change in the configuration for the plan to
 * be so. */
#define SETUP_EDITS_MAX 20U

struct setup_edits {
	struct conf_edit v[SETUP_EDITS_MAX];
	size_t n;
	char group[24]; /* "registrars[0]" */
	char values[SETUP_EDITS_MAX][CONF_PATH_MAX + 3];
};

void setup_edits(const struct setup_facts *facts, const struct setup_plan *plan,
		 struct setup_edits *out);
/* As libconfig spells a text. */
void setup_quote(const char *text, char *out, size_t cap);
/* The entry of @is's registrars that the plan's network is about, that of
 * @host if it is among them; its number of entries when there is none yet. */
size_t setup_registrar(const struct conf_node *is, enum setup_network network,
		       const char *host);

/* --- what is done ------------------------------------------------------- */

#define SETUP_USER "keyhole" /* that the service runs as */

/* setup_files.c: 0 or -1 with a sentence on standard error. */
struct setup_file {
	struct conf_node is;
	bool existing;
};
int setup_read(const char *config, struct setup_file *out);
/* The node's identity, made unless it is there, and the service's user's
 * unless it is somebody else's than root's; @key: its public key. */
int setup_key(const char *file, char key[CONF_KEY_TEXT_LEN]);
int setup_secret(const struct setup_plan *plan);
/* The secrets of root's that @is names, to the service's user, where its
 * files are. */
int setup_give_secrets(const struct conf_node *is);
/* *@changed: whether there was anything to write. */
int setup_write(const struct setup_facts *facts, const struct setup_plan *plan,
		bool *changed);

/* setup_fobs.c: what is plugged in; @seen, FOB_SEEN_MAX of them, is what
 * @facts points to from then on. */
void setup_fobs(struct setup_facts *facts, struct fob_seen *seen);
/* Say so when the service's user may not open the plan's fob. */
void setup_fob_rights(const struct setup_facts *facts,
		      const struct setup_plan *plan);
/* setup_ask.c: is @s the one that the plan names? */
bool setup_is_bound_to(const struct setup_plan *plan, const struct fob_seen *s);

/* setup_start.c: the service, until the node is registered or 20 s are over,
 * and the doctor. */
struct setup_start {
	const char *config, *socket;
	const struct setup_plan *plan;
	bool no_start;
	bool people; /* somebody sits there */
	bool fob;    /* and there is a radio to look at */
};
enum console_exit setup_run_node(const struct setup_start *s);

/* setup.c: the command. */
enum console_exit setup_command(int argc, char *const *argv);
#define SETUP_USAGE                                                   \
	"setup [--yes] [--number N] [--callsign TEXT]\n"              \
	"                     [--network keyhole|allstarlink|none]\n" \
	"                     [--registrar HOST[:PORT]] "             \
	"[--registrar-key KEY]\n"                                     \
	"                     [--password-file FILE]\n"               \
	"                     [--radio cm108|alsa|sim|none] "         \
	"[--fob-serial S]\n"                                          \
	"                     [--config FILE] [--key-file FILE] [--no-start]"

#endif
