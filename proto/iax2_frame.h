/* SPDX-License-Identifier: MIT */
#ifndef PROTO_IAX2_FRAME_H
#define PROTO_IAX2_FRAME_H

/*
 * IAX2 frame headers: wire bytes <-> plain structs (RFC 5456 section 8.1).
 *
 * This layer knows layout, nothing else: no call state, no sequence-number
 * policy, no clock, no sockets, no allocation.  Every function is reentrant
 * and safe on hostile input.  A decoded frame borrows the datagram it came
 * from: `body` is valid exactly as long as the caller's buffer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/iax2_err.h"

#define IAX2_FULL_HDR_LEN 12U   /* octets, RFC 5456 8.1.1 */
#define IAX2_MINI_HDR_LEN 4U    /* octets, RFC 5456 8.1.2 */
#define IAX2_CALLNO_MAX 0x7fffU /* 15 bits; 0 means "not known yet" */

/* Octet 0xff on the wire.  RFC 5456 does not define it, but Asterisk sends it
 * in CONTROL frames for "stop the current indication" and expects an ACK. */
#define IAX2_SUBCLASS_STOP UINT64_MAX

/* Frame types (RFC 5456 8.2; from CNG on as Asterisk has them). */
enum iax2_frame_type {
	IAX2_FRAME_DTMF_END = 0x01,
	IAX2_FRAME_VOICE = 0x02,
	IAX2_FRAME_VIDEO = 0x03,
	IAX2_FRAME_CONTROL = 0x04,
	IAX2_FRAME_NULL = 0x05,
	IAX2_FRAME_IAX = 0x06,
	IAX2_FRAME_TEXT = 0x07,
	IAX2_FRAME_IMAGE = 0x08,
	IAX2_FRAME_HTML = 0x09,
	IAX2_FRAME_CNG = 0x0a,
	IAX2_FRAME_MODEM = 0x0b,
	IAX2_FRAME_DTMF_BEGIN = 0x0c,
};

/* Subclasses of IAX frames (RFC 5456 8.4; CALLTOKEN as Asterisk has it). */
enum iax2_iax {
	IAX2_IAX_NEW = 0x01,
	IAX2_IAX_PING = 0x02,
	IAX2_IAX_PONG = 0x03,
	IAX2_IAX_ACK = 0x04,
	IAX2_IAX_HANGUP = 0x05,
	IAX2_IAX_REJECT = 0x06,
	IAX2_IAX_ACCEPT = 0x07,
	IAX2_IAX_AUTHREQ = 0x08,
	IAX2_IAX_AUTHREP = 0x09,
	IAX2_IAX_INVAL = 0x0a,
	IAX2_IAX_LAGRQ = 0x0b,
	IAX2_IAX_LAGRP = 0x0c,
	IAX2_IAX_REGREQ = 0x0d,
	IAX2_IAX_REGAUTH = 0x0e,
	IAX2_IAX_REGACK = 0x0f,
	IAX2_IAX_REGREJ = 0x10,
	IAX2_IAX_REGREL = 0x11,
	IAX2_IAX_VNAK = 0x12,
	IAX2_IAX_DPREQ = 0x13,
	IAX2_IAX_DPREP = 0x14,
	IAX2_IAX_DIAL = 0x15,
	IAX2_IAX_TXREQ = 0x16,
	IAX2_IAX_TXCNT = 0x17,
	IAX2_IAX_TXACC = 0x18,
	IAX2_IAX_TXREADY = 0x19,
	IAX2_IAX_TXREL = 0x1a,
	IAX2_IAX_TXREJ = 0x1b,
	IAX2_IAX_QUELCH = 0x1c,
	IAX2_IAX_UNQUELCH = 0x1d,
	IAX2_IAX_POKE = 0x1e,
	IAX2_IAX_MWI = 0x20,
	IAX2_IAX_UNSUPPORT = 0x21,
	IAX2_IAX_TRANSFER = 0x22,
	IAX2_IAX_PROVISION = 0x23,
	IAX2_IAX_FWDOWNL = 0x24,
	IAX2_IAX_FWDATA = 0x25,
	IAX2_IAX_CALLTOKEN = 0x28,
	IAX2_IAX_MOVE = 0x6d, /* OPEN-OVER.md section 4.8 */
};

enum iax2_kind { IAX2_KIND_FULL, IAX2_KIND_MINI, IAX2_KIND_META };

/* A mini frame: voice in the format of the last full voice frame. */
struct iax2_mini {
	uint16_t src_callno; /* 1..0x7fff */
	uint16_t ts_ms;      /* low 16 bits of the time stamp */
	const uint8_t *data; /* borrowed; NULL only when len is 0 */
	size_t len;          /* octets */
};

/* A full frame: reliable signalling, or the voice frame that resyncs time. */
struct iax2_full {
	uint16_t src_callno; /* sender's number; 0 only in stateless INVAL */
	uint16_t dst_callno; /* receiver's number, 0 before it is known */
	bool retransmit;     /* R bit: same frame sent before */
	uint32_t ts_ms;    /* ms since the sender's call start, wraps at 2^32 */
	uint8_t oseq;      /* this frame's number, mod 256 */
	uint8_t iseq;      /* next number expected from the peer, mod 256 */
	uint8_t type;      /* enum iax2_frame_type, or a value we do not know */
	uint64_t subclass; /* 0..127, 1 << (0..63), or IAX2_SUBCLASS_STOP */
	const uint8_t *body; /* borrowed; NULL only when body_len is 0 */
	size_t body_len;     /* octets */
};

/*
 * A trunk meta frame (RFC 5456 8.1.3.2): the voice of several calls between
 * two hosts in one datagram, with a time stamp for each or one for all.
 */
struct iax2_trunk {
	bool stamped;        /* each entry has a time stamp of its own */
	uint32_t ts_ms;      /* of the trunk */
	const uint8_t *next; /* entries not yet read: borrowed */
	size_t left;         /* octets of them */
};

/*
 * Tell full, mini and meta frames apart without reading past @len.
 *
 * Returns IAX2_OK and sets *@kind, or IAX2_E_TRUNCATED when @len is below
 * the header length of the kind the first two octets announce.
 */
enum iax2_err iax2_frame_kind(const uint8_t *pkt, size_t len,
			      enum iax2_kind *kind);

/*
 * Decode one full frame (RFC 5456 8.1.1) that fills @pkt exactly.
 *
 * *@out is written only on IAX2_OK.  Errors:
 *   IAX2_E_TRUNCATED     fewer than IAX2_FULL_HDR_LEN octets
 *   IAX2_E_NOT_FULL      F bit clear
 *   IAX2_E_BAD_SUBCLASS  C bit set, exponent above 63, octet not 0xff
 * Unknown types and a source call number of 0 are not errors here: what to
 * answer, if anything, depends on call state.
 */
enum iax2_err iax2_full_decode(const uint8_t *pkt, size_t len,
			       struct iax2_full *out);

/*
 * Encode @in into @buf of @cap octets; *@len gets the octets written.
 *
 * On error neither *@len nor the call state the caller derived it from may be
 * used; the contents of @buf are unspecified.  Errors:
 *   IAX2_E_NO_SPACE      @cap < IAX2_FULL_HDR_LEN + body_len
 *   IAX2_E_RANGE         a call number above 15 bits
 *   IAX2_E_BAD_SUBCLASS  subclass outside the set named in struct iax2_full
 */
enum iax2_err iax2_full_encode(const struct iax2_full *in, uint8_t *buf,
			       size_t cap, size_t *len);

/* The octet that @subclass has on the wire; 0 for what has none. */
uint8_t iax2_subclass_octet(uint64_t subclass);

/* Decode a mini frame (RFC 5456 8.1.2).  IAX2_E_TRUNCATED; IAX2_E_RANGE for
 * a full or meta frame. */
enum iax2_err iax2_mini_decode(const uint8_t *pkt, size_t len,
			       struct iax2_mini *out);
/* Encode one; IAX2_E_NO_SPACE, IAX2_E_RANGE for a call number of 0 or above
 * 15 bits. */
enum iax2_err iax2_mini_encode(const struct iax2_mini *in, uint8_t *buf,
			       size_t cap, size_t *len);

/*
 * Decode a meta frame's header.  IAX2_E_TRUNCATED; IAX2_E_NOT_OURS for a meta
 * frame that is no trunk frame (video, unknown commands).
 */
enum iax2_err iax2_trunk_decode(const uint8_t *pkt, size_t len,
				struct iax2_trunk *out);
/*
 * The next call's voice; without time stamps of their own the entries have
 * ts_ms 0.  IAX2_E_NOT_OURS at the end; IAX2_E_TRUNCATED, and the end, when
 * an entry is longer than what is left.
 */
enum iax2_err iax2_trunk_next(struct iax2_trunk *t, struct iax2_mini *out);

#endif
