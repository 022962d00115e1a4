/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_SCREEN_TERMINAL_H
#define TESTS_UNIT_SCREEN_TERMINAL_H

/* A terminal that knows what screen_update() sends, and fails at all else. */

#include "daemon/console/plain.h"
#include "daemon/console/screen.h"
#include "tests/t.h"

struct terminal {
	struct screen *shown; /* looks are those of the pen: SGR's number */
	unsigned x, y;
	uint8_t look;
};

static inline void terminal_blank(struct terminal *t, unsigned from_x,
				  unsigned from_y, unsigned to_y)
{
	for (unsigned y = from_y; y < to_y; y++) {
		for (unsigned x = y == from_y ? from_x : 0;
		     x < t->shown->columns; x++)
			t->shown->cell[y * t->shown->columns + x] =
				(struct screen_cell){ ' ', 0 };
	}
}

/* After ESC [; returns what follows. */
static inline const char *terminal_escape(struct terminal *t, const char *at)
{
	unsigned arg[3] = { 0 }, n = 0;

	for (; (*at >= '0' && *at <= '9') || *at == ';'; at++) {
		if (*at == ';')
			n++;
		else
			arg[n] = arg[n] * 10 + (unsigned)(*at - '0');
		T_TRUE(n < 3);
	}
	if (*at == 'H') {
		t->y = arg[0] ? arg[0] - 1 : 0;
		t->x = arg[1] ? arg[1] - 1 : 0;
		T_TRUE(t->y < t->shown->lines && t->x < t->shown->columns);
	} else if (*at == 'J') {
		T_EQ(2, arg[0]);
		terminal_blank(t, 0, 0, t->shown->lines);
	} else if (*at == 'K') {
		T_EQ(0, t->look);
		terminal_blank(t, t->x, t->y, t->y + 1);
	} else {
		T_EQ('m', *at);
		t->look = (uint8_t)(arg[n]);
	}
	return at + 1;
}

static inline void terminal_take(struct terminal *t, const char *octets)
{
	while (*octets != '\0') {
		if (*octets == '\033') {
			T_EQ('[', octets[1]);
			octets = terminal_escape(t, octets + 2);
			continue;
		}
		T_TRUE(t->x < t->shown->columns);
		t->shown->cell[t->y * t->shown->columns + t->x++] =
			(struct screen_cell){ (uint16_t)plain_next(&octets),
					      t->look };
	}
	T_EQ(0, t->look);
}

/* A line of a screen, without the blanks at its end; valid until the next. */
static inline const char *screen_line(const struct screen *s, unsigned y)
{
	static char line[SCREEN_COLUMNS_MAX * PLAIN_OCTETS_MAX + 1];
	size_t at = 0;

	for (unsigned x = 0; x < s->columns; x++)
		at += plain_put(s->cell[y * s->columns + x].ch, line + at);
	while (at > 0 && line[at - 1] == ' ')
		at--;
	line[at] = '\0';
	return line;
}

#endif
