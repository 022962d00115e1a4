/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_DOCTOR_NETWORK_H
#define DAEMON_DOCTOR_NETWORK_H

/*
 * The way to registrars and callers: names, registration, addresses, what
 * routers on the way do, and how well the links that are there go.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/doctor/finding.h"
#include "proto/net_path.h"
#include "proto/openover_measure.h"
#include "proto/openover_node.h"
#include "proto/portmap.h"

/* What came of asking by TCP. */
enum doctor_tcp { DOCTOR_TCP_UNKNOWN, DOCTOR_TCP_SILENT, DOCTOR_TCP_ANSWERS };

/* A registrar; the texts are borrowed. */
struct doctor_registrar {
	const char *host;
	bool plain, https;
	bool up;
	const char *state, *why;
	enum oo_registrar_fault fault;
	const char *no_address; /* why its name has none; NULL: it has */
	enum doctor_tcp tcp;    /* at the same address and port */
	const char *warning;    /* of HTTPS; NULL: none */
	uint32_t rtt_us;        /* 0: not measured */
};

/* Who this node is, for what others have to enter. */
struct doctor_self {
	const char *number;
	const char *key;  /* its public key, as text */
	uint16_t port;    /* UDP */
	bool has_address; /* this machine has one besides its loopback */
};

void doctor_no_registrar(struct doctor *d);
void doctor_registrar(struct doctor *d, const struct doctor_registrar *r,
		      const struct doctor_self *self);
/* Of all of them: whether names are found, and whether UDP gets through. */
void doctor_dns(struct doctor *d, const struct doctor_registrar *r, size_t n);
void doctor_udp(struct doctor *d, const struct doctor_registrar *r, size_t n,
		const struct doctor_self *self);

/* Where the registrar that has us sees us; port 0: not known. */
struct doctor_seen {
	struct net_addr udp;  /* of the family in use */
	struct net_addr udp4; /* over IPv4 */
	struct net_addr tcp4;
};
void doctor_address(struct doctor *d, const struct doctor_seen *s);

/* What was measured of the network. */
struct doctor_nat {
	const char *rung, *verdict;  /* as callers come; NULL: not known */
	bool registered;             /* with a registrar that opens paths */
	bool helped;                 /* that registrar measures with us */
	const struct oo_measured *m; /* at 0: not measured */
	uint32_t keepalive_s;        /* between PINGs */
};
void doctor_nat(struct doctor *d, const struct doctor_nat *n);

/* @family is "IPv4" or "IPv6". */
void doctor_router(struct doctor *d, const struct portmap_view *v,
		   const char *family);
/* relay.use is "always", and there is one or not. */
void doctor_relay(struct doctor *d, bool up);

/* A link to another node. */
struct doctor_link {
	const char *node;
	double jitter_ms, loss_pct, rtt_ms;
	uint64_t heard; /* voice frames that came */
};

/* A frame early or late, on average; in order it is twice that at most. */
#define DOCTOR_JITTER_MS 20.0
#define DOCTOR_LOSS_PCT 5.0
#define DOCTOR_HEARD_MIN 100U /* frames; of fewer nothing can be said */

void doctor_jitter(struct doctor *d, const struct doctor_link *l, size_t n);

/* Where nodes are looked up; the texts are borrowed. */
struct doctor_lookup {
	const char *domain;       /* "": no DNS */
	bool asked;               /* a name server was */
	const char *dns_trouble;  /* "": it answers */
	const char *file;         /* of nodes; "": none */
	const char *file_trouble; /* NULL: none */
	size_t file_nodes;
	int64_t file_age_s;        /* since it was written */
	bool fetched;              /* by the daemon itself */
	uint32_t fetch_s;          /* how often */
	const char *fetch_trouble; /* NULL: none */
};
void doctor_lookup(struct doctor *d, const struct doctor_lookup *l);

#endif
