/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/relay_io.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/log.h"
#include "daemon/io/loop.h"
#include "daemon/io/udp_device.h"

#define BATCH 32U
/* One octet more than the relay carries, so that it sees what is too long. */
#define ROOM (DGRAM_MAX + 1U)

struct relay_sock {
	struct relay_io *io;
	struct event *ev; /* NULL: closed */
	int fd;
	uint16_t slot;
};

struct relay_io {
	struct event_base *base;
	struct oo_registrar *registrar;
	const struct conf_registrar *conf;
	void (*pumped)(void *ctx);
	void *ctx;
	struct relay_sock *sock; /* OO_FAMILIES for each slot */
	size_t slots;
	uint64_t tx_failed;
	/* One batch of what arrived. */
	uint8_t data[BATCH][ROOM];
	struct sockaddr_storage name[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH];
};

/* --- what the relay is -------------------------------------------------- */

/* The address that nodes are told: the configured one, or the first public
 * one that this machine has. */
static void choose_address(struct oo_relay_cfg *c, enum oo_family f,
			   const char *configured)
{
	if (net_addr_parse(configured, 0, &c->address[f]))
		return;
	for (size_t i = 0; i < c->own_n; i++) {
		if (oo_family_of(&c->own[i]) == f &&
		    oo_relay_is_public(&c->own[i])) {
			c->address[f] = c->own[i];
			return;
		}
	}
	memset(&c->address[f], 0, sizeof(c->address[f]));
}

bool relay_io_cfg(const struct conf_registrar *conf, struct oo_relay_cfg *out)
{
	*out = (struct oo_relay_cfg){
		.port_first = conf->relay.port_first,
		.port_last = conf->relay.port_last,
		.kbit_s = conf->relay.kbit_s,
		.peers = conf->relay.peers,
		.idle = conf->relay.idle_s * MONO_S,
	};
	if (!conf->relay.enabled)
		return false;
	out->own_n = net_addr_local(out->own, OO_RELAY_OWN_MAX, 0, "");
	if (conf->iax2.bind4[0])
		choose_address(out, OO_V4, conf->relay.address4);
	if (conf->iax2.bind6[0])
		choose_address(out, OO_V6, conf->relay.address6);
	return true;
}

static void say_addresses(const struct oo_relay_cfg *c)
{
	char text[OO_FAMILIES][NET_ADDR_TEXT];

	for (int f = 0; f < OO_FAMILIES; f++) {
		struct net_addr a = c->address[f];
		static const uint8_t none[16] = { 0 };

		a.port = memcmp(a.ip, none, sizeof(none)) == 0 ? 0
							       : c->port_first;
		net_addr_format(&a, text[f]);
	}
	log_info("relay: from %s and %s on", text[OO_V4], text[OO_V6]);
	if (strcmp(text[OO_V4], "-") == 0)
		log_warning("relay: this machine has no public IPv4 address; "
			    "if one leads here, set relay.address4");
}

/* --- sockets ------------------------------------------------------------ */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	const struct relay_sock *s = arg;
	struct relay_io *io = s->io;
	const mono_us now = loop_now();
	int n;

	(void)what;
	for (size_t i = 0; i < BATCH; i++) {
		io->iov[i] = (struct iovec){ io->data[i], ROOM };
		io->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &io->name[i],
			.msg_namelen = sizeof(io->name[i]),
			.msg_iov = &io->iov[i],
			.msg_iovlen = 1,
		};
	}
	n = recvmmsg(fd, io->msg, BATCH, MSG_DONTWAIT, NULL);
	/* An error is an ICMP message about something sent: no concern. */
	for (int i = 0; i < n; i++) {
		struct dgram d = { .path.sock = s->slot,
				   .data = io->data[i],
				   .len = io->msg[i].msg_len };

		if (net_addr_from_sockaddr((struct sockaddr *)&io->name[i],
					   &d.path.peer))
			oo_registrar_relay_rx(io->registrar, &d, now);
	}
	if (n > 0)
		io->pumped(io->ctx);
}

static bool bind_to(int fd, const struct net_addr *a)
{
	struct sockaddr_storage sa;
	const socklen_t len = net_addr_to_sockaddr(a, &sa);

	return bind(fd, (const struct sockaddr *)&sa, len) == 0;
}

/* At the address that is told, or, when a translator has that one, where the
 * IAX2 port is. */
static bool bind_port(const struct relay_io *io, int fd, enum oo_family f,
		      uint16_t port)
{
	const struct conf_iax2 *iax2 = &io->conf->iax2;
	struct net_addr at =
		oo_relay_cfg(oo_registrar_relay(io->registrar))->address[f];

	at.port = port;
	if (bind_to(fd, &at))
		return true;
	return errno == EADDRNOTAVAIL &&
	       net_addr_parse(f == OO_V4 ? iax2->bind4 : iax2->bind6, port,
			      &at) &&
	       bind_to(fd, &at);
}

static bool open_socket(const struct relay_io *io, struct relay_sock *s,
			enum oo_family f, uint16_t port)
{
	const int one = 1;
	int why;

	s->fd = socket(f == OO_V4 ? AF_INET : AF_INET6,
		       SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return false;
	if ((f == OO_V4 || setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				      sizeof(one)) == 0) &&
	    udp_device_bind(s->fd, io->conf->iax2.interface) == 0 &&
	    bind_port(io, s->fd, f, port))
		s->ev = event_new(io->base, s->fd, EV_READ | EV_PERSIST,
				  on_readable, s);
	if (s->ev && event_priority_set(s->ev, LOOP_LAST) == 0 &&
	    event_add(s->ev, NULL) == 0)
		return true;
	why = errno;
	if (s->ev)
		event_free(s->ev);
	s->ev = NULL;
	close(s->fd);
	errno = why;
	return false;
}

static void close_socket(struct relay_sock *s)
{
	if (!s->ev)
		return;
	event_free(s->ev);
	s->ev = NULL;
	close(s->fd);
}

static uint8_t open_slot(struct relay_io *io,
			 const struct oo_relay_socket *want)
{
	static const uint8_t none[16] = { 0 };
	const struct oo_relay_cfg *c =
		oo_relay_cfg(oo_registrar_relay(io->registrar));
	uint8_t families = 0;
	int why = EADDRNOTAVAIL; /* of no family there is an address */

	for (int f = 0; f < OO_FAMILIES; f++) {
		struct relay_sock *s = &io->sock[want->slot * OO_FAMILIES + f];

		s->io = io;
		s->slot = want->slot;
		if (memcmp(c->address[f].ip, none, sizeof(none)) == 0)
			continue;
		if (open_socket(io, s, (enum oo_family)f, want->port))
			families |= (uint8_t)(1U << f);
		else
			why = errno;
	}
	if (families == 0)
		LOG_LIMITED(loop_now(), LOG_WARNING,
			    "relay: UDP port %u cannot be opened: %s",
			    (unsigned)want->port, strerror(why));
	return families;
}

static void serve_slots(struct relay_io *io)
{
	struct oo_relay_socket want;

	while (oo_registrar_next_socket(io->registrar, &want)) {
		if (want.open) {
			oo_registrar_socket_opened(io->registrar, want.slot,
						   open_slot(io, &want),
						   loop_now());
			continue;
		}
		for (int f = 0; f < OO_FAMILIES; f++)
			close_socket(&io->sock[want.slot * OO_FAMILIES + f]);
	}
}

void relay_io_pump(struct relay_io *io)
{
	struct dgram d;

	serve_slots(io);
	while (oo_registrar_relay_next_tx(io->registrar, &d)) {
		const enum oo_family f = oo_family_of(&d.path.peer);
		const struct relay_sock *s =
			&io->sock[d.path.sock * OO_FAMILIES + f];
		struct sockaddr_storage sa;
		const socklen_t len = net_addr_to_sockaddr(&d.path.peer, &sa);

		if (!s->ev || sendto(s->fd, d.data, d.len, MSG_DONTWAIT,
				     (const struct sockaddr *)&sa, len) < 0)
			io->tx_failed++;
	}
}

/* --- start and end ------------------------------------------------------ */

/* Two sockets a node may be more than a process is allowed at first. */
static void allow_sockets(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

struct relay_io *relay_io_open(struct event_base *base, struct oo_registrar *r,
			       const struct conf_registrar *conf,
			       void (*pumped)(void *ctx), void *ctx)
{
	const struct oo_relay *relay = oo_registrar_relay(r);
	struct relay_io *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	io->base = base;
	io->registrar = r;
	io->conf = conf;
	io->pumped = pumped;
	io->ctx = ctx;
	if (!relay)
		return io;
	io->slots = oo_relay_slots(relay);
	io->sock = calloc(io->slots * OO_FAMILIES, sizeof(io->sock[0]));
	if (!io->sock)
		return relay_io_close(io);
	allow_sockets();
	say_addresses(oo_relay_cfg(relay));
	return io;
}

struct relay_io *relay_io_close(struct relay_io *io)
{
	if (!io)
		return NULL;
	for (size_t i = 0; io->sock && i < io->slots * OO_FAMILIES; i++)
		close_socket(&io->sock[i]);
	free(io->sock);
	free(io);
	return NULL;
}

json_t *relay_io_json(const struct relay_io *io)
{
	const struct oo_relay *relay = oo_registrar_relay(io->registrar);
	const struct oo_relay_counters *n;
	json_t *dropped = json_object();

	if (!relay) {
		json_decref(dropped);
		return json_pack("{s:b}", "enabled", 0);
	}
	n = oo_relay_counters(relay);
	for (int f = OO_RELAY_PASS + 1; f < OO_RELAY_FATES; f++)
		(void)json_object_set_new(
			dropped, oo_relay_fate_name((enum oo_relay_fate)f),
			json_integer((json_int_t)n->fate[f]));
	return json_pack(
		"{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "enabled", 1,
		"allocations", (json_int_t)oo_relay_allocations(relay), "peers",
		(json_int_t)oo_relay_peers(relay, loop_now()), "rx",
		(json_int_t)n->rx, "rx_octets", (json_int_t)n->rx_octets, "tx",
		(json_int_t)n->tx, "tx_octets", (json_int_t)n->tx_octets,
		"tx_failed", (json_int_t)io->tx_failed, "dropped", dropped);
}
