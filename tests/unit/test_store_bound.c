/* SPDX-License-Identifier: MIT */

/* A Redis server that is somebody else's: what it may make a registrar hold. */

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/io/loop.h"
#include "daemon/registrar/store.h"
#include "tests/t.h"

#define PATIENCE_S 10

static struct event_base *base;
static struct store *store;
static char why[STORE_WHY_MAX];
static unsigned ups, downs, messages;
static size_t message_len, most;

static void on_state(void *ctx, bool up, const char *text)
{
	(void)ctx;
	ups += up;
	downs += !up;
	if (!up)
		(void)snprintf(why, sizeof(why), "%s", text);
	if (!up)
		(void)event_base_loopbreak(base);
}

static void on_message(void *ctx, const uint8_t *data, size_t len)
{
	(void)ctx;
	(void)data;
	messages++;
	message_len = len;
	(void)event_base_loopbreak(base);
}

static void on_found(void *ctx, uint64_t ask, const struct store_value *v,
		     size_t n)
{
	(void)ctx;
	(void)ask;
	(void)v;
	(void)n;
}

static void on_unreached(void *ctx, uint64_t ask, uint64_t to)
{
	(void)ctx;
	(void)ask;
	(void)to;
}

static void on_room(void *ctx)
{
	(void)ctx;
}

/* --- the server --------------------------------------------------------- */

static struct {
	int listener;
	struct event *accept;
	struct event *write[2];
	int fd[2];
	size_t n;
	const char *first[2]; /* what each is sent, and then ... */
	const char *then;     /* ... this for ever, unless NULL */
} server;

static size_t held(void)
{
	const struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	static char chunk[8192];
	size_t len = 0;

	(void)what;
	(void)ctx;
	if (held() > most)
		most = held();
	while (len + strlen(server.then) <= sizeof(chunk)) {
		memcpy(chunk + len, server.then, strlen(server.then));
		len += strlen(server.then);
	}
	(void)!send(fd, chunk, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void on_accept(evutil_socket_t fd, short what, void *ctx)
{
	const int in = accept(fd, NULL, NULL);

	(void)what;
	(void)ctx;
	T_TRUE(in >= 0);
	T_TRUE(server.n < 2);
	server.fd[server.n] = in;
	T_EQ(strlen(server.first[server.n]),
	     send(in, server.first[server.n], strlen(server.first[server.n]),
		  MSG_NOSIGNAL));
	if (server.then) {
		server.write[server.n] = event_new(
			base, in, EV_WRITE | EV_PERSIST, on_writable, NULL);
		T_EQ(0, event_add(server.write[server.n], NULL));
	}
	server.n++;
}

static void begin(const char *speak, const char *listening, const char *then)
{
	struct store_cfg cfg = {
		.password = "",
		.name = "r1",
		.tag = 1,
		.instance = 2,
		.note_s = 60,
		.on_state = on_state,
		.on_message = on_message,
		.on_found = on_found,
		.on_unreached = on_unreached,
		.on_room = on_room,
	};
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	base = loop_base_new();
	memset(&server, 0, sizeof(server));
	ups = downs = messages = 0;
	why[0] = '\0';
	server.first[0] = speak;
	server.first[1] = listening;
	server.then = then;
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path),
		       "/tmp/kh-test-store-%d", (int)getpid());
	(void)unlink(sa.sun_path);
	server.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	T_EQ(0,
	     bind(server.listener, (const struct sockaddr *)&sa, sizeof(sa)));
	T_EQ(0, listen(server.listener, 4));
	server.accept = event_new(base, server.listener, EV_READ | EV_PERSIST,
				  on_accept, NULL);
	T_EQ(0, event_add(server.accept, NULL));
	(void)snprintf(cfg.where.path, sizeof(cfg.where.path), "%s",
		       sa.sun_path);
	cfg.base = base;
	store = store_open(&cfg);
	T_TRUE(store != NULL);
	most = 0;
}

static void run(void)
{
	const struct timeval patience = { PATIENCE_S, 0 };

	(void)event_base_loopexit(base, &patience);
	(void)event_base_dispatch(base);
}

static void end(void)
{
	store = store_close(store);
	for (size_t i = 0; i < server.n; i++) {
		if (server.write[i])
			event_free(server.write[i]);
		close(server.fd[i]);
	}
	event_free(server.accept);
	close(server.listener);
	event_base_free(base);
}

/* --- what it sends ------------------------------------------------------ */

#define ALL "kh:0000000000000001:all"

static void what_is_due_is_taken(void)
{
	static const char head[] =
		"*3\r\n$9\r\nsubscribe\r\n$23\r\n" ALL "\r\n:1\r\n"
		"*3\r\n$7\r\nmessage\r\n$23\r\n" ALL "\r\n$60000\r\n";
	static char said[70000];

	memcpy(said, head, sizeof(head) - 1);
	memset(said + sizeof(head) - 1, 'x', 60000);
	memcpy(said + sizeof(head) - 1 + 60000, "\r\n", 3);
	begin("+OK\r\n", said, NULL);
	run();
	T_EQ(0, downs);
	T_TRUE(messages >= 1);
	T_EQ(60000, message_len);
	end();
}

/* What it says of itself, or does not stop to send, is not held. */
static void what_is_too_long_is_not_held(void)
{
	static const struct {
		const char *first, *then;
	} bad[] = {
		/* A string of a gigabyte, and its beginning. */
		{ "$1000000000\r\n", "xxxxxxxx" },
		{ "*3\r\n$7\r\nmessage\r\n$3\r\nabc\r\n$1000000000\r\n",
		  "xxxxxxxx" },
		/* Room for as many elements. */
		{ "*100000000\r\n", ":1\r\n" },
		{ "*2000000000\r\n", ":1\r\n" },
		/* Many that are none too long. */
		{ "*5000\r\n", "$20\r\naaaaaaaaaaaaaaaaaaaa\r\n" },
		{ "*5000\r\n", ":1\r\n" },
		{ "*5000\r\n", "$-1\r\n" },
		{ "*5000\r\n", "*1000\r\n" },
		/* A line without an end. */
		{ "+", "xxxxxxxx" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t before;

		begin(bad[i].first, bad[i].first, bad[i].then);
		before = held();
		run();
		T_EQ(0, ups);
		T_EQ(1, downs);
		T_STR("its answers are too long", why);
		/* Of both connections, and what the loop needs. */
		printf("# %zu: %zu octets\n", i,
		       most > before ? most - before : 0);
		T_TRUE(most < before + 600000);
		end();
	}
}

int main(void)
{
	T_RUN(what_is_due_is_taken);
	T_RUN(what_is_too_long_is_not_held);
	return T_DONE();
}
