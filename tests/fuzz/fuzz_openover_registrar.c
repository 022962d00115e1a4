/* SPDX-License-Identifier: MIT */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"
#include "proto/openover_registrar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void counting_random(void *ctx, uint8_t *buf, size_t len)
{
	uint8_t *n = ctx;

	for (size_t i = 0; i < len; i++)
		buf[i] = (*n)++;
}

/* The last challenge to a plain client, and what answers it. */
struct challenged {
	struct net_addr at;
	struct iax2_full hdr;
	char md5[33];
};

static void note_challenge(struct challenged *c, const struct dgram *d)
{
	struct oo_msg m;

	if (oo_msg_decode(d->data, d->len, &m) != IAX2_OK || !m.has_challenge ||
	    m.has_hello)
		return;
	c->at = d->path.peer;
	c->hdr = m.hdr;
	key_md5_response(m.challenge, "sesame", c->md5);
}

/* What a fuzzer cannot find by itself: a good answer, as REGREL when @rel. */
static struct dgram proof(const struct challenged *c, bool rel,
			  uint8_t buf[OO_FRAME_MAX])
{
	const struct iax2_full hdr = { .src_callno = c->hdr.dst_callno,
				       .dst_callno = c->hdr.src_callno,
				       .oseq = 1,
				       .iseq = 1 };
	struct wire_wr w = oo_frame_begin(
		buf, rel ? IAX2_IAX_REGREL : IAX2_IAX_REGREQ, &hdr);

	iax2_ie_put_text(&w, IAX2_IE_USERNAME, "fax");
	iax2_ie_put_text(&w, IAX2_IE_MD5_RESULT, c->md5);
	return (struct dgram){ .path.peer = c->at,
			       .data = buf,
			       .len = (size_t)(w.p - buf) };
}

/* Only one that answered a call token or is listed is challenged with more
 * than it sent, and only one that answered that is acknowledged so. */
static size_t counted(const struct dgram *out)
{
	const uint8_t subclass = out->data[11];

	return subclass == IAX2_IAX_REGAUTH || subclass == IAX2_IAX_REGREJ ||
			       subclass == IAX2_IAX_REGACK
		       ? 0
		       : out->len;
}

static struct oo_registrar *make(uint8_t *n)
{
	const uint8_t seed[KEY_SEED_LEN] = { 1 };
	/* 10.0.0.128 and above know no call tokens. */
	static const struct net_prefix listed = {
		{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 128 },
		  0 },
		121
	};
	static const struct oo_measure_ends ends = {
		.told = { .port = 4570, .tcp = true },
		.port = { 1, 1 },
		.other = 2,
	};
	struct key_identity id;
	const struct oo_registrar_cfg cfg = { .identity = &id,
					      .nodes_max = 16,
					      .plain_max = 4,
					      .opens_max = 16,
					      .tx_max = 64,
					      .refresh_s = 300,
					      .registrations_per_min = 600,
					      .opens_per_min = 60,
					      .auth_failures_per_min = 60,
					      .token_optional = &listed,
					      .token_optional_n = 1,
					      .random = counting_random,
					      .random_ctx = n };
	struct oo_registrar *reg;

	key_identity_from_seed(&id, seed);
	reg = oo_registrar_new(&cfg, MONO_S);
	if (!reg || oo_registrar_node_put(reg, "2001", id.public_key) ||
	    oo_registrar_plain_put(reg, "fax", "sesame"))
		abort();
	oo_registrar_measure(reg, &ends);
	return reg;
}

/* A registrar fed a sequence of {time step, sender, length, frame}, where no
 * frame means a good answer to the last challenge: it never sends an unproved
 * sender more than it got, and never fails. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t n = 0, buf[OO_FRAME_MAX];
	struct wire_rd r = wire_rd(data, size);
	struct challenged last = { .md5 = "" };
	struct oo_registrar *reg;
	mono_us now = MONO_S;

	if (sodium_init() < 0)
		abort();
	reg = make(&n);
	while (wire_rd_left(&r) >= 4) {
		const mono_us step = wire_rd_u16(&r);
		const uint8_t from = wire_rd_u8(&r);
		const size_t len = wire_rd_u8(&r);
		const size_t have = wire_rd_left(&r);
		struct dgram in = {
			.path.peer = net_addr_v4(10, 0, 0, from, 4569),
			.len = len < have ? len : have,
		};
		struct dgram out;
		size_t answered = 0;

		in.data = wire_rd_bytes(&r, in.len);
		if (in.len == 0)
			in = proof(&last, from & 1, buf);
		now += step * MONO_MS;
		oo_registrar_tick(reg, now);
		(void)oo_registrar_rx(reg, &in, now);
		while (oo_registrar_next_tx(reg, &out)) {
			note_challenge(&last, &out);
			answered += counted(&out);
		}
		if (answered > in.len)
			abort();
	}
	reg = oo_registrar_free(reg);
	return 0;
}
