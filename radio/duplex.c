/* SPDX-License-Identifier: MIT */

#include "radio/duplex.h"

static bool is_half(enum duplex_mode mode)
{
	return mode == DUPLEX_HALF_SILENT || mode == DUPLEX_HALF;
}

static bool repeats(enum duplex_mode mode, bool patch)
{
	return mode == DUPLEX_FULL || (mode == DUPLEX_FULL_NO_PATCH && !patch);
}

struct duplex_out duplex_decide(enum duplex_mode mode,
				const struct duplex_in *in)
{
	struct duplex_out out = { 0 };

	if ((unsigned)mode > DUPLEX_MODE_MAX)
		return out;
	if (is_half(mode) && in->received) {
		out.hold_off = true;
		return out;
	}
	out.network = in->network;
	out.telemetry = in->telemetry && mode != DUPLEX_HALF_SILENT;
	out.repeat = in->heard && repeats(mode, in->patch);
	out.demand = out.network || out.telemetry ||
		     (in->heard && !is_half(mode) && mode != DUPLEX_APART);
	return out;
}

bool duplex_has_tail(enum duplex_mode mode)
{
	return (unsigned)mode <= DUPLEX_MODE_MAX && mode != DUPLEX_HALF_SILENT;
}

bool duplex_from_number(unsigned number, enum duplex_mode *out)
{
	if (number > DUPLEX_NUMBER_MAX)
		return false;
	*out = (enum duplex_mode)number;
	return true;
}
