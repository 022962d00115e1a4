/* SPDX-License-Identifier: MIT */

/* The octets by which a router is asked for a port and answers: written by hand
 * from RFC 6887 (PCP) and RFC 6886 (NAT-PMP). */

#include "proto/portmap_wire.h"
#include "tests/t.h"

/* MAP, success, 7200 s, epoch 5, UDP 4569 at ::ffff:198.51.100.7 port 40001. */
static const uint8_t pcp_map[60] = {
	2,    0x81, 0,           0,        0,   0,  0x1c, 0x20,        0,
	0,    0,    5,           [24] = 1, 2,   3,  4,    5,           6,
	7,    8,    9,           10,       11,  12, 17,   [40] = 0x11, 0xd9,
	0x9c, 0x41, [54] = 0xff, 0xff,     198, 51, 100,  7,
};
static const uint8_t pcp_announce[24] = { 2, 0x80, [11] = 9 };
static const uint8_t natpmp_address[12] = { 0, 0x80, 0,   0,  0,   0,
					    0, 5,    198, 51, 100, 7 };
static const uint8_t natpmp_map[16] = {
	0, 0x81, 0, 0, 0, 0, 0, 5, 0x11, 0xd9, 0x9c, 0x41, 0, 0, 0x1c, 0x20
};

static bool get(const uint8_t *data, size_t len, struct portmap_msg *out)
{
	uint8_t *copy = t_dup(data, len);
	const bool ok = portmap_msg_get(copy, len, out);

	free(copy);
	return ok;
}

static void every_field_of_a_pcp_mapping_is_read(void)
{
	const struct net_addr want = net_addr_v4(198, 51, 100, 7, 40001);
	struct portmap_msg m;

	T_TRUE(get(pcp_map, sizeof(pcp_map), &m));
	T_EQ(PORTMAP_MSG_PCP_MAP, m.kind);
	T_EQ(2, m.version);
	T_EQ(PCP_SUCCESS, m.result);
	T_EQ(7200, m.lifetime_s);
	T_EQ(5, m.epoch_s);
	T_TRUE(memcmp(m.nonce, pcp_map + 24, sizeof(m.nonce)) == 0);
	T_EQ(4569, m.internal_port);
	T_TRUE(net_addr_equal(&want, &m.external));
	T_TRUE(get(pcp_announce, sizeof(pcp_announce), &m));
	T_EQ(PORTMAP_MSG_PCP_ANNOUNCE, m.kind);
	T_EQ(9, m.epoch_s);
}

static void every_field_of_nat_pmp_is_read(void)
{
	const struct net_addr want = net_addr_v4(198, 51, 100, 7, 0);
	struct portmap_msg m;

	T_TRUE(get(natpmp_address, sizeof(natpmp_address), &m));
	T_EQ(PORTMAP_MSG_NATPMP_ADDRESS, m.kind);
	T_EQ(5, m.epoch_s);
	T_TRUE(net_addr_equal(&want, &m.external));
	T_TRUE(get(natpmp_map, sizeof(natpmp_map), &m));
	T_EQ(PORTMAP_MSG_NATPMP_MAP, m.kind);
	T_EQ(4569, m.internal_port);
	T_EQ(40001, m.external.port);
	T_EQ(7200, m.lifetime_s);
}

static void every_truncation_is_refused(void)
{
	struct portmap_msg m;

	for (size_t n = 0; n < sizeof(pcp_map); n++)
		T_TRUE(!get(pcp_map, n, &m));
	for (size_t n = 0; n < sizeof(pcp_announce); n++)
		T_TRUE(!get(pcp_announce, n, &m));
	for (size_t n = 0; n < sizeof(natpmp_address); n++)
		T_TRUE(!get(natpmp_address, n, &m));
	for (size_t n = 0; n < sizeof(natpmp_map); n++)
		T_TRUE(!get(natpmp_map, n, &m));
}

static void what_is_too_long_or_no_answer_is_refused(void)
{
	uint8_t buf[PORTMAP_MSG_MAX + 4] = { 0 };
	struct portmap_msg m;

	memcpy(buf, pcp_map, sizeof(pcp_map));
	T_TRUE(get(buf, PORTMAP_MSG_MAX, &m));
	T_TRUE(!get(buf, PORTMAP_MSG_MAX + 4, &m));
	/* PCP comes in fours (RFC 6887 section 8.3). */
	T_TRUE(!get(buf, sizeof(pcp_map) + 1, &m));
	buf[1] = 1; /* a request */
	T_TRUE(!get(buf, sizeof(pcp_map), &m));
	buf[1] = 0x82; /* PEER */
	T_TRUE(!get(buf, sizeof(pcp_map), &m));
	buf[1] = 0x81;
	buf[36] = 6; /* TCP */
	T_TRUE(!get(buf, sizeof(pcp_map), &m));
	buf[36] = 17;
	buf[0] = 1; /* a version that there was before PCP was one */
	T_TRUE(!get(buf, sizeof(pcp_map), &m));
	memcpy(buf, natpmp_map, sizeof(natpmp_map));
	buf[1] = 0x82; /* TCP's opcode */
	T_TRUE(!get(buf, sizeof(natpmp_map), &m));
}

static void a_refusal_needs_no_more_than_its_head(void)
{
	static const uint8_t pcp_version[] = { 1, 0x81, 0, PCP_UNSUPP_VERSION,
					       0, 0,    0, 30 };
	static const uint8_t natpmp_version[] = { 0, 0x80, 0,
						  NATPMP_UNSUPP_VERSION };
	struct portmap_msg m;
	uint8_t buf[16];

	T_TRUE(get(pcp_version, sizeof(pcp_version), &m));
	T_EQ(PORTMAP_MSG_PCP_UNSUPP_VERSION, m.kind);
	T_EQ(1, m.version);
	T_EQ(30, m.lifetime_s);
	T_TRUE(get(natpmp_version, sizeof(natpmp_version), &m));
	T_EQ(PORTMAP_MSG_NATPMP_UNSUPP_VERSION, m.kind);
	memcpy(buf, natpmp_address, sizeof(natpmp_address));
	buf[3] = NATPMP_NETWORK_FAILURE;
	T_TRUE(get(buf, 8, &m));
	T_EQ(NATPMP_NETWORK_FAILURE, m.result);
	memcpy(buf, natpmp_map, sizeof(natpmp_map));
	buf[3] = NATPMP_NO_RESOURCES;
	T_TRUE(!get(buf, 9, &m));
	T_TRUE(get(buf, 10, &m));
	T_EQ(NATPMP_NO_RESOURCES, m.result);
	T_EQ(4569, m.internal_port);
}

static void requests_are_what_the_rfcs_say(void)
{
	struct portmap_want w = {
		.nonce = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
		.internal_port = 4569,
		.external = net_addr_v4(198, 51, 100, 7, 40001),
		.lifetime_s = 7200,
	};
	const struct net_addr own = net_addr_v4(192, 168, 1, 20, 0);
	uint8_t buf[PORTMAP_REQUEST_MAX];

	memcpy(w.own_ip, own.ip, sizeof(w.own_ip));
	T_EQ(60, pcp_put_map(buf, &w));
	T_EQ(2, buf[0]);
	T_EQ(1, buf[1]);
	T_TRUE(memcmp(buf + 4, pcp_map + 4, 4) == 0);
	T_TRUE(memcmp(buf + 8, own.ip, 16) == 0);
	T_TRUE(memcmp(buf + 24, pcp_map + 24, 36) == 0);
	T_EQ(2, natpmp_put_address(buf));
	T_EQ(0, buf[0] | buf[1]);
	T_EQ(12, natpmp_put_map(buf, &w));
	T_EQ(1, buf[1]);
	T_TRUE(memcmp(buf + 4, natpmp_map + 8, 8) == 0);
	w.lifetime_s = 0;
	T_EQ(12, natpmp_put_map(buf, &w));
	T_EQ(0, buf[6] | buf[7]);
}

static void every_result_has_words(void)
{
	for (uint16_t r = 1; r < 300; r++) {
		T_TRUE(pcp_result_text(r)[0] != '\0');
		T_TRUE(natpmp_result_text(r)[0] != '\0');
	}
	T_STR("", pcp_result_text(PCP_SUCCESS));
	T_STR("", natpmp_result_text(NATPMP_SUCCESS));
}

int main(void)
{
	T_RUN(every_field_of_a_pcp_mapping_is_read);
	T_RUN(every_field_of_nat_pmp_is_read);
	T_RUN(every_truncation_is_refused);
	T_RUN(what_is_too_long_or_no_answer_is_refused);
	T_RUN(a_refusal_needs_no_more_than_its_head);
	T_RUN(requests_are_what_the_rfcs_say);
	T_RUN(every_result_has_words);
	return T_DONE();
}
