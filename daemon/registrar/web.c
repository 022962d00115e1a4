/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/asl_json.h"
#include "daemon/io/loop.h"
#include "daemon/registrar/online.h"
#include "proto/rate.h"

#define REFRESH_S 179U
#define LIST_AGE_US (30 * MONO_S)

/* The list is long and changes slowly. */
static const struct rate_limit list_limit = { 6, 6 };

struct web {
	struct https_server *server;
	struct web_cfg cfg;
	struct rate_table *lists; /* asked for, by address */
	char *list;
	size_t list_len;
	mono_us list_made;
	uint64_t registered;
	uint64_t too_soon;
};

/* --- registration ------------------------------------------------------- */

static const char *ip_text(const struct net_addr *a, char out[INET_ADDRSTRLEN])
{
	if (!inet_ntop(AF_INET, &a->ip[12], out, INET_ADDRSTRLEN))
		out[0] = '\0';
	return out;
}

/* What the whole is answered with, for one of its nodes. */
static unsigned register_one(struct web *w, struct asl_json_node *n,
			     const struct net_addr *at)
{
	switch (oo_registrar_plain_password(w->cfg.registrar, n->name,
					    n->passwd, at, REFRESH_S,
					    loop_now())) {
	case OO_PASSWORD_GOOD:
		n->word = ASL_REG_GOOD;
		w->registered++;
		return 200;
	case OO_PASSWORD_BAD:
		n->word = ASL_REG_BAD;
		return 200;
	case OO_PASSWORD_SOON:
	case OO_PASSWORD_LIMITED:
		break;
	}
	w->too_soon++;
	return 429;
}

static void do_register(struct web *w, const struct web_question *q,
			struct web_reply *out)
{
	struct net_addr at = q->from;
	struct asl_json_ask ask;
	char ip[INET_ADDRSTRLEN];

	out->status = 400;
	if (asl_json_read_question(q->body, q->len, &ask)) {
		out->status = 200;
		at.port = ask.port;
		for (size_t i = 0; i < ask.n; i++) {
			const unsigned status =
				register_one(w, &ask.node[i], &at);

			if (status > out->status)
				out->status = status;
		}
		w->cfg.changed(w->cfg.ctx);
	}
	if (out->status == 200) {
		out->text = asl_json_answer(&ask, ip_text(&at, ip), REFRESH_S);
		out->type = "application/json";
		out->len = out->text ? strlen(out->text) : 0;
	}
	sodium_memzero(&ask, sizeof(ask));
}

/* --- the list ----------------------------------------------------------- */

static void do_list(struct web *w, const struct web_question *q,
		    struct web_reply *out)
{
	const mono_us now = loop_now();

	if (!rate_table_take(w->lists, &q->from, now)) {
		out->status = 429;
		return;
	}
	if (!w->list || now - w->list_made > LIST_AGE_US) {
		free(w->list);
		w->list = online_extnodes(w->cfg.registrar, now, &w->list_len);
		w->list_made = now;
	}
	out->text = w->list ? malloc(w->list_len) : NULL;
	out->status = out->text ? 200 : 503;
	if (!out->text)
		return;
	memcpy(out->text, w->list, w->list_len);
	out->len = w->list_len;
	out->type = "text/plain";
}

static void on_question(void *ctx, const struct web_question *q,
			struct web_reply *out)
{
	struct web *w = ctx;

	if (q->post && strcmp(q->path, "/") == 0)
		do_register(w, q, out);
	else if (!q->post && strcmp(q->path, "/extnodes") == 0)
		do_list(w, q, out);
}

/* --- start and end ------------------------------------------------------ */

int web_open(struct web **out, const struct web_cfg *cfg,
	     char why[HTTPS_SERVER_WHY_MAX])
{
	const struct conf_registrar *conf = cfg->conf;
	struct https_server_cfg server = {
		.base = cfg->base,
		.address = conf->https.address,
		.port = (uint16_t)conf->https.port,
		.cert_file = conf->https.cert_file,
		.key_file = conf->https.key_file,
		.answer = on_question,
	};
	struct web *w;
	uint8_t key[16];

	*out = NULL;
	if (conf->https.port == 0)
		return 0;
	w = calloc(1, sizeof(*w));
	*out = w;
	(void)snprintf(why, HTTPS_SERVER_WHY_MAX, "out of memory");
	if (!w)
		return -ENOMEM;
	randombytes_buf(key, sizeof(key));
	w->cfg = *cfg;
	w->lists = rate_table_new(4096, list_limit, key);
	if (!w->lists)
		return -ENOMEM;
	server.ctx = w;
	return https_server_open(&w->server, &server, why);
}

struct web *web_close(struct web *w)
{
	if (!w)
		return NULL;
	https_server_close(w->server);
	rate_table_free(w->lists);
	free(w->list);
	free(w);
	return NULL;
}

json_t *web_json(const struct web *w)
{
	json_t *o = https_server_json(w ? w->server : NULL);

	if (w)
		(void)json_object_update_new(
			o, json_pack("{s:I, s:I}", "registered",
				     (json_int_t)w->registered, "too_soon",
				     (json_int_t)w->too_soon));
	return o;
}
