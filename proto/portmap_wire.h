/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PORTMAP_WIRE_H
#define PROTO_PORTMAP_WIRE_H

/*
 * The datagrams by which a host asks its router to open a UDP port: PCP's MAP
 * and ANNOUNCE (RFC 6887 sections 7, 11.1 and 14.1) and NAT-PMP (RFC 6886
 * section 3).  Both use one port and tell themselves apart by the first octet.
 */

#include "proto/net_path.h"

#define PORTMAP_PORT 5351U
#define PORTMAP_NONCE_LEN 12U
#define PORTMAP_MSG_MAX 1100U /* octets, RFC 6887 section 7 */
#define PORTMAP_REQUEST_MAX 60U

enum pcp_result {
	PCP_SUCCESS = 0,
	PCP_UNSUPP_VERSION = 1,
	PCP_NOT_AUTHORIZED = 2,
	PCP_MALFORMED_REQUEST = 3,
	PCP_UNSUPP_OPCODE = 4,
	PCP_UNSUPP_OPTION = 5,
	PCP_MALFORMED_OPTION = 6,
	PCP_NETWORK_FAILURE = 7,
	PCP_NO_RESOURCES = 8,
	PCP_UNSUPP_PROTOCOL = 9,
	PCP_USER_EX_QUOTA = 10,
	PCP_CANNOT_PROVIDE_EXTERNAL = 11,
	PCP_ADDRESS_MISMATCH = 12,
	PCP_EXCESSIVE_REMOTE_PEERS = 13,
};

enum natpmp_result {
	NATPMP_SUCCESS = 0,
	NATPMP_UNSUPP_VERSION = 1,
	NATPMP_NOT_AUTHORIZED = 2,
	NATPMP_NETWORK_FAILURE = 3,
	NATPMP_NO_RESOURCES = 4,
	NATPMP_UNSUPP_OPCODE = 5,
};

enum portmap_msg_kind {
	PORTMAP_MSG_PCP_MAP,
	PORTMAP_MSG_PCP_ANNOUNCE,
	PORTMAP_MSG_PCP_UNSUPP_VERSION, /* @version is one it does speak */
	PORTMAP_MSG_NATPMP_ADDRESS,
	PORTMAP_MSG_NATPMP_MAP,
	PORTMAP_MSG_NATPMP_UNSUPP_VERSION,
};

/* An answer, or an announcement.  What a kind does not bear is zero. */
struct portmap_msg {
	enum portmap_msg_kind kind;
	uint8_t version;
	uint16_t result; /* of the kind's own protocol */
	uint32_t lifetime_s;
	uint32_t epoch_s;
	uint8_t nonce[PORTMAP_NONCE_LEN];
	uint16_t internal_port;
	struct net_addr external; /* NAT-PMP's answers bear a part each */
};

/* What a request for a mapping asks for. */
struct portmap_want {
	uint8_t nonce[PORTMAP_NONCE_LEN]; /* PCP only */
	uint8_t own_ip[16];               /* PCP only: the source address */
	uint16_t internal_port;
	struct net_addr external; /* suggested */
	uint32_t lifetime_s;      /* 0: delete */
};

/* Each writes a request and returns its length. */
size_t pcp_put_map(uint8_t out[PORTMAP_REQUEST_MAX],
		   const struct portmap_want *w);
size_t natpmp_put_address(uint8_t out[PORTMAP_REQUEST_MAX]);
size_t natpmp_put_map(uint8_t out[PORTMAP_REQUEST_MAX],
		      const struct portmap_want *w);

/* False for a request, for another protocol's or opcode's answer, and for
 * whatever is too short or too long. */
bool portmap_msg_get(const uint8_t *data, size_t len, struct portmap_msg *out);

/* In an operator's words, without a full stop. */
const char *pcp_result_text(uint16_t result);
const char *natpmp_result_text(uint16_t result);

#endif
