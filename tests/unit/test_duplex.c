/* SPDX-License-Identifier: MIT */

/* The duplex modes: every mode with everything that can be at once. */

#include "radio/duplex.h"
#include "tests/t.h"

static struct duplex_in in_of(unsigned bits)
{
	return (struct duplex_in){ .received = bits & 1,
				   .heard = bits & 2,
				   .network = bits & 4,
				   .telemetry = bits & 8,
				   .patch = bits & 16 };
}

#define ALL_INPUTS 32U

static void half_duplex_never_sends_while_it_receives(void)
{
	for (unsigned bits = 0; bits < ALL_INPUTS; bits++) {
		const struct duplex_in in = in_of(bits);

		for (unsigned mode = 0; mode <= 1; mode++) {
			const struct duplex_out out =
				duplex_decide((enum duplex_mode)mode, &in);

			T_EQ(in.received, out.hold_off);
			T_TRUE(!out.repeat);
			T_EQ(in.network && !in.received, out.network);
			T_EQ(mode == 1 && in.telemetry && !in.received,
			     out.telemetry);
			T_EQ(out.network || out.telemetry, out.demand);
		}
	}
}

static void full_duplex_sends_whatever_there_is(void)
{
	for (unsigned bits = 0; bits < ALL_INPUTS; bits++) {
		const struct duplex_in in = in_of(bits);

		for (unsigned mode = 2; mode <= 4; mode++) {
			const struct duplex_out out =
				duplex_decide((enum duplex_mode)mode, &in);

			T_TRUE(!out.hold_off);
			T_EQ(in.network, out.network);
			T_EQ(in.telemetry, out.telemetry);
			T_EQ(in.heard || in.network || in.telemetry,
			     out.demand);
		}
	}
}

static void apart_only_links_key_and_the_receiver_changes_nothing(void)
{
	for (unsigned bits = 0; bits < ALL_INPUTS; bits++) {
		const struct duplex_in in = in_of(bits);
		const struct duplex_out out = duplex_decide(DUPLEX_APART, &in);

		T_TRUE(!out.hold_off && !out.repeat);
		T_EQ(in.network, out.network);
		T_EQ(in.telemetry, out.telemetry);
		T_EQ(in.network || in.telemetry, out.demand);
	}
}

static void what_is_received_is_repeated_in_its_modes(void)
{
	static const struct {
		enum duplex_mode mode;
		bool patch, repeat;
	} rows[] = {
		{ DUPLEX_HALF_SILENT, false, false },
		{ DUPLEX_HALF, false, false },
		{ DUPLEX_FULL, false, true },
		{ DUPLEX_FULL, true, true },
		{ DUPLEX_FULL_NO_REPEAT, false, false },
		{ DUPLEX_FULL_NO_REPEAT, true, false },
		{ DUPLEX_FULL_NO_PATCH, false, true },
		{ DUPLEX_FULL_NO_PATCH, true, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct duplex_in in = { .received = true,
					.heard = true,
					.patch = rows[i].patch };

		T_EQ(rows[i].repeat, duplex_decide(rows[i].mode, &in).repeat);
		in.heard = false;
		T_TRUE(!duplex_decide(rows[i].mode, &in).repeat);
	}
}

static void the_silent_mode_has_no_tail(void)
{
	T_TRUE(!duplex_has_tail(DUPLEX_HALF_SILENT));
	for (unsigned mode = 1; mode <= DUPLEX_MODE_MAX; mode++)
		T_TRUE(duplex_has_tail((enum duplex_mode)mode));
	T_TRUE(!duplex_has_tail((enum duplex_mode)(DUPLEX_MODE_MAX + 1)));
}

static void numbers_beyond_the_modes_send_nothing(void)
{
	enum duplex_mode mode;

	for (unsigned number = 0; number <= DUPLEX_NUMBER_MAX; number++) {
		T_TRUE(duplex_from_number(number, &mode));
		T_EQ(number, mode);
	}
	T_TRUE(!duplex_from_number(DUPLEX_NUMBER_MAX + 1, &mode));
	T_EQ(DUPLEX_NUMBER_MAX, mode);
	mode = (enum duplex_mode)(DUPLEX_MODE_MAX + 1);
	for (unsigned bits = 0; bits < ALL_INPUTS; bits++) {
		const struct duplex_in in = in_of(bits);

		T_TRUE(!duplex_decide(mode, &in).demand);
		T_TRUE(!duplex_decide(mode, &in).repeat);
	}
}

int main(void)
{
	T_RUN(half_duplex_never_sends_while_it_receives);
	T_RUN(full_duplex_sends_whatever_there_is);
	T_RUN(apart_only_links_key_and_the_receiver_changes_nothing);
	T_RUN(what_is_received_is_repeated_in_its_modes);
	T_RUN(the_silent_mode_has_no_tail);
	T_RUN(numbers_beyond_the_modes_send_nothing);
	return T_DONE();
}
