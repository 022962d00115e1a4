/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_PORTMAP_SCENE_H
#define TESTS_VIRTUAL_PORTMAP_SCENE_H

/* A node that wants a port, and a gateway that is played octet by octet. */

#include "proto/portmap.h"

#define PORT 4569U
#define LIFE 7200U

struct gateway {
	bool pcp, natpmp;
	uint8_t pcp_error; /* instead of success */
	uint8_t natpmp_error;
	unsigned lose; /* requests */
	uint32_t lifetime_s;
	mono_us booted;
	struct net_addr external;
};

struct scene {
	struct portmap m;
	struct dgram_queue *tx;
	struct gateway gw;
	struct net_addr gw_addr;
	mono_us now;
	uint64_t dice;
	unsigned change; /* all since it was last looked at */
	unsigned pcp_n, natpmp_map_n, natpmp_addr_n;
	mono_us pcp_at[64];
	mono_us natpmp_at[64];
	uint32_t last_lifetime_s;
	uint8_t last_nonce[PORTMAP_NONCE_LEN];
	struct net_addr last_suggested;
};

extern const struct net_addr own4;
extern const struct net_addr outside; /* what the gateway gives */

/* The gateway of an IPv4 network is found, and asked. */
void begin(struct scene *s, struct gateway gw);
void begin_at(struct scene *s, const struct gateway *gw,
	      const struct net_addr *gw_addr, const struct net_addr *own);
void end(struct scene *s);
/* Lets @span pass, from deadline to deadline. */
void run(struct scene *s, mono_us span);
/* The gateway answers what was asked, no time passing. */
void drain(struct scene *s);

/* Unasked, from the gateway: PCP's ANNOUNCE; NAT-PMP's address. */
void announce(struct scene *s);
void say_address(struct scene *s);
/* PCP's answer as the last request would have it, but for what is given. */
void say_pcp_map(struct scene *s, uint16_t port, uint32_t lifetime_s,
		 const struct net_addr *external);

struct portmap_view view(const struct scene *s);
bool is_at(const struct scene *s, const struct net_addr *external);

#endif
