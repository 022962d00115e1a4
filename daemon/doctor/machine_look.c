/* SPDX-License-Identifier: MIT */

/* What the kernel tells of the machine. */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>

#include "daemon/doctor/machine.h"

#define CPUFREQ "/sys/devices/system/cpu/cpu0/cpufreq/"
#define THROTTLED "/sys/devices/platform/soc/soc:firmware/get_throttled"
#define TEMPERATURE "/sys/class/thermal/thermal_zone0/temp"
#define HWMON "/sys/class/hwmon"

/* The first line of a file.  False: there is none. */
static bool first_line(const char *root, const char *file, char *out,
		       size_t cap)
{
	char path[PATH_MAX];
	FILE *f;
	bool any;

	if (snprintf(path, sizeof(path), "%s%s", root, file) >=
	    (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	any = fgets(out, (int)cap, f) != NULL;
	(void)fclose(f);
	if (any)
		out[strcspn(out, "\n")] = '\0';
	return any;
}

static bool number(const char *root, const char *file, int base, long *out)
{
	char text[32], *end;

	if (!first_line(root, file, text, sizeof(text)))
		return false;
	errno = 0;
	*out = strtol(text, &end, base);
	return end != text && *end == '\0' && errno == 0;
}

static uint32_t khz(const char *root, const char *file)
{
	long v;

	return number(root, file, 10, &v) && v > 0 && v < INT32_MAX
		       ? (uint32_t)v
		       : 0;
}

static void look_cpu(const char *root, struct doctor_machine *out)
{
	long v;

	out->cpu_khz = khz(root, CPUFREQ "scaling_cur_freq");
	out->cpu_max_khz = khz(root, CPUFREQ "scaling_max_freq");
	out->cpu_able_khz = khz(root, CPUFREQ "cpuinfo_max_freq");
	if (!first_line(root, CPUFREQ "scaling_governor", out->governor,
			sizeof(out->governor)))
		out->governor[0] = '\0';
	if (!first_line(root, CPUFREQ "scaling_driver", out->driver,
			sizeof(out->driver)))
		out->driver[0] = '\0';
	if (number(root, TEMPERATURE, 10, &v) && v > -100000 && v < 200000)
		out->milli_c = (int32_t)v;
}

/* The chip of that name, as Linux numbers them anew at each start. */
static bool look_volt(const char *root, struct doctor_machine *out)
{
	char file[PATH_MAX], name[32];
	const struct dirent *e;
	bool found = false;
	long v;
	DIR *dir;

	(void)snprintf(file, sizeof(file), "%s%s", root, HWMON);
	dir = opendir(file);
	if (!dir)
		return false;
	while (!found && (e = readdir(dir)) != NULL) {
		(void)snprintf(file, sizeof(file), HWMON "/%.64s/name",
			       e->d_name);
		if (!first_line(root, file, name, sizeof(name)) ||
		    strcmp(name, "rpi_volt") != 0)
			continue;
		(void)snprintf(file, sizeof(file),
			       HWMON "/%.64s/in0_lcrit_alarm", e->d_name);
		found = number(root, file, 10, &v);
		out->low = found && v != 0;
	}
	(void)closedir(dir);
	return found;
}

static enum doctor_clock look_clock(void)
{
	struct timex t = { .modes = 0 };
	const int state = adjtimex(&t);

	if (state < 0)
		return DOCTOR_CLOCK_UNKNOWN;
	return state == TIME_ERROR || (t.status & STA_UNSYNC)
		       ? DOCTOR_CLOCK_FREE
		       : DOCTOR_CLOCK_SET;
}

void doctor_machine_look(const char *root, struct doctor_machine *out)
{
	long v;

	*out = (struct doctor_machine){ .time_s = (int64_t)time(NULL) };
	if (root[0] == '\0')
		out->clock = look_clock();
	look_cpu(root, out);
	out->pi = number(root, THROTTLED, 16, &v) && v >= 0;
	if (out->pi)
		out->throttled = (uint32_t)v;
	out->volt = look_volt(root, out);
}

void doctor_disk_look(const char *path, struct doctor_disk *out)
{
	struct statvfs v;

	*out = (struct doctor_disk){ .path = path };
	if (statvfs(path, &v) != 0) {
		out->err = errno;
		return;
	}
	out->read_only = (v.f_flag & ST_RDONLY) != 0;
	out->free = (uint64_t)v.f_bavail * v.f_frsize;
	out->files = v.f_files == 0 ? UINT64_MAX : v.f_favail;
}
