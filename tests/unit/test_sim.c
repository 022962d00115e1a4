/* SPDX-License-Identifier: MIT */

#include "audio/sim.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "audio/meter.h"
#include "audio/mix.h"
#include "audio/wav_source.h"
#include "tests/t.h"

#define PI 3.14159265358979323846

static char dir[] = "/tmp/keyhole-sim-XXXXXX";
static char rx[64], tx[64];
static char why[WAV_WHY_MAX];

static int16_t tone(size_t i, unsigned rate_hz)
{
	return (int16_t)lrint(10000.0 *
			      sin(2.0 * PI * 1000.0 * (double)i / rate_hz));
}

/* @ms of a tone of 1000 Hz. */
static void make_rx(unsigned rate_hz, unsigned ms)
{
	struct wav_writer *w;

	T_EQ(0, wav_create(&w, rx, rate_hz));
	for (size_t i = 0; i < (size_t)rate_hz / 1000 * ms; i++) {
		const int16_t s = tone(i, rate_hz);

		T_EQ(0, wav_write(w, &s, 1));
	}
	T_EQ(0, wav_close(w));
}

static void a_file_of_each_rate_is_received_in_real_time_with_cor(void)
{
	static const unsigned rates[] = { 8000, 16000, 48000 };

	for (size_t r = 0; r < 3; r++) {
		const struct sim_config config = { .rx_wav = rx };
		int16_t got[AUDIO_BLOCK];
		struct audio_device d;
		struct sim *s;

		make_rx(rates[r], 210);
		T_EQ(0, sim_open(&s, &config, why));
		d = sim_device(s);
		T_EQ(AUDIO_DEVICE_RUNNING, audio_status(&d).state);
		T_TRUE(!sim_receiving(s));
		T_EQ(0, audio_capture(&d, got));
		T_EQ(0, got[1]);
		T_EQ(0, sim_play(s, NULL, why));
		for (size_t b = 0; b < 11; b++) {
			T_EQ(0, audio_capture(&d, got));
			T_TRUE(sim_receiving(s));
			for (size_t i = 0; i < AUDIO_BLOCK; i++) {
				const size_t at = b * AUDIO_BLOCK + i;

				if (at > 40 && at < 210 * 8 - 40)
					T_TRUE(abs(got[i] - tone(at, 8000)) <
					       60);
				if (at >= (size_t)210 * 8)
					T_EQ(0, got[i]);
			}
		}
		T_EQ(0, audio_capture(&d, got));
		T_TRUE(!sim_receiving(s));
		T_EQ(0, got[0]);
		audio_close(&d);
		audio_close(&d);
	}
}

static void autoplay_starts_at_once(void)
{
	const struct sim_config config = { .rx_wav = rx, .autoplay = true };
	struct audio_device d;
	struct sim *s;

	make_rx(8000, 100);
	T_EQ(0, sim_open(&s, &config, why));
	T_TRUE(sim_receiving(s));
	d = sim_device(s);
	audio_close(&d);
}

static void cor_can_be_forced_and_taken_down(void)
{
	const struct sim_config config = { .rx_wav = rx };
	int16_t got[AUDIO_BLOCK];
	struct audio_device d;
	struct sim *s;

	make_rx(8000, 1000);
	T_EQ(0, sim_open(&s, &config, why));
	d = sim_device(s);
	sim_cor(s, true);
	T_TRUE(sim_receiving(s));
	T_EQ(0, audio_capture(&d, got));
	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		T_EQ(0, got[i]);
	sim_cor(s, false);
	T_TRUE(!sim_receiving(s));
	T_EQ(0, sim_play(s, rx, why));
	T_TRUE(sim_receiving(s));
	sim_cor(s, false); /* ends the file, too */
	T_TRUE(!sim_receiving(s));
	T_EQ(0, audio_capture(&d, got));
	T_EQ(0, got[2]);
	audio_close(&d);
}

static void what_cannot_be_played_leaves_the_rest_alone(void)
{
	const struct sim_config none = { 0 };
	struct audio_device d;
	struct sim *s;

	make_rx(8000, 100);
	T_EQ(0, sim_open(&s, &none, why));
	T_EQ(-ENOENT, sim_play(s, NULL, why));
	T_STR("no file is configured", why);
	T_EQ(0, sim_play(s, rx, why));
	T_EQ(-ENOENT, sim_play(s, "/nonexistent.wav", why));
	T_TRUE(sim_receiving(s));
	d = sim_device(s);
	audio_close(&d);
}

static void a_configuration_that_cannot_work_is_refused(void)
{
	struct sim *s;

	T_EQ(-ENOENT,
	     sim_open(&s,
		      &(struct sim_config){ .rx_wav = "/nonexistent.wav",
					    .autoplay = true },
		      why));
	T_TRUE(!s);
	T_EQ(-ENOSPC,
	     sim_open(&s, &(struct sim_config){ .tx_wav = "/dev/full" }, why));
	T_STR("cannot be written: No space left on device", why);
}

static void only_what_is_played_while_keyed_is_recorded(void)
{
	const struct sim_config config = { .tx_wav = tx };
	int16_t block[AUDIO_BLOCK];
	struct wav_source *source;
	struct audio_device d;
	struct sim *s;

	T_EQ(0, sim_open(&s, &config, why));
	d = sim_device(s);
	for (int b = 0; b < 30; b++) {
		for (size_t i = 0; i < AUDIO_BLOCK; i++)
			block[i] = (int16_t)(b + 1);
		sim_ptt(s, b >= 10 && b < 20);
		T_EQ(0, audio_play(&d, block));
	}
	audio_close(&d);
	T_EQ(0, wav_source_open(&source, tx, why));
	T_EQ(10 * AUDIO_BLOCK, wav_source_total(source));
	for (int b = 10; b < 20; b++) {
		T_EQ(AUDIO_BLOCK, wav_source_read(source, block, AUDIO_BLOCK));
		T_EQ(b + 1, block[0]);
		T_EQ(b + 1, block[AUDIO_BLOCK - 1]);
	}
	(void)wav_source_free(source);
}

static bool near(double want, double got)
{
	return fabs(want - got) < 0.05;
}

static void the_meter_reads_what_is_there(void)
{
	int16_t block[AUDIO_BLOCK];
	struct meter_level level;
	struct meter m;

	meter_init(&m, 8000, 40);
	level = meter_read(&m);
	T_TRUE(near(METER_FLOOR_DBFS, level.peak_dbfs));
	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		block[i] = (int16_t)lrint(
			16384.0 * sin(2.0 * PI * ((double)i + 0.5) / 8.0));
	meter_add(&m, block, AUDIO_BLOCK);
	level = meter_read(&m); /* half a window is all there is */
	T_TRUE(near(-9.03, level.average_dbfs));
	T_TRUE(near(-6.02 + 20.0 * log10(cos(PI / 8.0)), level.peak_dbfs));
	T_EQ(0, level.clipped);
	meter_add(&m, block, AUDIO_BLOCK);
	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		block[i] = INT16_MIN;
	meter_add(&m, block, AUDIO_BLOCK);
	level = meter_read(&m); /* still the complete window */
	T_TRUE(near(-9.03, level.average_dbfs));
	T_EQ(AUDIO_BLOCK, level.clipped);
	meter_add(&m, block, AUDIO_BLOCK);
	level = meter_read(&m);
	T_TRUE(near(0.0, level.peak_dbfs));
	T_TRUE(near(0.0, level.average_dbfs));
	memset(block, 0, sizeof(block));
	for (int i = 0; i < 2; i++)
		meter_add(&m, block, AUDIO_BLOCK);
	level = meter_read(&m);
	T_TRUE(near(METER_FLOOR_DBFS, level.average_dbfs));
	T_EQ(2 * AUDIO_BLOCK, level.clipped);
}

static void a_mix_saturates_only_on_its_way_out(void)
{
	const int16_t a[3] = { 30000, -30000, 1 };
	const int16_t b[3] = { 30000, -30000, 2 };
	const int16_t c[3] = { -29000, 29000, 4 };
	int32_t sum[3] = { 0 };
	int16_t out[3];

	mix_add(sum, a, 3);
	mix_add(sum, b, 3);
	mix_all(sum, out, 3);
	T_EQ(INT16_MAX, out[0]);
	T_EQ(INT16_MIN, out[1]);
	T_EQ(3, out[2]);
	mix_add(sum, c, 3);
	mix_all(sum, out, 3);
	T_EQ(31000, out[0]);
	T_EQ(-31000, out[1]);
	T_EQ(7, out[2]);
	mix_minus(sum, a, out, 3);
	T_EQ(1000, out[0]);
	T_EQ(-1000, out[1]);
	T_EQ(6, out[2]);
	mix_minus(sum, c, out, 3);
	T_EQ(INT16_MAX, out[0]);
	T_EQ(INT16_MIN, out[1]);
	T_EQ(3, out[2]);
}

int main(void)
{
	T_TRUE(mkdtemp(dir));
	(void)snprintf(rx, sizeof(rx), "%s/rx.wav", dir);
	(void)snprintf(tx, sizeof(tx), "%s/tx.wav", dir);
	T_RUN(a_file_of_each_rate_is_received_in_real_time_with_cor);
	T_RUN(autoplay_starts_at_once);
	T_RUN(cor_can_be_forced_and_taken_down);
	T_RUN(what_cannot_be_played_leaves_the_rest_alone);
	T_RUN(a_configuration_that_cannot_work_is_refused);
	T_RUN(only_what_is_played_while_keyed_is_recorded);
	T_RUN(the_meter_reads_what_is_there);
	T_RUN(a_mix_saturates_only_on_its_way_out);
	(void)unlink(rx);
	(void)unlink(tx);
	(void)rmdir(dir);
	return T_DONE();
}
