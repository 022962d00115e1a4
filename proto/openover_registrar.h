/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_REGISTRAR_H
#define PROTO_OPENOVER_REGISTRAR_H

/*
 * The registration server as a function of datagrams, commands and time
 * (OPEN-OVER.md): it authenticates nodes, keeps their sessions and proved
 * addresses, and carries OPEN and OVER between a caller and a target.  It is
 * never in the middle of a call.  Plain IAX2 clients register with a name and
 * an MD5 secret (RFC 5456 section 6.1) and are called directly.
 *
 * No socket, no clock, no file, no allocation after oo_registrar_new().  Use
 * it as iax2_endpoint.h says.  Nothing is kept for a sender before it has
 * proved a node's key.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/iax2_endpoint.h"
#include "proto/iax2_err.h"
#include "proto/keys.h"
#include "proto/mono.h"
#include "proto/net_path.h"
#include "proto/openover_directory.h"
#include "proto/openover_msg.h"
#include "proto/openover_plain.h"
#include "proto/openover_relay.h"

/*
 * Where a registrar that lets nodes measure their translators listens besides
 * (OPEN-OVER.md section 4.10): ids of the caller's sockets, as in net_path.sock.
 * Nothing but MEASURE is taken from them.
 */
struct oo_measure_ends {
	struct oo_ends told;        /* to nodes; port 0: no measuring */
	uint16_t port[OO_FAMILIES]; /* 0: none of that family */
	uint16_t other;             /* IPv4 alone; 0: none */
};

struct oo_registrar_cfg {
	const struct key_identity *identity; /* copied */
	size_t nodes_max;                    /* 16..4,000,000 */
	size_t plain_max;                    /* plain IAX2 clients, 0..65536 */
	size_t opens_max;   /* transactions at once, 16..1,000,000 */
	size_t tx_max;      /* datagrams queued, 8..65536 */
	uint16_t refresh_s; /* how often nodes register again, 30..3600 */
	/* Steps of registrations (public-key work; each takes two) a minute
	 * for one number at an address, and 16 times as many of the address. */
	uint32_t registrations_per_min;
	/* OPEN_REQUESTs a minute from one node, all at once too, and likewise
	 * addresses at the relay. */
	uint32_t opens_per_min;
	/* Wrong MD5 passwords a minute from one address. */
	uint32_t auth_failures_per_min;
	/* Who may register as a plain client without a call token; borrowed. */
	const struct net_prefix *token_optional;
	size_t token_optional_n;
	const struct oo_relay_cfg *relay; /* copied; NULL: no relay */
	random_fn random;
	void *random_ctx;
};

/* Datagrams and transactions by fate. */
struct oo_registrar_counters {
	uint64_t rx;
	uint64_t malformed;
	uint64_t not_ours;     /* well formed, but nothing for a registrar */
	uint64_t limited;      /* dropped for a rate limit */
	uint64_t forged;       /* unknown session or wrong seal */
	uint64_t replayed;     /* counter seen before */
	uint64_t token_bad;    /* call token missing or stale: asked again */
	uint64_t refused;      /* registrations with a wrong key or number */
	uint64_t auth_failed;  /* wrong passwords or names of plain clients */
	uint64_t auth_limited; /* answers not looked at after too many */
	uint64_t registered;   /* sessions begun */
	uint64_t pings;        /* authentic PINGs */
	uint64_t moves;        /* sessions that moved to another address */
	uint64_t opens;        /* OPEN_REQUESTs taken up */
	uint64_t opens_ok;     /* of those, accepted by the target */
	uint64_t measures;     /* MEASUREs answered */
};

enum oo_registrar_event_kind {
	OO_REG_EV_UP,       /* a node registered */
	OO_REG_EV_MOVED,    /* its address changed */
	OO_REG_EV_DOWN,     /* it unregistered, fell silent or was removed */
	OO_REG_EV_REFUSED,  /* someone claimed @number without its key */
	OO_REG_EV_NO_TOKEN, /* a plain client that knows no call tokens */
};

struct oo_registrar_event {
	enum oo_registrar_event_kind kind;
	char number[IAX2_NUMBER_MAX + 1];
	struct net_addr addr;
};

struct oo_registrar;

/* NULL when @cfg is out of range or memory is short. */
struct oo_registrar *oo_registrar_new(const struct oo_registrar_cfg *cfg,
				      mono_us now);
/* Accepts NULL, wipes keys, returns NULL. */
struct oo_registrar *oo_registrar_free(struct oo_registrar *r);

enum iax2_err oo_registrar_rx(struct oo_registrar *r, const struct dgram *d,
			      mono_us now);
void oo_registrar_tick(struct oo_registrar *r, mono_us now);
mono_us oo_registrar_deadline(const struct oo_registrar *r);
bool oo_registrar_next_tx(struct oo_registrar *r, struct dgram *out);
bool oo_registrar_next_event(struct oo_registrar *r,
			     struct oo_registrar_event *out);

/* The directory of keys: add or change (IAX2_E_RANGE for a bad number,
 * IAX2_E_FULL), remove (IAX2_E_STALE when unknown). */
enum iax2_err oo_registrar_node_put(struct oo_registrar *r, const char *number,
				    const uint8_t key[KEY_PUBLIC_LEN]);
enum iax2_err oo_registrar_node_remove(struct oo_registrar *r,
				       const char *number);
/* The same for plain IAX2 clients and their MD5 secrets.  A number is a
 * node's or a client's: adding the one removes the other. */
enum iax2_err oo_registrar_plain_put(struct oo_registrar *r, const char *name,
				     const char *secret);
enum iax2_err oo_registrar_plain_remove(struct oo_registrar *r,
					const char *name);
/* What a password is worth. */
enum oo_password {
	OO_PASSWORD_GOOD,    /* registered */
	OO_PASSWORD_BAD,     /* wrong, or nobody has that name */
	OO_PASSWORD_SOON,    /* right, but its last one is too recent */
	OO_PASSWORD_LIMITED, /* not looked at, after too many wrong ones */
};
/*
 * A plain client registers by telling its secret itself, over a way that keeps
 * it one (HTTPS): @from is the address that it came from, with the UDP port
 * where it says that calls find it.  For @refresh_s and half a minute; not
 * again within two thirds of @refresh_s.
 */
enum oo_password oo_registrar_plain_password(struct oo_registrar *r,
					     const char *name,
					     const char *password,
					     const struct net_addr *from,
					     uint16_t refresh_s, mono_us now);
/* For looking: records, sessions, proved addresses. */
struct oo_directory *oo_registrar_directory(struct oo_registrar *r);
const struct oo_plains *oo_registrar_plains(const struct oo_registrar *r);
bool oo_registrar_is_online(const struct oo_registrar *r,
			    const struct oo_record *rec, mono_us now);
const struct oo_registrar_counters *
oo_registrar_counters(const struct oo_registrar *r);
/* Take over refresh_s, the limits by the minute and token_optional from @cfg,
 * whose sizes and identity are not looked at.  False when out of range. */
bool oo_registrar_limits(struct oo_registrar *r,
			 const struct oo_registrar_cfg *cfg);
/* Let nodes measure with these sockets; none when it was not called. */
void oo_registrar_measure(struct oo_registrar *r,
			  const struct oo_measure_ends *ends);
/* The present DATETIME (iax2_datetime()), for plain clients' clocks; 0: not
 * told. */
void oo_registrar_datetime(struct oo_registrar *r, uint32_t datetime);
/* OPEN transactions under way. */
size_t oo_registrar_opens(const struct oo_registrar *r);

#endif
