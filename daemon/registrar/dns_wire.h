/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_DNS_WIRE_H
#define DAEMON_REGISTRAR_DNS_WIRE_H

/*
 * Questions for nodes by DNS, and the answers, as AllStarLink's servers give
 * them (RFC 1035, 2782, 2308, 6891).  In the zone nodes.DOMAIN:
 *
 *	_iax._udp.N.nodes.DOMAIN  SRV  0 0 PORT N.nodes.DOMAIN
 *	N.nodes.DOMAIN            A    the IPv4 address
 *	N.nodes.DOMAIN            TXT  "NN=N" "IP=address" "PT=port"
 *
 * Pure, and for this alone: one question, no recursion, no transfer, no
 * signature.  What is not of the zone is refused, in no more octets than it
 * came in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/net_path.h"

#define DNS_UDP_MAX 512U /* RFC 1035 2.3.4 */
#define DNS_NAME_MAX 255U
#define DNS_NUMBER_MAX 15U
#define DNS_TTL_S 30U

/* What a name of the zone is. */
enum dns_name {
	DNS_NAME_FOREIGN, /* not of the zone */
	DNS_NAME_ZONE,    /* the zone itself */
	DNS_NAME_NODE,    /* N */
	DNS_NAME_UDP,     /* _udp.N */
	DNS_NAME_SERVICE, /* _iax._udp.N */
	DNS_NAME_NOBODY,  /* of the zone, but never anything */
};

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_ANY = 255,
};

struct dns_question {
	enum dns_name name;
	uint16_t type;
	char number[DNS_NUMBER_MAX + 1]; /* of a node's names */
	/* For dns_answer(). */
	uint8_t rcode; /* what is wrong with it; 0: nothing */
	bool edns;
	uint8_t edns_version;
	size_t len; /* of the header and the question; 12: no question */
	uint16_t node_name; /* where N's own name begins */
	uint16_t zone_name; /* where the zone's begins */
};

/* False: to be met with silence.  Else @out has what to answer, a question
 * that is no good too.  @domain is DOMAIN. */
bool dns_read(const uint8_t *data, size_t len, const char *domain,
	      struct dns_question *out);

/*
 * Write the answer to the question @data, which dns_read() has read to @q,
 * into @out of @cap octets, at least DNS_UDP_MAX.  @at is where
 * the node is, NULL: nowhere.  What does not fit is left out and said to be.
 * Returns its length.
 */
size_t dns_answer(const uint8_t *data, const struct dns_question *q,
		  const struct net_addr *at, uint8_t *out, size_t cap);
/* "Ask again by TCP", in no more octets than the question has. */
size_t dns_truncated(const uint8_t *data, const struct dns_question *q,
		     uint8_t *out, size_t cap);

#endif
