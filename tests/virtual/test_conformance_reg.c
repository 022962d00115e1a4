/* SPDX-License-Identifier: MIT */

/* RFC 5456 sections 6.1 and 7.2.2 between a node and its registrar, which say
 * more than the RFC asks.  tests/CONFORMANCE.md says which statement each test
 * shows. */

#include <string.h>

#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"

static struct world w;

static void begin(void)
{
	world_init(&w);
	world_up(&w);
}

static struct oo_record *record(const char *number)
{
	return oo_directory_by_number(oo_registrar_directory(w.registrar),
				      number);
}

static struct iax2_full decoded(const struct world_frame *f)
{
	struct iax2_full out;

	T_EQ(IAX2_OK, iax2_full_decode(f->data, f->len, &out));
	T_EQ(IAX2_FRAME_IAX, out.type);
	T_EQ(IAX2_OK, iax2_ie_check(out.body, out.body_len));
	return out;
}

static bool has(const struct iax2_full *f, uint8_t element)
{
	struct iax2_ie_view v;

	return iax2_ie_find(f->body, f->body_len, element, &v);
}

static void is_named(const struct iax2_full *f, const char *number)
{
	char name[33];

	T_TRUE(iax2_ie_text(f->body, f->body_len, IAX2_IE_USERNAME, name,
			    sizeof(name)));
	T_STR(number, name);
}

static void every_regreq_has_the_name_and_the_refresh_time(void)
{
	unsigned n = 0, proved = 0;

	begin();
	for (size_t i = 0; i < w.log_n; i++) {
		struct iax2_full f;

		if (w.log[i].subclass != IAX2_IAX_REGREQ ||
		    !net_addr_equal(&w.log[i].from, &w.addr[0]))
			continue;
		f = decoded(&w.log[i]);
		is_named(&f, "2001");
		T_TRUE(has(&f, IAX2_IE_REFRESH));
		n++;
		/* Credentials come with the answer to REGAUTH, not before. */
		T_EQ(n == 3, has(&f, IAX2_IE_ED25519_RESULT));
		proved += has(&f, IAX2_IE_ED25519_RESULT);
		T_TRUE(!has(&f, IAX2_IE_MD5_RESULT) &&
		       !has(&f, IAX2_IE_PASSWORD));
	}
	T_EQ(3, n);
	T_EQ(1, proved);
	world_done(&w);
}

static void a_regauth_has_the_name_the_methods_and_the_challenge(void)
{
	struct iax2_full f;
	uint16_t methods = 0;
	char challenge[65];

	begin();
	f = decoded(world_find(&w, REGISTRAR, 0, IAX2_IAX_REGAUTH));
	is_named(&f, "2001");
	T_TRUE(iax2_ie_u16(f.body, f.body_len, IAX2_IE_AUTHMETHODS, &methods));
	T_TRUE(methods != 0);
	T_TRUE(iax2_ie_text(f.body, f.body_len, IAX2_IE_CHALLENGE, challenge,
			    sizeof(challenge)));
	T_TRUE(challenge[0] != '\0');
	world_done(&w);
}

static void a_regack_has_the_name_the_address_and_the_refresh_time(void)
{
	struct iax2_full f;
	struct iax2_ie_view v;
	struct net_addr apparent;
	uint16_t refresh = 0;

	begin();
	f = decoded(world_find(&w, REGISTRAR, 0, IAX2_IAX_REGACK));
	is_named(&f, "2001");
	T_TRUE(iax2_ie_u16(f.body, f.body_len, IAX2_IE_REFRESH, &refresh));
	T_EQ(300, refresh);
	T_TRUE(iax2_ie_find(f.body, f.body_len, IAX2_IE_APPARENT_ADDR, &v));
	T_EQ(16, v.len);
	T_TRUE(net_addr_get_sockaddr(v.value, v.len, &apparent));
	T_TRUE(net_addr_equal(&w.addr[0], &apparent));
	world_done(&w);
}

static void a_regrej_has_cause_and_code_and_is_a_failure(void)
{
	const uint8_t other[KEY_PUBLIC_LEN] = { 9 };
	struct iax2_full f;

	world_init(&w);
	T_EQ(IAX2_OK, oo_registrar_node_put(w.registrar, "2001", other));
	oo_node_registrar_addresses(w.node[0], 0, &w.addr[REGISTRAR], 1, w.now);
	world_run(&w, 5 * MONO_S);
	f = decoded(world_find(&w, REGISTRAR, 0, IAX2_IAX_REGREJ));
	T_TRUE(has(&f, IAX2_IE_CAUSE));
	T_TRUE(has(&f, IAX2_IE_CAUSECODE));
	T_EQ(0, w.seen[0][OO_EV_REGISTERED]);
	T_EQ(0, record("2001")->session.id);
	world_done(&w);
}

static void a_regrel_has_the_name_and_must_be_proved(void)
{
	struct world_frame rel;
	struct iax2_full f;

	begin();
	w.sent = 0;
	w.swallow = 1;
	oo_node_release(w.node[0], w.now);
	world_settle(&w);
	rel = w.swallowed;
	T_EQ(IAX2_IAX_REGREL, rel.subclass);
	f = decoded(&rel);
	is_named(&f, "2001");
	rel.data[rel.len - 1] ^= 1;
	T_TRUE(world_inject(&w, REGISTRAR, &w.addr[0], rel.data, rel.len) !=
	       IAX2_OK);
	T_TRUE(record("2001")->session.id != 0);
	rel.data[rel.len - 1] ^= 1;
	T_EQ(IAX2_OK,
	     world_inject(&w, REGISTRAR, &w.addr[0], rel.data, rel.len));
	T_EQ(0, record("2001")->session.id);
	world_settle(&w);
	T_EQ(1, w.seen[0][OO_EV_RELEASED]);
	world_done(&w);
}

/* Each node's renewals, in seconds. */
static void renewals_come_before_the_end_and_not_at_once(void)
{
	mono_us last[WORLD_NODES], gap[WORLD_NODES] = { 0 };
	unsigned renewed[WORLD_NODES] = { 0 };

	begin();
	for (int i = 0; i < WORLD_NODES; i++)
		last[i] = w.now;
	while (w.now < 4000 * MONO_S) {
		w.log_n = 0;
		world_run(&w, MONO_S);
		for (size_t k = 0; k < w.log_n; k++) {
			for (int i = 0; i < WORLD_NODES; i++) {
				if (w.log[k].subclass != IAX2_IAX_REGACK ||
				    !net_addr_equal(&w.log[k].to, &w.addr[i]))
					continue;
				gap[i] = w.now - last[i];
				T_TRUE(gap[i] < 300 * MONO_S);
				T_TRUE(gap[i] > 200 * MONO_S);
				last[i] = w.now;
				renewed[i]++;
			}
		}
	}
	for (int i = 0; i < WORLD_NODES; i++)
		T_TRUE(renewed[i] >= 12 && renewed[i] <= 18);
	T_TRUE(last[0] != last[1] && last[1] != last[2]);
	world_done(&w);
}

/* A REGACK as the registrar would seal it, but for the REFRESH. */
static void give_regack_without_refresh(void)
{
	const struct iax2_full asked = decoded(&w.log[4]);
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE,
				       .dst_callno = asked.src_callno,
				       .oseq = 1,
				       .iseq = 2 };
	struct oo_session *s = &record("2001")->session;
	uint8_t buf[OO_FRAME_MAX], addr[28];
	struct wire_wr wr = oo_frame_begin(buf, IAX2_IAX_REGACK, &hdr);

	T_EQ(IAX2_IAX_REGREQ, asked.subclass);
	iax2_ie_put(&wr, IAX2_IE_APPARENT_ADDR, addr,
		    net_addr_put_sockaddr(addr, &w.addr[0]));
	(void)oo_session_put(s, &wr);
	seal_append(&wr, buf, s->tx_key);
	T_EQ(IAX2_OK, world_inject(&w, 0, &w.addr[REGISTRAR], buf,
				   (size_t)(wr.p - buf)));
}

/* Has a REGREQ been sent since this was last asked? */
static bool asks_again(void)
{
	bool found = false;

	for (size_t i = 0; i < w.log_n; i++)
		found |= w.log[i].subclass == IAX2_IAX_REGREQ;
	w.log_n = 0;
	return found;
}

static void without_a_refresh_time_a_registration_lasts_60_s(void)
{
	mono_us begun;

	world_init(&w);
	w.swallow = 6; /* the true REGACK */
	oo_node_registrar_addresses(w.node[0], 0, &w.addr[REGISTRAR], 1, w.now);
	world_settle(&w);
	T_EQ(IAX2_IAX_REGACK, w.swallowed.subclass);
	give_regack_without_refresh();
	world_settle(&w);
	T_EQ(1, w.seen[0][OO_EV_REGISTERED]);
	begun = w.now;
	(void)asks_again();
	while (!asks_again()) {
		world_run(&w, MONO_S);
		T_TRUE(w.now < begun + 60 * MONO_S);
	}
	T_TRUE(w.now > begun + 40 * MONO_S);
	world_done(&w);
}

static void a_registration_that_is_not_renewed_ends(void)
{
	const struct oo_record *rec;

	begin();
	rec = record("2001");
	T_TRUE(oo_registrar_is_online(w.registrar, rec, w.now));
	/* The nodes are gone; only the registrar goes on. */
	w.now += 300 * MONO_S;
	oo_registrar_tick(w.registrar, w.now);
	T_TRUE(!oo_registrar_is_online(w.registrar, rec, w.now));
	world_done(&w);
}

int main(void)
{
	T_RUN(every_regreq_has_the_name_and_the_refresh_time);
	T_RUN(a_regauth_has_the_name_the_methods_and_the_challenge);
	T_RUN(a_regack_has_the_name_the_address_and_the_refresh_time);
	T_RUN(a_regrej_has_cause_and_code_and_is_a_failure);
	T_RUN(a_regrel_has_the_name_and_must_be_proved);
	T_RUN(renewals_come_before_the_end_and_not_at_once);
	T_RUN(without_a_refresh_time_a_registration_lasts_60_s);
	T_RUN(a_registration_that_is_not_renewed_ends);
	return T_DONE();
}
