/* SPDX-License-Identifier: MIT */
#ifndef RADIO_PTT_H
#define RADIO_PTT_H

/*
 * Whether the transmitter is keyed, as a function of demand and time.
 *
 * The transmitter follows the demand at once, stays keyed for the hang time
 * after it, and is unkeyed by the time-out timer however long the demand goes
 * on.  The timer cannot be switched off.  It runs from the first demand on and
 * starts afresh only when there has been no demand for PTT_REST_MS, so that a
 * demand that flutters does not hold the transmitter keyed for ever.
 *
 * Pure: `now_us` is microseconds of CLOCK_MONOTONIC.  After each call, see
 * ptt_keyed() and arm one timer for ptt_deadline().
 */

#include <stdbool.h>
#include <stdint.h>

#define PTT_TIMEOUT_MIN_S 10U
#define PTT_TIMEOUT_MAX_S 600U
#define PTT_HANG_MAX_MS 10000U
#define PTT_REST_MS 200U
#define PTT_NEVER UINT64_MAX

struct ptt_config {
	uint32_t timeout_s; /* PTT_TIMEOUT_MIN_S..PTT_TIMEOUT_MAX_S */
	uint32_t hang_ms;   /* 0..PTT_HANG_MAX_MS */
};

enum ptt_state {
	PTT_OFF,
	PTT_ON,        /* there is demand */
	PTT_HANG,      /* there was, less than hang_ms ago */
	PTT_TIMED_OUT, /* unkeyed until the demand has gone for PTT_REST_MS */
	PTT_FORCED,    /* held off by ptt_force_off() */
};

struct ptt {
	struct ptt_config config;
	enum ptt_state state;
	bool want;          /* demand, as last told */
	bool forced;        /* ptt_force_off() is in effect */
	bool running;       /* the time-out timer runs */
	uint64_t run_since; /* when it started */
	uint64_t want_end;  /* when the demand went, if it did */
};

/* Unkeyed.  Returns 0, or -EINVAL for a value out of its range; then @p stays
 * unkeyed whatever is asked of it. */
int ptt_init(struct ptt *p, const struct ptt_config *config);

/* New limits from now on, without a change of state; as ptt_init(), but
 * -EINVAL leaves the old ones. */
int ptt_configure(struct ptt *p, const struct ptt_config *config,
		  uint64_t now_us);

/* There is audio to transmit, or no longer.  Repeating it is harmless. */
void ptt_demand(struct ptt *p, bool want_audio, uint64_t now_us);

/* Unkey at once, without hang time, and stay so until told otherwise.  The
 * time-out timer is neither stopped nor restarted by this. */
void ptt_force_off(struct ptt *p, bool force, uint64_t now_us);

/* Let time pass.  Late calls are made good, early ones do nothing. */
void ptt_tick(struct ptt *p, uint64_t now_us);

bool ptt_keyed(const struct ptt *p);

/* When ptt_tick() is next needed; PTT_NEVER: not before the next input.
 * While keyed it is never PTT_NEVER. */
uint64_t ptt_deadline(const struct ptt *p);

/* A word for people and for JSON; borrowed for ever. */
const char *ptt_state_name(enum ptt_state state);

#endif
