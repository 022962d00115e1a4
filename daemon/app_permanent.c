/* SPDX-License-Identifier: MIT */

/* The permanent links of the configuration: each is placed once, and from then
 * on the node keeps it.  Until it is placed, for its node may not be found while
 * this machine starts, it is tried again. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app.h"

#define AT_ONCE 8U /* whoever else dials needs a place as well */
#define NEXT_S 1   /* until the next ones */
#define AGAIN_S 10 /* until all that are not there are tried again */
#define AGAIN_MAX_S 60

struct app_permanent {
	struct app *app;
	struct event *timer;
	bool placed[CONF_LINKS_MAX];
	size_t next; /* to be looked at */
	time_t again_s;
};

bool app_link_by_number(const struct app *a, const char *number,
			struct node_link_info *out)
{
	for (size_t i = 0; i < node_links_max(a->node); i++) {
		if (node_link_at(a->node, i, out) &&
		    strcmp(out->number, number) == 0)
			return true;
	}
	return false;
}

static void place(struct app *a, const struct conf_link *c)
{
	struct app_lookup what = { .mode = (enum node_mode)c->mode,
				   .permanent = true };

	_Static_assert((int)CONF_MODE_LOCAL_MONITOR == (int)NODE_LOCAL_MONITOR,
		       "one list of modes");
	memcpy(what.number, c->node, strlen(c->node) + 1);
	app_dial(a, NULL, &what);
}

/* True when there is one to be looked at again. */
static bool look(struct app_permanent *k, size_t i)
{
	const struct conf_link *c = &k->app->conf.links[i];
	struct node_link_info l;

	if (k->placed[i])
		return false;
	k->placed[i] = app_link_by_number(k->app, c->node, &l) && l.permanent;
	if (!k->placed[i])
		place(k->app, c);
	return !k->placed[i];
}

static bool all_placed(const struct app_permanent *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->app->conf.links_n; i++)
		n += k->placed[i];
	return n == k->app->conf.links_n;
}

static void step(struct app_permanent *k)
{
	struct timeval again = { NEXT_S, 0 };
	unsigned tried = 0;

	while (k->next < k->app->conf.links_n && tried < AT_ONCE)
		tried += look(k, k->next++);
	if (k->next == k->app->conf.links_n) {
		if (all_placed(k))
			return;
		again.tv_sec = k->again_s;
		k->next = 0;
		k->again_s = 2 * k->again_s < AGAIN_MAX_S ? 2 * k->again_s
							  : AGAIN_MAX_S;
	}
	(void)event_add(k->timer, &again);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct app_permanent *k = ctx;

	(void)fd;
	(void)what;
	if (k->app->stopping)
		return;
	step(k);
	app_pump(k->app);
}

void app_permanent_place(struct app *a)
{
	struct app_permanent *k = a->permanent;

	memset(k->placed, 0, sizeof(k->placed));
	k->next = 0;
	k->again_s = AGAIN_S;
	step(k);
}

int app_permanent_open(struct app *a)
{
	struct app_permanent *k = calloc(1, sizeof(*k));

	a->permanent = k;
	if (!k)
		return -ENOMEM;
	k->app = a;
	k->timer = event_new(a->base, -1, 0, on_timer, k);
	if (!k->timer)
		return -ENOMEM;
	app_permanent_place(a);
	return 0;
}

struct app_permanent *app_permanent_close(struct app_permanent *k)
{
	if (k && k->timer)
		event_free(k->timer);
	free(k);
	return NULL;
}
