/* SPDX-License-Identifier: MIT */

#include "daemon/io/asl_json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/io/addr.h"

#define GOOD_TEXT "successfully registered"
#define BAD_TEXT "failed authentication"
#define TEXTS_MAX 64U /* of one answer */

size_t asl_json_question(char *out, size_t cap, const char *node,
			 const char *passwd, uint16_t port)
{
	json_t *o = json_pack("{s:i, s:{s:{s:{s:s, s:s, s:i}}}}", "port",
			      (int)port, "data", "nodes", node, "node", node,
			      "passwd", passwd, "remote", 0);
	size_t n = 0;

	if (o)
		n = json_dumpb(o, out, cap - 1, JSON_COMPACT);
	json_decref(o);
	if (n == 0 || n > cap - 1)
		return 0;
	out[n] = '\0';
	return n;
}

/* A whole number, also one that is written as text; -1 for anything else. */
static json_int_t number(const json_t *v)
{
	const char *text = json_string_value(v);
	json_int_t n = 0;

	if (json_is_integer(v))
		return json_integer_value(v) < 0 ? -1 : json_integer_value(v);
	if (!text || *text == '\0' || strlen(text) > 9)
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
	}
	return n;
}

/* --- answers ------------------------------------------------------------ */

static void weigh(const json_t *text, enum asl_reg_word *word)
{
	const char *s = json_string_value(text);

	if (!s)
		return;
	if (strcasestr(s, BAD_TEXT))
		*word = ASL_REG_BAD;
	else if (strcasestr(s, GOOD_TEXT) && *word == ASL_REG_UNCLEAR)
		*word = ASL_REG_GOOD;
}

static enum asl_reg_word word_of(const json_t *data)
{
	enum asl_reg_word word = ASL_REG_UNCLEAR;
	size_t n = json_array_size(data);

	weigh(data, &word);
	if (n > TEXTS_MAX)
		n = TEXTS_MAX;
	for (size_t i = 0; i < n; i++)
		weigh(json_array_get(data, i), &word);
	return word;
}

void asl_json_read_answer(const char *text, size_t len, uint16_t port,
			  struct asl_reg_answer *out)
{
	json_t *o = json_loadb(text, len, 0, NULL);
	const char *ip = json_string_value(json_object_get(o, "ipaddr"));
	const json_int_t told = number(json_object_get(o, "port"));
	const json_int_t refresh = number(json_object_get(o, "refresh"));

	if (told > 0 && told <= UINT16_MAX)
		port = (uint16_t)told;
	out->word = word_of(json_object_get(o, "data"));
	out->refresh_s =
		refresh > 0 && refresh <= UINT32_MAX ? (uint32_t)refresh : 0;
	if (!ip || !net_addr_parse(ip, port, &out->apparent) ||
	    !net_addr_is_v4(&out->apparent))
		out->apparent = (struct net_addr){ { 0 }, 0 };
	json_decref(o);
}

/* --- questions ---------------------------------------------------------- */

static bool copy(const json_t *v, char *out, size_t cap)
{
	const char *s = json_string_value(v);

	if (!s || s[0] == '\0' || strlen(s) != json_string_length(v) ||
	    strlen(s) >= cap)
		return false;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

/* By the key that it stands under; what "node" says must be the same. */
static bool read_node(const char *key, const json_t *v,
		      struct asl_json_node *out)
{
	const json_t *name = json_object_get(v, "node");
	json_t *of_key = json_string(key);
	char text[24];
	bool good = copy(of_key, out->name, sizeof(out->name)) &&
		    copy(json_object_get(v, "passwd"), out->passwd,
			 sizeof(out->passwd));

	json_decref(of_key);
	if (json_is_integer(name)) {
		(void)snprintf(text, sizeof(text), "%lld",
			       (long long)json_integer_value(name));
		return good && strcmp(text, out->name) == 0;
	}
	return good &&
	       (!name || (json_is_string(name) &&
			  strcmp(json_string_value(name), out->name) == 0));
}

static bool read_nodes(json_t *nodes, struct asl_json_ask *out)
{
	const char *key;
	json_t *v;

	json_object_foreach(nodes, key, v)
	{
		if (out->n == ASL_JSON_NODES ||
		    !read_node(key, v, &out->node[out->n]))
			return false;
		out->n++;
	}
	return out->n > 0;
}

bool asl_json_read_question(const char *text, size_t len,
			    struct asl_json_ask *out)
{
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_int_t port = number(json_object_get(o, "port"));
	bool good;

	memset(out, 0, sizeof(*out));
	out->port = (uint16_t)(port > 0 && port <= UINT16_MAX ? port : 0);
	good = out->port != 0 &&
	       read_nodes(json_object_get(json_object_get(o, "data"), "nodes"),
			  out);
	json_decref(o);
	return good;
}

char *asl_json_answer(const struct asl_json_ask *a, const char *ipaddr,
		      uint32_t refresh_s)
{
	json_t *data = json_array(), *o;
	char *text;

	for (size_t i = 0; i < a->n; i++) {
		const struct asl_json_node *n = &a->node[i];

		(void)json_array_append_new(
			data, n->word == ASL_REG_GOOD
				      ? json_sprintf("%s " GOOD_TEXT " @ %s:%u",
						     n->name, ipaddr,
						     (unsigned)a->port)
				      : json_sprintf("%s " BAD_TEXT, n->name));
	}
	o = json_pack("{s:s, s:i, s:i, s:o}", "ipaddr", ipaddr, "port",
		      (int)a->port, "refresh", (int)refresh_s, "data", data);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}
