/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_APP_FETCH_H
#define DAEMON_APP_FETCH_H

/*
 * The extnodes file, fetched now and then into lookup.extnodes, in a thread of
 * its own.  What does not come, is too long, or names no node leaves the file
 * of before as it is.
 */

#include "daemon/app.h"

/* NULL in app.fetch when lookup.extnodes_url is empty.  0, or -ENOMEM. */
int app_fetch_open(struct app *a);
/* Accepts NULL, returns NULL. */
struct app_fetch *app_fetch_close(struct app_fetch *f);
/* Why the file is not fetched; NULL: it is, or nobody wants it. */
const char *app_fetch_trouble(const struct app *a);
/* For app_lookup_json(). */
json_t *app_fetch_json(const struct app *a);

#endif
