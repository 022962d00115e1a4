/* SPDX-License-Identifier: MIT */

/* Digits in, commands out. */

#include "daemon/node/command.h"

#include <string.h>

/* --- functions ---------------------------------------------------------- */

static struct command_function *by_code(struct commands *c, const char *code)
{
	for (size_t i = 0; i < c->functions; i++) {
		if (strcmp(c->function[i].code, code) == 0)
			return &c->function[i];
	}
	return NULL;
}

static void add(struct commands *c, const struct command_function *f)
{
	struct command_function *known = by_code(c, f->code);

	if (known)
		*known = *f;
	else if (c->functions < COMMAND_FUNCTIONS_MAX)
		c->function[c->functions++] = *f;
}

void command_configure(struct commands *c, const struct command_cfg *cfg)
{
	c->radio = cfg->radio;
	c->links = cfg->links;
	c->number_min = cfg->number_min;
	c->number_max = cfg->number_max < COMMAND_NUMBER_MAX
				? cfg->number_max
				: COMMAND_NUMBER_MAX;
	c->functions = 0;
	for (size_t i = 0; cfg->usual && i < command_usual_n; i++)
		add(c, &command_usual[i]);
	for (size_t i = 0; i < cfg->n; i++)
		add(c, &cfg->functions[i]);
}

/* What the digits come to. */
struct match {
	const struct command_function *f; /* NULL: nothing yet */
	const char *number;               /* what follows its code */
	bool longer;                      /* another code begins with them */
};

static struct match match(const struct commands *c, const char *digits)
{
	const size_t n = strlen(digits);
	struct match m = { 0 };
	size_t best = 0;

	for (size_t i = 0; i < c->functions; i++) {
		const struct command_function *f = &c->function[i];
		const size_t len = strlen(f->code);

		if (f->verb == COMMAND_NONE || len == 0)
			continue;
		if (len > n && strncmp(f->code, digits, n) == 0)
			m.longer = true;
		if (len < best || len > n ||
		    strncmp(f->code, digits, len) != 0 ||
		    (len < n && !command_takes_node(f->verb)))
			continue;
		best = len;
		m.f = f;
		m.number = digits + len;
	}
	return m;
}

/* --- commands ----------------------------------------------------------- */

static struct command *push(struct commands *c, const struct command_line *l,
			    enum command_verb verb)
{
	struct command *out;

	if (c->queued == COMMAND_QUEUE) {
		c->counters.limited++;
		return NULL;
	}
	out = &c->queue[(c->head + c->queued++) % COMMAND_QUEUE];
	memset(out, 0, sizeof(*out));
	out->verb = verb;
	out->from = l->from;
	memcpy(out->who, l->who, sizeof(out->who));
	return out;
}

bool command_next(struct commands *c, struct command *out)
{
	if (c->queued == 0)
		return false;
	*out = c->queue[c->head];
	c->head = (c->head + 1) % COMMAND_QUEUE;
	c->queued--;
	return true;
}

static void close_line(struct command_line *l)
{
	l->open = false;
	l->n = 0;
	l->digits[0] = '\0';
}

static void unknown(struct commands *c, struct command_line *l)
{
	struct command *out = push(c, l, COMMAND_NONE);

	if (out)
		memcpy(out->code, l->digits, sizeof(out->code));
	c->counters.unknown++;
	close_line(l);
}

static bool may(struct commands *c, const struct command_line *l,
		const struct command_function *f, mono_us now)
{
	/* A burst of 10, and one every two seconds. */
	static const struct rate_limit often = { 30, 10 };

	if (l->from != COMMAND_LINK)
		return true;
	if (!f->links) {
		c->counters.refused++;
		return false;
	}
	if (rate_take(&c->rate, &often, now))
		return true;
	c->counters.limited++;
	return false;
}

/* It waits until what began it is done. */
static void begin_macro(struct commands *c, const struct command_line *l,
			const struct command_function *f)
{
	c->macro = (struct command_line){ .used = true,
					  .macro = true,
					  .from = l->from };
	/* Whoever may begin it may do what is in it. */
	if (l->from == COMMAND_LINK)
		c->macro.from = COMMAND_RADIO;
	memcpy(c->macro.who, l->who, sizeof(l->who));
	memcpy(c->macro_digits, f->digits, sizeof(f->digits));
}

static void carry_out(struct commands *c, struct command_line *l,
		      const struct match *m, mono_us now)
{
	const struct command_function *f = m->f;
	struct command *out;
	char number[COMMAND_NUMBER_MAX + 1] = "";

	if (strcmp(m->number, "0") == 0)
		memcpy(number, c->last, sizeof(number));
	else
		memcpy(number, m->number, strlen(m->number) + 1);
	close_line(l);
	if (!may(c, l, f, now))
		return;
	c->counters.done++;
	if (number[0])
		command_last(c, number);
	out = push(c, l, f->verb);
	if (out) {
		memcpy(out->code, f->code, sizeof(out->code));
		memcpy(out->number, number, sizeof(out->number));
	}
	if (f->verb == COMMAND_MACRO && !l->macro)
		begin_macro(c, l, f);
	else if (f->verb == COMMAND_REMOTE)
		memcpy(l->remote, number, sizeof(l->remote));
}

/* Is what follows the code a whole number, when no more is to come? */
static bool is_whole(const struct commands *c, const struct match *m)
{
	const size_t n = strlen(m->number);

	if (!command_takes_node(m->f->verb))
		return true;
	return strcmp(m->number, "0") == 0 ||
	       (n >= c->number_min && n <= COMMAND_NUMBER_MAX &&
		strspn(m->number, "0123456789") == n);
}

/* --- digits ------------------------------------------------------------- */

static void finish(struct commands *c, struct command_line *l, mono_us now)
{
	const struct match m = match(c, l->digits);

	if (!l->open || l->n == 0)
		close_line(l);
	else if (m.f && is_whole(c, &m))
		carry_out(c, l, &m, now);
	else
		unknown(c, l);
}

static void consider(struct commands *c, struct command_line *l, mono_us now)
{
	const struct match m = match(c, l->digits);
	size_t n;

	if (m.longer)
		return;
	if (!m.f) {
		unknown(c, l);
		return;
	}
	n = strlen(m.number);
	if (!command_takes_node(m.f->verb) || strcmp(m.number, "0") == 0 ||
	    n >= c->number_max)
		finish(c, l, now);
}

static void to_remote(struct commands *c, struct command_line *l, char digit)
{
	struct command *out;

	if (digit == '#') {
		l->remote[0] = '\0';
		return;
	}
	out = push(c, l, COMMAND_DIGIT);
	if (!out)
		return;
	out->digit = digit;
	memcpy(out->number, l->remote, sizeof(out->number));
}

static void feed(struct commands *c, struct command_line *l, char digit,
		 mono_us now)
{
	l->last = now;
	if (l->remote[0] != '\0') {
		to_remote(c, l, digit);
		return;
	}
	if (digit == '#' || digit == '*') {
		finish(c, l, now);
		/* It may have been the number of a node for command mode. */
		if (digit == '*' && l->remote[0] != '\0')
			to_remote(c, l, digit);
		else
			l->open = digit == '*';
		return;
	}
	if (!l->open)
		return;
	if (l->n == COMMAND_DIGITS_MAX) {
		unknown(c, l);
		return;
	}
	l->digits[l->n++] = digit;
	l->digits[l->n] = '\0';
	consider(c, l, now);
}

static void run_macro(struct commands *c, mono_us now)
{
	struct command_line l = c->macro;

	c->macro.used = false;
	for (const char *d = c->macro_digits; l.used && *d; d++)
		feed(c, &l, *d, now);
	finish(c, &l, now);
}

/* A digit, or the end of them, and what comes of it. */
static void take(struct commands *c, struct command_line *l, char digit,
		 mono_us now)
{
	if (digit == '\0')
		finish(c, l, now);
	else
		feed(c, l, digit, now);
	run_macro(c, now);
}

static bool is_digit(char digit)
{
	return digit != '\0' && strchr("0123456789ABCD*#", digit);
}

static void begin_line(struct command_line *l, enum command_from from,
		       const char *who, mono_us now)
{
	const size_t n = strlen(who);

	*l = (struct command_line){ .used = true, .from = from, .last = now };
	memcpy(l->who, who, n < sizeof(l->who) ? n : sizeof(l->who) - 1);
}

/* The first is the radio's.  Of those that dial at once, the one that has been
 * silent for the longest gives way. */
static struct command_line *line_of(struct commands *c, enum command_from from,
				    const char *who, mono_us now)
{
	struct command_line *oldest = &c->line[1];

	if (from != COMMAND_LINK) {
		if (!c->line[0].used)
			begin_line(&c->line[0], from, "", now);
		return &c->line[0];
	}
	for (size_t i = 1; i < COMMAND_LINES; i++) {
		struct command_line *l = &c->line[i];

		if (l->used && strncmp(l->who, who, sizeof(l->who) - 1) == 0)
			return l;
		if (!l->used || (oldest->used && l->last < oldest->last))
			oldest = l;
	}
	begin_line(oldest, from, who, now);
	return oldest;
}

void command_digit(struct commands *c, enum command_from from, const char *who,
		   char digit, mono_us now)
{
	if (!is_digit(digit))
		return;
	if (from == COMMAND_LINK ? !c->links : !c->radio) {
		c->counters.refused += digit == '*';
		return;
	}
	command_tick(c, now);
	take(c, line_of(c, from, who, now), digit, now);
}

bool command_digits(struct commands *c, const char *digits, mono_us now)
{
	struct command_line l = { .from = COMMAND_CONSOLE };
	const size_t n = strlen(digits);

	if (n == 0 || n > COMMAND_DIGITS_MAX ||
	    strspn(digits, "0123456789ABCD*#") != n)
		return false;
	l.open = digits[0] != '*';
	for (size_t i = 0; i <= n; i++)
		take(c, &l, digits[i], now);
	return true;
}

void command_last(struct commands *c, const char *number)
{
	const size_t n = strlen(number);

	if (n > 0 && n <= COMMAND_NUMBER_MAX)
		memcpy(c->last, number, n + 1);
}

/* --- time --------------------------------------------------------------- */

static bool waits(const struct command_line *l)
{
	return l->used &&
	       (l->open || l->remote[0] != '\0' || l->from == COMMAND_LINK);
}

static mono_us line_due(const struct command_line *l)
{
	if (!waits(l))
		return MONO_NEVER;
	return l->last +
	       (l->remote[0] != '\0' ? COMMAND_REMOTE_US : COMMAND_PAUSE_US);
}

void command_tick(struct commands *c, mono_us now)
{
	for (size_t i = 0; i < COMMAND_LINES; i++) {
		struct command_line *l = &c->line[i];

		if (now < line_due(l))
			continue;
		if (l->remote[0] != '\0')
			l->remote[0] = '\0';
		else
			take(c, l, '\0', now);
		/* It may have begun command mode. */
		l->last = now;
		l->used = l->remote[0] != '\0';
	}
}

mono_us command_deadline(const struct commands *c)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < COMMAND_LINES; i++)
		due = mono_min(due, line_due(&c->line[i]));
	return due;
}
