/* SPDX-License-Identifier: MIT */

/* rpt.conf: the node's stanza, and what it points to. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/console/import_take.h"

/* What app_rpt keys with for a whole number of 1/32768 of full scale. */
#define FULL_SCALE 32768.0
#define TONE_DB_MOST 40.0
#define EXTNODES "/var/lib/asterisk/rpt_extnodes"
#define SUBDOMAIN "nodes."

static void take_channel(struct import *im, const struct ast_var *v,
			 const struct import_map *m)
{
	const char *slash = strchr(v->value, '/');
	const size_t len = slash ? (size_t)(slash - v->value) : 0;
	const bool simple =
		len == 9 && strncasecmp(v->value, "simpleusb", 9) == 0;
	const bool dsp = len == 5 && strncasecmp(v->value, "radio", 5) == 0;

	if (simple || dsp) {
		if (import_set(im, v, m->setting, "\"cm108\""))
			import_usb(im, v, slash + 1, dsp);
		return;
	}
	/* A hub. */
	(void)import_set(im, v, m->setting, "\"none\"");
	if (!slash || strcasecmp(slash + 1, "pseudo") != 0)
		import_note(im, v,
			    "only SimpleUSB, Radio and the pseudo channel are "
			    "known; taken over as a node without a radio");
}

/* |iW1AW is what Morse code says; anything else is a file to play. */
static void take_id(struct import *im, const struct ast_var *v,
		    const struct import_map *m)
{
	if (strncmp(v->value, "|i", 2) != 0) {
		import_note(im, v, "a sound; set node.callsign");
		return;
	}
	if (strcasecmp(v->value + 2, "NOTSET") == 0)
		return;
	if (import_set_text(im, v, m->setting, v->value + 2))
		import_note(im, v,
			    "the callsign is taken over, that it is sent in "
			    "Morse code is not");
}

struct tone {
	unsigned long a_hz, b_hz, ms, level;
};

/* |t(A,B,MS,LEVEL)...: the first that sounds; how many there are. */
static unsigned tones(const char *text, struct tone *first)
{
	unsigned n = 0;

	if (strncmp(text, "|t", 2) != 0)
		return 0;
	while ((text = strchr(text, '('))) {
		struct tone t;
		char *end;

		t.a_hz = strtoul(text + 1, &end, 10);
		t.b_hz = strtoul(end + (*end == ','), &end, 10);
		t.ms = strtoul(end + (*end == ','), &end, 10);
		t.level = strtoul(end + (*end == ','), &end, 10);
		if (*end != ')')
			return 0;
		text = end;
		if (t.a_hz == 0 && t.b_hz == 0)
			continue;
		if (n++ == 0)
			*first = t;
	}
	return n;
}

static void set_number(struct import *im, const struct ast_var *v,
		       const char *setting, unsigned long n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lu", n);
	(void)import_set(im, v, setting, text);
}

/* ptt.tone_db of a tone of app_rpt's level. */
static unsigned long below_full_scale(unsigned long level)
{
	const double db =
		level > 0 ? 20 * log10(FULL_SCALE / (double)level) : 0;

	return (unsigned long)lround(fmin(fmax(db, 0), TONE_DB_MOST));
}

/* The name of a courtesy tone in the telemetry stanza. */
static void take_courtesy(struct import *im, const struct ast_var *v,
			  const struct import_map *m)
{
	const struct ast_var *stanza = ast_var(im->node, "telemetry");
	const struct ast_var *none = ast_var(im->node, "nounkeyct");
	const struct ast_var *ct = ast_var(
		ast_section(&im->rpt, stanza ? stanza->value : "telemetry"),
		v->value);
	struct tone t = { 0 };
	unsigned n;

	if (none && import_is_true(none->value))
		return;
	n = ct ? tones(ct->value, &t) : 0;
	if (n == 0) {
		import_note(im, v, "names no tone |t(...) of its stanza");
		return;
	}
	set_number(im, ct, m->setting, t.a_hz ? t.a_hz : t.b_hz);
	set_number(im, ct, "ptt.courtesy_ms", t.ms);
	if (t.level > 0)
		set_number(im, ct, "ptt.tone_db", below_full_scale(t.level));
	if (n > 1 || (t.a_hz && t.b_hz))
		import_note(im, ct,
			    "of its tones only the first is taken over");
}

static void take_no_unkey(struct import *im, const struct ast_var *v,
			  const struct import_map *m)
{
	if (import_is_true(v->value))
		(void)import_set(im, v, m->setting, "0");
}

#define NOTHING_YET(what, reason)                             \
	{                                                     \
		.name = (what), .idle = "no", .why = (reason) \
	}
#define LOST(what, reason)                      \
	{                                       \
		.name = (what), .why = (reason) \
	}

static const char one_tone[] = "one courtesy tone follows every over";
static const char no_id[] = "identification is not taken over";
static const char no_tail[] = "there are no tail messages";
static const char no_telemetry[] = "telemetry is not taken over";
static const char no_phone[] = "there is no autopatch";
static const char no_echolink[] = "there is no EchoLink";
static const char no_remote[] = "there is no remote base";
static const char no_archive[] = "recordings are not kept";
static const char no_activity[] = "there is no link activity timer";
static const char no_program[] =
	"programs are not called: keyhole events tells what happens";

static const struct import_map node_map[] = {
	{ .name = "rxchannel", .take = take_channel, .setting = "radio.type" },
	{ .name = "duplex", .take = import_number, .setting = "radio.duplex" },
	{ .name = "hangtime",
	  .take = import_number,
	  .setting = "radio.hang_ms",
	  .most = 5000 },
	{ .name = "totime",
	  .take = import_number,
	  .setting = "radio.timeout_s",
	  .div = 1000,
	  .most = 600 },
	{ .name = "idrecording", .take = take_id, .setting = "node.callsign" },
	{ .name = "unlinkedct",
	  .take = take_courtesy,
	  .setting = "ptt.courtesy_hz" },
	{ .name = "nounkeyct",
	  .take = take_no_unkey,
	  .setting = "ptt.courtesy_hz" },
	{ .name = "statpost_url",
	  .take = import_string,
	  .setting = "stats.url" },
	{ .name = "statpost_time",
	  .take = import_number,
	  .setting = "stats.interval_s" },
	{ .name = "extnodefile",
	  .take = import_string,
	  .setting = "lookup.extnodes" },
	LOST("txchannel", "it transmits where it receives"),
	LOST("althangtime", "there is one hang time, radio.hang_ms"),
	NOTHING_YET("linktolink", "radio.duplex is all there is"),
	LOST("remotect", one_tone),
	LOST("linkunkeyct", one_tone),
	LOST("nolocallinkct", one_tone),
	LOST("idtalkover", no_id),
	LOST("idtime", no_id),
	LOST("politeid", no_id),
	NOTHING_YET("beaconing", no_id),
	LOST("tailmessage*", no_tail),
	LOST("tailsquashedtime", no_tail),
	LOST("telemnomdb", no_telemetry),
	LOST("telemduckdb", no_telemetry),
	LOST("telemdefault", no_telemetry),
	LOST("telemdynamic", no_telemetry),
	NOTHING_YET("holdofftelem", no_telemetry),
	LOST("context", no_phone),
	LOST("callerid", no_phone),
	LOST("accountcode", no_phone),
	LOST("ourcontext", no_phone),
	LOST("ourcallerid", no_phone),
	LOST("simplexp*", no_phone),
	LOST("dias", no_phone),
	LOST("dopup", no_phone),
	LOST("erxgain", no_echolink),
	LOST("etxgain", no_echolink),
	LOST("eannmode", no_echolink),
	LOST("echolink*", no_echolink),
	LOST("trxgain", "there is no TheLinkBox"),
	LOST("ttxgain", "there is no TheLinkBox"),
	LOST("tlbdefault", "there is no TheLinkBox"),
	LOST("tannmode", "there is no TheLinkBox"),
	LOST("linkmongain", "links are all equally loud"),
	LOST("archive*", no_archive),
	LOST("startup_macro",
	     "macros are not taken over: list the nodes in links"),
	LOST("dtmfkey*", "no code unlocks the transmitter"),
	LOST("inxlat", "digits are taken as they come"),
	LOST("outxlat", "digits are taken as they come"),
	NOTHING_YET("parrotmode",
		    "the parrot is not taken over: see parrot.enabled"),
	LOST("parrottime", "the parrot is not taken over: see parrot.enabled"),
	NOTHING_YET("lnkactenable", no_activity),
	LOST("lnkact*", no_activity),
	LOST("connpgm", no_program),
	LOST("discpgm", no_program),
	LOST("remote_*", no_remote),
	LOST("remote*", no_remote),
	LOST("iobase", no_remote),
	LOST("civaddr", no_remote),
	LOST("voxtimeout", "the vox is the radio's: cor.vox_ms"),
	LOST("voxrecover", "the vox is the radio's: cor.vox_ms"),
	LOST("rxnotch", "nothing is notched out"),
	LOST("sleeptime", "the receiver does not sleep"),
	LOST("rptinact*", "the node does nothing for want of speech"),
	LOST("nodenames", no_telemetry),
	LOST("linkpost_time", "neighbours are told every 30 s"),
	LOST("aprstt", "there is no APRS"),
	LOST("time_out_reset_*", "an unkeyed receiver resets the timer"),
	/* Each stanza has its own note. */
	IMPORT_ELSEWHERE("nodes"),
	IMPORT_ELSEWHERE("extnodes"),
	IMPORT_ELSEWHERE("functions"),
	IMPORT_ELSEWHERE("link_functions"),
	IMPORT_ELSEWHERE("phone_functions"),
	IMPORT_ELSEWHERE("dphone_functions"),
	IMPORT_ELSEWHERE("alt_functions"),
	IMPORT_ELSEWHERE("controlstates"),
	IMPORT_ELSEWHERE("scheduler"),
	IMPORT_ELSEWHERE("telemetry"),
	IMPORT_ELSEWHERE("morse"),
	IMPORT_ELSEWHERE("macro"),
	IMPORT_ELSEWHERE("tonemacro"),
	IMPORT_ELSEWHERE("wait_times"),
	IMPORT_ELSEWHERE("memory"),
	IMPORT_ELSEWHERE("events"),
	{ .name = NULL },
};

/* --- [general]: where numbers are looked up ------------------------------ */

static void take_method(struct import *im, const struct ast_var *v,
			const struct import_map *m)
{
	(void)m;
	if (strcasecmp(v->value, "both") != 0 &&
	    strcasecmp(v->value, "dns") != 0 &&
	    strcasecmp(v->value, "file") != 0)
		import_note(im, v,
			    "is neither both, dns nor file; taken as "
			    "both");
}

/* app_rpt names the domain with what we put before it. */
static void take_domain(struct import *im, const struct ast_var *v,
			const struct import_map *m)
{
	const size_t len = strlen(SUBDOMAIN);

	if (strncasecmp(v->value, SUBDOMAIN, len) == 0)
		(void)import_set_text(im, v, m->setting, v->value + len);
	else
		import_note(im, v, "does not begin with " SUBDOMAIN);
}

static const struct import_map general_map[] = {
	{ .name = "node_lookup_method", .take = take_method },
	{ .name = "dns_node_domain",
	  .take = take_domain,
	  .setting = "lookup.domain" },
	{ .name = "max_dns_node_length",
	  .take = import_number,
	  .setting = "lookup.digits_max" },
	{ .name = NULL },
};

static void take_lookup(struct import *im)
{
	const struct ast_section *general = ast_section(&im->rpt, "general");
	const struct ast_var *v = ast_var(general, "node_lookup_method");
	const char *method = v ? v->value : "both";

	import_section(im, general, general_map);
	if (strcasecmp(method, "file") != 0 &&
	    !ast_var(general, "dns_node_domain"))
		(void)import_set_default(im, "what app_rpt asks",
					 "lookup.domain",
					 "\"allstarlink.org\"");
	if (strcasecmp(method, "dns") != 0 && !ast_var(im->node, "extnodefile"))
		(void)import_set_default(im,
					 "what app_rpt reads; it must be "
					 "renewed as before",
					 "lookup.extnodes", "\"" EXTNODES "\"");
}

/* --- the rest ----------------------------------------------------------- */

/* Where its silence means something else than ours. */
static void take_defaults(struct import *im)
{
	static const struct {
		const char *name, *setting, *value, *said;
	} dflt[] = {
		{ "duplex", "radio.duplex", "2", "app_rpt's default" },
		{ "hangtime", "radio.hang_ms", "5000", "app_rpt's default" },
		{ "totime", "radio.timeout_s", "180", "app_rpt's default" },
	};

	for (size_t i = 0; i < sizeof(dflt) / sizeof(dflt[0]); i++) {
		if (!ast_var(im->node, dflt[i].name))
			(void)import_set_default(im, dflt[i].said,
						 dflt[i].setting,
						 dflt[i].value);
	}
}

static bool is_named(const struct import *im, const char *setting,
		     const char *section)
{
	const struct ast_var *v = ast_var(im->node, setting);

	return strcasecmp(v ? v->value : setting, section) == 0;
}

static const char *why_section(const struct import *im, const char *name)
{
	static const struct {
		const char *setting, *why;
	} stanza[] = {
		{ "functions", "the codes of commands are not taken over" },
		{ "link_functions",
		  "the codes of commands are not taken over" },
		{ "phone_functions",
		  "the codes of commands are not taken over" },
		{ "alt_functions", "the codes of commands are not taken over" },
		{ "controlstates", "there are no control states" },
		{ "scheduler", "nothing is done by the clock" },
		{ "telemetry",
		  "of telemetry, only a courtesy tone is taken over" },
		{ "morse", "the speed and pitch of Morse code are not taken "
			   "over" },
		{ "macro", "macros are not taken over: see functions" },
		{ "tonemacro", "macros are not taken over: see functions" },
		{ "wait_times", "waiting times are not taken over" },
		{ "wait-times", "waiting times are not taken over" },
		{ "schedule", "nothing is done by the clock" },
		{ "memory", "there is no remote base" },
		{ "events", "programs are not called: keyhole events tells "
			    "what happens" },
	};

	for (size_t i = 0; i < sizeof(stanza) / sizeof(stanza[0]); i++) {
		if (is_named(im, stanza[i].setting, name))
			return stanza[i].why;
	}
	return "is not known here";
}

static void tell_sections(struct import *im)
{
	for (size_t i = 0; i < im->rpt.n; i++) {
		const struct ast_section *s = &im->rpt.sections[i];

		if (s->is_template || import_is_number(s->name) ||
		    strcasecmp(s->name, "general") == 0 ||
		    is_named(im, "nodes", s->name))
			continue;
		import_skip_section(im, s, why_section(im, s->name));
	}
}

void import_rpt(struct import *im)
{
	const size_t i = import_local(im, im->number);
	char said[64], text[64];

	(void)snprintf(said, sizeof(said), "%.20s:%u: [%s]", im->node->at.file,
		       im->node->at.line, im->number);
	(void)snprintf(text, sizeof(text), "\"%s\"", im->number);
	(void)import_set_default(im, said, "node.number", text);
	if (i > 0) {
		(void)snprintf(text, sizeof(text),
			       "\"/var/lib/keyhole/%s.key\"", im->number);
		(void)import_set_default(im, "each node has its own",
					 "node.key_file", text);
		(void)snprintf(text, sizeof(text), "\"/run/keyhole/%s.sock\"",
			       im->number);
		(void)import_set_default(im, "each node has its own",
					 "control.socket", text);
		import_note_at(im, im->node->at, im->node->name,
			       "a daemon is one node: this one has another "
			       "iax2.port, identity and socket than the first");
	}
	import_section(im, im->node, node_map);
	take_defaults(im);
	take_lookup(im);
	tell_sections(im);
}
