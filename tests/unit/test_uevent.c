/* SPDX-License-Identifier: MIT */

/* Which of the kernel's and udev's messages are a reason to look for a fob. */

#include "daemon/io/uevent.h"

#include <string.h>

#include "tests/t.h"

#define MATTERS(text) uevent_matters((const uint8_t *)(text), sizeof(text) - 1)

static void usb_and_sound_matter(void)
{
	T_TRUE(MATTERS("add@/devices/x/1-1\0ACTION=add\0SUBSYSTEM=usb\0"
		       "DEVTYPE=usb_device\0SEQNUM=7\0"));
	T_TRUE(MATTERS("bind@/x\0ACTION=bind\0SUBSYSTEM=usb"));
	T_TRUE(MATTERS("add@/x\0SUBSYSTEM=sound\0"));
	T_TRUE(MATTERS("libudev\0\xfe\xed\xca\xfe\0\0\0\x28"
		       "ACTION=add\0SUBSYSTEM=usb\0"));
}

static void others_do_not(void)
{
	T_TRUE(!MATTERS("change@/x\0SUBSYSTEM=power_supply\0"));
	T_TRUE(!MATTERS("add@/x\0SUBSYSTEM=usb_power_delivery\0"));
	T_TRUE(!MATTERS("add@/x\0NOT=SUBSYSTEM=usb\0"));
	T_TRUE(!MATTERS("SUBSYSTEM=us"));
	T_TRUE(!MATTERS(""));
	T_TRUE(!MATTERS("\0\0\0"));
}

/* The text may be cut off anywhere. */
static void any_length_is_safe(void)
{
	static const char text[] = "add@/x\0ACTION=add\0SUBSYSTEM=usb\0A=1";

	const size_t whole = sizeof(text) - sizeof("\0A=1");

	for (size_t n = 0; n < sizeof(text); n++) {
		uint8_t *copy = malloc(n + 1);

		T_TRUE(copy != NULL);
		memcpy(copy, text, n);
		T_EQ(n >= whole, uevent_matters(copy, n));
		free(copy);
	}
}

static void on_news(void *ctx)
{
	(*(int *)ctx)++;
}

static void it_opens_and_closes(void)
{
	struct event_base *base = event_base_new();
	struct uevent *u = NULL;
	int news = 0;

	T_TRUE(base != NULL);
	if (uevent_open(&u, base, on_news, &news) == 0)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	T_TRUE(uevent_close(u) == NULL);
	T_TRUE(uevent_close(NULL) == NULL);
	event_base_free(base);
}

int main(void)
{
	T_RUN(usb_and_sound_matter);
	T_RUN(others_do_not);
	T_RUN(any_length_is_safe);
	T_RUN(it_opens_and_closes);
	return T_DONE();
}
