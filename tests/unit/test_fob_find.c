/* SPDX-License-Identifier: MIT */

/* Which of the USB devices is the radio's, and what it can. */

#include "radio/fob_find.h"

#include <errno.h>

#include "tests/t.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))
#define CHIP(v, p, where, number)                                            \
	{                                                                    \
		.vendor = (v), .product = (p), .bus = 1, .address = 5,       \
		.port = where, .serial = number, .sound = true, .hid = true, \
		.interface = 3, .endpoint = 0x87                             \
	}

static const struct fob_seen keyboard = {
	.vendor = 0x046d, .product = 0xc31c, .port = "1-9", .hid = true
};

static int find(const char *serial, const char *port,
		const struct fob_seen *seen, size_t n, struct fob_found *out,
		char why[FOB_WHY_MAX])
{
	struct fob_binding b = { 0 };

	(void)snprintf(b.serial, sizeof(b.serial), "%s", serial);
	(void)snprintf(b.port, sizeof(b.port), "%s", port);
	why[0] = '\0';
	return fob_find(&b, seen, n, out, why);
}

static void the_only_one_is_found_without_a_name(void)
{
	const struct fob_seen seen[] = { keyboard,
					 CHIP(0x0d8c, 0x0012, "1-1.2", "") };
	struct fob_found f;
	char why[FOB_WHY_MAX], name[FOB_NAME_MAX + 1];

	T_EQ(0, find("", "", seen, N(seen), &f, why));
	T_TRUE(f.seen == &seen[1] && f.known);
	fob_describe(&f, name);
	T_STR("CM108B at 1-1.2", name);
}

static void none_is_said_so(void)
{
	const struct fob_seen seen[] = { keyboard,
					 CHIP(0x0d8c, 0x0012, "1-1", "B2") };
	struct fob_found f;
	char why[FOB_WHY_MAX];

	T_EQ(-ENODEV, find("", "", seen, 1, &f, why));
	T_STR("no USB radio fob is plugged in", why);
	T_EQ(-ENODEV, find("", "", NULL, 0, &f, why));
	T_EQ(-ENODEV, find("A1", "", seen, 1, &f, why));
	T_STR("no USB radio fob with the serial number A1 is plugged in", why);
	T_EQ(-ENODEV, find("A1", "", seen, N(seen), &f, why));
	T_STR("no USB radio fob with the serial number A1 is plugged in; there "
	      "is: CM108B at 1-1, serial B2",
	      why);
	T_EQ(-ENODEV, find("B2", "1-2", seen, N(seen), &f, why));
	T_TRUE(strstr(why, "serial number B2 at port 1-2 is plugged in"));
}

static void two_are_told_apart_by_name_only(void)
{
	const struct fob_seen seen[] = { CHIP(0x0d8c, 0x0012, "1-1", "A1"),
					 CHIP(0x0d8c, 0x0012, "1-2", "A1"),
					 CHIP(0x0d8c, 0x0012, "1-3", "B2") };
	struct fob_found f;
	char why[FOB_WHY_MAX];

	T_EQ(-ENOTUNIQ, find("", "", seen, N(seen), &f, why));
	T_STR("several fobs are plugged in, set fob.serial or fob.port: CM108B "
	      "at 1-1, serial A1; CM108B at 1-2, serial A1; CM108B at 1-3, "
	      "serial B2",
	      why);
	T_EQ(-ENOTUNIQ, find("A1", "", seen, N(seen), &f, why));
	T_STR("several fobs have this serial number, set fob.port too: CM108B "
	      "at 1-1, serial A1; CM108B at 1-2, serial A1",
	      why);
	T_EQ(0, find("B2", "", seen, N(seen), &f, why));
	T_TRUE(f.seen == &seen[2]);
	T_EQ(0, find("", "1-2", seen, N(seen), &f, why));
	T_TRUE(f.seen == &seen[1]);
	T_EQ(0, find("A1", "1-1", seen, N(seen), &f, why));
	T_TRUE(f.seen == &seen[0]);
	/* As a whole, not as a beginning. */
	T_EQ(-ENODEV, find("A", "", seen, N(seen), &f, why));
}

static void an_unknown_chip_is_the_last_choice(void)
{
	const struct fob_seen seen[] = { CHIP(0x0d8c, 0x0777, "1-1", "U"),
					 CHIP(0x0d8c, 0x013a, "1-2", ""),
					 CHIP(0x1234, 0x0001, "1-3", "") };
	struct fob_found f;
	char why[FOB_WHY_MAX], name[FOB_NAME_MAX + 1];

	T_EQ(0, find("", "", seen, N(seen), &f, why));
	T_TRUE(f.seen == &seen[1] && f.known);
	T_EQ(0, find("", "", seen, 1, &f, why));
	T_TRUE(f.seen == &seen[0] && !f.known);
	fob_describe(&f, name);
	T_STR("unknown chip 0d8c:0777 at 1-1, serial U", name);
	/* A headset is nobody's transmitter, unless it is named. */
	T_EQ(-ENODEV, find("", "", &seen[2], 1, &f, why));
	T_EQ(0, find("", "1-3", seen, N(seen), &f, why));
	T_TRUE(f.seen == &seen[2] && !f.known);
	T_EQ(-ENODEV, find("", "1-9", &keyboard, 1, &f, why));
}

static void one_without_hid_is_no_fob(void)
{
	struct fob_seen seen = CHIP(0x0d8c, 0x000c, "1-1", "");
	struct fob_found f;
	char why[FOB_WHY_MAX];

	seen.hid = false;
	T_EQ(-ENOTSUP, find("", "", &seen, 1, &f, why));
	T_STR("it has no HID interface, by which a fob keys: CM108 at 1-1",
	      why);
}

static void many_names_stay_in_the_sentence(void)
{
	struct fob_seen seen[FOB_SEEN_MAX];
	struct fob_found f;
	char why[FOB_WHY_MAX];

	for (size_t i = 0; i < FOB_SEEN_MAX; i++) {
		seen[i] = (struct fob_seen)CHIP(0x0d8c, 0x0012, "", "");
		memset(seen[i].serial, 'S', FOB_SERIAL_MAX);
		memset(seen[i].port, '1', FOB_PORT_MAX);
	}
	T_EQ(-ENOTUNIQ, find("", "", seen, FOB_SEEN_MAX, &f, why));
	T_TRUE(strlen(why) < FOB_WHY_MAX);
	T_EQ(-ENODEV, find("X", "Y", seen, FOB_SEEN_MAX, &f, why));
	T_TRUE(strlen(why) < FOB_WHY_MAX);
}

static void what_the_wiring_asks_the_chip_must_have(void)
{
	const struct fob_seen seen[] = { CHIP(0x0d8c, 0x0012, "1-1", "") };
	const struct cm108_line gpio2 = { .gpio = CM108_GPIO(2) };
	const struct cm108_line hook = { .button = CM108_HOOK };
	struct cm108_map map = *cm108_map_by_name("fob");
	struct fob_found f;
	char why[FOB_WHY_MAX];

	T_EQ(0, find("", "", seen, 1, &f, why));
	T_TRUE(fob_can(&f, &map, why));
	map = fob_wiring(cm108_map_by_name("fob"), CM108_GPIO(2), NULL, NULL);
	T_TRUE(!fob_can(&f, &map, why));
	T_STR("CM108B at 1-1 has no GPIO2, which is to key: set fob.hwtype or "
	      "fob.ptt_pin",
	      why);
	map = fob_wiring(cm108_map_by_name("fob"), 0, &hook, NULL);
	T_TRUE(!fob_can(&f, &map, why));
	T_TRUE(strstr(why, "no such input as is to be COR"));
	map = fob_wiring(cm108_map_by_name("fob"), 0, NULL, &gpio2);
	T_TRUE(!fob_can(&f, &map, why));
	T_TRUE(strstr(why, "no such input as is to be CTCSS"));
}

static void wiring_drives_no_pin_that_is_read(void)
{
	const struct cm108_line gpio4 = { .gpio = CM108_GPIO(4) };
	const struct cm108_map *fob = cm108_map_by_name("fob");
	struct cm108_map map = fob_wiring(fob, 0, NULL, NULL);

	T_EQ(fob->ptt, map.ptt);
	T_EQ(fob->direction, map.direction);
	map = fob_wiring(fob, 0, &gpio4, NULL);
	T_EQ(CM108_GPIO(3), map.direction);
	T_EQ(0, map.spare & CM108_GPIO(4));
	T_EQ(CM108_GPIO(4), map.cos.gpio);
	map = fob_wiring(fob, CM108_GPIO(1), NULL, &gpio4);
	T_EQ(CM108_GPIO(1), map.ptt);
	T_EQ(CM108_GPIO(1), map.direction);
	T_EQ(0, map.spare & (CM108_GPIO(1) | CM108_GPIO(4)));
}

static void all_that_could_be_meant_are_listed(void)
{
	const struct fob_seen seen[] = { keyboard,
					 CHIP(0x0d8c, 0x0012, "1-1", "A1"),
					 CHIP(0x0d8c, 0x7777, "1-2", ""),
					 CHIP(0x0d8c, 0x013a, "1-3", "B2"),
					 CHIP(0x046d, 0x0a44, "1-4", "") };
	struct fob_found f[4];

	T_EQ(2, fob_list(seen, N(seen), f, N(f)));
	T_TRUE(f[0].seen == &seen[1] && f[1].seen == &seen[3]);
	T_EQ(1, fob_list(seen, N(seen), f, 1));
	/* What is only like one, where there is none that is known. */
	T_EQ(1, fob_list(seen + 2, 1, f, N(f)));
	T_TRUE(f[0].seen == &seen[2] && !f[0].known);
	T_EQ(0, fob_list(seen, 1, f, N(f)));
	T_EQ(0, fob_list(&seen[4], 1, f, N(f)));
	T_EQ(0, fob_list(NULL, 0, f, N(f)));
}

int main(void)
{
	T_RUN(the_only_one_is_found_without_a_name);
	T_RUN(none_is_said_so);
	T_RUN(two_are_told_apart_by_name_only);
	T_RUN(an_unknown_chip_is_the_last_choice);
	T_RUN(one_without_hid_is_no_fob);
	T_RUN(many_names_stay_in_the_sentence);
	T_RUN(what_the_wiring_asks_the_chip_must_have);
	T_RUN(wiring_drives_no_pin_that_is_read);
	T_RUN(all_that_could_be_meant_are_listed);
	return T_DONE();
}
