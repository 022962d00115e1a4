/* SPDX-License-Identifier: MIT */

#include "daemon/console/meters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SCALE_DB 60.0
#define BAR_MAX 34U
#define BAR_MIN 8U
#define BESIDE_BAR 45U /* columns of what stands beside it */
#define LOUD_DBFS (-3.0)
#define RIGHT_DBFS (-18.0)

/* --- reading ------------------------------------------------------------ */

static double dbfs(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);
	const double db =
		json_is_number(v) ? json_number_value(v) : METERS_FLOOR_DBFS;

	return fmin(fmax(db, METERS_FLOOR_DBFS), 0.0);
}

static uint64_t count(const json_t *o, const char *name)
{
	const json_int_t n = json_integer_value(json_object_get(o, name));

	return n > 0 ? (uint64_t)n : 0;
}

static bool truth(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

static const char *text(const json_t *o, const char *name)
{
	const char *t = json_string_value(json_object_get(o, name));

	return t ? t : "";
}

void meters_read(const json_t *levels, struct meters *out)
{
	*out = (struct meters){
		.rx = { .average_dbfs = dbfs(levels, "rx_now_dbfs"),
			.peak_dbfs = dbfs(levels, "rx_now_peak_dbfs"),
			.clipped = count(levels, "card_clipped") },
		.tx = { .average_dbfs = dbfs(levels, "tx_now_dbfs"),
			.peak_dbfs = dbfs(levels, "tx_now_peak_dbfs"),
			.clipped = count(levels, "tx_clipped") },
		.cor = truth(levels, "cor"),
		.stuck = truth(levels, "cor_stuck"),
		.ctcss = truth(levels, "ctcss"),
		.vox = truth(levels, "vox"),
		.ptt = truth(levels, "ptt"),
		.running = strcmp(text(levels, "state"), "running") == 0,
		.drift_ppm =
			json_number_value(json_object_get(levels, "drift_ppm")),
		.xruns = count(levels, "xruns"),
	};
	(void)snprintf(out->ptt_state, sizeof(out->ptt_state), "%s",
		       text(levels, "ptt_state"));
}

/* --- several as one ----------------------------------------------------- */

static double louder(const struct meters_sum *s, double then, double now)
{
	return s->n == 0 || now > then ? now : then;
}

void meters_add(struct meters_sum *s, const struct meters *m)
{
	const double rx = louder(s, s->all.rx.peak_dbfs, m->rx.peak_dbfs);
	const double tx = louder(s, s->all.tx.peak_dbfs, m->tx.peak_dbfs);

	s->power[0] += pow(10.0, m->rx.average_dbfs / 10.0);
	s->power[1] += pow(10.0, m->tx.average_dbfs / 10.0);
	s->all = *m;
	s->all.rx.peak_dbfs = rx;
	s->all.tx.peak_dbfs = tx;
	s->n++;
}

struct meters meters_taken(const struct meters_sum *s)
{
	struct meters m = s->all;

	if (s->n == 0)
		meters_read(NULL, &m);
	else {
		m.rx.average_dbfs = 10.0 * log10(s->power[0] / s->n);
		m.tx.average_dbfs = 10.0 * log10(s->power[1] / s->n);
	}
	return m;
}

/* --- a screen ----------------------------------------------------------- */

struct page {
	char *at;
	size_t left;
	unsigned columns;
	bool colour;
};

static void put(struct page *p, const char *s)
{
	const size_t n = strlen(s) < p->left ? strlen(s) : p->left - 1;

	memcpy(p->at, s, n);
	p->at += n;
	p->left -= n;
	*p->at = '\0';
}

/* A line of its own, cut to fit. */
static void put_line(struct page *p, char *line)
{
	size_t len;

	if (strlen(line) >= p->columns)
		line[p->columns - 1] = '\0';
	len = strlen(line);
	while (len > 0 && line[len - 1] == ' ')
		line[--len] = '\0';
	put(p, line);
	put(p, "\n");
}

/* Cells of @n that are left of @db. */
static unsigned cells(double db, unsigned n)
{
	const double part = (db + SCALE_DB) / SCALE_DB;

	return (unsigned)lrint(fmin(fmax(part, 0.0), 1.0) * n);
}

/* # is the average, = the peak, | the peak that is held. */
static void bar(const struct meters_way *w, double held_dbfs, unsigned n,
		char out[BAR_MAX + 1])
{
	const unsigned average = cells(w->average_dbfs, n);
	const unsigned peak = cells(w->peak_dbfs, n);
	const unsigned held = cells(held_dbfs, n);

	memset(out, ' ', n);
	memset(out, '=', peak);
	memset(out, '#', average);
	if (held > 0)
		out[held - 1] = '|';
	out[n] = '\0';
}

static const char *colour_of(double average_dbfs, double held_dbfs,
			     uint64_t clipped)
{
	if (held_dbfs > LOUD_DBFS || clipped > 0)
		return "\033[31m";
	return average_dbfs > RIGHT_DBFS ? "\033[32m" : "";
}

static void put_way(struct page *p, const char *name,
		    const struct meters_way *w, double held_dbfs,
		    uint64_t clipped)
{
	const unsigned n = p->columns > BESIDE_BAR + BAR_MIN
				   ? p->columns - BESIDE_BAR - 1
				   : BAR_MIN;
	const char *paint =
		p->colour ? colour_of(w->average_dbfs, held_dbfs, clipped) : "";
	char cell[BAR_MAX + 1], line[128];

	bar(w, held_dbfs, n, cell);
	(void)snprintf(line, sizeof(line),
		       "%-8s [%s] %6.1f avg %6.1f peak %5ju clip", name, cell,
		       w->average_dbfs, held_dbfs,
		       (uintmax_t)(clipped < 99999 ? clipped : 99999));
	put(p, paint);
	put_line(p, line);
	if (paint[0] != '\0')
		put(p, "\033[0m");
}

static void put_scale(struct page *p)
{
	static const int marks[] = { -60, -48, -36, -24, -12, 0 };
	const unsigned n = p->columns > BESIDE_BAR + BAR_MIN
				   ? p->columns - BESIDE_BAR - 1
				   : BAR_MIN;
	const unsigned step = n < 24 ? 5 : 1;
	char line[64];

	memset(line, ' ', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i += step) {
		char mark[8];
		const int len = snprintf(mark, sizeof(mark), "%d", marks[i]);

		memcpy(line + 10 + cells(marks[i], n) - (len > 1 ? 1 : 0), mark,
		       (size_t)len);
	}
	put_line(p, line);
}

static const char *cor_text(const struct meters *m)
{
	return m->stuck ? "stuck" : m->cor ? "up" : "down";
}

static const char *ptt_text(const struct meters *m)
{
	return m->ptt_state[0] ? m->ptt_state : m->ptt ? "keyed" : "off";
}

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

void meters_screen(const struct meters *m, const struct meters_shown *shown,
		   unsigned columns, bool colour, char out[METERS_ROOM])
{
	struct page p = { .at = out,
			  .left = METERS_ROOM,
			  .columns = columns < METERS_COLUMNS_MAX
					     ? columns
					     : METERS_COLUMNS_MAX,
			  .colour = colour };
	char line[128];

	if (p.columns < 2)
		p.columns = 2;
	put_way(&p, "receive", &m->rx, shown->rx_held_dbfs, shown->rx_clipped);
	put_way(&p, "transmit", &m->tx, shown->tx_held_dbfs, shown->tx_clipped);
	put_scale(&p);
	(void)snprintf(line, sizeof(line),
		       "COR %-6s CTCSS %-4s VOX %-4s PTT %-12s sound %-8s",
		       cor_text(m), yes(m->ctcss), yes(m->vox), ptt_text(m),
		       m->running ? "running" : "down");
	put_line(&p, line);
	(void)snprintf(line, sizeof(line), "drift %.1f ppm   xruns %ju",
		       m->drift_ppm, (uintmax_t)m->xruns);
	put_line(&p, line);
}

void meters_line(const struct meters *m, const struct meters_shown *shown,
		 char out[METERS_ROOM])
{
	(void)snprintf(out, METERS_ROOM,
		       "rx %.1f peak %.1f clip %ju, tx %.1f peak %.1f clip "
		       "%ju, COR %s, CTCSS %s, PTT %s, %.1f ppm, xruns %ju",
		       m->rx.average_dbfs, m->rx.peak_dbfs,
		       (uintmax_t)shown->rx_clipped, m->tx.average_dbfs,
		       m->tx.peak_dbfs, (uintmax_t)shown->tx_clipped,
		       cor_text(m), yes(m->ctcss), ptt_text(m), m->drift_ppm,
		       (uintmax_t)m->xruns);
}
