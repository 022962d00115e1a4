/* SPDX-License-Identifier: MIT */

/* What a test says to the emulated fob, a line each, and what it is told. */

#include "tests/vm/cm108.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORDS_MAX 6

static void tell(int fd, const char *line)
{
	(void)send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
}

__attribute__((format(printf, 2, 3))) static void
reply(const struct cm108_client *to, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	strcat(line, "\n"); /* NOLINT(clang-analyzer-security*): has room */
	tell(to->fd, line);
}

void cm108_event(void *ctx, const char *text)
{
	struct cm108 *c = ctx;
	char line[192];

	(void)snprintf(line, sizeof(line), "%.6f %s\n", cm108_now(), text);
	if (c->log) {
		(void)fputs(line, c->log);
		(void)fflush(c->log);
	}
	for (size_t i = 0; i < CM108_CLIENTS; i++) {
		if (c->client[i].fd >= 0 && c->client[i].follows)
			tell(c->client[i].fd, line);
	}
}

/* --- commands: NULL when done, else what is wrong ----------------------- */

static void set_bit(uint8_t *octets, unsigned bit, bool on)
{
	const uint8_t mask = (uint8_t)(1U << bit % 8);

	if (on)
		octets[bit / 8] |= mask;
	else
		octets[bit / 8] &= (uint8_t)~mask;
}

static const char *on_cor(struct cm108 *c, char **w)
{
	const bool on = strtol(w[1], NULL, 10) != 0;
	char line[16];

	set_bit(c->fob.in, c->cor_bit, on);
	(void)snprintf(line, sizeof(line), "COR %d", on);
	cm108_event(c, line);
	cm108_report(c);
	return NULL;
}

static const char *on_pin(struct cm108 *c, char **w)
{
	const long pin = strtol(w[1], NULL, 10);

	if (pin < 1 || pin > 8 || !w[2])
		return "gpi 1..8 0|1";
	set_bit(&c->fob.in[1], (unsigned)pin - 1, strtol(w[2], NULL, 10) != 0);
	cm108_report(c);
	return NULL;
}

static const char *on_mic(struct cm108 *c, char **w)
{
	struct fob_audio *a = &c->audio;

	a->changed = true;
	if (strcmp(w[1], "silence") == 0) {
		a->source = FOB_SILENCE;
	} else if (strcmp(w[1], "loop") == 0) {
		a->loop_rd = a->loop_wr;
		a->source = FOB_LOOP;
	} else if (strcmp(w[1], "ramp") == 0) {
		a->ramp = 0;
		a->source = FOB_RAMP;
	} else if (strcmp(w[1], "tone") == 0 && w[2] && w[3]) {
		a->tone_hz = strtod(w[2], NULL);
		a->tone_amplitude = strtod(w[3], NULL);
		a->source = FOB_TONE;
	} else if (strcmp(w[1], "file") == 0 && w[2]) {
		if (a->in)
			(void)fclose(a->in);
		a->in = fopen(w[2], "re");
		a->source = FOB_FILE;
		return a->in ? NULL : strerror(errno);
	} else {
		return "mic silence|loop|ramp|tone HZ AMPLITUDE|file PATH";
	}
	return NULL;
}

static const char *on_txfile(struct cm108 *c, char **w)
{
	struct fob_audio *a = &c->audio;

	if (a->out)
		(void)fclose(a->out);
	a->out = NULL;
	if (strcmp(w[1], "-") == 0)
		return NULL;
	a->out = fopen(w[1], "we");
	return a->out ? NULL : strerror(errno);
}

static const char *on_plug(struct cm108 *c, char **w)
{
	const int err = cm108_plug(c);

	(void)w;
	return err == 0 ? NULL : strerror(-err);
}

static const char *on_unplug(struct cm108 *c, char **w)
{
	(void)w;
	cm108_unplug(c, "asked");
	return NULL;
}

static const char *on_stall(struct cm108 *c, char **w)
{
	c->fob.stalls = (unsigned)strtoul(w[1], NULL, 10);
	return NULL;
}

static const char *on_wedge(struct cm108 *c, char **w)
{
	cm108_wedge(c, strtol(w[1], NULL, 10) != 0);
	return NULL;
}

static const char *on_eeprom(struct cm108 *c, char **w)
{
	const unsigned long at = strtoul(w[1], NULL, 10);

	if (at >= FOB_EEPROM_WORDS)
		return "eeprom 0..63 WORD";
	c->fob.eeprom[at] = (uint16_t)strtoul(w[2], NULL, 10);
	return NULL;
}

static const char *on_ppm(struct cm108 *c, char **w)
{
	cm108_set_ppm(c, strtod(w[1], NULL));
	return NULL;
}

static const char *on_clear(struct cm108 *c, char **w)
{
	struct cm108_ep *const eps[] = { &c->play, &c->capture };

	(void)w;
	for (size_t i = 0; i < 2; i++) {
		eps[i]->octets = 0;
		eps[i]->frames = 0;
		eps[i]->late = 0;
		eps[i]->resyncs = 0;
	}
	c->fob.reports_set = 0;
	c->reports = 0;
	return NULL;
}

static const char *on_quit(struct cm108 *c, char **w)
{
	(void)w;
	c->quit = true;
	return NULL;
}

static const struct {
	const char *name;
	int args;
	const char *(*run)(struct cm108 *c, char **words);
} commands[] = {
	{ "cor", 1, on_cor },       { "gpi", 1, on_pin },
	{ "mic", 1, on_mic },       { "txfile", 1, on_txfile },
	{ "plug", 0, on_plug },     { "unplug", 0, on_unplug },
	{ "stall", 1, on_stall },   { "ppm", 1, on_ppm },
	{ "eeprom", 2, on_eeprom }, { "clear", 0, on_clear },
	{ "quit", 0, on_quit },     { "wedge", 1, on_wedge },
};

static void status(const struct cm108 *c, const struct cm108_client *to)
{
	const struct fob *f = &c->fob;
	const struct fob_meter *m = &c->audio.meter;

	reply(to,
	      "plugged=%d ptt=%d out=%02x,%02x,%02x,%02x in=%02x,%02x,%02x,%02x"
	      " setreports=%u inreports=%llu play=%d play_rate=%u"
	      " play_ms=%llu play_late=%llu play_resync=%llu play_rms=%.0f"
	      " play_peak=%d play_hz=%.0f cap=%d cap_rate=%u cap_ms=%llu"
	      " cap_late=%llu cap_resync=%llu spk=%d,%d spk_mute=%d mic_vol=%d"
	      " mic_mute=%d agc=%d sidetone_mute=%d",
	      c->usb.fd >= 0, fob_ptt(f), f->out[0], f->out[1], f->out[2],
	      f->out[3], f->in[0], f->in[1], f->in[2], f->in[3], f->reports_set,
	      (unsigned long long)c->reports, f->alt[FOB_PLAYBACK], f->rate[0],
	      (unsigned long long)c->play.frames,
	      (unsigned long long)c->play.late,
	      (unsigned long long)c->play.resyncs, m->rms, m->peak, m->hz,
	      f->alt[FOB_CAPTURE], f->rate[1],
	      (unsigned long long)c->capture.frames,
	      (unsigned long long)c->capture.late,
	      (unsigned long long)c->capture.resyncs, f->mixer[1].value,
	      f->mixer[2].value, f->mixer[0].value, f->mixer[4].value,
	      f->mixer[3].value, f->mixer[5].value, f->mixer[6].value);
}

static void command(struct cm108 *c, struct cm108_client *from, char *line)
{
	char *words[WORDS_MAX] = { NULL }, *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \r", &save); w && n < WORDS_MAX - 1;
	     w = strtok_r(NULL, " \r", &save))
		words[n++] = w;
	if (n == 0)
		return;
	if (strcmp(words[0], "status") == 0) {
		status(c, from);
		return;
	}
	if (strcmp(words[0], "events") == 0) {
		from->follows = true;
		reply(from, "ok");
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *why;

		if (strcmp(words[0], commands[i].name) != 0 ||
		    n <= commands[i].args)
			continue;
		why = commands[i].run(c, words);
		reply(from, why ? "err %s" : "ok%s", why ? why : "");
		return;
	}
	reply(from, "err: cor 0|1, gpi N 0|1, mic .., txfile PATH|-, unplug, "
		    "plug, stall N, wedge 0|1, ppm X, eeprom AT WORD, events, "
		    "clear, status, quit");
}

/* --- clients ------------------------------------------------------------ */

void cm108_accept(struct cm108 *c, int listener)
{
	const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; i < CM108_CLIENTS && fd >= 0; i++) {
		if (c->client[i].fd >= 0)
			continue;
		c->client[i] = (struct cm108_client){ .fd = fd };
		return;
	}
	if (fd >= 0)
		close(fd);
}

void cm108_client_readable(struct cm108 *c, struct cm108_client *from)
{
	const size_t room = sizeof(from->line) - 1 - from->len;
	const ssize_t n =
		recv(from->fd, from->line + from->len, room, MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(from->fd);
		from->fd = -1;
		return;
	}
	from->len += (size_t)n;
	from->line[from->len] = '\0';
	while ((end = strchr(from->line, '\n'))) {
		*end++ = '\0';
		command(c, from, from->line);
		from->len -= (size_t)(end - from->line);
		memmove(from->line, end, from->len + 1);
	}
	if (from->len == sizeof(from->line) - 1)
		from->len = 0;
}
