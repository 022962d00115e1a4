/* SPDX-License-Identifier: MIT */
#ifndef PROTO_KEY_RSA_H
#define PROTO_KEY_RSA_H

/*
 * Checking RSA answers to a challenge (RFC 5456 8.6.13 and 8.6.16), as the
 * AllStarLink telephone portal gives them: PKCS #1 v1.5 with SHA-1 (RFC 8017
 * 8.2.2), in base64.  For that one old peer only; nothing of ours signs so.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An answer in base64 must fit an element of 255 octets. */
#define KEY_RSA_MODULUS_MAX 190U

struct key_rsa {
	uint8_t modulus[KEY_RSA_MODULUS_MAX]; /* big-endian */
	size_t modulus_len;                   /* octets, 64..190; 0: no key */
	uint32_t exponent;
};

/* A public key in PEM (RFC 7468 section 13, "BEGIN PUBLIC KEY").  False, and
 * *@out untouched, for anything else, or a key of another size. */
bool key_rsa_from_pem(const char *text, struct key_rsa *out);

/* Is @answer, of @len octets, the owner's signature of @challenge?  Allocates
 * while it runs. */
bool key_rsa_verify_challenge(const struct key_rsa *key, const char *challenge,
			      const void *answer, size_t len);

#endif
