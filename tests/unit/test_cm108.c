/* SPDX-License-Identifier: MIT */

/* USB radio interfaces: the octets that are known of them. */

#include "radio/cm108.h"

#include <errno.h>

#include "tests/t.h"

#define CMEDIA 0x0d8cU

static void models_are_known_by_their_ids(void)
{
	static const struct {
		uint16_t vendor, product;
		const char *name; /* NULL: unknown */
		uint8_t gpio;
	} rows[] = {
		{ CMEDIA, 0x0008, "CM119", 0xff },
		{ CMEDIA, 0x0009, "CM108 or CM119", 0x0f },
		{ CMEDIA, 0x000b, "CM108 or CM119", 0x0f },
		{ CMEDIA, 0x000c, "CM108", 0x0f },
		{ CMEDIA, 0x000e, "CM108", 0x0f },
		{ CMEDIA, 0x000f, "CM108", 0x0f },
		{ CMEDIA, 0x0012, "CM108B", 0x0d },
		{ CMEDIA, 0x0013, "CM119B", 0xff },
		{ CMEDIA, 0x0139, "CM108AH", 0x0d },
		{ CMEDIA, 0x013a, "CM119A", 0xff },
		{ CMEDIA, 0x013c, "CM108AH", 0x0d },
		{ CMEDIA, 0x6a00, "N1KDO/NHRC", 0x04 },
		{ CMEDIA, 0x6aff, "N1KDO/NHRC", 0x04 },
		{ 0x1209, 0x7388, "AIOC", 0x04 },
		{ 0x0c76, 0x1605, "SSS1621", 0x03 },
		{ 0x0c76, 0x1607, "SSS1623", 0x03 },
		{ 0x0c76, 0x160b, "SSS1623", 0x03 },
		{ CMEDIA, 0x0007, NULL, 0 },
		{ CMEDIA, 0x0010, NULL, 0 },
		{ CMEDIA, 0x0011, NULL, 0 },
		{ CMEDIA, 0x013b, NULL, 0 },
		{ CMEDIA, 0x69ff, NULL, 0 },
		{ CMEDIA, 0x6b00, NULL, 0 },
		{ CMEDIA, 0x100c, NULL, 0 },
		{ 0x1209, 0x000c, NULL, 0 },
		{ CMEDIA, 0x7388, NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct cm108_model *m =
			cm108_model(rows[i].vendor, rows[i].product);

		T_EQ(rows[i].name != NULL, m != NULL);
		if (!m)
			continue;
		T_STR(rows[i].name, m->name);
		T_EQ(rows[i].gpio, m->gpio);
	}
	T_TRUE(cm108_model(0x1209, 0x7388)->mono_out);
	T_TRUE(!cm108_model(CMEDIA, 0x0012)->mono_out);
}

static void input_reports_have_buttons_and_levels(void)
{
	static const uint8_t volume_down[] = { 0x02, 0x00, 0x00, 0x00 };
	struct cm108_input in;

	T_EQ(0, cm108_input_decode(volume_down, 4, &in));
	T_EQ(CM108_VOLUME_DOWN, in.buttons);
	T_EQ(0, in.gpio);
	/* Every pair of octets; bits that have no meaning have none. */
	for (unsigned i = 0; i < 0x10000; i++) {
		const uint8_t report[] = { (uint8_t)i, (uint8_t)(i >> 8),
					   (uint8_t)(i * 7), (uint8_t)~i };

		T_EQ(0, cm108_input_decode(report, sizeof(report), &in));
		T_EQ(i & 0x1f, in.buttons);
		T_EQ(i >> 8, in.gpio);
	}
}

static void a_report_of_another_length_is_refused(void)
{
	static const uint8_t ones[8] = { 0xff, 0xff, 0xff, 0xff,
					 0xff, 0xff, 0xff, 0xff };

	for (size_t len = 0; len <= sizeof(ones); len++) {
		uint8_t *report = t_dup(ones, len);
		struct cm108_input in = { 1, 1 };

		T_EQ(len == 4 ? 0 : -EINVAL,
		     cm108_input_decode(report, len, &in));
		T_EQ(len == 4 ? 0x1f : 0, in.buttons);
		T_EQ(len == 4 ? 0xff : 0, in.gpio);
		free(report);
	}
}

/* Keyed and unkeyed, as the four kinds of wiring want them. */
static void ptt_reports_are_as_known(void)
{
	static const struct {
		const char *map;
		uint8_t off[4], on[4], inverted_off[4];
	} rows[] = {
		{ "0",
		  { 0, 0, 0x0c, 0 },
		  { 0, 4, 0x0c, 0 },
		  { 0, 4, 0x0c, 0 } },
		{ "1",
		  { 0, 0, 0x08, 0 },
		  { 0, 8, 0x08, 0 },
		  { 0, 8, 0x08, 0 } },
		{ "2",
		  { 0, 0, 0x04, 0 },
		  { 0, 4, 0x04, 0 },
		  { 0, 4, 0x04, 0 } },
		{ "3",
		  { 0, 0, 0x0c, 0 },
		  { 0, 4, 0x0c, 0 },
		  { 0, 4, 0x0c, 0 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct cm108_map *map = cm108_map_by_name(rows[i].map);
		struct cm108_output out;
		uint8_t got[CM108_HIDRAW_LEN];

		T_TRUE(map == cm108_map((unsigned)i));
		out = cm108_ptt(map, false, false, NULL);
		cm108_output_encode(&out, got);
		T_EQ(0, memcmp(rows[i].off, got, 4));
		out = cm108_ptt(map, false, true, NULL);
		cm108_output_encode(&out, got);
		T_EQ(0, memcmp(rows[i].inverted_off, got, 4));
		out = cm108_ptt(map, true, true, NULL);
		cm108_output_encode(&out, got);
		T_EQ(0, memcmp(rows[i].off, got, 4));
		out = cm108_ptt(map, true, false, NULL);
		memset(got, 0xee, sizeof(got));
		cm108_hidraw_encode(&out, got);
		T_EQ(0, got[0]);
		T_EQ(0, memcmp(rows[i].on, got + 1, 4));
	}
}

/* Whatever else is asked for, the pin of PTT does what PTT says. */
static void spare_pins_do_not_disturb_ptt(void)
{
	for (unsigned i = 0; i < CM108_MAPS; i++) {
		const struct cm108_map *map = cm108_map(i);

		T_EQ(0, map->spare & map->ptt);
		for (unsigned bits = 0; bits < 0x10000; bits++) {
			const struct cm108_output others = {
				.level = (uint8_t)bits,
				.direction = (uint8_t)(bits >> 8)
			};
			const struct cm108_output out = cm108_ptt(
				map, bits % 3 == 0, bits % 2, &others);

			T_EQ((bits % 3 == 0) != bits % 2,
			     (out.level & map->ptt) != 0);
			T_EQ(map->direction,
			     out.direction & (map->direction | ~map->spare));
			T_EQ(0, out.level & ~out.direction);
			T_EQ(others.level & others.direction & map->spare,
			     out.level & ~map->ptt);
		}
	}
}

static void a_clip_led_is_a_spare_pin(void)
{
	const struct cm108_output led = { CM108_GPIO(1), CM108_GPIO(1) };
	struct cm108_output out =
		cm108_ptt(cm108_map_by_name("fob"), true, false, &led);

	T_EQ(0x05, out.level);
	T_EQ(0x0d, out.direction);
	/* There is none here. */
	out = cm108_ptt(cm108_map_by_name("n1kdo"), true, false, &led);
	T_EQ(0x04, out.level);
	T_EQ(0x04, out.direction);
}

static void maps_have_names_and_numbers(void)
{
	static const char *const names[] = { "fob", "dingotel", "n1kdo",
					     "custom" };

	for (unsigned i = 0; i < CM108_MAPS; i++) {
		T_TRUE(cm108_map_by_name(names[i]) == cm108_map(i));
		T_EQ(i, cm108_map(i)->number);
	}
	T_TRUE(!cm108_map(CM108_MAPS));
	T_TRUE(!cm108_map_by_name("4"));
	T_TRUE(!cm108_map_by_name("00"));
	T_TRUE(!cm108_map_by_name(""));
	T_TRUE(!cm108_map_by_name("Fob"));
}

static bool active(const char *map, bool cos, enum cm108_sense sense,
		   unsigned octets)
{
	const uint8_t report[] = { (uint8_t)(octets >> 8), (uint8_t)octets, 0,
				   0 };
	const struct cm108_map *m = cm108_map_by_name(map);
	struct cm108_input in;

	T_EQ(0, cm108_input_decode(report, sizeof(report), &in));
	return cm108_active(cos ? &m->cos : &m->ctcss, sense, &in);
}

static void lines_are_where_the_wiring_has_them(void)
{
	static const struct {
		const char *map;
		unsigned cos, ctcss; /* the first two octets */
	} rows[] = {
		{ "0", 0x0200, 0x0100 },
		{ "1", 0x0004, 0x0002 },
		{ "2", 0x0200, 0x0100 },
		{ "3", 0x0200, 0x0002 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned bit = 1; bit < 0x10000; bit <<= 1) {
			const char *map = rows[i].map;

			T_EQ(bit == rows[i].cos,
			     active(map, true, CM108_BIT_SET, bit));
			T_EQ(bit != rows[i].cos,
			     active(map, true, CM108_BIT_CLEAR, bit));
			T_TRUE(!active(map, true, CM108_NO, bit));
			T_EQ(bit == rows[i].ctcss,
			     active(map, false, CM108_BIT_SET, bit));
		}
	}
}

static void a_line_that_is_not_there_is_never_active(void)
{
	static const struct cm108_line none;
	static const struct cm108_input all = { 0x1f, 0xff }, nothing;

	T_TRUE(!cm108_active(&none, CM108_BIT_SET, &all));
	T_TRUE(!cm108_active(&none, CM108_BIT_CLEAR, &all));
	T_TRUE(!cm108_active(&none, CM108_BIT_CLEAR, &nothing));
}

static void senses_are_the_words_of_app_rpt(void)
{
	enum cm108_sense s = CM108_BIT_SET;

	T_TRUE(cm108_sense_by_name("no", &s));
	T_EQ(CM108_NO, s);
	T_TRUE(cm108_sense_by_name("usb", &s));
	T_EQ(CM108_BIT_CLEAR, s);
	T_TRUE(cm108_sense_by_name("usbinvert", &s));
	T_EQ(CM108_BIT_SET, s);
	T_TRUE(!cm108_sense_by_name("dsp", &s));
	T_TRUE(!cm108_sense_by_name("", &s));
	T_EQ(CM108_BIT_SET, s);
}

/* Which of the four wirings each model can have. */
static void what_a_model_lacks_is_known(void)
{
	static const struct {
		uint16_t vendor, product;
		const char *fits;
		const char *ctcss;
	} rows[] = {
		{ CMEDIA, 0x000c, "1111", "1111" },
		{ CMEDIA, 0x0013, "1111", "1111" },
		/* No GPIO2. */
		{ CMEDIA, 0x0012, "1111", "1010" },
		{ CMEDIA, 0x6a01, "1011", "1010" },
		{ 0x1209, 0x7388, "1011", "0000" },
		{ 0x0c76, 0x1605, "0000", "0101" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct cm108_model *m =
			cm108_model(rows[i].vendor, rows[i].product);

		for (unsigned k = 0; k < CM108_MAPS; k++) {
			const struct cm108_map *map = cm108_map(k);

			T_EQ(rows[i].fits[k] == '1', cm108_fits(m, map));
			T_EQ(rows[i].ctcss[k] == '1',
			     cm108_has_line(m, &map->ctcss));
		}
	}
}

int main(void)
{
	T_RUN(models_are_known_by_their_ids);
	T_RUN(input_reports_have_buttons_and_levels);
	T_RUN(a_report_of_another_length_is_refused);
	T_RUN(ptt_reports_are_as_known);
	T_RUN(spare_pins_do_not_disturb_ptt);
	T_RUN(a_clip_led_is_a_spare_pin);
	T_RUN(maps_have_names_and_numbers);
	T_RUN(lines_are_where_the_wiring_has_them);
	T_RUN(a_line_that_is_not_there_is_never_active);
	T_RUN(senses_are_the_words_of_app_rpt);
	T_RUN(what_a_model_lacks_is_known);
	return T_DONE();
}
