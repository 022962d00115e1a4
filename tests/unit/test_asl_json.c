/* SPDX-License-Identifier: MIT */

/* The JSON of AllStarLink's registration, both sides. */

#include "daemon/io/asl_json.h"
#include "tests/t.h"

static struct asl_reg_answer got;
static struct asl_json_ask ask;

static void read_answer(const char *text)
{
	uint8_t *copy = t_dup((const uint8_t *)text, strlen(text));

	got = (struct asl_reg_answer){ .status = 200 };
	asl_json_read_answer((const char *)copy, strlen(text), 4569, &got);
	free(copy);
}

static bool read_question(const char *text)
{
	return asl_json_read_question(text, strlen(text), &ask);
}

static void an_answer_is_read(void)
{
	const struct net_addr want = net_addr_v4(192, 0, 2, 1, 4570);

	read_answer("{\"ipaddr\":\"192.0.2.1\",\"port\":4570,\"refresh\":179,"
		    "\"data\":[\"1999 successfully registered @ "
		    "192.0.2.1:4570\"]}");
	T_EQ(ASL_REG_GOOD, got.word);
	T_TRUE(net_addr_equal(&want, &got.apparent));
	T_EQ(179, got.refresh_s);
	T_EQ(200, got.status);
	/* Numbers as text, one text that is no list, other letters. */
	read_answer("{\"ipaddr\":\"192.0.2.1\",\"port\":\"4570\",\"refresh\":"
		    "\"60\",\"data\":\"Successfully Registered\"}");
	T_EQ(ASL_REG_GOOD, got.word);
	T_TRUE(net_addr_equal(&want, &got.apparent));
	T_EQ(60, got.refresh_s);
}

static void only_the_text_says_that_it_is_good(void)
{
	static const struct {
		const char *text;
		enum asl_reg_word word;
	} row[] = {
		{ "", ASL_REG_UNCLEAR },
		{ "successfully registered", ASL_REG_UNCLEAR },
		{ "{\"data\":[]}", ASL_REG_UNCLEAR },
		{ "{\"data\":[1,null,{}]}", ASL_REG_UNCLEAR },
		{ "{\"data\":{\"a\":\"successfully registered\"}}",
		  ASL_REG_UNCLEAR },
		{ "{\"data\":[\"hello\",\"1 successfully registered\"]}",
		  ASL_REG_GOOD },
		{ "{\"data\":[\"1 failed authentication\"]}", ASL_REG_BAD },
		{ "{\"data\":[\"1 successfully registered\",\"2 failed "
		  "authentication\"]}",
		  ASL_REG_BAD },
		{ "{\"data\":[\"2 failed authentication\",\"1 successfully "
		  "registered\"]}",
		  ASL_REG_BAD },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		read_answer(row[i].text);
		T_EQ(row[i].word, got.word);
	}
}

static void an_address_is_an_ipv4_address(void)
{
	static const char *const bad[] = { "{\"ipaddr\":\"2001:db8::1\"}",
					   "{\"ipaddr\":\"nowhere\"}",
					   "{\"ipaddr\":7}",
					   "{}",
					   "[]",
					   "{\"ipaddr\":\"\"}" };
	const struct net_addr ours = net_addr_v4(192, 0, 2, 1, 4569);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		read_answer(bad[i]);
		T_TRUE(!net_addr_is_set(&got.apparent));
		T_EQ(0, got.refresh_s);
	}
	/* A port that is none is our own. */
	read_answer("{\"ipaddr\":\"192.0.2.1\",\"port\":70000,\"refresh\":-1}");
	T_TRUE(net_addr_equal(&ours, &got.apparent));
	T_EQ(0, got.refresh_s);
	read_answer("{\"ipaddr\":\"192.0.2.1\",\"port\":\"x1\",\"refresh\":"
		    "\"99999999999\"}");
	T_TRUE(net_addr_equal(&ours, &got.apparent));
	T_EQ(0, got.refresh_s);
	read_answer("{\"refresh\":1.5}");
	T_EQ(0, got.refresh_s);
}

static void a_question_is_written_and_read(void)
{
	char text[ASL_JSON_QUESTION_MAX];
	const size_t len =
		asl_json_question(text, sizeof(text), "1999", "a\"b", 4569);

	T_STR("{\"port\":4569,\"data\":{\"nodes\":{\"1999\":{\"node\":\"1999\","
	      "\"passwd\":\"a\\\"b\",\"remote\":0}}}}",
	      text);
	T_EQ(strlen(text), len);
	T_TRUE(read_question(text));
	T_EQ(4569, ask.port);
	T_EQ(1, ask.n);
	T_STR("1999", ask.node[0].name);
	T_STR("a\"b", ask.node[0].passwd);
	T_EQ(0, asl_json_question(text, 40, "1999", "secret", 4569));
	/* Not UTF-8. */
	T_EQ(0, asl_json_question(text, sizeof(text), "1999", "\xff", 4569));
}

static void other_questions_are_read_too(void)
{
	T_TRUE(read_question("{\"port\":\"4570\",\"data\":{\"nodes\":{"
			     "\"1\":{\"node\":1,\"passwd\":\"a\"},"
			     "\"2\":{\"passwd\":\"b\"}}}}"));
	T_EQ(4570, ask.port);
	T_EQ(2, ask.n);
}

static void what_is_none_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"port\":4569}",
		"{\"port\":4569,\"data\":{\"nodes\":{}}}",
		"{\"port\":4569,\"data\":{\"nodes\":[]}}",
		"{\"port\":0,\"data\":{\"nodes\":{\"1\":{\"passwd\":\"a\"}}}}",
		"{\"port\":65536,\"data\":{\"nodes\":{\"1\":{\"passwd\":"
		"\"a\"}}}}",
		"{\"port\":1,\"data\":{\"nodes\":{\"1\":{\"passwd\":\"\"}}}}",
		"{\"port\":1,\"data\":{\"nodes\":{\"1\":{\"passwd\":7}}}}",
		"{\"port\":1,\"data\":{\"nodes\":{\"1\":7}}}",
		"{\"port\":1,\"data\":{\"nodes\":{\"1\":{\"node\":\"2\","
		"\"passwd\":\"a\"}}}}",
		"{\"port\":1,\"data\":{\"nodes\":{\"1\":{\"node\":2,"
		"\"passwd\":\"a\"}}}}",
		"{\"port\":1,\"data\":{\"nodes\":{\"1\":{\"node\":[],"
		"\"passwd\":\"a\"}}}}",
		"{\"port\":1,\"data\":{\"nodes\":{\"1\":{\"passwd\":\"a\"},"
		"\"1\":{\"passwd\":\"b\"}}}}",
		"{\"port\":1,\"data\":{\"nodes\":{"
		"\"123456789012345678901234567890123\":{\"passwd\":\"a\"}}}}",
		"{\"port\":1,\"data\":{\"nodes\":{\"\":{\"passwd\":\"a\"}}}}",
	};
	char many[2048] = "{\"port\":1,\"data\":{\"nodes\":{";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_TRUE(!read_question(bad[i]));
	for (unsigned i = 0; i <= ASL_JSON_NODES; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
			 "%s\"%u\":{\"passwd\":\"a\"}", i ? "," : "", i);
	strcat(many, "}}}");
	T_TRUE(!read_question(many));
}

static void an_answer_is_what_the_other_side_reads(void)
{
	char *text;

	T_TRUE(read_question("{\"port\":4569,\"data\":{\"nodes\":{\"1999\":{"
			     "\"passwd\":\"a\"}}}}"));
	ask.node[0].word = ASL_REG_GOOD;
	text = asl_json_answer(&ask, "192.0.2.1", 179);
	T_STR("{\"ipaddr\":\"192.0.2.1\",\"port\":4569,\"refresh\":179,"
	      "\"data\":[\"1999 successfully registered @ 192.0.2.1:4569\"]}",
	      text);
	read_answer(text);
	T_EQ(ASL_REG_GOOD, got.word);
	free(text);
	ask.node[0].word = ASL_REG_BAD;
	text = asl_json_answer(&ask, "192.0.2.1", 179);
	read_answer(text);
	T_EQ(ASL_REG_BAD, got.word);
	free(text);
}

int main(void)
{
	T_RUN(an_answer_is_read);
	T_RUN(only_the_text_says_that_it_is_good);
	T_RUN(an_address_is_an_ipv4_address);
	T_RUN(a_question_is_written_and_read);
	T_RUN(other_questions_are_read_too);
	T_RUN(what_is_none_is_refused);
	T_RUN(an_answer_is_what_the_other_side_reads);
	return T_DONE();
}
