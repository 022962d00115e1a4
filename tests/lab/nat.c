/* SPDX-License-Identifier: MIT */
/*
 * A NAT with a chosen behaviour, in RFC 4787's words; Linux's own filters by
 * address and port whatever its mapping.  Runs in a router's namespace, where
 * UDP and ICMP from both sides are routed into a TUN device, and writes back
 * what it lets through.
 *
 *   nat TUN EXTERNAL INSIDE/BITS [KEY=VALUE]...
 *
 * Keys: mapping, filtering (independent, address, address-port), ports
 * (preserving, sequential, random), hairpin (no, yes), unsolicited (drop,
 * icmp), refresh (outbound, both), life_ms.  IPv4 UDP and ICMP echo without
 * fragments; anything else is dropped.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define PACKET_MAX 65536U
#define SESSIONS_MAX 8192U
#define IP_LEN 20U
#define L4_LEN 8U /* of UDP and of an echo */
#define PROTO_ICMP 1U
#define PROTO_UDP 17U
#define ECHO_REPLY 0U
#define ECHO_REQUEST 8U
#define FIRST_PORT 20000U /* of sequential allocation */

enum scope { INDEPENDENT, ADDRESS, ADDRESS_PORT };
enum ports { PRESERVING, SEQUENTIAL, RANDOM };

struct endpoint {
	uint32_t addr; /* host order */
	uint16_t port; /* of an echo its identifier, 0 for who is asked */
};

/*
 * Something that an inside endpoint said to a peer.  The live sessions of one
 * external port are a mapping, and the peers in them the holes of its filter.
 */
struct session {
	uint64_t used_us; /* 0: free */
	struct endpoint in, peer;
	uint16_t port; /* external */
	uint8_t proto;
};

struct nat {
	int tun;
	uint32_t external, inside, mask;
	unsigned mapping, filtering, ports;
	unsigned hairpin, answer, refresh_inbound; /* booleans */
	uint64_t life_us, now_us;
	uint16_t last_port;
	struct session session[SESSIONS_MAX];
};

struct packet {
	uint8_t *octets;
	size_t len, header; /* header: octets of the IP header */
	uint8_t proto;
	struct endpoint src, dst;
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffffU) + (sum >> 16);
	return (uint16_t)sum;
}

/* RFC 1071, over an even number of octets or with a zero after the last. */
static uint16_t checksum(const uint8_t *octets, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? octets[i] : (uint32_t)octets[i] << 8;
	return (uint16_t)~fold(sum);
}

/* RFC 1624: a word under the checksum at @sum changed. */
static void amend(uint8_t *sum, uint16_t old, uint16_t new)
{
	put16(sum, (uint16_t)~fold((uint16_t)~get16(sum) +
				   (uint32_t)(uint16_t)~old + new));
}

static uint64_t monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

/* An echo has one number for both ends; the asking end is given it. */
static bool read_ports(struct packet *pkt)
{
	const uint8_t *l4 = pkt->octets + pkt->header;

	if (pkt->proto == PROTO_UDP) {
		pkt->src.port = get16(l4);
		pkt->dst.port = get16(l4 + 2);
		return true;
	}
	if (pkt->proto != PROTO_ICMP)
		return false;
	if (l4[0] == ECHO_REQUEST)
		pkt->src.port = get16(l4 + 4);
	else if (l4[0] == ECHO_REPLY)
		pkt->dst.port = get16(l4 + 4);
	else
		return false;
	return true;
}

static bool read_packet(struct packet *pkt)
{
	const uint8_t *ip = pkt->octets;

	if (pkt->len < IP_LEN + L4_LEN || ip[0] >> 4 != 4)
		return false;
	pkt->header = (size_t)(ip[0] & 0x0fU) * 4;
	if (pkt->header < IP_LEN || pkt->len < pkt->header + L4_LEN)
		return false;
	if (get16(ip + 6) & 0x3fffU) /* a fragment */
		return false;
	pkt->proto = ip[9];
	pkt->src.addr = get32(ip + 12);
	pkt->dst.addr = get32(ip + 16);
	return read_ports(pkt);
}

/* Write @to over the source, or the destination, checksums included. */
static void rewrite(struct packet *pkt, bool source, struct endpoint to)
{
	uint8_t *addr = pkt->octets + (source ? 12 : 16);
	uint8_t *l4 = pkt->octets + pkt->header;
	const bool udp = pkt->proto == PROTO_UDP;
	uint8_t *port = l4 + (udp ? (source ? 0 : 2) : 4);
	uint8_t *sum = l4 + (udp ? 6 : 2);
	const bool summed = !udp || get16(sum) != 0;
	const uint16_t word[2] = { (uint16_t)(to.addr >> 16),
				   (uint16_t)to.addr };

	for (size_t i = 0; i < 2; i++, addr += 2) {
		amend(pkt->octets + 10, get16(addr), word[i]);
		if (udp && summed)
			amend(sum, get16(addr), word[i]);
		put16(addr, word[i]);
	}
	if (summed)
		amend(sum, get16(port), to.port);
	put16(port, to.port);
	if (udp && summed && get16(sum) == 0)
		put16(sum, 0xffff);
	*(source ? &pkt->src : &pkt->dst) = to;
}

static bool is_same(struct endpoint a, struct endpoint b)
{
	return a.addr == b.addr && a.port == b.port;
}

/* Are @a and @b one and the same to a NAT that looks at @scope of them? */
static bool is_within(unsigned scope, struct endpoint a, struct endpoint b)
{
	return scope == INDEPENDENT ||
	       (a.addr == b.addr && (scope == ADDRESS || a.port == b.port));
}

static bool is_live(const struct nat *nat, const struct session *s)
{
	return s->used_us && nat->now_us - s->used_us < nat->life_us;
}

static bool is_taken(const struct nat *nat, uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *s = &nat->session[i];

		if (s->port == port && s->proto == proto && is_live(nat, s))
			return true;
	}
	return false;
}

static uint16_t random_port(void)
{
	uint16_t port = 0;

	while (port < 1024)
		if (getrandom(&port, sizeof(port), 0) < 0)
			abort();
	return port;
}

static uint16_t new_port(struct nat *nat, uint8_t proto, uint16_t wanted)
{
	uint16_t port = wanted;

	if (nat->ports == SEQUENTIAL)
		port = ++nat->last_port;
	else if (nat->ports == RANDOM)
		port = random_port();
	while (port < 1024 || is_taken(nat, proto, port))
		port = nat->ports == RANDOM ? random_port()
					    : (uint16_t)(port + 1);
	if (nat->ports == SEQUENTIAL)
		nat->last_port = port;
	return port;
}

/* The session of an outbound packet; a new one takes the oldest's place. */
static struct session *session_of(struct nat *nat, const struct packet *pkt)
{
	struct session *oldest = &nat->session[0];
	uint16_t port = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *s = &nat->session[i];

		if (s->used_us < oldest->used_us)
			oldest = s;
		if (!is_live(nat, s) || s->proto != pkt->proto ||
		    !is_same(s->in, pkt->src))
			continue;
		if (is_same(s->peer, pkt->dst))
			return s;
		if (is_within(nat->mapping, s->peer, pkt->dst))
			port = s->port;
	}
	if (!port)
		port = new_port(nat, pkt->proto, pkt->src.port);
	*oldest = (struct session){ .in = pkt->src,
				    .peer = pkt->dst,
				    .port = port,
				    .proto = pkt->proto };
	return oldest;
}

/* The session whose hole lets an inbound packet in, or NULL. */
static struct session *hole_for(struct nat *nat, const struct packet *pkt)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *s = &nat->session[i];

		if (s->port == pkt->dst.port && s->proto == pkt->proto &&
		    is_live(nat, s) &&
		    is_within(nat->filtering, s->peer, pkt->src))
			return s;
	}
	return NULL;
}

static void write_packet(const struct nat *nat, const uint8_t *octets,
			 size_t len)
{
	/* A full queue loses packets, as queues do. */
	if (write(nat->tun, octets, len) < 0 && errno == EBADFD)
		exit(EXIT_FAILURE);
}

/* RFC 792: port unreachable, with the header and eight octets of @pkt. */
static void answer_unreachable(const struct nat *nat, const struct packet *pkt)
{
	const size_t quoted = pkt->header + L4_LEN;
	uint8_t out[IP_LEN + 8 + 60 + L4_LEN] = { 0x45 };
	const size_t len = IP_LEN + 8 + quoted;

	put16(out + 2, (uint16_t)len);
	out[8] = 64;
	out[9] = PROTO_ICMP;
	put16(out + 12, (uint16_t)(nat->external >> 16));
	put16(out + 14, (uint16_t)nat->external);
	memcpy(out + 16, pkt->octets + 12, 4);
	put16(out + 10, checksum(out, IP_LEN));
	out[IP_LEN] = 3;
	out[IP_LEN + 1] = 3;
	memcpy(out + IP_LEN + 8, pkt->octets, quoted);
	put16(out + IP_LEN + 2, checksum(out + IP_LEN, len - IP_LEN));
	write_packet(nat, out, len);
}

static void take_inbound(struct nat *nat, struct packet *pkt)
{
	struct session *hole = hole_for(nat, pkt);

	if (!hole) {
		if (nat->answer && pkt->proto == PROTO_UDP)
			answer_unreachable(nat, pkt);
		return;
	}
	if (nat->refresh_inbound)
		hole->used_us = nat->now_us;
	rewrite(pkt, false, hole->in);
	write_packet(nat, pkt->octets, pkt->len);
}

static void take_outbound(struct nat *nat, struct packet *pkt)
{
	const bool home = pkt->dst.addr == nat->external;
	struct session *s;

	if (home && !nat->hairpin)
		return;
	s = session_of(nat, pkt);
	s->used_us = nat->now_us;
	rewrite(pkt, true,
		(struct endpoint){ .addr = nat->external, .port = s->port });
	if (home)
		take_inbound(nat, pkt);
	else
		write_packet(nat, pkt->octets, pkt->len);
}

static void take_packet(struct nat *nat, uint8_t *octets, size_t len)
{
	struct packet pkt = { .octets = octets, .len = len };

	if (!read_packet(&pkt))
		return;
	nat->now_us = monotonic_us();
	if ((pkt.src.addr & nat->mask) == nat->inside)
		take_outbound(nat, &pkt);
	else if (pkt.dst.addr == nat->external)
		take_inbound(nat, &pkt);
}

/* The index of @value among @words, which NULL ends, into *@out. */
static bool read_word(const char *value, const char *const *words,
		      unsigned *out)
{
	for (unsigned i = 0; words[i]; i++) {
		if (strcmp(value, words[i]) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool read_option(struct nat *nat, char *option)
{
	const struct {
		const char *key;
		unsigned *out;
		const char *words[4];
	} options[] = {
		{ "mapping",
		  &nat->mapping,
		  { "independent", "address", "address-port" } },
		{ "filtering",
		  &nat->filtering,
		  { "independent", "address", "address-port" } },
		{ "ports",
		  &nat->ports,
		  { "preserving", "sequential", "random" } },
		{ "hairpin", &nat->hairpin, { "no", "yes" } },
		{ "unsolicited", &nat->answer, { "drop", "icmp" } },
		{ "refresh", &nat->refresh_inbound, { "outbound", "both" } },
	};
	char *value = strchr(option, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(option, "life_ms") == 0) {
		nat->life_us = strtoull(value, NULL, 10) * 1000U;
		return nat->life_us > 0;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(option, options[i].key) == 0)
			return read_word(value, options[i].words,
					 options[i].out);
	return false;
}

static bool read_inside(struct nat *nat, char *text)
{
	char *bits = strchr(text, '/');
	uint8_t octets[4];
	unsigned long count;

	if (!bits)
		return false;
	*bits++ = '\0';
	count = strtoul(bits, NULL, 10);
	if (count < 1 || count > 32 || inet_pton(AF_INET, text, octets) != 1)
		return false;
	nat->mask = ~0U << (32 - count);
	nat->inside = get32(octets) & nat->mask;
	return true;
}

static bool read_arguments(struct nat *nat, int argc, char **argv)
{
	uint8_t octets[4];

	if (argc < 4 || inet_pton(AF_INET, argv[2], octets) != 1)
		return false;
	nat->external = get32(octets);
	if (!read_inside(nat, argv[3]))
		return false;
	for (int i = 4; i < argc; i++)
		if (!read_option(nat, argv[i]))
			return false;
	return true;
}

/* Attach to the TUN device @name, which exists.  Returns a fd or -errno. */
static int open_tun(const char *name)
{
	struct ifreq req = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	(void)snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &req) < 0) {
		const int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

int main(int argc, char **argv)
{
	static struct nat nat = { .life_us = 120000000,
				  .last_port = FIRST_PORT };
	static uint8_t octets[PACKET_MAX];

	if (!read_arguments(&nat, argc, argv)) {
		(void)fputs("usage: nat TUN EXTERNAL INSIDE/BITS "
			    "[KEY=VALUE]...\n",
			    stderr);
		return 2;
	}
	nat.tun = open_tun(argv[1]);
	if (nat.tun < 0) {
		(void)fprintf(stderr, "nat: %s: %s\n", argv[1],
			      strerror(-nat.tun));
		return EXIT_FAILURE;
	}
	for (;;) {
		const ssize_t len = read(nat.tun, octets, sizeof(octets));

		if (len < 0 && errno != EINTR)
			return EXIT_FAILURE;
		if (len > 0)
			take_packet(&nat, octets, (size_t)len);
	}
}
