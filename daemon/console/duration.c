/* SPDX-License-Identifier: MIT */

#include "daemon/console/duration.h"

#include <stdio.h>

void duration_text(double seconds, char out[DURATION_TEXT])
{
	const long t = seconds > 0 && seconds < 1e12 ? (long)seconds : 0;

	if (t >= 86400)
		(void)snprintf(out, DURATION_TEXT, "%ldd %ldh", t / 86400,
			       t / 3600 % 24);
	else if (t >= 3600)
		(void)snprintf(out, DURATION_TEXT, "%ldh %ldm", t / 3600,
			       t / 60 % 60);
	else
		(void)snprintf(out, DURATION_TEXT, "%ldm %lds", t / 60, t % 60);
}
