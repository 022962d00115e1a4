/* SPDX-License-Identifier: MIT */

#include "proto/iax2_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/iax2_name.h"
#include "proto/net_path.h"
#include "proto/wire.h"

#define FLAG_FULL 0x80U /* F bit of octet 0 */
#define TYPE_AT 10U     /* octets of the full header */
#define SUBCLASS_AT 11U

/* Elements of practice that may carry keys, and whose form is nobody's
 * standard: Asterisk's provisioning, plain and encrypted. */
#define PROVISIONING 0x1dU
#define AESPROVISIONING 0x1eU

/* --- secrets ------------------------------------------------------------ */

bool iax2_trace_is_secret(uint8_t element)
{
	switch (element) {
	case IAX2_IE_PASSWORD:
	case IAX2_IE_MD5_RESULT:
	case IAX2_IE_RSA_RESULT:
	case IAX2_IE_ED25519_RESULT:
	case IAX2_IE_ENCKEY:
	case IAX2_IE_OSPTOKEN:
	case PROVISIONING:
	case AESPROVISIONING:
	case IAX2_IE_VARIABLE: /* whatever a dial plan sets */
	case IAX2_IE_CALLTOKEN:
	case IAX2_IE_KH_TAG:
	case IAX2_IE_KH_SIGNATURE:
	case IAX2_IE_KH_PATH:
	case IAX2_IE_KH_TOKEN:
		return true;
	default:
		return false;
	}
}

size_t iax2_trace_mask(uint8_t *pkt, size_t len)
{
	size_t at = IAX2_FULL_HDR_LEN;
	size_t masked = 0;

	if (len < IAX2_FULL_HDR_LEN || !(pkt[0] & FLAG_FULL) ||
	    pkt[TYPE_AT] != IAX2_FRAME_IAX)
		return 0;
	while (len - at >= 2) {
		const uint8_t type = pkt[at];
		const size_t left = len - at - 2;
		const size_t want = pkt[at + 1];
		const size_t n = want < left ? want : left;

		at += 2;
		if (iax2_trace_is_secret(type)) {
			memset(pkt + at, 0, n);
			masked++;
		}
		at += n;
	}
	return masked;
}

/* --- taking apart ------------------------------------------------------- */

static const char *subclass_name(uint8_t type, uint8_t octet)
{
	switch (type) {
	case IAX2_FRAME_IAX:
		return iax2_iax_name(octet);
	case IAX2_FRAME_CONTROL:
		return iax2_control_name(octet);
	default:
		return NULL;
	}
}

static void describe_full(const uint8_t *pkt, size_t len,
			  struct iax2_trace *out)
{
	struct wire_rd r = wire_rd(pkt, len);
	struct iax2_full f;

	out->src_callno = wire_rd_u16(&r) & IAX2_CALLNO_MAX;
	out->dst_callno = wire_rd_u16(&r);
	out->retransmit = out->dst_callno > IAX2_CALLNO_MAX;
	out->dst_callno &= IAX2_CALLNO_MAX;
	out->ts_ms = wire_rd_u32(&r);
	out->oseq = wire_rd_u8(&r);
	out->iseq = wire_rd_u8(&r);
	out->type = wire_rd_u8(&r);
	out->subclass = wire_rd_u8(&r);
	out->body_len = wire_rd_left(&r);
	out->body = wire_rd_bytes(&r, out->body_len);
	out->type_name = iax2_frame_type_name(out->type);
	out->subclass_name = subclass_name(out->type, out->subclass);
	out->has_elements = out->type == IAX2_FRAME_IAX;
	/* What a receiver would say to it. */
	out->err = iax2_full_decode(pkt, len, &f);
	if (out->err == IAX2_OK && out->has_elements)
		out->err = iax2_ie_check(out->body, out->body_len);
}

static void describe_mini(const uint8_t *pkt, size_t len,
			  struct iax2_trace *out)
{
	struct iax2_mini m = { 0 };

	out->err = iax2_mini_decode(pkt, len, &m);
	out->src_callno = m.src_callno;
	out->ts_ms = m.ts_ms;
	out->body = m.data;
	out->body_len = m.len;
}

static void describe_meta(const uint8_t *pkt, size_t len,
			  struct iax2_trace *out)
{
	struct iax2_trunk trunk = { 0 };

	out->err = iax2_trunk_decode(pkt, len, &trunk);
	out->ts_ms = trunk.ts_ms;
	out->body = trunk.next;
	out->body_len = trunk.left;
}

bool iax2_trace_describe(const uint8_t *pkt, size_t len, struct iax2_trace *out)
{
	struct iax2_trace t = { 0 };

	if (iax2_frame_kind(pkt, len, &t.kind) != IAX2_OK)
		return false;
	switch (t.kind) {
	case IAX2_KIND_FULL:
		describe_full(pkt, len, &t);
		break;
	case IAX2_KIND_MINI:
		describe_mini(pkt, len, &t);
		break;
	case IAX2_KIND_META:
		describe_meta(pkt, len, &t);
		break;
	}
	*out = t;
	return true;
}

/* --- words -------------------------------------------------------------- */

struct words {
	char *p;
	size_t left; /* octets, the NUL's included; at least 1 */
};

static struct words words(char *out, size_t cap)
{
	out[0] = '\0';
	return (struct words){ out, cap };
}

static void put_n(struct words *w, const void *text, size_t len)
{
	const char *from = text;

	for (size_t i = 0; i < len && w->left > 1; i++) {
		const bool plain = from[i] >= 0x20 && from[i] < 0x7f;

		*w->p++ = '.';
		if (plain)
			w->p[-1] = from[i];
		w->left--;
	}
	*w->p = '\0';
}

static void put(struct words *w, const char *text)
{
	put_n(w, text, strlen(text));
}

static void put_dec(struct words *w, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, v);
	put(w, text);
}

static void put_hex(struct words *w, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "0x%" PRIx64, v);
	put(w, text);
}

static void put_octets(struct words *w, const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char text[3];

		(void)snprintf(text, sizeof(text), "%02x", octets[i]);
		put(w, text);
	}
}

static void put_addr(struct words *w, const struct net_addr *a)
{
	char text[8];

	if (net_addr_is_v4(a)) {
		for (size_t i = 12; i < 16; i++) {
			put(w, i > 12 ? "." : "");
			put_dec(w, a->ip[i]);
		}
	} else {
		put(w, "[");
		for (size_t i = 0; i < 16; i += 2) {
			(void)snprintf(
				text, sizeof(text), "%s%x", i > 0 ? ":" : "",
				(unsigned)(a->ip[i] << 8 | a->ip[i + 1]));
			put(w, text);
		}
		put(w, "]");
	}
	put(w, ":");
	put_dec(w, a->port);
}

enum shape { TEXT, NUMBER, BITS, ADDRESS, OCTETS };

static enum shape shape_of(uint8_t element)
{
	switch (element) {
	case IAX2_IE_CALLED_NUMBER:
	case IAX2_IE_CALLING_NUMBER:
	case IAX2_IE_CALLING_ANI:
	case IAX2_IE_CALLING_NAME:
	case IAX2_IE_CALLED_CONTEXT:
	case IAX2_IE_USERNAME:
	case IAX2_IE_LANGUAGE:
	case IAX2_IE_DNID:
	case IAX2_IE_CHALLENGE:
	case IAX2_IE_CAUSE:
	case IAX2_IE_MUSICONHOLD:
	case IAX2_IE_RDNIS:
	case IAX2_IE_CODEC_PREFS:
		return TEXT;
	case IAX2_IE_CAPABILITY:
	case IAX2_IE_FORMAT:
	case IAX2_IE_AUTHMETHODS:
	case IAX2_IE_DATETIME:
	case IAX2_IE_KH_NAT:
		return BITS;
	case IAX2_IE_APPARENT_ADDR:
	case IAX2_IE_KH_REFLEXIVE:
	case IAX2_IE_KH_CANDIDATE:
	case IAX2_IE_KH_TARGET_ADDR:
		return ADDRESS;
	case IAX2_IE_CAPABILITY2:
	case IAX2_IE_FORMAT2:
	case IAX2_IE_KH_PUNCH:
		return OCTETS;
	default:
		return NUMBER;
	}
}

static bool read_addr(const struct iax2_ie_view *ie, struct net_addr *out)
{
	if (ie->type == IAX2_IE_APPARENT_ADDR)
		return net_addr_get_sockaddr(ie->value, ie->len, out);
	if (ie->type == IAX2_IE_KH_CANDIDATE)
		return ie->len > 0 &&
		       net_addr_get(ie->value + 1, ie->len - 1U, out);
	return net_addr_get(ie->value, ie->len, out);
}

static void put_number(struct words *w, const struct iax2_ie_view *ie,
		       bool bits)
{
	uint64_t v = 0;

	if (ie->len != 1 && ie->len != 2 && ie->len != 4 && ie->len != 8) {
		put_octets(w, ie->value, ie->len);
		return;
	}
	for (size_t i = 0; i < ie->len; i++)
		v = v << 8 | ie->value[i];
	if (bits)
		put_hex(w, v);
	else
		put_dec(w, v);
}

static void put_value(struct words *w, const struct iax2_ie_view *ie)
{
	const enum shape shape = shape_of(ie->type);
	struct net_addr addr;

	if (iax2_trace_is_secret(ie->type)) {
		put(w, "masked");
	} else if (shape == TEXT) {
		put_n(w, ie->value, ie->len);
	} else if (shape == ADDRESS && read_addr(ie, &addr)) {
		put_addr(w, &addr);
	} else if (shape == NUMBER || shape == BITS) {
		put_number(w, ie, shape == BITS);
	} else {
		put_octets(w, ie->value, ie->len);
	}
}

void iax2_trace_value(const struct iax2_ie_view *ie, char *out, size_t cap)
{
	struct words w = words(out, cap);

	put_value(&w, ie);
}

static void put_name(struct words *w, const char *name, uint8_t number)
{
	if (name)
		put(w, name);
	else
		put_hex(w, number);
}

static void put_element(struct words *w, const struct iax2_ie_view *ie)
{
	const char *quote = shape_of(ie->type) == TEXT ? "\"" : "";

	put(w, ", ");
	put_name(w, iax2_ie_name(ie->type), ie->type);
	/* Padding tells nothing. */
	if (ie->len == 0 || ie->type == IAX2_IE_KH_PAD) {
		put(w, " (");
		put_dec(w, ie->len);
		put(w, ")");
		return;
	}
	put(w, " ");
	put(w, quote);
	put_value(w, ie);
	put(w, quote);
}

static void put_full(struct words *w, const struct iax2_trace *t)
{
	struct wire_rd r = wire_rd(t->body, t->body_len);
	struct iax2_ie_view ie;

	put_name(w, t->type_name, t->type);
	put(w, " ");
	if (t->type == IAX2_FRAME_DTMF_BEGIN || t->type == IAX2_FRAME_DTMF_END)
		put_n(w, &t->subclass, 1);
	else
		put_name(w, t->subclass_name, t->subclass);
	put(w, " call ");
	put_dec(w, t->src_callno);
	put(w, ">");
	put_dec(w, t->dst_callno);
	put(w, " at ");
	put_dec(w, t->ts_ms);
	put(w, " ms, out ");
	put_dec(w, t->oseq);
	put(w, " in ");
	put_dec(w, t->iseq);
	put(w, t->retransmit ? ", again" : "");
	while (t->has_elements && iax2_ie_next(&r, &ie))
		put_element(w, &ie);
	if (t->has_elements || t->body_len == 0)
		return;
	if (t->type == IAX2_FRAME_TEXT) {
		const char *end = memchr(t->body, '\0', t->body_len);

		put(w, ", \"");
		put_n(w, t->body,
		      end ? (size_t)(end - (const char *)t->body)
			  : t->body_len);
		put(w, "\"");
		return;
	}
	put(w, ", ");
	put_dec(w, t->body_len);
	put(w, " octets");
}

void iax2_trace_line(const struct iax2_trace *t, char *out, size_t cap)
{
	struct words w = words(out, cap);

	if (t->kind == IAX2_KIND_FULL) {
		put_full(&w, t);
	} else {
		put(&w, t->kind == IAX2_KIND_MINI ? "mini" : "trunk");
		if (t->kind == IAX2_KIND_MINI) {
			put(&w, " call ");
			put_dec(&w, t->src_callno);
		}
		put(&w, " at ");
		put_dec(&w, t->ts_ms);
		put(&w, " ms, ");
		put_dec(&w, t->body_len);
		put(&w, " octets");
	}
	if (t->err != IAX2_OK) {
		put(&w, "; malformed: ");
		put(&w, iax2_err_str(t->err));
	}
}
