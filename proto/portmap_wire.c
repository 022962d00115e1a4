/* SPDX-License-Identifier: MIT */

#include "proto/portmap_wire.h"

#include "proto/wire.h"

#define PCP_VERSION 2U
#define PCP_OP_ANNOUNCE 0U
#define PCP_OP_MAP 1U
#define NATPMP_VERSION 0U
#define NATPMP_OP_ADDRESS 0U
#define NATPMP_OP_MAP_UDP 1U
#define ANSWER 0x80U
#define UDP_PROTOCOL 17U
#define PCP_HEADER_LEN 24U

static void put_zeroes(struct wire_wr *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wire_wr_u8(w, 0);
}

size_t pcp_put_map(uint8_t out[PORTMAP_REQUEST_MAX],
		   const struct portmap_want *w)
{
	struct wire_wr wr = wire_wr(out, PORTMAP_REQUEST_MAX);

	wire_wr_u8(&wr, PCP_VERSION);
	wire_wr_u8(&wr, PCP_OP_MAP);
	put_zeroes(&wr, 2);
	wire_wr_u32(&wr, w->lifetime_s);
	wire_wr_bytes(&wr, w->own_ip, sizeof(w->own_ip));
	wire_wr_bytes(&wr, w->nonce, sizeof(w->nonce));
	wire_wr_u8(&wr, UDP_PROTOCOL);
	put_zeroes(&wr, 3);
	wire_wr_u16(&wr, w->internal_port);
	wire_wr_u16(&wr, w->external.port);
	wire_wr_bytes(&wr, w->external.ip, sizeof(w->external.ip));
	return (size_t)(wr.p - out);
}

size_t natpmp_put_address(uint8_t out[PORTMAP_REQUEST_MAX])
{
	out[0] = NATPMP_VERSION;
	out[1] = NATPMP_OP_ADDRESS;
	return 2;
}

size_t natpmp_put_map(uint8_t out[PORTMAP_REQUEST_MAX],
		      const struct portmap_want *w)
{
	struct wire_wr wr = wire_wr(out, PORTMAP_REQUEST_MAX);

	wire_wr_u8(&wr, NATPMP_VERSION);
	wire_wr_u8(&wr, NATPMP_OP_MAP_UDP);
	put_zeroes(&wr, 2);
	wire_wr_u16(&wr, w->internal_port);
	/* Deleting asks for port 0 (RFC 6886 section 3.4). */
	wire_wr_u16(&wr, w->lifetime_s == 0 ? 0 : w->external.port);
	wire_wr_u32(&wr, w->lifetime_s);
	return (size_t)(wr.p - out);
}

static bool get_natpmp(struct wire_rd r, uint8_t op, struct portmap_msg *out)
{
	const uint8_t *ip;

	out->result = wire_rd_u16(&r);
	/* An old router says so to PCP, with whatever else in its answer. */
	if (!r.bad && out->result == NATPMP_UNSUPP_VERSION) {
		out->kind = PORTMAP_MSG_NATPMP_UNSUPP_VERSION;
		return true;
	}
	out->epoch_s = wire_rd_u32(&r);
	/* A refusal need not bear the rest. */
	if (op == (ANSWER | NATPMP_OP_ADDRESS)) {
		out->kind = PORTMAP_MSG_NATPMP_ADDRESS;
		if (out->result != NATPMP_SUCCESS)
			return !r.bad;
		ip = wire_rd_bytes(&r, 4);
		if (ip)
			out->external =
				net_addr_v4(ip[0], ip[1], ip[2], ip[3], 0);
		return ip != NULL;
	}
	if (op != (ANSWER | NATPMP_OP_MAP_UDP))
		return false;
	out->kind = PORTMAP_MSG_NATPMP_MAP;
	out->internal_port = wire_rd_u16(&r);
	if (out->result != NATPMP_SUCCESS)
		return !r.bad;
	out->external.port = wire_rd_u16(&r);
	out->lifetime_s = wire_rd_u32(&r);
	return !r.bad;
}

static bool get_pcp_map(struct wire_rd r, struct portmap_msg *out)
{
	const uint8_t *nonce = wire_rd_bytes(&r, PORTMAP_NONCE_LEN);
	const uint8_t protocol = wire_rd_u8(&r);
	const uint8_t *ip;

	(void)wire_rd_bytes(&r, 3);
	out->internal_port = wire_rd_u16(&r);
	out->external.port = wire_rd_u16(&r);
	ip = wire_rd_bytes(&r, sizeof(out->external.ip));
	if (!nonce || !ip || protocol != UDP_PROTOCOL)
		return false;
	memcpy(out->nonce, nonce, PORTMAP_NONCE_LEN);
	memcpy(out->external.ip, ip, sizeof(out->external.ip));
	out->kind = PORTMAP_MSG_PCP_MAP;
	return true;
}

static bool get_pcp(struct wire_rd r, uint8_t op, size_t len,
		    struct portmap_msg *out)
{
	(void)wire_rd_u8(&r);
	out->result = wire_rd_u8(&r);
	if (r.bad)
		return false;
	/* Of another version only this much is known (RFC 6887 section 9). */
	if (out->result == PCP_UNSUPP_VERSION) {
		out->kind = PORTMAP_MSG_PCP_UNSUPP_VERSION;
		out->lifetime_s = wire_rd_u32(&r);
		return true;
	}
	if (out->version != PCP_VERSION || len % 4 != 0)
		return false;
	out->lifetime_s = wire_rd_u32(&r);
	out->epoch_s = wire_rd_u32(&r);
	(void)wire_rd_bytes(&r, PCP_HEADER_LEN - 12);
	if (op == (ANSWER | PCP_OP_MAP))
		return get_pcp_map(r, out);
	out->kind = PORTMAP_MSG_PCP_ANNOUNCE;
	return op == (ANSWER | PCP_OP_ANNOUNCE) && !r.bad;
}

bool portmap_msg_get(const uint8_t *data, size_t len, struct portmap_msg *out)
{
	struct wire_rd r = wire_rd(data, len);
	uint8_t op;

	memset(out, 0, sizeof(*out));
	out->version = wire_rd_u8(&r);
	op = wire_rd_u8(&r);
	if (r.bad || !(op & ANSWER) || len > PORTMAP_MSG_MAX)
		return false;
	if (out->version == NATPMP_VERSION)
		return get_natpmp(r, op, out);
	return get_pcp(r, op, len, out);
}

const char *pcp_result_text(uint16_t result)
{
	static const char *const text[] = {
		[PCP_SUCCESS] = "",
		[PCP_UNSUPP_VERSION] = "the router does not speak PCP",
		[PCP_NOT_AUTHORIZED] = "the router does not allow it",
		[PCP_MALFORMED_REQUEST] =
			"the router calls the request malformed",
		[PCP_UNSUPP_OPCODE] = "the router opens no ports by PCP",
		[PCP_UNSUPP_OPTION] = "the router wants another option",
		[PCP_MALFORMED_OPTION] = "the router calls an option malformed",
		[PCP_NETWORK_FAILURE] = "the router has no outside address",
		[PCP_NO_RESOURCES] = "the router has no port left",
		[PCP_UNSUPP_PROTOCOL] = "the router opens no UDP ports",
		[PCP_USER_EX_QUOTA] = "the router's limit for us is reached",
		[PCP_CANNOT_PROVIDE_EXTERNAL] =
			"the router's port is taken by another",
		[PCP_ADDRESS_MISMATCH] =
			"another router stands between us and the gateway",
		[PCP_EXCESSIVE_REMOTE_PEERS] = "the router has too many peers",
	};

	return result < sizeof(text) / sizeof(text[0])
		       ? text[result]
		       : "the router refuses without a known reason";
}

const char *natpmp_result_text(uint16_t result)
{
	static const char *const text[] = {
		[NATPMP_SUCCESS] = "",
		[NATPMP_UNSUPP_VERSION] = "the router does not speak NAT-PMP",
		[NATPMP_NOT_AUTHORIZED] = "the router does not allow it",
		[NATPMP_NETWORK_FAILURE] = "the router has no outside address",
		[NATPMP_NO_RESOURCES] = "the router has no port left",
		[NATPMP_UNSUPP_OPCODE] = "the router opens no UDP ports",
	};

	return result < sizeof(text) / sizeof(text[0])
		       ? text[result]
		       : "the router refuses without a known reason";
}
