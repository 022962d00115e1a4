/* SPDX-License-Identifier: MIT */

/* Who asks for the doctor waits until the network was measured, registrars
 * that are silent were asked by TCP, and the mixer was read; but not for
 * long. */

#include "daemon/app.h"
#include "daemon/io/seen.h"

#define PATIENCE_US (25 * MONO_S)
#define MIXER_US MONO_S        /* for a card that hangs */
#define LOOK_US (20 * MONO_MS) /* at the mixer, which tells nothing by itself */

/* --- silent registrars -------------------------------------------------- */

static void on_probe(void *ctx, const struct net_addr *seen)
{
	struct app_registrar *r = ctx;

	r->probing = false;
	r->answered = seen != NULL;
	app_doctor_tick(r->app, loop_now());
}

/* Where it does not answer by UDP, does it by TCP?  Plain ones have no such
 * port. */
static void probe(struct app *a, struct app_registrar *r)
{
	struct oo_registrar_view v;

	if (r->probing)
		return;
	r->probe = seen_client_free(r->probe);
	r->answered = false;
	if (!oo_node_registrar_view(node_openover(a->node), r->index, &v) ||
	    v.plain || v.up)
		return;
	for (int f = 0; f < OO_FAMILIES && !r->probe; f++) {
		if (net_addr_is_set(&v.server[f]))
			r->probe = seen_client_ask(a->base, &v.server[f],
						   a->conf.iax2.interface,
						   on_probe, r);
	}
	r->probing = r->probe != NULL;
}

static bool is_probing(const struct app *a)
{
	for (size_t i = 0; i < a->conf.registrars_n; i++) {
		if (a->registrar[i].probing)
			return true;
	}
	return false;
}

/* --- who waits ---------------------------------------------------------- */

/* Measured lately, or it cannot be. */
static bool is_measured(const struct app *a)
{
	const struct oo_measured *m = oo_node_measured(node_openover(a->node));

	return !m->running && (m->at != 0 || m->failed);
}

static void reply(struct app *a, struct control_request **req)
{
	struct control_request *r = *req;

	*req = NULL;
	control_reply(r, app_findings(a));
}

static struct app_doctor *place(struct app *a)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (!a->doctor[i].req)
			return &a->doctor[i];
	}
	return NULL;
}

static bool is_ready(const struct app *a, const struct app_doctor *w)
{
	return (!w->measures || is_measured(a)) && !is_probing(a) &&
	       (loop_now() >= w->mixer_by || radio_io_mixer(a->radio, NULL));
}

void app_doctor_ask(struct app *a, struct control_request *req)
{
	struct app_doctor *w = place(a);

	if (!w) {
		control_reply(req, app_findings(a));
		return;
	}
	*w = (struct app_doctor){
		.req = req,
		.until = loop_now() + PATIENCE_US,
		.mixer_by = radio_io_look_mixer(a->radio)
				    ? loop_now() + MIXER_US
				    : 0,
	};
	for (size_t i = 0; i < a->conf.registrars_n; i++)
		probe(a, &a->registrar[i]);
	w->measures = !is_measured(a) && node_measure(a->node, loop_now());
	if (w->measures)
		control_notify(
			req, "progress",
			json_pack("{s:s}", "text", "measuring the network"));
	app_doctor_tick(a, loop_now());
	app_pump(a);
}

void app_doctor_tick(struct app *a, mono_us now)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		struct app_doctor *w = &a->doctor[i];

		if (w->req && (now >= w->until || is_ready(a, w)))
			reply(a, &w->req);
		else if (w->req && now >= w->look)
			w->look = now + LOOK_US;
	}
}

mono_us app_doctor_deadline(const struct app *a)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < APP_WAITERS; i++) {
		const struct app_doctor *w = &a->doctor[i];

		if (!w->req)
			continue;
		due = mono_min(due, w->until);
		if (w->mixer_by > loop_now())
			due = mono_min(due, w->look);
	}
	return due;
}

void app_doctor_beat(struct app *a, mono_us now)
{
	doctor_recent_look(&a->xruns, radio_io_status(a->radio).xruns, now);
}

void app_doctor_close(struct app *a)
{
	for (size_t i = 0; i < CONF_REGISTRARS_MAX; i++)
		a->registrar[i].probe = seen_client_free(a->registrar[i].probe);
}
