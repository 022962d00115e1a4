/* SPDX-License-Identifier: MIT */
#ifndef PROTO_ASL_TEXT_H
#define PROTO_ASL_TEXT_H

/*
 * The text messages that the nodes of AllStarLink send each other within a call
 * (IAX2 TEXT frames): words to structures and back.  Nothing is remembered.
 *
 * Source: the behaviour of app_rpt, which is the only specification; a message
 * is a letter and fields between spaces, and every peer may send anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASL_NAME_MAX 15U     /* octets of a node's number or name */
#define ASL_TEXT_MAX 1199U   /* octets of what we send, NUL apart */
#define ASL_PAYLOAD_MAX 255U /* of T and I: one field */
#define ASL_MESSAGE_MAX 160U /* of M in all */
#define ASL_POSITION_MAX 15U /* of a field of G */
#define ASL_ALIAS_MAX 48U    /* of a talker's callsign and name */

#define ASL_ALL "*"       /* everybody, in the place of a name */
#define ASL_EVERYBODY "0" /* the same in M */

enum asl_kind {
	ASL_LIST,       /* L entries: see asl_list.h; @rest is the list */
	ASL_ASK,        /* K? dest src 0 0 */
	ASL_KEYED,      /* K dest src on seconds */
	ASL_TELEMETRY,  /* T src rest: one field */
	ASL_DIGIT,      /* D dest src seq digit */
	ASL_MESSAGE,    /* M src dest rest */
	ASL_MDC,        /* I src rest: a radio's identity */
	ASL_GPS,        /* G src rest: latitude, longitude, height */
	ASL_NEWKEY1,    /* !NEWKEY1! */
	ASL_NEWKEY,     /* !NEWKEY! */
	ASL_IAXKEY,     /* !IAXKEY!... */
	ASL_DISCONNECT, /* !!DISCONNECT!! */
	/* Ours: !TALKER! src on rest; only to those that announced it. */
	ASL_TALKER,
	ASL_OTHER, /* C, J, R or V: what this node has no part in */
	ASL_KINDS,
};

/* The word that names it in figures: "list", "ask", ... */
const char *asl_kind_text(enum asl_kind k);

struct asl_text {
	enum asl_kind kind;
	char src[ASL_NAME_MAX + 1];
	char dest[ASL_NAME_MAX + 1];
	bool on;          /* KEYED, TALKER */
	uint32_t seconds; /* KEYED: since it was last keyed */
	uint32_t seq;     /* DIGIT: not relied on */
	char digit;       /* DIGIT: 0-9 A-D * # */
	const char *rest; /* borrowed; NUL-terminated where asl_text_parse()'s
			     input is */
	size_t rest_len;
};

enum asl_result {
	ASL_GOOD,
	ASL_MALFORMED, /* of the kind that is set, but not as it must be */
	ASL_UNKNOWN,   /* of no kind */
};

/* Read @text of @len octets, none of them NUL, followed by a NUL.  @out->kind
 * is set but for ASL_UNKNOWN; the rest of it for ASL_GOOD only. */
enum asl_result asl_text_parse(const char *text, size_t len,
			       struct asl_text *out);
/* Write it; false, and an empty text, when a field is out of range.  LIST, GPS
 * and OTHER are not written here. */
bool asl_text_format(const struct asl_text *t, char out[ASL_TEXT_MAX + 1]);

/* 1..ASL_NAME_MAX letters, digits, '-', '/' or '.': a node's number, or what
 * stands for a client that has none. */
bool asl_name_ok(const char *name, size_t len);

#endif
