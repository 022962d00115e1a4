/* SPDX-License-Identifier: MIT */

#include "radio/cm108.h"

#include <errno.h>
#include <string.h>

#define CMEDIA 0x0d8cU
#define ALL_BITS 0xffffU

/* --- devices ------------------------------------------------------------ */

#define KEYS                                                              \
	((uint8_t)CM108_VOLUME_UP | CM108_VOLUME_DOWN | CM108_MUTE_PLAY | \
	 CM108_MUTE_RECORD)

/* Only what is known of a model is in its row.  A product that is not a chip
 * is known by its chip: URI and RA interfaces are of the CM119 family, SHARI
 * and AllScan are CM108B. */
static const struct cm108_model models[] = {
	{ .name = "CM119",
	  .vendor = CMEDIA,
	  .product = 0x0008,
	  .product_mask = ALL_BITS,
	  .gpio = 0xff,
	  .buttons = KEYS },
	{ .name = "CM108",
	  .vendor = CMEDIA,
	  .product = 0x000c,
	  .product_mask = 0xfffc,
	  .gpio = 0x0f,
	  .buttons = KEYS },
	/* Pins of the chip choose the number: whichever it is, it has these. */
	{ .name = "CM108 or CM119",
	  .vendor = CMEDIA,
	  .product = 0x0008,
	  .product_mask = 0xfffc,
	  .gpio = 0x0f,
	  .buttons = KEYS },
	{ .name = "CM108B",
	  .vendor = CMEDIA,
	  .product = 0x0012,
	  .product_mask = ALL_BITS,
	  .gpio = 0x0d,
	  .buttons = KEYS },
	{ .name = "CM119B",
	  .vendor = CMEDIA,
	  .product = 0x0013,
	  .product_mask = ALL_BITS,
	  .gpio = 0xff,
	  .buttons = KEYS },
	{ .name = "CM108AH",
	  .vendor = CMEDIA,
	  .product = 0x0139,
	  .product_mask = ALL_BITS,
	  .gpio = 0x0d,
	  .buttons = KEYS | CM108_HOOK },
	/* Also a chip without any pins: it cannot be told apart. */
	{ .name = "CM108AH",
	  .vendor = CMEDIA,
	  .product = 0x013c,
	  .product_mask = ALL_BITS,
	  .gpio = 0x0d,
	  .buttons = KEYS | CM108_HOOK },
	{ .name = "CM119A",
	  .vendor = CMEDIA,
	  .product = 0x013a,
	  .product_mask = ALL_BITS,
	  .gpio = 0xff,
	  .buttons = KEYS },
	{ .name = "N1KDO/NHRC",
	  .vendor = CMEDIA,
	  .product = 0x6a00,
	  .product_mask = 0xff00,
	  .gpio = CM108_GPIO(3),
	  .buttons = CM108_VOLUME_UP | CM108_VOLUME_DOWN },
	{ .name = "AIOC",
	  .vendor = 0x1209,
	  .product = 0x7388,
	  .product_mask = ALL_BITS,
	  .gpio = CM108_GPIO(3),
	  .buttons = CM108_VOLUME_DOWN,
	  .mono_out = true },
	{ .name = "SSS1621",
	  .vendor = 0x0c76,
	  .product = 0x1605,
	  .product_mask = ALL_BITS,
	  .gpio = 0x03 },
	{ .name = "SSS1623",
	  .vendor = 0x0c76,
	  .product = 0x1607,
	  .product_mask = ALL_BITS,
	  .gpio = 0x03 },
	{ .name = "SSS1623",
	  .vendor = 0x0c76,
	  .product = 0x160b,
	  .product_mask = ALL_BITS,
	  .gpio = 0x03 },
};

const struct cm108_model *cm108_model(uint16_t vendor, uint16_t product)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		const struct cm108_model *m = &models[i];

		if (m->vendor == vendor &&
		    (product & m->product_mask) == m->product)
			return m;
	}
	return NULL;
}

/* --- reports ------------------------------------------------------------ */

/*
 * An input report is buttons, levels, and two octets for the EEPROM; an output
 * report is the mode (0: pins), levels, directions, and one for the EEPROM.
 */
int cm108_input_decode(const uint8_t *report, size_t len,
		       struct cm108_input *out)
{
	*out = (struct cm108_input){ 0 };
	if (len != CM108_REPORT_LEN)
		return -EINVAL;
	out->buttons = report[0] & CM108_BUTTONS;
	out->gpio = report[1];
	return 0;
}

void cm108_output_encode(const struct cm108_output *out,
			 uint8_t report[CM108_REPORT_LEN])
{
	report[0] = 0;
	report[1] = out->level;
	report[2] = out->direction;
	report[3] = 0;
}

void cm108_hidraw_encode(const struct cm108_output *out,
			 uint8_t report[CM108_HIDRAW_LEN])
{
	report[0] = 0;
	cm108_output_encode(out, report + 1);
}

/* --- wiring ------------------------------------------------------------- */

static const struct cm108_map maps[CM108_MAPS] = {
	{ .name = "fob",
	  .number = 0,
	  .ptt = CM108_GPIO(3),
	  .direction = CM108_GPIO(3) | CM108_GPIO(4),
	  .spare = 0xfb,
	  .cos.button = CM108_VOLUME_DOWN,
	  .ctcss.button = CM108_VOLUME_UP },
	{ .name = "dingotel",
	  .number = 1,
	  .ptt = CM108_GPIO(4),
	  .direction = CM108_GPIO(4),
	  .spare = CM108_GPIO(1),
	  .cos.gpio = CM108_GPIO(3),
	  .ctcss.gpio = CM108_GPIO(2) },
	{ .name = "n1kdo",
	  .number = 2,
	  .ptt = CM108_GPIO(3),
	  .direction = CM108_GPIO(3),
	  .spare = 0,
	  .cos.button = CM108_VOLUME_DOWN,
	  .ctcss.button = CM108_VOLUME_UP },
	{ .name = "custom",
	  .number = 3,
	  .ptt = CM108_GPIO(3),
	  .direction = CM108_GPIO(3) | CM108_GPIO(4),
	  .spare = CM108_GPIO(1),
	  .cos.button = CM108_VOLUME_DOWN,
	  .ctcss.gpio = CM108_GPIO(2) },
};

const struct cm108_map *cm108_map(unsigned i)
{
	return i < CM108_MAPS ? &maps[i] : NULL;
}

const struct cm108_map *cm108_map_by_name(const char *name)
{
	for (size_t i = 0; i < CM108_MAPS; i++) {
		const char number[2] = { (char)('0' + maps[i].number), '\0' };

		if (strcmp(name, maps[i].name) == 0 ||
		    strcmp(name, number) == 0)
			return &maps[i];
	}
	return NULL;
}

bool cm108_has_line(const struct cm108_model *model,
		    const struct cm108_line *line)
{
	return (model->buttons & line->button) != 0 ||
	       (model->gpio & line->gpio) != 0;
}

bool cm108_fits(const struct cm108_model *model, const struct cm108_map *map)
{
	return (model->gpio & map->ptt) != 0 &&
	       cm108_has_line(model, &map->cos);
}

bool cm108_sense_by_name(const char *name, enum cm108_sense *out)
{
	static const char *const words[] = {
		[CM108_NO] = "no",
		[CM108_BIT_CLEAR] = "usb",
		[CM108_BIT_SET] = "usbinvert",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(name, words[i]) == 0) {
			*out = (enum cm108_sense)i;
			return true;
		}
	}
	return false;
}

bool cm108_active(const struct cm108_line *line, enum cm108_sense sense,
		  const struct cm108_input *in)
{
	const bool set = (in->buttons & line->button) != 0 ||
			 (in->gpio & line->gpio) != 0;

	if (sense == CM108_NO || (line->button | line->gpio) == 0)
		return false;
	return set == (sense == CM108_BIT_SET);
}

struct cm108_output cm108_ptt(const struct cm108_map *map, bool keyed,
			      bool inverted, const struct cm108_output *others)
{
	struct cm108_output out = { 0 };

	if (others) {
		out.direction = others->direction & map->spare;
		out.level = others->level & out.direction;
	}
	out.direction |= map->direction;
	if (keyed != inverted)
		out.level |= map->ptt;
	return out;
}
