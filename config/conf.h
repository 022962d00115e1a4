/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_CONF_H
#define CONFIG_CONF_H

/*
 * The settings of both programs as plain values, and every way in and out of
 * them.  One table of rows (conf_node.c, conf_registrar.c) drives the parser, its messages,
 * --dump-config, the example files and the manual's table.
 *
 * This room opens no file but the one it is asked to load, and no key or
 * secret file at all: it only carries their names.  What it holds is public.
 * Texts are NUL-terminated and free of control characters; a text that may be
 * empty says what that means.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONF_NUMBER_MAX 15U    /* digits of a node number */
#define CONF_SHORT_SIGN_MAX 8U /* characters */
#define CONF_USERS_MAX 64U
#define CONF_CALLSIGN_MAX 15U /* characters */
#define CONF_HOST_MAX 253U    /* octets of a DNS name, RFC 1035 2.3.4 */
#define CONF_DOMAIN_MAX 200U  /* of those that node numbers are in */
#define CONF_USERNAME_MAX 31U
#define CONF_PATH_MAX 255U   /* octets */
#define CONF_SOCKET_MAX 107U /* octets that fit sockaddr_un.sun_path */
#define CONF_GROUP_MAX 32U   /* octets of a group's name */
#define CONF_PCM_MAX 127U    /* octets of a PCM's name */
#define CONF_REDIS_MAX 287U  /* octets of where a Redis server is */
#define CONF_CLUSTER_NAME_MAX 32U
#define CONF_SERIAL_MAX 63U   /* octets of a USB serial number */
#define CONF_USB_PORT_MAX 31U /* octets of a USB port's path */
#define CONF_URL_MAX 255U     /* octets */
#define CONF_ZONE_MAX 100U    /* octets of the name of a DNS zone's parent */
#define CONF_KEY_LEN 32U      /* octets of a public key */
#define CONF_REGISTRARS_MAX 8U
#define CONF_PEERS_MAX 256U
#define CONF_PREFIXES_MAX 64U /* entries of iax2.calltoken_optional */
#define CONF_RESOLVERS_MAX 4U
#define CONF_CALLERS_MAX 1024U /* entries of accept.allow, accept.deny */
#define CONF_ID_MAX 31U        /* characters of an identification */
#define CONF_EVENTS_MAX 32U    /* entries of hooks.events */
#define CONF_FUNCTIONS_MAX 64U
#define CONF_LINKS_MAX 64U
#define CONF_DIGITS_MAX 32U   /* of a function's code, or a macro */
#define CONF_FILE_MAX 262144U /* octets of a configuration file */
#define CONF_DIAGS_MAX 100U   /* one more says that the rest is cut */

enum conf_accept { CONF_ACCEPT_REGISTERED, CONF_ACCEPT_LISTED };

enum conf_radio {
	CONF_RADIO_NONE,
	CONF_RADIO_SIM,
	CONF_RADIO_ALSA,
	CONF_RADIO_CM108,
};

/* The hwtypes of app_rpt, by its numbers. */
enum conf_hwtype {
	CONF_HWTYPE_FOB,
	CONF_HWTYPE_DINGOTEL,
	CONF_HWTYPE_N1KDO,
	CONF_HWTYPE_CUSTOM,
};

/* What a radio's line is wired to on a USB fob; GPIO2 and on follow. */
enum conf_line {
	CONF_LINE_AUTO, /* as the hwtype has it */
	CONF_LINE_VOLUME_UP,
	CONF_LINE_VOLUME_DOWN,
	CONF_LINE_MUTE_PLAY,
	CONF_LINE_MUTE_RECORD,
	CONF_LINE_HOOK,
	CONF_LINE_GPIO1,
	CONF_LINE_GPIO8 = CONF_LINE_GPIO1 + 7,
};

/* What makes such a line active. */
enum conf_sense {
	CONF_SENSE_NO, /* never */
	CONF_SENSE_USB,
	CONF_SENSE_USBINVERT,
};

/* What has to be up for the receiver to count as open. */
enum conf_cor {
	CONF_COR_AUTO,
	CONF_COR_COR,
	CONF_COR_CTCSS,
	CONF_COR_VOX,
	CONF_COR_COR_AND_CTCSS,
	CONF_COR_VOX_AND_CTCSS,
	CONF_COR_COR_OR_CTCSS,
	CONF_COR_COR_OR_VOX,
};

/* Whether what other nodes tell is announced. */
enum conf_others { CONF_OTHERS_OFF, CONF_OTHERS_ASKED, CONF_OTHERS_ON };
enum conf_switch { CONF_SWITCH_AUTO, CONF_SWITCH_ON, CONF_SWITCH_OFF };

enum conf_dtmf { CONF_DTMF_OFF, CONF_DTMF_DECODE, CONF_DTMF_MUTE };

/* Where a sound card's levels come from. */
enum conf_levels { CONF_LEVELS_CONFIG, CONF_LEVELS_EEPROM };

enum conf_ctcss_end { CONF_CTCSS_SILENCE, CONF_CTCSS_REVERSE };

#define CONF_DUPLEX_AUTO 5U
#define CONF_CTCSS_MAX 7U /* characters of a CTCSS tone */

/* In the order of preference of a node that is not told another. */
enum conf_codec {
	CONF_CODEC_ULAW,
	CONF_CODEC_ALAW,
	CONF_CODEC_SLIN16,
	CONF_CODEC_SLIN,
	CONF_CODEC_G726AAL2,
	CONF_CODEC_ADPCM,
	CONF_CODEC_GSM,
	CONF_CODECS,
};

/* Where node numbers are looked up, in the usual order. */
enum conf_lookup {
	CONF_LOOKUP_NODES,
	CONF_LOOKUP_DNS,
	CONF_LOOKUP_EXTNODES,
	CONF_LOOKUP_REGISTRAR,
	CONF_LOOKUPS,
};
/* How a node registers with AllStarLink: by REGREQ, by HTTPS, or by what
 * shows its right address. */
enum conf_https { CONF_HTTPS_NO, CONF_HTTPS_AUTO, CONF_HTTPS_ONLY };

/* When a node uses its registrar's relay. */
enum conf_relay {
	CONF_RELAY_NEVER,
	CONF_RELAY_LAST,
	CONF_RELAY_ALWAYS,
};

enum conf_log {
	CONF_LOG_ERROR,
	CONF_LOG_WARNING,
	CONF_LOG_INFO,
	CONF_LOG_DEBUG,
};

/* A public key, when one is given. */
struct conf_key {
	bool set;
	uint8_t octets[CONF_KEY_LEN];
};

/* Addresses: one, or all that share its first bits. */
struct conf_prefix {
	char text[50]; /* ADDRESS or ADDRESS/BITS */
};

/* A name server. */
struct conf_resolver {
	char text
		[54]; /* ADDRESS, or with a port as ADDRESS:PORT, [IPV6]:PORT */
};

/* Where IAX2 listens. */
struct conf_iax2 {
	uint16_t port;      /* UDP, 1..65535 */
	char bind4[16];     /* IPv4 address, "": no IPv4 */
	char bind6[46];     /* IPv6 address, "": no IPv6 */
	char interface[16]; /* "": any */
	struct conf_prefix *calltoken_optional;
	size_t calltoken_optional_n; /* 0..CONF_PREFIXES_MAX */
	/* The node's only. */
	uint32_t calls_max;      /* 1..8192 */
	enum conf_codec *codecs; /* the preferred first, none twice */
	size_t codecs_n;         /* 0..CONF_CODECS; 0: all */
};

struct conf_control {
	char socket[CONF_SOCKET_MAX + 1];
	char group[CONF_GROUP_MAX + 1]; /* who may use it */
};

/* A registrar that the node registers with. */
struct conf_registrar_ref {
	char host[CONF_HOST_MAX + 1]; /* DNS name or address */
	uint16_t port;                /* 1..65535 */
	struct conf_key key;          /* set: an OPEN/OVER registrar; else: */
	char username[CONF_USERNAME_MAX + 1]; /* "": the node's number */
	char secret_file[CONF_PATH_MAX + 1];  /* "": no secret */
	enum conf_https https;
	char url[CONF_URL_MAX + 1]; /* "": https://host/ */
};

/* A node known without a registrar, or with a pattern many: X is any digit,
 * * at the end any digits or none. */
struct conf_peer {
	char number[CONF_NUMBER_MAX + 1];
	char host[CONF_HOST_MAX + 1]; /* "": known only as a caller */
	uint16_t port;                /* 1..65535 */
	struct conf_key key;
	char secret_file[CONF_PATH_MAX + 1]; /* "": none */
};

/* Somebody that accept.allow or accept.deny names: a number, or a key. */
struct conf_caller {
	char number[CONF_NUMBER_MAX + 1]; /* "" when key.set */
	struct conf_key key;
};

/* What a function's code does, as the table of daemon/node/command.h has it:
 * what is not one of its words stays away. */
enum conf_does {
	CONF_DOES_NONE,
	CONF_DOES_DISCONNECT,
	CONF_DOES_MONITOR,
	CONF_DOES_CONNECT,
	CONF_DOES_LOCAL_MONITOR,
	CONF_DOES_DISCONNECT_PERMANENT,
	CONF_DOES_PERMANENT_MONITOR,
	CONF_DOES_PERMANENT_CONNECT,
	CONF_DOES_PERMANENT_LOCAL_MONITOR,
	CONF_DOES_REMOTE,
	CONF_DOES_STATUS,
	CONF_DOES_FULL_STATUS,
	CONF_DOES_LAST_KEYED,
	CONF_DOES_ALL_OFF,
	CONF_DOES_RESTORE,
	CONF_DOES_TIME,
	CONF_DOES_VERSION,
	CONF_DOES_IDENTIFY,
	CONF_DOES_PARROT_ON,
	CONF_DOES_PARROT_OFF,
	CONF_DOES_MACRO,
	CONF_DOES_EVENT,
};

/* The name of an event. */
struct conf_event {
	char text[32];
};

/* A code that is dialled after a `*`. */
struct conf_function {
	char code[CONF_DIGITS_MAX + 1];
	enum conf_does does;
	char digits[CONF_DIGITS_MAX + 1]; /* of a macro; else "" */
	bool links;
};

/* A link that is to stay; in the order of enum node_mode of daemon/node/node.h. */
enum conf_mode {
	CONF_MODE_TRANSCEIVE,
	CONF_MODE_MONITOR,
	CONF_MODE_LOCAL_MONITOR
};

struct conf_link {
	char node[CONF_NUMBER_MAX + 1];
	enum conf_mode mode;
};

/* A user who is no node. */
struct conf_user {
	char name[CONF_CALLSIGN_MAX + 1];       /* with a letter in it */
	char callsign[CONF_SHORT_SIGN_MAX + 1]; /* "": name */
	char secret_file[CONF_PATH_MAX + 1];
};

/* keyholed's settings. */
struct conf_node {
	struct {
		char number[CONF_NUMBER_MAX + 1];     /* 1..15 digits */
		char key_file[CONF_PATH_MAX + 1];     /* our identity */
		char callsign[CONF_CALLSIGN_MAX + 1]; /* "": not told */
	} node;
	struct conf_iax2 iax2;
	struct conf_registrar_ref *registrars;
	size_t registrars_n; /* 0..CONF_REGISTRARS_MAX */
	struct {
		uint32_t interval_s; /* 5..120 */
		uint32_t max_s;      /* 0, 10..120 */
	} keepalive;
	struct {
		enum conf_accept by_default; /* accept.default */
		struct conf_caller *allow;
		size_t allow_n; /* 0..CONF_CALLERS_MAX */
		struct conf_caller *deny;
		size_t deny_n; /* 0..CONF_CALLERS_MAX */
		bool by_address;
		bool by_dns_key;
		struct conf_user *users;
		size_t users_n;                          /* 0..CONF_USERS_MAX */
		char portal_key_file[CONF_PATH_MAX + 1]; /* "": no portal */
		char web_url[CONF_URL_MAX + 1];          /* "": nobody */
	} accept;
	struct conf_peer *peers;
	size_t peers_n; /* 0..CONF_PEERS_MAX */
	struct {
		enum conf_lookup *order; /* none twice */
		size_t order_n;          /* 0..CONF_LOOKUPS; 0: as the enum */
		char domain[CONF_DOMAIN_MAX + 1]; /* "": no DNS */
		struct conf_resolver *resolvers;
		size_t resolvers_n;  /* 0..CONF_RESOLVERS_MAX */
		uint32_t digits_min; /* 1..15, at most digits_max */
		uint32_t digits_max; /* 1..15 */
		char extnodes[CONF_PATH_MAX + 1];    /* "": none */
		char extnodes_url[CONF_URL_MAX + 1]; /* "": not fetched */
		uint32_t extnodes_s;                 /* 300..604,800 */
		char names[CONF_PATH_MAX + 1];       /* "": none */
	} lookup;
	struct {
		bool radio;
		bool links;
		bool usual;
		uint32_t number_min; /* 1..15, at most number_max */
		uint32_t number_max; /* 1..15 */
	} commands;
	struct conf_link *links;
	size_t links_n; /* 0..CONF_LINKS_MAX */
	struct conf_function *functions;
	size_t functions_n; /* 0..CONF_FUNCTIONS_MAX */
	struct {
		uint32_t calls_per_address;     /* 1..8192 */
		uint32_t half_open;             /* 0..8192 */
		uint32_t half_open_per_address; /* 1..8192 */
		uint32_t calls_per_s;           /* an address, 1..1000 */
		uint32_t auth_failures_per_min; /* an address, 1..1000 */
	} limits;
	struct {
		bool spray;
		uint32_t spray_packets; /* 0..8192 */
		uint32_t spray_sockets; /* 0..1024 */
	} open;
	struct {
		bool enabled;
		uint32_t lifetime_s; /* 120..86400 */
	} map;
	struct {
		enum conf_relay use;
	} relay;
	struct {
		enum conf_radio type;
		uint32_t timeout_s; /* 10..600 */
		uint32_t hang_ms;   /* 0..5000 */
		uint32_t duplex;    /* 0..4 or CONF_DUPLEX_AUTO */
	} radio;
	struct {
		enum conf_cor source;
		uint32_t attack_ms;             /* 0..1000 */
		uint32_t release_ms;            /* 0..2000 */
		uint32_t tail_ms;               /* 0..1000 */
		uint32_t kerchunk_ms;           /* 0, > attack_ms, ..2000 */
		uint32_t kerchunk_idle_s;       /* 0..3600 */
		uint32_t stuck_s;               /* 30..3600 */
		uint32_t vox_db;                /* 6..60 */
		uint32_t vox_ms;                /* 0..5000 */
		char ctcss[CONF_CTCSS_MAX + 1]; /* Hz, "": none */
	} cor;
	struct {
		uint32_t key_up_ms;             /* 0..1000 */
		uint32_t courtesy_hz;           /* 0: none, 100..4000 */
		uint32_t courtesy_ms;           /* 0..2000 */
		uint32_t courtesy_wait_ms;      /* 0..2000 */
		uint32_t announce_hz;           /* 0: none, 100..4000 */
		uint32_t announce_ms;           /* 0..5000 */
		uint32_t tone_db;               /* 0..40 */
		char ctcss[CONF_CTCSS_MAX + 1]; /* Hz, "": none */
		uint32_t ctcss_db;              /* 6..40 */
		uint32_t ctcss_off_ms;          /* 0..1000 */
		enum conf_ctcss_end ctcss_end;
	} ptt;
	struct {
		enum conf_switch announce;
		enum conf_others others;
		char sounds[CONF_PATH_MAX + 1]; /* "": those installed */
		uint32_t wpm;                   /* 5..60 */
		uint32_t hz;                    /* 100..4000 */
		uint32_t tone_db;               /* 0..40 */
		uint32_t duck_db;               /* 0..60 */
	} telemetry;
	struct {
		char text[CONF_ID_MAX + 1]; /* "": none */
		bool speech;
		uint32_t interval_s; /* 0: by command, 60..3600 */
		uint32_t late_s;     /* 0..300 */
	} id;
	struct {
		char program[CONF_PATH_MAX + 1]; /* "": none */
		uint32_t timeout_s;              /* 1..300 */
		struct conf_event *events;
		size_t events_n; /* 0..CONF_EVENTS_MAX; 0: all */
	} hooks;
	struct {
		bool enabled;
		uint32_t max_s; /* 0..120 */
	} parrot;
	struct {
		bool deemphasis;
		enum conf_switch highpass;
		uint32_t agc_db;    /* 0..24 */
		uint32_t agc_to_db; /* 6..40 */
		uint32_t limit_db;  /* 0..40 */
		enum conf_dtmf dtmf;
	} rx;
	struct {
		bool preemphasis;
		uint32_t limit_db; /* 0..40 */
	} tx;
	struct {
		char serial[CONF_SERIAL_MAX + 1]; /* "": any */
		char port[CONF_USB_PORT_MAX + 1]; /* "": any */
		enum conf_hwtype hwtype;
		uint32_t ptt_pin; /* 1..8; 0: as hwtype has it */
		bool ptt_inverted;
		enum conf_line cor;
		enum conf_sense cor_sense;
		enum conf_line ctcss;
		enum conf_sense ctcss_sense;
	} fob;
	struct {
		char capture[CONF_PCM_MAX + 1];  /* "": none */
		char playback[CONF_PCM_MAX + 1]; /* "": none */
		enum conf_levels levels;
		double rx_db;            /* -60..40 */
		double tx_a_db, tx_b_db; /* -60..40 */
		bool boost;
	} audio;
	struct {
		char rx_wav[CONF_PATH_MAX + 1]; /* "": silence */
		char tx_wav[CONF_PATH_MAX + 1]; /* "": not kept */
		bool autoplay;
	} sim;
	struct {
		uint32_t min_ms; /* 0..500, at most max_ms */
		uint32_t max_ms; /* 20..500 */
	} jitter;
	struct {
		char ca_file[CONF_PATH_MAX + 1]; /* "": the system's */
	} https;
	struct {
		char url[CONF_URL_MAX + 1]; /* "": none are posted */
		uint32_t interval_s;        /* 60..600 */
	} stats;
	struct conf_control control;
	struct {
		enum conf_log level;
	} log;
};

/* keyhole-registrar's settings. */
struct conf_registrar {
	struct conf_iax2 iax2; /* without what is the node's only */
	struct {
		char key_file[CONF_PATH_MAX + 1];  /* its identity */
		char directory[CONF_PATH_MAX + 1]; /* SQLite file */
		uint32_t nodes_max;                /* 16..4,000,000 */
		uint32_t plain_max;                /* 0..65536 */
		uint32_t refresh_s;                /* 30..3600 */
	} registrar;
	struct {
		uint32_t
			registrations_per_min; /* a number at an address, 1..6000 */
		uint32_t opens_per_min;        /* a node, 1..6000 */
		uint32_t
			auth_failures_per_min; /* a number at an address, 1..6000 */
		uint32_t opens_max; /* at once in all, 16..1,000,000 */
	} limits;
	struct {
		/* conf_redis.h; empty: alone */
		char redis[CONF_REDIS_MAX + 1];
		char password_file[CONF_PATH_MAX + 1]; /* may be empty */
		char key_file[CONF_PATH_MAX + 1];      /* set with redis */
		char name[CONF_CLUSTER_NAME_MAX + 1];  /* empty: the host's */
	} cluster;
	struct {
		uint32_t port;    /* 0: none, 1: after iax2.port */
		char address[16]; /* IPv4, "": none */
		bool tcp;
	} measure;
	struct {
		bool enabled;
		char address4[16];   /* IPv4 address, "": this machine's */
		char address6[46];   /* IPv6 address, "": this machine's */
		uint16_t port_first; /* UDP, 1024..65535 */
		uint16_t port_last;  /* at least port_first */
		uint32_t kbit_s;     /* a node, each way, 16..100,000 */
		uint32_t peers;      /* a node, 8..32 */
		uint32_t idle_s;     /* 10..600 */
	} relay;
	struct {
		uint32_t port;                     /* TCP, 0: none */
		char address[16];                  /* IPv4 */
		char cert_file[CONF_PATH_MAX + 1]; /* PEM, set with port */
		char key_file[CONF_PATH_MAX + 1];  /* PEM, set with port */
	} https;
	struct {
		uint32_t port;                  /* 0: none */
		char address[16];               /* IPv4 */
		char domain[CONF_ZONE_MAX + 1]; /* set with port */
	} dns;
	struct conf_control control;
	struct {
		enum conf_log level;
	} log;
};

/* What is wrong with a file, in a person's words and without a full stop. */
struct conf_diag {
	unsigned line; /* from 1; 0: the file as a whole */
	char *text;
};

/* Start with { 0 }.  After loading, in the order of the lines. */
struct conf_diags {
	struct conf_diag *v;
	size_t n; /* 0..CONF_DIAGS_MAX + 1 */
};

/* Print each as FILE:LINE: what is wrong and what is allowed. */
void conf_diags_print(const struct conf_diags *diags, const char *file,
		      FILE *to);
/* Leaves @diags empty and usable. */
void conf_diags_free(struct conf_diags *diags);

/* Set @out to the defaults; what is required is left empty. */
void conf_node_defaults(struct conf_node *out);
void conf_registrar_defaults(struct conf_registrar *out);
/* limits.half_open, or what it is by itself. */
uint32_t conf_half_open(const struct conf_node *c);

/*
 * Load @file into @out, whose old contents are not freed.  Returns
 *   0        @out holds the file's settings: conf_X_free() it
 *   -EINVAL  @diags got one entry for each error found (an unreadable file
 *            too); @out is empty and needs no freeing
 *   -ENOMEM  the same with @diags incomplete
 */
int conf_load_node(const char *file, struct conf_node *out,
		   struct conf_diags *diags);
int conf_load_registrar(const char *file, struct conf_registrar *out,
			struct conf_diags *diags);

/* The same from @text: no file is opened, whatever the text says. */
int conf_load_node_text(const char *text, struct conf_node *out,
			struct conf_diags *diags);
int conf_load_registrar_text(const char *text, struct conf_registrar *out,
			     struct conf_diags *diags);

/* Free the lists; accepts zeroes and the half-built, leaves zeroes. */
void conf_node_free(struct conf_node *c);
void conf_registrar_free(struct conf_registrar *c);

/* Print every setting so that loading the print gives the same values. */
void conf_dump_node(const struct conf_node *c, FILE *to);
void conf_dump_registrar(const struct conf_registrar *c, FILE *to);

/*
 * Tell @fn the name of every setting whose value differs; @reloads when it
 * takes effect without a restart.  Returns 0 or -ENOMEM.
 */
typedef void (*conf_change_fn)(void *ctx, const char *name, bool reloads);
int conf_node_changes(const struct conf_node *old, const struct conf_node *now,
		      conf_change_fn fn, void *ctx);
int conf_registrar_changes(const struct conf_registrar *old,
			   const struct conf_registrar *now, conf_change_fn fn,
			   void *ctx);

/*
 * @now was loaded while @old is in force: the settings that take a restart
 * change places, so that @now is what is in force from here on, and @old what
 * is to be freed.
 */
void conf_node_keep(struct conf_node *now, struct conf_node *old);

enum conf_program { CONF_PROGRAM_NODE, CONF_PROGRAM_REGISTRAR };

/* The example file: every setting explained, commented out, at its default. */
void conf_example(FILE *to, enum conf_program which);
/* The settings for the manual page, from ".SS" on (man(7)). */
void conf_man(FILE *to, enum conf_program which);

#endif
