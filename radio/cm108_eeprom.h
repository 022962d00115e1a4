/* SPDX-License-Identifier: MIT */
#ifndef RADIO_CM108_EEPROM_H
#define RADIO_CM108_EEPROM_H

/*
 * The levels that a fob's own memory keeps: a 93C46 of 64 words of 16 bits, of
 * which the maker has words 0 to 50 and app_rpt's block has the last 13.
 *
 *	+0 magic   +1 receive   +2, +3 transmit, left and right
 *	+4 to +11  what other programs keep there: left as it is
 *	+12        checksum: 0xffff and all 13 words come to 0, modulo 65536
 *
 * Levels are thousandths of a mixer control's range, 0..999.  Pure functions
 * over words and reports.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radio/cm108.h"

#define CM108_EEPROM_FIRST 51U
#define CM108_EEPROM_WORDS 13U
#define CM108_EEPROM_LEVEL_MAX 999U

struct cm108_levels {
	uint16_t rx;   /* 0..CM108_EEPROM_LEVEL_MAX, as all of them */
	uint16_t tx_a; /* left */
	uint16_t tx_b; /* right */
};

/* False: there is no block, its checksum is wrong, or a level out of range;
 * *@out is left alone then. */
bool cm108_eeprom_decode(const uint16_t words[CM108_EEPROM_WORDS],
			 struct cm108_levels *out);

/* Put @levels into the block; what others keep in it stays if it was sound,
 * else it becomes zeroes. */
void cm108_eeprom_encode(const struct cm108_levels *levels,
			 uint16_t words[CM108_EEPROM_WORDS]);

/* The output reports that ask for word @at (0..CM108_EEPROM_WORDS - 1 of the
 * block), and that write it.  Nothing else can be addressed. */
void cm108_eeprom_ask(unsigned at, uint8_t report[CM108_REPORT_LEN]);
void cm108_eeprom_write(unsigned at, uint16_t word,
			uint8_t report[CM108_REPORT_LEN]);
/* The word in the input report that answers. */
uint16_t cm108_eeprom_answer(const uint8_t report[CM108_REPORT_LEN]);

#endif
