/* SPDX-License-Identifier: MIT */
#ifndef PROTO_ASL_REG_H
#define PROTO_ASL_REG_H

/*
 * Registration with AllStarLink: by JSON over HTTPS, or by REGREQ from the
 * socket that calls use (iax2_reg.h), never by both at once.  Pure: who owns
 * this posts when it is told to, and holds or resumes the REGREQs.
 *
 * Calls reach what the registrar saw.  By REGREQ that is the call socket's
 * own address; by HTTPS it is whatever the way of a TCP connection looks like
 * (a proxy, another uplink), with the port that we claim.  So where the choice
 * is left to us, REGREQ comes first; a POST takes its turn, and HTTPS is kept
 * when both saw the same address and the port is our own.
 *
 * An answer is success only when its text says so.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/keys.h"
#include "proto/mono.h"
#include "proto/net_path.h"

enum asl_reg_way { ASL_REG_BY_IAX2, ASL_REG_BY_HTTPS };

/* What the text of an answer says. */
enum asl_reg_word { ASL_REG_UNCLEAR, ASL_REG_GOOD, ASL_REG_BAD };

struct asl_reg_answer {
	unsigned status; /* of HTTP; 0: no answer came */
	enum asl_reg_word word;
	struct net_addr apparent; /* port 0: it was not told */
	uint32_t refresh_s;       /* 0: it was not told */
};

/* Why the last POST failed. */
enum asl_reg_trouble {
	ASL_REG_OK,
	ASL_REG_SILENT,   /* no answer, or one that is not to be trusted */
	ASL_REG_REFUSED,  /* the password is wrong, or the number */
	ASL_REG_TOO_SOON, /* 429 */
	ASL_REG_BUSY,     /* 5xx */
	ASL_REG_STRANGE,  /* anything that does not say that we are registered
			   */
};

/* What the functions below report; a set of bits. */
enum asl_reg_change {
	ASL_REG_CHANGE_POST = 1, /* post now; asl_reg_answered() is awaited */
	ASL_REG_CHANGE_WAY = 2,  /* asl_reg.way is another */
	ASL_REG_CHANGE_UP = 4,   /* registered by HTTPS */
	ASL_REG_CHANGE_DOWN = 8, /* no longer */
	ASL_REG_CHANGE_TROUBLE = 16,
	ASL_REG_CHANGE_APPARENT = 32, /* asl_reg.by_https is another */
};

struct asl_reg_cfg {
	bool choose;   /* between both ways; else HTTPS it is */
	uint16_t port; /* UDP, of our call socket */
	random_fn random;
	void *random_ctx;
};

struct asl_reg {
	struct asl_reg_cfg cfg;
	enum asl_reg_way way;
	enum asl_reg_trouble trouble;
	bool asking;              /* a POST is under way */
	mono_us due;              /* HTTPS: the next POST; else: its turn */
	mono_us not_before;       /* no POST until then */
	mono_us expires;          /* of the registration by HTTPS; 0: none */
	mono_us compared;         /* when by_iax2 was last known to be true;
				     0: our network is another since */
	unsigned failures;        /* POSTs in a row */
	struct net_addr by_https; /* our address as seen there; port 0: unknown
				   */
	struct net_addr by_iax2;  /* as a registrar's UDP port sees it */
	bool own_word;            /* this registrar's did */
	mono_us last_ok;          /* a POST's success; 0: never */
	uint32_t rtt_us;          /* of the last POST that was answered */
	mono_us asked_at;
};

const char *asl_reg_trouble_text(enum asl_reg_trouble t);

void asl_reg_init(struct asl_reg *g, const struct asl_reg_cfg *cfg,
		  mono_us now);
/* REGREQ has registered us, and @apparent is what the registrar saw. */
unsigned asl_reg_iax2_up(struct asl_reg *g, const struct net_addr *apparent,
			 mono_us now);
/* REGREQ found nobody, or was refused. */
unsigned asl_reg_iax2_failed(struct asl_reg *g, mono_us now);
/* Another registrar sees our call socket at @apparent: counts as long as this
 * one has not said so itself, and for IPv4 alone.  May be told often. */
unsigned asl_reg_seen(struct asl_reg *g, const struct net_addr *apparent,
		      mono_us now);
/* Our own network changed. */
unsigned asl_reg_network_changed(struct asl_reg *g, mono_us now);
/* What came of the POST. */
unsigned asl_reg_answered(struct asl_reg *g, const struct asl_reg_answer *a,
			  mono_us now);
unsigned asl_reg_tick(struct asl_reg *g, mono_us now);
mono_us asl_reg_deadline(const struct asl_reg *g);
/* Registered by HTTPS, as far as the registrar's word goes. */
bool asl_reg_is_up(const struct asl_reg *g);
/* Did both ways see addresses that a call cannot take for one another? */
bool asl_reg_differs(const struct asl_reg *g);

#endif
