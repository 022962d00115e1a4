/* SPDX-License-Identifier: MIT */

/*
 * AUTHREQ and AUTHREP (RFC 5456 sections 6.2.6 and 6.2.7): who calls proves
 * itself without a ticket.
 *
 * A key signs no bare number: whoever is called could have it sign what a third
 * node asked, and call there in its name.  So a challenge for a key says whose
 * it is: "keyhole CALLED CALLING RANDOM".  What remains is that a caller that
 * is led to a wrong address has its exchange passed on from there, as anybody
 * on the path could do.
 */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define PROVE_US (5 * MONO_S) /* the caller's time for an AUTHREP */
#define AUTHREQS_MAX 3U
#define CAUSECODE_NO_AUTHORITY 50U
#define RANDOM_DIGITS 16U

static bool is_word(const char *s)
{
	return s[0] != '\0' && !strchr(s, ' ');
}

/* "keyhole CALLED CALLING " and its length; 0 where these are no plain words
 * or leave no room. */
static size_t call_names(const struct call *c, char out[CALL_CHALLENGE_MAX + 1])
{
	const char *const words[] = { "keyhole", c->called, c->calling };
	size_t n = 0;

	for (size_t i = 0; i < 3; i++) {
		const size_t len = strlen(words[i]);

		if (!is_word(words[i]) ||
		    n + len + 1 + RANDOM_DIGITS > CALL_CHALLENGE_MAX)
			return 0;
		memcpy(out + n, words[i], len);
		n += len;
		out[n++] = ' ';
	}
	out[n] = '\0';
	return n;
}

static void make_challenge(struct iax2_endpoint *ep, struct call *c)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t b[RANDOM_DIGITS / 2] = { 0 };
	char *at = c->challenge;

	if (c->want_key)
		at += call_names(c, c->challenge);
	ep->cfg.random(ep->cfg.random_ctx, b, sizeof(b));
	for (size_t i = 0; i < sizeof(b); i++) {
		*at++ = hex[b[i] >> 4];
		*at++ = hex[b[i] & 15];
	}
	*at = '\0';
}

static bool is_for_this_call(const struct call *c, const char *challenge)
{
	char want[CALL_CHALLENGE_MAX + 1];
	const size_t n = call_names(c, want);
	size_t digits;

	if (n == 0 || strncmp(challenge, want, n) != 0)
		return false;
	digits = strspn(challenge + n, "0123456789abcdef");
	return digits >= RANDOM_DIGITS && challenge[n + digits] == '\0';
}

/* What the caller may prove itself with; the AUTHMETHODS for that, 0: nothing
 * usable. */
static uint16_t keep_credentials(struct call *c,
				 const struct iax2_credentials *want)
{
	uint16_t methods = 0;

	if (want->md5_secret &&
	    strlen(want->md5_secret) >= sizeof(c->md5_secret))
		return 0;
	if (want->public_key && call_names(c, c->challenge) > 0) {
		memcpy(c->public_key, want->public_key, KEY_PUBLIC_LEN);
		methods |= IAX2_AUTH_ED25519;
	}
	c->want_key = (methods & IAX2_AUTH_ED25519) != 0;
	if (want->rsa) {
		c->rsa = *want->rsa;
		methods |= IAX2_AUTH_RSA;
	}
	if (want->md5_secret) {
		memcpy(c->md5_secret, want->md5_secret,
		       strlen(want->md5_secret) + 1);
		methods |= IAX2_AUTH_MD5;
	}
	return methods;
}

enum iax2_err iax2_challenge(struct iax2_endpoint *ep, struct iax2_call_id call,
			     const struct iax2_credentials *want, mono_us now)
{
	struct call *c = endpoint_call(ep, call);
	uint8_t body[128];
	struct wire_wr w = wire_wr(body, sizeof(body));
	uint16_t methods;
	enum iax2_err err;

	ep->now = now;
	if (!c)
		return IAX2_E_STALE;
	if (c->outbound || c->state != CALL_WAIT_NODE)
		return IAX2_E_STATE;
	methods = keep_credentials(c, want);
	if (methods == 0)
		return IAX2_E_RANGE;
	make_challenge(ep, c);
	iax2_ie_put_u16(&w, IAX2_IE_AUTHMETHODS, methods);
	iax2_ie_put_text(&w, IAX2_IE_CHALLENGE, c->challenge);
	iax2_ie_put_text(&w, IAX2_IE_USERNAME, c->username);
	err = transport_send_iax(ep, c, IAX2_IAX_AUTHREQ, body, &w, now);
	if (err != IAX2_OK)
		return err;
	c->state = CALL_CHALLENGED;
	c->state_due = now + PROVE_US;
	endpoint_call_touch(ep, c);
	return IAX2_OK;
}

static enum iax2_proof proof_in(const struct call *c, const struct iax2_full *f)
{
	struct iax2_ie_view v;
	char want[33], got[33];

	if (c->want_key &&
	    iax2_ie_find(f->body, f->body_len, IAX2_IE_ED25519_RESULT, &v) &&
	    key_verify_challenge(c->public_key, c->challenge, v.value, v.len))
		return IAX2_PROOF_ED25519;
	if (c->rsa.modulus_len != 0 &&
	    iax2_ie_find(f->body, f->body_len, IAX2_IE_RSA_RESULT, &v) &&
	    key_rsa_verify_challenge(&c->rsa, c->challenge, v.value, v.len))
		return IAX2_PROOF_RSA;
	if (c->md5_secret[0] == '\0' ||
	    !iax2_ie_text(f->body, f->body_len, IAX2_IE_MD5_RESULT, got,
			  sizeof(got)) ||
	    strlen(got) != 32)
		return IAX2_PROOF_NONE;
	key_md5_response(c->challenge, c->md5_secret, want);
	return key_equal(want, got, 32) ? IAX2_PROOF_MD5 : IAX2_PROOF_NONE;
}

void call_on_authrep(struct iax2_endpoint *ep, struct call *c,
		     const struct iax2_full *f, mono_us now)
{
	enum iax2_proof proof;

	if (c->outbound || c->state != CALL_CHALLENGED)
		return;
	proof = proof_in(c, f);
	if (proof == IAX2_PROOF_NONE) {
		ep->n.auth_failed++;
		(void)rate_table_take_for(ep->auth_failures, &c->path.peer,
					  c->calling, now);
		call_end(ep, c,
			 (struct ending){ IAX2_DOWN_AUTH_FAILED,
					  CAUSECODE_NO_AUTHORITY,
					  "No authority found" },
			 now);
		return;
	}
	call_proved(ep, c, proof, now);
}

void call_on_authreq(struct iax2_endpoint *ep, struct call *c,
		     const struct iax2_full *f, mono_us now)
{
	uint8_t body[80], sig[KEY_SIGNATURE_LEN];
	struct wire_wr w = wire_wr(body, sizeof(body));
	char challenge[65], md5[33];
	uint16_t methods = 0;

	if (!c->outbound || c->state != CALL_NEW_SENT)
		return;
	/* With a ticket the NEW has proved us already. */
	if (c->has_ticket || c->authreqs++ == AUTHREQS_MAX) {
		call_end(ep, c, (struct ending){ IAX2_DOWN_PROTOCOL, 16, NULL },
			 now);
		return;
	}
	c->state_due = now + CALL_SETUP_US;
	(void)iax2_ie_u16(f->body, f->body_len, IAX2_IE_AUTHMETHODS, &methods);
	if (!iax2_ie_text(f->body, f->body_len, IAX2_IE_CHALLENGE, challenge,
			  sizeof(challenge)))
		methods = 0;
	if ((methods & IAX2_AUTH_ED25519) && is_for_this_call(c, challenge) &&
	    key_sign_challenge(&ep->id, challenge, sig)) {
		iax2_ie_put(&w, IAX2_IE_ED25519_RESULT, sig, sizeof(sig));
	} else if ((methods & IAX2_AUTH_MD5) && c->md5_secret[0] != '\0') {
		key_md5_response(challenge, c->md5_secret, md5);
		iax2_ie_put_text(&w, IAX2_IE_MD5_RESULT, md5);
	} else {
		call_end(ep, c,
			 (struct ending){ IAX2_DOWN_AUTH_FAILED, 16,
					  "No authentication in common" },
			 now);
		return;
	}
	(void)transport_send_iax(ep, c, IAX2_IAX_AUTHREP, body, &w, now);
}
