/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_DOCTOR_MACHINE_H
#define DAEMON_DOCTOR_MACHINE_H

/*
 * The machine below the daemon: its clock, processor, power and disks.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/doctor/finding.h"

/* A Raspberry Pi's firmware tells these in get_throttled: as it is now, and
 * 16 bits further what was since it started. */
#define DOCTOR_PI_UNDER_VOLTAGE 0x1U
#define DOCTOR_PI_CAPPED 0x2U
#define DOCTOR_PI_THROTTLED 0x4U
#define DOCTOR_PI_HOT 0x8U
#define DOCTOR_PI_SINCE 16U

enum doctor_clock { DOCTOR_CLOCK_UNKNOWN, DOCTOR_CLOCK_FREE, DOCTOR_CLOCK_SET };

struct doctor_machine {
	/* clock */
	enum doctor_clock clock; /* does anything keep it right? */
	int64_t time_s;          /* what it says, since 1970 */
	/* processor; kHz, 0: unknown */
	uint32_t cpu_khz, cpu_max_khz, cpu_able_khz;
	char governor[32]; /* "": unknown */
	char driver[32];   /* that it governs, "": unknown */
	int32_t milli_c;   /* how warm it is, 0: unknown */
	/* power */
	bool pi;            /* @throttled is known */
	uint32_t throttled; /* DOCTOR_PI_* */
	bool volt;          /* @low is known: the supply is watched */
	bool low;           /* it is too low now */
};

/*
 * From the files under @root, "" for this machine's.  What is not there is
 * unknown.  With another root the clock is not asked.
 */
void doctor_machine_look(const char *root, struct doctor_machine *out);

void doctor_clock(struct doctor *d, const struct doctor_machine *m);
void doctor_cpu(struct doctor *d, const struct doctor_machine *m);
void doctor_power(struct doctor *d, const struct doctor_machine *m);

/* A folder that the daemon needs room in. */
struct doctor_disk {
	const char *path;
	int err;        /* errno when it cannot be looked at */
	bool read_only; /* mounted so */
	uint64_t free;  /* octets, for who is not root */
	uint64_t files; /* that can still be made; UINT64_MAX: any number */
};

#define DOCTOR_DISK_LOW (UINT64_C(16) << 20)
#define DOCTOR_DISK_FULL (UINT64_C(256) << 10)

void doctor_disk_look(const char *path, struct doctor_disk *out);
void doctor_disk(struct doctor *d, const struct doctor_disk *k);

#endif
