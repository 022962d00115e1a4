/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/store.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/adapters/libevent.h>

#include "daemon/registrar/store_priv.h"
#include "proto/backoff.h"

#define CONNECT_US (5 * MONO_S)
/* Each registrar says hello every few seconds, and hears itself. */
#define QUIET_US (15 * MONO_S)
#define CHECK_US MONO_S
#define STEADY_US (10 * MONO_S)

static void connect_now(struct store *s);

/* --- ending ------------------------------------------------------------- */

void store_fail(struct store *s, const char *why)
{
	if (s->why[0] != '\0')
		return;
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
	event_active(s->failing, EV_TIMEOUT, 1);
}

static void system_random(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

static void end_connections(struct store *s)
{
	for (int i = 0; i < STORE_CONNS; i++) {
		redisAsyncContext *ac = s->conn[i];

		s->conn[i] = NULL;
		if (ac)
			redisAsyncFree(ac);
	}
	s->ready = 0;
}

static void on_failing(evutil_socket_t fd, short what, void *ctx)
{
	static const struct backoff pauses = {
		.min = MONO_S / 2,
		.max = 30 * MONO_S,
		.random = system_random,
	};
	struct store *s = ctx;
	char why[STORE_WHY_MAX];

	(void)fd;
	(void)what;
	memcpy(why, s->why, sizeof(why));
	s->why[0] = '\0';
	s->state = STORE_DOWN;
	end_connections(s);
	loop_timer_set(&s->timer,
		       loop_now() + backoff_pause(&pauses, s->failures++));
	s->cfg.on_state(s->cfg.ctx, false, why);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct store *s = ctx;
	const mono_us now = loop_now();

	(void)fd;
	(void)what;
	switch (s->state) {
	case STORE_DOWN:
		connect_now(s);
		break;
	case STORE_RESOLVING:
	case STORE_CONNECTING:
		store_fail(s, "it does not answer");
		break;
	case STORE_UP:
		if (now - s->heard[STORE_SPEAK] > QUIET_US ||
		    now - s->heard[STORE_LISTEN] > QUIET_US)
			store_fail(s, "it no longer answers");
		else
			loop_timer_set(&s->timer, now + CHECK_US);
		/* One that takes us in and throws us out again waits longer
		 * each time as well. */
		if (now - s->up_since > STEADY_US)
			s->failures = 0;
		break;
	}
}

/* --- beginning ---------------------------------------------------------- */

/* hiredis frees the connection after this. */
static void forget(const redisAsyncContext *ac)
{
	struct store *s = ac->data;

	for (int i = 0; i < STORE_CONNS; i++) {
		if (s->conn[i] != ac)
			continue;
		s->conn[i] = NULL;
		store_fail(s, ac->errstr[0] != '\0'
				      ? ac->errstr
				      : "it closed the connection");
	}
}

static void on_connect(const redisAsyncContext *ac, int status)
{
	if (status != REDIS_OK)
		forget(ac);
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
	(void)status;
	forget(ac);
}

/* SELECT has been answered on one, both channels on the other. */
static void is_ready(struct store *s)
{
	if (s->state != STORE_CONNECTING || ++s->ready < 3)
		return;
	s->state = STORE_UP;
	s->up_since = loop_now();
	s->heard[STORE_SPEAK] = s->up_since;
	s->heard[STORE_LISTEN] = s->up_since;
	loop_timer_set(&s->timer, loop_now() + CHECK_US);
	s->cfg.on_state(s->cfg.ctx, true, NULL);
}

static void on_auth(redisAsyncContext *ac, void *reply, void *ctx)
{
	const redisReply *r = reply;

	(void)ctx;
	if (r && r->type == REDIS_REPLY_ERROR)
		store_fail(ac->data, r->str);
}

static void on_select(redisAsyncContext *ac, void *reply, void *ctx)
{
	const redisReply *r = reply;

	(void)ctx;
	if (r && r->type == REDIS_REPLY_ERROR)
		store_fail(ac->data, r->str);
	else if (r)
		is_ready(ac->data);
}

static void on_heard(redisAsyncContext *ac, void *reply, void *ctx)
{
	const redisReply *r = reply;
	struct store *s = ac->data;

	(void)ctx;
	if (!r)
		return;
	if (r->type == REDIS_REPLY_ERROR) {
		store_fail(s, r->str);
		return;
	}
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 3 ||
	    r->element[0]->type != REDIS_REPLY_STRING)
		return;
	if (strcmp(r->element[0]->str, "subscribe") == 0) {
		is_ready(s);
	} else if (strcmp(r->element[0]->str, "message") == 0 &&
		   r->element[2]->type == REDIS_REPLY_STRING) {
		s->heard[STORE_LISTEN] = loop_now();
		s->cfg.on_message(s->cfg.ctx,
				  (const uint8_t *)r->element[2]->str,
				  (size_t)r->element[2]->len);
	}
}

static void greet(struct store *s)
{
	redisAsyncContext *speak = s->conn[STORE_SPEAK],
			  *listen = s->conn[STORE_LISTEN];
	int bad = 0;

	if (s->password[0] != '\0') {
		bad |= redisAsyncCommand(speak, on_auth, NULL, "AUTH %s",
					 s->password);
		bad |= redisAsyncCommand(listen, on_auth, NULL, "AUTH %s",
					 s->password);
	}
	bad |= redisAsyncCommand(speak, on_select, NULL, "SELECT %u",
				 (unsigned)s->cfg.where.db);
	bad |= redisAsyncCommand(listen, on_heard, NULL,
				 "SUBSCRIBE kh:%016" PRIx64
				 ":all kh:%016" PRIx64 ":to:%016" PRIx64,
				 s->cfg.tag, s->cfg.tag, s->cfg.instance);
	if (bad)
		store_fail(s, "out of memory");
}

static void attach(struct store *s, const char *host)
{
	for (int i = 0; i < STORE_CONNS; i++) {
		redisAsyncContext *ac =
			host ? redisAsyncConnect(host, s->cfg.where.port)
			     : redisAsyncConnectUnix(s->cfg.where.path);

		if (!ac || ac->err != 0) {
			store_fail(s, ac ? ac->errstr : "out of memory");
			if (ac)
				redisAsyncFree(ac);
			return;
		}
		ac->data = s;
		s->conn[i] = ac;
		if (redisLibeventAttach(ac, s->cfg.base) != REDIS_OK ||
		    redisAsyncSetConnectCallback(ac, on_connect) != REDIS_OK ||
		    redisAsyncSetDisconnectCallback(ac, on_disconnect) !=
			    REDIS_OK) {
			store_fail(s, "out of memory");
			return;
		}
		store_bind(s, i);
	}
	s->state = STORE_CONNECTING;
	greet(s);
}

/* Without the port. */
static void ip_text(const struct net_addr *a, char out[INET6_ADDRSTRLEN])
{
	if (net_addr_is_v4(a))
		(void)inet_ntop(AF_INET, &a->ip[12], out, INET6_ADDRSTRLEN);
	else
		(void)inet_ntop(AF_INET6, a->ip, out, INET6_ADDRSTRLEN);
}

static void on_resolved(void *ctx, const struct net_addr *addrs, size_t n,
			const char *why)
{
	struct store *s = ctx;
	char text[INET6_ADDRSTRLEN] = "";

	if (s->state != STORE_RESOLVING || s->why[0] != '\0')
		return;
	if (n == 0) {
		store_fail(s, why);
		return;
	}
	/* Another one each time, when there are several. */
	ip_text(&addrs[s->failures % n], text);
	attach(s, text);
}

static void connect_now(struct store *s)
{
	loop_timer_set(&s->timer, loop_now() + CONNECT_US);
	s->state = STORE_RESOLVING;
	if (s->cfg.where.path[0] != '\0')
		attach(s, NULL);
	else if (resolve(s->resolver, s->cfg.where.host, s->cfg.where.port,
			 on_resolved, s) != 0)
		store_fail(s, "out of memory");
}

/* --- start and end ------------------------------------------------------ */

static void on_nothing(void *ctx, bool up, const char *why)
{
	(void)ctx;
	(void)up;
	(void)why;
}

struct store *store_open(const struct store_cfg *cfg)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->cfg = *cfg;
	(void)snprintf(s->password, sizeof(s->password), "%s", cfg->password);
	(void)snprintf(s->name, sizeof(s->name), "%s", cfg->name);
	s->cfg.password = NULL;
	s->cfg.name = NULL;
	s->resolver = resolver_new(cfg->base);
	s->failing = event_new(cfg->base, -1, 0, on_failing, s);
	if (!s->resolver || !s->failing ||
	    loop_timer_init(&s->timer, cfg->base, on_timer, s) != 0)
		return store_close(s);
	loop_timer_set(&s->timer, loop_now());
	return s;
}

struct store *store_close(struct store *s)
{
	if (!s)
		return NULL;
	s->cfg.on_state = on_nothing;
	end_connections(s);
	if (s->failing)
		event_free(s->failing);
	loop_timer_done(&s->timer);
	resolver_free(s->resolver);
	sodium_memzero(s->password, sizeof(s->password));
	free(s);
	return NULL;
}
