/* SPDX-License-Identifier: MIT */

#include "daemon/app_fetch.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/io/https.h"
#include "daemon/io/log.h"
#include "daemon/node/extnodes.h"

#define SPREAD_S 30U /* not all nodes ask in the same second */
#define NO_WAY_S 60U /* the server was not reached, so it was not troubled */

_Static_assert(CONF_PATH_MAX <= HTTPS_PATH_MAX, "a file's name");
_Static_assert(CONF_URL_MAX <= HTTPS_URL_MAX, "an address");

struct app_fetch {
	struct app *app;
	struct https *https;
	struct loop_timer timer;
	int64_t changed; /* what the server said of the file we have; or 0 */
	char trouble[HTTPS_WHY_MAX]; /* empty: the last fetch was good */
	uint64_t asked;
	uint64_t stored;
	uint64_t unchanged;
	uint64_t failed;
	uint64_t cut; /* of those, answers that were too long */
};

/* A list without a node may be true, an error page is not: it has lines that
 * are none. */
static bool is_list(const char *text, size_t len)
{
	struct extnodes *x = extnodes_new(text, len);
	const bool good =
		len > 0 && x && (extnodes_count(x) > 0 || extnodes_bad(x) == 0);

	(void)extnodes_free(x);
	return good;
}

static void ask_in(struct app_fetch *f, uint32_t seconds)
{
	loop_timer_set(&f->timer,
		       loop_now() + (mono_us)seconds * MONO_S +
			       (mono_us)randombytes_uniform(SPREAD_S * 1000) *
				       MONO_MS);
}

static void explain(const struct https_answer *a, char out[HTTPS_WHY_MAX])
{
	out[0] = '\0';
	if (a->too_long)
		(void)snprintf(out, HTTPS_WHY_MAX,
			       "its answer is longer than %u octets",
			       EXTNODES_FILE_MAX);
	else if (a->status != 0 && a->status != 200 && !a->unchanged)
		(void)snprintf(out, HTTPS_WHY_MAX, "it answers with HTTP %u",
			       a->status);
	else if (!a->stored && !a->unchanged)
		(void)snprintf(out, HTTPS_WHY_MAX, "%s", a->why);
}

/* Said when it changes, not each time. */
static void say(const struct app_fetch *f, const char *before)
{
	const struct conf_node *c = &f->app->conf;

	if (strcmp(f->trouble, before) == 0)
		return;
	if (f->trouble[0] != '\0')
		log_warning("%s is not fetched from %s: %s", c->lookup.extnodes,
			    c->lookup.extnodes_url, f->trouble);
	else
		log_info("%s is fetched from %s again", c->lookup.extnodes,
			 c->lookup.extnodes_url);
}

static void on_answer(void *ctx, const struct https_answer *a)
{
	struct app_fetch *f = ctx;
	char before[HTTPS_WHY_MAX];

	memcpy(before, f->trouble, sizeof(before));
	explain(a, f->trouble);
	f->stored += a->stored;
	f->unchanged += a->unchanged;
	f->failed += f->trouble[0] != '\0';
	f->cut += a->too_long;
	if (a->stored)
		f->changed = a->changed;
	say(f, before);
	ask_in(f, a->status == 0 && a->len == 0
			  ? NO_WAY_S
			  : f->app->conf.lookup.extnodes_s);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct app_fetch *f = ctx;
	const struct conf_node *c = &f->app->conf;
	struct stat st;
	const struct https_file file = {
		.path = c->lookup.extnodes,
		.max = EXTNODES_FILE_MAX,
		/* Of a file that is gone, all is wanted. */
		.since = stat(c->lookup.extnodes, &st) == 0 ? f->changed : 0,
		.good = is_list,
	};
	const struct https_question q = { .url = c->lookup.extnodes_url,
					  .file = &file };

	(void)fd;
	(void)what;
	if (f->app->stopping)
		return;
	/* A reload may have taken the file's name away. */
	if (c->lookup.extnodes[0] != '\0' && https_ask(f->https, &q) == 0)
		f->asked++;
	else
		ask_in(f, c->lookup.extnodes_s);
}

/* A daemon that is started over and over does not ask each time. */
static void begin(struct app_fetch *f)
{
	const struct conf_node *c = &f->app->conf;
	const int64_t now = (int64_t)time(NULL);
	struct stat st;
	int64_t age;

	if (stat(c->lookup.extnodes, &st) == 0) {
		age = now - (int64_t)st.st_mtime;
		if (st.st_size > 0 && age >= 0 &&
		    age < (int64_t)c->lookup.extnodes_s) {
			ask_in(f, c->lookup.extnodes_s - (uint32_t)age);
			return;
		}
	}
	loop_timer_set(&f->timer, loop_now());
}

const char *app_fetch_trouble(const struct app *a)
{
	const struct app_fetch *f = a->fetch;

	if (a->conf.lookup.extnodes_url[0] == '\0')
		return NULL;
	if (!f)
		return "libcurl3-gnutls is not installed";
	return f->trouble[0] != '\0' ? f->trouble : NULL;
}

json_t *app_fetch_json(const struct app *a)
{
	const struct app_fetch *f = a->fetch;

	if (!f)
		return json_null();
	return json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "url",
		a->conf.lookup.extnodes_url, "asked", (json_int_t)f->asked,
		"stored", (json_int_t)f->stored, "unchanged",
		(json_int_t)f->unchanged, "failed", (json_int_t)f->failed,
		"cut", (json_int_t)f->cut, "trouble",
		f->trouble[0] ? control_text(f->trouble) : json_null());
}

int app_fetch_open(struct app *a)
{
	const struct https_cfg cfg = {
		.ca_file = a->conf.https.ca_file,
		.interface = a->conf.iax2.interface,
		.bind4 = a->conf.iax2.bind4,
	};
	struct app_fetch *f;

	if (a->conf.lookup.extnodes_url[0] == '\0')
		return 0;
	f = calloc(1, sizeof(*f));
	a->fetch = f;
	if (!f)
		return -ENOMEM;
	f->app = a;
	if (https_new(&f->https, a->base, &cfg, on_answer, f) == -ELIBACC) {
		/* No reason to leave the air. */
		log_error("lookup.extnodes_url: libcurl3-gnutls is not "
			  "installed");
		free(f);
		a->fetch = NULL;
		return 0;
	}
	if (!f->https || loop_timer_init(&f->timer, a->base, on_timer, f) != 0)
		return -ENOMEM;
	begin(f);
	return 0;
}

struct app_fetch *app_fetch_close(struct app_fetch *f)
{
	if (!f)
		return NULL;
	https_free(f->https);
	loop_timer_done(&f->timer);
	free(f);
	return NULL;
}
