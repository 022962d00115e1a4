/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LAB_WAN_TRACE_H
#define TESTS_LAB_WAN_TRACE_H

/*
 * What the emulated internet remembers of its packets: counters for each
 * direction (source and destination address), a log of one JSON object a
 * line, and a capture file.
 */

#include <stdint.h>
#include <stdio.h>

#include "tests/lab/wan_packet.h"

#define WAN_PAIRS_MAX 256U /* a power of two */

struct wan_pair {
	struct wan_addr src, dst; /* family 0: the slot is free */
	uint64_t packets, octets; /* that arrived, dropped ones too */
	uint64_t dropped;
	uint64_t last_due_us; /* keeps jitter from reordering */
};

struct wan_trace {
	uint64_t packets, octets, dropped;
	struct wan_pair pair[WAN_PAIRS_MAX];
	unsigned pair_count;
	FILE *log;
	FILE *pcap;
};

/* The direction of @pkt; NULL when the table is full of others. */
struct wan_pair *wan_trace_pair(struct wan_trace *trace,
				const struct wan_packet *pkt);

/*
 * Open (@path), or close ("off"), the log or the capture.  The capture is in
 * the pcap format with link type 101 (raw IP) and wall-clock microseconds.
 * Returns 0 or -errno; on error the former file is closed.
 */
int wan_trace_log(struct wan_trace *trace, const char *path);
int wan_trace_pcap(struct wan_trace *trace, const char *path);

/* Capture the @len octets of a packet as it arrived, before any drop. */
void wan_trace_capture(struct wan_trace *trace, const uint8_t *octets,
		       size_t len);

/*
 * Count and log @pkt, arrived at @now_us (CLOCK_MONOTONIC); @dropped says why
 * it goes no further, or is NULL.
 */
void wan_trace_count(struct wan_trace *trace, const struct wan_packet *pkt,
		     uint64_t now_us, const char *dropped);

/* Write what is buffered. */
void wan_trace_flush(struct wan_trace *trace);

/* The counters as JSON members, without the braces around the object. */
void wan_trace_stats(const struct wan_trace *trace, FILE *out);

/* Counters to zero; the files stay open. */
void wan_trace_reset(struct wan_trace *trace);

#endif
