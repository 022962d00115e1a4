/* SPDX-License-Identifier: MIT */

/* USB devices as sysfs shows them, in a folder that looks like it. */

#include "radio/fob_sysfs.h"

#include <unistd.h>

#include "tests/t.h"
#include "tests/unit/fake_sysfs.h"

static void nothing_is_there(void)
{
	struct fob_seen seen[4];

	T_EQ(0, fob_sysfs_scan(root, seen, 4));
	T_EQ(0, fob_sysfs_scan("/nonexistent", seen, 4));
	T_EQ(0, fob_sysfs_scan(root, seen, 0));
}

static const struct fob_seen *at(const struct fob_seen *seen, size_t n,
				 const char *port)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(seen[i].port, port) == 0)
			return &seen[i];
	return NULL;
}

static void devices_are_read_and_hubs_and_interfaces_are_not(void)
{
	struct fob_seen seen[8];
	const struct fob_seen *s;
	size_t n;

	put_device("usb3", "1d6b", "0002", "1");
	put_fob("3-1.2", "17");
	put("A1", AT "3-1.2/serial");
	put_interface("3-1.2:1.3", 0, "03"); /* links beside the devices */
	put_device("3-4", "046d", "c31c", "4");
	put_interface("3-4", 0, "03");
	put_endpoint("3-4", 0, "ep_02", "Interrupt", "out");
	n = fob_sysfs_scan(root, seen, 8);
	T_EQ(2, n);
	s = at(seen, n, "3-1.2");
	T_TRUE(s != NULL);
	T_EQ(0x0d8c, s->vendor);
	T_EQ(0x013c, s->product);
	T_EQ(3, s->bus);
	T_EQ(17, s->address);
	T_STR("A1", s->serial);
	T_TRUE(s->sound && s->hid);
	T_EQ(3, s->interface);
	T_EQ(0x87, s->endpoint);
	s = at(seen, n, "3-4");
	T_TRUE(s && !s->hid && !s->sound);
	T_STR("", s->serial);
	T_EQ(1, fob_sysfs_scan(root, seen, 1));
}

static void what_is_odd_is_left_out_or_cut(void)
{
	struct fob_seen seen[8];
	const struct fob_seen *s;
	char text[300];
	size_t n;

	put("0d8c", AT "3-7/idVendor"); /* it is just going */
	put_device("3-8", "zzzz", "0012", "8");
	put_device("3-9.1.2.3.4.5.6.7.8.9.10.11.12.13.14", "0d8c", "0012", "9");
	put_fob("3-6", "6");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put(text, AT "3-6/serial");
	n = fob_sysfs_scan(root, seen, 8);
	T_EQ(3, n);
	s = at(seen, n, "3-6");
	T_TRUE(s != NULL);
	T_EQ(FOB_SERIAL_MAX, strlen(s->serial));
	T_TRUE(!at(seen, n, "3-7") && !at(seen, n, "3-8"));
}

static void its_card_is_the_one_below_it(void)
{
	char card[FOB_CARD_MAX + 1] = "";

	T_TRUE(!fob_sysfs_card(root, "3-1.2", card));
	put("Device", AT "3-1.2/3-1.2:1.0/sound/card11/id");
	put("Other", AT "3-6/3-6:1.0/sound/card2/id");
	put("", AT "3-6/3-6:1.0/sound/cardless/x");
	T_TRUE(fob_sysfs_card(root, "3-1.2", card));
	T_STR("hw:11", card);
	T_TRUE(fob_sysfs_card(root, "3-6", card));
	T_STR("hw:2", card);
	T_TRUE(!fob_sysfs_card(root, "3-1", card));
}

int main(void)
{
	char command[64];

	T_TRUE(mkdtemp(root) != NULL);
	T_RUN(nothing_is_there);
	T_RUN(devices_are_read_and_hubs_and_interfaces_are_not);
	T_RUN(what_is_odd_is_left_out_or_cut);
	T_RUN(its_card_is_the_one_below_it);
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	T_EQ(0, system(command)); /* NOLINT(cert-env33-c): our own folder */
	return T_DONE();
}
