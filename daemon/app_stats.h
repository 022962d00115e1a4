/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_APP_STATS_H
#define DAEMON_APP_STATS_H

/* The statistics that the daemon posts (asl_stats.h), in a thread of their own:
 * a registration does not wait for them. */

#include "daemon/app.h"

/* NULL in app.stats when none are wanted.  0, or -ENOMEM. */
int app_stats_open(struct app *a);
/* Accepts NULL, returns NULL. */
struct app_stats *app_stats_close(struct app_stats *s);
/* The receiver or the transmitter opened or closed. */
void app_stats_event(struct app *a, const struct node_event *ev);
/* For app_status(). */
json_t *app_stats_json(const struct app *a);

#endif
