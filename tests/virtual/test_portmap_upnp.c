/* SPDX-License-Identifier: MIT */

/* When UPnP asks and when it stands back: the router and the thread that talks
 * to it are played. */

#include "proto/portmap_upnp.h"
#include "tests/t.h"

#define PORT 4569U
#define LIFE 3600U

struct scene {
	struct portmap_upnp u;
	mono_us now;
	bool offers;       /* the router has UPnP */
	bool refuses;      /* to map */
	bool hangs;        /* answers wait until told */
	uint16_t external; /* the port that it gives */
	uint32_t lifetime_s;
	unsigned finds, maps, unmaps;
	unsigned change; /* since it was last looked at */
	struct portmap_upnp_job job;
	bool has_job;
	uint16_t table; /* the port that is open in it, or 0 */
};

static const struct net_addr none;
static const struct net_addr router = {
	.ip = { [10] = 0xff, 0xff, 192, 168, 1, 1 }
};
static const struct net_addr own = {
	.ip = { [10] = 0xff, 0xff, 192, 168, 1, 20 }
};

static struct net_addr outside(uint16_t port)
{
	return net_addr_v4(198, 51, 100, 7, port);
}

static void answer(struct scene *s)
{
	struct portmap_upnp_result r = { .ok = s->offers, .why = "none" };

	s->has_job = false;
	switch (s->job.kind) {
	case PORTMAP_UPNP_FIND:
		s->finds++;
		break;
	case PORTMAP_UPNP_MAP:
		s->maps++;
		r.ok = s->offers && !s->refuses;
		r.why = "refused";
		r.external = outside(s->external);
		r.lifetime_s = s->lifetime_s;
		if (r.ok)
			s->table = s->external;
		break;
	case PORTMAP_UPNP_UNMAP:
		s->unmaps++;
		if (s->table == s->job.external.port)
			s->table = 0;
		break;
	}
	s->change |= portmap_upnp_done(&s->u, &r, s->now);
}

static void drain(struct scene *s)
{
	struct portmap_upnp_job other;

	while (!s->has_job && portmap_upnp_next(&s->u, &s->job)) {
		s->has_job = true;
		/* One at a time. */
		T_TRUE(!portmap_upnp_next(&s->u, &other));
		T_EQ(PORT, s->job.own.port);
		if (!s->hangs)
			answer(s);
	}
}

static void resume(struct scene *s)
{
	s->hangs = false;
	T_TRUE(s->has_job);
	answer(s);
	drain(s);
}

/* Lets @span pass, from deadline to deadline. */
static void run(struct scene *s, mono_us span)
{
	const mono_us end = s->now + span;
	unsigned steps = 0;

	drain(s);
	while (portmap_upnp_deadline(&s->u) <= end) {
		T_TRUE(++steps < 10000);
		if (portmap_upnp_deadline(&s->u) > s->now)
			s->now = portmap_upnp_deadline(&s->u);
		s->change |= portmap_upnp_tick(&s->u, s->now);
		drain(s);
	}
	s->now = end;
}

static unsigned changed(struct scene *s)
{
	const unsigned change = s->change;

	s->change = 0;
	return change;
}

static void begin(struct scene *s)
{
	*s = (struct scene){ .now = 1000 * MONO_S,
			     .offers = true,
			     .external = PORT,
			     .lifetime_s = LIFE };
	portmap_upnp_init(&s->u, PORT, LIFE);
	T_EQ(MONO_NEVER, portmap_upnp_deadline(&s->u));
	T_EQ(0, portmap_upnp_gateway(&s->u, &router, &own, s->now));
}

static void other(struct scene *s, struct net_addr external)
{
	s->change |= portmap_upnp_other(&s->u, &external, s->now);
	drain(s);
}

static struct portmap_view view(const struct scene *s)
{
	return portmap_upnp_view(&s->u, s->now);
}

static void begin_mapped(struct scene *s)
{
	begin(s);
	run(s, 4 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(s).state);
	T_EQ(PORTMAP_CHANGE_MAPPED, changed(s));
}

static void it_maps_when_the_others_have_not(void)
{
	const struct net_addr want = outside(PORT);
	struct portmap_view v;
	struct scene s;

	begin(&s);
	T_EQ(PORTMAP_ASKING, view(&s).state);
	run(&s, 2900 * MONO_MS);
	T_EQ(1, s.finds);
	T_EQ(0, s.maps);
	run(&s, 200 * MONO_MS);
	v = view(&s);
	T_EQ(PORTMAP_MAPPED, v.state);
	T_EQ(PORTMAP_UPNP, v.method);
	T_STR("UPnP", portmap_method_text(v.method));
	T_TRUE(net_addr_equal(&want, &v.external));
	T_EQ(LIFE - 1, v.lifetime_s);
	T_EQ(0, portmap_upnp_gateway(&s.u, &router, &own, s.now));
	T_EQ(PORTMAP_MAPPED, view(&s).state);
}

static void it_stands_back_at_once_when_another_has_a_mapping(void)
{
	struct scene s;

	begin(&s);
	other(&s, outside(40000));
	run(&s, 3600 * MONO_S);
	T_EQ(0, s.maps);
	T_EQ(PORTMAP_NONE, view(&s).state);
	/* And begins anew when that is gone. */
	other(&s, none);
	run(&s, 4 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
}

static void a_later_mapping_of_another_replaces_its_own(void)
{
	struct scene s;

	begin_mapped(&s);
	other(&s, outside(40000));
	T_EQ(PORTMAP_CHANGE_LOST, changed(&s));
	T_EQ(1, s.unmaps);
	T_EQ(0, s.table);
	T_EQ(PORTMAP_NONE, view(&s).state);
	T_EQ(MONO_NEVER, portmap_upnp_deadline(&s.u));
}

static void the_same_entry_of_the_router_is_left_alone(void)
{
	struct scene s;

	begin_mapped(&s);
	other(&s, outside(PORT));
	T_EQ(0, s.unmaps);
	T_EQ(PORT, s.table);
}

static void a_mapping_that_comes_too_late_is_taken_back(void)
{
	struct scene s;

	begin(&s);
	run(&s, 2 * MONO_S);
	s.hangs = true;
	run(&s, 2 * MONO_S);
	other(&s, outside(40000));
	T_EQ(0, s.unmaps);
	resume(&s);
	T_EQ(1, s.maps);
	T_EQ(1, s.unmaps);
	T_EQ(0, s.table);
	T_EQ(PORTMAP_NONE, view(&s).state);
}

static void a_late_one_at_the_same_address_stays_the_others(void)
{
	struct scene s;

	begin(&s);
	run(&s, 2 * MONO_S);
	s.hangs = true;
	run(&s, 2 * MONO_S);
	other(&s, outside(PORT));
	resume(&s);
	T_EQ(0, s.unmaps);
	T_EQ(PORT, s.table);
}

static void the_other_may_go_while_its_own_is_taken_back(void)
{
	struct scene s;

	begin_mapped(&s);
	s.hangs = true;
	other(&s, outside(40000));
	other(&s, none);
	resume(&s);
	T_EQ(1, s.unmaps);
	run(&s, 4 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(PORT, s.table);
}

static void it_is_renewed_and_survives_a_day(void)
{
	struct scene s;

	begin_mapped(&s);
	run(&s, 86400 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_TRUE(view(&s).lifetime_s >= LIFE / 2);
	T_EQ(1, s.finds);
	/* Every five minutes: a router that restarts tells nobody. */
	T_EQ(1 + 86400 / 300, s.maps);
	T_EQ(0, changed(&s));
	/* A short life is renewed at its half. */
	s.lifetime_s = 120;
	run(&s, 400 * MONO_S);
	s.maps = 0;
	run(&s, 600 * MONO_S);
	T_EQ(10, s.maps);
}

static void one_that_stands_for_ever_counts_as_a_day(void)
{
	struct scene s;

	begin(&s);
	s.lifetime_s = 0;
	run(&s, 3 * MONO_S);
	T_EQ(86400, view(&s).lifetime_s);
}

static void another_port_is_a_change(void)
{
	struct scene s;

	begin_mapped(&s);
	s.external = 40001;
	run(&s, 301 * MONO_S);
	T_EQ(PORTMAP_CHANGE_MAPPED, changed(&s));
	T_EQ(40001, view(&s).external.port);
}

static void a_renewal_that_fails_is_a_loss_and_tried_again(void)
{
	struct scene s;

	begin_mapped(&s);
	s.refuses = true;
	run(&s, 301 * MONO_S);
	T_EQ(PORTMAP_CHANGE_LOST, changed(&s));
	T_EQ(PORTMAP_REFUSED, view(&s).state);
	T_STR("refused", view(&s).why);
	s.refuses = false;
	run(&s, 60 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(PORTMAP_CHANGE_MAPPED, changed(&s) & PORTMAP_CHANGE_MAPPED);
}

static void a_router_without_is_asked_ever_more_rarely(void)
{
	struct scene s;

	begin(&s);
	s.offers = false;
	run(&s, 10 * MONO_S);
	T_EQ(PORTMAP_CHANGE_REFUSED, changed(&s));
	T_EQ(PORTMAP_REFUSED, view(&s).state);
	run(&s, 86400 * MONO_S);
	T_TRUE(s.finds > 40 && s.finds < 70);
	T_EQ(0, s.maps);
}

static void a_thread_that_hangs_does_not_prolong_the_mapping(void)
{
	struct scene s;

	begin_mapped(&s);
	s.hangs = true;
	run(&s, (LIFE + 1) * MONO_S);
	T_EQ(PORTMAP_CHANGE_LOST, changed(&s));
	T_EQ(PORTMAP_ASKING, view(&s).state);
	resume(&s);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
}

static void another_network_is_asked_anew(void)
{
	struct net_addr there = net_addr_v4(10, 0, 0, 1, 0);
	struct scene s;

	begin_mapped(&s);
	T_EQ(PORTMAP_CHANGE_LOST,
	     portmap_upnp_gateway(&s.u, &there, &own, s.now));
	run(&s, 4 * MONO_S);
	T_EQ(2, s.finds);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(PORTMAP_CHANGE_LOST,
	     portmap_upnp_gateway(&s.u, &none, &none, s.now));
	T_EQ(PORTMAP_NONE, view(&s).state);
	T_EQ(MONO_NEVER, portmap_upnp_deadline(&s.u));
	/* Nobody to be asked when the other method has nothing. */
	other(&s, outside(PORT));
	other(&s, none);
	T_EQ(2, s.finds);
}

static void what_the_last_network_says_is_not_believed(void)
{
	struct net_addr there = net_addr_v4(10, 0, 0, 1, 0);
	struct scene s;

	begin(&s);
	run(&s, 2 * MONO_S);
	s.hangs = true;
	run(&s, 2 * MONO_S);
	T_EQ(PORTMAP_UPNP_MAP, s.job.kind);
	T_EQ(0, portmap_upnp_gateway(&s.u, &there, &own, s.now));
	resume(&s);
	T_EQ(PORTMAP_ASKING, view(&s).state);
	T_EQ(2, s.finds);
	run(&s, 4 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
}

static void it_is_taken_back_at_the_end(void)
{
	struct scene s;

	begin_mapped(&s);
	T_EQ(0, portmap_upnp_release(&s.u));
	T_EQ(0, portmap_upnp_release(&s.u));
	drain(&s);
	T_EQ(PORTMAP_CHANGE_RELEASED, changed(&s));
	T_EQ(0, s.table);
	T_EQ(MONO_NEVER, portmap_upnp_deadline(&s.u));
	T_EQ(0, portmap_upnp_gateway(&s.u, &own, &own, s.now));
	T_EQ(MONO_NEVER, portmap_upnp_deadline(&s.u));
}

static void with_nothing_mapped_the_end_is_at_once(void)
{
	struct scene s;

	begin(&s);
	s.hangs = true;
	run(&s, MONO_S);
	T_EQ(PORTMAP_CHANGE_RELEASED, portmap_upnp_release(&s.u));
	T_EQ(PORTMAP_UPNP_OFF, s.u.step);
}

static void the_end_waits_for_a_mapping_under_way(void)
{
	struct scene s;

	begin(&s);
	run(&s, 2 * MONO_S);
	s.hangs = true;
	run(&s, 2 * MONO_S);
	T_EQ(0, portmap_upnp_release(&s.u));
	T_EQ(0, changed(&s));
	resume(&s);
	T_EQ(PORTMAP_CHANGE_RELEASED, changed(&s));
	T_EQ(1, s.unmaps);
	T_EQ(0, s.table);
}

static void the_end_may_come_while_it_is_taken_back(void)
{
	struct scene s;

	begin_mapped(&s);
	s.hangs = true;
	other(&s, outside(40000));
	T_EQ(0, portmap_upnp_release(&s.u));
	resume(&s);
	T_EQ(PORTMAP_CHANGE_RELEASED, changed(&s) & PORTMAP_CHANGE_RELEASED);
	T_EQ(1, s.unmaps);
}

static void a_private_address_is_told_apart(void)
{
	struct portmap_upnp_result r = {
		.ok = true,
		.external = net_addr_v4(100, 64, 3, 4, PORT),
		.lifetime_s = LIFE,
	};
	struct scene s;

	begin(&s);
	s.hangs = true;
	run(&s, 2 * MONO_S);
	s.hangs = false;
	answer(&s);
	s.hangs = true;
	run(&s, 2 * MONO_S);
	T_EQ(PORTMAP_CHANGE_MAPPED, portmap_upnp_done(&s.u, &r, s.now));
	T_EQ(PORTMAP_PRIVATE, view(&s).state);
	T_STR("a router behind the carrier's NAT", view(&s).why);
}

int main(void)
{
	T_RUN(it_maps_when_the_others_have_not);
	T_RUN(it_stands_back_at_once_when_another_has_a_mapping);
	T_RUN(a_later_mapping_of_another_replaces_its_own);
	T_RUN(the_same_entry_of_the_router_is_left_alone);
	T_RUN(a_mapping_that_comes_too_late_is_taken_back);
	T_RUN(a_late_one_at_the_same_address_stays_the_others);
	T_RUN(the_other_may_go_while_its_own_is_taken_back);
	T_RUN(it_is_renewed_and_survives_a_day);
	T_RUN(one_that_stands_for_ever_counts_as_a_day);
	T_RUN(another_port_is_a_change);
	T_RUN(a_renewal_that_fails_is_a_loss_and_tried_again);
	T_RUN(a_router_without_is_asked_ever_more_rarely);
	T_RUN(a_thread_that_hangs_does_not_prolong_the_mapping);
	T_RUN(another_network_is_asked_anew);
	T_RUN(what_the_last_network_says_is_not_believed);
	T_RUN(it_is_taken_back_at_the_end);
	T_RUN(with_nothing_mapped_the_end_is_at_once);
	T_RUN(the_end_waits_for_a_mapping_under_way);
	T_RUN(the_end_may_come_while_it_is_taken_back);
	T_RUN(a_private_address_is_told_apart);
	return T_DONE();
}
