/* SPDX-License-Identifier: MIT */

/* What the daemon knows, gathered for the doctor's checks. */

#include <stdio.h>
#include <time.h>

#include "daemon/app.h"
#include "daemon/app_fetch.h"
#include "daemon/app_https.h"
#include "daemon/doctor/network.h"

/* What a registrar's texts are borrowed from. */
struct registrars {
	struct doctor_registrar v[CONF_REGISTRARS_MAX];
	struct oo_registrar_view view[CONF_REGISTRARS_MAX];
	char warning[CONF_REGISTRARS_MAX][APP_HTTPS_WARNING_MAX];
	size_t n;
};

static enum doctor_tcp tcp_of(const struct app_registrar *r)
{
	if (!r->probe)
		return DOCTOR_TCP_UNKNOWN;
	return r->answered ? DOCTOR_TCP_ANSWERS : DOCTOR_TCP_SILENT;
}

static void gather_registrar(const struct app *a, struct registrars *all,
			     size_t i)
{
	const struct conf_registrar_ref *c = &a->conf.registrars[i];
	const struct app_registrar *r = &a->registrar[i];
	struct oo_registrar_view *v = &all->view[i];
	char *warning = all->warning[i];

	*v = (struct oo_registrar_view){ .state = "" };
	(void)oo_node_registrar_view(node_openover(a->node), i, v);
	app_https_view(a, i, v);
	all->v[i] = (struct doctor_registrar){
		.host = c->host,
		.plain = v->plain,
		.https = app_https_in_use(a, i),
		.up = v->up,
		.state = v->state,
		.why = v->why,
		.fault = v->fault,
		.no_address = r->no_address[0] ? r->no_address : NULL,
		.tcp = tcp_of(r),
		.rtt_us = v->rtt_us,
	};
	if (c->https == CONF_HTTPS_ONLY && app_https_warning(a, i, warning))
		all->v[i].warning = warning;
}

static void add_registrars(const struct app *a, struct doctor *d)
{
	char key[KEY_TEXT_LEN];
	const struct doctor_self self = {
		.number = a->conf.node.number,
		.key = key,
		.port = a->conf.iax2.port,
		.has_address = a->own_n > 0,
	};
	struct registrars all = { .n = a->conf.registrars_n };

	key_to_text(a->id.public_key, key);
	for (size_t i = 0; i < all.n; i++)
		gather_registrar(a, &all, i);
	doctor_dns(d, all.v, all.n);
	for (size_t i = 0; i < all.n; i++)
		doctor_registrar(d, &all.v[i], &self);
	if (all.n == 0)
		doctor_no_registrar(d);
	doctor_udp(d, all.v, all.n, &self);
}

static void add_network(const struct app *a, struct doctor *d)
{
	const struct oo_reg *g = app_first_up(a);
	json_t *reach = app_reach(a);
	const struct doctor_nat nat = {
		.rung = json_string_value(json_object_get(reach, "rung")),
		.verdict = json_string_value(json_object_get(reach, "verdict")),
		.registered = g != NULL,
		.helped = g && g->ends.port != 0,
		.m = oo_node_measured(node_openover(a->node)),
		.keepalive_s = g ? (uint32_t)(app_keepalive(g) / MONO_S) : 0,
	};
	struct doctor_seen seen = { .tcp4 = a->tcp_seen };

	if (g) {
		seen.udp = g->hole[oo_reg_best_family(g)].apparent;
		seen.udp4 = g->hole[OO_V4].apparent;
	}
	doctor_address(d, &seen);
	doctor_nat(d, &nat);
	json_decref(reach);
}

static void add_helpers(const struct app *a, struct doctor *d)
{
	struct oo_node_relay_view relay;
	struct portmap_view v;

	if (a->portmap) {
		v = portmap_io_view(a->portmap, PORTMAP_V4);
		doctor_router(d, &v, "IPv4");
		v = portmap_io_view(a->portmap, PORTMAP_V6);
		doctor_router(d, &v, "IPv6");
	}
	if (a->conf.relay.use != CONF_RELAY_ALWAYS)
		return;
	oo_node_relay_view(node_openover(a->node), &relay);
	doctor_relay(d, relay.up);
}

static void add_lookup(const struct app *a, struct doctor *d)
{
	const struct lookup_io *io = a->numbers;
	const struct file_table *file = lookup_io_file(io);
	const struct extnodes *x = lookup_io_table(io);
	struct doctor_lookup l = {
		.domain = a->conf.lookup.domain,
		.asked = lookup_io_counters(io)->questions > 0,
		.dns_trouble = lookup_io_trouble(io),
		.file = a->conf.lookup.extnodes,
		.file_trouble = file ? file_table_trouble(file) : NULL,
		.fetched = a->conf.lookup.extnodes_url[0] != '\0',
		.fetch_s = a->conf.lookup.extnodes_s,
		.fetch_trouble = app_fetch_trouble(a),
	};

	if (!l.file_trouble && !x)
		l.file = "";
	if (x) {
		l.file_nodes = extnodes_count(x);
		l.file_age_s = (int64_t)time(NULL) - file_table_written(file);
	}
	doctor_lookup(d, &l);
}

#define LINKS_MAX 64U /* with trouble or not, of more nothing is said */

static void add_links(const struct app *a, struct doctor *d)
{
	struct doctor_link link[LINKS_MAX];
	char number[LINKS_MAX][IAX2_NUMBER_MAX + 1];
	struct node_link_info l;
	size_t n = 0;

	for (size_t i = 0; i < node_links_max(a->node) && n < LINKS_MAX; i++) {
		uint64_t heard;

		if (!node_link_at(a->node, i, &l) || l.state != NODE_LINK_UP)
			continue;
		heard = l.call.rx_voice + l.call.rx_lost;
		(void)snprintf(number[n], sizeof(number[n]), "%s", l.number);
		link[n] = (struct doctor_link){
			.node = number[n],
			.jitter_ms = (double)l.call.jitter_us / 1e3,
			.loss_pct = heard ? 100.0 * (double)l.call.rx_lost /
						    (double)heard
					  : 0.0,
			.rtt_ms = (double)l.call.rtt_us / 1e3,
			.heard = heard,
		};
		n++;
	}
	doctor_jitter(d, link, n);
}

static void gather_mixer(const struct app *a, struct doctor_mixer *out)
{
	struct radio_levels_view v;
	struct alsa_found m;

	if (!radio_io_levels(a->radio, &v) || !v.open ||
	    !radio_io_mixer(a->radio, &m))
		return;
	*out = (struct doctor_mixer){
		.known = true,
		.rx = { m.rx, m.rx_off, m.rx_db, v.mixer.rx_db },
		.tx = { m.tx, m.tx_off, m.tx_a_db, v.mixer.tx_a_db },
		.agc = m.boost,
		.want_agc = v.levels.boost,
	};
}

static void add_radio(struct app *a, struct doctor *d)
{
	const struct audio_device_status st = radio_io_status(a->radio);
	struct station_view v;
	struct doctor_radio r = {
		.type = radio_io_type(a->radio),
		.fault = radio_io_fault(a->radio),
		.running = st.state == AUDIO_DEVICE_RUNNING,
		.drift_ppm = st.drift_ppm,
		.xruns = doctor_recent(&a->xruns, st.xruns),
		.stuck_s = a->conf.cor.stuck_s,
	};

	node_radio(a->node, &v);
	r.stuck = v.stuck;
	r.received = v.received;
	r.overs = v.cor.overs;
	r.rx_dbfs = v.rx.average_dbfs;
	r.peak_dbfs = v.rx.peak_dbfs;
	gather_mixer(a, &r.mixer);
	doctor_fob(d, &r);
	doctor_mixer(d, &r);
	doctor_cor(d, &r);
	doctor_levels(d, &r);
	doctor_sound(d, &r);
}

json_t *app_findings(struct app *a)
{
	struct doctor d;

	doctor_begin(&d);
	add_registrars(a, &d);
	add_network(a, &d);
	add_helpers(a, &d);
	add_lookup(a, &d);
	add_links(a, &d);
	add_radio(a, &d);
	return json_pack("{s:b, s:o, s:o}", "ok", (int)doctor_all_well(d.list),
			 "conf", control_text(a->conf_file), "findings",
			 d.list);
}
