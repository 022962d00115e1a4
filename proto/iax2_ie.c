/* SPDX-License-Identifier: MIT */

#include "proto/iax2_ie.h"

#define FAMILY_INET 2U /* as on the machines that Asterisk runs on */
#define FAMILY_INET6 10U

struct ie_row {
	const char *name;
	uint8_t min;
	uint8_t max;
};

static const struct ie_row rows[256] = {
#define X(name, number, min, max, text) [(number)] = { (text), (min), (max) },
	IAX2_IE_TABLE(X)
#undef X
};

const char *iax2_ie_name(uint8_t type)
{
	return rows[type].name;
}

bool iax2_ie_next(struct wire_rd *r, struct iax2_ie_view *out)
{
	if (wire_rd_left(r) == 0)
		return false;
	out->type = wire_rd_u8(r);
	out->len = wire_rd_u8(r);
	out->value = wire_rd_bytes(r, out->len);
	return !r->bad;
}

enum iax2_err iax2_ie_check(const uint8_t *body, size_t len)
{
	struct wire_rd r = wire_rd(body, len);
	struct iax2_ie_view v;

	while (iax2_ie_next(&r, &v)) {
		const struct ie_row *row = &rows[v.type];

		if (row->name && (v.len < row->min || v.len > row->max))
			return IAX2_E_BAD_IE;
	}
	return r.bad ? IAX2_E_TRUNCATED : IAX2_OK;
}

bool iax2_ie_find(const uint8_t *body, size_t len, uint8_t type,
		  struct iax2_ie_view *out)
{
	struct wire_rd r = wire_rd(body, len);
	struct iax2_ie_view v;

	while (iax2_ie_next(&r, &v)) {
		if (v.type == type) {
			*out = v;
			return true;
		}
	}
	return false;
}

bool iax2_ie_octets(const uint8_t *body, size_t len, uint8_t type, void *out,
		    size_t want)
{
	struct iax2_ie_view v;

	if (!iax2_ie_find(body, len, type, &v) || v.len != want)
		return false;
	if (want > 0)
		memcpy(out, v.value, want);
	return true;
}

bool iax2_ie_u8(const uint8_t *body, size_t len, uint8_t type, uint8_t *out)
{
	return iax2_ie_octets(body, len, type, out, 1);
}

bool iax2_ie_u16(const uint8_t *body, size_t len, uint8_t type, uint16_t *out)
{
	uint8_t b[2];

	if (!iax2_ie_octets(body, len, type, b, sizeof(b)))
		return false;
	*out = (uint16_t)(b[0] << 8 | b[1]);
	return true;
}

bool iax2_ie_u32(const uint8_t *body, size_t len, uint8_t type, uint32_t *out)
{
	uint8_t b[4] = { 0 };
	struct wire_rd r = wire_rd(b, sizeof(b));

	if (!iax2_ie_octets(body, len, type, b, sizeof(b)))
		return false;
	*out = wire_rd_u32(&r);
	return true;
}

bool iax2_ie_u64(const uint8_t *body, size_t len, uint8_t type, uint64_t *out)
{
	uint8_t b[8] = { 0 };
	struct wire_rd r = wire_rd(b, sizeof(b));

	if (!iax2_ie_octets(body, len, type, b, sizeof(b)))
		return false;
	*out = wire_rd_u64(&r);
	return true;
}

bool iax2_ie_text(const uint8_t *body, size_t len, uint8_t type, char *out,
		  size_t cap)
{
	struct iax2_ie_view v;

	if (!iax2_ie_find(body, len, type, &v) || v.len >= cap)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.value[i] < 0x20 || v.value[i] == 0x7f)
			return false;
	}
	if (v.len > 0)
		memcpy(out, v.value, v.len);
	out[v.len] = '\0';
	return true;
}

void iax2_ie_put(struct wire_wr *w, uint8_t type, const void *value, size_t len)
{
	if (len > 255) {
		w->bad = true;
		return;
	}
	wire_wr_u8(w, type);
	wire_wr_u8(w, (uint8_t)len);
	wire_wr_bytes(w, value, len);
}

void iax2_ie_put_u8(struct wire_wr *w, uint8_t type, uint8_t v)
{
	iax2_ie_put(w, type, &v, 1);
}

void iax2_ie_put_u16(struct wire_wr *w, uint8_t type, uint16_t v)
{
	wire_wr_u8(w, type);
	wire_wr_u8(w, 2);
	wire_wr_u16(w, v);
}

void iax2_ie_put_u32(struct wire_wr *w, uint8_t type, uint32_t v)
{
	wire_wr_u8(w, type);
	wire_wr_u8(w, 4);
	wire_wr_u32(w, v);
}

void iax2_ie_put_u64(struct wire_wr *w, uint8_t type, uint64_t v)
{
	wire_wr_u8(w, type);
	wire_wr_u8(w, 8);
	wire_wr_u64(w, v);
}

void iax2_ie_put_text(struct wire_wr *w, uint8_t type, const char *text)
{
	iax2_ie_put(w, type, text, strlen(text));
}

size_t net_addr_put(uint8_t out[18], const struct net_addr *a)
{
	const bool v4 = net_addr_is_v4(a);
	const size_t n = v4 ? 4 : 16;

	memcpy(out, a->ip + (v4 ? 12 : 0), n);
	out[n] = (uint8_t)(a->port >> 8);
	out[n + 1] = (uint8_t)a->port;
	return n + 2;
}

bool net_addr_get(const uint8_t *in, size_t len, struct net_addr *out)
{
	struct net_addr a = net_addr_v4(0, 0, 0, 0, 0);

	if (len == 6)
		memcpy(a.ip + 12, in, 4);
	else if (len == 18)
		memcpy(a.ip, in, 16);
	else
		return false;
	a.port = (uint16_t)(in[len - 2] << 8 | in[len - 1]);
	*out = a;
	return true;
}

size_t net_addr_put_sockaddr(uint8_t out[28], const struct net_addr *a)
{
	const bool v4 = net_addr_is_v4(a);

	memset(out, 0, 28);
	out[0] = v4 ? FAMILY_INET : FAMILY_INET6;
	out[2] = (uint8_t)(a->port >> 8);
	out[3] = (uint8_t)a->port;
	if (v4)
		memcpy(out + 4, a->ip + 12, 4);
	else
		memcpy(out + 8, a->ip, 16);
	return v4 ? 16 : 28;
}

bool net_addr_get_sockaddr(const uint8_t *in, size_t len, struct net_addr *out)
{
	struct net_addr a = net_addr_v4(0, 0, 0, 0, 0);

	if (len == 16 && in[0] == FAMILY_INET && in[1] == 0)
		memcpy(a.ip + 12, in + 4, 4);
	else if (len == 28 && in[0] == FAMILY_INET6 && in[1] == 0)
		memcpy(a.ip, in + 8, 16);
	else
		return false;
	a.port = (uint16_t)(in[2] << 8 | in[3]);
	*out = a;
	return true;
}
