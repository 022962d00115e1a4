/* SPDX-License-Identifier: MIT */

#include "tests/vm/fob.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/vm/fob_desc.h"

/* bmRequestType and bRequest, as the table of requests names them. */
#define REQUEST(type, request) ((type) << 8 | (request))

#define CAPTURE_EP 0x82U
#define SELECTOR_UNIT 8U
#define CS_VOLUME 2U

enum { SET_CUR = 0x01, GET_CUR = 0x81, GET_MIN, GET_MAX, GET_RES };

/* Mutes, then volumes in 1/256 dB. */
static const struct fob_mixer mixer_new[FOB_CONTROLS] = {
	{ 9, 1, 0, 0, 0, 1, 1 },
	{ 9, 2, 1, -0x0700, -0x1c60, -0x0010, 0x30 },
	{ 9, 2, 2, -0x0700, -0x1c60, -0x0010, 0x30 },
	{ 10, 1, 0, 0, 0, 1, 1 },
	{ 10, 2, 0, 0, -0x0c00, 0x1700, 0x100 },
	{ 10, 7, 0, 1, 0, 1, 1 },
	{ 13, 1, 0, 1, 0, 1, 1 },
	{ 13, 2, 0, 0, -0x1700, 0x0800, 0x100 },
};

__attribute__((format(printf, 2, 3))) static void say(const struct fob *f,
						      const char *format, ...)
{
	char line[128];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	f->event(f->ctx, line);
}

void fob_power_on(struct fob *f)
{
	memset(f->alt, 0, sizeof(f->alt));
	memset(f->out, 0, sizeof(f->out));
	memcpy(f->mixer, mixer_new, sizeof(f->mixer));
	f->configuration = 0;
	f->rate[0] = 48000;
	f->rate[1] = 48000;
	f->selector = 1;
	f->eeprom_mode = false;
}

/* --- HID ---------------------------------------------------------------- */

bool fob_ptt(const struct fob *f)
{
	const unsigned bit = 1U << (f->ptt_gpio - 1);

	/* A pin that is an input floats. */
	return (f->out[2] & bit) && (f->out[1] & bit);
}

static int set_report(struct fob *f, const uint8_t *data, size_t len)
{
	const bool was = fob_ptt(f);
	uint8_t o[FOB_REPORT_LEN] = { 0 };

	if (f->stalls > 0) {
		f->stalls--;
		say(f, "STALL SET_REPORT");
		return -EPIPE;
	}
	memcpy(o, data, len < sizeof(o) ? len : sizeof(o));
	f->reports_set++;
	f->eeprom_mode = (o[0] & 0xc0) == 0x80;
	if (f->eeprom_mode) {
		f->eeprom_at = o[3] & 0x3f;
		if (o[3] & 0x40)
			f->eeprom[f->eeprom_at] = (uint16_t)(o[1] | o[2] << 8);
		say(f, "EEPROM %s %02x = %04x", o[3] & 0x40 ? "write" : "read",
		    f->eeprom_at, f->eeprom[f->eeprom_at]);
		return 0;
	}
	memcpy(f->out, o, sizeof(f->out));
	say(f, "OUT %02x %02x %02x %02x", o[0], o[1], o[2], o[3]);
	if (fob_ptt(f) != was)
		say(f, "PTT %d", fob_ptt(f));
	return 0;
}

static int get_report(const struct fob *f, uint8_t *data)
{
	const uint16_t word = f->eeprom[f->eeprom_at];

	memcpy(data, f->in, FOB_REPORT_LEN);
	/* A pin that is an output reads as it is driven. */
	data[1] = (uint8_t)((f->in[1] & ~f->out[2]) | (f->out[1] & f->out[2]));
	if (f->eeprom_mode) {
		data[0] = (uint8_t)(0x80 | (f->in[0] & 0x1f));
		data[1] = (uint8_t)word;
		data[2] = (uint8_t)(word >> 8);
		data[3] = f->eeprom_at;
	}
	return FOB_REPORT_LEN;
}

/* --- mixer -------------------------------------------------------------- */

double fob_mic_gain(const struct fob *f)
{
	return f->mixer[3].value ? 0.0
				 : pow(10.0, f->mixer[4].value / 256.0 / 20.0);
}

static void mixer_set(struct fob *f, struct fob_mixer *m, int value)
{
	if (value < m->min)
		value = m->min;
	if (value > m->max)
		value = m->max;
	if (value != m->value)
		say(f, "CTL unit=%u cs=%u cn=%u value=%d", m->unit, m->selector,
		    m->channel, value);
	m->value = (int16_t)value;
}

static int mixer_request(struct fob *f, struct fob_mixer *m, unsigned request,
			 uint8_t *data, size_t len)
{
	const size_t width = m->selector == CS_VOLUME ? 2 : 1;
	int value;

	switch (request) {
	case SET_CUR:
		if (len < width)
			return -EPIPE;
		mixer_set(f, m,
			  width == 2 ? (int16_t)(data[0] | data[1] << 8)
				     : data[0]);
		return 0;
	case GET_CUR:
		value = m->value;
		break;
	case GET_MIN:
		value = m->min;
		break;
	case GET_MAX:
		value = m->max;
		break;
	case GET_RES:
		value = m->step;
		break;
	default:
		return -EPIPE;
	}
	data[0] = (uint8_t)value;
	data[1] = (uint8_t)(value >> 8);
	return (int)width;
}

static int audio_request(struct fob *f, const uint8_t setup[8], uint8_t *data,
			 size_t len)
{
	const unsigned request = setup[1];
	const unsigned unit = setup[5];

	if (setup[4] != FOB_CONTROL)
		return -EPIPE;
	if (unit == SELECTOR_UNIT && request == SET_CUR && len >= 1) {
		f->selector = data[0];
		return 0;
	}
	if (unit == SELECTOR_UNIT) {
		data[0] = request == GET_CUR ? f->selector : 1;
		return 1;
	}
	for (size_t i = 0; i < FOB_CONTROLS; i++) {
		struct fob_mixer *m = &f->mixer[i];

		if (m->unit == unit && m->selector == setup[3] &&
		    m->channel == setup[2])
			return mixer_request(f, m, request, data, len);
	}
	return -EPIPE;
}

static int rate_request(struct fob *f, const uint8_t setup[8], uint8_t *data,
			size_t len)
{
	uint32_t *rate = &f->rate[setup[4] == CAPTURE_EP];
	uint32_t hz;

	if (setup[1] == GET_CUR) {
		for (unsigned i = 0; i < 3; i++)
			data[i] = (uint8_t)(*rate >> 8 * i);
		return 3;
	}
	if (len < 3)
		return -EPIPE;
	hz = data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16;
	if (hz != 48000 && hz != 44100)
		return -EPIPE;
	*rate = hz;
	return 0;
}

/* --- standard requests -------------------------------------------------- */

static int get_descriptor(const struct fob *f, const uint8_t setup[8],
			  uint8_t *data)
{
	const int string = fob_desc_string(f, setup[2], data);

	switch (setup[3]) {
	case 1:
		return (int)fob_desc_device(f, data);
	case 2:
		return (int)fob_desc_configuration(data);
	case 3:
		return string < 0 ? -EPIPE : string;
	default:
		return -EPIPE;
	}
}

static int get_hid_descriptor(const uint8_t setup[8], uint8_t *data)
{
	if (setup[4] != FOB_HID)
		return -EPIPE;
	if (setup[3] == 0x22)
		return (int)fob_desc_report(data);
	return setup[3] == 0x21 ? (int)fob_desc_hid(data) : -EPIPE;
}

static int set_interface(struct fob *f, const uint8_t setup[8])
{
	const unsigned which = setup[4], alt = setup[2];
	const bool streams = which == FOB_PLAYBACK || which == FOB_CAPTURE;

	if (which >= FOB_INTERFACES || alt > (streams ? 1U : 0U))
		return -EPIPE;
	f->alt[which] = (uint8_t)alt;
	if (streams)
		say(f, "%s %s", which == FOB_PLAYBACK ? "PLAYBACK" : "CAPTURE",
		    alt ? "start" : "stop");
	return 0;
}

static int answer_octets(uint8_t *data, uint8_t value, int n)
{
	data[0] = value;
	data[1] = 0;
	return n;
}

int fob_request(struct fob *f, const uint8_t setup[8], uint8_t *data,
		size_t len)
{
	switch (REQUEST(setup[0], setup[1])) {
	case REQUEST(0x80, 0x06):
		return get_descriptor(f, setup, data);
	case REQUEST(0x81, 0x06):
		return get_hid_descriptor(setup, data);
	case REQUEST(0x80, 0x00): /* GET_STATUS, of anything */
	case REQUEST(0x81, 0x00):
	case REQUEST(0x82, 0x00):
		return answer_octets(data, 0, 2);
	case REQUEST(0x80, 0x08):
		return answer_octets(data, f->configuration, 1);
	case REQUEST(0x00, 0x09):
		f->configuration = setup[2];
		memset(f->alt, 0, sizeof(f->alt));
		say(f, "CONFIG %u", f->configuration);
		return 0;
	case REQUEST(0x81, 0x0a):
		return answer_octets(data, f->alt[setup[4] % FOB_INTERFACES],
				     1);
	case REQUEST(0x01, 0x0b):
		return set_interface(f, setup);
	case REQUEST(0x00, 0x01): /* CLEAR_FEATURE and SET_FEATURE */
	case REQUEST(0x01, 0x01):
	case REQUEST(0x02, 0x01):
	case REQUEST(0x00, 0x03):
	case REQUEST(0x01, 0x03):
	case REQUEST(0x02, 0x03):
	case REQUEST(0x21, 0x0a): /* HID SET_IDLE and SET_PROTOCOL */
	case REQUEST(0x21, 0x0b):
		return 0;
	case REQUEST(0xa1, 0x02):
	case REQUEST(0xa1, 0x03):
		return answer_octets(data, 0, 1);
	case REQUEST(0xa1, 0x01):
		return setup[4] == FOB_HID ? get_report(f, data) : -EPIPE;
	case REQUEST(0x21, 0x09):
		return setup[4] == FOB_HID ? set_report(f, data, len) : -EPIPE;
	case REQUEST(0x22, SET_CUR):
	case REQUEST(0xa2, GET_CUR):
		return rate_request(f, setup, data, len);
	case REQUEST(0x21, SET_CUR):
	case REQUEST(0xa1, GET_CUR):
	case REQUEST(0xa1, GET_MIN):
	case REQUEST(0xa1, GET_MAX):
	case REQUEST(0xa1, GET_RES):
		return audio_request(f, setup, data, len);
	default:
		return -EPIPE;
	}
}
