/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/https_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/log.h"
#include "daemon/io/loop.h"
#include "proto/rate.h"

#define CONNECTIONS_MAX 256U
#define CONNECTIONS_OF_ONE 16U
#define IDLE_S 10U
#define MEMORY_OF_ONE (24U * 1024)
#define PEM_MAX 65536U
#define LOOK_S 30 /* between looks at the files */
#define PRIORITIES "NORMAL:-VERS-TLS1.1:-VERS-TLS1.0:%SERVER_PRECEDENCE"

/* Each connection costs a handshake, milliseconds of it. */
static const struct rate_limit one_limit = { 120, 40 };
static const struct rate_limit all_limit = { 6000, 200 };

struct pem {
	char *text;
	struct timespec changed;
};

/* A certificate in use, and its key: libmicrohttpd borrows them. */
struct serving {
	struct MHD_Daemon *daemon;
	struct event *ev;
	struct pem cert;
	struct pem key;
};

struct https_server {
	struct https_server_cfg cfg;
	struct serving now;
	struct serving before; /* it ends what it has begun */
	struct loop_timer timer;
	struct event *look;
	struct rate_table *each;
	struct rate all;
	uint64_t questions;
	uint64_t refused; /* connections, for their number */
	uint64_t too_long;
};

/* What a question is put together in. */
struct asking {
	size_t len;
	bool too_long;
	char body[WEB_QUESTION_MAX + 1];
};

static void run(struct https_server *s);

/* --- files -------------------------------------------------------------- */

static int complain(char why[HTTPS_SERVER_WHY_MAX], const char *file,
		    const char *what, int err)
{
	(void)snprintf(why, HTTPS_SERVER_WHY_MAX, "%.150s: %.80s", file, what);
	return err;
}

static int pem_check(const struct stat *st, bool secret, const char *file,
		     char why[HTTPS_SERVER_WHY_MAX])
{
	if (!S_ISREG(st->st_mode) || st->st_size > (off_t)PEM_MAX)
		return complain(why, file, "this is no PEM file", -EINVAL);
	if (secret && (st->st_mode & 077) != 0)
		return complain(why, file,
				"others than its owner can read it (chmod "
				"600)",
				-EACCES);
	return 0;
}

static int pem_read(struct pem *p, const char *file, bool secret,
		    char why[HTTPS_SERVER_WHY_MAX])
{
	const int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;
	int err;

	if (fd < 0)
		return complain(why, file, strerror(errno), -errno);
	err = fstat(fd, &st) == 0 ? pem_check(&st, secret, file, why) : -errno;
	p->text = err == 0 ? calloc(1, PEM_MAX + 1) : NULL;
	if (err == 0 && !p->text)
		err = complain(why, file, "out of memory", -ENOMEM);
	if (err == 0) {
		n = read(fd, p->text, PEM_MAX);
		if (n < 0)
			err = complain(why, file, strerror(errno), -errno);
		p->changed = st.st_mtim;
	}
	close(fd);
	return err;
}

static void pem_free(struct pem *p)
{
	if (p->text)
		sodium_memzero(p->text, PEM_MAX);
	free(p->text);
	p->text = NULL;
}

static bool pem_is_old(const struct pem *p, const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 &&
	       (st.st_mtim.tv_sec != p->changed.tv_sec ||
		st.st_mtim.tv_nsec != p->changed.tv_nsec);
}

/* --- questions ---------------------------------------------------------- */

static enum MHD_Result send_reply(struct MHD_Connection *c,
				  struct web_reply *reply)
{
	static char nothing[1];
	struct MHD_Response *r = MHD_create_response_from_buffer(
		reply->len, reply->text ? reply->text : nothing,
		reply->text ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!r) {
		free(reply->text);
		return MHD_NO;
	}
	if (reply->type)
		(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
					      reply->type);
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	result = MHD_queue_response(c, reply->status, r);
	MHD_destroy_response(r);
	return result;
}

static void take(struct asking *q, const char *data, size_t n)
{
	if (n > WEB_QUESTION_MAX - q->len) {
		q->too_long = true;
		return;
	}
	memcpy(q->body + q->len, data, n);
	q->len += n;
}

static enum MHD_Result answer(struct https_server *s, struct MHD_Connection *c,
			      struct web_question *q)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct web_reply reply = { .status = MHD_HTTP_NOT_FOUND };

	if (!info || !net_addr_from_sockaddr(info->client_addr, &q->from))
		return MHD_NO;
	s->questions++;
	s->cfg.answer(s->cfg.ctx, q, &reply);
	return send_reply(c, &reply);
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status)
{
	struct web_reply reply = { .status = status };

	return send_reply(c, &reply);
}

/* The signature is the library's.
 * NOLINTNEXTLINE(readability-function-size,readability-non-const-parameter) */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c,
				  const char *path, const char *method,
				  const char *version, const char *data,
				  size_t *len, void **state)
{
	struct https_server *s = ctx;
	struct asking *q = *state;
	struct web_question asked = {
		.path = path,
		.post = strcmp(method, MHD_HTTP_METHOD_POST) == 0,
	};

	(void)version;
	if (!asked.post && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED);
	if (!q) {
		*state = calloc(1, sizeof(*q));
		return *state ? MHD_YES : MHD_NO;
	}
	if (*len > 0) {
		take(q, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (q->too_long) {
		s->too_long++;
		return refuse(c, MHD_HTTP_CONTENT_TOO_LARGE);
	}
	asked.body = q->body;
	asked.len = q->len;
	return answer(s, c, &asked);
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode why)
{
	(void)ctx;
	(void)c;
	(void)why;
	if (*state)
		sodium_memzero(*state, sizeof(struct asking));
	free(*state);
	*state = NULL;
}

static enum MHD_Result may_connect(void *ctx, const struct sockaddr *sa,
				   socklen_t len)
{
	struct https_server *s = ctx;
	const mono_us now = loop_now();
	struct net_addr from;

	(void)len;
	if (net_addr_from_sockaddr(sa, &from) &&
	    rate_table_take(s->each, &from, now) &&
	    rate_take(&s->all, &all_limit, now))
		return MHD_YES;
	s->refused++;
	return MHD_NO;
}

/* --- one certificate ---------------------------------------------------- */

static void serving_done(struct serving *v)
{
	if (v->ev)
		event_free(v->ev);
	if (v->daemon)
		MHD_stop_daemon(v->daemon);
	pem_free(&v->cert);
	pem_free(&v->key);
	*v = (struct serving){ 0 };
}

/* --- the loop ----------------------------------------------------------- */

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	run(ctx);
}

static json_int_t connections(const struct serving *v)
{
	const union MHD_DaemonInfo *info =
		v->daemon ? MHD_get_daemon_info(
				    v->daemon,
				    MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
			  : NULL;

	return info ? info->num_connections : 0;
}

/* Until when it can be left alone. */
static mono_us run_one(const struct serving *v)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (!v->daemon)
		return MONO_NEVER;
	(void)MHD_run(v->daemon);
	return MHD_get_timeout(v->daemon, &ms) == MHD_YES
		       ? loop_now() + ms * MONO_MS
		       : MONO_NEVER;
}

static void run(struct https_server *s)
{
	const mono_us due = run_one(&s->now);

	loop_timer_set(&s->timer, mono_min(due, run_one(&s->before)));
	if (connections(&s->before) == 0)
		serving_done(&s->before);
}

/* Most of it is strangers' doing, and no news. */
static void on_log(void *ctx, const char *format, va_list args)
{
	(void)ctx;
	(void)format;
	(void)args;
}

/* The socket of the one before: who waits there is not turned away.  -1: there is
 * none. */
static int listening(const struct serving *v)
{
	const union MHD_DaemonInfo *info =
		v->daemon ? MHD_get_daemon_info(v->daemon,
						MHD_DAEMON_INFO_LISTEN_FD)
			  : NULL;

	return info ? fcntl(info->listen_fd, F_DUPFD_CLOEXEC, 0) : -1;
}

/* What could not start may have closed it, and may not. */
static void close_listening(int fd)
{
	const int err = errno;
	int listens = 0;
	socklen_t len = sizeof(listens);

	if (fd >= 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	    listens != 0)
		(void)close(fd);
	errno = err;
}

static struct MHD_Daemon *start(struct https_server *s,
				const struct serving *with)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(s->cfg.port) };
	const int shared = listening(&s->now);
	struct MHD_Daemon *d;

	(void)inet_pton(AF_INET, s->cfg.address, &at.sin_addr);
	errno = 0;
	d = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_TLS | MHD_USE_ERROR_LOG, 0, may_connect,
		s, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
		shared >= 0 ? MHD_OPTION_LISTEN_SOCKET
			    : MHD_OPTION_LISTENING_ADDRESS_REUSE,
		shared >= 0 ? shared : 1, MHD_OPTION_HTTPS_MEM_CERT,
		with->cert.text, MHD_OPTION_HTTPS_MEM_KEY, with->key.text,
		MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_OF_ONE,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_OF_ONE,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_END);
	if (!d)
		close_listening(shared);
	return d;
}

static int serve(struct https_server *s, struct serving *v,
		 char why[HTTPS_SERVER_WHY_MAX])
{
	const union MHD_DaemonInfo *info;
	int err = pem_read(&v->cert, s->cfg.cert_file, false, why);

	if (err == 0)
		err = pem_read(&v->key, s->cfg.key_file, true, why);
	if (err != 0)
		return err;
	v->daemon = start(s, v);
	if (!v->daemon && (errno == EADDRINUSE || errno == EACCES))
		return complain(why, "https.port", strerror(errno), -errno);
	if (!v->daemon)
		return complain(why, s->cfg.cert_file,
				"it does not fit the key, or one of them is "
				"none",
				-EINVAL);
	info = MHD_get_daemon_info(v->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info)
		v->ev = event_new(s->cfg.base, info->epoll_fd,
				  EV_READ | EV_PERSIST, on_ready, s);
	if (v->ev && event_add(v->ev, NULL) == 0)
		return 0;
	return complain(why, "https", "out of memory", -ENOMEM);
}

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
	struct https_server *s = ctx;
	struct serving next = { 0 };
	char why[HTTPS_SERVER_WHY_MAX];

	(void)fd;
	(void)what;
	if (!pem_is_old(&s->now.cert, s->cfg.cert_file) &&
	    !pem_is_old(&s->now.key, s->cfg.key_file))
		return;
	/* While both are being written they do not fit: later. */
	if (serve(s, &next, why) != 0) {
		log_warning("https: the newer certificate is not taken: %s",
			    why);
		serving_done(&next);
		return;
	}
	/* Its socket goes on, with the next; so do its connections. */
	(void)close(MHD_quiesce_daemon(s->now.daemon));
	serving_done(&s->before);
	s->before = s->now;
	s->now = next;
	log_info("https: a newer certificate is in use");
	run(s);
}

/* --- start and end ------------------------------------------------------ */

int https_server_open(struct https_server **out,
		      const struct https_server_cfg *cfg,
		      char why[HTTPS_SERVER_WHY_MAX])
{
	static const struct timeval every = { LOOK_S, 0 };
	struct https_server *s = calloc(1, sizeof(*s));
	uint8_t key[16];
	int err;

	(void)snprintf(why, HTTPS_SERVER_WHY_MAX, "out of memory");
	*out = s;
	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	randombytes_buf(key, sizeof(key));
	s->each = rate_table_new(4096, one_limit, key);
	s->look = event_new(cfg->base, -1, EV_PERSIST, on_look, s);
	if (!s->each || !s->look || event_add(s->look, &every) != 0 ||
	    loop_timer_init(&s->timer, cfg->base, on_ready, s) != 0)
		return -ENOMEM;
	err = serve(s, &s->now, why);
	if (err == 0)
		run(s);
	return err;
}

struct https_server *https_server_close(struct https_server *s)
{
	if (!s)
		return NULL;
	serving_done(&s->now);
	serving_done(&s->before);
	if (s->look)
		event_free(s->look);
	loop_timer_done(&s->timer);
	rate_table_free(s->each);
	free(s);
	return NULL;
}

json_t *https_server_json(const struct https_server *s)
{
	if (!s)
		return json_pack("{s:b}", "enabled", 0);
	return json_pack(
		"{s:b, s:I, s:I, s:I, s:I}", "enabled", 1, "connections",
		connections(&s->now) + connections(&s->before), "questions",
		(json_int_t)s->questions, "refused", (json_int_t)s->refused,
		"too_long", (json_int_t)s->too_long);
}
