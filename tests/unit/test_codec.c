/* SPDX-License-Identifier: MIT */

#include "audio/codec.h"

#include <math.h>
#include <string.h>

#include "audio/adpcm.h"
#include "tests/t.h"

#define N CODEC_FRAME_SAMPLES
#define FRAMES 100U
#define SAMPLES ((size_t)FRAMES * N)
#define PI 3.14159265358979323846
#define SAMPLES_MAX ((size_t)CODEC_DECODE_MS_MAX * 8)

static int16_t speech[SAMPLES], heard[SAMPLES];

/* Two seconds of a voice's spectrum: harmonics of a gliding pitch of about
 * 120 Hz within 300..3000 Hz, four syllables a second. */
static void make_speech(void)
{
	double phase = 0;

	for (size_t i = 0; i < SAMPLES; i++) {
		const double t = (double)i / 8000.0;
		const double loud = 0.55 - 0.45 * cos(2 * PI * 4 * t);
		double sum = 0;

		phase += 2 * PI * (120 + 15 * sin(2 * PI * 1.3 * t)) / 8000;
		for (int h = 3; h <= 24; h++)
			sum += cos(h * phase + h * h) *
			       exp(-fabs(h - 5.0) / 4.0);
		speech[i] = (int16_t)lrint(loud * sum * 2500);
	}
}

/* All of @from through an encoder and a decoder. */
static void round_trip(enum codec_id id, const int16_t *from, int16_t *to)
{
	struct codec *enc = codec_new(), *dec = codec_new();
	uint8_t frame[CODEC_FRAME_OCTETS_MAX];

	T_TRUE(enc && dec);
	codec_start(enc, id);
	codec_start(dec, id);
	for (size_t at = 0; at < SAMPLES; at += N) {
		const size_t len =
			codec_encode(enc, from + at, frame, sizeof(frame));

		T_EQ(codec_frame_octets(id), len);
		T_EQ(N, codec_decode(dec, frame, len, to + at, N));
	}
	T_TRUE(codec_free(enc) == NULL && codec_free(dec) == NULL);
}

/* Signal to noise in dB with @to delayed by @lag samples. */
static double snr(const int16_t *from, const int16_t *to, size_t lag)
{
	double signal = 0, noise = 1e-9;

	for (size_t i = 0; i + lag < SAMPLES; i++) {
		const double error = (double)to[i + lag] - from[i];

		signal += (double)from[i] * from[i];
		noise += error * error;
	}
	return 10 * log10(signal / noise);
}

static void every_codec_gives_speech_back_as_well_as_it_can(void)
{
	/* slin16 passes two resamplers; the others do not delay. */
	static const struct {
		enum codec_id id;
		size_t lag;
		double least, most;
	} rows[] = {
		{ CODEC_ULAW, 0, 36, 40 },    { CODEC_ALAW, 0, 36, 40 },
		{ CODEC_SLIN, 0, 100, 1000 }, { CODEC_SLIN16, 40, 40, 1000 },
		{ CODEC_ADPCM, 0, 22, 40 },   { CODEC_G726AAL2, 0, 30, 40 },
		{ CODEC_GSM, 0, 15, 20 },
	};

	make_speech();
	for (size_t i = 0; i < CODEC_COUNT; i++) {
		double best = -100;
		size_t lag = 0;

		round_trip(rows[i].id, speech, heard);
		for (size_t l = 0; l <= 100; l++) {
			const double db = snr(speech, heard, l);

			if (db > best) {
				best = db;
				lag = l;
			}
		}
		printf("# %s: %.1f dB, delay %zu\n",
		       codec_info(rows[i].id)->name, best, lag);
		T_EQ(rows[i].lag, lag);
		T_TRUE(best > rows[i].least);
		T_TRUE(best < rows[i].most);
	}
}

static void frames_have_the_published_sizes(void)
{
	static const struct {
		const char *name;
		uint32_t rate_hz;
		size_t octets;
	} want[] = {
		[CODEC_ULAW] = { "ulaw", 8000, 160 },
		[CODEC_ALAW] = { "alaw", 8000, 160 },
		[CODEC_SLIN] = { "slin", 8000, 320 },
		[CODEC_SLIN16] = { "slin16", 16000, 640 },
		[CODEC_ADPCM] = { "adpcm", 8000, 80 },
		[CODEC_GSM] = { "gsm", 8000, 33 },
		[CODEC_G726AAL2] = { "g726aal2", 8000, 80 },
	};

	for (size_t i = 0; i < CODEC_COUNT; i++) {
		const struct codec_info *info = codec_info((enum codec_id)i);

		T_STR(want[i].name, info->name);
		T_EQ(want[i].rate_hz, info->rate_hz);
		T_EQ(want[i].octets, codec_frame_octets((enum codec_id)i));
		T_EQ(0, CODEC_FRAME_MS % info->unit_ms);
	}
}

static void too_little_room_writes_nothing(void)
{
	uint8_t frame[CODEC_FRAME_OCTETS_MAX] = { 0x5a };
	int16_t out[SAMPLES_MAX] = { 77 };
	struct codec *c = codec_new();

	make_speech();
	for (size_t i = 0; i < CODEC_COUNT; i++) {
		const size_t len = codec_frame_octets((enum codec_id)i);

		codec_start(c, (enum codec_id)i);
		T_EQ(i, codec_current(c));
		T_EQ(0, codec_encode(c, speech, frame, len - 1));
		T_EQ(0x5a, frame[0]);
		T_EQ(0, codec_decode(c, frame, len, out, N - 1));
		T_EQ(77, out[0]);
	}
	codec_free(c);
}

/* Any length of any octets: decoded when a whole number of units of at most
 * 60 ms, refused when not. */
static void any_length_of_garbage_is_decoded_or_refused(void)
{
	struct codec *c = codec_new();
	uint32_t seed = 7;

	for (size_t i = 0; i < CODEC_COUNT; i++) {
		const struct codec_info *info = codec_info((enum codec_id)i);

		codec_start(c, (enum codec_id)i);
		for (size_t len = 0; len <= 2000; len++) {
			const size_t ms =
				len / info->unit_octets * info->unit_ms;
			const bool whole =
				len % info->unit_octets == 0 && ms <= 60;
			int16_t out[SAMPLES_MAX];
			uint8_t *data = malloc(len > 0 ? len : 1);

			T_TRUE(data != NULL);
			for (size_t k = 0; k < len; k++) {
				seed = seed * 1664525 + 1013904223;
				data[k] = (uint8_t)(seed >> 24);
			}
			for (size_t k = 0; k < len && i == CODEC_GSM; k += 33)
				data[k] = (uint8_t)(0xd0 | data[k] % 16);
			T_EQ(whole ? 8 * ms : 0,
			     codec_decode(c, data, len, out, SAMPLES_MAX));
			free(data);
		}
	}
	codec_free(c);
}

static void after_a_start_a_codec_is_as_new(void)
{
	make_speech();
	for (size_t i = 0; i < CODEC_COUNT; i++) {
		const enum codec_id id = (enum codec_id)i;
		uint8_t first[CODEC_FRAME_OCTETS_MAX], again[sizeof(first)];
		const size_t len = codec_frame_octets(id);
		int16_t out[N], out_again[N];
		struct codec *c = codec_new();
		bool differs = false;

		codec_start(c, id);
		T_EQ(len, codec_encode(c, speech + 800, first, sizeof(first)));
		for (size_t at = 0; at < SAMPLES; at += N) {
			(void)codec_encode(c, speech + at, again, len);
			differs |= at == 800 && memcmp(first, again, len) != 0;
		}
		/* What came before tells, just where it should. */
		T_EQ(codec_info(id)->stateful, differs);
		codec_start(c, id);
		T_EQ(len, codec_encode(c, speech + 800, again, len));
		T_EQ(0, memcmp(first, again, len));

		codec_start(c, id);
		T_EQ(N, codec_decode(c, first, len, out, N));
		T_EQ(N, codec_decode(c, again, len, out_again, N));
		codec_start(c, id);
		T_EQ(N, codec_decode(c, first, len, out_again, N));
		T_EQ(0, memcmp(out, out_again, sizeof(out)));
		codec_free(c);
	}
}

static void frames_of_odd_lengths_are_the_same_stream(void)
{
	static const size_t cut_ms[] = { 10, 1, 9, 30, 60, 20, 50 };

	make_speech();
	for (size_t i = 0; i < CODEC_COUNT; i++) {
		const struct codec_info *info = codec_info((enum codec_id)i);
		static uint8_t coded[20 * CODEC_FRAME_OCTETS_MAX];
		const size_t frame = codec_frame_octets((enum codec_id)i);
		static int16_t whole[20 * N], parts[20 * N];
		struct codec *c = codec_new();
		size_t at_ms = 0;

		codec_start(c, (enum codec_id)i);
		for (size_t k = 0; k < 20; k++)
			(void)codec_encode(c, speech + k * N, coded + k * frame,
					   frame);
		codec_start(c, (enum codec_id)i);
		for (size_t k = 0; k < 20; k++)
			(void)codec_decode(c, coded + k * frame, frame,
					   whole + k * N, N);
		codec_start(c, (enum codec_id)i);
		for (size_t k = 0; k < 7; k++) {
			const size_t ms = info->unit_ms == 1 ? cut_ms[k] : 20;
			const size_t units = at_ms / info->unit_ms;

			T_EQ(8 * ms,
			     codec_decode(c, coded + units * info->unit_octets,
					  ms / info->unit_ms *
						  info->unit_octets,
					  parts + 8 * at_ms, SAMPLES_MAX));
			at_ms += ms;
		}
		T_EQ(0, memcmp(whole, parts, at_ms * 8 * sizeof(parts[0])));
		codec_free(c);
	}
}

static void linear_is_big_endian(void)
{
	int16_t in[N] = { 0x1234, -2 }, out[N];
	uint8_t frame[320];
	struct codec *c = codec_new();

	codec_start(c, CODEC_SLIN);
	T_EQ(320, codec_encode(c, in, frame, sizeof(frame)));
	T_EQ(0x12, frame[0]);
	T_EQ(0x34, frame[1]);
	T_EQ(0xff, frame[2]);
	T_EQ(0xfe, frame[3]);
	T_EQ(N, codec_decode(c, frame, 320, out, N));
	T_EQ(0, memcmp(in, out, sizeof(in)));
	codec_free(c);
}

/* --- GSM ---------------------------------------------------------------- */

/*
 * 60 ms of triangle_and_noise() as another implementation codes it:
 *
 *	sox -D -t raw -r 8000 -e signed -b 16 -c 1 IN -t gsm -
 */
static const uint8_t gsm_by_sox[99] = {
	0xd7, 0xdb, 0x81, 0x98, 0x91, 0x50, 0x12, 0x86, 0xdb, 0x6e, 0x39,
	0x1c, 0x9a, 0x2a, 0x4f, 0x36, 0xd3, 0x88, 0xa1, 0xd4, 0xab, 0xb4,
	0x5a, 0x0c, 0xbf, 0xe4, 0x74, 0xcc, 0x5b, 0xe7, 0xbe, 0x84, 0x5b,
	0xd7, 0x18, 0x6a, 0x1d, 0x63, 0x88, 0x8b, 0x98, 0x98, 0xb2, 0x67,
	0xac, 0x88, 0xcd, 0x51, 0x23, 0x69, 0xb7, 0xa4, 0xcc, 0xad, 0xbc,
	0xfb, 0x56, 0x26, 0xa5, 0x68, 0xec, 0x3c, 0xfd, 0x09, 0x34, 0x26,
	0xd6, 0x97, 0x82, 0x69, 0xe3, 0xa3, 0x2e, 0x45, 0x5f, 0x69, 0x46,
	0xde, 0xa8, 0xad, 0x3b, 0x32, 0x6a, 0x15, 0xdc, 0x53, 0x4c, 0xd8,
	0x53, 0x13, 0x59, 0xab, 0x7e, 0xac, 0xb8, 0x5d, 0x8f, 0xc4, 0xd3,
};
/* And the checksum() of what it decodes from them. */
#define GSM_BY_SOX_DECODED 749445168U

static void triangle_and_noise(int16_t *out, size_t n)
{
	uint32_t seed = 1, phase = 0;

	for (size_t i = 0; i < n; i++) {
		int32_t triangle;

		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		phase = (phase + 400 + (uint32_t)i * 4) & 0xffff;
		triangle = phase < 32768 ? (int32_t)phase - 16384
					 : 49152 - (int32_t)phase;
		/* Rounded down for both signs. */
		out[i] = (int16_t)((triangle * 3 + 131072) / 8 - 16384 +
				   (int32_t)(seed % 2001) - 1000);
	}
}

static uint32_t checksum(const int16_t *v, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + (uint16_t)v[i];
	return sum;
}

static void gsm_is_bit_for_bit_what_another_implementation_says(void)
{
	int16_t in[3 * N], out[3 * N];
	uint8_t frame[33];
	struct codec *c = codec_new();

	triangle_and_noise(in, (size_t)3 * N);
	codec_start(c, CODEC_GSM);
	for (size_t i = 0; i < 3; i++) {
		T_EQ(33, codec_encode(c, in + i * N, frame, sizeof(frame)));
		T_EQ(0, memcmp(gsm_by_sox + 33 * i, frame, 33));
	}
	codec_start(c, CODEC_GSM);
	T_EQ(3 * N, codec_decode(c, gsm_by_sox, 99, out, (size_t)3 * N));
	T_EQ(GSM_BY_SOX_DECODED, checksum(out, (size_t)3 * N));
	codec_free(c);
}

static void what_lacks_the_mark_of_gsm_leaves_the_state_alone(void)
{
	uint8_t foreign[66];
	int16_t want[N], out[2 * N];
	struct codec *c = codec_new();

	codec_start(c, CODEC_GSM);
	T_EQ(N, codec_decode(c, gsm_by_sox, 33, want, N));
	memcpy(foreign, gsm_by_sox, sizeof(foreign));
	foreign[33] = 0x12;
	codec_start(c, CODEC_GSM);
	T_EQ(0, codec_decode(c, foreign, 66, out, (size_t)2 * N));
	T_EQ(N, codec_decode(c, gsm_by_sox, 33, out, N));
	T_EQ(0, memcmp(want, out, sizeof(want)));
	codec_free(c);
}

/* --- G.726 -------------------------------------------------------------- */

/* What the first code of a call decodes to: G.726 section 4.2 with table 9's
 * values for 32 kbit/s, while the step size is still the initial 544. */
static int first_sample(unsigned code)
{
	static const int dqln[] = { -2048, 4, 135, 213, 273, 323, 373, 425 };
	const unsigned magnitude = code < 8 ? code : 15 - code;
	const int dql = dqln[magnitude] + 544 / 4;
	int dq = 0;

	if (dql >= 0)
		dq = (128 + dql % 128) * 128 >> (14 - dql / 128);
	/* 14 bits, the samples have 16. */
	return code < 8 ? 4 * dq : -4 * dq;
}

static void g726_has_the_first_code_in_the_most_significant_bits(void)
{
	struct codec *c = codec_new();
	int16_t out[8];

	T_EQ(88, first_sample(7));
	for (unsigned code = 0; code < 16; code++) {
		const uint8_t data[4] = { (uint8_t)(code << 4 | 0xfU), 0xff,
					  0xff, 0xff };

		codec_start(c, CODEC_G726AAL2);
		T_EQ(8, codec_decode(c, data, 4, out, 8));
		T_EQ(first_sample(code), out[0]);
	}
	codec_free(c);
}

/* --- ADPCM -------------------------------------------------------------- */

/* Worked by hand from the step sizes 16, 34, 73: half a step is rounded up,
 * a quarter and an eighth are rounded down. */
static void adpcm_follows_its_codes_as_asterisk_does(void)
{
	struct adpcm a = { 0 };
	const uint8_t sevens[] = { 0x77 }, seven_two[] = { 0x72 };
	int16_t out[2];

	adpcm_decode(&a, sevens, out, 1);
	T_EQ((2 + 16 + 8 + 4) + (4 + 34 + 17 + 8), a.signal);
	T_EQ(16, a.step);
	T_EQ(16 * 30, out[0]);
	adpcm_decode(&a, seven_two, out, 1);
	/* 73/8 + 73 + 37 + 18; then 157/8 + 79. */
	T_EQ(93 + (9 + 73 + 37 + 18) + (19 + 79), a.signal);
	T_EQ(23, a.step);
}

static void adpcm_ends_agree_however_long_they_talk(void)
{
	struct adpcm enc = { 0 }, dec = { 0 };
	uint32_t seed = 3;

	for (uint32_t i = 0; i < 100000; i++) {
		int16_t in[2], out[2];
		uint8_t code;

		for (size_t k = 0; k < 2; k++) {
			seed = seed * 1664525 + 1013904223;
			in[k] = (int16_t)(seed >> 16);
		}
		adpcm_encode(&enc, in, &code, 1);
		adpcm_decode(&dec, &code, out, 1);
		T_EQ(enc.signal, dec.signal);
		T_TRUE(dec.signal >= -2047 && dec.signal <= 2047);
		T_TRUE(dec.step >= 0 && dec.step <= 48);
	}
}

/* The integration has no leak: without the high-pass the offset would stay. */
static void adpcm_recovers_from_a_lost_frame(void)
{
	struct codec *enc = codec_new(), *dec = codec_new();
	double sum = 0, power = 0;

	make_speech();
	codec_start(enc, CODEC_ADPCM);
	codec_start(dec, CODEC_ADPCM);
	for (size_t i = 0; i < FRAMES; i++) {
		uint8_t frame[80];

		(void)codec_encode(enc, speech + i * N, frame, sizeof(frame));
		if (i % 25 != 5)
			(void)codec_decode(dec, frame, sizeof(frame),
					   heard + i * N, N);
	}
	for (size_t i = (size_t)(FRAMES - 15) * N; i < SAMPLES; i++) {
		sum += heard[i];
		power += (double)heard[i] * heard[i];
	}
	sum /= 15.0 * N;
	power /= 15.0 * N;
	printf("# offset %.1f of %.1f\n", sum, sqrt(power));
	T_TRUE(fabs(sum) < 0.02 * sqrt(power));
	codec_free(enc);
	codec_free(dec);
}

int main(void)
{
	T_RUN(every_codec_gives_speech_back_as_well_as_it_can);
	T_RUN(frames_have_the_published_sizes);
	T_RUN(too_little_room_writes_nothing);
	T_RUN(any_length_of_garbage_is_decoded_or_refused);
	T_RUN(after_a_start_a_codec_is_as_new);
	T_RUN(frames_of_odd_lengths_are_the_same_stream);
	T_RUN(linear_is_big_endian);
	T_RUN(gsm_is_bit_for_bit_what_another_implementation_says);
	T_RUN(what_lacks_the_mark_of_gsm_leaves_the_state_alone);
	T_RUN(g726_has_the_first_code_in_the_most_significant_bits);
	T_RUN(adpcm_follows_its_codes_as_asterisk_does);
	T_RUN(adpcm_ends_agree_however_long_they_talk);
	T_RUN(adpcm_recovers_from_a_lost_frame);
	return T_DONE();
}
