/* SPDX-License-Identifier: MIT */

#include "proto/key_rsa.h"

#include <string.h>

#include "tests/t.h"

/* Made with OpenSSL 3.0: genrsa 1024, rsa -pubout, dgst -sha1 -sign. */
static const char portal[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCmI0ZPONhGWeJgcU2N7k9EdNJ6\n"
	"ENumNs1L8/MQKvaGRRfw/cG7Xerg3jkPeOKQ3MGELOHd5iAwt3jXExkbinvfB6Ac\n"
	"Ski2sgjRzLb27g7JBhWB1g6FLf1b85fk3rpaO6SRgZqy8GSkb3lC307m47AIvvWG\n"
	"Upxu5LvD8VuiwQsqnwIDAQAB\n"
	"-----END PUBLIC KEY-----\n";
static const char challenge[] = "158459752";
static const char answer[] =
	"mxD567WOuyhLEc0griKDmuH6FbEfuZkfmOdxi2SZvYzBvrgdALOEn94g+s5AAWYbBcjU"
	"HBeUd3bLevd4rNMqaW5UScu1arTt2P10R8rOqfBmN3UMV5uWjKgLmewRjxGeljgbcXVk"
	"d8i/FercQeuTJZ5lwTvn/aoNJqNfn5U+OHQ=";

/* An elliptic curve's key, and an RSA key too long for an answer in 255
 * octets. */
static const char *const others[] = {
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmjvMzPzJsH3XwLA0+ZOk0o/ZCfBn\n"
	"ilsT2lgdBGuuhmN3VaaxjrIyUCey8GeqIk36Sl2ugTzQYpYNeTgLbRZVvw==\n"
	"-----END PUBLIC KEY-----\n",
	"-----BEGIN PUBLIC KEY-----\n"
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnV9SOeOykY20GVGMtom3\n"
	"dqlgy48sK4M84yvqtfq5767YTZSO8er66YqQUqtiSe2qZvJEKJLG9MeZ0ccqTyzJ\n"
	"keK66L67SQ/rKpIq9wIohdengALducLW1oqOILuOE7AbiBt91AREbULZneCFoqbc\n"
	"rBOxMfJFT79O0UJFasPtkJOhNr2wO0+TEd7auZE3HiTlx3TNeGhLW3OxYMtuK6wg\n"
	"upQZCZm4f3Y5p30rrBtYjJ+xgeBvleEpFzSPUCxtsezWv9rJHjhoLAONCaJ3vvgg\n"
	"Nwl/aTtr0+4jaVfDFmoMqYQrNVGdXGa3I/Ag3qQFN/8XngWILBDJB2MmoqaFwuPA\n"
	"VQIDAQAB\n"
	"-----END PUBLIC KEY-----\n",
	"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
	"-----BEGIN PUBLIC KEY-----\n",
	"",
};

static struct key_rsa key;

static void a_public_key_is_read_from_pem(void)
{
	T_TRUE(key_rsa_from_pem(portal, &key));
	T_EQ(128, key.modulus_len);
	T_EQ(65537, key.exponent);
	T_EQ(0xa6, key.modulus[0]);
	T_EQ(0x9f, key.modulus[127]);
}

static void what_is_no_such_key_is_refused(void)
{
	struct key_rsa k = { .exponent = 7 };
	char cut[sizeof(portal)];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		T_TRUE(!key_rsa_from_pem(others[i], &k));
	/* Each character of the key's text turned into another. */
	for (size_t i = 27; i < 60; i++) {
		memcpy(cut, portal, sizeof(cut));
		cut[i] = cut[i] == 'A' ? 'B' : 'A';
		(void)key_rsa_from_pem(cut, &k);
	}
	k = (struct key_rsa){ .exponent = 7 };
	for (size_t i = 0; i + 27 < sizeof(portal); i++) {
		memcpy(cut, portal, sizeof(cut));
		cut[i] = '\0';
		T_TRUE(!key_rsa_from_pem(cut, &k));
	}
	T_EQ(7, k.exponent);
	T_EQ(0, k.modulus_len);
	T_TRUE(!key_rsa_verify_challenge(&k, challenge, answer,
					 sizeof(answer) - 1));
}

static void the_right_answer_alone_is_believed(void)
{
	char wrong[sizeof(answer)];

	T_TRUE(key_rsa_verify_challenge(&key, challenge, answer,
					sizeof(answer) - 1));
	T_TRUE(!key_rsa_verify_challenge(&key, "158459753", answer,
					 sizeof(answer) - 1));
	T_TRUE(!key_rsa_verify_challenge(&key, challenge, answer,
					 sizeof(answer) - 2));
	T_TRUE(!key_rsa_verify_challenge(&key, challenge, "", 0));
	for (size_t i = 0; i < sizeof(answer) - 2; i++) {
		memcpy(wrong, answer, sizeof(wrong));
		wrong[i] = wrong[i] == 'A' ? 'Q' : 'A';
		T_TRUE(!key_rsa_verify_challenge(&key, challenge, wrong,
						 sizeof(wrong) - 1));
	}
}

int main(void)
{
	T_RUN(a_public_key_is_read_from_pem);
	T_RUN(what_is_no_such_key_is_refused);
	T_RUN(the_right_answer_alone_is_believed);
	return T_DONE();
}
