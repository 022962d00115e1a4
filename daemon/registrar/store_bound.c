/* SPDX-License-Identifier: MIT */

/*
 * How much of an answer is held.  hiredis takes what the server says of its
 * length for granted: it keeps what has come until the string is whole, and
 * makes room for all elements of an array before the first.
 */

#include <string.h>

#include <hiredis/adapters/libevent.h>

#include "daemon/registrar/store_priv.h"

#if HIREDIS_MAJOR >= 1
typedef size_t elements_n;
#else
typedef int elements_n;
#endif

/* Of one answer, with what it takes to hold it. */
#define ANSWER_MAX 65536U
/* Others may have come with the end of one. */
#define UNREAD_MAX (ANSWER_MAX + REDIS_READER_MAX_BUF)

static const redisReplyObjectFunctions *given(const redisReadTask *t)
{
	return &((const struct store_bound *)t->privdata)->given;
}

/* May it be @n octets longer?  Each begins with what has no parent. */
static bool take(const redisReadTask *t, size_t n)
{
	struct store_bound *b = t->privdata;

	if (!t->parent)
		b->held = 0;
	if (n <= ANSWER_MAX && n + sizeof(redisReply) <= ANSWER_MAX - b->held) {
		b->held += n + sizeof(redisReply);
		return true;
	}
	store_fail(b->s, "its answers are too long");
	return false;
}

static void *bounded_string(const redisReadTask *t, char *s, size_t len)
{
	return take(t, len) ? given(t)->createString(t, s, len) : NULL;
}

static void *bounded_array(const redisReadTask *t, elements_n n)
{
	const size_t each = (size_t)n < ANSWER_MAX ? sizeof(void *) : 1;

	return take(t, (size_t)n * each) ? given(t)->createArray(t, n) : NULL;
}

static void *bounded_integer(const redisReadTask *t, long long v)
{
	return take(t, 0) ? given(t)->createInteger(t, v) : NULL;
}

static void *bounded_nil(const redisReadTask *t)
{
	return take(t, 0) ? given(t)->createNil(t) : NULL;
}

/* Comes after each read. */
static void add_read(void *data)
{
	const redisLibeventEvents *e = data;
	const redisReader *r = e->context->c.reader;
	const struct store_bound *b = r->privdata;

	if (r->len - r->pos > UNREAD_MAX)
		store_fail(b->s, "its answers are too long");
	b->add_read(data);
}

void store_bind(struct store *s, int conn)
{
	redisAsyncContext *ac = s->conn[conn];
	redisReader *r = ac->c.reader;
	struct store_bound *b = &s->bound[conn];

	*b = (struct store_bound){ .s = s, .add_read = ac->ev.addRead };
	b->given = *r->fn;
	b->fn = b->given;
	b->fn.createString = bounded_string;
	b->fn.createArray = bounded_array;
	b->fn.createInteger = bounded_integer;
	b->fn.createNil = bounded_nil;
	r->fn = &b->fn;
	r->privdata = b;
	ac->ev.addRead = add_read;
}
