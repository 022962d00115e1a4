/* SPDX-License-Identifier: MIT */

#include "daemon/node/told.h"

#include <stdio.h>
#include <string.h>

#define FIELDS_MAX (3U + TOLD_LINKS_MAX)
#define FIELD_MAX 15U

struct told {
	const char *own;
	char field[FIELDS_MAX][FIELD_MAX + 1];
	size_t n;
	bool cut; /* there were more */
};

static const char digits[] = "0123456789";

/* A number, or a callsign. */
static bool is_sayable(const char *name)
{
	const size_t len = strlen(name);

	if (len == 0)
		return false;
	if (strspn(name, digits) == len)
		return len <= TOLD_DIGITS_MAX;
	return len <= TOLD_SIGN_MAX &&
	       strspn(name, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

/* False when a field is too long for anything that is said. */
static bool split(struct told *t, const char *payload)
{
	while (t->n < FIELDS_MAX) {
		const size_t len = strcspn(payload, ",");

		if (len > FIELD_MAX)
			return false;
		memcpy(t->field[t->n], payload, len);
		t->field[t->n++][len] = '\0';
		payload += len;
		if (*payload++ == '\0')
			return true;
	}
	t->cut = true;
	return true;
}

static bool about(const struct told *t, const char *name)
{
	return is_sayable(name) && strcmp(name, t->own) != 0;
}

static bool connected(const struct told *t, char *out, size_t size)
{
	if (t->n != 3 || !about(t, t->field[1]) || !about(t, t->field[2]))
		return false;
	(void)snprintf(out, size, "node %s connected node %s", t->field[1],
		       t->field[2]);
	return true;
}

static bool of_one(const struct told *t, const char *what, char *out,
		   size_t size)
{
	if (t->n != 2 || !about(t, t->field[1]))
		return false;
	(void)snprintf(out, size, "node %s %s", t->field[1], what);
	return true;
}

static bool last(const struct told *t, const char *src, char *out, size_t size)
{
	if (t->n != 2 || !is_sayable(t->field[1]))
		return false;
	(void)snprintf(out, size, "node %s last node %s", src, t->field[1]);
	return true;
}

static bool version(const struct told *t, const char *src, char *out,
		    size_t size)
{
	const size_t major = strspn(t->field[1], digits);
	const char *minor = t->field[1] + major + 1;

	if (t->n != 2 || major == 0 || major > 3 || t->field[1][major] != '.' ||
	    *minor == '\0' || strlen(minor) > 3 ||
	    strspn(minor, digits) != strlen(minor))
		return false;
	(void)snprintf(out, size, "node %s version %.*s point %s", src,
		       (int)major, t->field[1], minor);
	return true;
}

/* T: transceive; R and L: it only listens; C: not yet. */
static const char *mode_word(char mode)
{
	return mode == 'T'                  ? "connected"
	       : mode == 'R' || mode == 'L' ? "monitoring"
					    : NULL;
}

/* STATUS,node,callmode[,Xnode...] */
static bool status(const struct told *t, char *out, size_t size)
{
	size_t n;
	bool any = false;

	if (t->n < 3 || t->cut || !is_sayable(t->field[1]))
		return false;
	n = (size_t)snprintf(out, size, "node %s", t->field[1]);
	for (size_t i = 3; i < t->n; i++) {
		const char *word = mode_word(t->field[i][0]);

		if (!word)
			continue;
		if (!is_sayable(t->field[i] + 1))
			return false;
		any = true;
		if (n < size)
			n += (size_t)snprintf(out + n, size - n, " %s %s", word,
					      t->field[i] + 1);
	}
	if (!any && n < size)
		n += (size_t)snprintf(out + n, size - n, " no-links");
	return n < size;
}

/* What is only about who tells it. */
static bool of_teller(const struct told *t, const char *src, char *out,
		      size_t size)
{
	static const struct {
		const char *word, *said;
	} known[] = {
		{ "COMPLETE", "complete" },
		{ "REMGO", "command-mode" },
		{ "REMALREADY", "already-connected" },
		{ "REMNOTFOUND", "not-found" },
		{ "MACRO_NOTFOUND", "unknown" },
	};

	for (size_t i = 0; t->n == 1 && i < sizeof(known) / sizeof(known[0]);
	     i++) {
		if (strcmp(t->field[0], known[i].word) != 0)
			continue;
		(void)snprintf(out, size, "node %s %s", src, known[i].said);
		return true;
	}
	return false;
}

bool told_words(const char *src, const char *payload, const char *own,
		char out[TELEMETRY_TEXT_MAX + 1])
{
	const size_t size = TELEMETRY_TEXT_MAX + 1;
	struct told t = { .own = own };
	const char *what = t.field[0];

	if (!is_sayable(src) || !split(&t, payload))
		return false;
	if (strcmp(what, "CONNECTED") == 0)
		return connected(&t, out, size);
	if (strcmp(what, "REMDISC") == 0)
		return of_one(&t, "disconnected", out, size);
	if (strcmp(what, "CONNFAIL") == 0)
		return of_one(&t, "failed", out, size);
	if (strcmp(what, "LASTNODEKEY") == 0)
		return last(&t, src, out, size);
	if (strcmp(what, "STATS_VERSION") == 0)
		return version(&t, src, out, size);
	if (strcmp(what, "STATUS") == 0)
		return status(&t, out, size);
	return of_teller(&t, src, out, size);
}
