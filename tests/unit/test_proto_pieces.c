/* SPDX-License-Identifier: MIT */

/* Elements, addresses, queues, the directory of nodes, and words for people. */

#include <sodium.h>

#include "proto/dgram.h"
#include "proto/iax2_err.h"
#include "proto/iax2_ie.h"
#include "proto/openover_directory.h"
#include "proto/openover_msg.h"
#include "proto/openover_reg.h"
#include "tests/t.h"

static const struct net_addr v4 = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7 }, 4569
};
static const struct net_addr v6 = {
	{ 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9 }, 40000
};

/* --- elements ----------------------------------------------------------- */

static void addresses_survive_the_wire(void)
{
	const struct net_addr *const all[] = { &v4, &v6 };
	uint8_t buf[28];
	struct net_addr got;

	for (size_t i = 0; i < 2; i++) {
		size_t n = net_addr_put(buf, all[i]);

		T_EQ(i == 0 ? 6 : 18, n);
		T_TRUE(net_addr_get(buf, n, &got));
		T_TRUE(net_addr_equal(all[i], &got));
		T_TRUE(!net_addr_get(buf, n - 1, &got));
		n = net_addr_put_sockaddr(buf, all[i]);
		T_EQ(i == 0 ? 16 : 28, n);
		T_TRUE(net_addr_get_sockaddr(buf, n, &got));
		T_TRUE(net_addr_equal(all[i], &got));
		T_TRUE(!net_addr_get_sockaddr(buf, n - 1, &got));
		/* The other family's length, then a family of nobody's. */
		buf[0] = i == 0 ? 10 : 2;
		T_TRUE(!net_addr_get_sockaddr(buf, n, &got));
		buf[0] = i == 0 ? 2 : 10;
		buf[1] = 1;
		T_TRUE(!net_addr_get_sockaddr(buf, n, &got));
	}
}

static bool text_is(const char *value, size_t len, const char *want)
{
	uint8_t body[64];
	struct wire_wr w = wire_wr(body, sizeof(body));
	char out[8] = "before";

	iax2_ie_put(&w, IAX2_IE_CAUSE, value, len);
	T_TRUE(!w.bad);
	if (!iax2_ie_text(body, (size_t)(w.p - body), IAX2_IE_CAUSE, out,
			  sizeof(out)))
		return want == NULL;
	return want && strcmp(want, out) == 0;
}

static void text_is_fit_to_be_shown(void)
{
	char out[8];

	T_TRUE(text_is("", 0, ""));
	T_TRUE(text_is("1234567", 7, "1234567"));
	T_TRUE(text_is("12345678", 8, NULL));
	T_TRUE(text_is("a\nb", 3, NULL));
	T_TRUE(text_is("a\x7f", 2, NULL));
	T_TRUE(text_is("a\0b", 3, NULL));
	T_TRUE(!iax2_ie_text(NULL, 0, IAX2_IE_CAUSE, out, sizeof(out)));
}

static void a_number_of_another_length_is_not_there(void)
{
	static const uint8_t body[] = {
		IAX2_IE_CAUSECODE,
		2,
		0,
		16,
		IAX2_IE_FORMAT,
		2,
		0,
		4,
		IAX2_IE_AUTHMETHODS,
		1,
		8,
		IAX2_IE_KH_PUNCH,
		1,
		8,
	};
	uint8_t u8 = 77;
	uint16_t u16 = 77;
	uint32_t u32 = 77;
	uint64_t u64 = 77;

	T_TRUE(!iax2_ie_u8(body, sizeof(body), IAX2_IE_CAUSECODE, &u8));
	T_TRUE(!iax2_ie_u16(body, sizeof(body), IAX2_IE_AUTHMETHODS, &u16));
	T_TRUE(!iax2_ie_u32(body, sizeof(body), IAX2_IE_FORMAT, &u32));
	T_TRUE(!iax2_ie_u64(body, sizeof(body), IAX2_IE_KH_PUNCH, &u64));
	T_EQ(4 * 77, u8 + u16 + u32 + u64);
	T_EQ(IAX2_E_BAD_IE, iax2_ie_check(body, sizeof(body)));
	T_EQ(IAX2_E_TRUNCATED, iax2_ie_check(body, 1));
}

static void an_element_that_does_not_fit_spoils_the_cursor(void)
{
	uint8_t body[300], value[256] = { 0 };
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put(&w, IAX2_IE_CAUSE, value, 255);
	T_TRUE(!w.bad);
	iax2_ie_put(&w, IAX2_IE_CAUSE, value, 42);
	T_TRUE(w.bad);
	w = wire_wr(body, sizeof(body));
	iax2_ie_put(&w, IAX2_IE_CAUSE, value, 256);
	T_TRUE(w.bad);
	/* And stays spoilt. */
	iax2_ie_put_u8(&w, IAX2_IE_CAUSECODE, 1);
	T_TRUE(w.bad);
}

/* --- the queue ---------------------------------------------------------- */

static void voice_leaves_room_for_signalling(void)
{
	struct dgram_queue *q = dgram_queue_new(16);
	const uint8_t data[DGRAM_MAX + 1] = { 0 };
	struct dgram d = { .path.peer = v4, .data = data, .len = DGRAM_MAX };
	struct dgram out;

	T_TRUE(dgram_queue_empty(q));
	for (int i = 0; i < 14; i++)
		T_TRUE(dgram_queue_push(q, &d, true));
	T_TRUE(!dgram_queue_push(q, &d, true));
	d.len = 0;
	T_TRUE(dgram_queue_push(q, &d, false));
	T_TRUE(dgram_queue_push(q, &d, false));
	T_TRUE(!dgram_queue_push(q, &d, false));
	T_EQ(2, dgram_queue_dropped(q));
	for (int i = 0; i < 16; i++) {
		T_TRUE(dgram_queue_pop(q, &out));
		T_EQ(i < 14 ? DGRAM_MAX : 0, out.len);
	}
	T_TRUE(!dgram_queue_pop(q, &out));
	d.len = DGRAM_MAX + 1;
	T_TRUE(!dgram_queue_push(q, &d, false));
	T_EQ(3, dgram_queue_dropped(q));
	T_TRUE(dgram_queue_free(q) == NULL);
	T_TRUE(dgram_queue_free(NULL) == NULL);
	T_TRUE(dgram_queue_new(7) == NULL);
	T_TRUE(dgram_queue_new(65537) == NULL);
}

/* First in, first out, all around the ring and after it was empty. */
static void a_queue_keeps_its_order(void)
{
	struct dgram_queue *q = dgram_queue_new(8);
	uint8_t in = 0, want = 0;
	struct dgram d = { .path.peer = v4, .data = &in, .len = 1 };
	struct dgram out;
	unsigned wrong = 0;

	for (unsigned round = 0; round < 40; round++) {
		/* Seven are in; then all come out, or two stay. */
		const unsigned stay = round % 8 < 5 ? 2 : 0;

		for (; (uint8_t)(in - want) < 7; in++)
			wrong += !dgram_queue_push(q, &d, false);
		for (; (uint8_t)(in - want) > stay; want++)
			wrong += !dgram_queue_pop(q, &out) ||
				 out.data[0] != want;
		wrong += dgram_queue_empty(q) != (stay == 0);
	}
	T_EQ(0, wrong);
	T_EQ(0, dgram_queue_dropped(q));
	dgram_queue_free(q);
}

/* --- the directory ------------------------------------------------------ */

#define NODES 16

static void begin_at(struct oo_directory *d, struct oo_record *rec, uint64_t id,
		     const struct net_addr *at)
{
	const struct oo_session s = { .id = id };
	const struct net_path path = { .peer = *at };

	oo_directory_begin(d, rec, &s);
	oo_directory_move(d, rec, &path, MONO_S);
}

static void nodes_are_found_by_all_their_names(void)
{
	const uint8_t hash_key[16] = { 1 };
	const uint8_t key[KEY_PUBLIC_LEN] = { 2 };
	struct oo_directory *d = oo_directory_new(NODES, hash_key);
	struct oo_record *rec[NODES];
	char number[16];

	for (unsigned i = 0; i < NODES; i++) {
		struct net_addr a = v4, b = v6;

		(void)snprintf(number, sizeof(number), "%u", 2000 + i);
		rec[i] = oo_directory_put(d, number, key);
		T_TRUE(rec[i] != NULL);
		a.port = b.port = (uint16_t)(1000 + i);
		begin_at(d, rec[i], 100 + i, &a);
		oo_directory_move(d, rec[i], &(struct net_path){ .peer = b },
				  MONO_S);
	}
	T_EQ(NODES, oo_directory_count(d));
	T_EQ(NODES, oo_directory_sessions(d));
	T_TRUE(oo_directory_put(d, "3000", key) == NULL);
	for (unsigned i = 0; i < NODES; i++) {
		struct net_addr a = v4, b = v6;

		(void)snprintf(number, sizeof(number), "%u", 2000 + i);
		a.port = b.port = (uint16_t)(1000 + i);
		T_TRUE(oo_directory_by_number(d, number) == rec[i]);
		T_TRUE(oo_directory_by_session(d, 100 + i) == rec[i]);
		T_TRUE(oo_directory_by_addr(d, &a) == rec[i]);
		T_TRUE(oo_directory_by_addr(d, &b) == rec[i]);
		T_TRUE(oo_directory_at(d, oo_directory_index(d, rec[i])) ==
		       rec[i]);
		/* It goes, and the rest stays. */
		oo_directory_remove(d, rec[i]);
		T_TRUE(oo_directory_by_number(d, number) == NULL);
		T_TRUE(oo_directory_by_session(d, 100 + i) == NULL);
		T_TRUE(oo_directory_by_addr(d, &a) == NULL);
		T_TRUE(oo_directory_by_addr(d, &b) == NULL);
	}
	T_EQ(0, oo_directory_sessions(d));
	T_TRUE(oo_directory_free(d) == NULL);
	T_TRUE(oo_directory_free(NULL) == NULL);
}

static void another_key_ends_the_session(void)
{
	const uint8_t hash_key[16] = { 1 };
	const uint8_t old[KEY_PUBLIC_LEN] = { 2 }, new[KEY_PUBLIC_LEN] = { 3 };
	struct oo_directory *d = oo_directory_new(NODES, hash_key);
	struct oo_record *rec = oo_directory_put(d, "2001", old);

	begin_at(d, rec, 5, &v4);
	T_TRUE(oo_directory_put(d, "2001", old) == rec);
	T_TRUE(oo_directory_by_session(d, 5) == rec);
	T_TRUE(oo_directory_put(d, "2001", new) == rec);
	T_TRUE(oo_directory_by_session(d, 5) == NULL);
	T_TRUE(oo_directory_by_addr(d, &v4) == NULL);
	T_TRUE(oo_directory_put(d, "", old) == NULL);
	T_TRUE(oo_directory_put(d, "20x1", old) == NULL);
	T_TRUE(oo_directory_put(d, "1234567890123456", old) == NULL);
	oo_directory_free(d);
}

/* --- words -------------------------------------------------------------- */

static void every_outcome_has_words_of_its_own(void)
{
	for (int a = OO_ACCEPTED; a <= OO_REGISTRAR_SILENT; a++) {
		for (int b = OO_ACCEPTED; b < a; b++)
			T_TRUE(strcmp(oo_verdict_text((enum oo_verdict)a),
				      oo_verdict_text((enum oo_verdict)b)) !=
			       0);
	}
	for (int a = OO_REG_NO_ADDRESS; a <= OO_REG_RELEASED; a++)
		T_TRUE(strlen(oo_reg_state_text((enum oo_reg_state)a)) > 0);
	for (int a = OO_TROUBLE_NONE + 1; a <= OO_TROUBLE_LOST; a++)
		T_TRUE(strlen(oo_reg_trouble_text((enum oo_reg_trouble)a)) > 0);
	T_STR("success", iax2_err_str(IAX2_OK));
	T_STR("unknown", iax2_err_str((enum iax2_err)1000));
	T_STR("CAUSE", iax2_ie_name(IAX2_IE_CAUSE));
	T_TRUE(iax2_ie_name(0xff) == NULL);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(addresses_survive_the_wire);
	T_RUN(text_is_fit_to_be_shown);
	T_RUN(a_number_of_another_length_is_not_there);
	T_RUN(an_element_that_does_not_fit_spoils_the_cursor);
	T_RUN(voice_leaves_room_for_signalling);
	T_RUN(a_queue_keeps_its_order);
	T_RUN(nodes_are_found_by_all_their_names);
	T_RUN(another_key_ends_the_session);
	T_RUN(every_outcome_has_words_of_its_own);
	return T_DONE();
}
