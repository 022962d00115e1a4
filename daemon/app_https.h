/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_APP_HTTPS_H
#define DAEMON_APP_HTTPS_H

/*
 * Registration by HTTPS in the daemon: the machines (asl_reg.h) of the
 * registrars that are configured for it, and the thread that asks.
 */

#include "daemon/app.h"

struct app_https;

/* After the registrars are there: NULL in app.https when none of it is
 * configured.  0, or -errno with a sentence in @why. */
int app_https_open(struct app *a, char why[CONTROL_WHY_MAX]);
/* Accepts NULL, returns NULL. */
struct app_https *app_https_close(struct app_https *h);

/* What REGREQ did with registrar @ev->registrar, and what others see. */
void app_https_event(struct app *a, const struct node_event *ev);
/* There is no address to send a REGREQ to. */
void app_https_no_address(struct app *a, size_t registrar);
void app_https_network_changed(struct app *a);
/* Where registrar @i has us by HTTPS: put that in place of what there is to say
 * of REGREQs. */
void app_https_view(const struct app *a, size_t i, struct oo_registrar_view *v);
/* Registrar @i has us by HTTPS, or is to. */
bool app_https_in_use(const struct app *a, size_t i);
/* Add to what app_status() says of it. */
void app_https_status(const struct app *a, size_t i, json_t *registrar);
/* False: there is nothing to warn of. */
#define APP_HTTPS_WARNING_MAX 256U
bool app_https_warning(const struct app *a, size_t i,
		       char out[APP_HTTPS_WARNING_MAX]);

#endif
