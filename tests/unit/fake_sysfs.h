/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_FAKE_SYSFS_H
#define TESTS_UNIT_FAKE_SYSFS_H

/* A folder that looks like sysfs with USB devices in it. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/t.h"

/* mkdtemp() it first. */
static char root[] = "/tmp/fake_sysfs_XXXXXX";

/* A file of the tree with its folders. */
__attribute__((format(printf, 2, 3))) static inline void
put(const char *text, const char *format, ...)
{
	char path[512];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s/", root);
	FILE *f;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(path + len, sizeof(path) - len, format, ap);
	va_end(ap);
	for (char *slash = path + len; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		T_TRUE(mkdir(path, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	f = fopen(path, "we");
	T_TRUE(f != NULL);
	(void)fprintf(f, "%s\n", text);
	T_EQ(0, fclose(f));
}

#define AT "bus/usb/devices/"

static inline void put_device(const char *name, const char *vendor,
			      const char *product, const char *number)
{
	put(vendor, AT "%s/idVendor", name);
	put(product, AT "%s/idProduct", name);
	put("3", AT "%s/busnum", name);
	put(number, AT "%s/devnum", name);
}

static inline void put_interface(const char *name, unsigned n,
				 const char *class)
{
	char number[4];

	(void)snprintf(number, sizeof(number), "%02x", n);
	put(class, AT "%s/%s:1.%u/bInterfaceClass", name, name, n);
	put(number, AT "%s/%s:1.%u/bInterfaceNumber", name, name, n);
}

static inline void put_endpoint(const char *name, unsigned n, const char *ep,
				const char *type, const char *direction)
{
	put(type, AT "%s/%s:1.%u/%s/type", name, name, n, ep);
	put(direction, AT "%s/%s:1.%u/%s/direction", name, name, n, ep);
}

static inline void put_fob(const char *name, const char *number)
{
	put_device(name, "0d8c", "013c", number);
	put_interface(name, 0, "01");
	put_interface(name, 1, "01");
	put_endpoint(name, 1, "ep_01", "Isoc", "out");
	put_interface(name, 3, "03");
	put_endpoint(name, 3, "ep_04", "Interrupt", "out");
	put_endpoint(name, 3, "ep_87", "Interrupt", "in");
}

#endif
