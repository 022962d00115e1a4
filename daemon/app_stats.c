/* SPDX-License-Identifier: MIT */

#include "daemon/app_stats.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/io/https.h"
#include "daemon/io/log.h"
#include "proto/asl_stats.h"

#define LINKS_TEXT 1000U /* what is more does not fit an address well */

struct app_stats {
	struct app *app;
	struct https *https;
	struct loop_timer timer;
	struct asl_stats when;
	uint32_t seqno;
	mono_us tx_since; /* 0: the transmitter is off */
	mono_us tx_total;
	uint64_t posted;
};

static void system_random(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

/* --- what is told ------------------------------------------------------- */

static void links_text(const struct app *a, char out[LINKS_TEXT])
{
	struct node_link_info l;
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < node_links_max(a->node); i++) {
		if (!node_link_at(a->node, i, &l) || l.number[0] == '\0' ||
		    l.state != NODE_LINK_UP)
			continue;
		if (n + strlen(l.number) + 3 > LINKS_TEXT)
			return;
		n += (size_t)snprintf(
			out + n, LINKS_TEXT - n, "%s%c%s", n > 0 ? "," : "",
			l.mode == NODE_TRANSCEIVE ? 'T' : 'R', l.number);
	}
}

static void post(struct app_stats *s, enum asl_stats_what what, mono_us now)
{
	const struct app *a = s->app;
	char links[LINKS_TEXT], url[HTTPS_URL_MAX + 1];
	const struct https_question q = { .url = url };
	struct station_view v;

	node_radio(a->node, &v);
	links_text(a, links);
	const struct asl_stats_report r = {
		.node = a->conf.node.number,
		.time_s = (uint64_t)time(NULL),
		.seqno = ++s->seqno,
		.links = links,
		.version = KEYHOLE_VERSION,
		.uptime_s = (now - a->started) / MONO_S,
		.kerchunks = v.cor.kerchunks,
		.keyups = v.cor.overs,
		.tx_s = (s->tx_total + (s->tx_since ? now - s->tx_since : 0)) /
			MONO_S,
		.timeouts = v.timeouts,
		.keyed = s->when.keyed,
		.keytime_s = asl_stats_keytime_s(&s->when, now),
	};

	if (asl_stats_url(url, sizeof(url), a->conf.stats.url, what, &r) == 0 ||
	    https_ask(s->https, &q) != 0)
		(void)asl_stats_answered(&s->when, 0, now);
	else
		s->posted++;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct app_stats *s = ctx;
	const mono_us now = loop_now();
	const enum asl_stats_what due = asl_stats_tick(&s->when, now);

	(void)fd;
	(void)what;
	if (due != ASL_STATS_NOTHING && !s->app->stopping)
		post(s, due, now);
	loop_timer_set(&s->timer, asl_stats_deadline(&s->when));
}

/* Said when it changes, not each time. */
static void on_answer(void *ctx, const struct https_answer *answer)
{
	struct app_stats *s = ctx;
	const char *url = s->app->conf.stats.url;

	if (asl_stats_answered(&s->when, answer->status, loop_now())) {
		if (answer->status == 200)
			LOG_LIMITED(loop_now(), LOG_INFO,
				    "statistics: %s takes them again", url);
		else if (answer->status == 0)
			LOG_LIMITED(loop_now(), LOG_WARNING,
				    "statistics: %s: %s", url, answer->why);
		else
			LOG_LIMITED(loop_now(), LOG_WARNING,
				    "statistics: %s does not take them: HTTP "
				    "%u%s",
				    url, answer->status,
				    answer->status == 401
					    ? " (is another node at this "
					      "address?)"
				    : answer->status == 422
					    ? " (it does not know this node)"
					    : "");
	}
	loop_timer_set(&s->timer, asl_stats_deadline(&s->when));
}

void app_stats_event(struct app *a, const struct node_event *ev)
{
	struct app_stats *s = a->stats;
	const mono_us now = loop_now();

	if (!s)
		return;
	if (ev->kind == NODE_EV_COR) {
		asl_stats_keyed(&s->when, ev->on, now);
		loop_timer_set(&s->timer, asl_stats_deadline(&s->when));
	} else if (ev->kind == NODE_EV_PTT && ev->on && s->tx_since == 0) {
		s->tx_since = now;
	} else if (ev->kind == NODE_EV_PTT && !ev->on && s->tx_since != 0) {
		s->tx_total += now - s->tx_since;
		s->tx_since = 0;
	}
}

json_t *app_stats_json(const struct app *a)
{
	const struct app_stats *s = a->stats;

	if (!s)
		return json_pack("{s:b}", "enabled", 0);
	return json_pack("{s:b, s:s, s:I, s:i}", "enabled", 1, "url",
			 a->conf.stats.url, "posted", (json_int_t)s->posted,
			 "http", (int)s->when.status);
}

/* --- start and end ------------------------------------------------------ */

int app_stats_open(struct app *a)
{
	const struct https_cfg cfg = {
		.ca_file = a->conf.https.ca_file,
		.interface = a->conf.iax2.interface,
		.bind4 = a->conf.iax2.bind4,
	};
	const struct asl_stats_cfg when = {
		.interval_s = a->conf.stats.interval_s,
		.random = system_random,
	};
	struct app_stats *s;

	if (a->conf.stats.url[0] == '\0')
		return 0;
	s = calloc(1, sizeof(*s));
	a->stats = s;
	if (!s)
		return -ENOMEM;
	s->app = a;
	asl_stats_init(&s->when, &when, loop_now());
	if (https_new(&s->https, a->base, &cfg, on_answer, s) == -ELIBACC) {
		/* No reason to leave the air. */
		log_error("statistics: libcurl3-gnutls is not installed");
		free(s);
		a->stats = NULL;
		return 0;
	}
	if (!s->https || loop_timer_init(&s->timer, a->base, on_timer, s) != 0)
		return -ENOMEM;
	loop_timer_set(&s->timer, asl_stats_deadline(&s->when));
	return 0;
}

struct app_stats *app_stats_close(struct app_stats *s)
{
	if (!s)
		return NULL;
	https_free(s->https);
	loop_timer_done(&s->timer);
	free(s);
	return NULL;
}
