/* SPDX-License-Identifier: MIT */

/* The test vectors of OPEN-OVER.md for calls that move and for what a node
 * measures of its network. */

#include <sodium.h>

#include "proto/iax2_endpoint_priv.h"
#include "proto/openover_measure_priv.h"
#include "tests/t.h"
#include "tests/unit/vectors.h"

#define COOKIE UINT64_C(0xfedcba9876543210)

static struct dgram_queue *tx;

static void next_is(const char *name)
{
	struct dgram d;

	T_TRUE(dgram_queue_pop(tx, &d));
	vector_same(name, d.data, d.len);
	T_TRUE(!dgram_queue_pop(tx, &d));
}

/* --- moving ------------------------------------------------------------- */

enum { CALLER, CALLED, ENDS };

static struct iax2_endpoint *end_of[ENDS];
static struct call call_of[ENDS];

static void make_the_call(void)
{
	static const struct key_identity *const id[] = { &node, &peer };
	static const uint16_t number[] = { 0x102, 0x203 };

	for (int i = 0; i < ENDS; i++) {
		struct call *c = &call_of[i];

		end_of[i] = calloc(1, sizeof(*end_of[i]));
		T_TRUE(end_of[i] != NULL);
		end_of[i]->id = *id[i];
		end_of[i]->tx = tx;
		c->outbound = i == CALLER;
		c->callno = number[i];
		c->peer_callno = number[!i];
		memcpy(c->ticket.key, vector("ticket_key")->data, 32);
		memcpy(c->ticket.peer_key, id[!i]->public_key, 32);
	}
}

static enum iax2_err read_at(int end, const uint8_t *data, size_t len,
			     struct move_msg *m)
{
	const struct dgram d = { .data = data, .len = len };
	struct iax2_full f;

	if (iax2_full_decode(data, len, &f) != IAX2_OK)
		return IAX2_E_TRUNCATED;
	return move_msg_read(end_of[end], &call_of[end], &d, &f, m);
}

struct step {
	const char *name;
	int from;
	enum move_step step;
	uint64_t number;
};

static const struct step steps[] = {
	{ "move_1_ask", CALLER, MOVE_ASK, 1 },
	{ "move_1_cookie", CALLED, MOVE_COOKIE, 1 },
	{ "move_1_commit", CALLER, MOVE_COMMIT, 1 },
	{ "move_1_done", CALLED, MOVE_DONE, 1 },
	{ "move_2_ask", CALLED, MOVE_ASK, 2 },
	{ "move_2_cookie", CALLER, MOVE_COOKIE, 2 },
	{ "move_2_commit", CALLED, MOVE_COMMIT, 2 },
	{ "move_2_done", CALLER, MOVE_DONE, 2 },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static bool has_signature(const struct step *s)
{
	return s->step == MOVE_COMMIT || s->step == MOVE_DONE;
}

static void each_step_is_made(void)
{
	static const struct net_path path;

	for (size_t i = 0; i < STEPS; i++) {
		const struct step *s = &steps[i];
		const struct move_msg m = { .step = s->step,
					    .number = s->number,
					    .cookie = COOKIE };

		move_msg_send(end_of[s->from], &call_of[s->from], &path, &m,
			      MONO_S);
		next_is(s->name);
	}
}

static void each_step_is_read_by_the_other_end_alone(void)
{
	for (size_t i = 0; i < STEPS; i++) {
		const struct step *s = &steps[i];
		const struct vector *v = vector(s->name);
		struct move_msg m;

		T_EQ(IAX2_OK, read_at(!s->from, v->data, v->len, &m));
		T_EQ(s->step, m.step);
		T_EQ(s->number, m.number);
		T_EQ(s->step == MOVE_ASK ? 0 : COOKIE, m.cookie);
		/* Its own, sent back. */
		T_EQ(IAX2_E_REFUSED, read_at(s->from, v->data, v->len, &m));
	}
}

static void a_signature_is_for_one_step_of_one_move(void)
{
	for (size_t i = 0; i < STEPS; i++) {
		const struct step *s = &steps[i];
		const struct iax2_endpoint *ep = end_of[!s->from];
		const struct call *c = &call_of[!s->from];
		const struct vector *v = vector(s->name);
		struct move_msg m, other;

		if (!has_signature(s))
			continue;
		T_EQ(IAX2_OK, read_at(!s->from, v->data, v->len, &m));
		T_TRUE(move_msg_is_signed(ep, c, &m));
		other = m;
		other.number++;
		T_TRUE(!move_msg_is_signed(ep, c, &other));
		other = m;
		other.cookie ^= 1;
		T_TRUE(!move_msg_is_signed(ep, c, &other));
		other = m;
		other.step = m.step == MOVE_DONE ? MOVE_COMMIT : MOVE_DONE;
		T_TRUE(!move_msg_is_signed(ep, c, &other));
	}
}

static void no_truncation_and_no_flipped_bit_of_a_move_is_taken(void)
{
	for (size_t i = 0; i < STEPS; i++) {
		const struct vector *v = vector(steps[i].name);
		const int to = !steps[i].from;
		struct move_msg m;

		for (size_t len = 0; len < v->len; len++) {
			uint8_t *cut = t_dup(v->data, len);

			T_TRUE(read_at(to, cut, len, &m) != IAX2_OK);
			free(cut);
		}
		for (size_t bit = 0; bit < 8 * v->len; bit++) {
			uint8_t *bad = t_dup(v->data, v->len);

			bad[bit / 8] ^= (uint8_t)(1U << bit % 8);
			/* A repeated frame may say that it is one. */
			T_EQ(bit == 8 * 2 + 7,
			     read_at(to, bad, v->len, &m) == IAX2_OK);
			free(bad);
		}
	}
}

/* --- measuring ---------------------------------------------------------- */

static const struct net_addr registrar_at = {
	.ip = { [10] = 0xff, 0xff, 198, 51, 100, 10 }, .port = 4569
};
static struct oo_measure measure;
static struct oo_reg reg;

static void random_42(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 42, len);
}

static void make_the_registration(void)
{
	T_TRUE(oo_session_agree(&reg.session, &transcript, OO_ROLE_NODE,
				node_secret));
	reg.cfg.random = random_42;
	reg.cfg.tx = tx;
	reg.hole[OO_V4].registrar = registrar_at;
	measure.flow[OO_V4][0].sock = 7;
}

static enum measure_answer read_answer(const char *name, uint16_t sock)
{
	const struct vector *v = vector(name);
	const struct dgram d = { .path = { .peer = registrar_at, .sock = sock },
				 .data = v->data,
				 .len = v->len };
	struct oo_msg m;

	T_EQ(IAX2_OK, oo_msg_decode(v->data, v->len, &m));
	T_EQ(reg.session.id, m.session);
	T_TRUE(oo_session_check(&reg.session, v->data, v->len, m.counter));
	return measure_question_rx(&measure, &reg, &d, &m, 0);
}

static void how_a_socket_looks_is_asked_and_understood(void)
{
	const struct net_addr seen = net_addr_v4(203, 0, 113, 10, 40001);

	make_the_registration();
	measure_ask_seen(&measure, OO_V4, 0, OO_END_MAIN, 0);
	T_EQ(ANSWER_NONE, measure_question_due(&measure, &reg, 0));
	next_is("measure_seen_question");
	T_EQ(ANSWER_YES, read_answer("measure_seen_answer", 7));
	T_TRUE(net_addr_equal(&seen, &measure.q.seen));
	T_EQ(UINT64_C(0x0123456789abcdef), measure.q.cookie);
	measure.flow[OO_V4][0].seen = measure.q.seen;
	measure.flow[OO_V4][0].cookie = measure.q.cookie;
}

/* The word that it was sent comes by the live hole, the datagram itself by the
 * socket that is asked about. */
static void end_2_is_asked_to_send_there(void)
{
	measure_ask_there(&measure, OO_V4, 0, OO_END_OTHER, 0);
	T_EQ(ANSWER_NONE, measure_question_due(&measure, &reg, 0));
	next_is("measure_there_question");
	T_EQ(ANSWER_NONE, read_answer("measure_there_sent", 0));
	T_TRUE(measure.q.waiting);
	T_EQ(ANSWER_YES, read_answer("measure_there_arrives", 7));
}

static void the_registrar_is_not_made_to_send_more_than_it_gets(void)
{
	T_EQ(OO_MEASURE_LEN, vector("measure_seen_question")->len);
	T_EQ(OO_MEASURE_LEN, vector("measure_there_question")->len);
	T_TRUE(vector("measure_seen_answer")->len <= OO_MEASURE_LEN);
	T_TRUE(vector("measure_there_arrives")->len +
		       vector("measure_there_sent")->len <=
	       OO_MEASURE_LEN);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	vectors_read();
	parties_make();
	tx = dgram_queue_new(8);
	T_TRUE(tx != NULL);
	make_the_call();
	T_RUN(each_step_is_made);
	T_RUN(each_step_is_read_by_the_other_end_alone);
	T_RUN(a_signature_is_for_one_step_of_one_move);
	T_RUN(no_truncation_and_no_flipped_bit_of_a_move_is_taken);
	T_RUN(how_a_socket_looks_is_asked_and_understood);
	T_RUN(end_2_is_asked_to_send_there);
	T_RUN(the_registrar_is_not_made_to_send_more_than_it_gets);
	for (int i = 0; i < ENDS; i++)
		free(end_of[i]);
	tx = dgram_queue_free(tx);
	return T_DONE();
}
