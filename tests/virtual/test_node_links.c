/* SPDX-License-Identifier: MIT */

/* Links of whole nodes: two that call each other, speech, digits, text. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "audio/ulaw.h"
#include "daemon/node/node_priv.h"
#include "tests/t.h"
#include "tests/virtual/node_scene.h"

/* --- how a link comes about ---------------------------------------------- */

static void a_call_tells_its_path_and_whether_that_was_proved(void)
{
	const struct net_addr plain = net_addr_v4(198, 51, 100, 99, 4569);
	const struct node_connect c = { .number = "2009", .addr = plain };
	const struct node_event *step;
	struct node_link_id id;
	struct scene s;

	scene_begin(&s, 30, &scene_preserving, &scene_preserving);
	step = &s.at[0].step;
	(void)scene_dial(&s);
	scene_run(&s, MONO_S);
	T_EQ(NODE_LINK_CALLING, step->state);
	T_STR("2002", step->number);
	T_TRUE(step->on);
	T_TRUE(net_addr_is_set(&step->addr));
	/* One that is called where it is known to be proves nothing. */
	T_EQ(IAX2_OK, node_connect(s.at[0].node, &c, fake_net_now(s.net), &id));
	scene_run(&s, 10 * MONO_MS);
	T_EQ(NODE_LINK_CALLING, step->state);
	T_STR("2009", step->number);
	T_TRUE(!step->on);
	T_TRUE(net_addr_equal(&plain, &step->addr));
	scene_end(&s);
}

/* --- links that are there already --------------------------------------- */

/* The second node wants a permanent link to the first, and looks for it where
 * nobody answers. */
static struct node_link_id seek(struct scene *s, bool permanent)
{
	const struct node_connect c = {
		.number = "2001",
		.addr = net_addr_v4(198, 51, 100, 99, 4569),
		.mode = NODE_MONITOR,
		.permanent = permanent,
	};
	struct node_link_id id;

	T_EQ(IAX2_OK,
	     node_connect(s->at[1].node, &c, fake_net_now(s->net), &id));
	return id;
}

static void a_permanent_link_takes_the_call_that_it_waited_for(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	for (int calling = 0; calling < 2; calling++) {
		scene_begin(&s, 31, &scene_preserving, &scene_preserving);
		id = seek(&s, true);
		scene_run(&s, calling ? 100 * MONO_MS : 7 * MONO_S);
		T_TRUE(node_link(s.at[1].node, id, &l));
		T_EQ(calling ? NODE_LINK_CALLING : NODE_LINK_WAITING, l.state);
		(void)scene_dial(&s);
		scene_run(&s, MONO_S);
		T_TRUE(node_link(s.at[1].node, id, &l));
		T_EQ(NODE_LINK_UP, l.state);
		T_EQ(NODE_MONITOR, l.mode);
		T_TRUE(l.permanent && !l.outbound);
		T_EQ(1, scene_all_links(&s, 1));
		T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
		/* When the call ends, and nobody says that it is for good, the
		 * link goes on seeking. */
		node_links_end(s.at[0].node, fake_net_now(s.net));
		scene_run(&s, MONO_S);
		T_TRUE(node_link(s.at[1].node, id, &l));
		T_EQ(NODE_LINK_WAITING, l.state);
		scene_run(&s, 5 * MONO_S);
		T_TRUE(node_link(s.at[1].node, id, &l));
		T_EQ(NODE_LINK_CALLING, l.state);
		T_TRUE(l.outbound);
		scene_end(&s);
	}
}

/* To where the node is now, or to a registrar that knows. */
static void a_permanent_link_is_sent_elsewhere(void)
{
	const struct net_addr none = { .port = 0 };
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	scene_begin(&s, 35, &scene_preserving, &scene_preserving);
	id = seek(&s, true);
	scene_run(&s, 100 * MONO_MS);
	/* Not while it tries. */
	T_EQ(IAX2_E_STALE, node_redirect(s.at[1].node, id, &none));
	scene_run(&s, 7 * MONO_S);
	T_TRUE(node_link(s.at[1].node, id, &l));
	T_EQ(NODE_LINK_WAITING, l.state);
	T_EQ(IAX2_E_NOT_OURS,
	     node_redirect(
		     s.at[1].node, id,
		     &(struct net_addr){ .ip = { 0xfe, 0x80 }, .port = 4569 }));
	T_EQ(IAX2_OK, node_redirect(s.at[1].node, id, &none));
	scene_run(&s, 5 * MONO_S);
	T_TRUE(node_link(s.at[1].node, id, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_TRUE(l.outbound && l.permanent);
	T_EQ(IAX2_E_STALE, node_redirect(s.at[1].node, id, &none));
	id.gen++;
	T_EQ(IAX2_E_STALE, node_redirect(s.at[1].node, id, &none));
	scene_end(&s);
}

static void a_dial_under_way_is_content_with_the_others_call(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	scene_begin(&s, 32, &scene_preserving, &scene_preserving);
	id = seek(&s, false);
	(void)scene_dial(&s);
	scene_run(&s, MONO_S);
	T_TRUE(node_link(s.at[1].node, id, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_EQ(0, s.at[1].downs);
	T_EQ(1, scene_all_links(&s, 1));
	/* Nothing is left to seek when it ends. */
	T_EQ(1, node_disconnect(s.at[0].node, NULL, fake_net_now(s.net)));
	scene_run(&s, MONO_S);
	T_EQ(0, scene_all_links(&s, 1));
	scene_end(&s);
}

/* The one that is called while it asks its registrar has not called yet: it
 * need not insist, whatever its number. */
static void a_dial_that_gets_nowhere_does_not_keep_the_other_out(void)
{
	const struct node_connect c = { .number = "2002", .permanent = true };
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	scene_begin(&s, 34, NULL, NULL);
	/* What the first sends reaches no registrar. */
	fake_net_cut(s.net, 0, true);
	T_EQ(IAX2_OK, node_connect(s.at[0].node, &c, fake_net_now(s.net), &id));
	scene_run(&s, MONO_S);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(NODE_LINK_REQUESTING, l.state);
	fake_net_cut(s.net, 0, false);
	T_EQ(IAX2_OK, node_connect(s.at[1].node,
				   &(struct node_connect){ .number = "2001" },
				   fake_net_now(s.net), &id));
	scene_run(&s, MONO_S);
	T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
	T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
	T_EQ(0, s.at[0].downs + s.at[1].downs);
	scene_end(&s);
}

static void two_that_dial_each_other_get_one_link(void)
{
	const struct node_connect back = { .number = "2001" };

	for (int first = 0; first < 2; first++) {
		for (unsigned ms = 0; ms <= 400; ms += 5) {
			struct node_link_id id;
			struct scene s;

			scene_begin(&s, 1 + ms, &scene_preserving,
				    &scene_preserving);
			if (first == 0)
				(void)scene_dial(&s);
			else
				T_EQ(IAX2_OK,
				     node_connect(s.at[1].node, &back,
						  fake_net_now(s.net), &id));
			scene_run(&s, ms * MONO_MS);
			/* There may be a link already: nothing to dial. */
			if (first == 0)
				(void)node_connect(s.at[1].node, &back,
						   fake_net_now(s.net), &id);
			else if (scene_all_links(&s, 0) == 0)
				(void)scene_dial(&s);
			scene_run(&s, 2 * MONO_S);
			T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
			T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
			T_EQ(1, scene_all_links(&s, 0));
			T_EQ(1, scene_all_links(&s, 1));
			/* Neither console hears that its connect failed. */
			T_EQ(0, s.at[0].downs + s.at[1].downs);
			/* The call that gave way is forgotten in the end. */
			scene_run(&s, 10 * MONO_S);
			T_EQ(1,
			     iax2_endpoint_calls(node_endpoint(s.at[0].node)));
			T_EQ(1,
			     iax2_endpoint_calls(node_endpoint(s.at[1].node)));
			scene_end(&s);
		}
	}
}

static void a_node_that_stops_takes_no_calls(void)
{
	bool in_time = false, late = false;

	/* Whatever the dial has come to when the other node stops. */
	for (unsigned ms = 0; ms <= 400; ms += 5) {
		unsigned ups;
		struct scene s;

		scene_begin(&s, 33, NULL, NULL);
		(void)scene_dial(&s);
		scene_run(&s, ms * MONO_MS);
		ups = s.at[1].ups;
		node_stop(s.at[1].node, fake_net_now(s.net));
		scene_run(&s, 2 * MONO_S);
		T_EQ(ups, s.at[1].ups);
		T_EQ(0, scene_all_links(&s, 1));
		in_time = in_time || ups == 0;
		late = late || ups > 0;
		scene_end(&s);
	}
	T_TRUE(in_time && late);
}

/* --- speech ------------------------------------------------------------- */

struct heard {
	unsigned blocks, keyed, edges;
	bool was;
	int32_t peak;
};

/* Each 20 ms: 2001 receives a tone while @talk, 2002 transmits what comes. */
static void speak(struct scene *s, bool talk, unsigned blocks, struct heard *h)
{
	for (unsigned b = 0; b < blocks; b++) {
		int16_t rx[AUDIO_BLOCK] = { 0 }, tx[AUDIO_BLOCK];
		bool keyed;

		for (size_t i = 0; talk && i < AUDIO_BLOCK; i++)
			rx[i] = (int16_t)(i % 8 < 4 ? 8000 : -8000);
		scene_run(s, 20 * MONO_MS);
		node_inputs(s->at[0].node, talk ? COR_IN_COR : 0,
			    fake_net_now(s->net));
		(void)node_audio(s->at[0].node, rx, tx, fake_net_now(s->net));
		memset(rx, 0, sizeof(rx));
		keyed = node_audio(s->at[1].node, rx, tx, fake_net_now(s->net));
		h->blocks++;
		h->keyed += keyed;
		h->edges += keyed != h->was;
		h->was = keyed;
		for (size_t i = 0; i < AUDIO_BLOCK; i++)
			h->peak = tx[i] > h->peak ? tx[i] : h->peak;
	}
}

static void speech_keys_the_far_transmitter_and_only_for_its_length(void)
{
	struct heard h = { 0 };
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	scene_begin(&s, 21, &scene_preserving, &scene_preserving);
	id = scene_dial(&s);
	scene_run(&s, MONO_S);
	speak(&s, false, 50, &h);
	T_EQ(0, h.keyed);
	/* Longer than the 16-bit time stamp of a mini frame. */
	speak(&s, true, 70 * 50, &h);
	speak(&s, false, 50, &h);
	T_EQ(2, h.edges);
	T_TRUE(h.keyed >= 70 * 50 - 1 && h.keyed <= 70 * 50 + 3);
	T_TRUE(h.peak > 7700 && h.peak < 8300);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(70 * 50, l.call.tx_voice);
	for (size_t i = 0; i < node_links_max(s.at[1].node); i++) {
		if (!node_link_at(s.at[1].node, i, &l))
			continue;
		T_EQ(70 * 50, l.call.rx_voice);
		T_EQ(0, l.call.rx_lost);
		T_EQ(0, l.jitter.late + l.jitter.lost);
	}
	scene_end(&s);
}

static void a_talker_that_vanishes_unkeys_the_far_transmitter(void)
{
	struct heard h = { 0 };
	struct scene s;

	scene_begin(&s, 22, &scene_preserving, &scene_preserving);
	(void)scene_dial(&s);
	scene_run(&s, MONO_S);
	speak(&s, true, 100, &h);
	T_TRUE(h.was);
	fake_net_cut(s.net, 1, true);
	speak(&s, false, 100, &h);
	T_TRUE(!h.was);
	/* And the link ends, in the end. */
	scene_run(&s, 90 * MONO_S);
	T_EQ(0, scene_all_links(&s, 1));
	scene_end(&s);
}

static void digits_arrive_in_order_and_once(void)
{
	struct scene s;

	scene_begin(&s, 23, &scene_preserving, &scene_preserving);
	(void)scene_dial(&s);
	scene_run(&s, MONO_S);
	T_EQ(IAX2_OK, node_dtmf(s.at[0].node, "*80", fake_net_now(s.net)));
	T_EQ(IAX2_E_RANGE, node_dtmf(s.at[0].node, "x", fake_net_now(s.net)));
	scene_run(&s, MONO_S);
	T_EQ(NODE_EV_DTMF, s.at[1].last.kind);
	T_EQ('0', s.at[1].last.digit);
	scene_end(&s);
}

/* A console gets whole characters, and all of them that fit. */
static void long_text_is_cut_between_characters(void)
{
	/* Octets before the one at the cut, the character, octets that stay:
	 * 255 fit. */
	static const struct {
		unsigned before;
		const char *character;
		size_t stay;
	} cases[] = {
		{ 254, "\xc3\xa9", 254 },
		{ 253, "\xc3\xa9", 255 },
		{ 253, "\xe2\x82\xac", 253 },
		{ 252, "\xe2\x82\xac", 255 },
		{ 252, "\xf0\x9f\x93\xbb", 252 },
		{ 251, "\xf0\x9f\x93\xbb", 255 },
		{ 254, "x", 255 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[300] = "";
		struct node *n;
		struct scene s;

		scene_begin(&s, 24, NULL, NULL);
		(void)scene_dial(&s);
		scene_run(&s, MONO_S);
		memset(text, 'a', cases[i].before);
		(void)strcat(text, cases[i].character);
		(void)strcat(text, "and more");
		n = s.at[0].node;
		T_EQ(IAX2_OK, iax2_send_text(n->ep, n->link[0].call, text,
					     fake_net_now(s.net)));
		scene_run(&s, 200 * MONO_MS);
		T_EQ(NODE_EV_TEXT, s.at[1].last.kind);
		T_EQ(cases[i].stay, strlen(s.at[1].last.text));
		T_TRUE(memcmp(text, s.at[1].last.text, cases[i].stay) == 0);
		scene_end(&s);
	}
}

/* Without an interface it names nobody, and each packet would be an error. */
static void a_link_local_address_is_refused(void)
{
	const struct node_connect c = {
		.number = "2002",
		.addr = { { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			    1 },
			  4569 },
	};
	struct node_link_id id;
	struct scene s;

	scene_begin(&s, 35, NULL, NULL);
	T_EQ(IAX2_E_NOT_OURS,
	     node_connect(s.at[0].node, &c, fake_net_now(s.net), &id));
	T_EQ(0, scene_all_links(&s, 0));
	scene_end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_call_tells_its_path_and_whether_that_was_proved);
	T_RUN(speech_keys_the_far_transmitter_and_only_for_its_length);
	T_RUN(a_talker_that_vanishes_unkeys_the_far_transmitter);
	T_RUN(digits_arrive_in_order_and_once);
	T_RUN(long_text_is_cut_between_characters);
	T_RUN(a_permanent_link_takes_the_call_that_it_waited_for);
	T_RUN(a_permanent_link_is_sent_elsewhere);
	T_RUN(a_dial_under_way_is_content_with_the_others_call);
	T_RUN(a_dial_that_gets_nowhere_does_not_keep_the_other_out);
	T_RUN(two_that_dial_each_other_get_one_link);
	T_RUN(a_node_that_stops_takes_no_calls);
	T_RUN(a_link_local_address_is_refused);
	return T_DONE();
}
