/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_HUB_H
#define TESTS_BENCH_HUB_H

/*
 * A conference of thousands over real sockets, for bench_hub.c.  The hub, as the
 * daemon does it but for its radio and its log, is a process of its own on one
 * core (hub_serve.c); the listeners, each at an address of its own, are one
 * process on another core (hub_listen.c).  When is by the kernel's stamps, so
 * that the listeners' own load does not count.
 */

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "daemon/io/loop.h"
#include "daemon/io/udp.h"
#include "proto/iax2_endpoint.h"
#include "proto/openover_directory.h"
#include "tests/bench/process.h"

#define LISTENERS_MAX 4000U
#define FRAME_US 20000U
#define FRAME_OCTETS 160U
#define MINI_OCTETS 4U
#define GAP_STEPS 2000U /* of 0.1 ms */
#define LEVELS 16U
#define SECRET "of the bench"

/* Shared by the processes. */
struct told {
	atomic_bool ready;
	_Atomic uint64_t sent; /* datagrams of the hub */
	_Atomic uint64_t sent_bare;
	atomic_bool bare;      /* it is to send */
	_Atomic mono_us still; /* the longest without its core */
	long rss_before;       /* octets */
};

/* What one listener, or the talker, hears. */
struct hearer {
	struct iax2_call_id call;
	bool up;
	bool old; /* it was in before the storm */
	uint64_t frames;
	uint64_t missed;
	mono_us at; /* of the last frame */
	uint16_t ts;
	int64_t offset; /* least of arrival less time stamp */
	bool any;
};

struct bench {
	struct told *told;
	size_t cpu[2]; /* the hub's, the listeners' */
	uint16_t hub_port;
	pid_t hub;
	pid_t bare;
	unsigned n; /* listeners; the talker is one more, the first */
	struct event_base *base;
	struct udp *udp;
	uint16_t port;
	struct loop_timer timer;
	struct loop_beat beat;
	struct loop_beat joins;
	struct iax2_endpoint *ep;
	struct hearer hearer[LISTENERS_MAX + 1];
	unsigned dialled, wanted, up;
	bool talks;
	uint32_t talk_ts;
	bool spurt;
	mono_us sent[LEVELS]; /* when it was last said */
	unsigned level;
	/* This window. */
	uint64_t gaps[GAP_STEPS];
	uint64_t gap_n;
	double delay_sum;
	uint64_t delay_n;
	int64_t late_max;
	uint64_t late_n;
};

/* hub_listen.c: the number and the address of each. */
void number_of(char out[OO_NUMBER_MAX + 1], unsigned i);
struct in_addr ip_of(unsigned i);

/* hub_serve.c: fork a server that runs until it is stopped, and wait until it
 * serves. */
void serve_hub(const struct bench *b);
/* As little as a server can do: datagrams of the same size to the same addresses. */
void serve_bare(const struct bench *b);
pid_t start(struct bench *b, void (*serve)(const struct bench *b));
void stop(pid_t pid); /* 0: none */

/* hub_listen.c: a hub for @n listeners, and its end. */
void begin(struct bench *b, unsigned n);
void end(struct bench *b);
void run_for(const struct bench *b, mono_us us);
/* Until @n calls are up in all. */
void join(struct bench *b, unsigned n);
/* From now on; returns after @first. */
void talk(struct bench *b, mono_us first);
/* What is counted is counted from here. */
void begin_window(struct bench *b);
/* Of the gaps between a listener's frames, @share are no longer. */
double gap_ms(const struct bench *b, double share);
double still_ms(const struct bench *b);
uint64_t frames_min(const struct bench *b);

#endif
