/* SPDX-License-Identifier: MIT */

#include "radio/cm108_eeprom.h"

#include <assert.h>
#include <string.h>

#define MAGIC 34329U
#define EEPROM_MODE 0x80U
#define COMMAND_READ 0x80U
#define COMMAND_WRITE 0xc0U

enum { AT_MAGIC, AT_RX, AT_TX_A, AT_TX_B, AT_CHECKSUM = 12 };

static uint16_t sum(const uint16_t *words, size_t n)
{
	uint32_t all = 0xffff;

	for (size_t i = 0; i < n; i++)
		all += words[i];
	return (uint16_t)all;
}

static bool is_sound(const uint16_t words[CM108_EEPROM_WORDS])
{
	return words[AT_MAGIC] == MAGIC && sum(words, CM108_EEPROM_WORDS) == 0;
}

bool cm108_eeprom_decode(const uint16_t words[CM108_EEPROM_WORDS],
			 struct cm108_levels *out)
{
	const struct cm108_levels l = { .rx = words[AT_RX],
					.tx_a = words[AT_TX_A],
					.tx_b = words[AT_TX_B] };

	if (!is_sound(words) || l.rx > CM108_EEPROM_LEVEL_MAX ||
	    l.tx_a > CM108_EEPROM_LEVEL_MAX || l.tx_b > CM108_EEPROM_LEVEL_MAX)
		return false;
	*out = l;
	return true;
}

void cm108_eeprom_encode(const struct cm108_levels *levels,
			 uint16_t words[CM108_EEPROM_WORDS])
{
	if (!is_sound(words))
		memset(words, 0, CM108_EEPROM_WORDS * sizeof(words[0]));
	words[AT_MAGIC] = MAGIC;
	words[AT_RX] = levels->rx;
	words[AT_TX_A] = levels->tx_a;
	words[AT_TX_B] = levels->tx_b;
	words[AT_CHECKSUM] = (uint16_t)(0U - sum(words, AT_CHECKSUM));
}

static void report_of(unsigned at, unsigned command, uint16_t word,
		      uint8_t report[CM108_REPORT_LEN])
{
	assert(at < CM108_EEPROM_WORDS);
	report[0] = EEPROM_MODE;
	report[1] = (uint8_t)word;
	report[2] = (uint8_t)(word >> 8);
	report[3] = (uint8_t)(command | (CM108_EEPROM_FIRST + at));
}

void cm108_eeprom_ask(unsigned at, uint8_t report[CM108_REPORT_LEN])
{
	report_of(at, COMMAND_READ, 0, report);
}

void cm108_eeprom_write(unsigned at, uint16_t word,
			uint8_t report[CM108_REPORT_LEN])
{
	report_of(at, COMMAND_WRITE, word, report);
}

uint16_t cm108_eeprom_answer(const uint8_t report[CM108_REPORT_LEN])
{
	return (uint16_t)(report[1] | report[2] << 8);
}
