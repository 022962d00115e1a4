/* SPDX-License-Identifier: MIT */

#include "daemon/radio_alsa.h"

#include <stdio.h>
#include <string.h>

#include "daemon/io/log.h"

static struct alsa_levels levels(const struct conf_node *conf)
{
	return (struct alsa_levels){
		.rx_db = conf->audio.rx_db,
		.tx_a_db = conf->audio.tx_a_db,
		.tx_b_db = conf->audio.tx_b_db,
		.boost = conf->audio.boost,
	};
}

int radio_alsa_open(struct alsa **out, const struct conf_node *conf,
		    char why[ALSA_WHY_MAX])
{
	const struct alsa_levels l = levels(conf);
	const int err = alsa_new(out, &l);

	if (err != 0)
		(void)snprintf(why, ALSA_WHY_MAX, "sound: %s", strerror(-err));
	return err;
}

void radio_alsa_say(struct alsa *a)
{
	struct alsa_news n;

	while (alsa_news(a, &n)) {
		if (n.kind == ALSA_OPENED)
			log_info("%s", n.text);
		else
			log_warning("%s", n.text);
	}
}

void radio_alsa_set_levels(struct alsa *a, const struct conf_node *conf)
{
	const struct alsa_levels l = levels(conf);

	alsa_set_levels(a, &l);
}
