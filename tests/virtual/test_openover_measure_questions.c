/* SPDX-License-Identifier: MIT */

/* One question to the registrar by itself (OPEN-OVER.md section 4.10): how
 * often it is asked, what is taken for an answer, when it is given up. */

#include <sodium.h>
#include <string.h>

#include "proto/openover_measure_priv.h"
#include "tests/t.h"

#define BEGAN (1000 * MONO_S)
#define SOCK 7U
#define ID UINT64_C(0x0505050505050505)

static struct dgram_queue *tx;
static struct oo_measure m;
static struct oo_reg g;
static mono_us now;
static struct dgram sent;

static void random_octets(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 5, len);
}

static void begin(void)
{
	memset(&m, 0, sizeof(m));
	memset(&g, 0, sizeof(g));
	g.cfg.tx = tx;
	g.cfg.random = random_octets;
	g.session.id = 1;
	g.hole[OO_V4].registrar = net_addr_v4(198, 51, 100, 1, 4569);
	g.ends.port = 4570;
	g.ends.other = net_addr_v4(198, 51, 100, 2, 4570);
	m.flow[OO_V4][0].sock = SOCK;
	m.flow[OO_V4][0].seen = net_addr_v4(203, 0, 113, 1, 4569);
	now = BEGAN;
}

/* To the next time that it is due; was something sent? */
static bool due(enum measure_answer want)
{
	now = m.due;
	T_EQ(want, measure_question_due(&m, &g, now));
	return dgram_queue_pop(tx, &sent);
}

static void seen_from(enum oo_end end)
{
	begin();
	measure_ask_seen(&m, OO_V4, 0, end, now);
	T_TRUE(due(ANSWER_NONE));
}

static void there_from(enum oo_end end)
{
	begin();
	measure_ask_there(&m, OO_V4, 0, end, now);
	T_TRUE(due(ANSWER_NONE));
}

static struct oo_msg answer(void)
{
	return (struct oo_msg){ .has_transaction = true,
				.transaction = ID,
				.has_reflexive = true,
				.reflexive = net_addr_v4(203, 0, 113, 1, 9),
				.has_path = true,
				.path = 99 };
}

static enum measure_answer rx(unsigned sock, const struct oo_msg *msg)
{
	const struct dgram d = { .path.sock = (uint16_t)sock };

	return measure_question_rx(&m, &g, &d, msg, now);
}

static void each_end_is_asked_where_it_is(void)
{
	struct net_addr port = net_addr_v4(198, 51, 100, 1, 4570);

	seen_from(OO_END_MAIN);
	T_TRUE(net_addr_equal(&g.hole[OO_V4].registrar, &sent.path.peer));
	T_EQ(SOCK, sent.path.sock);
	seen_from(OO_END_PORT);
	T_TRUE(net_addr_equal(&port, &sent.path.peer));
	T_EQ(SOCK, sent.path.sock);
	seen_from(OO_END_OTHER);
	T_TRUE(net_addr_equal(&g.ends.other, &sent.path.peer));
	/* By the hole that is proved, whichever end is to send. */
	there_from(OO_END_OTHER);
	T_TRUE(net_addr_equal(&g.hole[OO_V4].registrar, &sent.path.peer));
	T_EQ(0, sent.path.sock);
}

static void only_the_socket_that_asked_is_told(void)
{
	struct oo_msg a;

	for (int i = 0; i < 6; i++) {
		seen_from(OO_END_MAIN);
		a = answer();
		a.has_transaction = i != 1;
		a.transaction = i == 2 ? ID + 1 : ID;
		a.has_reflexive = i != 3;
		a.has_path = i != 4;
		T_EQ(i == 0 ? ANSWER_YES : ANSWER_NONE,
		     rx(i == 5 ? SOCK + 1 : SOCK, &a));
		T_EQ(i == 0 ? 99 : 0, m.q.cookie);
	}
	/* Nothing was asked at all. */
	begin();
	a = answer();
	a.transaction = 0;
	T_EQ(ANSWER_NONE, rx(0, &a));
}

static void a_datagram_counts_where_it_was_asked_for(void)
{
	struct oo_msg a = answer();

	a.has_end = true;
	a.end = OO_END_PORT;
	there_from(OO_END_PORT);
	T_EQ(ANSWER_NONE, rx(SOCK + 1, &a));
	a.end = OO_END_OTHER;
	T_EQ(ANSWER_NONE, rx(SOCK, &a));
	a.end = OO_END_PORT;
	T_EQ(ANSWER_YES, rx(SOCK, &a));
}

static void what_was_sent_three_times_and_did_not_come_is_filtered(void)
{
	const struct oo_msg a = answer();

	there_from(OO_END_PORT);
	for (int round = 1; round <= 3; round++) {
		/* "Sent" counts by the live hole alone. */
		T_EQ(ANSWER_NONE, rx(SOCK, &a));
		T_TRUE(!m.q.waiting);
		now += 100 * MONO_MS;
		T_EQ(ANSWER_NONE, rx(0, &a));
		T_TRUE(m.q.waiting);
		T_EQ(now + 500 * MONO_MS, m.due);
		/* Said twice it is one round, and waits no longer. */
		now += 100 * MONO_MS;
		T_EQ(ANSWER_NONE, rx(0, &a));
		T_EQ(now + 400 * MONO_MS, m.due);
		T_EQ(round < 3, due(round < 3 ? ANSWER_NONE : ANSWER_NO));
	}
}

static void silence_is_loss_and_not_a_filter(void)
{
	mono_us last, gap[9];

	there_from(OO_END_PORT);
	for (int i = 0; i < 9; i++) {
		last = now;
		T_TRUE(due(ANSWER_NONE));
		gap[i] = now - last;
	}
	T_EQ(500 * MONO_MS, gap[0]);
	T_EQ(MONO_S, gap[1]);
	for (int i = 2; i < 9; i++)
		T_EQ(2 * MONO_S, gap[i]);
	T_TRUE(!due(ANSWER_LOST));
	T_EQ(0, m.q.confirmed);
}

static void a_long_way_gets_more_patience(void)
{
	begin();
	g.hole[OO_V4].rtt_us = 400 * MONO_MS;
	measure_ask_seen(&m, OO_V4, 0, OO_END_MAIN, now);
	T_TRUE(due(ANSWER_NONE));
	T_EQ(now + 800 * MONO_MS, m.due);
	begin();
	g.hole[OO_V4].rtt_us = 60 * MONO_S;
	measure_ask_seen(&m, OO_V4, 0, OO_END_MAIN, now);
	T_TRUE(due(ANSWER_NONE));
	T_EQ(now + 2 * MONO_S, m.due);
}

/* The registrar drops what is beyond its limit, which would look like loss. */
static void no_more_is_asked_than_the_registrar_allows(void)
{
	unsigned at_once = 0, later = 0;

	begin();
	for (unsigned i = 0; i < 30; i++) {
		measure_ask_seen(&m, OO_V4, 0, OO_END_MAIN, BEGAN);
		at_once += due(ANSWER_NONE);
	}
	T_TRUE(at_once >= 10 && at_once <= 20);
	for (unsigned i = 0; i < 600; i++) {
		measure_ask_seen(&m, OO_V4, 0, OO_END_MAIN,
				 BEGAN + (mono_us)i * 100 * MONO_MS);
		later += due(ANSWER_NONE);
	}
	T_TRUE(later >= 50 && later <= 60);
	/* And one that had to wait is asked all the same. */
	measure_ask_seen(&m, OO_V4, 0, OO_END_MAIN, now);
	for (unsigned i = 0; i < 8 && !due(ANSWER_NONE); i++)
		T_EQ(now + 250 * MONO_MS, m.due);
	T_EQ(1, m.q.tries);
}

static void every_finding_has_words_of_its_own(void)
{
	for (int a = 0; a <= OO_MAPPING_ADDRESS_PORT; a++) {
		for (int b = 0; b < a; b++)
			T_TRUE(strcmp(oo_mapping_text((enum oo_mapping)a),
				      oo_mapping_text((enum oo_mapping)b)) !=
			       0);
	}
	for (int a = 0; a <= OO_FILTERING_ADDRESS_PORT; a++) {
		for (int b = 0; b < a; b++)
			T_TRUE(strcmp(oo_filtering_text((enum oo_filtering)a),
				      oo_filtering_text(
					      (enum oo_filtering)b)) != 0);
	}
	for (int a = 0; a <= OO_IPV6_OPEN; a++) {
		for (int b = 0; b < a; b++)
			T_TRUE(strcmp(oo_ipv6_text((enum oo_ipv6)a),
				      oo_ipv6_text((enum oo_ipv6)b)) != 0);
	}
}

static const char *said(const struct oo_measured *f)
{
	static char text[OO_MEASURED_TEXT_MAX];

	oo_measured_say(f, text, sizeof(text));
	return text;
}

static void the_newest_is_said(void)
{
	struct oo_measured f = { .living = true,
				 .mapping = OO_MAPPING_INDEPENDENT,
				 .ipv6 = OO_IPV6_NONE };

	T_STR("network: mapping endpoint-independent, filtering unknown, "
	      "IPv6 none",
	      said(&f));
	f.living = false;
	T_STR("network: how long a hole stays open is not known", said(&f));
	f.life[OO_V6] = 60 * MONO_S;
	T_STR("network: a hole stays open for 60 s", said(&f));
	f.life[OO_V4] = 30 * MONO_S;
	f.at_least[OO_V4] = true;
	T_STR("network: a hole stays open for at least 30 s", said(&f));
	f.failed = true;
	T_STR("measuring the network came to no end", said(&f));
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	tx = dgram_queue_new(8);
	T_TRUE(tx != NULL);
	T_RUN(each_end_is_asked_where_it_is);
	T_RUN(only_the_socket_that_asked_is_told);
	T_RUN(a_datagram_counts_where_it_was_asked_for);
	T_RUN(what_was_sent_three_times_and_did_not_come_is_filtered);
	T_RUN(silence_is_loss_and_not_a_filter);
	T_RUN(a_long_way_gets_more_patience);
	T_RUN(no_more_is_asked_than_the_registrar_allows);
	T_RUN(every_finding_has_words_of_its_own);
	T_RUN(the_newest_is_said);
	tx = dgram_queue_free(tx);
	return T_DONE();
}
