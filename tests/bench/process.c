/* SPDX-License-Identifier: MIT */

#include "tests/bench/process.h"

#include <errno.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(EXIT_FAILURE);
}

void random_octets(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

void pin(size_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set) == 0, "cannot be pinned");
}

long rss_of(pid_t pid)
{
	char text[64];
	char *second = text;
	long pages = 0;
	FILE *f;

	(void)snprintf(text, sizeof(text), "/proc/%d/statm", (int)pid);
	f = fopen(text, "r");
	must(f && fgets(text, sizeof(text), f), "no memory figure");
	(void)fclose(f);
	(void)strtol(text, &second, 10);
	pages = strtol(second, NULL, 10);
	must(pages > 0, "no memory figure");
	return pages * sysconf(_SC_PAGESIZE);
}

double cpu_of(pid_t pid)
{
	struct timespec ts = { 0 };
	clockid_t clock;

	must(clock_getcpuclockid(pid, &clock) == 0 &&
		     clock_gettime(clock, &ts) == 0,
	     "no processor time");
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
