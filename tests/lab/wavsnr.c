/* SPDX-License-Identifier: MIT */

/*
 * wavsnr SENT.wav GOT.wav [--json]: how well GOT is a copy of SENT.
 *
 * Both are taken at 8 kHz.  GOT is aligned to SENT as a whole, by up to 5 s
 * either way, and subtracted with a gain of 1; what GOT lacks of SENT counts
 * as silence, what it has besides does not count.  Blocks lost or put in on
 * the way therefore show as a worse ratio, never as an error.
 *
 * Exit: 0 measured, 1 a file cannot be measured, 2 usage.
 */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/wav_source.h"

#define RATE_PER_MS 8.0
#define LAG_MAX 40000L       /* samples: 5 s */
#define SAMPLES_MAX 4800000U /* 10 min */
#define SNIPPETS 4U          /* looked for in GOT, from all over SENT */
#define SNIPPET_LEN 2000U    /* samples: 250 ms */
#define LANES 8U             /* sums side by side, for the compiler */
#define DB_MAX 120.0         /* stands for a perfect copy */

struct signal {
	float *samples; /* with LAG_MAX or more zeros before and after */
	double *energy; /* energy[i]: of the samples before i */
	size_t len;     /* samples, without the zeros */
};

struct result {
	long lag;        /* samples by which GOT is later */
	double snr_db;   /* with a gain of 1 */
	double gain_db;  /* the gain of GOT that fits best */
	double fit_db;   /* the ratio when that gain is taken out */
	double likeness; /* correlation, -1..1 */
};

static int read_samples(struct wav_source *source, int16_t *out, size_t n)
{
	return wav_source_read(source, out, n) == (ssize_t)n ? 0 : -1;
}

/* Load @path with @pad zeros before and @tail samples of room after. */
static int load(struct signal *s, const char *path, size_t pad, size_t tail)
{
	char why[WAV_WHY_MAX];
	struct wav_source *source;
	int16_t *raw;
	int err = -1;

	if (wav_source_open(&source, path, why) < 0) {
		(void)fprintf(stderr, "wavsnr: %s %s\n", path, why);
		return -1;
	}
	s->len = wav_source_total(source) < SAMPLES_MAX
			 ? (size_t)wav_source_total(source)
			 : SAMPLES_MAX;
	raw = calloc(s->len + 1, sizeof(*raw));
	s->samples = calloc(pad + s->len + tail, sizeof(*s->samples));
	s->energy = calloc(pad + s->len + tail + 1, sizeof(*s->energy));
	if (raw && s->samples && s->energy)
		err = read_samples(source, raw, s->len);
	if (err < 0)
		(void)fprintf(stderr, "wavsnr: %s cannot be read\n", path);
	for (size_t i = 0; err == 0 && i < s->len; i++)
		s->samples[pad + i] = raw[i];
	for (size_t i = 0; err == 0 && i < pad + s->len + tail; i++)
		s->energy[i + 1] = s->energy[i] + (double)s->samples[i] *
							  (double)s->samples[i];
	free(raw);
	(void)wav_source_free(source);
	return err;
}

static void unload(struct signal *s)
{
	free(s->samples);
	free(s->energy);
}

static double dot(const float *a, const float *b, size_t n)
{
	float lane[LANES] = { 0.0F };
	double sum = 0.0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t k = 0; k < LANES; k++)
			lane[k] += a[i + k] * b[i + k];
	for (size_t k = 0; k < LANES; k++)
		sum += (double)lane[k];
	for (; i < n; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

/* The loudest place for a snippet in one part of SENT. */
static size_t loudest(const struct signal *sent, size_t from, size_t to,
		      size_t len)
{
	size_t best = from;

	for (size_t at = from; at < to && at + len <= sent->len; at += len / 2)
		if (sent->energy[at + len] - sent->energy[at] >
		    sent->energy[best + len] - sent->energy[best])
			best = at;
	return best;
}

/* Where in GOT a snippet of SENT is found best; the nearest of equals. */
static long find_snippet(const struct signal *sent, const struct signal *got,
			 size_t at, size_t len)
{
	double best = 0.0;
	long best_lag = 0;

	for (long step = 0; step <= 2 * LAG_MAX; step++) {
		const long lag = (step & 1) != 0 ? (step + 1) / 2 : -step / 2;
		const size_t i = (size_t)((long)at + lag + LAG_MAX);
		const double power = got->energy[i + len] - got->energy[i];
		double match, score;

		if (power <= 0.0)
			continue;
		match = dot(sent->samples + at, got->samples + i, len);
		score = match > 0.0 ? match * match / power : 0.0;
		if (score > best * (1.0 + 1e-6)) {
			best = score;
			best_lag = lag;
		}
	}
	return best_lag;
}

static double ratio_db(double signal, double noise)
{
	double db;

	if (noise <= 0.0)
		return DB_MAX;
	db = 10.0 * log10((signal + 1e-9) / noise);
	return db < DB_MAX ? db : DB_MAX;
}

static struct result compare(const struct signal *sent,
			     const struct signal *got, long lag)
{
	const float *a = sent->samples;
	const float *b = got->samples + (LAG_MAX + lag);
	double aa = 0.0, ab = 0.0, bb = 0.0, noise = 0.0, fit;

	for (size_t i = 0; i < sent->len; i++) {
		const double s = (double)a[i], g = (double)b[i];

		aa += s * s;
		ab += s * g;
		bb += g * g;
		noise += (s - g) * (s - g);
	}
	fit = bb - ab * ab / aa;
	return (struct result){
		.lag = lag,
		.snr_db = ratio_db(aa, noise),
		.gain_db = ab > 0.0 ? 20.0 * log10(ab / aa) : -DB_MAX,
		.fit_db = ab > 0.0 ? ratio_db(ab * ab / aa, fit) : -DB_MAX,
		.likeness = bb > 0.0 ? ab / sqrt(aa * bb) : 0.0,
	};
}

/* Each snippet proposes a lag; the one that suits the whole file wins. */
static struct result align(const struct signal *sent, const struct signal *got)
{
	const size_t len = sent->len < SNIPPET_LEN ? sent->len : SNIPPET_LEN;
	const size_t last = sent->len - len;
	struct result best = compare(sent, got, 0);

	for (size_t k = 0; k < SNIPPETS; k++) {
		const size_t at = loudest(sent, last * k / SNIPPETS,
					  last * (k + 1) / SNIPPETS + 1, len);
		const struct result r =
			compare(sent, got, find_snippet(sent, got, at, len));

		if (r.likeness > best.likeness)
			best = r;
	}
	return best;
}

static int measure(const char *sent_path, const char *got_path, bool json)
{
	struct signal sent = { 0 }, got = { 0 };
	struct result r;
	int rc = EXIT_FAILURE;

	if (load(&sent, sent_path, 0, 0) < 0)
		goto out;
	if (sent.energy[sent.len] <= 0.0) {
		(void)fprintf(stderr, "wavsnr: %s is silent\n", sent_path);
		goto out;
	}
	/* Every lag then stays within the zeros around GOT. */
	if (load(&got, got_path, LAG_MAX, (size_t)LAG_MAX + sent.len) < 0)
		goto out;
	r = align(&sent, &got);
	printf(json ? "{\"snr_db\":%.2f,\"lag_ms\":%.3f,\"gain_db\":%.2f,"
		      "\"fit_snr_db\":%.2f}\n"
		    : "SNR %.2f dB, lag %.3f ms, gain %.2f dB, "
		      "SNR without that gain %.2f dB\n",
	       r.snr_db, (double)r.lag / RATE_PER_MS, r.gain_db, r.fit_db);
	rc = EXIT_SUCCESS;
out:
	unload(&sent);
	unload(&got);
	return rc;
}

int main(int argc, char **argv)
{
	const bool json = argc == 4 && strcmp(argv[3], "--json") == 0;

	if (argc != 3 && !json) {
		(void)fprintf(stderr,
			      "usage: wavsnr SENT.wav GOT.wav [--json]\n");
		return 2;
	}
	return measure(argv[1], argv[2], json);
}
