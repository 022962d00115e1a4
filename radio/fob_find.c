/* SPDX-License-Identifier: MIT */

#include "radio/fob_find.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CMEDIA 0x0d8cU

/* What every chip of the family has at most: who took it for one is warned. */
static const struct cm108_model unknown = {
	.name = "unknown chip",
	.gpio = 0xff,
	.buttons = CM108_BUTTONS,
};

/* --- which -------------------------------------------------------------- */

enum rank { NOT, FOREIGN, RELATED, KNOWN };

static enum rank rank_of(const struct fob_seen *s)
{
	if (cm108_model(s->vendor, s->product))
		return KNOWN;
	if (!s->sound || !s->hid)
		return NOT;
	return s->vendor == CMEDIA ? RELATED : FOREIGN;
}

static bool is_bound(const struct fob_binding *b)
{
	return b->serial[0] || b->port[0];
}

static bool is_meant(const struct fob_binding *b, const struct fob_seen *s)
{
	return (!b->serial[0] || strcmp(b->serial, s->serial) == 0) &&
	       (!b->port[0] || strcmp(b->port, s->port) == 0);
}

static struct fob_found found_at(const struct fob_seen *s)
{
	const struct cm108_model *model = cm108_model(s->vendor, s->product);

	return (struct fob_found){ .seen = s,
				   .model = model ? model : &unknown,
				   .known = model != NULL };
}

void fob_describe(const struct fob_found *found, char out[FOB_NAME_MAX + 1])
{
	const struct fob_seen *s = found->seen;
	char ids[16] = "";

	if (!found->known)
		(void)snprintf(ids, sizeof(ids), " %04x:%04x", s->vendor,
			       s->product);
	(void)snprintf(out, FOB_NAME_MAX + 1, "%s%s at %s%s%.40s",
		       found->model->name, ids, s->port,
		       s->serial[0] ? ", serial " : "", s->serial);
}

/* The fobs in the table after "PREFIX: ", as many as fit in @why. */
static void list(const char *prefix, const struct fob_seen *seen, size_t n,
		 enum rank least, char why[FOB_WHY_MAX])
{
	char name[FOB_NAME_MAX + 1];
	size_t len = (size_t)snprintf(why, FOB_WHY_MAX, "%s", prefix);
	const char *between = ": ";

	for (size_t i = 0; i < n && len < FOB_WHY_MAX; i++) {
		const struct fob_found f = found_at(&seen[i]);

		if (rank_of(&seen[i]) < least)
			continue;
		fob_describe(&f, name);
		if (len + strlen(name) + 2 >= FOB_WHY_MAX)
			break;
		len += (size_t)snprintf(why + len, FOB_WHY_MAX - len, "%s%s",
					between, name);
		between = "; ";
	}
}

static void say_none(const struct fob_binding *b, const struct fob_seen *seen,
		     size_t n, char why[FOB_WHY_MAX])
{
	char what[FOB_WHY_MAX];

	if (!is_bound(b)) {
		(void)snprintf(why, FOB_WHY_MAX,
			       "no USB radio fob is plugged in");
		return;
	}
	(void)snprintf(what, sizeof(what),
		       "no USB radio fob%s%.40s%s%s is plugged in",
		       b->serial[0] ? " with the serial number " : "",
		       b->serial, b->port[0] ? " at port " : "", b->port);
	for (size_t i = 0; i < n; i++) {
		if (rank_of(&seen[i]) < RELATED)
			continue;
		(void)strncat(what, "; there is",
			      sizeof(what) - strlen(what) - 1);
		list(what, seen, n, RELATED, why);
		return;
	}
	(void)snprintf(why, FOB_WHY_MAX, "%s", what);
}

static void say_many(const struct fob_binding *b, const struct fob_seen *seen,
		     size_t n, enum rank least, char why[FOB_WHY_MAX])
{
	const char *hint =
		b->serial[0] ? "several fobs have this serial number, set "
			       "fob.port too"
			     : "several fobs are plugged in, set "
			       "fob.serial or fob.port";
	struct fob_seen these[FOB_SEEN_MAX];
	size_t many = 0;

	for (size_t i = 0; i < n && many < FOB_SEEN_MAX; i++) {
		if (is_meant(b, &seen[i]))
			these[many++] = seen[i];
	}
	list(hint, these, many, least, why);
}

int fob_find(const struct fob_binding *binding, const struct fob_seen *seen,
	     size_t n, struct fob_found *out, char why[FOB_WHY_MAX])
{
	enum rank best = is_bound(binding) ? FOREIGN : RELATED;
	const struct fob_seen *it = NULL;
	size_t meant = 0;

	for (size_t i = 0; i < n; i++) {
		const enum rank rank = rank_of(&seen[i]);

		if (rank < best || !is_meant(binding, &seen[i]))
			continue;
		if (rank > best)
			meant = 0;
		best = rank;
		if (meant++ == 0)
			it = &seen[i];
	}
	if (meant == 0) {
		say_none(binding, seen, n, why);
		return -ENODEV;
	}
	if (meant > 1) {
		say_many(binding, seen, n, best, why);
		return -ENOTUNIQ;
	}
	*out = found_at(it);
	if (it->hid)
		return 0;
	list("it has no HID interface, by which a fob keys", it, 1, KNOWN, why);
	return -ENOTSUP;
}

size_t fob_list(const struct fob_seen *seen, size_t n, struct fob_found *out,
		size_t max)
{
	enum rank least = RELATED;
	size_t filled = 0;

	for (size_t i = 0; i < n; i++) {
		if (rank_of(&seen[i]) > least)
			least = rank_of(&seen[i]);
	}
	for (size_t i = 0; i < n && filled < max; i++) {
		if (rank_of(&seen[i]) >= least)
			out[filled++] = found_at(&seen[i]);
	}
	return filled;
}

/* --- what it can -------------------------------------------------------- */

static unsigned pin_of(uint8_t mask)
{
	unsigned n = 1;

	while (n < 8 && !(mask & CM108_GPIO(n)))
		n++;
	return n;
}

static bool lacks_line(const struct cm108_model *m, const struct cm108_line *l)
{
	return (l->button | l->gpio) != 0 && !cm108_has_line(m, l);
}

bool fob_can(const struct fob_found *found, const struct cm108_map *map,
	     char why[FOB_WHY_MAX])
{
	char name[FOB_NAME_MAX + 1];

	fob_describe(found, name);
	if (!(found->model->gpio & map->ptt)) {
		(void)snprintf(why, FOB_WHY_MAX,
			       "%s has no GPIO%u, which is to key: set "
			       "fob.hwtype or fob.ptt_pin",
			       name, pin_of(map->ptt));
		return false;
	}
	if (lacks_line(found->model, &map->cos)) {
		(void)snprintf(why, FOB_WHY_MAX,
			       "%s has no such input as is to be COR: set "
			       "fob.cor, or fob.cor_sense to \"no\"",
			       name);
		return false;
	}
	if (lacks_line(found->model, &map->ctcss)) {
		(void)snprintf(why, FOB_WHY_MAX,
			       "%s has no such input as is to be CTCSS: set "
			       "fob.ctcss",
			       name);
		return false;
	}
	return true;
}

struct cm108_map fob_wiring(const struct cm108_map *base, uint8_t ptt,
			    const struct cm108_line *cos,
			    const struct cm108_line *ctcss)
{
	struct cm108_map map = *base;

	if (ptt != 0) {
		map.direction &= (uint8_t)~map.ptt;
		map.ptt = ptt;
	}
	if (cos)
		map.cos = *cos;
	if (ctcss)
		map.ctcss = *ctcss;
	map.direction &= (uint8_t) ~(map.cos.gpio | map.ctcss.gpio);
	map.direction |= map.ptt;
	map.spare &= (uint8_t) ~(map.ptt | map.cos.gpio | map.ctcss.gpio);
	return map;
}
