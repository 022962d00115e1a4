/* SPDX-License-Identifier: MIT */

/* What becomes a file: whole, in place of the old one, or not at all. */

#include "daemon/io/https.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/t.h"

#define MAX 100000U
#define BODY "2000=radio@192.0.2.1:4569/2000,192.0.2.1\n"
#define CHANGED "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define CHANGED_S 784111777

/* A server for one question. */
struct server {
	int listening;
	pthread_t thread;
	char asked[2048];
	const char *head;
	size_t body; /* octets, of BODY over and over */
};

struct scene {
	struct event_base *base;
	struct https *https;
	char dir[32];
	char path[64];
	char url[64];
	struct server server;
	struct https_answer got;
	char why[HTTPS_WHY_MAX];
};

static void *serve(void *ctx)
{
	struct server *s = ctx;
	const int fd = accept(s->listening, NULL, NULL);
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && !strstr(s->asked, "\r\n\r\n")) {
		n = recv(fd, s->asked + len, sizeof(s->asked) - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	}
	(void)send(fd, s->head, strlen(s->head), MSG_NOSIGNAL);
	for (size_t i = 0; i < s->body && n > 0; i++)
		n = send(fd, &BODY[i % (sizeof(BODY) - 1)], 1, MSG_NOSIGNAL);
	(void)close(fd);
	return NULL;
}

static void on_answer(void *ctx, const struct https_answer *a)
{
	struct scene *s = ctx;

	s->got = *a;
	(void)snprintf(s->why, sizeof(s->why), "%s", a->why);
	(void)event_base_loopbreak(s->base);
}

static bool is_mine(const char *text, size_t len)
{
	return len > 0 && text[0] == BODY[0];
}

static void setup(struct scene *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	const struct https_cfg cfg = { "", "", "" };
	socklen_t len = sizeof(at);

	memset(s, 0, sizeof(*s));
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-https-XXXXXX");
	T_TRUE(mkdtemp(s->dir) != NULL);
	(void)snprintf(s->path, sizeof(s->path), "%s/file", s->dir);
	s->base = event_base_new();
	T_EQ(0, https_new(&s->https, s->base, &cfg, on_answer, s));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->server.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	T_EQ(0, bind(s->server.listening, (struct sockaddr *)&at, len));
	T_EQ(0, listen(s->server.listening, 1));
	T_EQ(0, getsockname(s->server.listening, (struct sockaddr *)&at, &len));
	(void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/x",
		       ntohs(at.sin_port));
}

static void teardown(struct scene *s)
{
	s->https = https_free(s->https);
	event_base_free(s->base);
	(void)close(s->server.listening);
	(void)unlink(s->path);
	/* Nothing else is left behind. */
	T_EQ(0, rmdir(s->dir));
}

/* Ask for the file when the server says @head and @body octets. */
static void ask(struct scene *s, const char *head, size_t body, int64_t since)
{
	const struct https_file file = { s->path, MAX, since, is_mine };
	const struct https_question q = { .url = s->url, .file = &file };

	memset(s->server.asked, 0, sizeof(s->server.asked));
	s->server.head = head;
	s->server.body = body;
	T_EQ(0, pthread_create(&s->server.thread, NULL, serve, &s->server));
	T_EQ(0, https_ask(s->https, &q));
	(void)event_base_dispatch(s->base);
	T_EQ(0, pthread_join(s->server.thread, NULL));
}

#define LONG_AGO 1000000000

static void make_old(const char *path)
{
	const struct timespec old[2] = { { LONG_AGO, 0 }, { LONG_AGO, 0 } };

	T_EQ(0, utimensat(AT_FDCWD, path, old, 0));
}

static bool is_old(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_mtime == LONG_AGO;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void an_answer_becomes_the_file(void)
{
	struct scene s;

	setup(&s);
	ask(&s, "HTTP/1.1 200 OK\r\n" CHANGED "\r\n", 1000, 0);
	T_EQ(200, s.got.status);
	T_TRUE(s.got.stored);
	T_EQ(1000, s.got.len);
	T_EQ(CHANGED_S, s.got.changed);
	T_EQ(1000, size_of(s.path));
	T_TRUE(!strstr(s.server.asked, "If-Modified-Since"));
	teardown(&s);
}

static void what_has_not_changed_is_not_sent_again(void)
{
	struct scene s;

	setup(&s);
	ask(&s, "HTTP/1.1 200 OK\r\n" CHANGED "\r\n", 1000, 0);
	make_old(s.path);
	ask(&s, "HTTP/1.1 304 Not Modified\r\n\r\n", 0, s.got.changed);
	T_TRUE(!is_old(s.path));
	T_TRUE(strstr(s.server.asked,
		      "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"));
	T_TRUE(s.got.unchanged);
	T_TRUE(!s.got.stored);
	T_EQ(1000, size_of(s.path));
	/* Trouble is no news of the file. */
	make_old(s.path);
	ask(&s, "HTTP/1.1 503 Later\r\n\r\n", 0, CHANGED_S);
	T_TRUE(!s.got.unchanged && is_old(s.path));
	/* A server that sends it all the same. */
	ask(&s, "HTTP/1.1 200 OK\r\n" CHANGED "\r\n", 900, CHANGED_S);
	T_TRUE(s.got.unchanged);
	T_EQ(1000, size_of(s.path));
	teardown(&s);
}

static void the_bound_is_exact(void)
{
	struct scene s;

	setup(&s);
	ask(&s, "HTTP/1.1 200 OK\r\n\r\n", MAX, 0);
	T_TRUE(s.got.stored);
	T_EQ(MAX, size_of(s.path));
	ask(&s, "HTTP/1.1 200 OK\r\n\r\n", MAX + 1, 0);
	T_TRUE(s.got.too_long);
	T_TRUE(!s.got.stored);
	T_EQ(200, s.got.status);
	/* Who says so beforehand is not heard out. */
	ask(&s, "HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n", 0, 0);
	T_TRUE(s.got.too_long);
	T_TRUE(!s.got.stored);
	T_EQ(MAX, size_of(s.path));
	teardown(&s);
}

static void half_an_answer_is_none(void)
{
	struct scene s;

	setup(&s);
	ask(&s, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 999, 0);
	T_EQ(0, s.got.status);
	T_TRUE(!s.got.stored);
	T_EQ(-1, size_of(s.path));
	teardown(&s);
}

static void an_answer_of_another_kind_is_none(void)
{
	struct scene s;

	setup(&s);
	ask(&s, "HTTP/1.1 200 OK\r\n\r\n<html>", 0, 0);
	T_TRUE(!s.got.stored);
	T_STR("its answer is not what the file should be", s.why);
	ask(&s, "HTTP/1.1 500 Trouble\r\n\r\n", 100, 0);
	T_EQ(500, s.got.status);
	T_TRUE(!s.got.stored);
	T_EQ(-1, size_of(s.path));
	teardown(&s);
}

static void a_file_that_cannot_be_written_is_told(void)
{
	struct scene s;

	setup(&s);
	(void)snprintf(s.path, sizeof(s.path), "%s/no/file", s.dir);
	ask(&s, "HTTP/1.1 200 OK\r\n\r\n", 100, 0);
	T_EQ(200, s.got.status);
	T_TRUE(!s.got.stored);
	T_STR("cannot write it: No such file or directory", s.why);
	teardown(&s);
}

static void a_name_too_long_is_refused(void)
{
	char path[HTTPS_PATH_MAX + 2];
	const struct https_file file = { path, MAX, 0, is_mine };
	struct scene s;

	setup(&s);
	const struct https_question q = { .url = s.url, .file = &file };

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	T_EQ(-EMSGSIZE, https_ask(s.https, &q));
	teardown(&s);
}

int main(void)
{
	T_RUN(an_answer_becomes_the_file);
	T_RUN(what_has_not_changed_is_not_sent_again);
	T_RUN(the_bound_is_exact);
	T_RUN(half_an_answer_is_none);
	T_RUN(an_answer_of_another_kind_is_none);
	T_RUN(a_file_that_cannot_be_written_is_told);
	T_RUN(a_name_too_long_is_refused);
	return T_DONE();
}
