/* SPDX-License-Identifier: MIT */
#ifndef RADIO_FOB_MACHINE_H
#define RADIO_FOB_MACHINE_H

/*
 * What to do with a fob next, and when: look for it, make it safe, key it,
 * read back, write again.  Pure, with injected time in microseconds; the hands
 * are fob_usb.c's.
 *
 * All is one cycle, over and over: the output report is written, the input
 * report is read, and the PTT pin in it says whether the write was heeded.  A
 * cycle begins when another state is wanted, when the one before failed, and
 * when a re-check is due.  Each edge is written once more a little later.
 */

#include <stdbool.h>
#include <stdint.h>

/* Slow chips lose requests that follow one another too closely. */
#define FOB_SPACING_US 3000U
#define FOB_AGAIN_US 20000U /* an edge is written once more */
#define FOB_RECHECK_US 1000000U
#define FOB_RECHECK_KEYED_US 250000U
#define FOB_LOOK_US 100000U   /* between looks for a fob */
#define FOB_RETRY_US 500000U  /* for one that could not be used */
#define FOB_HINTED_US 10000U  /* between looks that were asked for */
#define FOB_SAFE_TIMES 2U     /* unkeyed so often before it is ready */
#define FOB_FAILURES_MAX 8U   /* in a row; then it is opened anew */
#define FOB_MISMATCHES_MAX 3U /* in a row; then a sentence */

/* The order is fob_state's. */
enum fob_stage {
	FOB_STAGE_ABSENT,
	FOB_STAGE_OPENING,
	FOB_STAGE_READY,
	FOB_STAGE_FAILED
};

enum fob_do {
	FOB_DO_NOTHING,
	FOB_DO_LOOK,  /* find and open it, then fob_machine_looked() */
	FOB_DO_WRITE, /* keyed as fob_machine_output() says, then _wrote() */
	FOB_DO_READ,  /* the input report, then _read() */
	FOB_DO_CLOSE, /* it does not answer: close it, then _lost() */
};

struct fob_machine {
	enum fob_stage stage;
	bool busy;      /* one thing at a time */
	bool want;      /* keyed */
	bool sent;      /* the last write was to key */
	bool hot;       /* it may be keyed */
	bool reading;   /* the cycle's second half is next */
	bool again;     /* write the edge once more */
	bool blind;     /* its pin is not to be seen */
	uint8_t proven; /* the pin was seen: bit 0 low, bit 1 high */
	unsigned safe;  /* confirmed unkeyed so often */
	unsigned failures, mismatches; /* in a row */
	uint64_t all_mismatches, all_failures;
	uint64_t free_at; /* the earliest next transfer */
	uint64_t looked;  /* when it was looked for last */
	bool hinted;      /* to look, since the last look began */
	uint32_t look_us; /* FOB_LOOK_US until it is set */
	uint64_t due;
	const char *warning; /* to be taken */
};

void fob_machine_init(struct fob_machine *m, uint64_t now);

void fob_machine_key(struct fob_machine *m, bool keyed, uint64_t now);

/* Something changed on the bus: while no fob is open, it is looked for soon,
 * and once more after a look that is under way. */
void fob_machine_hint(struct fob_machine *m, uint64_t now);
/* A look that just ended found one that is not quite there: again at @when. */
void fob_machine_look_at(struct fob_machine *m, uint64_t when);

/* Asked again after each answer, and when the deadline has come; it is busy
 * until what it said was answered. */
enum fob_do fob_machine_next(struct fob_machine *m, uint64_t now);
uint64_t fob_machine_deadline(const struct fob_machine *m);
bool fob_machine_output(const struct fob_machine *m); /* keyed? */

/* FOB_STAGE_OPENING: it is open now; else why not. */
void fob_machine_looked(struct fob_machine *m, enum fob_stage stage,
			uint64_t now);
void fob_machine_wrote(struct fob_machine *m, bool ok, uint64_t now);
/* @pin: its level as it was read; @keyed_level is that of a keyed one. */
void fob_machine_read(struct fob_machine *m, bool ok, bool pin,
		      bool keyed_level, uint64_t now);
/* It is gone, or closed. */
void fob_machine_lost(struct fob_machine *m, uint64_t now);

/*
 * Between two cycles of an unkeyed fob its transfers may serve something else:
 * true, and it is busy until fob_machine_take_back(), after which it writes
 * what it last did.
 */
bool fob_machine_lend(struct fob_machine *m, uint64_t now);
/* When it may be lent at the earliest; UINT64_MAX: not without an event. */
uint64_t fob_machine_lends_at(const struct fob_machine *m);
void fob_machine_take_back(struct fob_machine *m, uint64_t now);

/* A sentence, once; NULL. */
const char *fob_machine_warning(struct fob_machine *m);

#endif
