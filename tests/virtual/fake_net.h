/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_FAKE_NET_H
#define TESTS_VIRTUAL_FAKE_NET_H

/*
 * A network in virtual time, the same for the same seed: delay, jitter, loss,
 * duplication, reordering, and address translators.  Any machine that is fed
 * datagrams and time and asked for datagrams and deadlines can be attached.
 *
 * Use: fake_net_new(), fake_net_nat() for each translator, fake_net_attach()
 * and fake_net_address() for each machine, then fake_net_run() as far as
 * wanted, giving commands to the machines in between.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/mono.h"
#include "proto/net_path.h"

#define FAKE_NODES_MAX 8
#define FAKE_NATS_MAX 8
#define FAKE_ADDRS_MAX 4 /* of one node */
#define FAKE_NO_NAT (-1)

/* A machine as the network sees it.  @settle is called after each of the
 * others, so that it may take events and act on them; it may be NULL. */
struct fake_machine {
	void *ctx;
	void (*rx)(void *ctx, const struct dgram *d, mono_us now);
	void (*tick)(void *ctx, mono_us now);
	mono_us (*deadline)(void *ctx);
	bool (*next_tx)(void *ctx, struct dgram *out);
	void (*settle)(void *ctx, mono_us now);
};

/* What happens to each packet on its way; permille of packets. */
struct fake_weather {
	mono_us delay;         /* one way */
	mono_us jitter;        /* 0..this is added to it, keeping the order */
	unsigned loss;         /* permille lost */
	unsigned duplicate;    /* permille delivered twice */
	unsigned reorder;      /* permille held back ... */
	mono_us reorder_delay; /* ... for up to this long */
};

enum fake_filtering {
	FAKE_FILTER_NONE, /* endpoint-independent (RFC 4787 section 5) */
	FAKE_FILTER_ADDRESS,
	FAKE_FILTER_ADDRESS_PORT,
};

struct fake_nat {
	struct net_addr outside; /* its public address; the port is unused */
	bool preserve_port;      /* else ports are random */
	int step;                /* unless it is not 0: each one this further */
	unsigned busy;           /* permille that others take before it */
	bool mapping_by_peer;    /* another port for each peer (symmetric) */
	bool mapping_by_address; /* another port for each peer's address */
	enum fake_filtering filtering;
	mono_us hole_life; /* after the last packet outwards; 0: for ever */
};

/* A packet as it appears on the public side. */
struct fake_packet {
	int from;     /* node */
	uint64_t nth; /* of all packets, from 1 */
	struct net_addr src;
	struct net_addr dst;
	uint8_t ttl; /* as sent; 0: the default */
	const uint8_t *data;
	size_t len;
	mono_us now;
};

/* Sees every packet after translation; false loses it. */
typedef bool (*fake_hook)(void *ctx, const struct fake_packet *p);

struct fake_counters {
	uint64_t sent;
	uint64_t octets;
	uint64_t received;
};

struct fake_net;

/* Time starts at @now.  Fails the test when memory is short, as all of these
 * do when a table is full. */
struct fake_net *fake_net_new(uint64_t seed, mono_us now);
struct fake_net *fake_net_free(struct fake_net *net);

int fake_net_nat(struct fake_net *net, const struct fake_nat *nat);
int fake_net_attach(struct fake_net *net, const struct fake_machine *m);
/* Give @node an address, behind translator @nat or FAKE_NO_NAT.  The node's
 * socket n sends from port @addr->port + n. */
void fake_net_address(struct fake_net *net, int node,
		      const struct net_addr *addr, int nat);

/* @node has only this address from now on, behind @nat. */
void fake_net_relocate(struct fake_net *net, int node,
		       const struct net_addr *addr, int nat);

void fake_net_weather(struct fake_net *net, const struct fake_weather *w);
void fake_net_hook(struct fake_net *net, fake_hook hook, void *ctx);
/* Routers between any two public addresses: a packet with a smaller
 * time-to-live passes its own translator and dies.  Default 8. */
void fake_net_hops(struct fake_net *net, uint8_t hops);
/* Translator @nat forgets its mappings at @when and gets @outside. */
void fake_net_rebind(struct fake_net *net, int nat, mono_us when,
		     const struct net_addr *outside);
/* Cut @node off, or let it back. */
void fake_net_cut(struct fake_net *net, int node, bool cut);

/* Deliver, tick and advance until @until; returns at that time exactly. */
void fake_net_run(struct fake_net *net, mono_us until);
mono_us fake_net_now(const struct fake_net *net);
/* Packets on their way. */
size_t fake_net_in_flight(const struct fake_net *net);
const struct fake_counters *fake_net_counters(const struct fake_net *net,
					      int node);
/* A random_fn; @ctx is the net. */
void fake_net_random(void *ctx, uint8_t *buf, size_t len);

#endif
