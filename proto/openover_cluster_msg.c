/* SPDX-License-Identifier: MIT */

#include "proto/openover_cluster_msg.h"

#include <string.h>

#include "proto/wire.h"

#define VERSION 1U

void oo_cluster_keys_from(struct oo_cluster_keys *out,
			  const uint8_t secret[KEY_SHARED_LEN])
{
	key_derive(out->message, secret, "keyhole cluster message", NULL, 0);
	key_derive(out->presence, secret, "keyhole cluster presence", NULL, 0);
	out->tag = key_derive_u64(secret, "keyhole cluster tag", NULL, 0);
}

size_t oo_cluster_msg_seal(const struct oo_cluster_msg *m,
			   const struct oo_cluster_keys *k,
			   const uint8_t nonce[KEY_BOX_NONCE_LEN],
			   uint8_t out[OO_CLUSTER_MSG_MAX])
{
	struct wire_wr w = wire_wr(out, OO_CLUSTER_HEAD);

	if (m->len > OO_FRAME_MAX)
		return 0;
	wire_wr_u8(&w, VERSION);
	wire_wr_u8(&w, (uint8_t)m->kind);
	wire_wr_u64(&w, m->from);
	wire_wr_u64(&w, m->to);
	wire_wr_u64(&w, m->counter);
	wire_wr_u64(&w, m->at_ms);
	key_box_seal(out + OO_CLUSTER_HEAD, k->message, nonce,
		     (struct key_box_with){ out, OO_CLUSTER_HEAD }, m->body,
		     m->len);
	return OO_CLUSTER_HEAD + m->len + KEY_BOX_EXTRA;
}

bool oo_cluster_msg_open(const uint8_t *data, size_t len,
			 const struct oo_cluster_keys *k,
			 uint8_t buf[OO_FRAME_MAX], struct oo_cluster_msg *out)
{
	struct wire_rd r = wire_rd(data, len);
	uint8_t version;

	if (len < OO_CLUSTER_HEAD + KEY_BOX_EXTRA || len > OO_CLUSTER_MSG_MAX)
		return false;
	version = wire_rd_u8(&r);
	*out = (struct oo_cluster_msg){ .kind = wire_rd_u8(&r) };
	out->from = wire_rd_u64(&r);
	out->to = wire_rd_u64(&r);
	out->counter = wire_rd_u64(&r);
	out->at_ms = wire_rd_u64(&r);
	out->body = buf;
	out->len = len - OO_CLUSTER_HEAD - KEY_BOX_EXTRA;
	return version == VERSION &&
	       key_box_open(buf, k->message,
			    (struct key_box_with){ data, OO_CLUSTER_HEAD },
			    data + OO_CLUSTER_HEAD, len - OO_CLUSTER_HEAD);
}

void oo_cluster_presence_seal(const struct oo_cluster_presence *p,
			      const char *number,
			      const struct oo_cluster_keys *k,
			      const uint8_t nonce[KEY_BOX_NONCE_LEN],
			      uint8_t out[OO_CLUSTER_PRESENCE_LEN])
{
	uint8_t content[16 + KEY_PUBLIC_LEN];
	struct wire_wr w = wire_wr(content, sizeof(content));

	wire_wr_u64(&w, p->at);
	wire_wr_u64(&w, p->heard_ms);
	wire_wr_bytes(&w, p->key, KEY_PUBLIC_LEN);
	key_box_seal(out, k->presence, nonce,
		     (struct key_box_with){ number, strlen(number) }, content,
		     sizeof(content));
}

bool oo_cluster_presence_open(const uint8_t *data, size_t len,
			      const char *number,
			      const struct oo_cluster_keys *k,
			      struct oo_cluster_presence *out)
{
	uint8_t content[16 + KEY_PUBLIC_LEN] = { 0 };
	struct wire_rd r = wire_rd(content, sizeof(content));

	if (len != OO_CLUSTER_PRESENCE_LEN ||
	    !key_box_open(content, k->presence,
			  (struct key_box_with){ number, strlen(number) }, data,
			  len))
		return false;
	out->at = wire_rd_u64(&r);
	out->heard_ms = wire_rd_u64(&r);
	memcpy(out->key, wire_rd_bytes(&r, KEY_PUBLIC_LEN), KEY_PUBLIC_LEN);
	return true;
}
