/* SPDX-License-Identifier: MIT */

/* Where a node is: the order of the sources, what is kept and for how long,
 * and what strangers can make it ask. */

#include "daemon/node/lookup.h"
#include "tests/t.h"

#define S MONO_S

static const struct lookup_node nodes[] = {
	{ "1*", "others.example.org", 4571 },
	{ "1000", "192.0.2.10", 4570 },
	{ "19XX", "club.example.org", 4572 },
	{ "1999", "", 4569 },
};

static uint32_t draw; /* what chance says: of 2^32 */

static void chance(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(draw >> (24 - 8 * (i % 4)));
}

static struct lookup_cfg usual(void)
{
	return (struct lookup_cfg){
		.order = { LOOKUP_NODES, LOOKUP_DNS, LOOKUP_EXTNODES,
			   LOOKUP_REGISTRAR },
		.order_n = 4,
		.nodes = nodes,
		.nodes_n = 4,
		.domain = "example.net",
		.dns_digits_min = 4,
		.dns_digits_max = 6,
		.extnodes = true,
		.registrar = true,
		.random = chance,
	};
}

static struct lookup *fresh(void)
{
	const struct lookup_cfg cfg = usual();
	struct lookup *l = lookup_new(&cfg);

	T_TRUE(l != NULL);
	return l;
}

/* The next question, which is to be @name. */
static struct lookup_question asked(struct lookup *l, const char *name)
{
	struct lookup_question q;

	T_TRUE(lookup_next_question(l, &q));
	T_STR(name, q.name);
	return q;
}

static void none_asked(struct lookup *l)
{
	struct lookup_question q;

	T_TRUE(!lookup_next_question(l, &q));
}

static void absent(struct lookup *l, struct lookup_id id, mono_us now)
{
	const struct lookup_result r = { .state = LOOKUP_ABSENT,
					 .why = "no such name" };

	lookup_result(l, id, &r, now);
}

static void failed(struct lookup *l, struct lookup_id id, mono_us now)
{
	const struct lookup_result r = { .state = LOOKUP_FAILED,
					 .why = "server failure" };

	lookup_result(l, id, &r, now);
}

static void address(struct lookup *l, struct lookup_id id, uint8_t last,
		    uint32_t ttl_s, mono_us now)
{
	const struct net_addr at = net_addr_v4(192, 0, 2, last, 0);
	const struct lookup_result r = {
		.state = LOOKUP_FOUND, .ttl_s = ttl_s, .addr = &at, .n = 1
	};

	lookup_result(l, id, &r, now);
}

static void service(struct lookup *l, struct lookup_id id, const char *host,
		    uint32_t ttl_s, mono_us now)
{
	struct lookup_srv srv = { .port = 4600 };
	const struct lookup_result r = {
		.state = LOOKUP_FOUND, .ttl_s = ttl_s, .srv = &srv, .n = 1
	};

	(void)snprintf(srv.host, sizeof(srv.host), "%s", host);
	lookup_result(l, id, &r, now);
}

static struct lookup_answer done(struct lookup *l, const char *number)
{
	struct lookup_answer a;

	T_TRUE(lookup_next_done(l, &a));
	T_STR(number, a.number);
	return a;
}

/* Look up @number at @now in DNS: at 192.0.2.@last, with SRV of @ttl_s. */
static void dns_has(struct lookup *l, const char *number, uint8_t last,
		    uint32_t ttl_s, mono_us now)
{
	struct lookup_question q;

	T_EQ(LOOKUP_LATER, lookup_ask(l, number, 0, now));
	T_TRUE(lookup_next_question(l, &q));
	service(l, q.id, "host.example.net", ttl_s, now);
	q = asked(l, "host.example.net");
	address(l, q.id, last, ttl_s, now);
	T_EQ(LOOKUP_DNS, done(l, number).source);
}

/* --- the sources -------------------------------------------------------- */

static void patterns_match_digits(void)
{
	T_TRUE(lookup_matches("2000", "2000"));
	T_TRUE(!lookup_matches("2000", "200"));
	T_TRUE(!lookup_matches("2000", "20001"));
	T_TRUE(lookup_matches("20XX", "2099"));
	T_TRUE(!lookup_matches("20XX", "209"));
	T_TRUE(lookup_matches("2*", "2"));
	T_TRUE(lookup_matches("2*", "29999"));
	T_TRUE(!lookup_matches("2*", "3"));
}

static void a_listed_number_goes_before_a_pattern(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;
	struct lookup_question q;

	T_EQ(LOOKUP_LATER, lookup_ask(l, "1000", 0, S));
	q = asked(l, "192.0.2.10");
	T_TRUE(!q.srv);
	T_EQ(4570, q.port);
	address(l, q.id, 10, UINT32_MAX, S);
	a = done(l, "1000");
	T_EQ(LOOKUP_NODES, a.source);
	T_EQ(4570, a.said[LOOKUP_NODES].addr[0].port);
	T_STR("192.0.2.10", a.said[LOOKUP_NODES].host);
	T_EQ(LOOKUP_UNASKED, a.said[LOOKUP_DNS].state);
	/* Patterns as they are listed. */
	T_EQ(LOOKUP_LATER, lookup_ask(l, "1900", 0, S));
	(void)asked(l, "others.example.org");
	/* Listed without a host: known as a caller only. */
	T_EQ(LOOKUP_LATER, lookup_ask(l, "1999", 0, S));
	(void)asked(l, "_iax._udp.1999.nodes.example.net.");
	(void)lookup_free(l);
}

static void dns_is_asked_for_the_service_and_then_for_its_host(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;
	struct lookup_question q;

	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	q = asked(l, "_iax._udp.2000.nodes.example.net.");
	T_TRUE(q.srv);
	none_asked(l);
	service(l, q.id, "hub.example.net", 60, S);
	q = asked(l, "hub.example.net");
	T_TRUE(!q.srv);
	address(l, q.id, 7, 60, S);
	a = done(l, "2000");
	T_EQ(LOOKUP_DNS, a.source);
	T_EQ(4600, a.said[LOOKUP_DNS].addr[0].port);
	T_EQ(7, a.said[LOOKUP_DNS].addr[0].ip[15]);
	T_STR("hub.example.net", a.said[LOOKUP_DNS].host);
	T_EQ(LOOKUP_ABSENT, a.said[LOOKUP_NODES].state);
	(void)lookup_free(l);
}

static void an_address_without_a_service_is_called_at_iax2s_port(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;

	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	absent(l, asked(l, "_iax._udp.2000.nodes.example.net.").id, S);
	address(l, asked(l, "2000.nodes.example.net.").id, 7, 60, S);
	a = done(l, "2000");
	T_EQ(LOOKUP_DNS, a.source);
	T_EQ(4569, a.said[LOOKUP_DNS].addr[0].port);
	(void)lookup_free(l);
}

static void numbers_of_other_lengths_are_not_asked_for(void)
{
	char endless[1001] = "";
	struct lookup *l = fresh();
	struct lookup_answer a;

	T_EQ(LOOKUP_NOW, lookup_ask(l, "200", 0, S));
	none_asked(l);
	T_TRUE(lookup_kept(l, "200", S, &a));
	T_EQ(LOOKUP_UNASKED, a.said[LOOKUP_DNS].state);
	T_EQ(LOOKUP_REGISTRAR, a.source);
	T_EQ(LOOKUP_NOW, lookup_ask(l, "2000000", 0, S));
	T_EQ(LOOKUP_NUMBER, lookup_ask(l, "", 0, S));
	T_EQ(LOOKUP_NUMBER, lookup_ask(l, "2000000000000000", 0, S));
	T_EQ(LOOKUP_NUMBER, lookup_ask(l, "20a0", 0, S));
	memset(endless, '7', sizeof(endless) - 1);
	T_EQ(LOOKUP_NUMBER, lookup_ask(l, endless, 0, S));
	T_TRUE(!lookup_kept(l, "", S, &a));
	(void)lookup_free(l);
}

static void the_order_is_as_configured(void)
{
	struct lookup_cfg cfg = usual();
	struct lookup_answer a;
	struct lookup *l;

	cfg.order[0] = LOOKUP_REGISTRAR;
	cfg.order[1] = LOOKUP_DNS;
	cfg.order_n = 2;
	l = lookup_new(&cfg);
	T_EQ(LOOKUP_NOW, lookup_ask(l, "1000", 0, S));
	T_TRUE(lookup_kept(l, "1000", S, &a));
	T_EQ(LOOKUP_REGISTRAR, a.source);
	none_asked(l);
	cfg.registrar = false;
	lookup_reconfigure(l, &cfg, S);
	T_EQ(LOOKUP_LATER, lookup_ask(l, "1000", 0, S));
	absent(l, asked(l, "_iax._udp.1000.nodes.example.net.").id, S);
	absent(l, asked(l, "1000.nodes.example.net.").id, S);
	T_EQ(LOOKUP_SOURCES, done(l, "1000").source);
	T_EQ(1, lookup_counters(l)->absent);
	(void)lookup_free(l);
}

static void the_file_is_next_when_dns_knows_nothing_or_fails(void)
{
	static const char text[] =
		"2000=radio@198.51.100.1:4571/2000,198.51.100.2\n"
		"2001=radio@198.51.100.3:4569/2001,NONE\n";
	struct extnodes *x = extnodes_new(text, strlen(text));
	struct lookup *l = fresh();
	struct lookup_answer a;

	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	failed(l, asked(l, "_iax._udp.2000.nodes.example.net.").id, S);
	a = done(l, "2000");
	T_EQ(LOOKUP_REGISTRAR, a.source);
	T_EQ(LOOKUP_FAILED, a.said[LOOKUP_EXTNODES].state);
	lookup_extnodes(l, x);
	T_EQ(LOOKUP_NOW, lookup_ask(l, "2000", 0, S));
	T_TRUE(lookup_kept(l, "2000", S, &a));
	T_EQ(LOOKUP_EXTNODES, a.source);
	T_EQ(4571, a.said[LOOKUP_EXTNODES].addr[0].port);
	T_EQ(2, a.said[LOOKUP_EXTNODES].from.ip[15]);
	lookup_extnodes(l, NULL);
	T_TRUE(!lookup_kept(l, "2000", S, &a));
	(void)extnodes_free(x);
	(void)lookup_free(l);
}

static void all_sources_are_asked_when_somebody_wants_to_know(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;

	T_EQ(LOOKUP_LATER, lookup_ask(l, "1000", LOOKUP_ALL, S));
	address(l, asked(l, "192.0.2.10").id, 10, UINT32_MAX, S);
	address(l,
		(absent(l, asked(l, "_iax._udp.1000.nodes.example.net.").id, S),
		 asked(l, "1000.nodes.example.net.").id),
		11, 60, S);
	a = done(l, "1000");
	T_EQ(LOOKUP_NODES, a.source);
	T_EQ(LOOKUP_FOUND, a.said[LOOKUP_DNS].state);
	T_EQ(LOOKUP_FAILED, a.said[LOOKUP_EXTNODES].state);
	T_EQ(LOOKUP_FOUND, a.said[LOOKUP_REGISTRAR].state);
	(void)lookup_free(l);
}

/* --- SRV records -------------------------------------------------------- */

static void targets_are_tried_by_priority(void)
{
	struct lookup_srv srv[] = {
		{ .priority = 20, .port = 3, .host = "c" },
		{ .priority = 10, .port = 1, .host = "a" },
		{ .priority = 10, .port = 0, .host = "no-port" },
		{ .priority = 15, .port = 2, .host = "b" },
		{ .priority = 1, .port = 9, .host = "." },
	};

	draw = 0;
	T_EQ(3, lookup_srv_order(srv, 5, chance, NULL));
	T_STR("a", srv[0].host);
	T_STR("b", srv[1].host);
	T_STR("c", srv[2].host);
}

static void equals_are_chosen_by_weight(void)
{
	unsigned first[3] = { 0 };

	for (unsigned i = 0; i < 1000; i++) {
		struct lookup_srv srv[] = {
			{ .weight = 0, .port = 1, .host = "a" },
			{ .weight = 30, .port = 2, .host = "b" },
			{ .weight = 70, .port = 3, .host = "c" },
		};

		draw = i * (UINT32_MAX / 1000);
		T_EQ(3, lookup_srv_order(srv, 3, chance, NULL));
		first[srv[0].port - 1]++;
	}
	T_TRUE(first[0] > 0 && first[0] < 20);
	T_TRUE(first[1] > 280 && first[1] < 320);
	T_TRUE(first[2] > 670 && first[2] < 710);
	draw = 0;
}

static void the_next_target_is_tried_when_one_has_no_address(void)
{
	const struct lookup_srv srv[] = {
		{ .priority = 2, .port = 4602, .host = "b" },
		{ .priority = 1, .port = 4601, .host = "a" },
	};
	const struct lookup_result r = {
		.state = LOOKUP_FOUND, .ttl_s = 60, .srv = srv, .n = 2
	};
	struct lookup *l = fresh();

	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	lookup_result(l, asked(l, "_iax._udp.2000.nodes.example.net.").id, &r,
		      S);
	failed(l, asked(l, "a").id, S);
	address(l, asked(l, "b").id, 8, 60, S);
	T_EQ(4602, done(l, "2000").said[LOOKUP_DNS].addr[0].port);
	(void)lookup_free(l);
}

static void a_service_that_is_not_there_is_not_looked_for_elsewhere(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;

	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	service(l, asked(l, "_iax._udp.2000.nodes.example.net.").id, ".", 60,
		S);
	none_asked(l);
	a = done(l, "2000");
	T_EQ(LOOKUP_ABSENT, a.said[LOOKUP_DNS].state);
	(void)lookup_free(l);
}

/* --- time --------------------------------------------------------------- */

static void what_was_found_is_kept_as_long_as_it_lives(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;

	dns_has(l, "2000", 7, 60, S);
	T_EQ(LOOKUP_NOW, lookup_ask(l, "2000", 0, 60 * S));
	none_asked(l);
	T_EQ(1, lookup_counters(l)->kept);
	T_TRUE(!lookup_kept(l, "2000", 61 * S, &a));
	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, 61 * S));
	(void)lookup_free(l);
}

static void no_life_is_too_short_or_too_long(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;

	dns_has(l, "2000", 7, 0, S);
	T_TRUE(lookup_kept(l, "2000", S + LOOKUP_LEAST_S * S - 1, &a));
	T_TRUE(!lookup_kept(l, "2000", S + LOOKUP_LEAST_S * S, &a));
	dns_has(l, "2001", 7, INT32_MAX, S);
	T_TRUE(lookup_kept(l, "2001", S + LOOKUP_MOST_S * S - 1, &a));
	T_TRUE(!lookup_kept(l, "2001", S + LOOKUP_MOST_S * S, &a));
	(void)lookup_free(l);
}

static void what_is_not_there_is_kept_for_less(void)
{
	struct lookup_cfg cfg = usual();
	struct lookup_answer a;
	struct lookup *l;

	cfg.registrar = cfg.extnodes = false;
	l = lookup_new(&cfg);
	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	absent(l, asked(l, "_iax._udp.2000.nodes.example.net.").id, S);
	absent(l, asked(l, "2000.nodes.example.net.").id, S);
	T_EQ(LOOKUP_SOURCES, done(l, "2000").source);
	T_TRUE(lookup_kept(l, "2000", S + LOOKUP_ABSENT_S * S - 1, &a));
	T_TRUE(!lookup_kept(l, "2000", S + LOOKUP_ABSENT_S * S, &a));
	T_EQ(LOOKUP_LATER, lookup_ask(l, "2001", 0, S));
	failed(l, asked(l, "_iax._udp.2001.nodes.example.net.").id, S);
	T_EQ(LOOKUP_SOURCES, done(l, "2001").source);
	T_TRUE(lookup_kept(l, "2001", S + LOOKUP_FAILED_S * S - 1, &a));
	T_TRUE(!lookup_kept(l, "2001", S + LOOKUP_FAILED_S * S, &a));
	(void)lookup_free(l);
}

static void silence_is_waited_for_once(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;
	struct lookup_question q;

	T_EQ(MONO_NEVER, lookup_deadline(l));
	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	T_EQ(S + LOOKUP_PATIENCE_S * S, lookup_deadline(l));
	q = asked(l, "_iax._udp.2000.nodes.example.net.");
	/* The host of the service does not get as long again. */
	service(l, q.id, "a", 60, 5 * S);
	q = asked(l, "a");
	T_EQ(S + LOOKUP_PATIENCE_S * S, lookup_deadline(l));
	lookup_tick(l, S + LOOKUP_PATIENCE_S * S - 1);
	T_TRUE(!lookup_next_done(l, &a));
	lookup_tick(l, S + LOOKUP_PATIENCE_S * S);
	a = done(l, "2000");
	T_EQ(LOOKUP_FAILED, a.said[LOOKUP_DNS].state);
	T_EQ(MONO_NEVER, lookup_deadline(l));
	/* Too late. */
	address(l, q.id, 7, 60, 10 * S);
	T_TRUE(!lookup_next_done(l, &a));
	(void)lookup_free(l);
}

static void an_answer_to_another_question_is_not_taken(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;
	struct lookup_question q;
	struct lookup_id wrong;

	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	q = asked(l, "_iax._udp.2000.nodes.example.net.");
	wrong = q.id;
	wrong.gen++;
	service(l, wrong, "evil", 60, S);
	wrong = q.id;
	wrong.slot++;
	service(l, wrong, "evil", 60, S);
	wrong.slot = UINT16_MAX;
	service(l, wrong, "evil", 60, S);
	none_asked(l);
	/* Asked anew, whatever comes now was for the old question. */
	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	service(l, q.id, "good", 60, S);
	(void)asked(l, "good");
	address(l, q.id, 66, 60, S);
	T_TRUE(!lookup_next_done(l, &a));
	(void)lookup_free(l);
}

static void new_settings_ask_again(void)
{
	struct lookup_cfg cfg = usual();
	struct lookup *l = fresh();
	struct lookup_question q;
	struct lookup_answer a;

	dns_has(l, "2000", 7, 60, S);
	T_EQ(LOOKUP_LATER, lookup_ask(l, "2001", 0, S));
	q = asked(l, "_iax._udp.2001.nodes.example.net.");
	cfg.domain = "example.com";
	lookup_reconfigure(l, &cfg, 2 * S);
	T_TRUE(!lookup_kept(l, "2000", 2 * S, &a));
	service(l, q.id, "old", 60, 2 * S);
	(void)asked(l, "_iax._udp.2001.nodes.example.com.");
	none_asked(l);
	(void)lookup_free(l);
}

/* --- bounds ------------------------------------------------------------- */

static const char *number(unsigned i)
{
	static char text[8];

	(void)snprintf(text, sizeof(text), "%u", 20000 + i);
	return text;
}

static void two_who_ask_for_the_same_ask_once(void)
{
	struct lookup *l = fresh();
	struct lookup_question q;

	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", 0, S));
	T_EQ(LOOKUP_LATER, lookup_ask(l, "2000", LOOKUP_STRANGER, S));
	T_TRUE(lookup_next_question(l, &q));
	none_asked(l);
	T_EQ(1, lookup_counters(l)->questions);
	(void)lookup_free(l);
}

static void strangers_leave_room_for_the_operator(void)
{
	struct lookup *l = fresh();
	unsigned taken = 0;

	for (unsigned i = 0; i < 100; i++)
		taken += lookup_ask(l, number(i), LOOKUP_STRANGER, S) ==
			 LOOKUP_LATER;
	T_EQ(LOOKUP_STRANGERS, taken);
	for (unsigned i = 100; i < 200; i++)
		taken += lookup_ask(l, number(i), 0, S) == LOOKUP_LATER;
	T_EQ(LOOKUP_AT_ONCE, taken);
	T_EQ(100 + 100 - LOOKUP_AT_ONCE, lookup_counters(l)->refused);
	(void)lookup_free(l);
}

static void strangers_cause_so_many_questions_a_minute(void)
{
	struct lookup *l = fresh();
	struct lookup_question q;
	struct lookup_answer a;
	unsigned taken = 0;

	for (mono_us now = S; now < 61 * S; now += S / 100) {
		taken += lookup_ask(l, number((unsigned)(now / (S / 100))),
				    LOOKUP_STRANGER, now) == LOOKUP_LATER;
		while (lookup_next_question(l, &q))
			failed(l, q.id, now);
		while (lookup_next_done(l, &a))
			T_EQ(LOOKUP_REGISTRAR, a.source);
	}
	T_TRUE(taken >= LOOKUP_STRANGERS_PER_MIN);
	T_TRUE(taken <= LOOKUP_STRANGERS_PER_MIN + LOOKUP_STRANGERS_BURST + 1);
	(void)lookup_free(l);
}

static void who_was_not_asked_for_longest_is_forgotten(void)
{
	struct lookup *l = fresh();
	struct lookup_answer a;

	for (unsigned i = 0; i < LOOKUP_KEPT; i++)
		dns_has(l, number(i), 7, 300, S + i);
	T_EQ(LOOKUP_NOW, lookup_ask(l, number(0), 0, 2 * S));
	dns_has(l, number(1000), 7, 300, 3 * S);
	T_TRUE(lookup_kept(l, number(0), 3 * S, &a));
	T_TRUE(!lookup_kept(l, number(1), 3 * S, &a));
	T_TRUE(lookup_kept(l, number(2), 3 * S, &a));
	(void)lookup_free(l);
}

static void no_more_addresses_than_there_is_room_for(void)
{
	struct net_addr many[16];
	const struct lookup_result r = {
		.state = LOOKUP_FOUND, .ttl_s = 60, .addr = many, .n = 16
	};
	struct lookup *l = fresh();

	for (uint8_t i = 0; i < 16; i++)
		many[i] = net_addr_v4(192, 0, 2, i, 0);
	T_EQ(LOOKUP_LATER, lookup_ask(l, "1000", 0, S));
	lookup_result(l, asked(l, "192.0.2.10").id, &r, S);
	T_EQ(LOOKUP_ADDRS, done(l, "1000").said[LOOKUP_NODES].n);
	(void)lookup_free(l);
}

int main(void)
{
	T_RUN(patterns_match_digits);
	T_RUN(a_listed_number_goes_before_a_pattern);
	T_RUN(dns_is_asked_for_the_service_and_then_for_its_host);
	T_RUN(an_address_without_a_service_is_called_at_iax2s_port);
	T_RUN(numbers_of_other_lengths_are_not_asked_for);
	T_RUN(the_order_is_as_configured);
	T_RUN(the_file_is_next_when_dns_knows_nothing_or_fails);
	T_RUN(all_sources_are_asked_when_somebody_wants_to_know);
	T_RUN(targets_are_tried_by_priority);
	T_RUN(equals_are_chosen_by_weight);
	T_RUN(the_next_target_is_tried_when_one_has_no_address);
	T_RUN(a_service_that_is_not_there_is_not_looked_for_elsewhere);
	T_RUN(what_was_found_is_kept_as_long_as_it_lives);
	T_RUN(no_life_is_too_short_or_too_long);
	T_RUN(what_is_not_there_is_kept_for_less);
	T_RUN(silence_is_waited_for_once);
	T_RUN(an_answer_to_another_question_is_not_taken);
	T_RUN(new_settings_ask_again);
	T_RUN(two_who_ask_for_the_same_ask_once);
	T_RUN(strangers_leave_room_for_the_operator);
	T_RUN(strangers_cause_so_many_questions_a_minute);
	T_RUN(who_was_not_asked_for_longest_is_forgotten);
	T_RUN(no_more_addresses_than_there_is_room_for);
	return T_DONE();
}
