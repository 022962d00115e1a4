/* SPDX-License-Identifier: MIT */

#include "daemon/io/pcap.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "proto/wire.h"

#define MAGIC_US 0xa1b2c3d4U /* in the writer's own byte order */
#define LINKTYPE_RAW 101U
#define IP4_LEN 20U
#define IP6_LEN 40U
#define UDP_LEN 8U
#define HEADERS_MAX (IP6_LEN + UDP_LEN)
#define TTL_DEFAULT 64U

struct file_header {
	uint32_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t zone;
	uint32_t accuracy;
	uint32_t longest;
	uint32_t link_type;
};

struct record_header {
	uint32_t s;
	uint32_t us;
	uint32_t stored;
	uint32_t len;
};

int pcap_start(FILE *f)
{
	const struct file_header h = {
		.magic = MAGIC_US,
		.major = 2,
		.minor = 4,
		.longest = HEADERS_MAX + DGRAM_MAX,
		.link_type = LINKTYPE_RAW,
	};

	return fwrite(&h, sizeof(h), 1, f) == 1 && fflush(f) == 0 ? 0 : -EIO;
}

/* The Internet checksum (RFC 1071), not yet folded; @len is even but for the
 * last piece. */
static uint32_t sum(uint32_t so_far, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		so_far += (uint32_t)p[i] << 8 | p[i + 1];
	if (len % 2 != 0)
		so_far += (uint32_t)p[len - 1] << 8;
	return so_far;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void put_at(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put_ip4(struct wire_wr *w, const struct pcap_dgram *d, uint8_t ttl)
{
	uint8_t *start = w->p;

	wire_wr_u16(w, 0x4500);
	wire_wr_u16(w, (uint16_t)(IP4_LEN + UDP_LEN + d->len));
	wire_wr_u32(w, 0x00004000); /* not to be fragmented */
	wire_wr_u8(w, ttl);
	wire_wr_u8(w, IPPROTO_UDP);
	wire_wr_u16(w, 0);
	wire_wr_bytes(w, d->from.ip + 12, 4);
	wire_wr_bytes(w, d->to.ip + 12, 4);
	put_at(start + 10, fold(sum(0, start, IP4_LEN)));
}

static void put_ip6(struct wire_wr *w, const struct pcap_dgram *d, uint8_t ttl)
{
	wire_wr_u32(w, 0x60000000);
	wire_wr_u16(w, (uint16_t)(UDP_LEN + d->len));
	wire_wr_u8(w, IPPROTO_UDP);
	wire_wr_u8(w, ttl);
	wire_wr_bytes(w, d->from.ip, 16);
	wire_wr_bytes(w, d->to.ip, 16);
}

static void put_udp(struct wire_wr *w, const struct pcap_dgram *d, bool v4)
{
	const size_t skip = v4 ? 12 : 0, n = v4 ? 4 : 16;
	const uint16_t len = (uint16_t)(UDP_LEN + d->len);
	uint8_t *start = w->p;
	uint32_t s = (uint32_t)IPPROTO_UDP + len;
	uint16_t check;

	wire_wr_u16(w, d->from.port);
	wire_wr_u16(w, d->to.port);
	wire_wr_u16(w, len);
	wire_wr_u16(w, 0);
	s = sum(s, d->from.ip + skip, n);
	s = sum(s, d->to.ip + skip, n);
	s = sum(s, start, UDP_LEN);
	check = fold(sum(s, d->data, d->len));
	/* 0 would mean that there is none. */
	put_at(start + 6, check == 0 ? 0xffff : check);
}

int pcap_write(FILE *f, const struct pcap_dgram *d)
{
	const bool v4 = net_addr_is_v4(&d->from) && net_addr_is_v4(&d->to);
	const uint8_t ttl = d->ttl != 0 ? d->ttl : TTL_DEFAULT;
	uint8_t headers[HEADERS_MAX];
	struct wire_wr w = wire_wr(headers, sizeof(headers));
	struct record_header h = {
		.s = (uint32_t)(d->wall_us / 1000000),
		.us = (uint32_t)(d->wall_us % 1000000),
	};
	size_t n;

	assert(d->len <= DGRAM_MAX);
	if (v4)
		put_ip4(&w, d, ttl);
	else
		put_ip6(&w, d, ttl);
	put_udp(&w, d, v4);
	assert(!w.bad);
	n = (size_t)(w.p - headers);
	h.stored = h.len = (uint32_t)(n + d->len);
	if (fwrite(&h, sizeof(h), 1, f) != 1 || fwrite(headers, n, 1, f) != 1 ||
	    fwrite(d->data, 1, d->len, f) != d->len || fflush(f) != 0)
		return -EIO;
	return 0;
}
