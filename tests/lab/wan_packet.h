/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LAB_WAN_PACKET_H
#define TESTS_LAB_WAN_PACKET_H

/*
 * What the emulated internet looks at in a raw IP packet: addresses, ports,
 * and the two octets that name an IAX2 full frame.  Reading only, total and
 * safe on any octets.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAN_PROTO_UDP 17U

struct wan_addr {
	uint8_t family;    /* 4 or 6; 0 is "none" */
	uint8_t octet[16]; /* IPv4 in the first four, the rest zero */
};

struct wan_packet {
	struct wan_addr src, dst;
	uint8_t proto; /* IP protocol, of IPv6 the first next header */
	bool udp;      /* the ports below are meant */
	uint16_t sport, dport;
	bool full;        /* UDP whose payload has the F bit (RFC 5456 8.1.1) */
	uint8_t iax_type; /* octet 10 of the payload, when full */
	uint8_t iax_subclass; /* octet 11, as on the wire */
	size_t len;           /* octets of the whole IP packet */
};

/*
 * Read the IPv4 or IPv6 packet @octets of @len octets into *@out.  Returns
 * false when there is no whole IP header.  A fragment other than the first
 * has no ports; a payload too short to be a full frame is not one.
 */
bool wan_packet_read(const uint8_t *octets, size_t len, struct wan_packet *out);

/* True for a packet between two hosts, false for multicast and link-local. */
bool wan_packet_is_unicast(const struct wan_packet *pkt);

#endif
