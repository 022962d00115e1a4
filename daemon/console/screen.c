/* SPDX-License-Identifier: MIT */

#include "daemon/console/screen.h"

#include <stdlib.h>

#include "daemon/console/plain.h"

/* Cells that did not change are sent as well where moving over them would
 * take more octets. */
#define GAP 6U

static unsigned within(unsigned n, unsigned max)
{
	return n < 1 ? 1 : n > max ? max : n;
}

struct screen *screen_new(unsigned columns, unsigned lines)
{
	const unsigned w = within(columns, SCREEN_COLUMNS_MAX);
	const unsigned h = within(lines, SCREEN_LINES_MAX);
	const size_t n = (size_t)w * h;
	struct screen *s = malloc(sizeof(*s) + n * sizeof(s->cell[0]));

	if (!s)
		return NULL;
	s->columns = w;
	s->lines = h;
	for (size_t i = 0; i < n; i++)
		s->cell[i] = (struct screen_cell){ ' ', SCREEN_PLAIN };
	return s;
}

struct screen *screen_free(struct screen *s)
{
	free(s);
	return NULL;
}

unsigned screen_text(struct screen *s, unsigned line, unsigned column,
		     unsigned width, enum screen_look look, const char *text)
{
	struct screen_cell *row = s->cell + (size_t)line * s->columns;
	unsigned ch;

	if (line >= s->lines)
		return column;
	while (width-- > 0 && column < s->columns && (ch = plain_next(&text)))
		row[column++] = (struct screen_cell){
			(uint16_t)ch, ch == ' ' ? SCREEN_PLAIN : (uint8_t)look
		};
	return column;
}

/* --- what changed ------------------------------------------------------- */

struct pen {
	FILE *to;
	bool colour;
	enum screen_look look; /* that the terminal writes in */
};

static void use_look(struct pen *p, enum screen_look look)
{
	static const char *const code[SCREEN_LOOKS] = {
		[SCREEN_PLAIN] = "",     [SCREEN_HEAD] = ";1",
		[SCREEN_DIM] = ";2",     [SCREEN_GOOD] = ";32",
		[SCREEN_WARN] = ";1;33", [SCREEN_BAD] = ";1;31",
	};

	if (!p->colour || p->look == look)
		return;
	(void)fprintf(p->to, "\033[0%sm", code[look]);
	p->look = look;
}

static void put_cells(struct pen *p, const struct screen_cell *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char octets[PLAIN_OCTETS_MAX];
		const size_t len = plain_put(c[i].ch, octets);

		use_look(p, c[i].look);
		(void)fwrite(octets, 1, len, p->to);
	}
}

static bool same(const struct screen_cell *a, const struct screen_cell *b)
{
	return a->ch == b->ch && a->look == b->look;
}

/* One past the last cell that a run of changes from @from on has; none from
 * @columns on counts. */
static unsigned run_end(const struct screen_cell *was,
			const struct screen_cell *now, unsigned from,
			unsigned columns)
{
	unsigned end = from + 1;

	for (unsigned i = end; i < columns && i - end <= GAP; i++) {
		if (!same(&was[i], &now[i]))
			end = i + 1;
	}
	return end;
}

/* How many columns of a line have something in them. */
static unsigned filled(const struct screen_cell *row, unsigned columns)
{
	const struct screen_cell blank = { ' ', SCREEN_PLAIN };

	while (columns > 0 && same(&row[columns - 1], &blank))
		columns--;
	return columns;
}

static void update_line(struct pen *p, const struct screen_cell *was,
			const struct screen_cell *now, unsigned columns,
			unsigned line)
{
	const unsigned used = filled(now, columns);
	unsigned at = 0;

	while (at < columns) {
		unsigned end;

		if (same(&was[at], &now[at])) {
			at++;
			continue;
		}
		(void)fprintf(p->to, "\033[%u;%uH", line + 1, at + 1);
		if (at >= used) {
			use_look(p, SCREEN_PLAIN);
			(void)fputs("\033[K", p->to);
			return;
		}
		end = run_end(was, now, at, used);
		put_cells(p, now + at, end - at);
		at = end;
	}
}

void screen_update(FILE *to, const struct screen *was, const struct screen *now,
		   bool colour)
{
	struct pen p = { to, colour, SCREEN_PLAIN };
	struct screen *blank = NULL;

	if (!was || was->columns != now->columns || was->lines != now->lines) {
		blank = screen_new(now->columns, now->lines);
		if (!blank)
			return;
		(void)fputs("\033[H\033[2J", to);
		was = blank;
	}
	for (unsigned y = 0; y < now->lines; y++) {
		const size_t at = (size_t)y * now->columns;

		update_line(&p, was->cell + at, now->cell + at, now->columns,
			    y);
	}
	use_look(&p, SCREEN_PLAIN);
	screen_free(blank);
}
