/* SPDX-License-Identifier: MIT */
/*
 * A CM108 radio fob as a program, for machines without one: Linux sees a USB
 * sound card with HID.
 *
 *   cm108emu SOCKET [KEY=VALUE]...
 *
 * SOCKET takes commands, a line each, answered by a line (cm108_command.c).
 * Keys: gain (0; 1: the microphone's volume and mute count), product (hexadecimal, 013c), vendor (0d8c), serial, name, log (a file
 * of events with monotonic times), ptt (GPIO, 3), cor (bit of the input
 * report, 1: volume down), ppm (our clock's error), lag_ms (500), keep (0;
 * 1: power and pins outlast an unplug, as with a fault of the bus).
 * Needs root and vhci-hcd.  "ready" on standard output: it is plugged in.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/vm/cm108.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static bool set_log(struct cm108 *c, const char *path)
{
	c->log = fopen(path, "we");
	return c->log != NULL;
}

static bool set(struct cm108 *c, const char *key, const char *value)
{
	if (strcmp(key, "product") == 0)
		c->fob.product = (uint16_t)strtoul(value, NULL, 16);
	else if (strcmp(key, "vendor") == 0)
		c->fob.vendor = (uint16_t)strtoul(value, NULL, 16);
	else if (strcmp(key, "serial") == 0)
		c->fob.serial = value;
	else if (strcmp(key, "name") == 0)
		c->fob.name = value;
	else if (strcmp(key, "ptt") == 0)
		c->fob.ptt_gpio = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(key, "cor") == 0)
		c->cor_bit = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(key, "ppm") == 0)
		c->ppm = strtod(value, NULL);
	else if (strcmp(key, "lag_ms") == 0)
		c->lag_ms = strtol(value, NULL, 10);
	else if (strcmp(key, "gain") == 0)
		c->gain = strtol(value, NULL, 10) != 0;
	else if (strcmp(key, "keep") == 0)
		c->keep = strtol(value, NULL, 10) != 0;
	else
		return strcmp(key, "log") == 0 && set_log(c, value);
	return c->fob.ptt_gpio >= 1 && c->fob.ptt_gpio <= 8 && c->cor_bit < 32;
}

static int listen_at(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, path, strlen(path) + 1);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    listen(fd, CM108_CLIENTS) != 0)
		return -1;
	return fd;
}

static void serve(struct cm108 *c, int listener)
{
	while (!c->quit && !stopped) {
		const double wait = cm108_tick(c);
		const long ns = (long)(wait * 1e9);
		const struct timespec t = { ns / 1000000000, ns % 1000000000 };
		struct pollfd p[2 + CM108_CLIENTS] = {
			{ .fd = c->usb.fd, .events = POLLIN },
			{ .fd = listener, .events = POLLIN },
		};

		for (size_t i = 0; i < CM108_CLIENTS; i++)
			p[2 + i] = (struct pollfd){ .fd = c->client[i].fd,
						    .events = POLLIN };
		if (ppoll(p, 2 + CM108_CLIENTS, wait < 0 ? NULL : &t, NULL) < 0)
			continue; /* a signal */
		if (p[0].revents)
			cm108_usb_readable(c);
		if (p[1].revents)
			cm108_accept(c, listener);
		for (size_t i = 0; i < CM108_CLIENTS; i++) {
			if (p[2 + i].revents && p[2 + i].fd == c->client[i].fd)
				cm108_client_readable(c, &c->client[i]);
		}
	}
}

int main(int argc, char **argv)
{
	static struct cm108 c = {
		.usb.fd = -1,
		.fob = { .vendor = 0x0d8c,
			 .product = 0x013c,
			 .name = "USB PnP Sound Device",
			 .ptt_gpio = 3,
			 .event = cm108_event,
			 .ctx = &c },
		.audio.gain = 1.0,
		.cor_bit = 1,
		.lag_ms = 500,
	};
	const struct sigaction action = { .sa_handler = on_signal };
	int listener, err;

	for (size_t i = 0; i < CM108_CLIENTS; i++)
		c.client[i].fd = -1;
	memset(c.fob.eeprom, 0xff, sizeof(c.fob.eeprom));
	for (int i = 2; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (value)
			*value++ = '\0';
		if (!value || !set(&c, argv[i], value)) {
			(void)fprintf(stderr, "cm108emu: %s?\n", argv[i]);
			return 2;
		}
	}
	listener = argc > 1 ? listen_at(argv[1]) : -1;
	if (listener < 0) {
		(void)fprintf(stderr,
			      "usage: cm108emu SOCKET [KEY=VALUE]...\n");
		return 2;
	}
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	c.began = cm108_now() - 1.0;
	err = cm108_plug(&c);
	if (err != 0) {
		(void)fprintf(stderr, "cm108emu: cannot plug in: %s\n",
			      strerror(-err));
		return 1;
	}
	(void)puts("ready");
	(void)fflush(stdout);
	serve(&c, listener);
	cm108_unplug(&c, "exit");
	(void)unlink(argv[1]);
	return 0;
}
