/* SPDX-License-Identifier: MIT */

#include "proto/openover_session.h"

#include <string.h>

#include "proto/iax2_ie.h"

#define WINDOW 64U

bool replay_accept(struct replay_window *w, uint64_t counter)
{
	if (counter == 0)
		return false;
	if (counter > w->highest) {
		const uint64_t step = counter - w->highest;

		w->seen = step >= WINDOW ? 0 : w->seen << step;
		w->seen |= 1;
		w->highest = counter;
		return true;
	}
	if (w->highest - counter >= WINDOW ||
	    (w->seen >> (w->highest - counter) & 1))
		return false;
	w->seen |= UINT64_C(1) << (w->highest - counter);
	return true;
}

static const char *const sign_label[] = {
	[OO_ROLE_NODE] = "keyhole register",
	[OO_ROLE_REGISTRAR] = "keyhole registrar",
	[OO_ROLE_REFUSAL] = "keyhole refusal",
};

#define TRANSCRIPT_PARTS 6

/* The registrar's own statements leave the node's key out: a node that was
 * entered under another key must still be able to read the refusal. */
static void transcript_parts(const struct oo_transcript *t, bool with_node_key,
			     struct key_part parts[TRANSCRIPT_PARTS])
{
	const size_t key_len = with_node_key ? KEY_PUBLIC_LEN : 0;

	parts[0] = (struct key_part){ t->number, strlen(t->number) };
	parts[1] = (struct key_part){ t->challenge, strlen(t->challenge) };
	parts[2] = (struct key_part){ t->node_key, key_len };
	parts[3] = (struct key_part){ t->registrar_key, KEY_PUBLIC_LEN };
	parts[4] = (struct key_part){ t->node_hello, KEY_PUBLIC_LEN };
	parts[5] = (struct key_part){ t->registrar_hello, KEY_PUBLIC_LEN };
}

void oo_transcript_sign(const struct oo_transcript *t, enum oo_role role,
			const struct key_identity *id,
			uint8_t sig[KEY_SIGNATURE_LEN])
{
	struct key_part parts[TRANSCRIPT_PARTS];

	transcript_parts(t, role == OO_ROLE_NODE, parts);
	key_sign(id, sign_label[role], parts, TRANSCRIPT_PARTS, sig);
}

bool oo_transcript_verify(const struct oo_transcript *t, enum oo_role role,
			  const uint8_t sig[KEY_SIGNATURE_LEN])
{
	const uint8_t *key =
		role == OO_ROLE_NODE ? t->node_key : t->registrar_key;
	struct key_part parts[TRANSCRIPT_PARTS];

	transcript_parts(t, role == OO_ROLE_NODE, parts);
	return key_verify(key, sign_label[role], parts, TRANSCRIPT_PARTS, sig);
}

bool oo_session_agree(struct oo_session *s, const struct oo_transcript *t,
		      enum oo_role role, const uint8_t secret[KEY_SHARED_LEN])
{
	const bool node = role == OO_ROLE_NODE;
	struct key_part parts[TRANSCRIPT_PARTS];
	uint8_t shared[KEY_SHARED_LEN];

	if (!key_agree(shared, secret,
		       node ? t->registrar_hello : t->node_hello))
		return false;
	transcript_parts(t, true, parts);
	memset(s, 0, sizeof(*s));
	key_derive(node ? s->tx_key : s->rx_key, shared, "keyhole session node",
		   parts, TRANSCRIPT_PARTS);
	key_derive(node ? s->rx_key : s->tx_key, shared,
		   "keyhole session registrar", parts, TRANSCRIPT_PARTS);
	s->id = key_derive_u64(shared, "keyhole session id", parts,
			       TRANSCRIPT_PARTS);
	s->id += s->id == 0;
	key_wipe(shared, sizeof(shared));
	return true;
}

uint64_t oo_session_put(struct oo_session *s, struct wire_wr *w)
{
	s->tx_counter++;
	wire_wr_u8(w, IAX2_IE_KH_SESSION);
	wire_wr_u8(w, 16);
	wire_wr_u64(w, s->id);
	wire_wr_u64(w, s->tx_counter);
	return s->tx_counter;
}

bool oo_session_check(struct oo_session *s, const uint8_t *frame, size_t len,
		      uint64_t counter)
{
	return seal_check(frame, len, s->rx_key) &&
	       replay_accept(&s->rx, counter);
}

void oo_session_cipher(const struct oo_session *s, bool ours, uint64_t counter,
		       uint8_t token[KEY_SHARED_LEN])
{
	uint8_t key[KEY_SHARED_LEN];

	key_derive(key, ours ? s->tx_key : s->rx_key, "keyhole token cipher",
		   NULL, 0);
	key_cipher(token, KEY_SHARED_LEN, key, counter);
	key_wipe(key, sizeof(key));
}
