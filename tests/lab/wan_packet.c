/* SPDX-License-Identifier: MIT */
#include "tests/lab/wan_packet.h"

#include <string.h>

#include "proto/wire.h"

#define FULL_HDR_LEN 12U

static void read_addr(struct wire_rd *r, uint8_t family, struct wan_addr *out)
{
	const size_t len = family == 4 ? 4 : 16;
	const uint8_t *octets = wire_rd_bytes(r, len);

	memset(out, 0, sizeof(*out));
	out->family = family;
	if (octets)
		memcpy(out->octet, octets, len);
}

static void read_udp(struct wire_rd r, struct wan_packet *out)
{
	const uint8_t *payload;

	out->sport = wire_rd_u16(&r);
	out->dport = wire_rd_u16(&r);
	(void)wire_rd_u32(&r); /* length and checksum */
	out->udp = !r.bad;
	payload = wire_rd_bytes(&r, FULL_HDR_LEN);
	if (!payload || !(payload[0] & 0x80))
		return;
	out->full = true;
	out->iax_type = payload[10];
	out->iax_subclass = payload[11];
}

/* RFC 791 section 3.1. */
static bool read_ip4(struct wire_rd r, struct wan_packet *out)
{
	const unsigned hdr_len = (wire_rd_u8(&r) & 0x0fU) * 4U;
	unsigned fragment;

	(void)wire_rd_bytes(&r, 5); /* service, length, identification */
	fragment = wire_rd_u16(&r) & 0x1fffU;
	(void)wire_rd_u8(&r); /* time to live */
	out->proto = wire_rd_u8(&r);
	(void)wire_rd_u16(&r); /* checksum */
	read_addr(&r, 4, &out->src);
	read_addr(&r, 4, &out->dst);
	if (hdr_len < 20)
		return false;
	(void)wire_rd_bytes(&r, hdr_len - 20);
	if (r.bad)
		return false;
	if (out->proto == WAN_PROTO_UDP && fragment == 0)
		read_udp(r, out);
	return true;
}

/* RFC 8200 section 3. */
static bool read_ip6(struct wire_rd r, struct wan_packet *out)
{
	(void)wire_rd_bytes(&r, 6); /* version, flow label, payload length */
	out->proto = wire_rd_u8(&r);
	(void)wire_rd_u8(&r); /* hop limit */
	read_addr(&r, 6, &out->src);
	read_addr(&r, 6, &out->dst);
	if (r.bad)
		return false;
	if (out->proto == WAN_PROTO_UDP)
		read_udp(r, out);
	return true;
}

bool wan_packet_read(const uint8_t *octets, size_t len, struct wan_packet *out)
{
	const struct wire_rd r = wire_rd(octets, len);

	memset(out, 0, sizeof(*out));
	out->len = len;
	if (len > 0 && octets[0] >> 4 == 4)
		return read_ip4(r, out);
	if (len > 0 && octets[0] >> 4 == 6)
		return read_ip6(r, out);
	return false;
}

static bool is_unicast(const struct wan_addr *addr)
{
	if (addr->family == 4)
		return addr->octet[0] < 224;
	return addr->octet[0] != 0xff &&
	       !(addr->octet[0] == 0xfe && addr->octet[1] == 0x80);
}

bool wan_packet_is_unicast(const struct wan_packet *pkt)
{
	return is_unicast(&pkt->src) && is_unicast(&pkt->dst);
}
