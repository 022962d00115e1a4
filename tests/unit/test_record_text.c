/* SPDX-License-Identifier: MIT */

/* A call's record, as people and as programs read it. */

#include <jansson.h>

#include "daemon/record.h"
#include "tests/t.h"

static struct node_event a_call(void)
{
	return (struct node_event){
		.kind = NODE_EV_LINK_DOWN,
		.number = "2002",
		.addr = net_addr_v4(203, 0, 113, 7, 4569),
		.rung = NODE_RUNG_OPENED,
		.serial = 17,
		.why = "the other node hung up",
		.record = {
			.outbound = true,
			.mode = NODE_TRANSCEIVE,
			.ended = NODE_ENDED_THERE,
			.lasted = 252 * MONO_S,
			.dial_us = 183500,
			.call = { .format = IAX2_FORMAT_ULAW,
				  .rtt_us = 41400,
				  .jitter_us = 2600,
				  .rx_voice = 990,
				  .rx_lost = 10,
				  .tx_voice = 500,
				  .rx_packets = 1200,
				  .rx_octets = 200000,
				  .tx_packets = 700,
				  .tx_octets = 90000 },
			.late = 3,
		},
	};
}

static void a_record_is_one_sentence(void)
{
	struct node_event ev = a_call();
	char text[RECORD_TEXT_MAX];

	record_text(&ev, text);
	T_STR("link to 2002 ended by the other node after 4 min 12 s: the "
	      "other node hung up (203.0.113.7:4569, we called, transceive, "
	      "path opened, ulaw; sent 700 packets of 90000 octets, received "
	      "1200 of 200000, lost 1.0 %, jitter 3 ms, round trip 41 ms)",
	      text);
}

static void what_is_not_known_is_not_invented(void)
{
	struct node_event ev = a_call();
	char text[RECORD_TEXT_MAX];
	json_t *o;

	ev.number[0] = '\0';
	ev.record.outbound = false;
	ev.record.dial_us = 0;
	ev.record.ended = NODE_ENDED_NOBODY;
	ev.record.lasted = 1450 * MONO_MS;
	ev.record.call.rtt_us = 0;
	ev.record.call.rx_voice = ev.record.call.rx_lost = 0;
	record_text(&ev, text);
	T_TRUE(strstr(text, "link to ? lost after 1.4 s: ") == text);
	T_TRUE(strstr(text, "it called") != NULL);
	T_TRUE(strstr(text, "lost 0.0 %, ") != NULL);
	T_TRUE(strstr(text, "round trip unknown)") != NULL);
	o = record_json(&ev, 0);
	T_TRUE(json_is_null(json_object_get(o, "rtt_ms")));
	T_TRUE(json_is_null(json_object_get(o, "dial_ms")));
	json_decref(o);
}

static void lasting_is_said_in_units_for_people(void)
{
	static const struct {
		uint64_t s;
		const char *text;
	} row[] = {
		{ 0, " after 0.0 s: " },
		{ 59, " after 59.0 s: " },
		{ 60, " after 1 min 0 s: " },
		{ 3599, " after 59 min 59 s: " },
		{ 3600, " after 1 h 0 min: " },
		{ 86399, " after 23 h 59 min: " },
		{ 86400, " after 1 d 0 h: " },
		{ 400 * 86400, " after 400 d 0 h: " },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct node_event ev = a_call();
		char text[RECORD_TEXT_MAX];

		ev.record.lasted = row[i].s * MONO_S;
		record_text(&ev, text);
		T_TRUE(strstr(text, row[i].text) != NULL);
	}
}

/* All that a stranger may fill, filled. */
static void the_longest_sentence_ends_with_its_last_word(void)
{
	struct node_event ev = a_call();
	char text[RECORD_TEXT_MAX];

	memset(ev.number, '9', sizeof(ev.number) - 1);
	memset(ev.why, 'w', sizeof(ev.why) - 1);
	memset(ev.addr.ip, 0xfd, sizeof(ev.addr.ip));
	ev.rung = NODE_RUNG_PREDICTED;
	ev.record.mode = NODE_LOCAL_MONITOR;
	ev.record.ended = NODE_ENDED_THERE;
	ev.record.lasted = UINT64_MAX;
	ev.record.call.tx_packets = ev.record.call.tx_octets = UINT64_MAX;
	ev.record.call.rx_packets = ev.record.call.rx_octets = UINT64_MAX;
	ev.record.call.rtt_us = ev.record.call.jitter_us = UINT32_MAX;
	record_text(&ev, text);
	T_STR(" ms)", text + strlen(text) - 4);
}

static int64_t whole(const json_t *o, const char *name)
{
	T_TRUE(json_is_integer(json_object_get(o, name)));
	return json_integer_value(json_object_get(o, name));
}

static const char *word(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "(none)";
}

static void a_record_is_an_event(void)
{
	struct node_event ev = a_call();
	json_t *o = record_json(&ev, 1790000000);

	T_STR("call_record", word(o, "event"));
	T_STR("2002", word(o, "node"));
	T_STR("203.0.113.7:4569", word(o, "peer"));
	T_STR("out", word(o, "direction"));
	T_STR("transceive", word(o, "mode"));
	T_STR("opened", word(o, "path"));
	T_STR("ulaw", word(o, "codec"));
	T_STR("there", word(o, "ended_by"));
	T_STR("the other node hung up", word(o, "why"));
	T_TRUE(json_is_false(json_object_get(o, "permanent")));
	T_EQ(17, whole(o, "call"));
	T_EQ(1790000000, whole(o, "ended"));
	T_EQ(252, json_real_value(json_object_get(o, "lasted_s")));
	T_EQ(700, whole(o, "tx_packets"));
	T_EQ(90000, whole(o, "tx_octets"));
	T_EQ(1200, whole(o, "rx_packets"));
	T_EQ(200000, whole(o, "rx_octets"));
	T_EQ(500, whole(o, "tx_frames"));
	T_EQ(990, whole(o, "rx_frames"));
	T_EQ(10, whole(o, "rx_lost"));
	T_EQ(3, whole(o, "late"));
	T_TRUE(json_is_real(json_object_get(o, "loss_pct")));
	T_TRUE(json_is_real(json_object_get(o, "jitter_ms")));
	T_TRUE(json_is_real(json_object_get(o, "rtt_ms")));
	T_TRUE(json_is_real(json_object_get(o, "dial_ms")));
	T_EQ(25, json_object_size(o));
	json_decref(o);
}

/* A peer's own words, which need not be UTF-8, leave the record what it is. */
static void words_of_a_stranger_spoil_nothing(void)
{
	struct node_event ev = a_call();
	json_t *o;

	(void)snprintf(ev.why, sizeof(ev.why), "\xff\xfe\"}");
	(void)snprintf(ev.number, sizeof(ev.number), "\xc3");
	o = record_json(&ev, 0);
	T_EQ(25, json_object_size(o));
	T_TRUE(json_is_string(json_object_get(o, "why")));
	T_TRUE(json_is_string(json_object_get(o, "node")));
	json_decref(o);
}

int main(void)
{
	T_RUN(a_record_is_one_sentence);
	T_RUN(what_is_not_known_is_not_invented);
	T_RUN(lasting_is_said_in_units_for_people);
	T_RUN(the_longest_sentence_ends_with_its_last_word);
	T_RUN(a_record_is_an_event);
	T_RUN(words_of_a_stranger_spoil_nothing);
	return T_DONE();
}
