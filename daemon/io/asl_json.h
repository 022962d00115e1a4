/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_ASL_JSON_H
#define DAEMON_IO_ASL_JSON_H

/*
 * The JSON of AllStarLink's registration by HTTPS, as both sides write and read
 * it:
 *
 *	{"port": 4569, "data": {"nodes": {"1999":
 *		{"node": "1999", "passwd": "secret", "remote": 0}}}}
 *	{"ipaddr": "192.0.2.1", "port": 4569, "refresh": 179,
 *	 "data": ["1999 successfully registered @ 192.0.2.1:4569"]}
 *
 * Numbers that are written as text are taken as well.  Whatever else stands in
 * an answer is not looked at.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/asl_reg.h"

#define ASL_JSON_NODES 16U    /* of one question */
#define ASL_JSON_NAME_MAX 32U /* octets */
#define ASL_JSON_PASSWD_MAX 64U
#define ASL_JSON_QUESTION_MAX 1024U /* octets with one node */

/* The question for one node, NUL-terminated; its length, 0 when it does not
 * fit. */
size_t asl_json_question(char *out, size_t cap, const char *node,
			 const char *passwd, uint16_t port);
/* What @text, an answer, says; out->status is left alone.  Without an "ipaddr"
 * that is an IPv4 address no address was told; the port is @port unless it
 * tells one. */
void asl_json_read_answer(const char *text, size_t len, uint16_t port,
			  struct asl_reg_answer *out);

/* The registrar's side. */
struct asl_json_node {
	char name[ASL_JSON_NAME_MAX + 1];
	char passwd[ASL_JSON_PASSWD_MAX + 1];
	enum asl_reg_word word; /* to answer with */
};

struct asl_json_ask {
	uint16_t port; /* 1..65535 */
	struct asl_json_node node[ASL_JSON_NODES];
	size_t n;
};

/* False when it is none; too many nodes, or one whose texts are too long, make
 * it none, too. */
bool asl_json_read_question(const char *text, size_t len,
			    struct asl_json_ask *out);
/* The answer, to be freed with free(); NULL without memory. */
char *asl_json_answer(const struct asl_json_ask *a, const char *ipaddr,
		      uint32_t refresh_s);

#endif
