/* SPDX-License-Identifier: MIT */

/* DNS questions for nodes, and the answers, octet by octet. */

#include "daemon/registrar/zone_wire.h"
#include "tests/t.h"

#define DOMAIN "club.example.org"

static uint8_t asked[ZONE_UDP_MAX + 64], got[ZONE_UDP_MAX];
static size_t asked_len, got_len;
static struct zone_question q;

/* A name from dotted text. */
static void put_name(const char *name)
{
	while (*name != '\0') {
		const size_t len = strcspn(name, ".");

		asked[asked_len++] = (uint8_t)len;
		memcpy(asked + asked_len, name, len);
		asked_len += len;
		name += len + (name[len] == '.');
	}
	asked[asked_len++] = 0;
}

static void put_u16(unsigned v)
{
	asked[asked_len++] = (uint8_t)(v >> 8);
	asked[asked_len++] = (uint8_t)v;
}

static void ask(const char *name, unsigned type)
{
	static const uint8_t head[12] = { 0x12, 0x34, 0x01, 0, 0, 1 };

	memcpy(asked, head, sizeof(head));
	asked_len = sizeof(head);
	put_name(name);
	put_u16(type);
	put_u16(1);
}

static void add_edns(unsigned version)
{
	asked[11] = 1;
	asked[asked_len++] = 0;
	put_u16(41);
	put_u16(1232);
	put_u16(version);
	put_u16(0);
	put_u16(0);
}

/* From a copy of exact size. */
static bool read_it(void)
{
	uint8_t *copy = t_dup(asked, asked_len);
	const bool good = zone_read(copy, asked_len, DOMAIN, &q);

	free(copy);
	return good;
}

static const char *key; /* of the node; NULL: it has none */

static void answer(bool online)
{
	const struct net_addr at = net_addr_v4(192, 0, 2, 7, 4570);

	T_TRUE(read_it());
	const struct zone_node node = { online ? &at : NULL, key };

	got_len = zone_answer(asked, &q, &node, got, sizeof(got));
	T_TRUE(got_len >= 12);
	T_EQ(0x12, got[0]);
	T_EQ(0x34, got[1]);
	T_TRUE((got[2] & 0x80) != 0);
}

static unsigned rcode(void)
{
	return got[3] & 15;
}

static void counts(unsigned answers, unsigned authorities, unsigned more)
{
	T_EQ(answers, got[6] << 8 | got[7]);
	T_EQ(authorities, got[8] << 8 | got[9]);
	T_EQ(more, got[10] << 8 | got[11]);
}

static void rest_is(const uint8_t *want, size_t len)
{
	T_EQ(asked_len + len, got_len);
	T_EQ(0, memcmp(asked + 12, got + 12, asked_len - 12));
	for (size_t i = 0; i < len; i++)
		T_EQ(want[i], got[asked_len + i]);
}

static void a_node_is_found(void)
{
	static const uint8_t a[] = { 0xc0, 12, 0, 1, 0,   1, 0, 0,
				     0,    30, 0, 4, 192, 0, 2, 7 };
	static const uint8_t txt[] = { 0xc0, 12,  0,   16,  0,   1,   0,
				       0,    0,   30,  0,   29,  7,   'N',
				       'N',  '=', '2', '0', '0', '1', 12,
				       'I',  'P', '=', '1', '9', '2', '.',
				       '0',  '.', '2', '.', '7', 7,   'P',
				       'T',  '=', '4', '5', '7', '0' };
	static const uint8_t srv[] = {
		0xc0, 12,  0,   33,   0,   1,    0,    0,   0,   30,  0,
		35,   0,   0,   0,    0,   0x11, 0xda, 4,   '2', '0', '0',
		'1',  5,   'n', 'o',  'd', 'e',  's',  4,   'c', 'l', 'u',
		'b',  7,   'e', 'x',  'a', 'm',  'p',  'l', 'e', 3,   'o',
		'r',  'g', 0,   0xc0, 22,  0,    1,    0,   1,   0,   0,
		0,    30,  0,   4,    192, 0,    2,    7
	};

	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	answer(true);
	T_EQ(0x85, got[2]); /* an answer, authoritative, RD as it came */
	T_EQ(0, rcode());
	counts(1, 0, 0);
	rest_is(a, sizeof(a));
	T_STR("2001", q.number);

	ask("2001.nodes." DOMAIN, ZONE_TYPE_TXT);
	answer(true);
	counts(1, 0, 0);
	T_EQ(29, txt[11]);
	rest_is(txt, sizeof(txt));

	ask("_iax._udp.2001.nodes." DOMAIN, ZONE_TYPE_SRV);
	answer(true);
	counts(1, 0, 1);
	rest_is(srv, sizeof(srv));
}

static void letters_are_of_any_size(void)
{
	ask("_IAX._uDp.2001.NoDeS.CLUB.example.ORG", ZONE_TYPE_SRV);
	answer(true);
	T_EQ(ZONE_NAME_SERVICE, q.name);
	counts(1, 0, 1);
	/* They come back as they were written. */
	T_EQ(0, memcmp(asked + 12, got + 12, asked_len - 12));
}

static void what_is_not_there_has_a_time_to_live(void)
{
	static const struct {
		const char *name;
		unsigned type, rcode;
		bool online;
	} row[] = {
		{ "2001.nodes." DOMAIN, ZONE_TYPE_A, 3, false },
		{ "_iax._udp.2001.nodes." DOMAIN, ZONE_TYPE_SRV, 3, false },
		{ "2001.nodes." DOMAIN, 28, 0, true },
		{ "2001.nodes." DOMAIN, ZONE_TYPE_SRV, 0, true },
		{ "_udp.2001.nodes." DOMAIN, ZONE_TYPE_SRV, 0, true },
		{ "_iax._udp.2001.nodes." DOMAIN, ZONE_TYPE_A, 0, true },
		{ "www.nodes." DOMAIN, ZONE_TYPE_A, 3, false },
		{ "a.b.c.2001.nodes." DOMAIN, ZONE_TYPE_A, 3, false },
		{ "_iax._tcp.2001.nodes." DOMAIN, ZONE_TYPE_SRV, 3, false },
		{ "_sip._udp.2001.nodes." DOMAIN, ZONE_TYPE_SRV, 3, false },
		{ "1234567890123456.nodes." DOMAIN, ZONE_TYPE_A, 3, false },
		{ "nodes." DOMAIN, 2, 0, false },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		ask(row[i].name, row[i].type);
		answer(row[i].online);
		T_EQ(row[i].rcode, rcode());
		counts(0, 1, 0);
		/* Its owner is the zone, and it is an SOA. */
		T_EQ(0xc0, got[asked_len]);
		T_EQ(5, asked[got[asked_len + 1]]);
		T_EQ(0, memcmp(asked + got[asked_len + 1] + 1, "nodes", 5));
		T_EQ(6, got[asked_len + 3]);
		T_EQ(asked_len + 12 + 35, got_len);
	}
	ask("nodes." DOMAIN, ZONE_TYPE_SOA);
	answer(false);
	T_EQ(0, rcode());
	counts(1, 0, 0);
}

static void strangers_names_are_refused(void)
{
	static const char *const name[] = { "example.org",
					    DOMAIN,
					    "",
					    "2001.nodes.club.example.com",
					    "2001.nodes.example.org",
					    ("2001.knots." DOMAIN),
					    "nodes.club.example.org.evil" };

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		ask(name[i], ZONE_TYPE_A);
		answer(false);
		T_EQ(5, rcode());
		T_EQ(0, got[2] & 4);
		counts(0, 0, 0);
		T_EQ(asked_len, got_len);
	}
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	asked[asked_len - 1] = 3; /* CHAOS */
	answer(true);
	T_EQ(5, rcode());
	for (unsigned transfer = 251; transfer <= 252; transfer++) {
		ask("nodes." DOMAIN, transfer);
		answer(true);
		T_EQ(5, rcode());
		T_EQ(asked_len, got_len);
	}
}

static void what_is_no_question_is_told_so(void)
{
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	asked[2] = 0x28; /* UPDATE */
	answer(true);
	T_EQ(4, rcode());
	T_EQ(12, got_len);
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	asked[5] = 2;
	answer(true);
	T_EQ(1, rcode());
	T_EQ(12, got_len);
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	asked[7] = 1; /* with an answer in it */
	answer(true);
	T_EQ(1, rcode());
	/* A name that points elsewhere, one without end, one too long. */
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	asked[12] = 0xc0;
	answer(true);
	T_EQ(1, rcode());
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	for (size_t len = 12; len < asked_len; len++) {
		asked_len = len;
		answer(true);
		T_EQ(1, rcode());
		T_EQ(12, got_len);
		ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	}
	ask("", ZONE_TYPE_A);
	asked_len = 12;
	for (int i = 0; i < 5; i++) {
		asked[asked_len++] = 60;
		memset(asked + asked_len, 'a', 60);
		asked_len += 60;
	}
	asked[asked_len++] = 0;
	put_u16(1);
	put_u16(1);
	answer(true);
	T_EQ(1, rcode());
	/* More labels than there are. */
	ask("", ZONE_TYPE_A);
	asked_len = 12;
	for (int i = 0; i < 127; i++) {
		asked[asked_len++] = 1;
		asked[asked_len++] = 'a';
	}
	put_u16(0);
	asked_len--;
	put_u16(1);
	put_u16(1);
	T_TRUE(read_it());
	T_EQ(ZONE_NAME_FOREIGN, q.name);
}

static void an_answer_is_never_answered(void)
{
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	asked[2] |= 0x80;
	T_TRUE(!read_it());
	for (asked_len = 0; asked_len < 12; asked_len++)
		T_TRUE(!read_it());
}

static void edns_is_answered_in_kind(void)
{
	static const uint8_t opt[] = { 0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0 };

	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	add_edns(0);
	answer(true);
	counts(1, 0, 1);
	T_EQ(0, memcmp(got + got_len - sizeof(opt), opt, sizeof(opt)));
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	add_edns(1);
	answer(true);
	T_EQ(0, rcode());
	T_EQ(1, got[got_len - 6]); /* BADVERS */
	counts(0, 0, 1);
	/* Half of it is none. */
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	asked[11] = 1;
	asked[asked_len++] = 0;
	answer(true);
	counts(1, 0, 0);
}

static void a_nodes_key_is_text(void)
{
	static const char text[] =
		"0123456789012345678901234567890123456789012=";

	key = text;
	ask("_KEYHOLE.2001.nodes." DOMAIN, ZONE_TYPE_TXT);
	for (int online = 0; online < 2; online++) {
		answer(online);
		T_EQ(0, got[3] & 15);
		counts(1, 0, 0);
		T_TRUE(got_len == asked_len + 12 + 1 + 4 + 44);
		T_EQ(48, got[asked_len + 12]);
		T_TRUE(memcmp(got + asked_len + 13, "key=", 4) == 0);
		T_TRUE(memcmp(got + asked_len + 17, text, 44) == 0);
	}
	/* It has nothing else, */
	ask("_keyhole.2001.nodes." DOMAIN, ZONE_TYPE_A);
	answer(true);
	T_EQ(0, got[3] & 15);
	counts(0, 1, 0);
	/* the name above it exists, */
	ask("2001.nodes." DOMAIN, ZONE_TYPE_A);
	answer(false);
	T_EQ(0, got[3] & 15);
	counts(0, 1, 0);
	/* and without a key there is no such name. */
	key = NULL;
	ask("_keyhole.2001.nodes." DOMAIN, ZONE_TYPE_TXT);
	answer(true);
	T_EQ(3, got[3] & 15);
	counts(0, 1, 0);
	ask("_keyhole._udp.2001.nodes." DOMAIN, ZONE_TYPE_TXT);
	answer(false);
	T_EQ(3, got[3] & 15);
}

static void what_is_truncated_is_no_longer_than_the_question(void)
{
	const struct net_addr at = { .port = 1 };
	const struct zone_node node = { &at, NULL };

	ask("_iax._udp.2001.nodes." DOMAIN, ZONE_TYPE_SRV);
	T_TRUE(read_it());
	got_len = zone_truncated(asked, &q, got, sizeof(got));
	T_EQ(asked_len, got_len);
	T_EQ(0x83, got[2]);
	counts(0, 0, 0);
	/* And so is what does not fit. */
	T_EQ(asked_len, zone_answer(asked, &q, &node, got, asked_len + 3));
	T_EQ(0x83, got[2]);
	T_EQ(0, zone_truncated(asked, &q, got, 12));
}

int main(void)
{
	T_RUN(a_node_is_found);
	T_RUN(letters_are_of_any_size);
	T_RUN(what_is_not_there_has_a_time_to_live);
	T_RUN(strangers_names_are_refused);
	T_RUN(what_is_no_question_is_told_so);
	T_RUN(an_answer_is_never_answered);
	T_RUN(edns_is_answered_in_kind);
	T_RUN(a_nodes_key_is_text);
	T_RUN(what_is_truncated_is_no_longer_than_the_question);
	return T_DONE();
}
