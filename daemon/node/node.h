/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_NODE_H
#define DAEMON_NODE_NODE_H

/*
 * What a node is: its registrations, its links to other nodes, who may call,
 * and the conference of its links and its radio.  Pure: it is fed datagrams,
 * 20 ms blocks of audio, commands and time, and answers with datagrams, audio
 * and events.  It knows no socket, no file, no name service and no log.
 *
 * Feed it, then drain node_next_tx() and node_next_event() until both say
 * false, then arm one timer for node_deadline().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/device.h"
#include "audio/jitter.h"
#include "daemon/node/node_codec.h"
#include "daemon/node/station.h"
#include "daemon/node/telemetry.h"
#include "proto/asl_keying.h"
#include "proto/asl_list.h"
#include "proto/iax2_endpoint.h"
#include "proto/openover_node.h"

#define NODE_LINKS_MIN 64U /* that there is room for, whatever calls_max is */
#define NODE_WHY_MAX 128U
#define NODE_DTMF_MAX 64U /* digits waiting to be sent */
#define NODE_ANSWERS_MAX 32U
#define NODE_WAITING_MAX 64U /* callers who are not let in yet */
#define NODE_CALLSIGN_MAX 8U

/* Somebody named by number or by key. */
struct node_caller {
	char number[OO_NUMBER_MAX + 1]; /* empty: by key */
	uint8_t key[KEY_PUBLIC_LEN];
};

/* Somebody who is no node and proves to know a secret. */
struct node_user {
	char name[IAX2_NUMBER_MAX + 1];       /* USERNAME */
	char callsign[NODE_CALLSIGN_MAX + 1]; /* empty: the name */
	char md5_secret[65];
};

/* Who may call.  The lists are borrowed as long as the node; deny wins. */
struct node_acl {
	bool registered; /* anybody that a registrar vouches for, or whose
			    number is where it calls from; else only those of
			    the allow list */
	bool by_address; /* a number is proved by the address of its node */
	bool by_dns_key; /* or by the key that DNS has of it */
	bool web;        /* users of AllStarLink's web transceiver */
	const struct node_caller *allow;
	size_t allow_n;
	const struct node_caller *deny;
	size_t deny_n;
	const struct node_user *users;
	size_t users_n;
	struct key_rsa portal; /* AllStarLink's telephone portal */
};

/* A node that is known without a registrar. */
struct node_peer {
	char number[OO_NUMBER_MAX + 1];
	bool has_key;
	uint8_t key[KEY_PUBLIC_LEN];
	char md5_secret[65]; /* empty: none */
};

struct node_cfg {
	const char *number;                  /* copied */
	const char *callsign;                /* copied; NULL: not told */
	const struct key_identity *identity; /* copied */
	uint16_t port;
	uint32_t keepalive_s;
	uint32_t keepalive_max_s; /* measured, at most; 0: not adapted */
	uint16_t calls_max;       /* 1..8192; memory is linear in this */
	struct iax2_limits limits;
	const struct net_prefix *token_optional; /* borrowed, outlives it */
	size_t token_optional_n;
	uint32_t spray_packets;
	uint32_t spray_sockets;
	enum oo_relay_use relay;
	struct node_formats formats; /* copied; n = 0: node_formats_all() */
	struct jitter_config jitter;
	struct station_config station;
	struct telemetry_cfg telemetry; /* .wpm = 0: the node says nothing */
	unsigned parrot_s; /* room for an over; 0: there is no parrot */
	bool parrot;       /* it is on */
	struct node_acl acl;
	const struct node_peer *peers; /* borrowed like acl */
	size_t peers_n;
	random_fn random;
	void *random_ctx;
};

enum node_mode { NODE_TRANSCEIVE, NODE_MONITOR, NODE_LOCAL_MONITOR };

enum node_link_state {
	NODE_LINK_FREE,
	NODE_LINK_REQUESTING, /* asked a registrar */
	NODE_LINK_PUNCHING,   /* proving a path */
	NODE_LINK_CALLING,    /* NEW is out, or we were called */
	NODE_LINK_UP,
	NODE_LINK_WAITING, /* permanent: until the next try */
};

const char *node_link_state_text(enum node_link_state s);
const char *node_mode_text(enum node_mode m);

/* How a link got through: the rung of OPEN-OVER.md section 3. */
enum node_rung {
	NODE_RUNG_DIRECT,
	NODE_RUNG_OPENED,
	NODE_RUNG_PREDICTED,
	NODE_RUNG_RELAYED,
	NODE_RUNG_MAPPED,
};

const char *node_rung_text(enum node_rung r);

/* Names a link across its life. */
struct node_link_id {
	uint16_t slot;
	uint16_t gen;
};

struct node_connect {
	const char *number; /* NULL: whoever is at @addr */
	/* Port 0: ask a registrar.  Else call it there, plainly, or, with
	 * number NULL, ask a registrar who is seen there. */
	struct net_addr addr;
	enum node_mode mode;
	bool permanent;
};

/* Names a caller who waits. */
struct node_caller_id {
	uint16_t slot; /* < NODE_WAITING_MAX */
	uint16_t gen;
};

/* Who ended a call. */
enum node_ended {
	NODE_ENDED_HERE,   /* this node's operator, or its rules */
	NODE_ENDED_THERE,  /* the other node */
	NODE_ENDED_NOBODY, /* it was lost */
};

const char *node_ended_text(enum node_ended e);

/* What there is to say of a call at its end. */
struct node_record {
	bool outbound;
	bool permanent;
	enum node_mode mode;
	enum node_ended ended;
	mono_us lasted;
	uint32_t dial_us; /* outbound */
	struct iax2_call_info call;
	uint64_t late; /* voice frames that came too late to be heard */
};

enum node_event_kind {
	NODE_EV_REGISTERED,
	NODE_EV_UNREGISTERED,
	NODE_EV_TROUBLE,
	NODE_EV_APPARENT,
	NODE_EV_RELAY,     /* see oo_node_relay_view() */
	NODE_EV_LINK_STEP, /* see state; CALLING: addr, and on by a path that
			      OPEN/OVER proved */
	NODE_EV_LINK_UP,
	NODE_EV_LINK_DOWN,  /* with why, and unless it is refused, with addr and
			      record; the id is stale from here on, unless
			      the link is permanent */
	NODE_EV_LINK_MOVED, /* its call goes on: old, addr; they are the same
			       when it is our own end that moved */
	NODE_EV_CALLER_REFUSED, /* number, addr, why, claimed */
	/* A caller waits for node_admit(), for 4 s: */
	NODE_EV_WHO_IS,      /* where is the node of this number? */
	NODE_EV_WHICH_KEY,   /* has the node of this number in DNS? */
	NODE_EV_WHOSE_TOKEN, /* whose is this token (text) of the web
				transceiver? */
	NODE_EV_KEYED,       /* a link's received voice started or stopped */
	NODE_EV_COR,
	NODE_EV_COR_STUCK,     /* it is no longer believed, or again */
	NODE_EV_PTT,           /* see to it at once: node_ptt() */
	NODE_EV_TIMED_OUT,     /* the transmitter keyed for too long */
	NODE_EV_RADIO_DTMF,    /* digit received by the radio */
	NODE_EV_TEXT,          /* text received on a link */
	NODE_EV_DTMF,          /* digit received on a link; number: of whom */
	NODE_EV_MESSAGE,       /* number's words to us or to all: text */
	NODE_EV_TOLD,          /* number's T: text */
	NODE_EV_BEHIND,        /* node_link_behind() has news */
	NODE_EV_LOOP,          /* number is linked in two ways, once by link */
	NODE_EV_TALKER,        /* number began or ended to talk; text: who */
	NODE_EV_KEYING,        /* its keying is another one: why */
	NODE_EV_ANSWERS,       /* node_answers() is complete */
	NODE_EV_SOCKETS_OPEN,  /* answer with node_sockets() */
	NODE_EV_SOCKETS_CLOSE, /* close all extra sockets but those that
				  node_uses_socket() says */
	NODE_EV_MEASURE,       /* open sockets and answer with
				  node_measure_sockets() */
	NODE_EV_MEASURED,      /* oo_node_measured() has news */
	NODE_EV_STOPPED,       /* node_stop() is done */
};

struct node_event {
	enum node_event_kind kind;
	size_t registrar;
	struct node_link_id link;
	char number[IAX2_NUMBER_MAX + 1];
	struct net_addr addr;
	struct net_addr old; /* LINK_MOVED */
	/* CALLER_REFUSED: where the node of its number is; port 0: unknown. */
	struct net_addr claimed;
	struct node_caller_id caller; /* WHO_IS, WHICH_KEY, WHOSE_TOKEN */
	enum node_link_state state;
	enum node_rung rung; /* of a link */
	uint32_t serial;     /* of its call, counted from the node's start; 0:
				it has none */
	bool on;             /* KEYED, COR, COR_STUCK, PTT, LINK_STEP */
	bool refused;        /* LINK_DOWN: before it was ever up */
	char digit;          /* DTMF, RADIO_DTMF */
	uint32_t count;      /* SOCKETS_OPEN */
	struct oo_id sockets_for;
	char why[NODE_WHY_MAX];
	char text[256];            /* TEXT: cut to fit */
	struct node_record record; /* LINK_DOWN */
};

struct node_link_info {
	struct node_link_id id;
	char number[IAX2_NUMBER_MAX + 1];
	enum node_link_state state;
	enum node_mode mode;
	enum node_rung rung;
	bool outbound;
	bool permanent;
	bool moving; /* UP, and looking for another path */
	bool rx_keyed;
	bool tx_keyed;
	uint32_t playout_ms;
	double drift_ppm; /* by which the peer's clock is fast; 0: not known */
	mono_us dialled;  /* outbound: when the dial began */
	mono_us up_since; /* 0: not up */
	uint32_t dial_us; /* outbound: from dial to ANSWER, once up */
	enum asl_keying_state keying;
	bool loop; /* a node is linked in two ways, once by this link */
	char talker[ASL_NAME_MAX + 1]; /* who talks, through it; empty */
	char why[NODE_WHY_MAX];        /* WAITING: why the last try failed */
	uint32_t serial;               /* as in node_event */
	struct iax2_call_info call;    /* zero before there is a call */
	struct jitter_counters jitter;
};

struct node;

/* NULL when @cfg is out of range or memory is short. */
struct node *node_new(const struct node_cfg *cfg, mono_us now);
/* Accepts NULL, wipes keys, returns NULL. */
struct node *node_free(struct node *n);

void node_rx(struct node *n, const struct dgram *d, mono_us now);
void node_tick(struct node *n, mono_us now);
mono_us node_deadline(const struct node *n);
bool node_next_tx(struct node *n, struct dgram *out);
bool node_next_event(struct node *n, struct node_event *out);

/* What the radio's inputs are, as station_inputs(). */
void node_inputs(struct node *n, unsigned inputs, mono_us since);
/*
 * 20 ms of the radio: @rx is what it received, silence where nothing was
 * captured; @tx is what it is to transmit, and the return value whether PTT is
 * to be keyed.
 */
bool node_audio(struct node *n, const int16_t rx[AUDIO_BLOCK],
		int16_t tx[AUDIO_BLOCK], mono_us now);
/* Nobody speaks, by radio or by a link: until that changes, node_audio() need
 * not be called. */
bool node_rests(const struct node *n);
/* When the next block is best asked for, so that a voice that has begun waits no
 * longer than it must; @now: any time is as good. */
mono_us node_audio_due(const struct node *n, mono_us now);
/* PTT, from its time-out timer and hang time as well. */
bool node_ptt(const struct node *n);
/* Unkey now and stay so: the sound or the radio is not trusted. */
void node_force_unkey(struct node *n, bool force, mono_us now);
/* The radio is gone, or its sound: nobody is received any more, and nothing is
 * transmitted until it is back. */
void node_radio_there(struct node *n, bool there, mono_us now);
/* As station_test_tone(). */
void node_test_tone(struct node *n, uint32_t hz, uint32_t db, mono_us until,
		    mono_us now);

/* Say something on the air, as telemetry_say(); identify. */
void node_say(struct node *n, const char *words, mono_us now);
void node_identify(struct node *n, mono_us now);
/* Turn the parrot (parrot.h) on or off. */
void node_parrot(struct node *n, bool on);
/* What was said so far. */
const struct telemetry *node_telemetry(const struct node *n);
/* Tell the conference, as a T: "TIME,..."; it is not heard on the air. */
void node_report(struct node *n, const char *words, mono_us now);

/* Start a link, or change the mode of one.  IAX2_E_FULL; IAX2_E_RANGE for a bad
 * number or our own; IAX2_E_NOT_OURS for a link-local address, whose interface
 * nobody says; IAX2_E_STATE when there is such a link already; IAX2_E_REFUSED
 * when the node is behind another link (node_behind()): it would be a loop. */
enum iax2_err node_connect(struct node *n, const struct node_connect *c,
			   mono_us now, struct node_link_id *out);
/* Where to try next to call a permanent link that waits for its next try; port
 * 0: ask a registrar.  IAX2_E_STALE when there is none. */
enum iax2_err node_redirect(struct node *n, struct node_link_id id,
			    const struct net_addr *addr);
/* End links: to @number, or all when NULL.  The other nodes are told not to dial
 * again.  Returns how many. */
size_t node_disconnect(struct node *n, const char *number, mono_us now);
/* Give up a dial, or end a link, by id. */
enum iax2_err node_drop(struct node *n, struct node_link_id id, mono_us now);
/* Send digits to all links, one every 120 ms; IAX2_E_RANGE for what is no
 * digit, IAX2_E_FULL. */
enum iax2_err node_dtmf(struct node *n, const char *digits, mono_us now);

/* What was found out of a caller who waits. */
struct node_admission {
	/* Why it stays unknown, as a sentence; NULL: it is known. */
	const char *why;
	/* WHO_IS: where its node is, the port not compared. */
	const struct net_addr *addr;
	size_t n;
	bool configured; /* and this is the operator's word, not a directory's */
	/* WHICH_KEY: KEY_PUBLIC_LEN octets; NULL: there is none. */
	const uint8_t *key;
	/* WHOSE_TOKEN: 1..NODE_CALLSIGN_MAX characters. */
	const char *callsign;
};

/* Answer NODE_EV_WHO_IS, _WHICH_KEY and _WHOSE_TOKEN.  Late answers are ignored. */
void node_admit(struct node *n, struct node_caller_id id,
		const struct node_admission *a, mono_us now);

/* --- text (proto/asl_text.h) -------------------------------------------- */

/* Messages received that went no further, by why. */
struct node_text_counters {
	uint64_t malformed[ASL_KINDS];
	uint64_t unknown;
	uint64_t limited; /* more than a link may send, or the node passes on */
	uint64_t looped;  /* our own, or come by two links */
	uint64_t unsent;  /* a call had no room for them */
};

/* What a node said of its radio. */
struct node_answer {
	char number[ASL_NAME_MAX + 1];
	bool keyed;
	uint32_t seconds; /* since it was last keyed */
};

const struct node_text_counters *node_text_counters(const struct node *n);
/* The nodes behind a link, as it listed them last; false: no such link. */
bool node_link_behind(const struct node *n, struct node_link_id id,
		      struct asl_list *out);
/* The number of the link that @number is behind; NULL: none. */
const char *node_behind(const struct node *n, const char *number);
/* Ask all nodes whether their radios are keyed; NODE_EV_ANSWERS follows in 3 s.
 * IAX2_E_STATE while they are being asked. */
enum iax2_err node_ask(struct node *n, mono_us now);
/* Who answered last; returns how many. */
size_t node_answers(const struct node *n, const struct node_answer **out);
/* Digits for one node, however far: commands.  IAX2_E_RANGE; IAX2_E_FULL when
 * NODE_DTMF_MAX are on their way, or some to another node. */
enum iax2_err node_command(struct node *n, const char *number,
			   const char *digits, mono_us now);
/* Words for one node, or all (NULL).  IAX2_E_RANGE: too many, or not plain. */
enum iax2_err node_message(struct node *n, const char *number,
			   const char *words, mono_us now);

/* Hang up, unkey, say good-bye to the registrars; NODE_EV_STOPPED follows. */
void node_stop(struct node *n, mono_us now);

/* Addresses or routes of this host changed. */
void node_network_changed(struct node *n, mono_us now);

/* The node's parts, for configuration and looking. */
struct oo_node *node_openover(struct node *n);
const struct iax2_endpoint *node_endpoint(const struct node *n);
void node_sockets(struct node *n, struct oo_id id, uint16_t first,
		  uint16_t count, mono_us now);
bool node_uses_socket(const struct node *n, uint16_t sock);
/* Measure the network now (openover_node.h); NODE_EV_MEASURE follows unless it
 * is under way.  False when no registrar helps. */
bool node_measure(struct node *n, mono_us now);
void node_measure_sockets(struct node *n, const struct oo_measure_sockets *s,
			  mono_us now);

/* New settings that need no restart.  Links that they forbid end, and
 * NODE_EV_LINK_DOWN says so. */
void node_reconfigure(struct node *n, const struct node_cfg *cfg, mono_us now);

/* Links have slots from 0 to this, exclusive: as many as calls_max, and no fewer
 * than NODE_LINKS_MIN. */
size_t node_links_max(const struct node *n);
/* False when slot @i holds none. */
bool node_link_at(const struct node *n, size_t i, struct node_link_info *out);
bool node_link(const struct node *n, struct node_link_id id,
	       struct node_link_info *out);
/* The other ends of up to @max calls on the main socket into @out, those who
 * have talked lately first (NODE_EV_KEYED: that may have changed); how many. */
size_t node_peers(const struct node *n, struct net_addr *out, size_t max);
/* What the radio does; levels of the last second. */
void node_radio(const struct node *n, struct station_view *out);

#endif
