/* SPDX-License-Identifier: MIT */

#include "radio/ptt.h"

#include <errno.h>
#include <stddef.h>

#define US_PER_MS UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)
#define REST_US (PTT_REST_MS * US_PER_MS)

const struct ptt_config ptt_config_default = {
	.timeout_s = 180,
	.key_up_ms = 100,
	.courtesy_wait_ms = 300,
	.ctcss_off_ms = 180,
};

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool valid(const struct ptt_config *config)
{
	return config->timeout_s >= PTT_TIMEOUT_MIN_S &&
	       config->timeout_s <= PTT_TIMEOUT_MAX_S &&
	       config->hang_ms <= PTT_HANG_MAX_MS &&
	       config->key_up_ms <= PTT_KEY_UP_MAX_MS &&
	       config->courtesy_wait_ms <= PTT_COURTESY_MAX_MS &&
	       config->courtesy_ms <= PTT_COURTESY_MAX_MS &&
	       config->ctcss_off_ms <= PTT_CTCSS_OFF_MAX_MS &&
	       config->announce_ms <= PTT_ANNOUNCE_MAX_MS;
}

int ptt_init(struct ptt *p, const struct ptt_config *config)
{
	*p = (struct ptt){ .state = PTT_OFF };
	/* Without valid limits the time-out is 0: never keyed. */
	if (!valid(config))
		return -EINVAL;
	p->config = *config;
	return 0;
}

int ptt_configure(struct ptt *p, const struct ptt_config *config,
		  uint64_t now_us)
{
	if (!valid(config))
		return -EINVAL;
	p->config = *config;
	ptt_tick(p, now_us);
	return 0;
}

/* --- moments ------------------------------------------------------------ */

static uint64_t tail_us(const struct ptt *p)
{
	return p->config.ctcss ? p->config.ctcss_off_ms * US_PER_MS : 0;
}

static uint64_t timeout_at(const struct ptt *p)
{
	return p->run_since + p->config.timeout_s * US_PER_S;
}

/* A transmission that the timer will end: the tone goes first. */
static uint64_t last_tail_at(const struct ptt *p)
{
	return timeout_at(p) - tail_us(p);
}

static uint64_t announce_at(const struct ptt *p)
{
	return last_tail_at(p) - p->config.announce_ms * US_PER_MS;
}

/* The last of the audio has come out of the line. */
static uint64_t audio_end(const struct ptt *p)
{
	return p->want_end + p->config.key_up_ms * US_PER_MS;
}

static uint64_t courtesy_at(const struct ptt *p)
{
	return audio_end(p) + (p->config.courtesy_ms > 0
				       ? p->config.courtesy_wait_ms * US_PER_MS
				       : 0);
}

static uint64_t courtesy_end(const struct ptt *p)
{
	return courtesy_at(p) + p->config.courtesy_ms * US_PER_MS;
}

static uint64_t hang_end(const struct ptt *p)
{
	return later(audio_end(p) + p->config.hang_ms * US_PER_MS,
		     courtesy_end(p));
}

static uint64_t tail_end(const struct ptt *p)
{
	return hang_end(p) + tail_us(p);
}

static uint64_t rest_end(const struct ptt *p)
{
	return p->want_end + REST_US;
}

/* --- state -------------------------------------------------------------- */

/* There is no demand, but there was. */
static enum ptt_state after_demand(const struct ptt *p, uint64_t now_us)
{
	if (!ptt_keyed(p) || now_us >= tail_end(p))
		return PTT_OFF;
	if (now_us < audio_end(p))
		return PTT_ON;
	if (now_us >= hang_end(p))
		return PTT_TAIL;
	if (now_us >= courtesy_at(p) && now_us < courtesy_end(p))
		return PTT_COURTESY;
	return PTT_HANG;
}

/* The timer will end this transmission, or has: the demand goes on, or did not
 * go in time. */
static bool runs_out(const struct ptt *p)
{
	return p->running && (p->want || rest_end(p) > timeout_at(p));
}

static enum ptt_state next_state(const struct ptt *p, uint64_t now_us)
{
	if (p->forced)
		return PTT_FORCED;
	if (runs_out(p) && now_us >= timeout_at(p))
		return PTT_TIMED_OUT;
	if (runs_out(p) && now_us >= last_tail_at(p))
		return ptt_keyed(p) ? PTT_TAIL : PTT_OFF;
	if (!p->want)
		return after_demand(p, now_us);
	return now_us >= announce_at(p) ? PTT_ANNOUNCE : PTT_ON;
}

void ptt_tick(struct ptt *p, uint64_t now_us)
{
	const bool was_keyed = ptt_keyed(p);

	if (p->running && !p->want && now_us >= rest_end(p))
		p->running = false;
	p->state = next_state(p, now_us);
	if (!was_keyed)
		p->keyed_since = now_us;
	p->seen = later(p->seen, now_us);
}

void ptt_demand(struct ptt *p, bool want_audio, uint64_t now_us)
{
	/* What was due before this moment comes first. */
	ptt_tick(p, now_us);
	if (p->want && !want_audio)
		p->want_end = now_us;
	if (want_audio && !p->running) {
		p->running = true;
		p->run_since = now_us;
	}
	p->want = want_audio;
	ptt_tick(p, now_us);
}

void ptt_force_off(struct ptt *p, bool force, uint64_t now_us)
{
	p->forced = force;
	ptt_tick(p, now_us);
}

bool ptt_keyed(const struct ptt *p)
{
	return p->state != PTT_OFF && p->state != PTT_TIMED_OUT &&
	       p->state != PTT_FORCED;
}

bool ptt_plays(const struct ptt *p, uint64_t now_us)
{
	return p->state == PTT_ON &&
	       now_us >= p->keyed_since + p->config.key_up_ms * US_PER_MS;
}

bool ptt_tone(const struct ptt *p)
{
	return p->config.ctcss && ptt_keyed(p) && p->state != PTT_TAIL;
}

/* --- the next moment ---------------------------------------------------- */

static uint64_t next_of(const uint64_t *moments, size_t n, uint64_t seen)
{
	uint64_t next = PTT_NEVER;

	for (size_t i = 0; i < n; i++) {
		if (moments[i] > seen && moments[i] < next)
			next = moments[i];
	}
	return next;
}

uint64_t ptt_deadline(const struct ptt *p)
{
	uint64_t at[9];
	size_t n = 0;

	if (p->running && !p->want)
		at[n++] = rest_end(p);
	if (p->running && !p->forced) {
		at[n++] = announce_at(p);
		at[n++] = last_tail_at(p);
		at[n++] = timeout_at(p);
	}
	if (ptt_keyed(p) && !p->want) {
		at[n++] = audio_end(p);
		at[n++] = courtesy_at(p);
		at[n++] = courtesy_end(p);
		at[n++] = hang_end(p);
		at[n++] = tail_end(p);
	}
	return next_of(at, n, p->seen);
}

const char *ptt_state_name(enum ptt_state state)
{
	switch (state) {
	case PTT_OFF:
		return "off";
	case PTT_ON:
		return "on";
	case PTT_HANG:
		return "hang";
	case PTT_TIMED_OUT:
		return "timed-out";
	case PTT_FORCED:
		return "forced-off";
	case PTT_COURTESY:
		return "courtesy";
	case PTT_ANNOUNCE:
		return "announce";
	case PTT_TAIL:
		return "tail";
	}
	return "unknown";
}
