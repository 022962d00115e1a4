/* SPDX-License-Identifier: MIT */
#ifndef RADIO_PTT_H
#define RADIO_PTT_H

/*
 * Whether the transmitter is keyed, as a function of demand and time, and
 * what goes over the air meanwhile.
 *
 * The transmitter follows the demand at once, stays keyed for the hang time
 * after it, and is unkeyed by the time-out timer however long the demand goes
 * on.  The timer cannot be switched off.  It runs from the first demand on and
 * starts afresh only when there has been no demand for PTT_REST_MS, so that a
 * demand that flutters does not hold the transmitter keyed for ever.
 *
 * A transmitter needs a moment to come up: all audio waits for key_up_ms in a
 * delay line, which holds silence while there is no demand, so that nothing is
 * lost.  A transmission and its end:
 *
 *   demand    ________________________
 *   audio         ________________________
 *   courtesy                              ..____
 *   CTCSS     ______________________________________
 *   PTT       __________________________________________
 *
 * where the CTCSS tone ends after the hang time or the courtesy tone,
 * whichever is later, and the carrier ctcss_off_ms after that.  When the timer
 * ends a transmission, its announcement and the end of the tone come before
 * the time-out, not after it.
 *
 * Pure: `now_us` is microseconds of CLOCK_MONOTONIC.  After each call, see
 * ptt_keyed() and arm one timer for ptt_deadline().
 */

#include <stdbool.h>
#include <stdint.h>

#define PTT_TIMEOUT_MIN_S 10U
#define PTT_TIMEOUT_MAX_S 600U
#define PTT_HANG_MAX_MS 10000U
#define PTT_KEY_UP_MAX_MS 1000U
#define PTT_COURTESY_MAX_MS 2000U /* the slot, and the wait before it */
#define PTT_CTCSS_OFF_MAX_MS 1000U
#define PTT_ANNOUNCE_MAX_MS 5000U
#define PTT_REST_MS 200U
#define PTT_NEVER UINT64_MAX

/* All but the time-out may be 0: then there is no such thing. */
struct ptt_config {
	uint32_t timeout_s;        /* PTT_TIMEOUT_MIN_S..PTT_TIMEOUT_MAX_S */
	uint32_t hang_ms;          /* 0..PTT_HANG_MAX_MS */
	uint32_t key_up_ms;        /* 0..PTT_KEY_UP_MAX_MS */
	uint32_t courtesy_wait_ms; /* 0..PTT_COURTESY_MAX_MS */
	uint32_t courtesy_ms;      /* 0..PTT_COURTESY_MAX_MS */
	uint32_t ctcss_off_ms;     /* 0..PTT_CTCSS_OFF_MAX_MS, with .ctcss */
	uint32_t announce_ms;      /* 0..PTT_ANNOUNCE_MAX_MS */
	bool ctcss;                /* send a tone with all that is said */
};

/* Three minutes, and what any transmitter can do; no tones. */
extern const struct ptt_config ptt_config_default;

enum ptt_state {
	PTT_OFF,
	PTT_ON,        /* there is demand, or audio of it in the line */
	PTT_HANG,      /* there was, less than hang_ms ago */
	PTT_TIMED_OUT, /* unkeyed until the demand has gone for PTT_REST_MS */
	PTT_FORCED,    /* held off by ptt_force_off() */
	PTT_COURTESY,  /* as PTT_HANG: now is the time for a courtesy tone */
	PTT_ANNOUNCE,  /* as PTT_ON: now is the time to announce the time-out */
	PTT_TAIL,      /* keyed, without audio and CTCSS, and soon no more */
};

struct ptt {
	struct ptt_config config;
	enum ptt_state state;
	bool want;          /* demand, as last told */
	bool forced;        /* ptt_force_off() is in effect */
	bool running;       /* the time-out timer runs */
	uint64_t run_since; /* when it started */
	uint64_t want_end;  /* when the demand went, if it did */
	uint64_t keyed_since;
	uint64_t seen; /* the latest time told */
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

/* Is the audio put into the line key_up_ms before now to be transmitted? */
bool ptt_plays(const struct ptt *p, uint64_t now_us);

/* Is the CTCSS tone to be sent? */
bool ptt_tone(const struct ptt *p);

/* When ptt_tick() is next needed; PTT_NEVER: not before the next input.
 * While keyed it is never PTT_NEVER. */
uint64_t ptt_deadline(const struct ptt *p);

/* A word for people and for JSON; borrowed for ever. */
const char *ptt_state_name(enum ptt_state state);

#endif
