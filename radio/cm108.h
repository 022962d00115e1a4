/* SPDX-License-Identifier: MIT */
#ifndef RADIO_CM108_H
#define RADIO_CM108_H

/*
 * USB sound chips with spare pins, as radio interfaces use them: which devices
 * they are, what their HID reports say, and what is wired to which pin.
 *
 * Pure functions over octets; nothing here opens a device.  Pins are bit
 * masks: bit n-1 is GPIO n.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- devices ------------------------------------------------------------ */

#define CM108_GPIO(n) ((uint8_t)(1U << ((n)-1)))

struct cm108_model {
	const char *name;
	uint16_t vendor;
	uint16_t product;      /* after masking */
	uint16_t product_mask; /* a family of products: bits that matter */
	uint8_t gpio;          /* pins it has */
	uint8_t buttons;       /* enum cm108_button: inputs it has */
	bool mono_out;         /* one channel to transmit, else two */
};

/* The model of a USB device, borrowed for ever; NULL: none that is known. */
const struct cm108_model *cm108_model(uint16_t vendor, uint16_t product);

/* --- reports ------------------------------------------------------------ */

#define CM108_REPORT_LEN 4U
/* hidraw wants the report's number, which is 0, before the report. */
#define CM108_HIDRAW_LEN 5U

/* Inputs meant for volume keys, as in the first octet of an input report; set
 * while the pin is pulled low. */
enum cm108_button {
	CM108_VOLUME_UP = 0x01,
	CM108_VOLUME_DOWN = 0x02,
	CM108_MUTE_PLAY = 0x04,
	CM108_MUTE_RECORD = 0x08,
	CM108_HOOK = 0x10,
};

#define CM108_BUTTONS 0x1fU

struct cm108_input {
	uint8_t buttons; /* enum cm108_button */
	uint8_t gpio;    /* levels of all pins */
};

/* Returns 0, or -EINVAL for another length; *@out is zeroed then.  The answer
 * to a question about the EEPROM looks the same: who asks must not decode it
 * as this. */
int cm108_input_decode(const uint8_t *report, size_t len,
		       struct cm108_input *out);

struct cm108_output {
	uint8_t level;     /* of the pins that are outputs */
	uint8_t direction; /* pins that are outputs */
};

void cm108_output_encode(const struct cm108_output *out,
			 uint8_t report[CM108_REPORT_LEN]);
void cm108_hidraw_encode(const struct cm108_output *out,
			 uint8_t report[CM108_HIDRAW_LEN]);

/* --- wiring ------------------------------------------------------------- */

/* An input line: a button or a pin; with neither there is none. */
struct cm108_line {
	uint8_t button; /* enum cm108_button, or 0 */
	uint8_t gpio;   /* or 0 */
};

/* What app_rpt calls hdwtype. */
struct cm108_map {
	const char *name;
	uint8_t number;    /* hdwtype */
	uint8_t ptt;       /* pin */
	uint8_t direction; /* pins that are outputs, PTT among them */
	uint8_t spare;     /* pins that may be used for something else */
	struct cm108_line cos;
	struct cm108_line ctcss;
};

#define CM108_MAPS 4U

/* Number @i of CM108_MAPS; NULL: none. */
const struct cm108_map *cm108_map(unsigned i);
/* By name or number as text; NULL: there is none. */
const struct cm108_map *cm108_map_by_name(const char *name);

/* Has @model this line? */
bool cm108_has_line(const struct cm108_model *model,
		    const struct cm108_line *line);
/* Has it all that @map needs for PTT and COS? */
bool cm108_fits(const struct cm108_model *model, const struct cm108_map *map);

/* What makes an input active, in the words of app_rpt.  A button's bit is set
 * while its pin is low: nearly always what a radio does. */
enum cm108_sense {
	CM108_NO,        /* never: "no" */
	CM108_BIT_CLEAR, /* "usb" */
	CM108_BIT_SET,   /* "usbinvert" */
};

bool cm108_sense_by_name(const char *name, enum cm108_sense *out);

/* A line that is not there is never active. */
bool cm108_active(const struct cm108_line *line, enum cm108_sense sense,
		  const struct cm108_input *in);

/*
 * The output that keys or unkeys.  @others (NULL: none) are further outputs, a
 * LED for one; only what the map has to spare is taken of them.  With
 * @inverted a low pin keys: an interface that loses its power or its direction
 * bits then may key by itself, which deserves a warning.
 */
struct cm108_output cm108_ptt(const struct cm108_map *map, bool keyed,
			      bool inverted, const struct cm108_output *others);

#endif
