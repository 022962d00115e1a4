/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_ZONE_WIRE_H
#define DAEMON_REGISTRAR_ZONE_WIRE_H

/*
 * Questions for nodes by DNS, and the answers, as AllStarLink's servers give
 * them (RFC 1035, 2782, 2308, 6891).  In the zone nodes.DOMAIN:
 *
 *	_iax._udp.N.nodes.DOMAIN  SRV  0 0 PORT N.nodes.DOMAIN
 *	N.nodes.DOMAIN            A    the IPv4 address
 *	N.nodes.DOMAIN            TXT  "NN=N" "IP=address" "PT=port"
 *	_keyhole.N.nodes.DOMAIN   TXT  "key=BASE64", the node's public key
 *
 * Pure, and for this alone: one question, no recursion, no transfer, no
 * signature.  What is not of the zone is refused, in no more octets than it
 * came in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/net_path.h"

#define ZONE_UDP_MAX 512U /* RFC 1035 2.3.4 */
#define ZONE_NAME_MAX 255U
#define ZONE_NUMBER_MAX 15U
#define ZONE_TTL_S 30U

/* What a name of the zone is. */
enum zone_name {
	ZONE_NAME_FOREIGN, /* not of the zone */
	ZONE_NAME_ZONE,    /* the zone itself */
	ZONE_NAME_NODE,    /* N */
	ZONE_NAME_UDP,     /* _udp.N */
	ZONE_NAME_SERVICE, /* _iax._udp.N */
	ZONE_NAME_KEY,     /* _keyhole.N */
	ZONE_NAME_NOBODY,  /* of the zone, but never anything */
};

enum zone_type {
	ZONE_TYPE_A = 1,
	ZONE_TYPE_SOA = 6,
	ZONE_TYPE_TXT = 16,
	ZONE_TYPE_SRV = 33,
	ZONE_TYPE_ANY = 255,
};

struct zone_question {
	enum zone_name name;
	uint16_t type;
	char number[ZONE_NUMBER_MAX + 1]; /* of a node's names */
	/* For zone_answer(). */
	uint8_t rcode; /* what is wrong with it; 0: nothing */
	bool edns;
	uint8_t edns_version;
	size_t len;       /* of the header and the question; 12: no question */
	uint16_t node_at; /* where N's own name begins */
	uint16_t zone_at; /* where the zone's begins */
};

/* False: to be met with silence.  Else @out has what to answer, a question
 * that is no good too.  @domain is DOMAIN. */
bool zone_read(const uint8_t *data, size_t len, const char *domain,
	       struct zone_question *out);

/* What is known of the node that a question names. */
struct zone_node {
	const struct net_addr *at; /* NULL: it is nowhere */
	const char *key;           /* as text; NULL: it has none */
};

/*
 * Write the answer to the question @data, which zone_read() has read to @q,
 * into @out of @cap octets, at least ZONE_UDP_MAX.  What does not fit is left
 * out and said to be.  Returns its length.
 */
size_t zone_answer(const uint8_t *data, const struct zone_question *q,
		   const struct zone_node *node, uint8_t *out, size_t cap);
/* "Ask again by TCP", in no more octets than the question has. */
size_t zone_truncated(const uint8_t *data, const struct zone_question *q,
		      uint8_t *out, size_t cap);

#endif
