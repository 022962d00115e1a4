/* SPDX-License-Identifier: MIT */

/* What a USB device may claim to be and say: its ids and strings, its input
 * reports, and its answers to what keys it. */

#include <stdlib.h>
#include <string.h>

#include "radio/cm108.h"
#include "radio/fob_find.h"
#include "radio/fob_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *at;
	size_t left;
};

static uint8_t take(struct bytes *b)
{
	if (b->left == 0)
		return 0;
	b->left--;
	return *b->at++;
}

/* --- reports ------------------------------------------------------------ */

static void reports(struct bytes *b)
{
	const struct cm108_line line = { .button = take(b), .gpio = take(b) };
	const enum cm108_sense sense = take(b) % 3;
	struct cm108_input in;
	const int err = cm108_input_decode(b->at, b->left, &in);

	if ((err == 0) != (b->left == CM108_REPORT_LEN))
		abort();
	if (err != 0 && (in.buttons | in.gpio) != 0)
		abort();
	if (cm108_active(&line, sense, &in) &&
	    (sense == CM108_NO || (line.button | line.gpio) == 0))
		abort();
}

/* --- devices ------------------------------------------------------------ */

static void text(struct bytes *b, char *out, size_t room)
{
	size_t n = take(b) % room, i = 0;

	while (i < n)
		out[i++] = (char)take(b);
	out[i] = '\0';
}

static void device(struct bytes *b, struct fob_seen *s)
{
	static const uint16_t vendors[] = { 0x0d8c, 0x1209, 0x0c76, 0x1234 };
	static const uint16_t products[] = { 0x000c, 0x0012, 0x013c,
					     0x7388, 0x1607, 0x0777 };
	const uint8_t flags = take(b);

	*s = (struct fob_seen){ .vendor = vendors[take(b) % 4],
				.product = products[take(b) % 6],
				.bus = take(b),
				.address = take(b),
				.sound = flags & 1,
				.hid = flags & 2 };
	if (flags & 4)
		s->product = (uint16_t)(take(b) << 8 | take(b));
	text(b, s->port, sizeof(s->port));
	text(b, s->serial, sizeof(s->serial));
}

static void ended(const char *s, size_t room)
{
	if (!memchr(s, 0, room))
		abort();
}

static void devices(struct bytes *b)
{
	struct fob_seen seen[FOB_SEEN_MAX];
	struct fob_binding binding = { 0 };
	struct fob_found found = { 0 };
	char why[FOB_WHY_MAX] = "", name[FOB_NAME_MAX + 1];
	const size_t n = take(b) % (FOB_SEEN_MAX + 1);
	int err;

	if (take(b) & 1)
		text(b, binding.serial, sizeof(binding.serial));
	if (take(b) & 1)
		text(b, binding.port, sizeof(binding.port));
	for (size_t i = 0; i < n; i++)
		device(b, &seen[i]);
	err = fob_find(&binding, seen, n, &found, why);
	ended(why, sizeof(why));
	if (err != 0 && !why[0])
		abort();
	if (err != 0)
		return;
	if (found.seen < seen || found.seen >= seen + n || !found.model ||
	    !found.seen->hid)
		abort();
	fob_describe(&found, name);
	ended(name, sizeof(name));
	if (!fob_can(&found, cm108_map(take(b) % CM108_MAPS), why) && !why[0])
		abort();
	ended(why, sizeof(why));
}

/* --- keying ------------------------------------------------------------- */

/* Whatever it answers: no write keys unless it is wanted, and until it was
 * read to be unkeyed, or cannot be, it counts as keyed. */
static void keying(struct bytes *b)
{
	struct fob_machine m;
	enum fob_do doing = FOB_DO_NOTHING;
	uint64_t now = 1000000;

	fob_machine_init(&m, now);
	while (b->left > 0) {
		const uint8_t op = take(b);

		now += (uint64_t)(op >> 4) * 1000U;
		if ((op & 3) == 1)
			fob_machine_key(&m, op & 4, now);
		if ((op & 3) == 2)
			fob_machine_hint(&m, now);
		if (doing == FOB_DO_NOTHING)
			doing = fob_machine_next(&m, now);
		if (doing == FOB_DO_WRITE && m.sent &&
		    (!m.hot || m.stage != FOB_STAGE_READY))
			abort();
		if (doing != FOB_DO_NOTHING &&
		    fob_machine_next(&m, now) != FOB_DO_NOTHING)
			abort(); /* one thing at a time */
		if ((op & 3) == 3)
			continue; /* it takes longer */
		switch (doing) {
		case FOB_DO_NOTHING:
			break;
		case FOB_DO_LOOK:
			fob_machine_looked(&m,
					   take(b) % 4 == 2 ? FOB_STAGE_ABSENT
							    : FOB_STAGE_OPENING,
					   now);
			break;
		case FOB_DO_WRITE:
			fob_machine_wrote(&m, op & 8, now);
			break;
		case FOB_DO_READ:
			fob_machine_read(&m, op & 8, take(b) & 1, true, now);
			break;
		case FOB_DO_CLOSE:
			fob_machine_lost(&m, now);
			break;
		}
		doing = FOB_DO_NOTHING;
		(void)fob_machine_warning(&m);
		if (fob_machine_output(&m) && !m.hot)
			abort();
		if (m.due > now + 5000000U)
			abort(); /* it is looked at again soon */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };

	switch (take(&b) % 3) {
	case 0:
		reports(&b);
		break;
	case 1:
		devices(&b);
		break;
	default:
		keying(&b);
		break;
	}
	return 0;
}
