/* SPDX-License-Identifier: MIT */
#ifndef PROTO_KEY_BOX_H
#define PROTO_KEY_BOX_H

/*
 * Secret and authentic octets for those who share a key: XChaCha20-Poly1305
 * (RFC 8439 with the nonce of draft-irtf-cfrg-xchacha-03).  The nonce is long
 * enough to be drawn at random by many who use one key.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/keys.h"

#define KEY_BOX_NONCE_LEN 24U
#define KEY_BOX_MAC_LEN 16U
/* What a box is longer than its content. */
#define KEY_BOX_EXTRA (KEY_BOX_NONCE_LEN + KEY_BOX_MAC_LEN)

/* What belongs to a box but is known to its reader: of any length. */
struct key_box_with {
	const void *data;
	size_t len;
};

/* @box gets the nonce, the encrypted content, and the check: @len +
 * KEY_BOX_EXTRA octets. */
void key_box_seal(uint8_t *box, const uint8_t key[KEY_SHARED_LEN],
		  const uint8_t nonce[KEY_BOX_NONCE_LEN],
		  struct key_box_with with, const uint8_t *content, size_t len);
/* @content gets @box_len - KEY_BOX_EXTRA octets; false, and nothing of use in
 * it, when the box is too short or not made with this key, for this @with. */
bool key_box_open(uint8_t *content, const uint8_t key[KEY_SHARED_LEN],
		  struct key_box_with with, const uint8_t *box, size_t box_len);

#endif
