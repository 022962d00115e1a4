/* SPDX-License-Identifier: MIT */

#include "daemon/io/udp_prefer.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/io/udp.h"

#define MAIN 0U /* places in the group, by order of bind() */
#define PREFERRED 1U
#define NET(offset) ((uint32_t)(SKF_NET_OFF + (offset))) /* in the IP header */
#define IP4_SOURCE 12
#define IP6_SOURCE 8
#define IP6_NEXT 6
#define IP6_LEN 40
#define PORT_CELL 0U /* where the program keeps the source port */
#define EACH 11U     /* instructions for one peer, at most */

struct program {
	struct sock_filter code[UDP_PREFER_MAX * EACH + 8];
	unsigned short n;
};

static void put(struct program *p, unsigned op, uint32_t k)
{
	p->code[p->n++] = (struct sock_filter){ .code = (uint16_t)op, .k = k };
}

/* Unless the accumulator is @k, go on with what follows the next @skip. */
static void put_unless(struct program *p, uint32_t k, unsigned skip)
{
	p->code[p->n++] = (struct sock_filter){
		.code = BPF_JMP | BPF_JEQ | BPF_K,
		.jf = (uint8_t)skip,
		.k = k,
	};
}

static uint32_t word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* The source port into its cell: behind the header, whose length IPv4 says. */
static void put_port(struct program *p, bool v6)
{
	if (v6) {
		/* Behind other headers than UDP's it is not looked for. */
		put(p, BPF_LD | BPF_B | BPF_ABS, NET(IP6_NEXT));
		put_unless(p, IPPROTO_UDP, 1);
		put(p, BPF_JMP | BPF_JA, 1);
		put(p, BPF_RET | BPF_K, MAIN);
		put(p, BPF_LD | BPF_H | BPF_ABS, NET(IP6_LEN));
	} else {
		put(p, BPF_LDX | BPF_B | BPF_MSH, NET(0));
		put(p, BPF_LD | BPF_H | BPF_IND, NET(0));
	}
	put(p, BPF_ST, PORT_CELL);
}

static void put_peer(struct program *p, const struct net_addr *a)
{
	const bool v6 = !net_addr_is_v4(a);
	const unsigned words = v6 ? 4 : 1;
	const uint8_t *ip = a->ip + (v6 ? 0 : 12);

	for (unsigned i = 0; i < words; i++) {
		put(p, BPF_LD | BPF_W | BPF_ABS,
		    NET((v6 ? IP6_SOURCE : IP4_SOURCE) + 4 * (int)i));
		put_unless(p, word(ip + (size_t)4 * i),
			   2 * (words - 1 - i) + 3);
	}
	put(p, BPF_LD | BPF_MEM, PORT_CELL);
	put_unless(p, a->port, 1);
	put(p, BPF_RET | BPF_K, PREFERRED);
}

int udp_prefer_attach(int fd, bool v6, const struct net_addr *peers, size_t n)
{
	struct program p = { .n = 0 };
	struct sock_fprog out = { .filter = p.code };

	if (n > UDP_PREFER_MAX)
		return -EINVAL;
	put_port(&p, v6);
	for (size_t i = 0; i < n; i++) {
		if (net_addr_is_v4(&peers[i]) != v6)
			put_peer(&p, &peers[i]);
	}
	put(&p, BPF_RET | BPF_K, MAIN);
	out.len = p.n;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &out,
			  sizeof(out)) == 0
		       ? 0
		       : -errno;
}
