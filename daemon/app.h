/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_APP_H
#define DAEMON_APP_H

/*
 * The node daemon put together: configuration, identity, sockets, names,
 * radio, control socket and the node, on one event loop.
 */

#include <event2/event.h>

#include "config/conf.h"
#include "daemon/doctor/radio.h"
#include "daemon/io/control.h"
#include "daemon/io/hooks.h"
#include "daemon/io/loop.h"
#include "daemon/io/netlook.h"
#include "daemon/io/netwatch.h"
#include "daemon/io/resolve.h"
#include "daemon/io/seen.h"
#include "daemon/io/trace.h"
#include "daemon/io/udp.h"
#include "daemon/lookup_io.h"
#include "daemon/node/command.h"
#include "daemon/node/node.h"
#include "daemon/portmap_io.h"
#include "daemon/radio_io.h"

#define APP_SIGNALS 4U
#define APP_WAITERS 32U

/* A console that waits for its connect to end. */
struct app_waiter {
	struct control_request *req; /* NULL: free */
	struct node_link_id link;
	mono_us until;
};

/* A console that waits to hear where a node is. */
struct app_asker {
	struct app *app;
	struct control_request *req; /* NULL: it has gone */
	bool used;
};

/* A connect whose host or number is being looked up. */
struct app_lookup {
	struct app *app;
	struct control_request *req; /* NULL: nobody waits any more */
	bool used;
	bool wait;
	mono_us until;
	char number[OO_NUMBER_MAX + 1];
	enum node_mode mode;
	bool permanent;
	bool fresh;               /* what was found before may be old */
	bool by_number;           /* it was found by its number */
	bool by_registrar;        /* and is called through one */
	bool beyond;              /* the registrar does not know it */
	bool function;            /* digits want it: they hear of it */
	bool tell;                /* and the conference does */
	struct node_link_id link; /* permanent, and to be tried again */
};

/* How a link was dialled. */
struct app_dialled {
	uint16_t gen; /* the link's; 0: none */
	bool by_number;
	bool by_registrar;
	enum node_mode mode;
};

/* A console that waits for what the doctor finds. */
struct app_doctor {
	struct control_request *req; /* NULL: free */
	mono_us until;
	bool measures;    /* the network */
	mono_us mixer_by; /* the mixer is awaited until then; 0: it is not */
	mono_us look;     /* whether it was read */
};

/* A console that watches the meters. */
struct app_meters {
	struct control_request *req; /* NULL: free */
	mono_us every, next;
	mono_us until; /* MONO_NEVER: as long as it likes */
};

/* A console that waits for the mixer to be set. */
struct app_setting {
	struct control_request *req; /* NULL: none */
	mono_us next;                /* look at it */
	mono_us until;
};

/* A console that transmits a test tone. */
struct app_tone {
	struct control_request *req; /* NULL: none */
	mono_us next;                /* look at it */
	mono_us until;
	mono_us keyed; /* since when; 0: not yet */
};

#define APP_ENDED_MAX APP_WAITERS /* they are dialled at once */

/* A link that was ended with all others, and may be wanted back. */
struct app_ended {
	char number[OO_NUMBER_MAX + 1];
	enum node_mode mode;
	bool permanent;
};

#define APP_SOUNDS 256U

/* What is to be said, from files. */
struct app_sounds {
	struct telemetry_sound v[APP_SOUNDS];
	int16_t *samples[APP_SOUNDS]; /* theirs, owned */
	size_t n;
};

struct app_commands {
	struct commands machine;
	struct rate announced; /* links that come and go */
	struct rate told;      /* what other nodes tell */
	mono_us used;          /* a function, here; 0: none yet */
	struct app_ended ended[APP_ENDED_MAX];
	size_t ended_n;
	char keyed[IAX2_NUMBER_MAX + 1]; /* last; empty: nobody yet */
};

struct app_registrar {
	struct app *app;
	size_t index;
	char no_address[CONTROL_WHY_MAX]; /* why it has none; "": it has */
	/* The doctor asks it by TCP when it is silent by UDP. */
	struct seen_client *probe; /* asked, or was */
	bool probing, answered;
	struct event *again;  /* to look its name up again */
	struct net_addr seen; /* where it saw us when that was last said */
};

struct app_lists {
	struct node_caller *allow;
	struct node_caller *deny;
	struct node_peer *peers;
	size_t peers_n;
	struct node_user *users;
	size_t users_n;
	struct key_rsa portal;
};

struct app {
	const char *conf_file;
	struct conf_node conf;
	/* What the node borrows, made from conf. */
	struct app_lists lists;
	struct net_prefix token_optional[CONF_PREFIXES_MAX];

	struct event_base *base;
	struct event *signals[APP_SIGNALS];
	struct udp *udp;
	struct resolver *resolver;
	struct lookup_io *numbers; /* where nodes are */
	struct app_names *names;   /* app_names.c; NULL: none are known */
	struct control *control;
	struct trace trace;
	struct radio_io *radio;
	struct node *node;
	struct key_identity id;
	struct loop_timer timer;
	struct loop_beat beat;
	unsigned quiet; /* beats that nobody needed, in a row */
	bool resting;   /* beats are far apart */
	struct event *watchdog;
	struct netwatch *netwatch; /* NULL: the kernel tells us nothing */
	struct netlook *netlook;
	struct seen_client *tcp;  /* asked, or was */
	struct net_addr tcp_seen; /* our address by TCP; port 0: unknown */
	struct event *addresses;  /* looks at our own addresses now and then */
	struct net_addr own[NETLOOK_OWN];
	size_t own_n;
	struct app_registrar registrar[CONF_REGISTRARS_MAX];
	struct app_waiter waiter[APP_WAITERS];
	struct app_doctor doctor[APP_WAITERS];
	struct doctor_recent xruns;
	struct app_lookup lookup[APP_WAITERS];
	struct app_meters meters[APP_WAITERS];
	struct app_setting setting;
	struct app_tone tone;
	struct control_request *keep; /* the fob's EEPROM does; or NULL */
	struct app_asker asker[APP_WAITERS];
	struct app_dialled *dialled;              /* by the link's slot */
	struct control_request *who[APP_WAITERS]; /* they asked who keyed */
	struct app_sounds sounds;
	struct hooks *hooks;
	struct app_commands commands;
	struct app_https *https; /* app_https.h; NULL: no registrar by HTTPS */
	struct app_accept *accept;       /* app_accept.c */
	struct app_permanent *permanent; /* app_permanent.c */
	struct app_stats *stats;    /* app_stats.h; NULL: none are posted */
	struct app_fetch *fetch;    /* app_fetch.h; NULL: nothing is fetched */
	struct portmap_io *portmap; /* NULL: map.enabled is off */
	mono_us started;
	bool pumping;
	bool stopping;
	bool stopped; /* the node has said its good-byes */
};

/* Run until told to stop.  0, or 1 after one sentence on stderr. */
int app_run(const char *conf_file);

/* Bring the node's output where it belongs; call it after every entry. */
void app_pump(struct app *a);

/* app_conf.c: what the node is made of, from the configuration.  0, or
 * -errno with a sentence in @why. */
int app_conf_build(struct app *a, const struct conf_node *conf,
		   struct node_cfg *out, char why[CONTROL_WHY_MAX]);
void app_conf_free(struct app_lists *lists);
/* app_station.c: the radio's part of it, for a radio of @type. */
struct station_config app_station(const struct conf_node *conf,
				  enum conf_radio type);
/* SIGHUP and the reload command: 0, or -errno with a sentence in @why and
 * nothing changed.  @restart, an array or NULL, gets the names of the settings
 * that changed in the file and wait for a restart. */
int app_reload(struct app *a, json_t *restart, char why[CONTROL_WHY_MAX]);

/* app_events.c */

/* Tell consoles and hooks of an event, which is consumed. */
void app_publish(struct app *a, json_t *params);
void app_on_event(struct app *a, const struct node_event *ev);

/* app_links.c: links, and callers that are refused. */
void app_link_event(struct app *a, const struct node_event *ev);

/* app_measure.c: the node wants to measure with @registrar; it has news. */
void app_measure_open(struct app *a, size_t registrar);
void app_measure_news(struct app *a);

/* app_control.c: the control socket's methods. */
int app_control_open(struct app *a, char why[CONTROL_WHY_MAX]);
void app_control_tick(struct app *a, mono_us now);
mono_us app_control_deadline(const struct app *a);
const char *app_text_param(const json_t *params, const char *name);
/* Answer @req with a sentence. */
void app_bad_params(struct control_request *req, const char *what);
void app_refuse(struct control_request *req, const char *why);

/* app_connect.c: the method "connect". */
void app_connect(void *ctx, struct control_request *req, const json_t *params);
/* A link came up, went down or took a step: tell whoever waits for it. */
void app_connect_link(struct app *a, const struct node_event *ev);
/* Begin a link to what was looked up (@addr NULL or port 0: a registrar is
 * asked), or say why not, to who asked or to the log. */
void app_connect_start(struct app *a, struct control_request *req,
		       const struct app_lookup *what,
		       const struct net_addr *addr);
void app_connect_failed(struct control_request *req,
			const struct app_lookup *what, const char *why);
void app_connect_tick(struct app *a, mono_us now);
mono_us app_connect_deadline(const struct app *a);
/* Who sent @req has gone. */
void app_connect_cancel(struct app *a, const struct control_request *req);

/* app_levels.c: the methods "levels" and "levels.*". */
void app_levels(void *ctx, struct control_request *req, const json_t *params);
void app_levels_get(void *ctx, struct control_request *req,
		    const json_t *params);
void app_levels_set(void *ctx, struct control_request *req,
		    const json_t *params);
void app_levels_keep(void *ctx, struct control_request *req,
		     const json_t *params);
void app_levels_tone(void *ctx, struct control_request *req,
		     const json_t *params);
void app_levels_tick(struct app *a, mono_us now);
mono_us app_levels_deadline(const struct app *a);
void app_levels_cancel(struct app *a, const struct control_request *req);
/* The fob's EEPROM was written; or @why not. */
void app_levels_kept(void *ctx, const char *why);
/* app_dial.c: connect to a number. */
void app_dial(struct app *a, struct control_request *req,
	      const struct app_lookup *what);
/* Room to look up @what; NULL: there is none. */
struct app_lookup *app_dial_new(struct app *a, struct control_request *req,
				const struct app_lookup *what);
void app_dial_began(struct app *a, struct node_link_id id,
		    const struct app_lookup *what);
/* A link is down; true when its node is looked for elsewhere, and @w, NULL for
 * nobody, waits for that. */
bool app_dial_down(struct app *a, const struct node_event *ev,
		   struct app_waiter *w);

/* app_names.c: whose nodes are, as configured.  0 or -ENOMEM, and then nobody
 * is known. */
int app_names_configure(struct app *a);
/* Accepts NULL, returns NULL. */
struct app_names *app_names_free(struct app_names *m);
/* "callsign", "description" and "location" of @number, those that are known;
 * "talker_callsign" of who talks through a link. */
void app_names_add(const struct app *a, json_t *o, const char *number);
void app_names_add_talker(const struct app *a, json_t *o, const char *number);
json_t *app_names_json(const struct app *a);

/* app_nodes.c: the method "nodes": those that this node knows of. */
void app_nodes(void *ctx, struct control_request *req, const json_t *params);

/* app_progress.c: a link's steps, for all and for the console that waits.
 * @what, of node @number, is being looked up for @req, or for nobody (NULL). */
void app_progress_looking(struct app *a, struct control_request *req,
			  const char *number, const char *what);
/* NODE_EV_LINK_STEP */
void app_progress_publish(struct app *a, const struct node_event *ev);
void app_progress_tell(struct control_request *req,
		       const struct node_event *ev);

/* app_lookup.c: where a node is, by its number.  0 or -ENOMEM. */
int app_lookup_open(struct app *a);
/* The first of the addresses that this node has a socket for. */
bool app_lookup_address(const struct app *a, const struct lookup_said *s,
			struct net_addr *out);
/* Why none was found; why lookup_io_ask() failed. */
void app_lookup_why(const struct app *a, const struct lookup_answer *n,
		    char why[CONTROL_WHY_MAX]);
const char *app_lookup_trouble(int err);
/* The method "lookup". */
void app_lookup(void *ctx, struct control_request *req, const json_t *params);
void app_lookup_cancel(struct app *a, const struct control_request *req);
json_t *app_lookup_json(const struct app *a);

/* app_accept.c: what has to be found out of callers.  0, or -errno with a
 * sentence in @why. */
int app_accept_open(struct app *a, char why[CONTROL_WHY_MAX]);
/* Accepts NULL, returns NULL; before app.numbers is freed. */
struct app_accept *app_accept_close(struct app_accept *c);
/* NODE_EV_WHO_IS, NODE_EV_WHOSE_TOKEN */
void app_accept_event(struct app *a, const struct node_event *ev);

/* app_permanent.c: the links of the configuration.  0 or -ENOMEM. */
int app_permanent_open(struct app *a);
/* Those that are not there are placed, now and until they are. */
void app_permanent_place(struct app *a);
/* Accepts NULL, returns NULL. */
struct app_permanent *app_permanent_close(struct app_permanent *k);
/* The link with a number, in whatever state. */
bool app_link_by_number(const struct app *a, const char *number,
			struct node_link_info *out);

/* app_net.c: our own addresses and the way out, as they change.  0 or -ENOMEM;
 * the first look, which may take its time. */
int app_net_open(struct app *a);
void app_net_start(struct app *a);
void app_net_close(struct app *a);
/* The interface that alone is used came, or went (@why). */
void app_net_interface(void *ctx, const char *why);

/* app_map.c: the router's port.  0 or -ENOMEM. */
int app_map_open(struct app *a);
json_t *app_map_json(const struct app *a);
/* The loop ends when the node and the routers know that we go. */
void app_end_when_done(struct app *a);

/* app_status.c: JSON of what is. */
json_t *app_status(struct app *a);
json_t *app_link_json(struct app *a, const struct node_link_info *l,
		      mono_us now);
json_t *app_radio(struct app *a);
/* app_text.c: text between nodes; the methods "who", "message" and "command". */
json_t *app_behind_json(const struct app *a, const struct asl_list *list);
json_t *app_answers_json(const struct app *a);
json_t *app_text_counters(const struct app *a);
void app_who(void *ctx, struct control_request *req, const json_t *params);
void app_message(void *ctx, struct control_request *req, const json_t *params);
void app_command(void *ctx, struct control_request *req, const json_t *params);
void app_text_answered(struct app *a);
/* Who sent @req has gone. */
void app_text_cancel(struct app *a, const struct control_request *req);
/* app_commands.c: functions by digits; the method "function". */
void app_commands_configure(struct app *a);
void app_commands_event(struct app *a, const struct node_event *ev);
/* A link that digits asked for began, or did not: @outcome is a word for the
 * air. */
void app_commands_dialled(struct app *a, const struct app_lookup *what,
			  const char *outcome);
void app_function(void *ctx, struct control_request *req, const json_t *params);
void app_commands_tick(struct app *a, mono_us now);
mono_us app_commands_deadline(const struct app *a);
json_t *app_commands_json(const struct app *a);

/* app_telemetry.c: what is said on the air, by the configuration and of what
 * happens. */
struct telemetry_cfg app_telemetry(const struct app *a,
				   const struct conf_node *conf);
/* app_sounds.c: those in the usual folder, and in place of them, those in
 * @own. */
void app_sounds_load(struct app_sounds *s, const char *own);
void app_sounds_free(struct app_sounds *s);
void app_telemetry_event(struct app *a, const struct node_event *ev);
void app_telemetry_function(struct app *a, const struct command *c);
json_t *app_telemetry_json(const struct app *a);

/* app_reach.c */
json_t *app_reach(const struct app *a);
/* The first registrar that opens paths and has us; NULL: none. */
const struct oo_reg *app_first_up(const struct app *a);
/* The shortest time between the PINGs that are answered. */
mono_us app_keepalive(const struct oo_reg *g);

/* app_findings.c: what the daemon knows to be well or not. */
json_t *app_findings(struct app *a);
/* app_doctor.c: answer now, or when the network was measured. */
void app_doctor_ask(struct app *a, struct control_request *req);
void app_doctor_close(struct app *a);
/* Now and then: of what happened lately. */
void app_doctor_beat(struct app *a, mono_us now);
void app_doctor_tick(struct app *a, mono_us now);
mono_us app_doctor_deadline(const struct app *a);

#endif
