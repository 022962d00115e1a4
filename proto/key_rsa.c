/* SPDX-License-Identifier: MIT */

#include "proto/key_rsa.h"

#include <nettle/asn1.h>
#include <nettle/bignum.h>
#include <nettle/rsa.h>
#include <nettle/sha1.h>
#include <sodium.h>
#include <string.h>

#define MODULUS_MIN 64U /* octets */
#define DER_MAX 512U
#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END "-----END PUBLIC KEY-----"

static bool pem_to_der(const char *text, uint8_t der[DER_MAX], size_t *len)
{
	const char *begin = strstr(text, PEM_BEGIN);
	const char *end;

	if (!begin)
		return false;
	begin += strlen(PEM_BEGIN);
	end = strstr(begin, PEM_END);
	return end &&
	       sodium_base642bin(der, DER_MAX, begin, (size_t)(end - begin),
				 " \t\r\n", len, NULL,
				 sodium_base64_VARIANT_ORIGINAL) == 0;
}

/* rsaEncryption, 1.2.840.113549.1.1.1 */
static const uint8_t rsa_oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
				   0x0d, 0x01, 0x01, 0x01 };

/* SubjectPublicKeyInfo (RFC 5280 4.1.2.7) down to the key's own DER. */
static bool open_spki(uint8_t *der, size_t len, struct asn1_der_iterator *spki,
		      struct asn1_der_iterator *key)
{
	struct asn1_der_iterator algorithm;

	return asn1_der_iterator_first(spki, len, der) ==
		       ASN1_ITERATOR_CONSTRUCTED &&
	       spki->type == ASN1_SEQUENCE &&
	       asn1_der_decode_constructed_last(spki) ==
		       ASN1_ITERATOR_CONSTRUCTED &&
	       spki->type == ASN1_SEQUENCE &&
	       asn1_der_decode_constructed(spki, &algorithm) ==
		       ASN1_ITERATOR_PRIMITIVE &&
	       algorithm.type == ASN1_IDENTIFIER &&
	       algorithm.length == sizeof(rsa_oid) &&
	       memcmp(algorithm.data, rsa_oid, sizeof(rsa_oid)) == 0 &&
	       asn1_der_iterator_next(spki) == ASN1_ITERATOR_PRIMITIVE &&
	       spki->type == ASN1_BITSTRING &&
	       asn1_der_decode_bitstring_last(spki) ==
		       ASN1_ITERATOR_CONSTRUCTED &&
	       (*key = *spki, true);
}

static bool store(const struct rsa_public_key *in, struct key_rsa *out)
{
	if (in->size < MODULUS_MIN || in->size > KEY_RSA_MODULUS_MAX ||
	    mpz_sizeinbase(in->e, 2) > 32)
		return false;
	memset(out, 0, sizeof(*out));
	out->modulus_len = in->size;
	out->exponent = (uint32_t)mpz_get_ui(in->e);
	nettle_mpz_get_str_256(in->size, out->modulus, in->n);
	return true;
}

bool key_rsa_from_pem(const char *text, struct key_rsa *out)
{
	struct asn1_der_iterator spki, key;
	struct rsa_public_key rsa;
	uint8_t der[DER_MAX];
	bool good = false;
	size_t len;

	if (!pem_to_der(text, der, &len) || !open_spki(der, len, &spki, &key))
		return false;
	rsa_public_key_init(&rsa);
	if (rsa_public_key_from_der_iterator(&rsa, 8 * KEY_RSA_MODULUS_MAX,
					     &key))
		good = store(&rsa, out);
	rsa_public_key_clear(&rsa);
	return good;
}

bool key_rsa_verify_challenge(const struct key_rsa *key, const char *challenge,
			      const void *answer, size_t len)
{
	uint8_t sig[KEY_RSA_MODULUS_MAX];
	struct rsa_public_key rsa;
	struct sha1_ctx hash;
	size_t sig_len;
	bool good = false;
	mpz_t s;

	if (key->modulus_len == 0 ||
	    sodium_base642bin(sig, sizeof(sig), answer, len, NULL, &sig_len,
			      NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    sig_len != key->modulus_len)
		return false;
	rsa_public_key_init(&rsa);
	mpz_init(s);
	nettle_mpz_set_str_256_u(rsa.n, key->modulus_len, key->modulus);
	mpz_set_ui(rsa.e, key->exponent);
	nettle_mpz_set_str_256_u(s, sig_len, sig);
	sha1_init(&hash);
	sha1_update(&hash, strlen(challenge), (const uint8_t *)challenge);
	if (rsa_public_key_prepare(&rsa))
		good = rsa_sha1_verify(&rsa, &hash, s) != 0;
	mpz_clear(s);
	rsa_public_key_clear(&rsa);
	return good;
}
