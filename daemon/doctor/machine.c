/* SPDX-License-Identifier: MIT */

#include "daemon/doctor/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* No machine that runs this program has seen an earlier day: 2024-01-01. */
#define EARLIEST_S 1704067200
#define HOT_MILLI_C 80000

/* --- clock -------------------------------------------------------------- */

static void tell_early(struct doctor *d, int64_t time_s)
{
	const time_t t = (time_t)time_s;
	char seen[DOCTOR_TEXT_MAX], day[32] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	(void)snprintf(seen, sizeof(seen), "the clock says %s", day);
	doctor_find(d, &(struct doctor_finding){
			       "clock", DOCTOR_BAD, seen,
			       "The machine lost its time, and nothing has set "
			       "it: certificates are not valid yet, and the "
			       "log has wrong days.",
			       "Let it reach a time server: timedatectl "
			       "set-ntp true; or set it by hand: date -s." });
}

void doctor_clock(struct doctor *d, const struct doctor_machine *m)
{
	if (m->time_s < EARLIEST_S) {
		tell_early(d, m->time_s);
		return;
	}
	switch (m->clock) {
	case DOCTOR_CLOCK_SET:
		doctor_find(d, &(struct doctor_finding){
				       "clock", DOCTOR_OK,
				       "the clock is kept right", NULL, NULL });
		break;
	case DOCTOR_CLOCK_FREE:
		doctor_find(d, &(struct doctor_finding){
				       "clock", DOCTOR_WARN,
				       "the clock is not synchronised",
				       "No time service is running, or it does "
				       "not reach its servers.",
				       "timedatectl set-ntp true (or install "
				       "chrony), and see timedatectl." });
		break;
	case DOCTOR_CLOCK_UNKNOWN:
		doctor_find(d, &(struct doctor_finding){
				       "clock", DOCTOR_SKIPPED,
				       "the kernel does not tell of the clock",
				       NULL, NULL });
		break;
	}
}

/* --- processor ---------------------------------------------------------- */

/* These choose the frequency themselves, whatever the governor is called. */
static bool is_self_governed(const struct doctor_machine *m)
{
	return strstr(m->driver, "pstate") != NULL;
}

static bool is_held_low(const struct doctor_machine *m)
{
	return strcmp(m->governor, "powersave") == 0 && !is_self_governed(m);
}

static void tell_slow(struct doctor *d, const struct doctor_machine *m)
{
	char seen[DOCTOR_TEXT_MAX];
	const bool low = is_held_low(m);

	(void)snprintf(seen, sizeof(seen),
		       "the processor runs at %" PRIu32 " of %" PRIu32 " MHz%s",
		       (low ? m->cpu_khz : m->cpu_max_khz) / 1000,
		       m->cpu_able_khz / 1000, low ? " always" : " at most");
	doctor_find(d,
		    &(struct doctor_finding){
			    "cpu", DOCTOR_WARN, seen,
			    low ? "Its governor is powersave: sound may come "
				  "too late."
				: "Something limits its frequency: sound may "
				  "come too late.",
			    low ? "cpupower frequency-set -g schedutil, or "
				  "write it to scaling_governor in "
				  "/sys/devices/system/cpu/cpu*/cpufreq."
				: "Look for what set scaling_max_freq in "
				  "/sys/devices/system/cpu/cpu*/cpufreq, and "
				  "for heat." });
}

void doctor_cpu(struct doctor *d, const struct doctor_machine *m)
{
	char seen[DOCTOR_TEXT_MAX];

	if (m->milli_c >= HOT_MILLI_C) {
		(void)snprintf(seen, sizeof(seen), "the processor has %d C",
			       (int)(m->milli_c / 1000));
		doctor_find(d, &(struct doctor_finding){
				       "cpu", DOCTOR_WARN, seen,
				       "It is about to slow itself down.",
				       "Give it air or a heat sink, and shade "
				       "to its box." });
	}
	if (m->cpu_able_khz == 0) {
		doctor_find(d, &(struct doctor_finding){
				       "cpu", DOCTOR_SKIPPED,
				       "the kernel does not tell the "
				       "processor's frequency",
				       NULL, NULL });
	} else if (is_held_low(m) ||
		   (m->cpu_max_khz != 0 && m->cpu_max_khz < m->cpu_able_khz)) {
		tell_slow(d, m);
	} else {
		(void)snprintf(
			seen, sizeof(seen),
			"the processor runs at up to %" PRIu32 " MHz%s%s",
			m->cpu_able_khz / 1000,
			m->governor[0] ? ", governor " : "", m->governor);
		doctor_find(d, &(struct doctor_finding){ "cpu", DOCTOR_OK, seen,
							 NULL, NULL });
	}
}

/* --- power -------------------------------------------------------------- */

#define MEND_SUPPLY                                                          \
	"Use the supply that belongs to the board, a short thick cable and " \
	"a powered hub for what draws much; then restart the machine."

static void tell_supply(struct doctor *d, bool now)
{
	doctor_find(d,
		    &(struct doctor_finding){
			    "power", now ? DOCTOR_BAD : DOCTOR_WARN,
			    now ? "the supply's voltage is too low"
				: "the supply's voltage was too low since the "
				  "start",
			    "The processor slows down, and USB devices drop "
			    "out.",
			    MEND_SUPPLY });
}

static void tell_throttled(struct doctor *d, uint32_t bits)
{
	const bool now = (bits & (DOCTOR_PI_CAPPED | DOCTOR_PI_THROTTLED |
				  DOCTOR_PI_HOT)) != 0;

	doctor_find(d, &(struct doctor_finding){
			       "power", now ? DOCTOR_BAD : DOCTOR_WARN,
			       now ? "the firmware slows the processor down"
				   : "the firmware slowed the processor down "
				     "since the start",
			       "It is, or was, too hot.",
			       "Give it air or a heat sink; then restart the "
			       "machine." });
}

void doctor_power(struct doctor *d, const struct doctor_machine *m)
{
	const uint32_t since = m->throttled >> DOCTOR_PI_SINCE;
	const uint32_t ever = m->throttled | since;
	const bool low_now =
		m->low || (m->throttled & DOCTOR_PI_UNDER_VOLTAGE) != 0;

	if (!m->pi && !m->volt) {
		doctor_find(d, &(struct doctor_finding){
				       "power", DOCTOR_SKIPPED,
				       "the machine does not tell of its power "
				       "supply",
				       NULL, NULL });
		return;
	}
	/* A low voltage slows the processor down as well. */
	if (low_now || (since & DOCTOR_PI_UNDER_VOLTAGE))
		tell_supply(d, low_now);
	else if (ever &
		 (DOCTOR_PI_CAPPED | DOCTOR_PI_THROTTLED | DOCTOR_PI_HOT))
		tell_throttled(d, m->throttled);
	else
		doctor_find(d, &(struct doctor_finding){
				       "power", DOCTOR_OK,
				       "the power supply holds its voltage",
				       NULL, NULL });
}

/* --- disk --------------------------------------------------------------- */

#define MIB (1024.0 * 1024.0)

static void tell_disk(struct doctor *d, enum doctor_state state,
		      const char *seen, const char *cause, const char *mend)
{
	doctor_find(d, &(struct doctor_finding){ "disk", state, seen, cause,
						 mend });
}

void doctor_disk(struct doctor *d, const struct doctor_disk *k)
{
	const double mib = (double)k->free / MIB;
	char seen[DOCTOR_TEXT_MAX];

	if (k->err != 0) {
		(void)snprintf(seen, sizeof(seen), "%.255s: %s", k->path,
			       strerror(k->err));
		tell_disk(d, DOCTOR_BAD, seen,
			  "The configuration names a folder that is not there, "
			  "or not for you.",
			  "Make it, or run keyhole doctor as root.");
	} else if (k->read_only) {
		(void)snprintf(seen, sizeof(seen), "%.255s is read-only",
			       k->path);
		tell_disk(d, DOCTOR_WARN, seen,
			  "It was mounted so, or the card has failed.",
			  "See dmesg; mount -o remount,rw, or another card.");
	} else if (k->free < DOCTOR_DISK_LOW || k->files < 16) {
		const bool full = k->free < DOCTOR_DISK_FULL || k->files == 0;

		(void)snprintf(seen, sizeof(seen),
			       "%.255s: %.1f MiB are left%s", k->path, mib,
			       k->files < 16 ? ", for few more files" : "");
		tell_disk(d, full ? DOCTOR_BAD : DOCTOR_WARN, seen,
			  "The disk is full, or nearly: settings cannot be "
			  "stored.",
			  "Delete what is not needed: journalctl "
			  "--vacuum-size=50M, apt-get clean.");
	} else {
		(void)snprintf(seen, sizeof(seen), "%.255s: %.0f MiB are left",
			       k->path, mib);
		tell_disk(d, DOCTOR_OK, seen, NULL, NULL);
	}
}
