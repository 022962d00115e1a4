/* SPDX-License-Identifier: MIT */

#include "daemon/radio_alsa.h"

#include <stdio.h>
#include <string.h>

#include "daemon/io/log.h"
#include "daemon/io/loop.h"
#include "daemon/radio_levels.h"

int radio_alsa_open(struct alsa **out, const struct conf_node *conf,
		    char why[ALSA_WHY_MAX])
{
	const struct alsa_levels l = radio_levels_of(conf);
	const int err = alsa_new(out, &l);

	if (err != 0)
		(void)snprintf(why, ALSA_WHY_MAX, "sound: %s", strerror(-err));
	return err;
}

void radio_alsa_say(struct alsa *a, char fault[ALSA_WHY_MAX])
{
	struct alsa_news n;

	while (alsa_news(a, &n)) {
		if (n.kind == ALSA_OPENED)
			LOG_EVENT(loop_now(), LOG_INFO, "radio", "%s", n.text);
		else
			LOG_EVENT(loop_now(), LOG_WARNING, "radio", "%s",
				  n.text);
		if (n.kind == ALSA_FAILED)
			(void)snprintf(fault, ALSA_WHY_MAX, "%s", n.text);
	}
}
