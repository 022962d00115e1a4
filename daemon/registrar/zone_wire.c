/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/zone_wire.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire.h"

#define HEADER_LEN 12U
#define CLASS_IN 1U
#define TYPE_OPT 41U
#define POINTER 0xc000U /* RFC 1035 4.1.4 */
#define LABELS_MAX 128U

/* Octets 2 and 3 of a message (RFC 1035 4.1.1). */
#define FLAG_QR 0x8000U
#define FLAG_AA 0x0400U
#define FLAG_TC 0x0200U
#define FLAG_RD 0x0100U
#define OPCODE 0x7800U

enum rcode {
	RCODE_OK = 0,
	RCODE_FORMAT = 1,
	RCODE_NO_NAME = 3,
	RCODE_NOT_IMPLEMENTED = 4,
	RCODE_REFUSED = 5,
	RCODE_BAD_VERSION = 16,
};

/* --- reading ------------------------------------------------------------ */

/* A name as labels; none compressed, for there is nothing before it. */
struct name {
	const uint8_t *data; /* the message */
	struct label {
		uint8_t len;
		uint16_t at; /* in the message */
	} label[LABELS_MAX];
	size_t n;
};

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool read_name(struct wire_rd *r, const uint8_t *start, struct name *out)
{
	const uint8_t *const first = r->p;

	out->data = start;
	out->n = 0;
	for (;;) {
		struct label *l = &out->label[out->n];

		l->at = (uint16_t)(r->p - start);
		l->len = wire_rd_u8(r);
		if (r->bad || l->len > 63 ||
		    (size_t)(r->p - first) + l->len > ZONE_NAME_MAX)
			return false;
		if (l->len == 0)
			return true;
		if (!wire_rd_bytes(r, l->len) || ++out->n == LABELS_MAX)
			return false;
	}
}

static const uint8_t *label_text(const struct name *n, size_t i)
{
	return n->data + n->label[i].at + 1;
}

static bool is_label(const struct name *n, size_t i, const char *text,
		     size_t len)
{
	const uint8_t *label = label_text(n, i);

	if (n->label[i].len != len)
		return false;
	for (size_t k = 0; k < len; k++) {
		if (lower(label[k]) != lower((uint8_t)text[k]))
			return false;
	}
	return true;
}

/* How many labels come before the zone; -1: it is not of the zone. */
static int before_zone(const struct name *n, const char *domain)
{
	size_t labels = 2, at;

	for (const char *c = domain; *c != '\0'; c++)
		labels += *c == '.';
	if (n->n < labels)
		return -1;
	at = n->n - labels;
	if (!is_label(n, at, "nodes", 5))
		return -1;
	for (size_t i = at + 1; i < n->n; i++) {
		const size_t len = strcspn(domain, ".");

		if (!is_label(n, i, domain, len))
			return -1;
		domain += len + (domain[len] == '.');
	}
	return (int)at;
}

static bool is_number(const struct name *n, size_t i)
{
	const uint8_t *label = label_text(n, i);

	for (size_t k = 0; k < n->label[i].len; k++) {
		if (label[k] < '0' || label[k] > '9')
			return false;
	}
	return n->label[i].len <= ZONE_NUMBER_MAX;
}

static void classify(const struct name *n, const char *domain,
		     struct zone_question *out)
{
	static const enum zone_name kind[] = { ZONE_NAME_ZONE, ZONE_NAME_NODE,
					       ZONE_NAME_UDP,
					       ZONE_NAME_SERVICE };
	const int before = before_zone(n, domain);
	size_t node;

	out->name = before < 0 ? ZONE_NAME_FOREIGN : ZONE_NAME_NOBODY;
	if (before < 0)
		return;
	out->zone_at = n->label[before].at;
	node = (size_t)before - (before > 0);
	if (before == 2 && is_number(n, node) &&
	    is_label(n, 0, "_keyhole", 8)) {
		out->name = ZONE_NAME_KEY;
		out->node_at = n->label[node].at;
		memcpy(out->number, label_text(n, node), n->label[node].len);
		return;
	}
	if (before > 3 || (before > 0 && !is_number(n, node)) ||
	    (before > 1 && !is_label(n, node - 1, "_udp", 4)) ||
	    (before > 2 && !is_label(n, 0, "_iax", 4)))
		return;
	out->name = kind[before];
	if (before == 0)
		return;
	out->node_at = n->label[node].at;
	memcpy(out->number, label_text(n, node), n->label[node].len);
}

/* What comes first of the additional records: it is the only one that matters
 * in a question. */
static void read_edns(struct wire_rd *r, struct zone_question *out)
{
	const uint8_t root = wire_rd_u8(r);
	const uint16_t type = wire_rd_u16(r);
	uint32_t ttl;

	(void)wire_rd_u16(r); /* how long an answer may be: none is longer */
	ttl = wire_rd_u32(r);
	if (r->bad || root != 0 || type != TYPE_OPT)
		return;
	out->edns = true;
	out->edns_version = (uint8_t)(ttl >> 16);
	if (out->edns_version != 0)
		out->rcode = RCODE_BAD_VERSION;
}

/* IXFR, AXFR */
static bool is_transfer(uint16_t type)
{
	return type == 251 || type == 252;
}

static void read_question(struct wire_rd *r, const uint8_t *data,
			  const char *domain, struct zone_question *out)
{
	struct name name;
	uint16_t class;

	out->rcode = RCODE_FORMAT;
	if (!read_name(r, data, &name))
		return;
	out->type = wire_rd_u16(r);
	class = wire_rd_u16(r);
	if (r->bad)
		return;
	out->len = (size_t)(r->p - data);
	classify(&name, domain, out);
	out->rcode = class == CLASS_IN && out->name != ZONE_NAME_FOREIGN &&
				     !is_transfer(out->type)
			     ? RCODE_OK
			     : RCODE_REFUSED;
}

bool zone_read(const uint8_t *data, size_t len, const char *domain,
	       struct zone_question *out)
{
	struct wire_rd r = wire_rd(data, len);
	uint16_t flags, questions, records, more;

	*out = (struct zone_question){ .len = HEADER_LEN };
	(void)wire_rd_u16(&r);
	flags = wire_rd_u16(&r);
	questions = wire_rd_u16(&r);
	records = wire_rd_u16(&r);
	records |= wire_rd_u16(&r);
	more = wire_rd_u16(&r);
	/* An answer to an answer would go on for ever. */
	if (r.bad || (flags & FLAG_QR))
		return false;
	if (flags & OPCODE)
		out->rcode = RCODE_NOT_IMPLEMENTED;
	else if (questions != 1 || records != 0)
		out->rcode = RCODE_FORMAT;
	else
		read_question(&r, data, domain, out);
	if (out->rcode == RCODE_OK && more > 0)
		read_edns(&r, out);
	return true;
}

/* --- writing ------------------------------------------------------------ */

/* A record's head; its data follow. */
static void put_head(struct wire_wr *w, uint16_t name, uint16_t type,
		     uint16_t len)
{
	wire_wr_u16(w, (uint16_t)(POINTER | name));
	wire_wr_u16(w, type);
	wire_wr_u16(w, CLASS_IN);
	wire_wr_u32(w, ZONE_TTL_S);
	wire_wr_u16(w, len);
}

static void put_a(struct wire_wr *w, const struct zone_question *q,
		  const struct net_addr *at)
{
	put_head(w, q->node_at, ZONE_TYPE_A, 4);
	wire_wr_bytes(w, &at->ip[12], 4);
}

/* Its target is not compressed (RFC 2782). */
static void put_srv(struct wire_wr *w, const uint8_t *data,
		    const struct zone_question *q, const struct net_addr *at)
{
	/* Of the question, type and class are not of the name. */
	const size_t name_len = q->len - 4 - q->node_at;

	put_head(w, HEADER_LEN, ZONE_TYPE_SRV, (uint16_t)(6 + name_len));
	wire_wr_u16(w, 0);
	wire_wr_u16(w, 0);
	wire_wr_u16(w, at->port);
	wire_wr_bytes(w, data + q->node_at, name_len);
}

static void put_txt(struct wire_wr *w, const struct zone_question *q,
		    const struct net_addr *at)
{
	char text[3][32];
	size_t len = 0;

	(void)snprintf(text[0], sizeof(text[0]), "NN=%s", q->number);
	(void)snprintf(text[1], sizeof(text[1]), "IP=%u.%u.%u.%u", at->ip[12],
		       at->ip[13], at->ip[14], at->ip[15]);
	(void)snprintf(text[2], sizeof(text[2]), "PT=%u", (unsigned)at->port);
	for (size_t i = 0; i < 3; i++)
		len += 1 + strlen(text[i]);
	put_head(w, q->node_at, ZONE_TYPE_TXT, (uint16_t)len);
	for (size_t i = 0; i < 3; i++) {
		wire_wr_u8(w, (uint8_t)strlen(text[i]));
		wire_wr_bytes(w, text[i], strlen(text[i]));
	}
}

static void put_key(struct wire_wr *w, const char *key)
{
	static const char word[] = "key=";
	const size_t len = sizeof(word) - 1 + strlen(key);

	put_head(w, HEADER_LEN, ZONE_TYPE_TXT, (uint16_t)(1 + len));
	wire_wr_u8(w, (uint8_t)len);
	wire_wr_bytes(w, word, sizeof(word) - 1);
	wire_wr_bytes(w, key, strlen(key));
}

/* For how long "there is none" is true, among others (RFC 2308). */
static void put_soa(struct wire_wr *w, const struct zone_question *q)
{
	static const char owner[] = "\x0ahostmaster";

	put_head(w, q->zone_at, ZONE_TYPE_SOA, 2 + 11 + 2 + 20);
	wire_wr_u16(w, (uint16_t)(POINTER | q->zone_at));
	wire_wr_bytes(w, owner, sizeof(owner) - 1);
	wire_wr_u16(w, (uint16_t)(POINTER | q->zone_at));
	wire_wr_u32(w, 1); /* serial: nobody transfers it */
	wire_wr_u32(w, 60);
	wire_wr_u32(w, 60);
	wire_wr_u32(w, 600);
	wire_wr_u32(w, ZONE_TTL_S);
}

static void put_opt(struct wire_wr *w, uint8_t rcode)
{
	wire_wr_u8(w, 0);
	wire_wr_u16(w, TYPE_OPT);
	wire_wr_u16(w, ZONE_UDP_MAX);
	wire_wr_u8(w, rcode >> 4);
	wire_wr_u8(w, 0);
	wire_wr_u16(w, 0);
	wire_wr_u16(w, 0);
}

/* How many records there are of each section. */
struct counts {
	uint8_t answers, authorities, more;
};

static void put_records(struct wire_wr *w, const uint8_t *data,
			const struct zone_question *q,
			const struct zone_node *node, struct counts *n)
{
	const struct net_addr *at = node->at;
	const bool is_node = q->name == ZONE_NAME_NODE && at;
	const bool is_service = q->name == ZONE_NAME_SERVICE && at;

	n->answers = 1;
	if (is_service &&
	    (q->type == ZONE_TYPE_SRV || q->type == ZONE_TYPE_ANY)) {
		put_srv(w, data, q, at);
		put_a(w, q, at);
		n->more = 1;
	} else if (is_node &&
		   (q->type == ZONE_TYPE_A || q->type == ZONE_TYPE_ANY)) {
		put_a(w, q, at);
	} else if (is_node && q->type == ZONE_TYPE_TXT) {
		put_txt(w, q, at);
	} else if (q->name == ZONE_NAME_KEY && node->key &&
		   (q->type == ZONE_TYPE_TXT || q->type == ZONE_TYPE_ANY)) {
		put_key(w, node->key);
	} else {
		put_soa(w, q);
		if (q->name == ZONE_NAME_ZONE && q->type == ZONE_TYPE_SOA)
			return;
		n->answers = 0;
		n->authorities = 1;
	}
}

/* Of a node that is nowhere, but has a key, the name exists: under one that does
 * not exist nobody looks any further (RFC 8020). */
static uint8_t rcode_of(const struct zone_question *q,
			const struct zone_node *node)
{
	const bool key_only =
		q->name == ZONE_NAME_NODE || q->name == ZONE_NAME_KEY;

	if (q->rcode != RCODE_OK)
		return q->rcode;
	if (q->name == ZONE_NAME_ZONE || (key_only && node->key) ||
	    (q->name != ZONE_NAME_KEY && node->at))
		return RCODE_OK;
	return RCODE_NO_NAME;
}

static struct wire_wr begin(const uint8_t *data, const struct zone_question *q,
			    uint16_t flags, uint8_t *out, size_t cap)
{
	const uint16_t asked = (uint16_t)(data[2] << 8 | data[3]);
	struct wire_wr w = wire_wr(out, cap);

	wire_wr_bytes(&w, data, 2);
	wire_wr_u16(&w,
		    (uint16_t)(FLAG_QR | flags | (asked & (OPCODE | FLAG_RD))));
	wire_wr_u16(&w, q->len > HEADER_LEN);
	wire_wr_u16(&w, 0);
	wire_wr_u16(&w, 0);
	wire_wr_u16(&w, 0);
	wire_wr_bytes(&w, data + HEADER_LEN, q->len - HEADER_LEN);
	return w;
}

size_t zone_answer(const uint8_t *data, const struct zone_question *q,
		   const struct zone_node *node, uint8_t *out, size_t cap)
{
	const uint8_t rcode = rcode_of(q, node);
	const uint16_t ours = q->rcode == RCODE_OK ? FLAG_AA : 0;
	struct wire_wr w = begin(data, q, ours | (rcode & 15), out, cap);
	struct counts n = { 0 };

	if (q->rcode == RCODE_OK)
		put_records(&w, data, q, node, &n);
	if (q->edns) {
		put_opt(&w, rcode);
		n.more++;
	}
	if (w.bad)
		return zone_truncated(data, q, out, cap);
	out[7] = n.answers;
	out[9] = n.authorities;
	out[11] = n.more;
	return (size_t)(w.p - out);
}

size_t zone_truncated(const uint8_t *data, const struct zone_question *q,
		      uint8_t *out, size_t cap)
{
	const struct wire_wr w = begin(data, q, FLAG_TC, out, cap);

	return w.bad ? 0 : (size_t)(w.p - out);
}
