/* SPDX-License-Identifier: MIT */
/*
 * The emulated internet of the network lab.  Runs in the lab's internet
 * namespace, where everything that the sites send is routed into a TUN
 * device; holds, drops or doubles each packet and writes it back, from where
 * the namespace's main routing table takes it to its site.
 *
 *   wan TUN CONTROL_SOCKET
 *
 * Commands come as datagrams on the control socket, each answered with one
 * datagram: "ok ...", a JSON object, or "error REASON" (tests/lab/README.md).
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/wan_packet.h"
#include "tests/lab/wan_rules.h"
#include "tests/lab/wan_trace.h"

#define PACKET_MAX 65536U
#define QUEUE_MAX 65536U /* packets; a second of 64,000 a second */
#define READ_BATCH 64    /* packets taken in before the due ones go out */
#define WORDS_MAX 16
#define ANSWER_MAX 65536U
#define BEAT_US 5000U /* sleeps no longer: it notices when the machine does */

/* A packet on its way. */
struct held {
	uint64_t due_us;
	uint64_t order; /* of arrival: first in, first out at equal times */
	size_t len;
	uint8_t *octets; /* owned */
};

/* A binary heap, the next packet due at its root. */
struct queue {
	struct held slot[QUEUE_MAX];
	size_t count;
	uint64_t last_order;
};

struct wan {
	int tun;
	int control;
	uint64_t write_errors;
	uint64_t late_us; /* the latest that it woke up, ever */
	struct queue queue;
	struct wan_rules rules;
	struct wan_trace trace;
};

static volatile sig_atomic_t stop;

static void on_signal(int signo)
{
	(void)signo;
	stop = 1;
}

static uint64_t monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

static bool is_sooner(const struct held *a, const struct held *b)
{
	if (a->due_us != b->due_us)
		return a->due_us < b->due_us;
	return a->order < b->order;
}

/* Returns 0, -ENOBUFS when the queue is full, -ENOMEM. */
static int queue_push(struct queue *q, const uint8_t *octets, size_t len,
		      uint64_t due_us)
{
	struct held item = { .due_us = due_us, .len = len };
	size_t i = q->count;

	if (q->count == QUEUE_MAX)
		return -ENOBUFS;
	item.octets = malloc(len);
	if (!item.octets)
		return -ENOMEM;
	memcpy(item.octets, octets, len);
	item.order = ++q->last_order;
	q->count++;
	while (i > 0 && is_sooner(&item, &q->slot[(i - 1) / 2])) {
		q->slot[i] = q->slot[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	q->slot[i] = item;
	return 0;
}

/* The caller owns the octets of what is returned; the queue is not empty. */
static struct held queue_pop(struct queue *q)
{
	const struct held root = q->slot[0];
	const struct held last = q->slot[--q->count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= q->count)
			break;
		if (child + 1 < q->count &&
		    is_sooner(&q->slot[child + 1], &q->slot[child]))
			child++;
		if (is_sooner(&last, &q->slot[child]))
			break;
		q->slot[i] = q->slot[child];
		i = child;
	}
	q->slot[i] = last;
	return root;
}

/* When @pkt is to leave: in the order of its direction, unless fate says so. */
static uint64_t due_of(struct wan *wan, const struct wan_packet *pkt,
		       const struct wan_fate *fate, uint64_t now_us)
{
	struct wan_pair *pair = wan_trace_pair(&wan->trace, pkt);
	uint64_t due_us = now_us + fate->hold_us;

	if (fate->out_of_order || !pair)
		return due_us;
	if (due_us < pair->last_due_us)
		due_us = pair->last_due_us;
	pair->last_due_us = due_us;
	return due_us;
}

static void take_packet(struct wan *wan, const uint8_t *octets, size_t len)
{
	const uint64_t now_us = monotonic_us();
	struct wan_packet pkt;
	struct wan_fate fate;

	if (!wan_packet_read(octets, len, &pkt) || !wan_packet_is_unicast(&pkt))
		return;
	wan_trace_capture(&wan->trace, octets, len);
	fate = wan_rules_judge(&wan->rules, &pkt);
	if (!fate.dropped) {
		const uint64_t due_us = due_of(wan, &pkt, &fate, now_us);

		if (queue_push(&wan->queue, octets, len, due_us) < 0)
			fate.dropped = "queue";
		else if (fate.twice)
			(void)queue_push(&wan->queue, octets, len, due_us);
	}
	wan_trace_count(&wan->trace, &pkt, now_us, fate.dropped);
}

static void read_packets(struct wan *wan)
{
	static uint8_t octets[PACKET_MAX];

	for (int i = 0; i < READ_BATCH; i++) {
		const ssize_t len = read(wan->tun, octets, sizeof(octets));

		if (len <= 0)
			return;
		take_packet(wan, octets, (size_t)len);
	}
}

static void write_due_packets(struct wan *wan)
{
	struct queue *q = &wan->queue;

	while (q->count > 0 && q->slot[0].due_us <= monotonic_us()) {
		const struct held item = queue_pop(q);

		if (write(wan->tun, item.octets, item.len) < 0)
			wan->write_errors++;
		free(item.octets);
	}
}

static void answer_stats(struct wan *wan, FILE *out)
{
	const char *comma = "";

	(void)fprintf(out, "{\"queued\":%zu,\"write_errors\":%" PRIu64 ",",
		      wan->queue.count, wan->write_errors);
	wan_trace_stats(&wan->trace, out);
	(void)fputs(",\"rules\":[", out);
	for (unsigned i = 0; i < wan->rules.count; i++) {
		const struct wan_rule *rule = &wan->rules.rule[i];

		(void)fprintf(out,
			      "%s{\"id\":%u,\"seen\":%" PRIu64
			      ",\"hits\":%" PRIu64 "}",
			      comma, rule->id, rule->seen, rule->hits);
		comma = ",";
	}
	(void)fputs("]}", out);
}

static void answer_result(int result, FILE *out)
{
	if (result > 0)
		(void)fprintf(out, "ok %d", result);
	else if (result == 0)
		(void)fputs("ok", out);
	else
		(void)fprintf(out, "error %s", strerror(-result));
}

static void answer_command(struct wan *wan, char *line, FILE *out)
{
	char *words[WORDS_MAX + 1] = { NULL };
	char *rest = NULL;
	int count = 0;

	for (char *word = strtok_r(line, " \n", &rest);
	     word && count < WORDS_MAX; word = strtok_r(NULL, " \n", &rest))
		words[count++] = word;
	if (count == 0) {
		answer_result(-EINVAL, out);
	} else if (strcmp(words[0], "stats") == 0) {
		answer_stats(wan, out);
	} else if (strcmp(words[0], "late") == 0 && count == 1) {
		(void)fprintf(out, "ok %" PRIu64, wan->late_us);
	} else if (strcmp(words[0], "reset") == 0) {
		wan_trace_reset(&wan->trace);
		answer_result(0, out);
	} else if (strcmp(words[0], "log") == 0 && count == 2) {
		answer_result(wan_trace_log(&wan->trace, words[1]), out);
	} else if (strcmp(words[0], "pcap") == 0 && count == 2) {
		answer_result(wan_trace_pcap(&wan->trace, words[1]), out);
	} else {
		answer_result(wan_rules_command(&wan->rules, words, count),
			      out);
	}
}

static void serve_command(struct wan *wan)
{
	static char answer[ANSWER_MAX];
	char line[1024];
	struct sockaddr_un from;
	socklen_t from_len = sizeof(from);
	const ssize_t len = recvfrom(wan->control, line, sizeof(line) - 1, 0,
				     (struct sockaddr *)&from, &from_len);
	FILE *out;
	long answer_len;

	if (len < 0)
		return;
	line[len] = '\0';
	out = fmemopen(answer, sizeof(answer), "w");
	if (!out)
		return;
	answer_command(wan, line, out);
	answer_len = ftell(out);
	(void)fclose(out);
	wan_trace_flush(&wan->trace);
	if (answer_len > 0)
		(void)sendto(wan->control, answer, (size_t)answer_len, 0,
			     (struct sockaddr *)&from, from_len);
}

/* Sleep until something arrives, the next packet is due or a beat is over.
 * How late it was then is the machine's doing: nothing is worked on meanwhile. */
static int sleep_in(struct wan *wan, struct pollfd fds[2],
		    const sigset_t *unblocked)
{
	const struct queue *q = &wan->queue;
	const uint64_t now_us = monotonic_us();
	uint64_t until_us = now_us + BEAT_US;
	struct timespec left = { 0 };
	uint64_t woke_us;
	int n;

	if (q->count > 0 && q->slot[0].due_us < until_us)
		until_us =
			q->slot[0].due_us > now_us ? q->slot[0].due_us : now_us;
	left.tv_nsec = (long)(until_us - now_us) * 1000;
	n = ppoll(fds, 2, &left, unblocked);
	woke_us = monotonic_us();
	if (woke_us > until_us && woke_us - until_us > wan->late_us)
		wan->late_us = woke_us - until_us;
	return n;
}

static int run(struct wan *wan, const sigset_t *unblocked)
{
	struct pollfd fds[] = {
		{ .fd = wan->tun, .events = POLLIN },
		{ .fd = wan->control, .events = POLLIN },
	};

	while (!stop) {
		if (sleep_in(wan, fds, unblocked) < 0 && errno != EINTR)
			return -errno;
		if (stop)
			break;
		if (fds[0].revents & (POLLERR | POLLNVAL))
			return -EIO;
		if (fds[0].revents & POLLIN)
			read_packets(wan);
		write_due_packets(wan);
		if (fds[1].revents & POLLIN)
			serve_command(wan);
	}
	return 0;
}

/* Attach to the TUN device @name, which may exist.  Returns a fd or -errno. */
static int open_tun(const char *name)
{
	struct ifreq req = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (strlen(name) >= sizeof(req.ifr_name)) {
		(void)close(fd);
		return -ENAMETOOLONG;
	}
	memcpy(req.ifr_name, name, strlen(name) + 1);
	if (ioctl(fd, TUNSETIFF, &req) < 0) {
		const int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

static int open_control(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(addr.sun_path)) {
		(void)close(fd);
		return -ENAMETOOLONG;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		const int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

/* SIGTERM and SIGINT are let in only while the loop waits. */
static void catch_signals(sigset_t *unblocked)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &blocked, unblocked);
	(void)sigdelset(unblocked, SIGTERM);
	(void)sigdelset(unblocked, SIGINT);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
}

static int fail(const char *what, int err)
{
	(void)fprintf(stderr, "wan: %s: %s\n", what, strerror(-err));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct wan wan;
	sigset_t unblocked;
	int err;

	if (argc != 3) {
		(void)fputs("usage: wan TUN CONTROL_SOCKET\n", stderr);
		return 2;
	}
	catch_signals(&unblocked);
	(void)prctl(PR_SET_TIMERSLACK, 1UL); /* ns: wake up when asked to */
	wan.tun = open_tun(argv[1]);
	if (wan.tun < 0)
		return fail(argv[1], wan.tun);
	wan.control = open_control(argv[2]);
	if (wan.control < 0)
		return fail(argv[2], wan.control);
	err = run(&wan, &unblocked);
	wan_trace_flush(&wan.trace);
	return err < 0 ? fail("loop", err) : EXIT_SUCCESS;
}
