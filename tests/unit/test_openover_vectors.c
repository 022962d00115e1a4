/* SPDX-License-Identifier: MIT */

/* The test vectors of OPEN-OVER.md: what another implementation must make of
 * the same inputs. */

#include <sodium.h>

#include "proto/call_token.h"
#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"
#include "proto/openover_punch.h"
#include "proto/openover_relay_frame.h"
#include "proto/openover_session.h"
#include "tests/t.h"
#include "tests/unit/vectors.h"

static void keys_of_the_parties(void)
{
	vector_same("node_key", node.public_key, 32);
	vector_same("registrar_key", registrar.public_key, 32);
	vector_same("peer_key", peer.public_key, 32);
	vector_same("node_hello", node_hello, 32);
	vector_same("registrar_hello", registrar_hello, 32);
}

static void signatures_of_the_transcript(void)
{
	static const struct {
		const char *name;
		enum oo_role role;
	} rows[] = {
		{ "sign_register", OO_ROLE_NODE },
		{ "sign_registrar", OO_ROLE_REGISTRAR },
		{ "sign_refusal", OO_ROLE_REFUSAL },
	};

	for (size_t i = 0; i < 3; i++) {
		const struct key_identity *who =
			rows[i].role == OO_ROLE_NODE ? &node : &registrar;
		uint8_t sig[KEY_SIGNATURE_LEN];

		oo_transcript_sign(&transcript, rows[i].role, who, sig);
		vector_same(rows[i].name, sig, sizeof(sig));
		T_TRUE(oo_transcript_verify(&transcript, rows[i].role,
					    vector(rows[i].name)->data));
	}
}

static void session_of_the_transcript(void)
{
	struct oo_session a, b;
	uint8_t id[8];
	struct wire_wr w = wire_wr(id, sizeof(id));

	T_TRUE(oo_session_agree(&a, &transcript, OO_ROLE_NODE, node_secret));
	T_TRUE(oo_session_agree(&b, &transcript, OO_ROLE_REGISTRAR,
				registrar_secret));
	T_EQ(0, memcmp(a.tx_key, b.rx_key, 32));
	T_EQ(0, memcmp(a.rx_key, b.tx_key, 32));
	T_EQ(a.id, b.id);
	vector_same("key_node_to_registrar", a.tx_key, 32);
	vector_same("key_registrar_to_node", a.rx_key, 32);
	wire_wr_u64(&w, a.id);
	vector_same("session_id", id, sizeof(id));
}

static const struct iax2_full outside = { .src_callno = IAX2_CALLNO_OUTSIDE,
					  .ts_ms = 1000 };

static void a_ping_with_and_without_cookie(void)
{
	struct oo_session s;
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;

	T_TRUE(oo_session_agree(&s, &transcript, OO_ROLE_NODE, node_secret));
	w = oo_frame_begin(buf, IAX2_IAX_POKE, &outside);
	oo_session_put(&s, &w);
	oo_put_pad(&w, buf, OO_PING_LEN, true);
	seal_append(&w, buf, s.tx_key);
	vector_same("ping", buf, (size_t)(w.p - buf));
	T_EQ(OO_PING_LEN, w.p - buf);

	w = oo_frame_begin(buf, IAX2_IAX_POKE, &outside);
	oo_session_put(&s, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_PATH, UINT64_C(0x0123456789abcdef));
	oo_put_pad(&w, buf, OO_PING_LEN, true);
	seal_append(&w, buf, s.tx_key);
	vector_same("ping_with_cookie", buf, (size_t)(w.p - buf));
}

static void a_pong(void)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE,
				       .dst_callno = IAX2_CALLNO_OUTSIDE,
				       .ts_ms = 1000,
				       .iseq = 1 };
	const struct net_addr seen = net_addr_v4(203, 0, 113, 10, 4569);
	struct oo_session s;
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;

	T_TRUE(oo_session_agree(&s, &transcript, OO_ROLE_REGISTRAR,
				registrar_secret));
	w = oo_frame_begin(buf, IAX2_IAX_PONG, &hdr);
	oo_session_put(&s, &w);
	oo_put_addr(&w, IAX2_IE_KH_REFLEXIVE, &seen);
	seal_append(&w, buf, s.tx_key);
	vector_same("pong", buf, (size_t)(w.p - buf));
}

static void token_of_seven(uint8_t token[KEY_SHARED_LEN])
{
	memset(token, 0x77, KEY_SHARED_LEN);
}

/* An OPEN as the registrar makes it, and what the target reads in it. */
static void an_open(void)
{
	const struct oo_candidates c = { .addr = { net_addr_v4(203, 0, 113, 10,
							       4569) },
					 .n = 1,
					 .type = { OO_CANDIDATE_REFLEXIVE } };
	struct oo_session s, t;
	uint8_t buf[OO_FRAME_MAX], token[KEY_SHARED_LEN];
	uint64_t counter;
	struct oo_msg m;
	struct wire_wr w;

	token_of_seven(token);
	T_TRUE(oo_session_agree(&s, &transcript, OO_ROLE_REGISTRAR,
				registrar_secret));
	w = oo_frame_begin(buf, OO_OPEN, &outside);
	counter = oo_session_put(&s, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, 42);
	iax2_ie_put_text(&w, IAX2_IE_CALLING_NUMBER, "2002");
	iax2_ie_put(&w, IAX2_IE_KH_PEER_KEY, node.public_key, 32);
	oo_session_cipher(&s, true, counter, token);
	iax2_ie_put(&w, IAX2_IE_KH_TOKEN, token, sizeof(token));
	iax2_ie_put_u8(&w, IAX2_IE_KH_NAT, OO_NAT_TRANSLATED);
	iax2_ie_put_u16(&w, IAX2_IE_KH_DELAY, 25);
	oo_put_candidates(&w, &c);
	seal_append(&w, buf, s.tx_key);
	vector_same("open", buf, (size_t)(w.p - buf));

	T_TRUE(oo_session_agree(&t, &transcript, OO_ROLE_NODE, node_secret));
	T_EQ(IAX2_OK, oo_msg_decode(buf, (size_t)(w.p - buf), &m));
	T_TRUE(oo_session_check(&t, buf, (size_t)(w.p - buf), m.counter));
	T_TRUE(!oo_session_check(&t, buf, (size_t)(w.p - buf), m.counter));
	oo_session_cipher(&t, false, m.counter, m.token);
	token_of_seven(token);
	T_EQ(0, memcmp(token, m.token, sizeof(token)));
	T_STR("2002", m.calling);
	T_EQ(25, m.delay_ms);
	T_EQ(1, m.candidates.n);
}

static void an_over_that_names_a_plain_client(void)
{
	const struct oo_candidates c = { .addr = { net_addr_v4(203, 0, 113, 20,
							       4570) },
					 .n = 1,
					 .type = { OO_CANDIDATE_REFLEXIVE } };
	struct oo_session s;
	uint8_t buf[OO_FRAME_MAX];
	struct oo_msg m;
	struct wire_wr w;

	T_TRUE(oo_session_agree(&s, &transcript, OO_ROLE_REGISTRAR,
				registrar_secret));
	s.tx_counter = 1;
	w = oo_frame_begin(buf, OO_OVER, &outside);
	(void)oo_session_put(&s, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, 43);
	iax2_ie_put_u8(&w, IAX2_IE_KH_VERDICT, OO_PLAIN);
	oo_put_candidates(&w, &c);
	seal_append(&w, buf, s.tx_key);
	vector_same("over_plain", buf, (size_t)(w.p - buf));
	T_EQ(IAX2_OK, oo_msg_decode(buf, (size_t)(w.p - buf), &m));
	T_EQ(OO_PLAIN, m.verdict);
	T_EQ(1, m.candidates.n);
	T_TRUE(net_addr_equal(&c.addr[0], &m.candidates.addr[0]));
}

static void what_passes_between_a_node_and_its_relay(void)
{
	const struct oo_candidates at = {
		.addr = { net_addr_v4(198, 51, 100, 10, 20591) },
		.n = 1,
		.type = { OO_CANDIDATE_RELAY },
	};
	const struct net_addr far = net_addr_v4(203, 0, 113, 30, 4569);
	struct oo_relay_frame f;
	struct oo_session s;
	uint8_t buf[DGRAM_MAX], data[300];
	struct oo_msg m;
	struct wire_wr w;
	size_t len;

	T_TRUE(oo_session_agree(&s, &transcript, OO_ROLE_REGISTRAR,
				registrar_secret));
	s.tx_counter = 2;
	w = oo_frame_begin(buf, OO_RELAY, &outside);
	(void)oo_session_put(&s, &w);
	iax2_ie_put_u16(&w, IAX2_IE_KH_LIFETIME, 300);
	oo_put_candidates(&w, &at);
	seal_append(&w, buf, s.tx_key);
	vector_same("relay_answer", buf, (size_t)(w.p - buf));
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	len = oo_relay_frame_wrap(&s, &far, data, sizeof(data), buf);
	vector_same("relay_data", buf, len);
	T_EQ(IAX2_OK, oo_msg_decode(buf, len, &m));
	T_TRUE(oo_relay_frame_read(m.hdr.body, m.hdr.body_len, &f));
	T_TRUE(net_addr_equal(&far, &f.peer));
	T_EQ(sizeof(data), f.len);
	T_EQ(0, memcmp(data, f.data, f.len));
}

static void zero_random(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0, len);
}

static void a_punch_and_its_ticket(void)
{
	struct dgram_queue *tx = dgram_queue_new(8);
	struct oo_punch_cfg c = { .role = OO_PUNCH_CALLER,
				  .peer_number = "2001",
				  .random = zero_random,
				  .tx = tx };
	struct oo_punch p;
	struct iax2_ticket t;
	struct dgram d;
	uint8_t id[8];
	struct wire_wr w = wire_wr(id, sizeof(id));

	token_of_seven(c.token);
	c.candidates.addr[0] = net_addr_v4(203, 0, 113, 11, 4569);
	c.candidates.type[0] = OO_CANDIDATE_REFLEXIVE;
	c.candidates.n = 1;
	oo_punch_start(&p, &c, 0);
	(void)oo_punch_tick(&p, 0);
	wire_wr_u64(&w, p.id);
	vector_same("punch_id", id, sizeof(id));
	T_TRUE(dgram_queue_pop(tx, &d));
	vector_same("punch_poke", d.data, d.len);
	T_EQ(OO_PUNCH_LEN, d.len);
	oo_punch_ticket(&p, MONO_S, &t);
	vector_same("ticket_key", t.key, sizeof(t.key));
	tx = dgram_queue_free(tx);
	T_TRUE(tx == NULL);
}

static void every_truncation_of_every_frame_is_refused_or_unsealed(void)
{
	static const char *const frames[] = { "ping",       "ping_with_cookie",
					      "pong",       "open",
					      "over_plain", "punch_poke" };

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		const struct vector *v = vector(frames[i]);

		for (size_t len = 0; len < v->len; len++) {
			uint8_t *cut = t_dup(v->data, len);
			struct oo_msg m;

			T_TRUE(oo_msg_decode(cut, len, &m) != IAX2_OK ||
			       !m.sealed);
			free(cut);
		}
	}
}

static void a_counter_is_taken_once_and_within_the_window(void)
{
	struct replay_window w = { 0 };

	T_TRUE(!replay_accept(&w, 0));
	T_TRUE(replay_accept(&w, 5));
	T_TRUE(!replay_accept(&w, 5));
	T_TRUE(replay_accept(&w, 1));
	T_TRUE(!replay_accept(&w, 1));
	T_TRUE(replay_accept(&w, 100));
	T_TRUE(replay_accept(&w, 37));
	T_TRUE(!replay_accept(&w, 36));
	T_TRUE(replay_accept(&w, UINT64_MAX));
	T_TRUE(!replay_accept(&w, 101));
	T_TRUE(!replay_accept(&w, UINT64_MAX));
}

static void a_node_signs_no_challenge_that_could_be_a_statement(void)
{
	uint8_t sig[KEY_SIGNATURE_LEN];

	T_TRUE(key_sign_challenge(&node, "159458752", sig));
	T_TRUE(key_verify_challenge(node.public_key, "159458752", sig, 64));
	T_TRUE(!key_verify_challenge(node.public_key, "159458753", sig, 64));
	T_TRUE(!key_sign_challenge(&node, "", sig));
	T_TRUE(!key_sign_challenge(&node, "\001abc", sig));
	T_TRUE(!key_sign_challenge(
		&node,
		"0123456789012345678901234567890123456789012345678901234567890"
		"123456789",
		sig));
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	vectors_read();
	parties_make();
	T_RUN(keys_of_the_parties);
	T_RUN(signatures_of_the_transcript);
	T_RUN(session_of_the_transcript);
	T_RUN(a_ping_with_and_without_cookie);
	T_RUN(a_pong);
	T_RUN(an_open);
	T_RUN(an_over_that_names_a_plain_client);
	T_RUN(what_passes_between_a_node_and_its_relay);
	T_RUN(a_punch_and_its_ticket);
	T_RUN(every_truncation_of_every_frame_is_refused_or_unsealed);
	T_RUN(a_counter_is_taken_once_and_within_the_window);
	T_RUN(a_node_signs_no_challenge_that_could_be_a_statement);
	return T_DONE();
}
