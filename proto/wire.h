/* SPDX-License-Identifier: MIT */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Bounds-checked big-endian cursors over memory the caller owns.
 *
 * Errors are sticky: once a read or write would cross @end the cursor is
 * marked bad, every later read yields 0 and every later write does nothing.
 * Decoders therefore read a whole fixed layout and test the cursor once.
 * No function here allocates, aliases through a wider type, or needs alignment.
 */
struct wire_rd {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

struct wire_wr {
	uint8_t *p;
	uint8_t *end;
	bool bad;
};

static inline struct wire_rd wire_rd(const uint8_t *buf, size_t len)
{
	/* An empty body may be NULL, which knows no sum. */
	return (struct wire_rd){ .p = buf,
				 .end = len > 0 ? buf + len : buf,
				 .bad = false };
}

static inline struct wire_wr wire_wr(uint8_t *buf, size_t cap)
{
	return (struct wire_wr){ .p = buf, .end = buf + cap, .bad = false };
}

static inline size_t wire_rd_left(const struct wire_rd *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

/* Borrow @len bytes; NULL, and the cursor goes bad, when fewer remain. */
static inline const uint8_t *wire_rd_bytes(struct wire_rd *r, size_t len)
{
	const uint8_t *start = r->p;

	if (r->bad || (size_t)(r->end - r->p) < len) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	return start;
}

static inline uint8_t wire_rd_u8(struct wire_rd *r)
{
	const uint8_t *b = wire_rd_bytes(r, 1);

	if (!b)
		return 0;
	return b[0];
}

static inline uint16_t wire_rd_u16(struct wire_rd *r)
{
	const uint8_t *b = wire_rd_bytes(r, 2);

	if (!b)
		return 0;
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t wire_rd_u32(struct wire_rd *r)
{
	const uint8_t *b = wire_rd_bytes(r, 4);

	if (!b)
		return 0;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t wire_rd_u64(struct wire_rd *r)
{
	const uint64_t high = wire_rd_u32(r);

	return high << 32 | wire_rd_u32(r);
}

static inline void wire_wr_bytes(struct wire_wr *w, const void *src, size_t len)
{
	if (w->bad || (size_t)(w->end - w->p) < len) {
		w->bad = true;
		return;
	}
	if (len > 0)
		memcpy(w->p, src, len);
	w->p += len;
}

static inline void wire_wr_u8(struct wire_wr *w, uint8_t v)
{
	wire_wr_bytes(w, &v, 1);
}

static inline void wire_wr_u16(struct wire_wr *w, uint16_t v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	wire_wr_bytes(w, b, sizeof(b));
}

static inline void wire_wr_u32(struct wire_wr *w, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
			       (uint8_t)(v >> 8), (uint8_t)v };

	wire_wr_bytes(w, b, sizeof(b));
}

static inline void wire_wr_u64(struct wire_wr *w, uint64_t v)
{
	wire_wr_u32(w, (uint32_t)(v >> 32));
	wire_wr_u32(w, (uint32_t)v);
}

#endif
