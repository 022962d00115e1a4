/* SPDX-License-Identifier: MIT */

#include "radio/ptt.h"

#include <errno.h>

#define US_PER_MS UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)
#define REST_US (PTT_REST_MS * US_PER_MS)

static bool valid(const struct ptt_config *config)
{
	return config->timeout_s >= PTT_TIMEOUT_MIN_S &&
	       config->timeout_s <= PTT_TIMEOUT_MAX_S &&
	       config->hang_ms <= PTT_HANG_MAX_MS;
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

static uint64_t timeout_at(const struct ptt *p)
{
	return p->run_since + p->config.timeout_s * US_PER_S;
}

static uint64_t hang_end(const struct ptt *p)
{
	return p->want_end + p->config.hang_ms * US_PER_MS;
}

static bool hanging(const struct ptt *p, uint64_t now_us)
{
	return (p->state == PTT_ON || p->state == PTT_HANG) && !p->want &&
	       now_us < hang_end(p);
}

static enum ptt_state next_state(const struct ptt *p, uint64_t now_us)
{
	if (p->forced)
		return PTT_FORCED;
	if (p->running && now_us >= timeout_at(p))
		return PTT_TIMED_OUT;
	if (p->want)
		return PTT_ON;
	return hanging(p, now_us) ? PTT_HANG : PTT_OFF;
}

void ptt_tick(struct ptt *p, uint64_t now_us)
{
	if (p->running && !p->want && now_us >= p->want_end + REST_US)
		p->running = false;
	p->state = next_state(p, now_us);
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
	return p->state == PTT_ON || p->state == PTT_HANG;
}

uint64_t ptt_deadline(const struct ptt *p)
{
	uint64_t at = PTT_NEVER;

	if (ptt_keyed(p) && p->running)
		at = timeout_at(p);
	if (p->running && !p->want && p->want_end + REST_US < at)
		at = p->want_end + REST_US;
	if (p->state == PTT_HANG && hang_end(p) < at)
		at = hang_end(p);
	return at;
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
	}
	return "unknown";
}
