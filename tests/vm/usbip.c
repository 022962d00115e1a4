/* SPDX-License-Identifier: MIT */

#include "tests/vm/usbip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define VHCI "/sys/devices/platform/vhci_hcd.0/"
#define HEADER_LEN 48U
#define PACKET_LEN 16U
#define PORT_FREE 4 /* VDEV_ST_NULL */
#define FULL_SPEED 2
#define PORTS_MAX 64

enum { CMD_SUBMIT = 1, CMD_UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4 };

static void put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, sizeof(v));
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

/* --- plugging ----------------------------------------------------------- */

/* Free ports of the full-speed hub; their number, or negative errno. */
static int free_ports(int ports[PORTS_MAX])
{
	FILE *f = fopen(VHCI "status", "re");
	char line[256], hub[16];
	int n = 0, port, status;

	if (!f)
		return -errno;
	while (n < PORTS_MAX && fgets(line, sizeof(line), f)) {
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own digits. */
		if (sscanf(line, "%15s %d %d", hub, &port, &status) == 3 &&
		    strcmp(hub, "hs") == 0 && status == PORT_FREE)
			ports[n++] = port;
	}
	(void)fclose(f);
	return n;
}

static int attach(int port, int fd)
{
	char line[64];
	const int n = snprintf(line, sizeof(line), "%d %d %u %d", port, fd,
			       0x00010000U + (unsigned)port + 2, FULL_SPEED);
	const int file = open(VHCI "attach", O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (file < 0)
		return -errno;
	if (write(file, line, (size_t)n) != n)
		err = -errno;
	close(file);
	return err;
}

int usbip_plug(struct usbip *u)
{
	const int buffer = 1 << 20;
	int ports[PORTS_MAX] = { 0 }, pair[2], err = -EBUSY;
	const int n = free_ports(ports);

	u->fd = -1;
	if (n < 0)
		return n;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	/* Another emulator may take a port between our look and our asking. */
	for (int i = 0; i < n && err == -EBUSY; i++) {
		u->port = ports[i];
		err = attach(ports[i], pair[1]);
	}
	close(pair[1]);
	if (err != 0) {
		close(pair[0]);
		return err;
	}
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &buffer,
			 sizeof(buffer));
	u->fd = pair[0];
	return 0;
}

void usbip_unplug(struct usbip *u)
{
	if (u->fd < 0)
		return;
	(void)shutdown(u->fd, SHUT_RDWR);
	close(u->fd);
	u->fd = -1;
}

/* --- octets ------------------------------------------------------------- */

static bool read_all(int fd, void *to, size_t n)
{
	uint8_t *p = to;

	while (n > 0) {
		const ssize_t got = recv(fd, p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

static bool write_all(int fd, struct iovec *v, size_t n)
{
	while (n > 0) {
		const struct msghdr m = { .msg_iov = v, .msg_iovlen = n };
		const ssize_t k = sendmsg(fd, &m, MSG_NOSIGNAL);
		size_t sent = k > 0 ? (size_t)k : 0;

		if (k < 0 && errno != EINTR)
			return false;
		while (n > 0 && sent >= v->iov_len) {
			sent -= v->iov_len;
			v++;
			n--;
		}
		if (n > 0) {
			v->iov_base = (uint8_t *)v->iov_base + sent;
			v->iov_len -= sent;
		}
	}
	return true;
}

/* --- requests ----------------------------------------------------------- */

static bool read_packets(struct usbip *u, struct usbip_request *r)
{
	uint8_t raw[USBIP_PACKETS_MAX * PACKET_LEN];

	if (!read_all(u->fd, raw, (size_t)r->packets * PACKET_LEN))
		return false;
	for (int i = 0; i < r->packets; i++) {
		struct usbip_packet *p = &r->packet[i];

		p->offset = get32(raw + (size_t)i * PACKET_LEN);
		p->len = get32(raw + (size_t)i * PACKET_LEN + 4);
		if (p->offset > r->len || p->len > r->len - p->offset)
			return false;
	}
	return true;
}

static bool read_request(struct usbip *u, const uint8_t *h,
			 struct usbip_request *r)
{
	const int packets = (int)get32(h + 32);

	r->in = get32(h + 12) != 0;
	r->ep = get32(h + 16);
	r->len = get32(h + 24);
	r->start = get32(h + 28);
	/* All ones: not isochronous. */
	r->packets = packets < 0 ? 0 : packets;
	memcpy(r->setup, h + 40, sizeof(r->setup));
	if (r->len > USBIP_LEN_MAX || r->packets > USBIP_PACKETS_MAX)
		return false;
	if (!r->in && r->len > 0) {
		r->data = malloc(r->len);
		if (!r->data || !read_all(u->fd, r->data, r->len))
			return false;
	}
	return read_packets(u, r);
}

enum usbip_got usbip_read(struct usbip *u, struct usbip_request *out,
			  uint32_t *answer_to)
{
	uint8_t h[HEADER_LEN];

	memset(out, 0, sizeof(*out));
	if (!read_all(u->fd, h, sizeof(h)))
		return USBIP_GONE;
	*answer_to = get32(h + 4);
	if (get32(h) == CMD_UNLINK) {
		out->seq = get32(h + 20);
		return USBIP_UNLINK;
	}
	out->seq = *answer_to;
	if (get32(h) == CMD_SUBMIT && read_request(u, h, out))
		return USBIP_REQUEST;
	free(out->data);
	out->data = NULL;
	return USBIP_GONE;
}

bool usbip_answer(struct usbip *u, const struct usbip_request *r, int status,
		  const uint8_t *data, uint32_t done)
{
	uint8_t h[HEADER_LEN] = { 0 };
	uint8_t raw[USBIP_PACKETS_MAX * PACKET_LEN];
	struct iovec v[3] = { { h, sizeof(h) } };
	size_t n = 1;

	put32(h, RET_SUBMIT);
	put32(h + 4, r->seq);
	put32(h + 20, (uint32_t)status);
	put32(h + 24, done);
	put32(h + 28, r->start);
	put32(h + 32, (uint32_t)r->packets);
	if (r->in && done > 0)
		/* NOLINTNEXTLINE(performance-no-int-to-ptr): sheds const. */
		v[n++] = (struct iovec){ (void *)(uintptr_t)data, done };
	for (int i = 0; i < r->packets; i++) {
		uint8_t *p = raw + (size_t)i * PACKET_LEN;

		put32(p, r->packet[i].offset);
		put32(p + 4, r->packet[i].len);
		put32(p + 8, r->packet[i].done);
		put32(p + 12, 0);
	}
	if (r->packets > 0)
		v[n++] = (struct iovec){ raw, (size_t)r->packets * PACKET_LEN };
	return write_all(u->fd, v, n);
}

bool usbip_unlinked(struct usbip *u, uint32_t answer_to, bool found)
{
	uint8_t h[HEADER_LEN] = { 0 };
	struct iovec v = { h, sizeof(h) };

	put32(h, RET_UNLINK);
	put32(h + 4, answer_to);
	put32(h + 20, found ? (uint32_t)-ECONNRESET : 0);
	return write_all(u->fd, &v, 1);
}
