/* SPDX-License-Identifier: MIT */

#include "daemon/console/top.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "daemon/console/duration.h"

#define LABEL 11U /* columns of "registrar  " */
#define REGISTRARS_SHOWN 3U
#define FLOOR_DBFS (-60.0)
#define CELL_TEXT 192

/* --- reading ------------------------------------------------------------ */

static const char *text(const json_t *o, const char *name)
{
	const char *t = json_string_value(json_object_get(o, name));

	return t ? t : "";
}

static const char *text_or(const json_t *o, const char *name, const char *none)
{
	const char *t = text(o, name);

	return t[0] != '\0' ? t : none;
}

static double number(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

static bool truth(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

static bool is_up(const json_t *link)
{
	const char *state = text(link, "state");

	return strcmp(state, "up") == 0 || strcmp(state, "moving") == 0;
}

/* --- the head ----------------------------------------------------------- */

struct page {
	struct screen *s;
	unsigned line; /* the next */
};

/* "label      TEXT" */
static void put(struct page *p, const char *label, enum screen_look look,
		const char *what)
{
	(void)screen_text(p->s, p->line, 0, LABEL, SCREEN_DIM, label);
	(void)screen_text(p->s, p->line++, LABEL, UINT_MAX, look, what);
}

static void put_node(struct page *p, const json_t *status)
{
	char up[DURATION_TEXT], line[256];

	duration_text(number(status, "uptime_s"), up);
	(void)snprintf(line, sizeof(line), "%.15s %.15s, up %s, version %.40s",
		       text_or(status, "node", "-"), text(status, "callsign"),
		       up, text_or(status, "version", "-"));
	put(p, "node", SCREEN_HEAD, line);
}

static void put_registrar(struct page *p, const json_t *r)
{
	const char *state = text_or(r, "state", "-");
	const bool good = strcmp(state, "registered") == 0;
	const char *why = text(r, "why");
	char line[512];
	int n = snprintf(line, sizeof(line), "%.100s: %.30s",
			 text_or(r, "host", "-"), state);

	if (good && json_is_number(json_object_get(r, "rtt_ms")))
		n += snprintf(line + n, sizeof(line) - (size_t)n, ", %.0f ms",
			      number(r, "rtt_ms"));
	if (good && text(r, "apparent")[0] != '\0')
		n += snprintf(line + n, sizeof(line) - (size_t)n,
			      ", seen as %.60s", text(r, "apparent"));
	if (why[0] != '\0')
		(void)snprintf(line + n, sizeof(line) - (size_t)n, ": %.200s",
			       why);
	put(p, "registrar", good ? SCREEN_GOOD : SCREEN_BAD, line);
}

static void put_registrars(struct page *p, const json_t *status)
{
	const json_t *all = json_object_get(status, "registrars");
	const size_t n = json_array_size(all);
	const size_t shown = n <= REGISTRARS_SHOWN ? n : REGISTRARS_SHOWN - 1;
	char line[CELL_TEXT];

	for (size_t i = 0; i < shown; i++)
		put_registrar(p, json_array_get(all, i));
	if (shown == n)
		return;
	(void)snprintf(line, sizeof(line), "and %zu more", n - shown);
	put(p, "", SCREEN_DIM, line);
}

static void put_reach(struct page *p, const json_t *status)
{
	const json_t *reach = json_object_get(status, "reach");
	char line[256];

	(void)snprintf(line, sizeof(line), "%.20s: %.200s",
		       text_or(reach, "rung", "-"), text(reach, "verdict"));
	put(p, "reach", SCREEN_PLAIN, line);
}

/* --- the radio ---------------------------------------------------------- */

/* "receive  -12.0 dBFS [#######=====     ]": the average, and the peak. */
static void put_meter(struct page *p, const char *label, double average,
		      double peak)
{
	const unsigned columns = p->s->columns;
	const unsigned beside = LABEL + 13;
	const unsigned n = columns > beside + 10 ? columns - beside - 1 : 0;
	const unsigned cells = n < 40 ? n : 40;
	char line[CELL_TEXT], bar[48];

	(void)snprintf(line, sizeof(line), "%6.1f dBFS",
		       fmax(fmin(average, 0.0), -99.0));
	put(p, label, SCREEN_PLAIN, line);
	if (cells == 0)
		return;
	for (unsigned i = 0; i < cells; i++) {
		const double at =
			FLOOR_DBFS * (1.0 - ((double)i + 0.5) / (double)cells);

		bar[i] = ' ';
		if (peak > at)
			bar[i] = '=';
		if (average > at)
			bar[i] = '#';
	}
	bar[cells] = '\0';
	(void)snprintf(line, sizeof(line), "[%s]", bar);
	(void)screen_text(p->s, p->line - 1, beside - 1, cells + 2,
			  peak > -3.0 ? SCREEN_BAD : SCREEN_GOOD, line);
}

static void put_radio(struct page *p, const json_t *status)
{
	const json_t *radio = json_object_get(status, "radio");
	const bool stuck = truth(radio, "cor_stuck");
	const bool keyed = truth(radio, "ptt");
	const char *fault = text(radio, "fault");
	enum screen_look look = SCREEN_PLAIN;
	char line[320];

	if (stuck || fault[0] != '\0')
		look = SCREEN_BAD;
	else if (keyed || truth(radio, "cor"))
		look = SCREEN_WARN;
	(void)snprintf(line, sizeof(line), "%.20s, COR %s, PTT %.20s%s%.200s",
		       text_or(radio, "type", "-"),
		       stuck                 ? "stuck"
		       : truth(radio, "cor") ? "up"
					     : "down",
		       keyed ? "keyed" : text_or(radio, "ptt_state", "off"),
		       fault[0] != '\0' ? ": " : "", fault);
	put(p, "radio", look, line);
	put_meter(p, "receive", number(radio, "rx_dbfs"),
		  number(radio, "rx_peak_dbfs"));
	put_meter(p, "transmit", number(radio, "tx_dbfs"),
		  number(radio, "tx_peak_dbfs"));
}

/* --- links -------------------------------------------------------------- */

typedef void (*cell_fn)(const json_t *link, char out[CELL_TEXT]);

static void cell_node(const json_t *l, char out[CELL_TEXT])
{
	(void)snprintf(out, CELL_TEXT, "%s", text_or(l, "node", "?"));
}

/* Who talks through it, else who it is. */
static void cell_name(const json_t *l, char out[CELL_TEXT])
{
	const char *talker = text(l, "talker");

	if (talker[0] != '\0' && strcmp(talker, text(l, "node")) != 0)
		(void)snprintf(out, CELL_TEXT, "> %s %s", talker,
			       text(l, "talker_callsign"));
	else
		(void)snprintf(out, CELL_TEXT, "%s %s", text(l, "callsign"),
			       text_or(l, "location", text(l, "description")));
}

static void cell_mode(const json_t *l, char out[CELL_TEXT])
{
	const char *mode = text(l, "mode");
	const bool in = strcmp(text(l, "direction"), "in") == 0;

	(void)snprintf(out, CELL_TEXT, "%s %s",
		       strcmp(mode, "monitor") == 0         ? "mon"
		       : strcmp(mode, "local-monitor") == 0 ? "loc"
							    : "trx",
		       in ? "in" : "out");
}

static void cell_keyed(const json_t *l, char out[CELL_TEXT])
{
	(void)snprintf(out, CELL_TEXT, "%s%s",
		       truth(l, "rx_keyed") ? "RX " : "   ",
		       truth(l, "tx_keyed") ? "TX" : "");
}

static void cell_path(const json_t *l, char out[CELL_TEXT])
{
	const bool plain = strcmp(text(l, "state"), "up") == 0;

	(void)snprintf(out, CELL_TEXT, "%s",
		       text_or(l, plain ? "path" : "state", "-"));
}

static void cell_rtt(const json_t *l, char out[CELL_TEXT])
{
	if (json_is_number(json_object_get(l, "rtt_ms")))
		(void)snprintf(out, CELL_TEXT, "%.0f", number(l, "rtt_ms"));
}

static void cell_jitter(const json_t *l, char out[CELL_TEXT])
{
	(void)snprintf(out, CELL_TEXT, "%.0f", number(l, "jitter_ms"));
}

static void cell_loss(const json_t *l, char out[CELL_TEXT])
{
	(void)snprintf(out, CELL_TEXT, "%.1f", number(l, "loss_pct"));
}

static void cell_behind(const json_t *l, char out[CELL_TEXT])
{
	const size_t n = json_array_size(json_object_get(l, "behind"));

	if (n > 0)
		(void)snprintf(out, CELL_TEXT, "%zu", n);
}

static void cell_up(const json_t *l, char out[CELL_TEXT])
{
	duration_text(number(l, "connected_s"), out);
}

/* In the order of the screen.  On a narrow one, those with the greatest rank
 * are left out. */
static const struct column {
	const char *head;
	cell_fn fn;
	unsigned width;
	unsigned rank;
	bool right;
} columns[] = {
	{ "NODE", cell_node, 9, 0, false },
	{ "NAME", cell_name, 0, 0, false }, /* what is left */
	{ "MODE", cell_mode, 7, 6, false },
	{ "KEYED", cell_keyed, 5, 1, false },
	{ "PATH", cell_path, 10, 2, false },
	{ "RTT", cell_rtt, 4, 3, true },
	{ "JIT", cell_jitter, 4, 4, true },
	{ "LOSS", cell_loss, 5, 5, true },
	{ "BEH", cell_behind, 4, 8, true },
	{ "UP", cell_up, 8, 7, true },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define RANKS 9U
#define NAME_MIN 10U

struct layout {
	unsigned name;  /* its width; 0: none */
	unsigned ranks; /* those below it are shown */
};

static unsigned widths(unsigned ranks)
{
	unsigned sum = 0;

	for (size_t i = 0; i < COLUMNS; i++) {
		if (columns[i].width > 0 && columns[i].rank < ranks)
			sum += columns[i].width + 1;
	}
	return sum;
}

static struct layout layout_for(unsigned room)
{
	struct layout l = { 0, RANKS };
	unsigned used;

	while (l.ranks > 1 && widths(l.ranks) + NAME_MIN > room)
		l.ranks--;
	used = widths(l.ranks);
	l.name = room > used ? room - used : 0;
	return l;
}

/* NULL: the head. */
static enum screen_look look_of(const json_t *link)
{
	if (!link)
		return SCREEN_HEAD;
	if (truth(link, "loop"))
		return SCREEN_BAD;
	if (!is_up(link))
		return SCREEN_DIM;
	return truth(link, "rx_keyed") ? SCREEN_GOOD : SCREEN_PLAIN;
}

static void put_row(struct page *p, const struct layout *l, const json_t *link)
{
	const enum screen_look look = look_of(link);
	unsigned at = 0;

	for (size_t i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];
		const unsigned width = c->width > 0 ? c->width : l->name;
		char cell[CELL_TEXT] = "";
		unsigned len;

		if (width == 0 || c->rank >= l->ranks)
			continue;
		if (link)
			c->fn(link, cell);
		else
			(void)snprintf(cell, sizeof(cell), "%s", c->head);
		len = (unsigned)strlen(cell);
		(void)screen_text(p->s, p->line,
				  c->right && len < width ? at + width - len
							  : at,
				  width, look, cell);
		at += width + 1;
	}
	p->line++;
}

/* Why it is not up takes the place of figures that it does not have. */
static void put_waiting(struct page *p, const json_t *link)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "%-9.15s %.20s%s%.200s",
		       text_or(link, "node", "?"), text_or(link, "state", "-"),
		       text(link, "why")[0] != '\0' ? ": " : "",
		       text(link, "why"));
	(void)screen_text(p->s, p->line++, 0, UINT_MAX, look_of(link), line);
}

/* Lines above the links, their head included; and one below. */
static unsigned lines_besides(const json_t *status)
{
	const size_t n = json_array_size(json_object_get(status, "registrars"));

	return 8U + (unsigned)(n < REGISTRARS_SHOWN ? n : REGISTRARS_SHOWN);
}

size_t top_page(const struct screen *s, const json_t *status)
{
	const unsigned besides = lines_besides(status);

	return s->lines > besides ? s->lines - besides : 1;
}

static void put_links(struct page *p, const json_t *status, size_t first)
{
	const json_t *links = json_object_get(status, "links");
	const struct layout l = layout_for(p->s->columns);
	const size_t n = json_array_size(links);
	const size_t end = first + top_page(p->s, status);

	p->line++;
	put_row(p, &l, NULL);
	if (n == 0)
		(void)screen_text(p->s, p->line, 0, UINT_MAX, SCREEN_DIM,
				  "no links");
	for (size_t i = first; i < n && i < end; i++) {
		const json_t *link = json_array_get(links, i);

		if (is_up(link))
			put_row(p, &l, link);
		else
			put_waiting(p, link);
	}
}

static void put_foot(struct screen *s, const json_t *status,
		     const struct top_view *v)
{
	const size_t n = json_array_size(json_object_get(status, "links"));
	const size_t page = top_page(s, status);
	const size_t last = v->first + page < n ? v->first + page : n;
	char line[CELL_TEXT];

	/* Over what a small screen has no room for. */
	for (unsigned i = 0; i < s->columns; i++)
		(void)screen_text(s, s->lines - 1, i, 1, SCREEN_PLAIN, " ");
	if (v->note) {
		(void)screen_text(s, s->lines - 1, 0, UINT_MAX, SCREEN_BAD,
				  v->note);
		return;
	}
	(void)snprintf(line, sizeof(line), "q ends");
	if (n > page)
		(void)snprintf(line, sizeof(line),
			       "q ends, j and k scroll: links %zu-%zu of %zu",
			       v->first + 1, last, n);
	(void)screen_text(s, s->lines - 1, 0, UINT_MAX, SCREEN_DIM, line);
}

void top_compose(struct screen *s, const json_t *status,
		 const struct top_view *v)
{
	struct page p = { s, 0 };

	if (status) {
		put_node(&p, status);
		put_registrars(&p, status);
		put_reach(&p, status);
		put_radio(&p, status);
		put_links(&p, status, v->first);
	}
	put_foot(s, status, v);
}
