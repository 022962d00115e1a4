/* SPDX-License-Identifier: MIT */

#include "radio/fob_sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_LEN 512U
#define TEXT_LEN 64U
#define AUDIO_CLASS 0x01UL
#define HID_CLASS 0x03UL

/* The file's first line; "" when there is none. */
static void read_text(const char *folder, const char *name, char out[TEXT_LEN])
{
	char path[PATH_LEN];
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, TEXT_LEN - 1);
		(void)close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/* ULONG_MAX, which no USB number is, when there is none. */
static unsigned long read_number(const char *folder, const char *name, int base)
{
	char text[TEXT_LEN];
	char *end;
	unsigned long n;

	read_text(folder, name, text);
	n = strtoul(text, &end, base);
	return end == text ? (unsigned long)-1 : n;
}

/* Call @fn with each entry of @folder that begins with @prefix, until it is
 * true; whether it was. */
static bool each(const char *folder, const char *prefix,
		 bool (*fn)(const char *path, const char *name, void *ctx),
		 void *ctx)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char path[PATH_LEN];
	bool done = false;

	if (!dir)
		return false;
	/* One thread reads this stream. */
	while (!done && (entry = readdir(dir))) { /* NOLINT(*-mt-unsafe) */
		const int n = snprintf(path, sizeof(path), "%s/%s", folder,
				       entry->d_name);

		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
		    n > 0 && (size_t)n < sizeof(path))
			done = fn(path, entry->d_name, ctx);
	}
	(void)closedir(dir);
	return done;
}

/* --- devices ------------------------------------------------------------ */

static bool on_endpoint(const char *path, const char *name, void *ctx)
{
	struct fob_seen *s = ctx;
	char type[TEXT_LEN], direction[TEXT_LEN];

	read_text(path, "type", type);
	read_text(path, "direction", direction);
	if (strcmp(type, "Interrupt") != 0 || strcmp(direction, "in") != 0)
		return false;
	s->endpoint = (uint8_t)strtoul(name + strlen("ep_"), NULL, 16);
	return true;
}

static bool on_interface(const char *path, const char *name, void *ctx)
{
	struct fob_seen *s = ctx;
	const unsigned long class = read_number(path, "bInterfaceClass", 16);

	(void)name;
	if (class == AUDIO_CLASS)
		s->sound = true;
	if (class == HID_CLASS && !s->hid &&
	    each(path, "ep_", on_endpoint, s)) {
		s->hid = true;
		s->interface =
			(uint8_t)read_number(path, "bInterfaceNumber", 16);
	}
	return false;
}

struct scan {
	struct fob_seen *out;
	size_t n, max;
};

static bool on_device(const char *path, const char *name, void *ctx)
{
	struct scan *scan = ctx;
	struct fob_seen *s = &scan->out[scan->n];
	char prefix[FOB_PORT_MAX + 2], serial[TEXT_LEN];
	unsigned long vendor, product, bus, address;

	/* Not root hubs ("usb1") nor interfaces ("1-1:1.0"). */
	if (name[0] < '0' || name[0] > '9' || strchr(name, ':') ||
	    strlen(name) > FOB_PORT_MAX)
		return false;
	vendor = read_number(path, "idVendor", 16);
	product = read_number(path, "idProduct", 16);
	bus = read_number(path, "busnum", 10);
	address = read_number(path, "devnum", 10);
	/* It may just be going. */
	if (vendor > UINT16_MAX || product > UINT16_MAX || bus > UINT16_MAX ||
	    address > UINT16_MAX)
		return false;
	*s = (struct fob_seen){ .vendor = (uint16_t)vendor,
				.product = (uint16_t)product,
				.bus = (uint16_t)bus,
				.address = (uint16_t)address };
	(void)snprintf(s->port, sizeof(s->port), "%s", name);
	read_text(path, "serial", serial);
	(void)snprintf(s->serial, sizeof(s->serial), "%s", serial);
	(void)snprintf(prefix, sizeof(prefix), "%s:", name);
	(void)each(path, prefix, on_interface, s);
	return ++scan->n == scan->max;
}

size_t fob_sysfs_scan(const char *sysfs, struct fob_seen *out, size_t max)
{
	struct scan scan = { out, 0, max };
	char folder[PATH_LEN];

	(void)snprintf(folder, sizeof(folder), "%s/bus/usb/devices", sysfs);
	if (max > 0)
		(void)each(folder, "", on_device, &scan);
	return scan.n;
}

/* --- its sound card ----------------------------------------------------- */

static bool on_card(const char *path, const char *name, void *ctx)
{
	char *out = ctx;
	char *end;
	const unsigned long n = strtoul(name + strlen("card"), &end, 10);

	(void)path;
	if (end == name + strlen("card") || *end != '\0')
		return false;
	(void)snprintf(out, FOB_CARD_MAX + 1, "hw:%lu", n);
	return true;
}

static bool on_sound(const char *path, const char *name, void *ctx)
{
	char folder[PATH_LEN + 8];

	(void)name;
	(void)snprintf(folder, sizeof(folder), "%s/sound", path);
	return each(folder, "card", on_card, ctx);
}

bool fob_sysfs_card(const char *sysfs, const char *port,
		    char out[FOB_CARD_MAX + 1])
{
	char folder[PATH_LEN], prefix[FOB_PORT_MAX + 2];

	(void)snprintf(folder, sizeof(folder), "%s/bus/usb/devices/%s", sysfs,
		       port);
	(void)snprintf(prefix, sizeof(prefix), "%s:", port);
	return each(folder, prefix, on_sound, out);
}
