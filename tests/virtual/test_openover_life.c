/* SPDX-License-Identifier: MIT */

/* Dials that end well and otherwise, good-byes, and what tables and limits
 * refuse. */

#include "proto/iax2_frame.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"

static struct world w;

static void begin(void)
{
	world_init(&w);
	world_up(&w);
}

static enum oo_verdict verdict_of(int caller, const char *number)
{
	const struct oo_event *failed = &w.last[caller][OO_EV_FAILED];
	const unsigned before = w.seen[caller][OO_EV_FAILED];
	const struct oo_id id = world_dial(&w, caller, number);

	world_run(&w, 40 * MONO_S);
	T_EQ(before + 1, w.seen[caller][OO_EV_FAILED]);
	T_EQ(id.slot, failed->id.slot);
	T_EQ(id.gen, failed->id.gen);
	T_EQ(IAX2_E_STALE, oo_node_cancel(w.node[caller], id));
	return failed->u.failed.verdict;
}

/* --- dials -------------------------------------------------------------- */

static void a_dial_that_cannot_succeed_says_why(void)
{
	world_init(&w);
	T_EQ(OO_NOT_REGISTERED, verdict_of(0, "2002"));
	world_up(&w);
	T_EQ(OO_UNKNOWN, verdict_of(0, "2999"));
	w.refuse[1] = true;
	T_EQ(OO_REFUSED, verdict_of(0, "2002"));
	w.gone[1] = true;
	T_EQ(OO_SILENT, verdict_of(0, "2002"));
	world_run(&w, 600 * MONO_S);
	T_EQ(OO_OFFLINE, verdict_of(0, "2002"));
	w.gone[REGISTRAR] = true;
	T_EQ(OO_REGISTRAR_SILENT, verdict_of(0, "2003"));
	world_run(&w, 600 * MONO_S);
	T_EQ(OO_NOT_REGISTERED, verdict_of(0, "2003"));
	world_done(&w);
}

static void nodes_between_which_nothing_passes_have_no_path(void)
{
	begin();
	w.wall = true;
	T_EQ(OO_NO_PATH, verdict_of(0, "2002"));
	T_TRUE(strlen(w.last[0][OO_EV_FAILED].u.failed.tried) > 0);
	T_EQ(0, w.seen[1][OO_EV_EXPECT]);
	world_done(&w);
}

static void a_node_is_found_by_its_address(void)
{
	struct net_addr nobody;
	struct oo_id id;

	begin();
	T_EQ(IAX2_OK, oo_node_dial(w.node[0], NULL, &w.addr[1], w.now, &id));
	world_run(&w, 6 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	T_EQ(1, w.seen[1][OO_EV_EXPECT]);
	T_STR("2002", w.last[0][OO_EV_PATH].u.path.ticket.peer_number);
	T_TRUE(net_addr_equal(&w.addr[1],
			      &w.last[0][OO_EV_PATH].u.path.path.peer));
	nobody = w.addr[1];
	nobody.port++;
	T_EQ(IAX2_OK, oo_node_dial(w.node[0], NULL, &nobody, w.now, &id));
	world_run(&w, 20 * MONO_S);
	T_EQ(OO_UNKNOWN, w.last[0][OO_EV_FAILED].u.failed.verdict);
	world_done(&w);
}

static void everything_works_over_ipv6(void)
{
	struct oo_id id;

	world_init(&w);
	for (int i = 0; i <= WORLD_NODES; i++) {
		w.addr[i] = (struct net_addr){
			.ip = { 0x20, 0x01, 0x0d, 0xb8, (uint8_t)(i + 1) },
			.port = 4569,
		};
		if (i < WORLD_NODES)
			oo_node_own_addresses(w.node[i], &w.addr[i], 1);
	}
	world_up(&w);
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 6 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	T_EQ(1, w.seen[1][OO_EV_EXPECT]);
	T_EQ(IAX2_OK, oo_node_dial(w.node[2], NULL, &w.addr[0], w.now, &id));
	world_run(&w, 6 * MONO_S);
	T_EQ(1, w.seen[2][OO_EV_PATH]);
	T_EQ(0, oo_node_nat(w.node[0]));
	world_done(&w);
}

static void a_cancelled_dial_is_forgotten(void)
{
	struct oo_id id;

	begin();
	id = world_dial(&w, 0, "2002");
	T_EQ(IAX2_OK, oo_node_cancel(w.node[0], id));
	T_EQ(IAX2_E_STALE, oo_node_cancel(w.node[0], id));
	world_run(&w, 30 * MONO_S);
	T_EQ(0, w.seen[0][OO_EV_PATH]);
	T_EQ(0, w.seen[0][OO_EV_FAILED]);
	/* And in the midst of punching. */
	w.wall = true;
	id = world_dial(&w, 0, "2002");
	world_run(&w, MONO_S);
	T_EQ(IAX2_OK, oo_node_cancel(w.node[0], id));
	world_run(&w, 30 * MONO_S);
	T_EQ(0, w.seen[0][OO_EV_FAILED]);
	world_done(&w);
}

static void a_senseless_dial_is_refused(void)
{
	const struct net_addr unset = { 0 };
	struct oo_id id = { 0 };
	unsigned dials = 0;

	begin();
	T_EQ(IAX2_E_RANGE, oo_node_dial(w.node[0], "", NULL, w.now, &id));
	T_EQ(IAX2_E_RANGE,
	     oo_node_dial(w.node[0], "1234567890123456", NULL, w.now, &id));
	T_EQ(IAX2_E_RANGE, oo_node_dial(w.node[0], NULL, NULL, w.now, &id));
	T_EQ(IAX2_E_RANGE, oo_node_dial(w.node[0], NULL, &unset, w.now, &id));
	T_EQ(IAX2_E_STALE, oo_node_cancel(w.node[0], id));
	T_EQ(IAX2_E_STALE, oo_node_answer(w.node[0], id, true, w.now));
	id.slot = UINT16_MAX;
	T_EQ(IAX2_E_STALE, oo_node_answer(w.node[0], id, true, w.now));
	while (oo_node_dial(w.node[0], "2002", NULL, w.now, &id) == IAX2_OK)
		T_TRUE(++dials < 1000);
	T_TRUE(dials >= 8);
	/* Most of them are refused by the registrar, and all end. */
	world_run(&w, 60 * MONO_S);
	T_EQ(dials, w.seen[0][OO_EV_PATH] + w.seen[0][OO_EV_FAILED]);
	world_done(&w);
}

static void an_answer_is_given_once(void)
{
	begin();
	(void)world_dial(&w, 0, "2002");
	world_settle(&w);
	T_EQ(1, w.seen[1][OO_EV_OPEN_IN]);
	T_EQ(IAX2_E_STATE,
	     oo_node_answer(w.node[1], w.last[1][OO_EV_OPEN_IN].id, true,
			    w.now));
	world_done(&w);
}

static void who_asks_too_often_is_told_so(void)
{
	unsigned limited = 0;

	begin();
	for (int i = 0; i < 100; i++) {
		const unsigned before = w.seen[0][OO_EV_FAILED];

		(void)world_dial(&w, 0, "2999");
		world_settle(&w);
		T_EQ(before + 1, w.seen[0][OO_EV_FAILED]);
		limited +=
			w.last[0][OO_EV_FAILED].u.failed.verdict == OO_LIMITED;
	}
	T_EQ(100 - 60, limited);
	T_EQ(limited, oo_registrar_counters(w.registrar)->limited);
	/* The others are not the worse for it. */
	(void)world_dial(&w, 1, "2003");
	world_run(&w, 6 * MONO_S);
	T_EQ(1, w.seen[1][OO_EV_PATH]);
	world_done(&w);
}

/* --- coming and going --------------------------------------------------- */

static struct oo_record *record(const char *number)
{
	return oo_directory_by_number(oo_registrar_directory(w.registrar),
				      number);
}

static void a_good_bye_is_answered(void)
{
	begin();
	T_TRUE(record("2002")->session.id != 0);
	oo_node_release(w.node[1], w.now);
	world_run(&w, MONO_S);
	T_EQ(1, w.seen[1][OO_EV_RELEASED]);
	T_EQ(0, record("2002")->session.id);
	T_EQ(OO_OFFLINE, verdict_of(0, "2002"));
	T_EQ(OO_NOT_REGISTERED, verdict_of(1, "2001"));
	/* It said so for good. */
	T_EQ(1, w.seen[1][OO_EV_REGISTERED]);
	world_done(&w);
}

static void a_good_bye_to_nobody_ends_as_well(void)
{
	begin();
	w.gone[REGISTRAR] = true;
	oo_node_release(w.node[1], w.now);
	world_settle(&w);
	T_EQ(0, w.seen[1][OO_EV_RELEASED]);
	world_run(&w, 15 * MONO_S);
	T_EQ(1, w.seen[1][OO_EV_RELEASED]);
	world_done(&w);
	/* Before it was ever registered: at once. */
	world_init(&w);
	oo_node_release(w.node[1], w.now);
	world_settle(&w);
	T_EQ(1, w.seen[1][OO_EV_RELEASED]);
	world_done(&w);
}

static void a_changed_network_is_asked_about_at_once(void)
{
	uint64_t pings;

	begin();
	world_run(&w, 3 * MONO_S);
	pings = oo_registrar_counters(w.registrar)->pings;
	w.addr[0].ip[15] = 77;
	oo_node_network_changed(w.node[0], w.now);
	world_settle(&w);
	T_TRUE(oo_registrar_counters(w.registrar)->pings > pings);
	world_run(&w, MONO_S);
	T_TRUE(w.seen[0][OO_EV_APPARENT] >= 1);
	T_TRUE(net_addr_equal(&w.addr[0], &record("2001")->path[OO_V4].peer));
	(void)world_dial(&w, 1, "2001");
	world_run(&w, 6 * MONO_S);
	T_EQ(1, w.seen[1][OO_EV_PATH]);
	world_done(&w);
}

static void a_removed_node_is_gone(void)
{
	struct oo_registrar_event ev;
	unsigned downs = 0;

	begin();
	T_EQ(IAX2_E_STALE, oo_registrar_node_remove(w.registrar, "2999"));
	T_EQ(IAX2_OK, oo_registrar_node_remove(w.registrar, "2002"));
	while (oo_registrar_next_event(w.registrar, &ev)) {
		if (ev.kind == OO_REG_EV_DOWN) {
			T_STR("2002", ev.number);
			downs++;
		}
	}
	T_EQ(1, downs);
	T_EQ(OO_UNKNOWN, verdict_of(0, "2002"));
	world_run(&w, 120 * MONO_S);
	T_EQ(1, w.seen[1][OO_EV_REGISTERED]);
	T_TRUE(w.seen[1][OO_EV_TROUBLE] >= 1);
	world_done(&w);
}

static void another_key_ends_the_registration(void)
{
	struct oo_registrar_event ev;
	unsigned downs = 0;

	begin();
	while (oo_registrar_next_event(w.registrar, &ev))
		;
	/* The same one does not. */
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.registrar, "2002", w.id[1].public_key));
	T_TRUE(!oo_registrar_next_event(w.registrar, &ev));
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.registrar, "2002", w.id[0].public_key));
	while (oo_registrar_next_event(w.registrar, &ev)) {
		T_EQ(OO_REG_EV_DOWN, ev.kind);
		T_STR("2002", ev.number);
		downs++;
	}
	T_EQ(1, downs);
	T_EQ(OO_OFFLINE, verdict_of(0, "2002"));
	world_done(&w);
}

static void what_is_said_of_a_registrar_is_of_its_last_try(void)
{
	const struct oo_reg *g;
	size_t index;

	begin();
	T_EQ(IAX2_OK, oo_node_add_registrar(w.node[0], w.id[1].public_key,
					    w.now, &index));
	oo_node_registrar_addresses(w.node[0], index, &w.addr[REGISTRAR], 1,
				    w.now);
	g = oo_node_registrar(w.node[0], index);
	world_run(&w, 30 * MONO_S);
	T_EQ(OO_TROUBLE_FORGED, g->trouble);
	w.gone[REGISTRAR] = true;
	world_run(&w, 200 * MONO_S);
	T_EQ(OO_TROUBLE_SILENT, g->trouble);
	world_done(&w);
}

/* A registrar whose IPv6 address leads nowhere is asked there for hours, and
 * besides the schedule whenever something else goes wrong. */
static void a_family_that_never_answers_is_asked_in_measure(void)
{
	const struct oo_hole *silent;
	struct net_addr both[2];

	begin();
	both[0] = w.addr[REGISTRAR];
	both[1] =
		(struct net_addr){ .ip = { 0x20, 1, 0xd, 0xb8 }, .port = 4569 };
	oo_node_registrar_addresses(w.node[0], 0, both, 2, w.now);
	silent = &oo_node_registrar(w.node[0], 0)->hole[OO_V6];
	for (int i = 0; i < 400; i++) {
		world_run(&w, 15 * MONO_S);
		oo_node_ping(w.node[0], w.now);
		T_TRUE(silent->next >= w.now + 500 * MONO_MS);
	}
	T_TRUE(silent->missed >= 64);
	T_EQ(1, w.seen[0][OO_EV_REGISTERED]);
	world_done(&w);
}

static void tables_have_an_end(void)
{
	const uint8_t key[KEY_PUBLIC_LEN] = { 3 };
	char number[16];
	size_t index = 0;

	begin();
	T_EQ(IAX2_E_RANGE, oo_registrar_node_put(w.registrar, "", key));
	T_EQ(IAX2_E_RANGE, oo_registrar_node_put(w.registrar, "20x1", key));
	T_EQ(IAX2_E_RANGE,
	     oo_registrar_node_put(w.registrar, "1234567890123456", key));
	for (unsigned i = WORLD_NODES; i < 16; i++) {
		(void)snprintf(number, sizeof(number), "%u", 3000 + i);
		T_EQ(IAX2_OK, oo_registrar_node_put(w.registrar, number, key));
	}
	T_EQ(IAX2_E_FULL, oo_registrar_node_put(w.registrar, "4000", key));
	for (unsigned i = 1; i < OO_REGISTRARS_MAX; i++)
		T_EQ(IAX2_OK,
		     oo_node_add_registrar(w.node[0], key, w.now, &index));
	T_EQ(OO_REGISTRARS_MAX - 1, index);
	T_EQ(IAX2_E_FULL, oo_node_add_registrar(w.node[0], key, w.now, &index));
	T_TRUE(oo_node_registrar(w.node[0], OO_REGISTRARS_MAX) == NULL);
	world_done(&w);
}

/* --- configurations ----------------------------------------------------- */

static void random_zeros(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0, len);
}

static const struct key_identity some_id = { .public_key = { 1 } };

static bool registrar_takes(const struct oo_registrar_cfg *cfg)
{
	struct oo_registrar *r = oo_registrar_new(cfg, 0);

	oo_registrar_free(r);
	return r != NULL;
}

static void a_senseless_registrar_is_refused(void)
{
	const struct oo_registrar_cfg good = {
		.identity = &some_id,
		.nodes_max = 16,
		.opens_max = 16,
		.tx_max = 8,
		.refresh_s = 30,
		.registrations_per_min = 1,
		.opens_per_min = 1,
		.auth_failures_per_min = 1000,
		.random = random_zeros,
	};
	struct oo_registrar_cfg c = good;

	T_TRUE(registrar_takes(&good));
	c.nodes_max = 15;
	T_TRUE(!registrar_takes(&c));
	c.nodes_max = 4000001;
	T_TRUE(!registrar_takes(&c));
	c = good;
	c.opens_max = 15;
	T_TRUE(!registrar_takes(&c));
	c.opens_max = 1000001;
	T_TRUE(!registrar_takes(&c));
	c = good;
	c.tx_max = 7;
	T_TRUE(!registrar_takes(&c));
	c = good;
	c.refresh_s = 29;
	T_TRUE(!registrar_takes(&c));
	c.refresh_s = 3601;
	T_TRUE(!registrar_takes(&c));
	c = good;
	c.registrations_per_min = 0;
	T_TRUE(!registrar_takes(&c));
	c = good;
	c.opens_per_min = 0;
	T_TRUE(!registrar_takes(&c));
	c = good;
	c.random = NULL;
	T_TRUE(!registrar_takes(&c));
	c = good;
	c.identity = NULL;
	T_TRUE(!registrar_takes(&c));
}

static bool node_takes(const struct oo_node_cfg *cfg)
{
	struct oo_node *n = oo_node_new(cfg, 0);

	oo_node_free(n);
	return n != NULL;
}

static void a_senseless_node_is_refused(void)
{
	const struct oo_node_cfg good = {
		.identity = &some_id,
		.number = "2001",
		.port = 4569,
		.keepalive = 5 * MONO_S,
		.tx_max = 8,
		.random = random_zeros,
	};
	struct oo_node_cfg c = good;

	T_TRUE(node_takes(&good));
	c.number = "";
	T_TRUE(!node_takes(&c));
	c.number = "1234567890123456";
	T_TRUE(!node_takes(&c));
	c = good;
	c.keepalive--;
	T_TRUE(!node_takes(&c));
	c.keepalive = 120 * MONO_S + 1;
	T_TRUE(!node_takes(&c));
	c = good;
	c.tx_max = 7;
	T_TRUE(!node_takes(&c));
	c = good;
	c.opens_max = 4096;
	T_TRUE(node_takes(&c));
	c.opens_max++;
	T_TRUE(!node_takes(&c));
	c = good;
	c.random = NULL;
	T_TRUE(!node_takes(&c));
}

int main(void)
{
	T_RUN(a_dial_that_cannot_succeed_says_why);
	T_RUN(nodes_between_which_nothing_passes_have_no_path);
	T_RUN(a_node_is_found_by_its_address);
	T_RUN(everything_works_over_ipv6);
	T_RUN(a_cancelled_dial_is_forgotten);
	T_RUN(a_senseless_dial_is_refused);
	T_RUN(an_answer_is_given_once);
	T_RUN(who_asks_too_often_is_told_so);
	T_RUN(a_good_bye_is_answered);
	T_RUN(a_good_bye_to_nobody_ends_as_well);
	T_RUN(a_changed_network_is_asked_about_at_once);
	T_RUN(a_removed_node_is_gone);
	T_RUN(another_key_ends_the_registration);
	T_RUN(what_is_said_of_a_registrar_is_of_its_last_try);
	T_RUN(a_family_that_never_answers_is_asked_in_measure);
	T_RUN(tables_have_an_end);
	T_RUN(a_senseless_registrar_is_refused);
	T_RUN(a_senseless_node_is_refused);
	return T_DONE();
}
