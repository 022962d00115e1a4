/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_NODE_H
#define PROTO_OPENOVER_NODE_H

/*
 * The node's side of OPEN/OVER (OPEN-OVER.md): registrations with up to
 * eight registrars, all side by side so that one that fails leaves the others,
 * the holes to them, and opening a path to another node or to ours.  It ends
 * where the call begins: with a proved path and a ticket.
 *
 * Use it as iax2_endpoint.h says.  It shares the IAX2 port: offer it every
 * datagram first, and the endpoint those that it answers with
 * IAX2_E_NOT_OURS, and what oo_node_relayed() then holds.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/iax2_endpoint.h"
#include "proto/iax2_err.h"
#include "proto/keys.h"
#include "proto/mono.h"
#include "proto/openover_measure.h"
#include "proto/openover_msg.h"
#include "proto/openover_node_relay.h"
#include "proto/openover_reg.h"

#define OO_REGISTRARS_MAX 8U

struct oo_node_cfg {
	const struct key_identity *identity; /* copied */
	const char *number;                  /* copied; 1..15 digits */
	uint16_t port;     /* our own UDP port, to compare with the apparent */
	mono_us keepalive; /* between PINGs, 5..120 s, until measured */
	mono_us keepalive_max; /* measured, at most; 0: keepalive it stays */
	size_t tx_max;         /* datagrams queued, 8..65536 */
	size_t opens_max; /* callers at once, up to 4096; fewer than 32: 32 */
	uint32_t spray_packets; /* port probing, see openover_spray.h; 0: off */
	uint32_t spray_sockets;
	enum oo_relay_use relay;
	random_fn random;
	void *random_ctx;
};

/* Names a dial or an OPEN that awaits our answer; stale ids are refused. */
struct oo_id {
	uint16_t slot;
	uint16_t gen; /* never 0 in a valid id */
};

enum oo_event_kind {
	OO_EV_REGISTERED,   /* with registrar @registrar */
	OO_EV_UNREGISTERED, /* no longer; see oo_node_registrar() */
	OO_EV_TROUBLE,      /* a try failed; see oo_node_registrar() */
	OO_EV_APPARENT,     /* a registrar sees us at another address */
	OO_EV_RELEASED,     /* good-bye said after oo_node_release() */
	OO_EV_OPEN_IN,      /* somebody wants to call: oo_node_answer() it */
	OO_EV_EXPECT,       /* that caller proved u.expect.path */
	OO_EV_PROGRESS,     /* a dial of ours went a step further */
	OO_EV_PATH,         /* it has a path: place the call on it */
	OO_EV_FAILED,       /* it ended with a verdict; the id is stale */
	OO_EV_SOCKETS, /* open extra IPv4 sockets, then oo_node_sockets() */
	OO_EV_SOCKETS_DONE, /* what oo_node_uses_socket() denies may go */
	OO_EV_MEASURE,      /* open sockets, then oo_node_measure_sockets() */
	OO_EV_MEASURED,     /* oo_node_measured() has something new */
	OO_EV_RELAY,        /* our address at a relay came, changed or went */
	OO_EV_BETTER,       /* after a path through a relay: u.better.path is
			 proved as well, and direct */
};

enum oo_step { OO_STEP_REQUESTED, OO_STEP_PUNCHING };

struct oo_event {
	enum oo_event_kind kind;
	size_t registrar; /* index; registration events */
	struct oo_id id;  /* dial or open; for SOCKETS: opaque */
	union {
		struct {
			char number[IAX2_NUMBER_MAX + 1];
			uint8_t key[KEY_PUBLIC_LEN];
		} open_in;
		struct {
			struct iax2_ticket ticket;
			struct net_path path;
		} expect;
		struct {
			enum oo_step step;
		} progress;
		struct {
			struct net_path path;
			struct iax2_ticket ticket;
			bool predicted; /* found by port probing */
			bool mapped;    /* the peer's router opened it */
			bool plain;     /* no ticket: a plain client */
			bool relayed;   /* at either end */
		} path;
		struct {
			uint64_t punch; /* its ticket's id */
			struct net_path path;
			bool predicted;
			bool mapped;
		} better;
		struct {
			enum oo_verdict verdict;
			bool hopeless;  /* as long as both networks are as they
					are */
			char tried[80]; /* for people; empty: nothing to say */
		} failed;
		struct {
			uint32_t count;
		} sockets;
	} u;
};

struct oo_node_counters {
	uint64_t rx; /* frames of this layer */
	uint64_t malformed;
	uint64_t forged; /* wrong seal, or no session or punch of that id */
	uint64_t replayed;
	uint64_t limited;
	uint64_t octets; /* both ways, with IP and UDP headers */
};

struct oo_node;

/* NULL when @cfg is out of range or memory is short. */
struct oo_node *oo_node_new(const struct oo_node_cfg *cfg, mono_us now);
/* Accepts NULL, wipes keys, returns NULL. */
struct oo_node *oo_node_free(struct oo_node *n);

/* Add a registrar with its pinned key; *@index names it.  IAX2_E_FULL. */
enum iax2_err oo_node_add_registrar(struct oo_node *n,
				    const uint8_t key[KEY_PUBLIC_LEN],
				    mono_us now, size_t *index);
/* Add a plain one (iax2_reg.h), with the same events; no path is opened
 * through it.  Texts are copied.  IAX2_E_FULL, IAX2_E_RANGE. */
enum iax2_err oo_node_add_plain_registrar(struct oo_node *n,
					  const char *username,
					  const char *secret, mono_us now,
					  size_t *index);
/* Its addresses, as often as the name is resolved. */
void oo_node_registrar_addresses(struct oo_node *n, size_t index,
				 const struct net_addr *addrs, size_t count,
				 mono_us now);

/* Why the last try failed, of either kind. */
enum oo_registrar_fault {
	OO_REGISTRAR_FAULT_NONE,
	OO_REGISTRAR_FAULT_SILENT,  /* nobody answers, or no longer */
	OO_REGISTRAR_FAULT_REFUSED, /* the number, key or secret is wrong */
	OO_REGISTRAR_FAULT_FORGED,  /* not the registrar that was pinned */
	OO_REGISTRAR_FAULT_METHOD,  /* it wants another proof */
};

/* What there is to say of a registrar of either kind. */
struct oo_registrar_view {
	bool plain;
	bool up;
	enum oo_registrar_fault fault;
	const char *state;        /* in words */
	char why[128];            /* trouble in words; empty: none */
	struct net_addr apparent; /* of the family that is in use */
	struct net_addr apparent4;
	struct net_addr apparent6;
	struct net_addr server[OO_FAMILIES]; /* in use; port 0: none */
	uint32_t rtt_us;                     /* 0: not measured */
	mono_us last_ok;                     /* 0: never */
};

/* False when there is no such registrar. */
bool oo_node_registrar_view(const struct oo_node *n, size_t index,
			    struct oo_registrar_view *out);
/* A plain one's REGREQs rest while another way registers us, or go on
 * (iax2_reg_hold()). */
void oo_node_registrar_hold(struct oo_node *n, size_t index, bool hold,
			    mono_us now);
/* For looking; NULL for a plain one. */
const struct oo_reg *oo_node_registrar(const struct oo_node *n, size_t index);

enum iax2_err oo_node_rx(struct oo_node *n, const struct dgram *d, mono_us now);
void oo_node_tick(struct oo_node *n, mono_us now);
mono_us oo_node_deadline(const struct oo_node *n);
bool oo_node_next_tx(struct oo_node *n, struct dgram *out);
bool oo_node_next_event(struct oo_node *n, struct oo_event *out);
const struct oo_node_counters *oo_node_counters(const struct oo_node *n);

/*
 * Open a path to @number, or, when it is NULL, to the node that a registrar
 * sees at @addr.  Ends in OO_EV_PATH or OO_EV_FAILED within 15 s.
 * IAX2_E_RANGE, IAX2_E_FULL.
 */
enum iax2_err oo_node_dial(struct oo_node *n, const char *number,
			   const struct net_addr *addr, mono_us now,
			   struct oo_id *out);
/*
 * Open a direct path to @number once more, for a call that goes through a
 * relay: none is asked for, and none that is there counts as a path.
 */
enum iax2_err oo_node_dial_direct(struct oo_node *n, const char *number,
				  mono_us now, struct oo_id *out);
/* Forget it; no event follows. */
enum iax2_err oo_node_cancel(struct oo_node *n, struct oo_id dial);
/* Say whether the caller of OO_EV_OPEN_IN may come. */
enum iax2_err oo_node_answer(struct oo_node *n, struct oo_id open, bool accept,
			     mono_us now);
/* The extra sockets that OO_EV_SOCKETS asked for; @count 0: none. */
void oo_node_sockets(struct oo_node *n, struct oo_id id, uint16_t first,
		     uint16_t count, mono_us now);
/* Does @path lead through a relay, at either end?  Of the other end's relay
 * this is known while the punch that told of it lasts. */
bool oo_node_is_relayed(const struct oo_node *n, const struct net_path *path);
/* Is a punch or a measurement still using extra socket @sock? */
bool oo_node_uses_socket(const struct oo_node *n, uint16_t sock);
/*
 * What is known of our own network.  It is measured after a registration, when
 * the network has changed, and every few hours, with the first registrar that
 * helps.
 */
const struct oo_measured *oo_node_measured(const struct oo_node *n);
/* Measure now, unless that is under way; false: no registrar helps. */
bool oo_node_measure(struct oo_node *n, mono_us now);
/* The sockets that OO_EV_MEASURE asked for: up to OO_MEASURE_FLOWS of each
 * family, apart from the IAX2 port; @s with none of both ends it. */
void oo_node_measure_sockets(struct oo_node *n,
			     const struct oo_measure_sockets *s, mono_us now);
/* Say good-bye to every registrar; OO_EV_RELEASED when all is said. */
void oo_node_release(struct oo_node *n, mono_us now);
/* Addresses or routes of this host changed. */
void oo_node_network_changed(struct oo_node *n, mono_us now);
/* Our router forwards these of its addresses to our port (port 0: none, or no
 * longer); peers are told once a registrar has seen that it is so. */
void oo_node_mapped(struct oo_node *n, const struct net_addr *addr4,
		    const struct net_addr *addr6, mono_us now);
/* Something that should be heard is not: ask the registrars whether they hear
 * us, and where they see us. */
void oo_node_ping(struct oo_node *n, mono_us now);
/* What we know of our own translation for IPv4: enum oo_nat bits. */
uint8_t oo_node_nat(const struct oo_node *n);
/* Our own IPv4 and IPv6 addresses, so that a translated one is told from
 * ours; set whenever they change. */
void oo_node_own_addresses(struct oo_node *n, const struct net_addr *addrs,
			   size_t count);

#endif
