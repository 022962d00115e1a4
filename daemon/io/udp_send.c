/* SPDX-License-Identifier: MIT */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "daemon/io/addr.h"
#include "daemon/io/udp_priv.h"

/* --- who watches -------------------------------------------------------- */

void udp_watch(struct udp *u, void (*fn)(void *ctx, const struct udp_seen *s),
	       void *ctx)
{
	u->watch = fn;
	u->watch_ctx = ctx;
}

/* Which of our ends a datagram uses; asks the kernel for what the path leaves
 * to it. */
static struct net_addr local_end(int fd, const struct net_path *path)
{
	static const uint8_t none[16] = { 0 };
	struct net_addr local = net_addr_v4(0, 0, 0, 0, 0);
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		(void)net_addr_from_sockaddr((const struct sockaddr *)&sa,
					     &local);
	if (memcmp(path->local_ip, none, sizeof(none)) != 0)
		memcpy(local.ip, path->local_ip, sizeof(local.ip));
	else
		net_addr_fill_source(&local, &path->peer);
	return local;
}

void udp_show(const struct udp *u, int fd, const struct dgram *d, bool sent)
{
	const struct udp_seen s = {
		.sent = sent,
		.local = local_end(fd, &d->path),
		.peer = d->path.peer,
		.ttl = d->ttl,
		.data = d->data,
		.len = d->len,
	};

	u->watch(u->watch_ctx, &s);
}

/* --- sending ------------------------------------------------------------ */

/* NULL: there is none. */
static const struct sock *sock_for(const struct udp *u,
				   const struct net_path *p)
{
	const struct sock *s =
		p->sock == 0
			? &u->main[net_addr_is_v4(&p->peer) ? SOCK4 : SOCK6]
		: p->sock <= EXTRA_MAX ? &u->extra[p->sock - 1]
				       : NULL;

	return s && s->fd >= 0 ? s : NULL;
}

/* Copy @d into place @i of the batch: its data lasts only until the next. */
static void stage(struct udp *u, const struct sock *s, size_t i,
		  const struct dgram *d)
{
	struct msghdr *h = &u->msg[i].msg_hdr;

	assert(d->len <= DGRAM_MAX);
	memcpy(u->data[i], d->data, d->len);
	u->sent[i] = (struct dgram){ .path = d->path, .ttl = d->ttl };
	/* For what it is bound to the kernel need not look again. */
	if (memcmp(d->path.local_ip, s->ip, sizeof(s->ip)) == 0)
		net_path_unpin(&u->sent[i].path);
	u->iov[i] = (struct iovec){ u->data[i], d->len };
	*h = (struct msghdr){
		.msg_name = &u->name[i],
		.msg_namelen = net_addr_to_sockaddr(&d->path.peer, &u->name[i]),
		.msg_iov = &u->iov[i],
		.msg_iovlen = 1,
		.msg_control = u->control[i].buf,
		.msg_controllen = sizeof(u->control[i].buf),
	};
	udp_control_write(h, &u->sent[i]);
}

static void count_error(struct udp *u, int err)
{
	switch (err) {
	case EAGAIN:
	case ENOBUFS:
		u->n.tx_blocked++;
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
		u->n.tx_unreachable++;
		break;
	default:
		u->n.tx_failed++;
		break;
	}
}

/* The one that sendmmsg() stopped at: perhaps our address has gone, or an
 * earlier ICMP error was reported now. */
static void send_again(struct udp *u, int fd, size_t i)
{
	struct msghdr *h = &u->msg[i].msg_hdr;

	if (errno == EINVAL || errno == ENETUNREACH || errno == EADDRNOTAVAIL ||
	    errno == ENODEV) {
		struct dgram *d = &u->sent[i];

		memset(d->path.local_ip, 0, sizeof(d->path.local_ip));
		h->msg_control = u->control[i].buf;
		h->msg_controllen = sizeof(u->control[i].buf);
		udp_control_write(h, d);
	} else if (errno == EAGAIN || errno == ENOBUFS) {
		count_error(u, errno);
		return;
	}
	if (sendmsg(fd, h, MSG_DONTWAIT) >= 0)
		u->n.tx++;
	else
		count_error(u, errno);
}

static void flush(struct udp *u, int fd, size_t to)
{
	size_t from = 0;

	while (from < to) {
		const int n = sendmmsg(fd, &u->msg[from], (unsigned)(to - from),
				       MSG_DONTWAIT);

		if (n > 0) {
			u->n.tx += (uint64_t)n;
			from += (size_t)n;
			continue;
		}
		send_again(u, fd, from);
		from++;
	}
}

void udp_send(struct udp *u, bool (*next)(void *ctx, struct dgram *out),
	      void *ctx)
{
	const struct sock *to = NULL;
	size_t n = 0;
	struct dgram d;

	/* Neighbours for the same socket go in one call. */
	while (next(ctx, &d)) {
		const struct sock *s = sock_for(u, &d.path);

		if (!s) {
			u->n.tx_unreachable++;
			continue;
		}
		if (u->watch)
			udp_show(u, s->fd, &d, true);
		if (n > 0 && (s != to || n == BATCH)) {
			flush(u, to->fd, n);
			n = 0;
		}
		to = s;
		stage(u, s, n++, &d);
	}
	if (n > 0)
		flush(u, to->fd, n);
}
