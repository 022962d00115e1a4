/* SPDX-License-Identifier: MIT */

#include "audio/cw.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct sign {
	char c;
	const char *code;
};

static const struct sign signs[] = {
	{ 'A', ".-" },      { 'B', "-..." },    { 'C', "-.-." },
	{ 'D', "-.." },     { 'E', "." },       { 'F', "..-." },
	{ 'G', "--." },     { 'H', "...." },    { 'I', ".." },
	{ 'J', ".---" },    { 'K', "-.-" },     { 'L', ".-.." },
	{ 'M', "--" },      { 'N', "-." },      { 'O', "---" },
	{ 'P', ".--." },    { 'Q', "--.-" },    { 'R', ".-." },
	{ 'S', "..." },     { 'T', "-" },       { 'U', "..-" },
	{ 'V', "...-" },    { 'W', ".--" },     { 'X', "-..-" },
	{ 'Y', "-.--" },    { 'Z', "--.." },    { '0', "-----" },
	{ '1', ".----" },   { '2', "..---" },   { '3', "...--" },
	{ '4', "....-" },   { '5', "....." },   { '6', "-...." },
	{ '7', "--..." },   { '8', "---.." },   { '9', "----." },
	{ '.', ".-.-.-" },  { ',', "--..--" },  { '?', "..--.." },
	{ '\'', ".----." }, { '!', "-.-.--" },  { '/', "-..-." },
	{ '(', "-.--." },   { ')', "-.--.-" },  { '&', ".-..." },
	{ ':', "---..." },  { ';', "-.-.-." },  { '=', "-...-" },
	{ '+', ".-.-." },   { '-', "-....-" },  { '_', "..--.-" },
	{ '"', ".-..-." },  { '$', "...-..-" }, { '@', ".--.-." },
	{ ' ', "" },
};

/* NULL when it has none. */
static const char *code_of(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (signs[i].c == c)
			return signs[i].code;
	return NULL;
}

void cw_init(struct cw *c, unsigned wpm, double hz, double dbfs)
{
	assert(wpm >= CW_WPM_MIN && wpm <= CW_WPM_MAX);
	*c = (struct cw){
		.hz = hz,
		.dbfs = dbfs,
		.dot = (uint32_t)TONE_HZ * 1200 / 1000 / wpm,
	};
	tone_init(&c->tone);
}

int cw_send(struct cw *c, const char *text)
{
	const size_t len = strlen(text);

	if (len > CW_TEXT_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < len; i++)
		if (!code_of(text[i]))
			return -EINVAL;
	memcpy(c->text, text, len + 1);
	tone_off(&c->tone);
	c->signs = "";
	c->next = 0;
	c->left = 0;
	c->down = false;
	c->sending = true;
	return 0;
}

static void key(struct cw *c, bool down, uint32_t dots)
{
	if (down)
		tone_on(&c->tone, c->hz, c->dbfs);
	else
		tone_off(&c->tone);
	c->down = down;
	c->left = dots * c->dot;
}

/* One dot of gap is always behind a sign already: a character's end takes two
 * more, a space four more. */
static void next_character(struct cw *c)
{
	const char ch = c->text[c->next];

	if (ch == '\0') {
		c->sending = false;
		return;
	}
	c->signs = code_of(ch);
	if (ch == ' ')
		key(c, false, 4);
	else if (c->next > 0)
		key(c, false, 2);
	c->next++;
}

static void next_step(struct cw *c)
{
	if (c->down)
		key(c, false, 1);
	else if (*c->signs != '\0')
		key(c, true, *c->signs++ == '-' ? 3 : 1);
	else
		next_character(c);
}

bool cw_add(struct cw *c, int16_t *samples, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t run = n - at;

		while (c->sending && c->left == 0)
			next_step(c);
		if (c->sending && run > c->left)
			run = c->left;
		tone_add(&c->tone, samples + at, run);
		at += run;
		if (c->sending)
			c->left -= (uint32_t)run;
	}
	return c->sending || !tone_silent(&c->tone);
}
