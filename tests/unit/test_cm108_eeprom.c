/* SPDX-License-Identifier: MIT */

/* The block of levels in a fob's EEPROM, and the visit that reads or writes it,
 * against a simulated one. */

#include "radio/cm108_eeprom.h"

#include <errno.h>
#include <string.h>

#include "radio/fob_eeprom.h"
#include "tests/t.h"

#define N CM108_EEPROM_WORDS
#define MS 1000U
#define SUM_AT 12

/* As app_rpt's programs leave it: levels 500, 600 and 700, receive voice gain
 * 1.0, the rest 0; the checksum by hand. */
static const uint16_t known[N] = { 34329, 500, 600, 700, 0, 0x3f80, 0,
				   0,     0,   0,   0,   0, 0x3360 };

static const struct cm108_levels levels = { 321, 0, 999 };

static void a_block_of_another_program_is_read(void)
{
	struct cm108_levels l = { 0 };

	T_TRUE(cm108_eeprom_decode(known, &l));
	T_EQ(500, l.rx);
	T_EQ(600, l.tx_a);
	T_EQ(700, l.tx_b);
}

static void any_word_that_changed_spoils_it(void)
{
	for (unsigned i = 0; i < N; i++) {
		struct cm108_levels l = { 7, 7, 7 };
		uint16_t words[N];

		memcpy(words, known, sizeof(words));
		words[i] ^= 0x10;
		T_TRUE(!cm108_eeprom_decode(words, &l));
		T_EQ(7, l.rx);
	}
}

/* What a maker left: all ones, all zeroes. */
static void nothing_is_found_where_nothing_is(void)
{
	struct cm108_levels l;
	uint16_t words[N];

	memset(words, 0xff, sizeof(words));
	T_TRUE(!cm108_eeprom_decode(words, &l));
	memset(words, 0, sizeof(words));
	T_TRUE(!cm108_eeprom_decode(words, &l));
}

static void a_level_out_of_range_is_refused(void)
{
	struct cm108_levels l;

	for (unsigned at = 1; at <= 3; at++) {
		uint16_t words[N];

		memcpy(words, known, sizeof(words));
		words[SUM_AT] = (uint16_t)(words[SUM_AT] + words[at] - 1000);
		words[at] = 1000;
		T_TRUE(!cm108_eeprom_decode(words, &l));
	}
}

static void what_others_keep_there_stays(void)
{
	struct cm108_levels l;
	uint16_t words[N];

	memcpy(words, known, sizeof(words));
	words[9] += 77;
	words[SUM_AT] -= 77;
	cm108_eeprom_encode(&levels, words);
	T_TRUE(cm108_eeprom_decode(words, &l));
	T_EQ(321, l.rx);
	T_EQ(0, l.tx_a);
	T_EQ(999, l.tx_b);
	T_EQ(0x3f80, words[5]);
	T_EQ(77, words[9]);
	memset(words, 0xff, sizeof(words));
	cm108_eeprom_encode(&levels, words);
	T_TRUE(cm108_eeprom_decode(words, &l));
	T_EQ(0, words[5]);
	T_EQ(0, words[11]);
}

static void the_makers_words_cannot_be_named(void)
{
	static const uint8_t ask[4] = { 0x80, 0, 0, 0x80 | 51 };
	static const uint8_t write[4] = { 0x80, 0x34, 0x12, 0xc0 | 63 };
	static const uint8_t answer[4] = { 0x80, 0x34, 0x12, 63 };
	uint8_t report[4];

	cm108_eeprom_ask(0, report);
	T_EQ(0, memcmp(ask, report, 4));
	cm108_eeprom_write(12, 0x1234, report);
	T_EQ(0, memcmp(write, report, 4));
	T_EQ(0x1234, cm108_eeprom_answer(answer));
}

/* --- visits ------------------------------------------------------------- */

struct scene {
	struct fob_eeprom e;
	uint16_t memory[64];
	uint8_t sent[4]; /* the last report */
	uint64_t now;
	unsigned reads, writes;
	unsigned failing;  /* transfers to fail yet */
	unsigned rotten;   /* a word that takes nothing; 0: none */
	unsigned pause_at; /* pause before so many transfers; 0: never */
};

static struct scene new_scene(void)
{
	struct scene s = { .now = 1000 * MS };

	for (unsigned i = 0; i < 64; i++)
		s.memory[i] = (uint16_t)(0x100 + i);
	memcpy(s.memory + 51, known, sizeof(known));
	return s;
}

static bool fails(struct scene *s)
{
	if (s->failing == 0)
		return false;
	s->failing--;
	return true;
}

static void take(struct scene *s, const uint8_t report[4])
{
	const unsigned at = report[3] & 0x3f;

	T_EQ(0x80, report[0]);
	memcpy(s->sent, report, 4);
	if ((report[3] & 0xc0) != 0xc0)
		return;
	s->writes++;
	if (at != s->rotten)
		s->memory[at] = (uint16_t)(report[1] | report[2] << 8);
}

static void answer(struct scene *s)
{
	const unsigned at = s->sent[3] & 0x3f;
	const uint8_t report[4] = { 0x80, (uint8_t)s->memory[at],
				    (uint8_t)(s->memory[at] >> 8),
				    (uint8_t)at };

	/* An answer without its question is whatever the pins are. */
	T_TRUE((s->sent[3] & 0xc0) == 0x80);
	s->reads++;
	fob_eeprom_answered(&s->e, fails(s) ? NULL : report, s->now);
}

/* Until it is done: its result. */
static int run(struct scene *s, struct cm108_levels *out)
{
	unsigned transfers = 0;
	int err = 1;

	while (!fob_eeprom_result(&s->e, &err, out)) {
		uint8_t report[4];

		T_TRUE(s->now < 100000 * MS);
		s->now = s->e.due > s->now ? s->e.due : s->now;
		if (s->pause_at > 0 && ++transfers % s->pause_at == 0) {
			memset(s->sent, 0, sizeof(s->sent));
			fob_eeprom_pause(&s->e);
		}
		switch (fob_eeprom_next(&s->e, s->now, report)) {
		case FOB_EEPROM_SEND:
			s->now += MS;
			if (fails(s)) {
				fob_eeprom_sent(&s->e, false, s->now);
				break;
			}
			take(s, report);
			fob_eeprom_sent(&s->e, true, s->now);
			break;
		case FOB_EEPROM_ASK:
			s->now += MS;
			answer(s);
			break;
		case FOB_EEPROM_NOTHING:
			break;
		}
	}
	return err;
}

static void a_visit_reads_the_block(void)
{
	struct scene s = new_scene();
	struct cm108_levels l;

	T_TRUE(fob_eeprom_begin(&s.e, NULL, s.now));
	T_TRUE(!fob_eeprom_begin(&s.e, NULL, s.now));
	T_EQ(0, run(&s, &l));
	T_EQ(500, l.rx);
	T_EQ(700, l.tx_b);
	T_EQ(N, s.reads);
	T_EQ(0, s.writes);
	T_TRUE(!fob_eeprom_active(&s.e));
	s.memory[51] = 0xffff;
	T_TRUE(fob_eeprom_begin(&s.e, NULL, s.now));
	T_EQ((uint64_t)-ENODATA, (uint64_t)run(&s, &l));
}

static void a_visit_writes_what_differs_and_nothing_else(void)
{
	struct scene s = new_scene(), before = s;
	struct cm108_levels l;

	T_TRUE(fob_eeprom_begin(&s.e, &levels, s.now));
	T_EQ(0, run(&s, &l));
	T_EQ(4, s.writes); /* three levels and the sum */
	T_EQ(2 * N, s.reads);
	T_EQ(0, memcmp(before.memory, s.memory, 51 * sizeof(s.memory[0])));
	T_TRUE(cm108_eeprom_decode(s.memory + 51, &l));
	T_EQ(321, l.rx);
	T_EQ(0x3f80, s.memory[56]);
	/* Again: there is nothing to write. */
	T_TRUE(fob_eeprom_begin(&s.e, &levels, s.now));
	T_EQ(0, run(&s, &l));
	T_EQ(4, s.writes);
}

static void an_interrupted_visit_goes_on(void)
{
	for (unsigned n = 3; n < 9; n++) {
		struct scene s = new_scene();
		struct cm108_levels l;

		s.pause_at = n;
		T_TRUE(fob_eeprom_begin(&s.e, &levels, s.now));
		T_EQ(0, run(&s, &l));
		T_TRUE(cm108_eeprom_decode(s.memory + 51, &l));
		T_EQ(321, l.rx);
	}
}

static void transfers_that_fail_are_made_again(void)
{
	struct scene s = new_scene();
	struct cm108_levels l;

	s.failing = FOB_EEPROM_TRIES - 1;
	T_TRUE(fob_eeprom_begin(&s.e, &levels, s.now));
	T_EQ(0, run(&s, &l));
	s.failing = FOB_EEPROM_TRIES;
	T_TRUE(fob_eeprom_begin(&s.e, NULL, s.now));
	T_EQ((uint64_t)-EIO, (uint64_t)run(&s, &l));
	T_EQ(0, s.failing);
	T_TRUE(fob_eeprom_begin(&s.e, NULL, s.now));
	T_EQ(0, run(&s, &l));
	T_EQ(321, l.rx);
}

static void a_memory_that_takes_nothing_is_told(void)
{
	struct scene s = new_scene();
	struct cm108_levels l;

	s.rotten = 52;
	T_TRUE(fob_eeprom_begin(&s.e, &levels, s.now));
	T_EQ((uint64_t)-EIO, (uint64_t)run(&s, &l));
}

static void a_fob_that_goes_ends_the_visit(void)
{
	struct scene s = new_scene();
	struct cm108_levels l;
	uint8_t report[4];
	int err;

	fob_eeprom_lost(&s.e);
	T_TRUE(!fob_eeprom_result(&s.e, &err, &l));
	T_TRUE(fob_eeprom_begin(&s.e, NULL, s.now));
	T_EQ(FOB_EEPROM_SEND, fob_eeprom_next(&s.e, s.now, report));
	T_EQ(FOB_EEPROM_NOTHING, fob_eeprom_next(&s.e, s.now, report));
	fob_eeprom_lost(&s.e);
	T_TRUE(fob_eeprom_result(&s.e, &err, &l));
	T_EQ((uint64_t)-ENODEV, (uint64_t)err);
	T_TRUE(!fob_eeprom_result(&s.e, &err, &l));
}

int main(void)
{
	T_RUN(a_block_of_another_program_is_read);
	T_RUN(any_word_that_changed_spoils_it);
	T_RUN(nothing_is_found_where_nothing_is);
	T_RUN(a_level_out_of_range_is_refused);
	T_RUN(what_others_keep_there_stays);
	T_RUN(the_makers_words_cannot_be_named);
	T_RUN(a_visit_reads_the_block);
	T_RUN(a_visit_writes_what_differs_and_nothing_else);
	T_RUN(an_interrupted_visit_goes_on);
	T_RUN(transfers_that_fail_are_made_again);
	T_RUN(a_memory_that_takes_nothing_is_told);
	T_RUN(a_fob_that_goes_ends_the_visit);
	return T_DONE();
}
