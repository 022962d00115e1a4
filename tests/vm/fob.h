/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VM_FOB_H
#define TESTS_VM_FOB_H

/*
 * What a C-Media CM108 answers on its control endpoint: descriptors, mixer
 * controls (USB Audio Class 1.0), HID reports, EEPROM.  Four interfaces: audio
 * control, playback (stereo, endpoint 1), capture (mono, endpoint 2), HID
 * (endpoint 7).  Nothing here sends or waits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOB_REPORT_LEN 4U
#define FOB_EEPROM_WORDS 64U
#define FOB_CONTROLS 8U
#define FOB_INTERFACES 4U

enum fob_interface { FOB_CONTROL, FOB_PLAYBACK, FOB_CAPTURE, FOB_HID };

/* A feature unit's control; volumes in 1/256 dB. */
struct fob_mixer {
	uint8_t unit;
	uint8_t selector; /* 1 mute, 2 volume, 7 automatic gain */
	uint8_t channel;
	int16_t value, min, max, step;
};

struct fob {
	uint16_t vendor, product;
	const char *name;   /* product string */
	const char *serial; /* NULL: none, as most have */
	unsigned ptt_gpio;  /* 1..8: which pin is the transmitter's key */
	uint8_t alt[FOB_INTERFACES];
	uint8_t configuration;
	uint32_t rate[2]; /* Hz, of playback and capture */
	uint8_t selector; /* of the capture source */
	struct fob_mixer mixer[FOB_CONTROLS];
	uint8_t out[FOB_REPORT_LEN]; /* the last output report */
	uint8_t in[FOB_REPORT_LEN];  /* buttons and pins */
	uint16_t eeprom[FOB_EEPROM_WORDS];
	bool eeprom_mode;
	uint8_t eeprom_at;
	unsigned stalls; /* SET_REPORTs to be refused yet */
	unsigned reports_set;
	/* Told of each thing that happens, in one line. */
	void (*event)(void *ctx, const char *line);
	void *ctx;
};

/* @f's strings, PTT pin and event are set before; the rest becomes that of a
 * device which was just plugged in.  The EEPROM stays as it is. */
void fob_power_on(struct fob *f);
/* A request on endpoint 0.  @data has @len octets sent, or room for what is
 * asked for (1024 at least).  Octets answered; negative errno: a stall. */
int fob_request(struct fob *f, const uint8_t setup[8], uint8_t *data,
		size_t len);
bool fob_ptt(const struct fob *f);
/* What the microphone's volume and mute make of an amplitude. */
double fob_mic_gain(const struct fob *f);

#endif
