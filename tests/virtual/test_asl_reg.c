/* SPDX-License-Identifier: MIT */

/* Registration with AllStarLink by HTTPS or REGREQ: when, how and which, in
 * injected time. */

#include "proto/asl_reg.h"
#include "tests/t.h"

#define PORT 4569U

static struct asl_reg reg;
static mono_us now;
static unsigned seed;

static void dice(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245U + 12345U;
		buf[i] = (uint8_t)(seed >> 16);
	}
}

static struct net_addr addr(uint8_t last, uint16_t port)
{
	return net_addr_v4(203, 0, 113, last, port);
}

static void start(bool choose)
{
	const struct asl_reg_cfg cfg = { .choose = choose,
					 .port = PORT,
					 .random = dice };

	now = 7 * MONO_S;
	asl_reg_init(&reg, &cfg, now);
}

/* To the next deadline; what it brought. */
static unsigned next(void)
{
	const mono_us due = asl_reg_deadline(&reg);

	T_TRUE(due != MONO_NEVER);
	if (due > now)
		now = due;
	return asl_reg_tick(&reg, now);
}

static unsigned answer(unsigned status, enum asl_reg_word word,
		       uint32_t refresh_s, uint8_t last)
{
	const struct asl_reg_answer a = {
		.status = status,
		.word = word,
		.refresh_s = refresh_s,
		.apparent =
			last ? addr(last, PORT) : (struct net_addr){ { 0 }, 0 },
	};

	now += 100 * MONO_MS;
	return asl_reg_answered(&reg, &a, now);
}

static unsigned good(uint8_t last)
{
	return answer(200, ASL_REG_GOOD, 179, last);
}

/* The seconds from now to the next POST. */
static uint64_t seconds_to_post(void)
{
	const mono_us from = now;

	while (!(next() & ASL_REG_CHANGE_POST))
		T_TRUE(now - from < 24 * 3600 * MONO_S);
	return (now - from) / MONO_S;
}

static void between(uint64_t low, uint64_t got, uint64_t high)
{
	T_TRUE(got >= low);
	T_TRUE(got <= high);
}

/* --- HTTPS alone -------------------------------------------------------- */

static void it_posts_at_once_and_again_when_it_was_told_to(void)
{
	const struct net_addr seen = addr(1, PORT);

	start(false);
	T_EQ(ASL_REG_CHANGE_POST, next());
	T_EQ(ASL_REG_CHANGE_UP | ASL_REG_CHANGE_APPARENT, good(1));
	T_TRUE(asl_reg_is_up(&reg));
	T_TRUE(net_addr_equal(&seen, &reg.by_https));
	T_EQ(now, reg.last_ok);
	T_EQ(100000, reg.rtt_us);
	between(179, seconds_to_post(), 184);
	T_EQ(0, good(1));
	for (int i = 0; i < 500; i++) {
		between(179, seconds_to_post(), 184);
		T_EQ(0, good(1));
	}
	/* Told nothing, or what no registrar means. */
	(void)seconds_to_post();
	(void)answer(200, ASL_REG_GOOD, 0, 1);
	between(180, seconds_to_post(), 185);
	(void)answer(200, ASL_REG_GOOD, 1, 1);
	between(120, seconds_to_post(), 125);
	(void)answer(200, ASL_REG_GOOD, 1000000, 1);
	between(3600, seconds_to_post(), 3605);
}

static void only_the_text_makes_it_a_success(void)
{
	static const struct {
		unsigned status;
		enum asl_reg_word word;
		enum asl_reg_trouble trouble;
	} row[] = {
		{ 200, ASL_REG_UNCLEAR, ASL_REG_STRANGE },
		{ 200, ASL_REG_BAD, ASL_REG_REFUSED },
		{ 201, ASL_REG_GOOD, ASL_REG_STRANGE },
		{ 301, ASL_REG_GOOD, ASL_REG_STRANGE },
		{ 404, ASL_REG_UNCLEAR, ASL_REG_STRANGE },
		{ 401, ASL_REG_UNCLEAR, ASL_REG_REFUSED },
		{ 403, ASL_REG_UNCLEAR, ASL_REG_REFUSED },
		{ 429, ASL_REG_GOOD, ASL_REG_TOO_SOON },
		{ 502, ASL_REG_GOOD, ASL_REG_BUSY },
		{ 0, ASL_REG_GOOD, ASL_REG_SILENT },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		start(false);
		(void)next();
		T_EQ(ASL_REG_CHANGE_TROUBLE,
		     answer(row[i].status, row[i].word, 179, 1));
		T_EQ(row[i].trouble, reg.trouble);
		T_TRUE(!asl_reg_is_up(&reg));
		T_TRUE(!net_addr_is_set(&reg.by_https));
		T_TRUE(asl_reg_trouble_text(reg.trouble)[0] != '\0');
	}
	T_STR("", asl_reg_trouble_text(ASL_REG_OK));
}

/* The shortest and longest pause after @n failures of a kind. */
static void pauses_after(unsigned status, enum asl_reg_word word, unsigned n,
			 uint64_t low, uint64_t high)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (int i = 0; i < 200; i++) {
		uint64_t s = 0;

		start(false);
		(void)next();
		for (unsigned k = 0; k < n; k++) {
			(void)answer(status, word, 179, 0);
			s = seconds_to_post();
		}
		least = s < least ? s : least;
		most = s > most ? s : most;
	}
	between(low, least, most);
	T_TRUE(most <= high);
	/* A crowd does not come back in one moment. */
	T_TRUE(most - least >= (high - low) / 2);
}

static void failures_are_backed_off_and_spread(void)
{
	pauses_after(0, ASL_REG_UNCLEAR, 1, 10, 20);
	pauses_after(502, ASL_REG_UNCLEAR, 1, 10, 20);
	pauses_after(502, ASL_REG_UNCLEAR, 3, 40, 80);
	pauses_after(503, ASL_REG_UNCLEAR, 20, 300, 600);
	pauses_after(429, ASL_REG_UNCLEAR, 1, 130, 140);
	pauses_after(429, ASL_REG_UNCLEAR, 4, 200, 280);
	pauses_after(200, ASL_REG_BAD, 1, 60, 120);
	pauses_after(200, ASL_REG_BAD, 20, 1800, 3600);
}

static void a_failed_refresh_is_no_end_but_its_time_is(void)
{
	start(false);
	(void)next();
	(void)good(1);
	(void)seconds_to_post();
	T_EQ(ASL_REG_CHANGE_TROUBLE | ASL_REG_CHANGE_APPARENT,
	     answer(502, ASL_REG_UNCLEAR, 0, 0));
	/* What it was seen as is no longer known. */
	T_TRUE(!net_addr_is_set(&reg.by_https));
	T_TRUE(asl_reg_is_up(&reg));
	while (asl_reg_is_up(&reg)) {
		const unsigned change = next();

		if (change & ASL_REG_CHANGE_DOWN)
			T_TRUE(!asl_reg_is_up(&reg));
		if (change & ASL_REG_CHANGE_POST)
			(void)answer(502, ASL_REG_UNCLEAR, 0, 0);
	}
	between(179, (now - reg.last_ok) / MONO_S, 241);
	T_EQ(ASL_REG_BUSY, reg.trouble);
	/* It comes back by itself, and the count begins anew. */
	(void)seconds_to_post();
	T_EQ(ASL_REG_CHANGE_UP | ASL_REG_CHANGE_APPARENT, good(1));
	T_EQ(ASL_REG_OK, reg.trouble);
	(void)seconds_to_post();
	(void)answer(502, ASL_REG_UNCLEAR, 0, 0);
	between(10, seconds_to_post(), 20);
}

static void it_goes_down_while_an_answer_is_awaited(void)
{
	start(false);
	(void)next();
	(void)good(1);
	(void)seconds_to_post();
	T_EQ(ASL_REG_CHANGE_DOWN, next());
	T_EQ(MONO_NEVER, asl_reg_deadline(&reg));
	T_EQ(ASL_REG_CHANGE_UP, good(1));
}

static void a_refusal_ends_it(void)
{
	start(false);
	(void)next();
	(void)good(1);
	(void)seconds_to_post();
	T_EQ(ASL_REG_CHANGE_TROUBLE | ASL_REG_CHANGE_APPARENT |
		     ASL_REG_CHANGE_DOWN,
	     answer(200, ASL_REG_BAD, 179, 1));
	T_TRUE(!asl_reg_is_up(&reg));
}

static void an_answer_that_nobody_awaits_is_nothing(void)
{
	start(false);
	T_EQ(0, good(1));
	T_TRUE(!asl_reg_is_up(&reg));
	(void)next();
	(void)good(1);
	T_EQ(0, answer(200, ASL_REG_BAD, 0, 0));
	T_TRUE(asl_reg_is_up(&reg));
}

static void a_changed_network_is_told_but_not_too_soon(void)
{
	start(false);
	(void)next();
	T_EQ(0, asl_reg_network_changed(&reg, now));
	(void)good(1);
	now += 10 * MONO_S;
	T_EQ(0, asl_reg_network_changed(&reg, now));
	between(109, seconds_to_post(), 110);
	(void)good(1);
	now += 150 * MONO_S;
	T_EQ(0, asl_reg_network_changed(&reg, now));
	T_EQ(0, seconds_to_post());
}

static void another_registrar_shows_that_addresses_differ(void)
{
	const struct net_addr same = addr(1, PORT), other = addr(2, PORT),
			      port = addr(1, 40000), none = { { 0 }, 0 },
			      v6 = { .ip = { 0x20, 1 }, .port = PORT };

	start(false);
	(void)next();
	(void)good(1);
	T_TRUE(!asl_reg_differs(&reg));
	T_EQ(0, asl_reg_seen(&reg, &none, now));
	T_EQ(0, asl_reg_seen(&reg, &v6, now));
	T_TRUE(!asl_reg_differs(&reg));
	T_EQ(0, asl_reg_seen(&reg, &other, now));
	T_TRUE(asl_reg_differs(&reg));
	T_EQ(0, asl_reg_seen(&reg, &same, now));
	T_TRUE(!asl_reg_differs(&reg));
	T_EQ(0, asl_reg_seen(&reg, &port, now));
	T_TRUE(asl_reg_differs(&reg));
	/* There is no choice here. */
	T_EQ(ASL_REG_BY_HTTPS, reg.way);
	T_EQ(0, asl_reg_iax2_failed(&reg, now));
}

/* --- the choice --------------------------------------------------------- */

static void iax2_up(uint8_t last, uint16_t port)
{
	const struct net_addr a = addr(last, port);

	T_EQ(0, asl_reg_iax2_up(&reg, &a, now));
}

static void https_is_kept_when_both_see_the_same(void)
{
	start(true);
	T_EQ(ASL_REG_BY_IAX2, reg.way);
	T_EQ(MONO_NEVER, asl_reg_deadline(&reg));
	iax2_up(1, PORT);
	T_EQ(ASL_REG_CHANGE_WAY | ASL_REG_CHANGE_POST, next());
	T_EQ(67, now / MONO_S);
	T_EQ(ASL_REG_BY_HTTPS, reg.way);
	T_EQ(ASL_REG_CHANGE_UP | ASL_REG_CHANGE_APPARENT, good(1));
	T_EQ(ASL_REG_BY_HTTPS, reg.way);
	between(179, seconds_to_post(), 184);
}

static void iax2_is_kept_when_they_differ(void)
{
	start(true);
	iax2_up(2, PORT);
	T_EQ(ASL_REG_CHANGE_WAY | ASL_REG_CHANGE_POST, next());
	T_EQ(ASL_REG_CHANGE_UP | ASL_REG_CHANGE_APPARENT | ASL_REG_CHANGE_WAY,
	     good(1));
	T_EQ(ASL_REG_BY_IAX2, reg.way);
	T_TRUE(asl_reg_differs(&reg));
	T_TRUE(!asl_reg_is_up(&reg));
	/* The REGREQ that follows tells nothing new. */
	iax2_up(2, PORT);
	between(6 * 3600 - 1, seconds_to_post(), 6 * 3600);
	/* And what is new is looked at soon. */
	(void)good(1);
	iax2_up(1, PORT);
	between(119, seconds_to_post(), 120);
	T_TRUE(!(good(1) & ASL_REG_CHANGE_WAY));
	T_EQ(ASL_REG_BY_HTTPS, reg.way);
}

static void iax2_is_kept_behind_a_translator_of_ports(void)
{
	start(true);
	iax2_up(1, 40000);
	T_EQ(MONO_NEVER, asl_reg_deadline(&reg));
	now += 50 * MONO_S;
	iax2_up(1, 40001);
	T_EQ(MONO_NEVER, asl_reg_deadline(&reg));
	/* News do not put the turn off. */
	iax2_up(1, PORT);
	now += 50 * MONO_S;
	iax2_up(2, PORT);
	between(9, seconds_to_post(), 10);
}

static void https_that_fails_gives_the_turn_back(void)
{
	start(true);
	iax2_up(1, PORT);
	(void)next();
	T_EQ(ASL_REG_CHANGE_TROUBLE | ASL_REG_CHANGE_WAY,
	     answer(502, ASL_REG_UNCLEAR, 0, 0));
	T_EQ(ASL_REG_BY_IAX2, reg.way);
	/* This way does it as well: there is no hurry. */
	iax2_up(1, PORT);
	between(599, seconds_to_post(), 600);
	(void)answer(429, ASL_REG_UNCLEAR, 0, 0);
	iax2_up(1, PORT);
	between(599, seconds_to_post(), 600);
	/* But when it fails there is. */
	(void)answer(502, ASL_REG_UNCLEAR, 0, 0);
	T_EQ(0, asl_reg_iax2_failed(&reg, now));
	between(40, seconds_to_post(), 80);
}

static void https_has_its_turn_when_iax2_is_silent(void)
{
	start(true);
	T_EQ(ASL_REG_CHANGE_WAY, asl_reg_iax2_failed(&reg, now));
	T_EQ(ASL_REG_CHANGE_POST, next());
	T_EQ(ASL_REG_CHANGE_TROUBLE | ASL_REG_CHANGE_WAY,
	     answer(0, ASL_REG_UNCLEAR, 0, 0));
	/* Not before its pause is over. */
	T_EQ(0, asl_reg_iax2_failed(&reg, now));
	between(10, seconds_to_post(), 20);
	T_EQ(ASL_REG_CHANGE_UP | ASL_REG_CHANGE_APPARENT, good(1));
	between(179, seconds_to_post(), 184);
}

static void another_registrars_word_is_taken_as_long_as_there_is_none(void)
{
	const struct net_addr other = addr(2, PORT);

	start(true);
	(void)asl_reg_iax2_failed(&reg, now);
	(void)next();
	(void)good(1);
	T_EQ(ASL_REG_CHANGE_WAY, asl_reg_seen(&reg, &other, now));
	T_EQ(ASL_REG_BY_IAX2, reg.way);
	iax2_up(1, PORT);
	/* Its own word counts from here on. */
	(void)seconds_to_post();
	(void)good(1);
	T_EQ(0, asl_reg_seen(&reg, &other, now));
	T_EQ(ASL_REG_BY_HTTPS, reg.way);
}

static void the_choice_is_looked_at_again_after_an_hour(void)
{
	unsigned change;

	start(true);
	iax2_up(1, PORT);
	(void)next();
	(void)good(1);
	for (;;) {
		change = next();
		if (!(change & ASL_REG_CHANGE_POST))
			break;
		(void)good(1);
	}
	T_EQ(ASL_REG_CHANGE_WAY, change);
	between(3600, now / MONO_S, 3900);
	T_EQ(ASL_REG_BY_IAX2, reg.way);
	/* The translator gives another port by now. */
	iax2_up(1, 50000);
	T_EQ(ASL_REG_BY_IAX2, reg.way);
	T_EQ(MONO_NEVER, asl_reg_deadline(&reg));
	/* Or nobody answers: HTTPS goes on, for an hour. */
	start(true);
	iax2_up(1, PORT);
	(void)next();
	(void)good(1);
	while (next() & ASL_REG_CHANGE_POST)
		(void)good(1);
	T_EQ(ASL_REG_CHANGE_WAY, asl_reg_iax2_failed(&reg, now));
	T_EQ(0, seconds_to_post());
	(void)good(1);
	between(179, seconds_to_post(), 184);
}

static void a_changed_network_begins_with_iax2(void)
{
	const struct net_addr v6 = { .ip = { 0x20, 1 }, .port = PORT };

	start(true);
	iax2_up(1, PORT);
	T_EQ(0, asl_reg_network_changed(&reg, now));
	(void)next();
	T_EQ(0, asl_reg_network_changed(&reg, now));
	(void)good(1);
	T_EQ(ASL_REG_CHANGE_WAY, asl_reg_network_changed(&reg, now));
	T_EQ(ASL_REG_BY_IAX2, reg.way);
	T_EQ(0, asl_reg_iax2_up(&reg, &v6, now));
	T_EQ(MONO_NEVER, asl_reg_deadline(&reg));
	/* What it was told when it registered by HTTPS last is not forgotten:
	 * two minutes lie between POSTs. */
	iax2_up(3, PORT);
	between(119, seconds_to_post(), 120);
	T_TRUE(good(3) & ASL_REG_CHANGE_APPARENT);
	T_EQ(ASL_REG_BY_HTTPS, reg.way);
	/* While an answer is awaited: the next turn is REGREQ's. */
	T_TRUE(seconds_to_post() >= 179);
	T_EQ(0, asl_reg_network_changed(&reg, now));
	T_EQ(0, good(3));
	T_EQ(ASL_REG_BY_HTTPS, reg.way);
	T_EQ(ASL_REG_CHANGE_WAY, next());
	T_EQ(ASL_REG_BY_IAX2, reg.way);
	iax2_up(3, PORT);
	between(59, seconds_to_post(), 60);
	T_EQ(ASL_REG_CHANGE_UP, good(3));
	/* REGREQ's news come late. */
	iax2_up(3, PORT);
	T_EQ(ASL_REG_BY_HTTPS, reg.way);
}

int main(void)
{
	T_RUN(it_posts_at_once_and_again_when_it_was_told_to);
	T_RUN(only_the_text_makes_it_a_success);
	T_RUN(failures_are_backed_off_and_spread);
	T_RUN(a_failed_refresh_is_no_end_but_its_time_is);
	T_RUN(it_goes_down_while_an_answer_is_awaited);
	T_RUN(a_refusal_ends_it);
	T_RUN(an_answer_that_nobody_awaits_is_nothing);
	T_RUN(a_changed_network_is_told_but_not_too_soon);
	T_RUN(another_registrar_shows_that_addresses_differ);
	T_RUN(https_is_kept_when_both_see_the_same);
	T_RUN(iax2_is_kept_when_they_differ);
	T_RUN(iax2_is_kept_behind_a_translator_of_ports);
	T_RUN(https_that_fails_gives_the_turn_back);
	T_RUN(https_has_its_turn_when_iax2_is_silent);
	T_RUN(another_registrars_word_is_taken_as_long_as_there_is_none);
	T_RUN(the_choice_is_looked_at_again_after_an_hour);
	T_RUN(a_changed_network_begins_with_iax2);
	return T_DONE();
}
