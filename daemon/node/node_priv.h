/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_NODE_PRIV_H
#define DAEMON_NODE_NODE_PRIV_H

/*
 * What the parts of the node share: composition and events (node.c), links
 * (node_links.c, their ends in node_ends.c, what is told of
 * those in node_record.c), their calls (node_calls.c),
 * those that come without a key (node_admit.c) and who of them may
 * (node_doors.c), their moves to other addresses
 * (node_move.c), out of a relay (node_better.c), who may call (node_acl.c), the
 * conference (node_conference.c) and its links' voice (node_voice.c, node_ears.c), text
 * between nodes (node_text.c), their lists (node_lists.c) and good-byes
 * (node_leave.c).
 */

#include "audio/playout.h"
#include "daemon/node/node.h"
#include "daemon/node/parrot.h"
#include "proto/rate.h"

/* A link that looks for another path for its call. */
struct link_move {
	bool moving;
	bool plain;    /* without a ticket: it waits for a sign of life */
	bool dialling; /* a registrar is asked, as @dial */
	bool better;   /* nothing is wrong with the path it has */
	bool found;    /* one was proved, of this rung */
	enum node_rung rung;
	struct net_path path;
	struct oo_id dial;
	mono_us began;
	mono_us until; /* no new ways are sought after it */
	mono_us next;
};

/* A link whose call goes through a relay, and would rather not. */
struct link_better {
	mono_us next; /* when to look for a direct path; MONO_NEVER: not */
	unsigned tries;
	unsigned hopeless; /* of them, the last ones that said so */
	bool held;         /* one was proved before the call was up: */
	struct net_path path;
	enum node_rung rung;
};

/* What a link's other end says of itself. */
struct link_text {
	struct asl_list behind; /* the nodes behind it */
	mono_us behind_at;      /* when it said so; 0: never */
	mono_us list_sent;      /* our list */
	mono_us list_due;
	uint64_t list_hash;
	struct rate lists; /* how often it may list */
	struct rate rate;  /* and say anything else */
	bool loop;
	bool talker;                /* it takes part in ASL_TALKER */
	char who[ASL_NAME_MAX + 1]; /* talks, through it; empty: nobody */
};

/* How a caller came in. */
enum node_door {
	NODE_DOOR_KEY,     /* a ticket, or an entry of peers */
	NODE_DOOR_ADDRESS, /* it calls from where its number is */
	NODE_DOOR_DNS_KEY, /* it proves the key that DNS has of its number */
	NODE_DOOR_USER,    /* a user who knows a secret; */
	NODE_DOOR_PORTAL,  /* the telephone portal's, */
	NODE_DOOR_WEB,     /* the web transceiver's: these are no nodes */
};

/* A caller who is let in later, or is not. */
struct waiting {
	enum {
		WAITING_FREE,
		WAITING_PROOF, /* it was challenged; its call ends that */
		WAITING_ASKED,
		WAITING_ADMITTED,
	} state;
	uint16_t gen;
	enum node_door door;
	struct iax2_event ev;
	mono_us at;    /* ASKED: it is given up; ADMITTED: it is let in */
	mono_us until; /* that its call waits for */
};

struct link {
	/* What each frame that it is sent asks for. */
	enum node_link_state state;
	enum node_mode mode;
	struct iax2_call_id call; /* CALLING, UP */
	struct link_ear *ear;     /* NULL: it has not talked lately */
	struct codec *tx;         /* made with the node, as links come and go */
	uint32_t tx_ts;
	bool tx_keyed;
	bool rx_keyed;
	bool talking; /* this tick's block is in the mix */
	uint16_t gen;
	char number[IAX2_NUMBER_MAX + 1]; /* empty: not yet known */
	struct node_connect want;         /* number points to the array above */
	enum node_rung rung;
	bool outbound;
	bool permanent;
	bool was_up;
	/* What was proved of the other node when its call was let in, or its
	 * ticket came. */
	enum node_door door;
	bool vouched; /* by a registrar */
	bool has_key;
	uint8_t key[KEY_PUBLIC_LEN];
	struct oo_id dial;          /* the last one; its punch may outlive it */
	uint32_t serial;            /* of that call */
	struct iax2_call_info last; /* of it, when it was given up */
	enum node_ended ended;      /* by whom, if it ends now */
	uint16_t sock;              /* extra socket of its path, 0: none */
	mono_us dialled;
	mono_us up_since;
	mono_us retry_at; /* WAITING */
	unsigned failures;
	unsigned retries; /* left to a link that is not permanent */
	mono_us lost;     /* when it was last up */
	uint32_t dial_us;
	char why[NODE_WHY_MAX]; /* why the last try failed */
	struct link_move move;
	struct link_better better;
	struct asl_keying keying;
	struct link_text text;
	/* Received voice. */
	struct jitter_counters before; /* of the ears that it had */
	mono_us loud_until;            /* a telephone's */
	/* The table. */
	bool taken;
	bool hashed;        /* by its number */
	uint16_t hash_next; /* the next link in its bucket */
};

/* So many may talk at a time; many more listen. */
#define NODE_EARS 64U

/* What it takes to hear a link.  Lent to those that talk: whoever has been
 * silent longest gives its ear to the next. */
struct link_ear {
	struct link *of; /* NULL: free */
	struct jitter jitter;
	struct codec *codec;
	uint32_t format; /* what codec decodes; 0: not begun */
	struct playout playout;
	int16_t block[AUDIO_BLOCK];
};

#define NODE_NO_LINK UINT16_MAX

#define NODE_TX_MAX 4096U /* datagrams queued, but for those of each call */

#define NODE_SEEN_MAX 32U
#define NODE_GONE_MAX 16U

/* A message that was passed on: it does not come back by another link. */
struct text_seen {
	uint64_t hash;
	uint16_t slot;
	mono_us at;
};

/* A link that ended, and may be back before it is worth a word. */
struct text_gone {
	char number[IAX2_NUMBER_MAX + 1];
	mono_us tell; /* 0: free */
};

struct node_text {
	struct node_text_counters n;
	struct rate passed; /* on, from link to link */
	char callsign[ASL_ALIAS_MAX + 1];
	uint64_t salt;
	mono_us look_at;   /* for loops; 0: nothing changed */
	mono_us spread_at; /* to tell all links of it; 0: nothing did */
	mono_us list_next; /* no list before */
	struct text_seen seen[NODE_SEEN_MAX];
	size_t seen_next;
	struct text_gone gone[NODE_GONE_MAX];
	/* Our radio, as other nodes may ask: when it was last keyed. */
	bool keyed;
	mono_us keyed_at;
	/* Our own question. */
	mono_us asked_until; /* 0: none */
	struct node_answer answer[NODE_ANSWERS_MAX];
	size_t answers;
	/* Digits on their way to one node. */
	char dest[ASL_NAME_MAX + 1];
	char digits[NODE_DTMF_MAX];
	size_t digits_n;
	uint32_t seq;
	mono_us digit_next;
};

/* A call that said good-bye and is hung up when that has been read. */
struct leaving {
	bool used;
	struct iax2_call_id call;
	uint16_t sock;
	mono_us at;
};

#define NODE_EVENTS_MIN 256U /* and one for each link: all may end at once */

/* A beat's sources. */
struct node_mix {
	int32_t links[AUDIO_BLOCK]; /* sum of the talking links */
	int32_t all[AUDIO_BLOCK];   /* and of the radio */
	unsigned relayed;           /* talking links that others may hear */
	unsigned heard;             /* talking links */
	bool radio;
	bool parrot; /* what was said before is said again */
};

/* What several links are to hear, coded once for each codec without a
 * memory. */
struct voice_mix {
	int16_t pcm[AUDIO_BLOCK];
	bool coded[CODEC_COUNT];
	uint8_t codes[CODEC_COUNT][CODEC_FRAME_OCTETS_MAX];
};

/* What a beat says to the links, and how many of them it has been told. */
struct node_speech {
	struct node_mix mix;
	struct voice_mix shared;
	mono_us at;
	size_t first; /* whose turn it was before all others' */
	size_t next;  /* links from there on, round the table */
};

struct node {
	struct node_cfg cfg;
	char number[OO_NUMBER_MAX + 1];
	struct oo_node *oo;
	struct iax2_endpoint *ep;
	struct link *link;
	size_t links_max;
	uint16_t *free_link; /* a stack of those that are free */
	size_t free_n;
	uint16_t *of_call;   /* link by the slot of its call, or its former */
	uint16_t *by_number; /* heads of lists */
	uint32_t calls;      /* of links, so far */
	size_t number_mask;
	struct codec *
		*tx;  /* by link; made with the node, as links come and go */
	mono_us *due; /* by link, when it needs a tick; 0: look */
	size_t tick_from;      /* the slot whose turn is first */
	size_t tx_keyed_n;     /* links that are being talked to */
	struct link_ear *ear;  /* NODE_EARS */
	struct resample *pace; /* whose table they share */
	struct station *station;
	struct telemetry telemetry;
	struct parrot parrot;
	int16_t parroted[AUDIO_BLOCK]; /* this beat, if it plays */
	struct node_speech speech;
	uint32_t turn; /* whose it is to be told first, of 2^32 */
	uint64_t timeouts_was;
	struct node_text text;
	struct leaving *leaving; /* links_max */
	size_t leaving_n;        /* used */
	struct waiting waiting[NODE_WAITING_MAX];
	mono_us let_in; /* the last of them; 0: none */
	/* As last reported. */
	bool ptt_was;
	bool cor_was;
	bool stuck_was;
	/* Digits on their way out: each is begun, then ended. */
	char dtmf[NODE_DTMF_MAX];
	size_t dtmf_n;
	bool dtmf_down;
	mono_us dtmf_next;
	mono_us arrived;     /* what was received last */
	mono_us net_changed; /* last; 0: never */
	bool stopping;       /* for good: there is no way back */
	bool stopped;
	bool released;
	bool releasing;     /* good-bye is said to the registrars */
	mono_us release_at; /* at the latest */
	mono_us stop_by;
	struct node_event *events;
	size_t events_max;
	size_t ev_head;
	size_t ev_n;
};

/* node.c */
struct node_event *node_push(struct node *n, enum node_event_kind kind);
struct node_event *node_push_link(struct node *n, enum node_event_kind kind,
				  const struct link *l);

/* node_conference.c: report what the radio does since the last time; tell a few
 * more links what the last beat has for them, false: all know. */
void node_note_radio(struct node *n);
bool node_speak(struct node *n);

/* node_links.c: the table, ends, dialling */
bool node_links_new(struct node *n);
void node_links_free(struct node *n);
struct link *link_new(struct node *n); /* NULL: no room */
/* It is free again, once it is NODE_LINK_FREE. */
void link_give_back(struct node *n, struct link *l);
/* The first link of which @is_it says so, given @what; NULL: none. */
typedef bool link_test(const struct link *l, const void *what);
struct link *link_find(struct node *n, link_test *is_it, const void *what);
struct link *link_by_number(struct node *n, const char *number);
/* Is another link that is up, and speaks, one to @number? */
bool link_is_twice(const struct node *n, const struct link *l,
		   const char *number);
void link_set_number(struct node *n, struct link *l, const char *number);
/* The link whose call this is, CALLING or UP; NULL: none. */
struct link *link_by_call(struct node *n, struct iax2_call_id call);
void link_set_call(struct node *n, struct link *l, struct iax2_call_id call);
/* No node, but somebody with a telephone or a program: voice keys, and text is
 * not for it. */
bool link_is_client(const struct link *l);
/* The other node has proved this key; NULL: none. */
void link_proved(struct link *l, const uint8_t *key, bool vouched);
/* It has no call and no socket of its own any more. */
void link_forget_call(struct node *n, struct link *l);
/* What becomes of a link whose call, or the way to that, has ended. */
enum link_then {
	LINK_OVER,
	LINK_AGAIN, /* a permanent one, or one that was up, is dialled again */
	LINK_LATER, /* that too, and what stood in its way passes by itself */
};
/* The link is over, or rests for a while. */
void link_down(struct node *n, struct link *l, const char *why,
	       enum link_then then, mono_us now);
/* It was up: it is dialled again as one that was lost now. */
void link_lost(struct link *l, mono_us now);
/* Stop dialling, or hang up at once. */
void link_leave(struct node *n, struct link *l, mono_us now);
/* Both, for good. */
void link_end(struct node *n, struct link *l, const char *why, mono_us now);
/* Give up what leads to the other node, as @why says if it was up, and keep the
 * link. */
void link_yield(struct node *n, struct link *l, const char *why, mono_us now);
/* And dial anew. */
void link_redial(struct node *n, struct link *l, const char *why, mono_us now);
/* Tell that @number at @addr (NULL: unknown) may not call, and why. */
struct node_event *node_caller_refused(struct node *n, const char *number,
				       const struct net_addr *addr,
				       const char *why);
void node_links_on_openover(struct node *n, const struct oo_event *ev,
			    mono_us now);
/* End all links, for now: permanent ones of others may be back. */
void node_links_end(struct node *n, mono_us now);
/* End the links that the rules of now forbid. */
void node_links_recheck(struct node *n, mono_us now);
/* What is due of a link that waits, and when. */
void link_wait_tick(struct node *n, struct link *l, mono_us now);
mono_us link_wait_due(const struct link *l);

/* node_record.c: keep what can be said of a call that is given up; that its end
 * told. */
void link_note(struct node *n, struct link *l);
void link_note_end(struct link *l, const struct iax2_event *ev);
/* Into the event of its end, if it was up. */
void link_record(const struct link *l, struct node_event *ev, mono_us now);

/* node_due.c: whatever may change when a link, or any of them, needs a tick says
 * so.  What its events report, and new links, say so by themselves. */
void node_touch(struct node *n, const struct link *l);
void node_touch_all(struct node *n);
void node_links_tick(struct node *n, mono_us now);
mono_us node_links_deadline(const struct node *n);

/* node_calls.c */
void node_links_on_call(struct node *n, const struct iax2_event *ev,
			mono_us now);
/* A caller is let in, as the number that @ev says. */
void node_call_welcome(struct node *n, const struct iax2_event *ev,
		       enum node_door door, mono_us now);
/* A rule, as @why says, refuses a caller; @claimed: where the node of its
 * number is, or NULL. */
void node_call_forbid(struct node *n, const struct iax2_event *ev,
		      const char *why, const struct net_addr *claimed,
		      mono_us now);
/* No rule is against a caller: there is no room at present. */
void node_call_put_off(struct node *n, const struct iax2_event *ev,
		       const char *why, mono_us now);

/* node_doors.c: by which door a caller without a ticket would come in, and the
 * rule that closes that; NULL: none. */
enum node_door node_door_of(const struct node *n, const struct iax2_event *ev);
const char *node_door_forbids(const struct node *n, const struct iax2_event *ev,
			      enum node_door door);
/* Is it us whom it asks for? */
bool node_door_is_ours(const struct node *n, const struct iax2_event *ev);
/* And one that was let in as @number. */
const char *node_door_closed(const struct node *n, enum node_door door,
			     const char *number, const uint8_t *key);
const struct node_user *node_door_user(const struct node *n, const char *name);
const char *node_door_name(const struct node_user *u);
/* Is it a callsign, and no node's number? */
bool node_door_callsign(const char *s);

/* node_admit.c: a call without a ticket, from nobody of peers; one that proved
 * itself (false: it is of peers); one that ended. */
void node_admit_call(struct node *n, const struct iax2_event *ev, mono_us now);
bool node_admit_proved(struct node *n, const struct iax2_event *ev,
		       mono_us now);
void node_admit_answer(struct node *n, struct node_caller_id id,
		       const struct node_admission *a, mono_us now);
void node_admit_gone(struct node *n, struct iax2_call_id call,
		     enum iax2_down_reason reason);
/* A caller is to prove what @want says. */
void node_admit_challenge(struct node *n, const struct iax2_event *ev,
			  enum node_door door,
			  const struct iax2_credentials *want, mono_us now);
void node_admit_tick(struct node *n, mono_us now);
mono_us node_admit_deadline(const struct node *n);

/* node_move.c */

/* Our address may have changed: every call is moved, or at least looked at. */
void node_move_all(struct node *n, mono_us now);
/*
 * Another path to the other end of a link was proved, by a punch with that
 * node: go on with its call there, and call it @rung.  The peer agrees, which
 * shows in NODE_EV_LINK_MOVED, or within 10 s nothing changes; its extra socket
 * is kept meanwhile.  IAX2_E_STATE when the link is not up, or was opened
 * without a ticket.
 */
enum iax2_err link_move_to(struct node *n, struct link *l,
			   const struct net_path *path, enum node_rung rung,
			   mono_us now);
/* Look for a direct path for a call that goes through a relay. */
void node_move_seek(struct node *n, struct link *l, mono_us now);
/* The link's call is over. */
void node_move_end(struct node *n, struct link *l);
void node_move_on_call(struct node *n, struct link *l,
		       const struct iax2_event *ev, mono_us now);
/* Is this the loss that a change of network brings, to be mended by a new
 * call? */
bool node_move_redials(const struct node *n, const struct link *l,
		       enum iax2_down_reason reason, mono_us now);
/* False: the event is of no dial of ours. */
bool node_move_on_openover(struct node *n, const struct oo_event *ev,
			   mono_us now);
void link_move_tick(struct node *n, struct link *l, mono_us now);
mono_us link_move_due(const struct link *l);

/* node_better.c */

/* How a path is called that was found so. */
enum node_rung node_rung_found(bool relayed, bool predicted, bool mapped);
/* The call of a link is up; it was moved, by us or by the peer from another
 * path; our own network changed; its last try ended. */
void node_better_up(struct node *n, struct link *l, mono_us now);
void node_better_moved(struct node *n, struct link *l, bool followed,
		       mono_us now);
void node_better_changed(struct link *l, mono_us now);
void node_better_failed(struct link *l, const struct oo_event *ev);
/* The link's call is over. */
void node_better_end(struct node *n, struct link *l);
/* OO_EV_BETTER. */
void node_better_on_openover(struct node *n, const struct oo_event *ev,
			     mono_us now);
bool node_better_uses_socket(const struct link *l, uint16_t sock);
void link_better_tick(struct node *n, struct link *l, mono_us now);
mono_us link_better_due(const struct link *l);

/* node_text.c */
uint64_t node_text_hash(const struct node *n, const char *text);
void node_text_init(struct node *n, mono_us now);
/* The link's call is up; is over. */
void node_text_up(struct node *n, struct link *l, mono_us now);
void node_text_down(struct node *n, struct link *l, mono_us now);
void node_text_in(struct node *n, struct link *l, const struct iax2_event *ev,
		  mono_us now);
/* KEY or UNKEY. */
void node_text_key(struct node *n, struct link *l, bool keyed, mono_us now);
/* Our radio receives, or does not; so does a link. */
void node_text_radio(struct node *n, bool keyed, mono_us now);
void node_text_talks(struct node *n, struct link *l, bool talks, mono_us now);
void link_keying_tick(struct node *n, struct link *l, mono_us now);
mono_us link_keying_due(const struct link *l);
void node_text_tick(struct node *n, mono_us now);
mono_us node_text_deadline(const struct node *n);
/* A message on one link; false: there was no room. */
bool node_text_say(struct node *n, const struct link *l, const char *text,
		   mono_us now);
/* Where @t goes: @text is how it reads, @from whence it came (NULL: from
 * here). */
void node_text_send(struct node *n, const struct link *from,
		    const struct asl_text *t, const char *text, mono_us now);

/* node_tell.c: what this node says of its own accord */
void node_tell_up(struct node *n, const struct link *l, mono_us now);
void node_tell_down(struct node *n, struct link *l, mono_us now);
/* What another said on its way. */
void node_tell_keyed(struct node *n, const struct asl_text *t);
void node_tell_talker(struct node *n, struct link *l, const struct asl_text *t);
void node_tell_tick(struct node *n, mono_us now);
mono_us node_tell_deadline(const struct node *n);

/* node_lists.c */

/* The link takes part from now on. */
void node_lists_up(struct link *l, mono_us now);
/* A link came, went, or is another one now: tell the others soon. */
void node_lists_changed(struct node *n, mono_us now);
/* It listed the nodes behind it. */
void node_lists_in(struct node *n, struct link *l, const struct asl_text *t,
		   mono_us now);
/* The first link that has @number behind it, as more than a wish of it unless
 * @wished; NULL: none. */
const struct link *node_lists_find(const struct node *n, const char *number,
				   bool wished);
/* The lists of one tick. */
struct lists_said {
	size_t n;     /* lists made, or said once more */
	size_t looks; /* links looked at */
	/* What most are told, once it was made, and the end of the slots that
	 * it is about. */
	bool made;
	size_t end;
	struct asl_list list;
	char text[ASL_TEXT_MAX + 1];
	uint64_t hash;
};
void link_lists_tick(struct node *n, struct link *l, struct lists_said *said,
		     mono_us now);
mono_us link_lists_due(const struct node *n, const struct link *l);
void node_lists_tick(struct node *n, mono_us now);
mono_us node_lists_deadline(const struct node *n);

/* node_leave.c: end the link, and tell the other node not to dial again. */
void link_good_bye(struct node *n, struct link *l, const char *why,
		   mono_us now);
bool node_leave_uses_socket(const struct node *n, uint16_t sock);
void node_leave_now(struct node *n, mono_us now);
void node_leave_tick(struct node *n, mono_us now);
mono_us node_leave_deadline(const struct node *n);

/* The rule that nothing overrules. */
#define NODE_ACL_DENY "accept.deny"
/* node_acl.c: may this caller come?  NULL, or the rule that forbids it. */
const char *node_acl_forbids(const struct node *n, const char *number,
			     const uint8_t *key, bool vouched);
/* May @key speak for @number?  NULL, or why not: a key that is listed here
 * stands above a registrar's word. */
const char *node_key_forbids(const struct node *n, const char *number,
			     const uint8_t key[KEY_PUBLIC_LEN]);
/* The configured peer of this number, or NULL. */
const struct node_peer *node_peer(const struct node *n, const char *number);

/* node_voice.c */
bool node_voice_new(struct node *n);
void node_voice_free(struct node *n);
/* The link is over, or has another call soon: it neither talks nor hears. */
void node_voice_drop(struct node *n, struct link *l);
/* The speaker unkeyed. */
void node_voice_end(struct link *l);
/* node_ears.c */
bool node_ears_new(struct node *n);
void node_ears_free(struct node *n);
/* The link's ear, or another's that is silent; NULL: too many talk. */
struct link_ear *node_ear_for(struct node *n, struct link *l);
void node_ear_drop(struct link *l);
/* The link is up and speaks @format. */
void node_voice_start(struct link *l, uint64_t format);
void node_voice_in(struct node *n, struct link *l, const struct iax2_event *ev);
/* The next 20 ms of what the link says into its ear's block, silence where something
 * is missing; false when it says nothing. */
bool node_voice_hear(struct link_ear *e, mono_us now);

void node_voice_say(struct node *n, struct link *l,
		    const int16_t pcm[AUDIO_BLOCK], mono_us now);
void node_voice_say_mix(struct node *n, struct link *l, struct voice_mix *m,
			mono_us now);
/* The spurt is over. */
void node_voice_pause(struct node *n, struct link *l, mono_us now);

#endif
