/* SPDX-License-Identifier: MIT */
#ifndef PROTO_IAX2_REG_H
#define PROTO_IAX2_REG_H

/*
 * Registration with a plain IAX2 registrar, such as Asterisk's or
 * AllStarLink's, by user name and MD5 secret (RFC 5456 section 6.1; the call
 * token is Asterisk's addition).  Pure: no socket, no clock, no allocation.
 *
 * An exchange is a small call of its own, with a call number of the range
 * that is kept for registrations.  Only frames from the address that was
 * asked, to that call number, are believed.  An address that stays silent
 * is followed by the next at once; when none is left, or one refuses, by a
 * pause.  A registration that could not be refreshed counts as up until the
 * time that the registrar granted is over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/iax2_frame.h"
#include "proto/keys.h"
#include "proto/mono.h"

#define IAX2_REG_ADDRS_MAX 8U
#define IAX2_REG_USERNAME_MAX 31U /* octets */
#define IAX2_REG_SECRET_MAX 63U   /* octets */
#define IAX2_REG_CAUSE_MAX 63U    /* octets */

enum iax2_reg_state {
	IAX2_REG_NO_ADDRESS, /* its name is not resolved yet */
	IAX2_REG_WAITING,    /* until the next try */
	IAX2_REG_ASK,        /* asked with an empty call token */
	IAX2_REG_TOKEN,      /* asked again with the token we were given */
	IAX2_REG_ANSWER,     /* answered the challenge */
	IAX2_REG_UP,
	IAX2_REG_HELD, /* another way registers us; nothing is sent */
	IAX2_REG_RELEASED,
};

/* Why the last try failed. */
enum iax2_reg_trouble {
	IAX2_REG_OK,
	IAX2_REG_SILENT,    /* no address answers */
	IAX2_REG_REFUSED,   /* REGREJ; the cause says why, if it said */
	IAX2_REG_NO_METHOD, /* it wants a proof other than MD5 */
	IAX2_REG_INVALID,   /* INVAL: it forgot the exchange */
};

const char *iax2_reg_state_text(enum iax2_reg_state s);
const char *iax2_reg_trouble_text(enum iax2_reg_trouble t);

struct iax2_reg_cfg {
	const char *username; /* copied; 1..IAX2_REG_USERNAME_MAX */
	const char *secret;   /* copied; 0..IAX2_REG_SECRET_MAX */
	random_fn random;
	void *random_ctx;
	struct dgram_queue *tx; /* where frames go */
};

struct iax2_reg {
	char username[IAX2_REG_USERNAME_MAX + 1];
	char secret[IAX2_REG_SECRET_MAX + 1];
	random_fn random;
	void *random_ctx;
	struct dgram_queue *tx;
	mono_us start; /* time stamps count from here */
	enum iax2_reg_state state;
	enum iax2_reg_trouble trouble;
	char cause[IAX2_REG_CAUSE_MAX + 1]; /* of the last REGREJ */
	struct net_addr addrs[IAX2_REG_ADDRS_MAX];
	size_t addrs_n;
	size_t cur;      /* the address whose turn it is */
	size_t tried;    /* addresses of this round that stayed silent */
	mono_us due;     /* the state's deadline */
	mono_us expires; /* the registration granted; 0: none */
	mono_us end_by;  /* of a release */
	bool releasing;
	unsigned failures; /* rounds in a row */
	/* The exchange under way, or the last one. */
	struct net_addr peer;
	uint16_t sock; /* net_path.sock of the way there */
	uint16_t callno;
	uint16_t peer_callno; /* 0: not known yet */
	uint8_t oseq;         /* of our next counted frame */
	uint8_t iseq;
	unsigned tries; /* of the present step */
	mono_us sent_at;
	uint8_t token[255];
	uint8_t token_len;
	char md5[33];
	/* For looking. */
	struct net_addr apparent; /* as the registrar last saw us */
	mono_us last_ok;          /* last REGACK; 0: never */
	uint32_t rtt_us;          /* of a step sent once; 0: not measured */
};

/* What iax2_reg_rx() and iax2_reg_tick() report; a set of bits. */
enum iax2_reg_change {
	IAX2_REG_CHANGE_UP = 1,
	IAX2_REG_CHANGE_DOWN = 2,
	IAX2_REG_CHANGE_APPARENT = 4,
	IAX2_REG_CHANGE_TROUBLE = 8,
	IAX2_REG_CHANGE_RELEASED = 16,
};

/* False, and @g unusable, when a text of @cfg is out of range. */
bool iax2_reg_init(struct iax2_reg *g, const struct iax2_reg_cfg *cfg,
		   mono_us now);
/* The registrar's addresses of both families, in the order to try them, the
 * first IAX2_REG_ADDRS_MAX count; starts at once when there were none.  An
 * empty list changes nothing. */
void iax2_reg_addresses(struct iax2_reg *g, const struct net_addr *addrs,
			size_t n, mono_us now);
/* Our own network changed: register again at once. */
void iax2_reg_network_changed(struct iax2_reg *g, mono_us now);
/* Register from another socket (net_path.sock) from now on. */
void iax2_reg_use_socket(struct iax2_reg *g, uint16_t sock, mono_us now);
/* Be silent: another way registers us from now on, and a good-bye would undo
 * what it does.  iax2_reg_is_up() no longer. */
void iax2_reg_hold(struct iax2_reg *g);
/* Register again, at once; nothing when it was not held. */
void iax2_reg_resume(struct iax2_reg *g, mono_us now);
/* Say good-bye; IAX2_REG_CHANGE_RELEASED, or state RELEASED already on return,
 * within 1.5 s. */
void iax2_reg_release(struct iax2_reg *g, mono_us now);

/* Is this frame of our exchange, by address and call number? */
bool iax2_reg_owns(const struct iax2_reg *g, const struct dgram *d,
		   const struct iax2_full *f);
/* A frame that iax2_reg_owns(), with elements that iax2_ie_check() passed. */
unsigned iax2_reg_rx(struct iax2_reg *g, const struct iax2_full *f,
		     mono_us now);
unsigned iax2_reg_tick(struct iax2_reg *g, mono_us now);
mono_us iax2_reg_deadline(const struct iax2_reg *g);
/* Registered, as far as the registrar's word goes. */
bool iax2_reg_is_up(const struct iax2_reg *g);

#endif
