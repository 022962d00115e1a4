/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "daemon/node/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct command *k)
{
	if (k->verb >= COMMAND_VERBS || strlen(k->who) > COMMAND_NUMBER_MAX ||
	    strlen(k->number) > COMMAND_NUMBER_MAX ||
	    strspn(k->number, "0123456789") != strlen(k->number) ||
	    (k->number[0] && !command_takes_node(k->verb) &&
	     k->verb != COMMAND_DIGIT))
		abort();
}

/* Pairs: who dials and how long after the one before, and what. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct command_function macro[] = {
		{ .code = "5", .verb = COMMAND_MACRO, .digits = "*32000*5" },
		{ .code = "D", .verb = COMMAND_MACRO, .digits = "*42001" },
	};
	static struct commands c;
	const struct command_cfg cfg = { .usual = true,
					 .functions = macro,
					 .n = 2,
					 .radio = true,
					 .links = true,
					 .number_min = 4,
					 .number_max = 6 };
	struct command out;
	mono_us now = MONO_S;

	memset(&c, 0, sizeof(c));
	command_configure(&c, &cfg);
	for (size_t i = 0; i + 1 < size; i += 2) {
		const char who[] = { (char)('0' + data[i] % 12), '\0' };

		now += (mono_us)(data[i] >> 4) * 300 * MONO_MS;
		command_digit(&c, data[i] % 2 ? COMMAND_LINK : COMMAND_RADIO,
			      who, (char)data[i + 1], now);
		if (command_deadline(&c) <= now)
			abort();
		while (data[i] % 4 == 0 && command_next(&c, &out))
			check(&out);
	}
	now += COMMAND_PAUSE_US + COMMAND_REMOTE_US;
	command_tick(&c, now);
	command_tick(&c, now + COMMAND_REMOTE_US);
	if (command_deadline(&c) != MONO_NEVER)
		abort();
	return 0;
}
