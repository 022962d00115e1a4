/* SPDX-License-Identifier: MIT */

#include "tests/vm/fob_desc.h"

#include <string.h>

#define W(x) (x) & 0xff, (x) >> 8 & 0xff
#define HZ(x) (x) & 0xff, (x) >> 8 & 0xff, (x) >> 16 & 0xff

static const uint8_t report[] = {
	0x05, 0x0c, 0x09, 0x01, 0xa1, 0x01,             /* consumer control */
	0x15, 0x00, 0x25, 0x01, 0x75, 0x01,             /* single bits */
	0x95, 0x02, 0x09, 0xe9, 0x09, 0xea, 0x81, 0x02, /* volume up, down */
	0x95, 0x01, 0x09, 0xe2, 0x81, 0x06,             /* mute */
	0x95, 0x05, 0x09, 0x00, 0x81, 0x02,             /* record mute, .. */
	0x26, 0xff, 0x00, 0x75, 0x08,                   /* octets */
	0x95, 0x03, 0x09, 0x00, 0x81, 0x02,             /* pins, EEPROM */
	0x95, 0x04, 0x09, 0x00, 0x91, 0x02,             /* output */
	0xc0,
};

#define CONTROL_LEN (10 + 12 + 12 + 9 + 9 + 7 + 10 + 9 + 9 + 13)
#define STREAM_LEN (9 + 9 + 7 + 14 + 9 + 7)
#define HID_LEN (9 + 9 + 7)
#define TOTAL_LEN (9 + 9 + CONTROL_LEN + 2 * STREAM_LEN + HID_LEN)
#define HID_AT (TOTAL_LEN - 9 - 7)

/* clang-format off */
static const uint8_t configuration[] = {
	9, 2, W(TOTAL_LEN), 4, 1, 0, 0x80, 50,
	/* interface 0: audio control */
	9, 4, 0, 0, 0, 1, 1, 0, 0,
	10, 0x24, 1, W(0x0100), W(CONTROL_LEN), 2, 1, 2,
	12, 0x24, 2, 1, W(0x0101), 0, 2, W(3), 0, 0, /* in 1: USB, stereo */
	12, 0x24, 2, 2, W(0x0201), 0, 1, W(1), 0, 0, /* in 2: microphone */
	9, 0x24, 3, 6, W(0x0301), 0, 9, 0,           /* out 6: speaker */
	9, 0x24, 3, 7, W(0x0101), 0, 8, 0,           /* out 7: USB */
	7, 0x24, 5, 8, 1, 10, 0,                     /* selector 8 */
	10, 0x24, 6, 9, 15, 1, 0x01, 0x02, 0x02, 0,  /* unit 9: speaker */
	9, 0x24, 6, 10, 2, 1, 0x43, 0x00, 0,         /* unit 10: microphone */
	9, 0x24, 6, 13, 2, 1, 0x03, 0x00, 0,         /* unit 13: sidetone */
	13, 0x24, 4, 15, 2, 1, 13, 2, W(3), 0, 0x00, 0, /* mixer 15 */
	/* interface 1: playback */
	9, 4, 1, 0, 0, 1, 2, 0, 0,
	9, 4, 1, 1, 1, 1, 2, 0, 0,
	7, 0x24, 1, 1, 1, W(1),
	14, 0x24, 2, 1, 2, 2, 16, 2, HZ(48000), HZ(44100),
	9, 5, 0x01, 0x09, W(200), 1, 0, 0,
	7, 0x25, 1, 0x01, 1, W(1),
	/* interface 2: capture */
	9, 4, 2, 0, 0, 1, 2, 0, 0,
	9, 4, 2, 1, 1, 1, 2, 0, 0,
	7, 0x24, 1, 7, 1, W(1),
	14, 0x24, 2, 1, 1, 2, 16, 2, HZ(48000), HZ(44100),
	9, 5, 0x82, 0x0d, W(100), 1, 0, 0,
	7, 0x25, 1, 0x01, 0, W(0),
	/* interface 3: HID */
	9, 4, 3, 0, 1, 3, 0, 0, 0,
	9, 0x21, W(0x0100), 0, 1, 0x22, W(sizeof(report)),
	7, 5, 0x87, 3, W(4), 2,
};
/* clang-format on */
_Static_assert(sizeof(configuration) == TOTAL_LEN, "length of the whole");

size_t fob_desc_device(const struct fob *f, uint8_t *out)
{
	const uint8_t d[] = {
		18,
		1,
		W(0x0110),
		0,
		0,
		0,
		8,
		(uint8_t)f->vendor,
		(uint8_t)(f->vendor >> 8),
		(uint8_t)f->product,
		(uint8_t)(f->product >> 8),
		W(0x0100),
		1,
		2,
		f->serial ? 3 : 0,
		1,
	};

	memcpy(out, d, sizeof(d));
	return sizeof(d);
}

size_t fob_desc_configuration(uint8_t *out)
{
	memcpy(out, configuration, sizeof(configuration));
	return sizeof(configuration);
}

size_t fob_desc_hid(uint8_t *out)
{
	memcpy(out, configuration + HID_AT, 9);
	return 9;
}

size_t fob_desc_report(uint8_t *out)
{
	memcpy(out, report, sizeof(report));
	return sizeof(report);
}

int fob_desc_string(const struct fob *f, unsigned index, uint8_t *out)
{
	static const uint8_t languages[] = { 4, 3, W(0x0409) };
	const char *s = index == 1   ? "C-Media Electronics Inc."
			: index == 2 ? f->name
			: index == 3 ? f->serial
				     : NULL;
	int n = 2;

	if (index == 0) {
		memcpy(out, languages, sizeof(languages));
		return sizeof(languages);
	}
	if (!s)
		return -1;
	for (; *s && n < 250; s++) {
		out[n++] = (uint8_t)*s;
		out[n++] = 0;
	}
	out[0] = (uint8_t)n;
	out[1] = 3;
	return n;
}
