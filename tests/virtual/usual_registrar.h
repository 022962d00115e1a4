/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_USUAL_REGISTRAR_H
#define TESTS_VIRTUAL_USUAL_REGISTRAR_H

/* The registrar of tests: how it is configured unless a test has its reasons,
 * and how it is attached to a fake_net. */

#include "proto/openover_registrar.h"
#include "proto/openover_registrar_relay.h"
#include "tests/virtual/fake_net.h"

#define USUAL_RELAY_FIRST 20000U
#define USUAL_RELAY_PORTS 16U

/* Small tables, and limits that no test reaches unless it tries to.  No
 * relay. */
struct oo_registrar_cfg usual_registrar(const struct key_identity *id,
					random_fn random, void *random_ctx);
/* Ports as above, 8 peers, 64 kbit/s; an IPv4 address unless @v4 is NULL. */
struct oo_relay_cfg usual_relay(const struct net_addr *v4);

/* It takes the relay's ports when it is asked for any, in IPv4. */
struct fake_machine usual_registrar_machine(struct oo_registrar *r);
/* The relay's ports, each of them a socket from USUAL_RELAY_FIRST on; time and
 * frames are the other machine's. */
struct fake_machine usual_relay_machine(struct oo_registrar *r);

/* A random_fn: the same octets in each run, as @ctx, a uint64_t, counts. */
void usual_random(void *ctx, uint8_t *buf, size_t len);

#endif
