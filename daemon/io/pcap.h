/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_PCAP_H
#define DAEMON_IO_PCAP_H

/*
 * Capture files that Wireshark, tcpdump and others read: libpcap's format with
 * microseconds, link type 101 (raw IP).  The IP and UDP headers are made up
 * from the addresses, with good checksums.
 */

#include <stdint.h>
#include <stdio.h>

#include "proto/dgram.h"

struct pcap_dgram {
	uint64_t wall_us; /* since 1970 */
	struct net_addr from;
	struct net_addr to;
	uint8_t ttl; /* 0 is written as 64 */
	const uint8_t *data;
	size_t len; /* at most DGRAM_MAX */
};

/* 0, or -EIO. */
int pcap_start(FILE *f);
int pcap_write(FILE *f, const struct pcap_dgram *d);

#endif
