/* SPDX-License-Identifier: MIT */

/* What the store is asked: notes about nodes, and messages to the others. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/registrar/store_priv.h"

#define NOTES_UNDER_WAY 256U
#define UNDER_WAY 4096U
#define KEY_MAX 64U /* a name in the server */

/* What a command was for. */
struct job {
	struct store *s;
	uint64_t ask;
	uint64_t to;
	bool note;
};

/* The job is over, whatever came of it; NULL when nothing did. */
static const redisReply *job_done(struct job *j, const redisReply *r)
{
	struct store *s = j->s;

	s->under_way--;
	s->notes_under_way -= j->note;
	if (!r)
		return NULL;
	s->heard[STORE_SPEAK] = loop_now();
	if (r->type != REDIS_REPLY_ERROR)
		return r;
	store_fail(s, r->str);
	return NULL;
}

static void on_noted(redisAsyncContext *ac, void *reply, void *ctx)
{
	struct job *j = ctx;
	struct store *s = j->s;
	const bool done = job_done(j, reply) != NULL;

	(void)ac;
	free(j);
	if (done && s->notes_under_way == NOTES_UNDER_WAY / 2)
		s->cfg.on_room(s->cfg.ctx);
}

static void on_found(redisAsyncContext *ac, void *reply, void *ctx)
{
	struct job *j = ctx;
	const redisReply *r = job_done(j, reply);
	struct store_value v[STORE_VALUES_MAX];
	size_t n = 0;

	(void)ac;
	if (r && r->type == REDIS_REPLY_ARRAY) {
		for (size_t i = 0; i < r->elements && n < STORE_VALUES_MAX; i++)
			if (r->element[i]->type == REDIS_REPLY_STRING)
				v[n++] = (struct store_value){
					(const uint8_t *)r->element[i]->str,
					(size_t)r->element[i]->len
				};
		j->s->cfg.on_found(j->s->cfg.ctx, j->ask, v, n);
	}
	free(j);
}

static void on_published(redisAsyncContext *ac, void *reply, void *ctx)
{
	struct job *j = ctx;
	const redisReply *r = job_done(j, reply);

	(void)ac;
	if (r && r->type == REDIS_REPLY_INTEGER && r->integer == 0)
		j->s->cfg.on_unreached(j->s->cfg.ctx, j->ask, j->to);
	free(j);
}

static bool can_speak(const struct store *s)
{
	return s->state == STORE_UP && s->why[0] == '\0' &&
	       s->conn[STORE_SPEAK] && s->under_way < UNDER_WAY;
}

bool store_has_room(const struct store *s)
{
	return can_speak(s) && s->notes_under_way < NOTES_UNDER_WAY;
}

/* Send a command of @argc words for what @like says. */
static bool command(const struct job *like, redisCallbackFn *fn, int argc,
		    const char **argv, const size_t *len)
{
	struct store *s = like->s;
	struct job *j;

	if (!can_speak(s))
		return false;
	j = malloc(sizeof(*j));
	if (!j)
		return false;
	*j = *like;
	if (redisAsyncCommandArgv(s->conn[STORE_SPEAK], fn, j, argc, argv,
				  len) != REDIS_OK) {
		free(j);
		return false;
	}
	s->under_way++;
	s->notes_under_way += j->note;
	return true;
}

static void key_of(const struct store *s, const char *number, char out[KEY_MAX])
{
	(void)snprintf(out, KEY_MAX, "kh:%016" PRIx64 ":node:%.32s", s->cfg.tag,
		       number);
}

bool store_note(struct store *s, const char *number, const uint8_t *value,
		size_t len)
{
	const struct job j = { .s = s, .note = true };
	char key[KEY_MAX], life[16];
	const char *set[] = { value ? "HSET" : "HDEL", key, s->name,
			      (const char *)value };
	const char *expire[] = { "EXPIRE", key, life };
	size_t lens[] = { 4, 0, strlen(s->name), len };
	size_t expire_lens[3];

	key_of(s, number, key);
	lens[1] = strlen(key);
	(void)snprintf(life, sizeof(life), "%" PRIu32, s->cfg.note_s);
	if (!command(&j, on_noted, value ? 4 : 3, set, lens))
		return false;
	for (int i = 0; i < 3; i++)
		expire_lens[i] = strlen(expire[i]);
	return !value || command(&j, on_noted, 3, expire, expire_lens);
}

bool store_look_up(struct store *s, uint64_t ask, const char *number)
{
	const struct job j = { .s = s, .ask = ask };
	char key[KEY_MAX];
	const char *argv[] = { "HVALS", key };
	size_t lens[] = { 5, 0 };

	key_of(s, number, key);
	lens[1] = strlen(key);
	return command(&j, on_found, 2, argv, lens);
}

bool store_publish(struct store *s, uint64_t ask, uint64_t to,
		   const uint8_t *data, size_t len)
{
	const struct job j = { .s = s, .ask = ask, .to = to };
	char channel[KEY_MAX];
	const char *argv[] = { "PUBLISH", channel, (const char *)data };
	size_t lens[] = { 7, 0, len };

	if (to == 0)
		(void)snprintf(channel, sizeof(channel),
			       "kh:%016" PRIx64 ":all", s->cfg.tag);
	else
		(void)snprintf(channel, sizeof(channel),
			       "kh:%016" PRIx64 ":to:%016" PRIx64, s->cfg.tag,
			       to);
	lens[1] = strlen(channel);
	return command(&j, on_published, 3, argv, lens);
}
