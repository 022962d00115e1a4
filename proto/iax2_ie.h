/* SPDX-License-Identifier: MIT */
#ifndef PROTO_IAX2_IE_H
#define PROTO_IAX2_IE_H

/*
 * Information elements: the {type, length, value} list that follows the
 * header of an IAX frame (RFC 5456 section 8.6).
 *
 * One table names every element that this endpoint knows, with the lengths it
 * may have.  An element that is not in the table is skipped; one that is, but
 * has an impossible length, makes the whole frame malformed.  Elements that a
 * call does not depend on may have any length: peers differ, and nobody loses
 * a call for them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/iax2_err.h"
#include "proto/net_path.h"
#include "proto/wire.h"

/* X(name, number, least octets, most octets, name for people) */
#define IAX2_IE_TABLE(X)                                  \
	/* RFC 5456 8.6 */                                \
	X(CALLED_NUMBER, 0x01, 0, 255, "CALLED NUMBER")   \
	X(CALLING_NUMBER, 0x02, 0, 255, "CALLING NUMBER") \
	X(CALLING_ANI, 0x03, 0, 255, "CALLING ANI")       \
	X(CALLING_NAME, 0x04, 0, 255, "CALLING NAME")     \
	X(CALLED_CONTEXT, 0x05, 0, 255, "CALLED CONTEXT") \
	X(USERNAME, 0x06, 0, 255, "USERNAME")             \
	X(PASSWORD, 0x07, 0, 255, "PASSWORD")             \
	X(CAPABILITY, 0x08, 4, 4, "CAPABILITY")           \
	X(FORMAT, 0x09, 4, 4, "FORMAT")                   \
	X(LANGUAGE, 0x0a, 0, 255, "LANGUAGE")             \
	X(VERSION, 0x0b, 2, 2, "VERSION")                 \
	X(ADSICPE, 0x0c, 0, 255, "ADSICPE")               \
	X(DNID, 0x0d, 0, 255, "DNID")                     \
	X(AUTHMETHODS, 0x0e, 2, 2, "AUTHMETHODS")         \
	X(CHALLENGE, 0x0f, 0, 255, "CHALLENGE")           \
	X(MD5_RESULT, 0x10, 0, 255, "MD5 RESULT")         \
	X(RSA_RESULT, 0x11, 0, 255, "RSA RESULT")         \
	X(APPARENT_ADDR, 0x12, 0, 255, "APPARENT ADDR")   \
	X(REFRESH, 0x13, 2, 2, "REFRESH")                 \
	X(DPSTATUS, 0x14, 0, 255, "DPSTATUS")             \
	X(CALLNO, 0x15, 0, 255, "CALLNO")                 \
	X(CAUSE, 0x16, 0, 255, "CAUSE")                   \
	X(IAX_UNKNOWN, 0x17, 1, 1, "IAX UNKNOWN")         \
	X(MSGCOUNT, 0x18, 0, 255, "MSGCOUNT")             \
	X(AUTOANSWER, 0x19, 0, 255, "AUTOANSWER")         \
	X(MUSICONHOLD, 0x1a, 0, 255, "MUSICONHOLD")       \
	X(TRANSFERID, 0x1b, 0, 255, "TRANSFERID")         \
	X(RDNIS, 0x1c, 0, 255, "RDNIS")                   \
	X(DATETIME, 0x1f, 0, 255, "DATETIME")             \
	/* Public practice: an Ed25519 signature, raw. */ \
	X(ED25519_RESULT, 0x20, 0, 255, "ED25519 RESULT") \
	X(CALLINGPRES, 0x26, 0, 255, "CALLINGPRES")       \
	X(CALLINGTON, 0x27, 0, 255, "CALLINGTON")         \
	X(CALLINGTNS, 0x28, 0, 255, "CALLINGTNS")         \
	X(SAMPLINGRATE, 0x29, 0, 255, "SAMPLINGRATE")     \
	X(CAUSECODE, 0x2a, 1, 1, "CAUSECODE")             \
	X(ENCRYPTION, 0x2b, 0, 255, "ENCRYPTION")         \
	X(ENCKEY, 0x2c, 0, 255, "ENCKEY")                 \
	X(CODEC_PREFS, 0x2d, 0, 255, "CODEC PREFS")       \
	X(RR_JITTER, 0x2e, 0, 255, "RR JITTER")           \
	X(RR_LOSS, 0x2f, 0, 255, "RR LOSS")               \
	X(RR_PKTS, 0x30, 0, 255, "RR PKTS")               \
	X(RR_DELAY, 0x31, 0, 255, "RR DELAY")             \
	X(RR_DROPPED, 0x32, 0, 255, "RR DROPPED")         \
	X(RR_OOO, 0x33, 0, 255, "RR OOO")                 \
	X(OSPTOKEN, 0x34, 0, 255, "OSPTOKEN")             \
	/* Asterisk */                                    \
	X(VARIABLE, 0x35, 0, 255, "VARIABLE")             \
	X(CALLTOKEN, 0x36, 0, 255, "CALLTOKEN")           \
	X(CAPABILITY2, 0x37, 9, 9, "CAPABILITY2")         \
	X(FORMAT2, 0x38, 9, 9, "FORMAT2")                 \
	X(CALLINGANI2, 0x39, 0, 255, "CALLING ANI2")      \
	/* OPEN/OVER: see OPEN-OVER.md section 5 */       \
	X(KH_SESSION, 0xe0, 16, 16, "KH SESSION")         \
	X(KH_TAG, 0xe1, 16, 16, "KH TAG")                 \
	X(KH_HELLO, 0xe2, 33, 33, "KH HELLO")             \
	X(KH_SIGNATURE, 0xe3, 64, 64, "KH SIGNATURE")     \
	X(KH_PATH, 0xe4, 8, 8, "KH PATH")                 \
	X(KH_REFLEXIVE, 0xe5, 6, 18, "KH REFLEXIVE")      \
	X(KH_TRANSACTION, 0xe6, 8, 8, "KH TRANSACTION")   \
	X(KH_CANDIDATE, 0xe7, 7, 19, "KH CANDIDATE")      \
	X(KH_TOKEN, 0xe8, 32, 32, "KH TOKEN")             \
	X(KH_VERDICT, 0xe9, 1, 1, "KH VERDICT")           \
	X(KH_PEER_KEY, 0xea, 32, 32, "KH PEER KEY")       \
	X(KH_PUNCH, 0xeb, 8, 8, "KH PUNCH")               \
	X(KH_TARGET_ADDR, 0xec, 6, 18, "KH TARGET ADDR")  \
	X(KH_NAT, 0xed, 1, 1, "KH NAT")                   \
	X(KH_PAD, 0xee, 0, 255, "KH PAD")                 \
	X(KH_DELAY, 0xef, 2, 2, "KH DELAY")               \
	X(KH_ENDS, 0xf0, 3, 7, "KH ENDS")                 \
	X(KH_INTERVAL, 0xf1, 1, 1, "KH INTERVAL")         \
	X(KH_END, 0xf2, 1, 1, "KH END")                   \
	X(KH_RELAYED, 0xf3, 6, 18, "KH RELAYED")          \
	X(KH_DATA, 0xf4, 0, 255, "KH DATA")               \
	X(KH_LIFETIME, 0xf5, 2, 2, "KH LIFETIME")         \
	X(KH_MOVE, 0xf6, 16, 16, "KH MOVE")               \
	X(KH_STEP, 0xf7, 1, 1, "KH STEP")                 \
	X(KH_PORTS, 0xf8, 5, 5, "KH PORTS")               \
	X(KH_FEATURES, 0xf9, 4, 4, "KH FEATURES")

enum iax2_ie {
#define X(name, number, min, max, text) IAX2_IE_##name = (number),
	IAX2_IE_TABLE(X)
#undef X
};

/* One element; the value is borrowed from the datagram. */
struct iax2_ie_view {
	uint8_t type;
	uint8_t len;
	const uint8_t
		*value; /* never NULL, may point at the end when len is 0 */
};

/* Name for people, or NULL for an element this endpoint does not know. */
const char *iax2_ie_name(uint8_t type);

/*
 * Check a whole element list: every element inside @len, every known one of
 * a permitted length.  IAX2_E_TRUNCATED or IAX2_E_BAD_IE otherwise.  The
 * readers below may be used on any list; they are meaningful on a checked one.
 */
enum iax2_err iax2_ie_check(const uint8_t *body, size_t len);

/* Walk a list: start with a cursor over it, until false. */
bool iax2_ie_next(struct wire_rd *r, struct iax2_ie_view *out);
/* The first element of @type; false when there is none. */
bool iax2_ie_find(const uint8_t *body, size_t len, uint8_t type,
		  struct iax2_ie_view *out);

/* Typed reads of the first element of @type.  False, and *@out untouched,
 * when it is absent or of another length. */
bool iax2_ie_u8(const uint8_t *body, size_t len, uint8_t type, uint8_t *out);
bool iax2_ie_u16(const uint8_t *body, size_t len, uint8_t type, uint16_t *out);
bool iax2_ie_u32(const uint8_t *body, size_t len, uint8_t type, uint32_t *out);
bool iax2_ie_u64(const uint8_t *body, size_t len, uint8_t type, uint64_t *out);
bool iax2_ie_octets(const uint8_t *body, size_t len, uint8_t type, void *out,
		    size_t want);
/*
 * Text into @out of @cap octets, always NUL-terminated.  False when absent,
 * too long for @cap, or when it holds octets below 0x20 or 0x7f: such text is
 * never shown to a person nor compared with a name.
 */
bool iax2_ie_text(const uint8_t *body, size_t len, uint8_t type, char *out,
		  size_t cap);

/* Append an element; the cursor goes bad when it does not fit or @len > 255. */
void iax2_ie_put(struct wire_wr *w, uint8_t type, const void *value,
		 size_t len);
void iax2_ie_put_u8(struct wire_wr *w, uint8_t type, uint8_t v);
void iax2_ie_put_u16(struct wire_wr *w, uint8_t type, uint16_t v);
void iax2_ie_put_u32(struct wire_wr *w, uint8_t type, uint32_t v);
void iax2_ie_put_u64(struct wire_wr *w, uint8_t type, uint64_t v);
void iax2_ie_put_text(struct wire_wr *w, uint8_t type, const char *text);

/* DATETIME: a date from 2000 to 2127 and a time, to two seconds (RFC 5456
 * 8.6.28). */
struct iax2_datetime {
	unsigned year;
	unsigned month; /* 1..12 */
	unsigned day;   /* 1..31 */
	unsigned hour;
	unsigned minute;
	unsigned second;
};
static inline uint32_t iax2_datetime(const struct iax2_datetime *t)
{
	return (uint32_t)((t->year - 2000) & 127) << 25 |
	       (uint32_t)(t->month & 15) << 21 | (uint32_t)(t->day & 31) << 16 |
	       (uint32_t)(t->hour & 31) << 11 |
	       (uint32_t)(t->minute & 63) << 5 | (t->second / 2 & 31);
}

/*
 * Addresses in elements.  Compact: 4 or 16 octets of address, then the port,
 * network order.  Sockaddr: the 16- or 28-octet structure of RFC 5456 8.6.17
 * as Asterisk sends it (family little-endian: 2 for IPv4, 10 for IPv6).
 */
size_t net_addr_put(uint8_t out[18], const struct net_addr *a);
bool net_addr_get(const uint8_t *in, size_t len, struct net_addr *out);
size_t net_addr_put_sockaddr(uint8_t out[28], const struct net_addr *a);
bool net_addr_get_sockaddr(const uint8_t *in, size_t len, struct net_addr *out);

#endif
