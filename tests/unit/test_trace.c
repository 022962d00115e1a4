/* SPDX-License-Identifier: MIT */

/* A daemon's datagrams: watched, masked, fed to a console that reads or does
 * not, and written as a capture. */

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/loop.h"
#include "daemon/io/pcap.h"
#include "daemon/io/trace.h"
#include "daemon/io/trace_client.h"
#include "proto/wire.h"
#include "tests/t.h"
#include "tests/unit/udp_port.h"

#define WAIT_US (10 * MONO_S)

static struct event_base *base;
static char dir[] = "/tmp/kh-test-trace-XXXXXX";
static char path[64];

/* --- captures ----------------------------------------------------------- */

static uint16_t add_up(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Write one datagram; what the file holds.  The caller frees it. */
static uint8_t *captured(const struct pcap_dgram *d, size_t *len)
{
	char *out = NULL;
	FILE *f = open_memstream(&out, len);

	T_TRUE(f != NULL);
	T_EQ(0, pcap_start(f));
	T_EQ(0, pcap_write(f, d));
	(void)fclose(f);
	return (uint8_t *)out;
}

static uint32_t native_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void a_capture_has_good_headers_for_ipv4(void)
{
	const struct pcap_dgram d = {
		.wall_us = 1700000000123456,
		.from = net_addr_v4(192, 0, 2, 1, 4569),
		.to = net_addr_v4(198, 51, 100, 7, 5000),
		.data = (const uint8_t *)"odd",
		.len = 3,
	};
	size_t len;
	uint8_t *p = captured(&d, &len);
	const uint8_t *ip = p + 24 + 16, *udp = ip + 20;
	uint32_t pseudo = 17 + 11;

	T_EQ(24 + 16 + 20 + 8 + 3, len);
	T_EQ(0xa1b2c3d4, native_u32(p));
	T_EQ(101, native_u32(p + 20));
	T_EQ(1700000000, native_u32(p + 24));
	T_EQ(123456, native_u32(p + 28));
	T_EQ(31, native_u32(p + 32));
	T_EQ(31, native_u32(p + 36));
	T_EQ(0x45, ip[0]);
	T_EQ(31, ip[3]);
	T_EQ(64, ip[8]);
	T_EQ(17, ip[9]);
	T_EQ(0, memcmp(ip + 12, "\xc0\0\2\1\xc6\x33\x64\7", 8));
	T_EQ(0xffff, add_up(0, ip, 20));
	T_EQ(0, memcmp(udp, "\x11\xd9\x13\x88\0\x0b", 6));
	T_EQ(0xffff, add_up(pseudo + add_up(0, ip + 12, 8), udp, 11));
	T_EQ(0, memcmp(udp + 8, "odd", 3));
	free(p);
}

static void a_capture_has_good_headers_for_ipv6(void)
{
	struct pcap_dgram d = { .ttl = 3,
				.data = (const uint8_t *)"even",
				.len = 4 };
	size_t len;
	uint8_t *p;

	T_TRUE(net_addr_parse("[2001:db8::1]:4569", 0, &d.from));
	T_TRUE(net_addr_parse("[2001:db8::2]:1", 0, &d.to));
	p = captured(&d, &len);
	T_EQ(24 + 16 + 40 + 8 + 4, len);
	T_EQ(0x60, p[40]);
	T_EQ(12, p[45]);
	T_EQ(17, p[46]);
	T_EQ(3, p[47]);
	T_EQ(0xffff, add_up(17U + 12U + add_up(0, p + 48, 32), p + 80, 12));
	free(p);
}

static void a_checksum_of_zero_is_sent_as_ones(void)
{
	struct pcap_dgram d = { .from = net_addr_v4(0, 0, 0, 0, 1),
				.to = net_addr_v4(0, 0, 0, 0, 1) };
	/* The headers sum up to 17 + 10 + 1 + 1 + 10; this completes it. */
	const uint8_t data[] = { 0xff, 0xff - 39 };
	size_t len;
	uint8_t *p;

	d.data = data;
	d.len = sizeof(data);
	p = captured(&d, &len);
	T_EQ(0xff, p[24 + 16 + 20 + 6]);
	T_EQ(0xff, p[24 + 16 + 20 + 7]);
	free(p);
}

static void a_full_disk_is_an_error(void)
{
	FILE *f = fopen("/dev/full", "wb");

	T_TRUE(f != NULL);
	T_EQ((uint64_t)-EIO, (uint64_t)pcap_start(f));
	(void)fclose(f);
}

/* --- a daemon in small -------------------------------------------------- */

struct daemon {
	struct udp *udp;
	uint16_t port;
	struct control *control;
	struct trace trace;
};

static void on_dgram(void *ctx, const struct dgram *d)
{
	(void)ctx;
	(void)d;
}

static void on_batch(void *ctx)
{
	(void)ctx;
}

static void do_trace(void *ctx, struct control_request *req,
		     const json_t *params)
{
	struct daemon *d = ctx;

	(void)params;
	d->trace = (struct trace){ .udp = d->udp, .control = d->control };
	trace_start(&d->trace, req);
}

static void daemon_open(struct daemon *d)
{
	static const struct control_method methods[] = {
		{ "trace", do_trace },
		{ NULL, NULL },
	};
	struct udp_cfg udp = { .bind4 = "127.0.0.1",
			       .bind6 = "",
			       .on_dgram = on_dgram,
			       .on_batch = on_batch };
	const struct control_cfg cfg = {
		.path = path, .group = "", .methods = methods, .ctx = d
	};
	char why[CONTROL_WHY_MAX];

	T_EQ(0, udp_open_somewhere(&d->udp, base, &udp, why));
	d->port = udp.port;
	T_EQ(0, control_open(&d->control, base, &cfg, why));
}

static void daemon_close(struct daemon *d)
{
	control_close(d->control);
	udp_close(d->udp);
}

static int console(void)
{
	static const char ask[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"trace\"}\n";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	T_EQ(0, connect(fd, (const struct sockaddr *)&sa, sizeof(sa)));
	T_EQ(sizeof(ask) - 1, send(fd, ask, sizeof(ask) - 1, 0));
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* The next line that the console gets, the loop running meanwhile. */
static json_t *next_line(int fd)
{
	static char line[8192];
	const mono_us until = loop_now() + WAIT_US;

	while (loop_now() < until) {
		const ssize_t got = recv(fd, line, sizeof(line), MSG_PEEK);
		const char *end =
			got > 0 ? memchr(line, '\n', (size_t)got) : NULL;
		size_t n;
		json_t *o;

		if (!end) {
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
			continue;
		}
		n = (size_t)(end - line);
		T_EQ(n + 1, recv(fd, line, n + 1, 0));
		o = json_loadb(line, n, 0, NULL);
		T_TRUE(o != NULL);
		return o;
	}
	T_STR("a line in time", "none");
	return NULL;
}

/* The record in the next notification. */
static json_t *next_record(int fd)
{
	json_t *o = next_line(fd);
	json_t *params = json_incref(json_object_get(o, "params"));

	T_STR("trace", json_string_value(json_object_get(o, "method")));
	json_decref(o);
	return params;
}

static const char *text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static bool once(void *ctx, struct dgram *out)
{
	struct dgram *d = ctx;

	if (!d->data)
		return false;
	*out = *d;
	d->data = NULL;
	return true;
}

/* A REGREQ with an MD5 RESULT, from the daemon to a port of this machine. */
static void send_to(struct daemon *d, uint16_t port)
{
	static const uint8_t frame[] = { 0x80, 1,    0, 0,   0,   0,   0,
					 0,    0,    0, 6,   13,  6,   1,
					 '7',  0x10, 4, 'd', 'e', 'a', 'd' };
	struct dgram out = {
		.path.peer = net_addr_v4(127, 0, 0, 1, port),
		.data = frame,
		.len = sizeof(frame),
	};

	udp_send(d->udp, once, &out);
}

/* As if there were time between one and the next: no flood. */
static void send_slowly(struct daemon *d)
{
	d->trace.n = 0;
	send_to(d, UDP_NOBODY);
}

static void check_record(const json_t *r, const char *way, uint16_t port)
{
	const struct net_addr at = net_addr_v4(127, 0, 0, 1, port);
	char end[NET_ADDR_TEXT];

	(void)net_addr_format(&at, end);
	T_STR(way, text(r, "dir"));
	T_STR(end, text(r, "local"));
	T_STR(end, text(r, "peer"));
	T_STR("80010000000000000000060d060137100400000000", text(r, "octets"));
	T_EQ(0, json_integer_value(json_object_get(r, "dropped")));
	T_TRUE(json_integer_value(json_object_get(r, "t_us")) > 0);
	T_TRUE(json_integer_value(json_object_get(r, "wall_us")) > 0);
}

static void a_console_sees_both_ways_without_the_secret(void)
{
	struct daemon d;
	json_t *o;
	int fd;

	daemon_open(&d);
	fd = console();
	o = next_line(fd);
	T_TRUE(json_object_get(o, "result") != NULL);
	json_decref(o);
	send_to(&d, d.port);
	o = next_record(fd);
	check_record(o, "out", d.port);
	json_decref(o);
	o = next_record(fd);
	check_record(o, "in", d.port);
	json_decref(o);
	close(fd);
	daemon_close(&d);
}

static json_int_t lost_by(int fd)
{
	json_t *o = next_record(fd);
	const json_int_t n = json_integer_value(json_object_get(o, "dropped"));

	json_decref(o);
	return n;
}

static void one_that_stands_still_loses_what_another_sees(void)
{
	enum { MANY = 4000 };
	struct daemon d;
	int slow, quick;
	json_int_t lost = 0, seen = 0, n;

	daemon_open(&d);
	slow = console();
	json_decref(next_line(slow));
	quick = console();
	json_decref(next_line(quick));
	/* The loop does not run: nothing is received, only sent. */
	for (int i = 0; i < MANY; i++) {
		send_slowly(&d);
		T_EQ(0, lost_by(quick));
	}
	while (lost == 0) {
		/* Once it has read a little, records reach it again. */
		send_slowly(&d);
		T_EQ(0, lost_by(quick));
		n = lost_by(slow);
		seen++;
		lost += n;
	}
	/* All that was kept for it is what it has read. */
	T_TRUE(seen < MANY * 3 / 4);
	T_TRUE(lost > MANY / 4);
	close(slow);
	close(quick);
	daemon_close(&d);
}

static void of_a_flood_only_so_much_is_told(void)
{
	enum { BURST = 1000 };
	json_int_t sent = 0, seen = 0, lost = 0;
	struct daemon d;
	int fd;

	daemon_open(&d);
	fd = console();
	json_decref(next_line(fd));
	/* A machine that is slow enough keeps within the limit now and then. */
	while (lost == 0) {
		for (int i = 0; i < BURST; i++)
			send_to(&d, UDP_NOBODY);
		(void)usleep(110000);
		send_to(&d, UDP_NOBODY);
		sent += BURST + 1;
		while (seen + lost < sent) {
			lost += lost_by(fd);
			seen++;
		}
		T_EQ(sent, seen + lost);
	}
	close(fd);
	daemon_close(&d);
}

static void a_console_that_left_ends_it(void)
{
	struct daemon d;
	int fd;

	daemon_open(&d);
	fd = console();
	json_decref(next_line(fd));
	T_EQ(CONTROL_READY, control_feed_state(d.control));
	close(fd);
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	T_EQ(CONTROL_NOBODY, control_feed_state(d.control));
	send_to(&d, d.port); /* takes the watch off */
	send_to(&d, d.port);
	daemon_close(&d);
}

/* --- the command line --------------------------------------------------- */

static void options_are_as_the_usage_says(void)
{
	static const struct {
		const char *words[5];
		bool good;
		enum trace_form form;
		unsigned seconds;
	} rows[] = {
		{ { "x.pcap" }, true, TRACE_PCAP, 0 },
		{ { "-" }, true, TRACE_PCAP, 0 },
		{ { "--seconds", "7", "x" }, true, TRACE_PCAP, 7 },
		{ { "--text" }, true, TRACE_TEXT, 0 },
		{ { "--json", "--seconds", "1" }, true, TRACE_JSON, 1 },
		{ { NULL }, false, 0, 0 },
		{ { "x", "y" }, false, 0, 0 },
		{ { "x", "--text" }, false, 0, 0 },
		{ { "--json", "-" }, false, 0, 0 },
		{ { "--what" }, false, 0, 0 },
		{ { "x", "--seconds" }, false, 0, 0 },
		{ { "x", "--seconds", "0" }, false, 0, 0 },
		{ { "x", "--seconds", "-1" }, false, 0, 0 },
		{ { "x", "--seconds", "1h" }, false, 0, 0 },
		{ { "x", "--seconds", "99999999999999999999" }, false, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trace_want want = { .form = TRACE_PCAP };
		char *argv[6] = { NULL };
		int n = 0;

		for (; rows[i].words[n]; n++)
			argv[n] = strdup(rows[i].words[n]);
		T_EQ(rows[i].good, trace_options(n, argv, &want));
		if (rows[i].good) {
			T_EQ(rows[i].form, want.form);
			T_EQ(rows[i].seconds, want.seconds);
		}
		while (n > 0)
			free(argv[--n]);
	}
}

int main(void)
{
	T_TRUE(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	base = loop_base_new();
	T_RUN(a_capture_has_good_headers_for_ipv4);
	T_RUN(a_capture_has_good_headers_for_ipv6);
	T_RUN(a_checksum_of_zero_is_sent_as_ones);
	T_RUN(a_full_disk_is_an_error);
	T_RUN(a_console_sees_both_ways_without_the_secret);
	T_RUN(one_that_stands_still_loses_what_another_sees);
	T_RUN(of_a_flood_only_so_much_is_told);
	T_RUN(a_console_that_left_ends_it);
	T_RUN(options_are_as_the_usage_says);
	event_base_free(base);
	T_EQ(0, rmdir(dir));
	return T_DONE();
}
