/* SPDX-License-Identifier: MIT */

/* How it is said: sounds, spelling and Morse code. */

#include <math.h>
#include <string.h>

#include "daemon/node/telemetry_priv.h"

/* Blocks. */
#define LEAD 15U /* for receivers to open */
#define BETWEEN 3U

/* --- words -------------------------------------------------------------- */

/* What is short in Morse code. */
static const struct {
	const char *word, *code;
} shorter[] = {
	{ "node", "" },
	{ "connected", "C" },
	{ "monitoring", "M" },
	{ "disconnected", "D" },
	{ "failed", "F" },
	{ "not-found", "NF" },
	{ "complete", "OK" },
	{ "already-connected", "AC" },
	{ "not-connected", "NC" },
	{ "permanent", "P" },
	{ "no-links", "NIL" },
	{ "last", "L" },
	{ "all-off", "AO" },
	{ "restored", "R" },
	{ "command-mode", "CM" },
	{ "time-is", "T" },
	{ "version", "V" },
	{ "point", "." },
	{ "parrot-on", "PON" },
	{ "parrot-off", "POFF" },
	{ "timed-out", "TO" },
	{ "unknown", "?" },
};

static const struct telemetry_sound *find_sound(const struct telemetry *t,
						const char *name, size_t len)
{
	for (size_t i = 0; i < t->cfg.sounds_n; i++) {
		const struct telemetry_sound *s = &t->cfg.sounds[i];

		if (strlen(s->name) == len && memcmp(s->name, name, len) == 0)
			return s;
	}
	return NULL;
}

static const struct telemetry_sound *letter(const struct telemetry *t, char c)
{
	const char low = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);

	return find_sound(t, &low, 1);
}

/* The first letter of a word that can be spelled; NULL: it cannot. */
static const struct telemetry_sound *spelled(const struct telemetry *t,
					     const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const bool may = (word[i] >= '0' && word[i] <= '9') ||
				 (word[i] >= 'A' && word[i] <= 'Z');

		if (!may || !letter(t, word[i]))
			return NULL;
	}
	return len > 0 ? letter(t, word[0]) : NULL;
}

static void play(struct telemetry *t, const struct telemetry_sound *s)
{
	t->sound = s->samples;
	t->left = s->n;
}

static void send(struct telemetry *t, const char *word, size_t len)
{
	char text[CW_TEXT_MAX + 1];
	const char *code = text;

	if (len > CW_TEXT_MAX)
		len = CW_TEXT_MAX;
	memcpy(text, word, len);
	text[len] = '\0';
	for (size_t i = 0; i < sizeof(shorter) / sizeof(shorter[0]); i++) {
		if (strcmp(shorter[i].word, text) == 0)
			code = shorter[i].code;
	}
	t->sending = code[0] != '\0' && cw_send(&t->cw, code) == 0;
}

/* The next word, or of one that is spelled the next letter. */
static void next_word(struct telemetry *t)
{
	const char *word = t->next + strspn(t->next, " ");
	const size_t len = strcspn(word, " ");
	const struct telemetry_sound *whole = find_sound(t, word, len);
	const struct telemetry_sound *first = spelled(t, word, len);

	t->next = word + len;
	if (word[0] == '=') {
		send(t, word + 1, len - 1);
	} else if (whole) {
		play(t, whole);
	} else if (first) {
		play(t, first);
		t->next = word + 1;
	} else {
		send(t, word, len);
	}
}

/* --- blocks ------------------------------------------------------------- */

void telemetry_begin(struct telemetry *t)
{
	t->saying = true;
	t->next = t->queue[0].text;
	t->gap = LEAD;
	t->left = 0;
	t->sending = false;
}

static void copy(struct telemetry *t, int16_t out[AUDIO_BLOCK])
{
	const size_t n = t->left < AUDIO_BLOCK ? t->left : AUDIO_BLOCK;

	memcpy(out, t->sound, n * sizeof(out[0]));
	t->sound += n;
	t->left -= n;
}

bool telemetry_render(struct telemetry *t, int16_t out[AUDIO_BLOCK])
{
	if (t->gap > 0) {
		t->gap--;
		return true;
	}
	if (t->left == 0 && !t->sending) {
		if (t->next[strspn(t->next, " ")] == '\0')
			return false;
		next_word(t);
	}
	if (t->left > 0)
		copy(t, out);
	else if (t->sending)
		t->sending = cw_add(&t->cw, out, AUDIO_BLOCK);
	/* What is being said is not interrupted by its gap. */
	if (t->left > 0 || t->sending)
		t->gap = 0;
	else
		t->gap = BETWEEN;
	return true;
}

void telemetry_duck(struct telemetry *t, bool busy, int16_t out[AUDIO_BLOCK])
{
	const double to =
		busy ? pow(10.0, -(double)t->cfg.duck_db / 20.0) : 1.0;
	const double step = (to - t->gain) / AUDIO_BLOCK;

	if (to == 1.0 && t->gain == 1.0)
		return;
	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		out[i] = (int16_t)lrint(out[i] * (t->gain + step * (double)i));
	t->gain = to;
}
