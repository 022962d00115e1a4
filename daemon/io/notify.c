/* SPDX-License-Identifier: MIT */

#include "daemon/io/notify.h"

#include <stdarg.h>
#include <stdio.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

static void tell(const char *what)
{
	(void)sd_notify(0, what);
}

mono_us notify_watchdog_period(void)
{
	uint64_t usec = 0;

	return sd_watchdog_enabled(0, &usec) > 0 ? usec / 2 : MONO_NEVER;
}
#else
static void tell(const char *what)
{
	(void)what;
}

mono_us notify_watchdog_period(void)
{
	return MONO_NEVER;
}
#endif

void notify_ready(void)
{
	tell("READY=1");
}

void notify_reloading(void)
{
	tell("RELOADING=1");
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_alive(void)
{
	tell("WATCHDOG=1");
}

void notify_status(const char *format, ...)
{
	char line[256] = "STATUS=";
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line + 7, sizeof(line) - 7, format, ap);
	va_end(ap);
	tell(line);
}
