/* SPDX-License-Identifier: MIT */

#include "proto/key_box.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(KEY_BOX_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	      "XChaCha20");
static_assert(KEY_BOX_MAC_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES,
	      "Poly1305");
static_assert(KEY_SHARED_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	      "XChaCha20");

void key_box_seal(uint8_t *box, const uint8_t key[KEY_SHARED_LEN],
		  const uint8_t nonce[KEY_BOX_NONCE_LEN],
		  struct key_box_with with, const uint8_t *content, size_t len)
{
	memcpy(box, nonce, KEY_BOX_NONCE_LEN);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
		box + KEY_BOX_NONCE_LEN, NULL, content, len, with.data,
		with.len, NULL, nonce, key);
}

bool key_box_open(uint8_t *content, const uint8_t key[KEY_SHARED_LEN],
		  struct key_box_with with, const uint8_t *box, size_t box_len)
{
	return box_len >= KEY_BOX_EXTRA &&
	       crypto_aead_xchacha20poly1305_ietf_decrypt(
		       content, NULL, NULL, box + KEY_BOX_NONCE_LEN,
		       box_len - KEY_BOX_NONCE_LEN, with.data, with.len, box,
		       key) == 0;
}
