/* SPDX-License-Identifier: MIT */

/* Who asks for the doctor waits until the network was measured, but not for
 * long. */

#include "daemon/app.h"

#define PATIENCE_US (25 * MONO_S)

/* Measured lately, or it cannot be. */
static bool is_ready(struct app *a)
{
	const struct oo_measured *m = oo_node_measured(node_openover(a->node));

	return !m->running && (m->at != 0 || m->failed);
}

static void reply(struct app *a, struct control_request **req)
{
	struct control_request *r = *req;

	*req = NULL;
	control_reply(r, app_doctor(a));
}

static struct app_doctor *place(struct app *a)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (!a->doctor[i].req)
			return &a->doctor[i];
	}
	return NULL;
}

void app_doctor_ask(struct app *a, struct control_request *req)
{
	struct app_doctor *w = place(a);

	if (is_ready(a) || !w || !node_measure(a->node, loop_now())) {
		control_reply(req, app_doctor(a));
		return;
	}
	*w = (struct app_doctor){ req, loop_now() + PATIENCE_US };
	control_notify(req, "progress",
		       json_pack("{s:s}", "text", "measuring the network"));
	app_pump(a);
}

void app_doctor_tick(struct app *a, mono_us now)
{
	const bool ready = is_ready(a);

	for (size_t i = 0; i < APP_WAITERS; i++) {
		struct app_doctor *w = &a->doctor[i];

		if (w->req && (ready || now >= w->until))
			reply(a, &w->req);
	}
}

mono_us app_doctor_deadline(const struct app *a)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (a->doctor[i].req)
			due = mono_min(due, a->doctor[i].until);
	}
	return due;
}
