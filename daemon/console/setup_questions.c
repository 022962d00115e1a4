/* SPDX-License-Identifier: MIT */

/* The questions of keyhole setup: what each says, and what it takes. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_key.h"
#include "daemon/console/setup.h"

#define PORT 4569U
#define ALLSTARLINK_HOST "register.allstarlink.org"
#define ALLSTARLINK_FILE "allstarlink.password"

__attribute__((format(printf, 2, 3))) static bool
refuse(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, SETUP_WHY_MAX, format, args);
	va_end(args);
	return false;
}

static void copy(char *out, size_t cap, const char *text)
{
	const size_t len = strnlen(text, cap - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

static void nothing(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	(void)a;
	out[0] = '\0';
}

/* Would keyholed take this as that setting? */
static bool fits(const char *group, const char *name, const char *text)
{
	char value[2 * SETUP_ANSWER_MAX], why[CONF_EDIT_WHY_MAX];
	const struct conf_edit edit = { group, name, value };
	struct conf_diags diags = { 0 };
	struct conf_node conf;
	char *made = NULL;
	bool ok;

	setup_quote(text, value, sizeof(value));
	ok = conf_edit_text("node = { number = \"1\"; };\n"
			    "registrars = ( { secret_file = \"x\"; "
			    "host = \"x\"; } );\n",
			    &edit, 1, &made, why) == 0 &&
	     conf_load_node_text(made, &conf, &diags) == 0;
	if (ok)
		conf_node_free(&conf);
	conf_diags_free(&diags);
	free(made);
	return ok;
}

/* --- number and callsign ------------------------------------------------ */

static void print_number(const struct setup_ask *a)
{
	(void)fputs("The number by which other nodes call this one, as the "
		    "network's operator\nassigned it.\nNode number",
		    a->to);
}

static void usual_number(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	copy(out, SETUP_ANSWER_MAX, a->plan.number);
}

static bool take_number(struct setup_ask *a, const char *text, char *why)
{
	const size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > CONF_NUMBER_MAX || text[digits])
		return refuse(why,
			      "A node's number is 1 to %u digits, such as "
			      "2001.",
			      CONF_NUMBER_MAX);
	copy(a->plan.number, sizeof(a->plan.number), text);
	return true;
}

static void print_callsign(const struct setup_ask *a)
{
	(void)fprintf(a->to,
		      "What other nodes show of this one; Enter for %s.\n"
		      "Callsign",
		      a->plan.callsign[0] ? "the one in brackets, - for none"
					  : "none");
}

static void usual_callsign(const struct setup_ask *a,
			   char out[SETUP_ANSWER_MAX])
{
	copy(out, SETUP_ANSWER_MAX, a->plan.callsign);
}

static bool take_callsign(struct setup_ask *a, const char *text, char *why)
{
	if (strcmp(text, "-") == 0)
		text = "";
	if (!fits("node", "callsign", text))
		return refuse(why,
			      "A callsign is at most %u letters, digits, "
			      "/ and -.",
			      CONF_CALLSIGN_MAX);
	copy(a->plan.callsign, sizeof(a->plan.callsign), text);
	return true;
}

/* --- network ------------------------------------------------------------ */

static const char *const networks[] = {
	[SETUP_KEYHOLE] = "keyhole",
	[SETUP_ALLSTARLINK] = "allstarlink",
	[SETUP_ALONE] = "none",
};

static void print_network(const struct setup_ask *a)
{
	(void)fputs(
		"How others find this node:\n"
		"  keyhole      by a club's registrar, with a key: also behind "
		"a hotspot\n"
		"  allstarlink  by AllStarLink, with the node's password\n"
		"  none         by its address, or as the settings have it "
		"already\n"
		"Network",
		a->to);
}

static const struct conf_registrar_ref *there(const struct setup_ask *a,
					      enum setup_network network)
{
	const struct conf_node *is = a->facts->is;
	const size_t i = setup_registrar(is, network);

	return i < is->registrars_n ? &is->registrars[i] : NULL;
}

/* Settings without a number, as in the example, are nobody's yet. */
static bool is_new(const struct setup_ask *a)
{
	return !a->facts->is->node.number[0];
}

static void usual_network(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	enum setup_network network = SETUP_KEYHOLE;

	if (!there(a, SETUP_KEYHOLE) && there(a, SETUP_ALLSTARLINK))
		network = SETUP_ALLSTARLINK;
	else if (!there(a, SETUP_KEYHOLE) && !is_new(a))
		network = SETUP_ALONE;
	if (a->given[SETUP_Q_REGISTRAR] || a->given[SETUP_Q_KEY])
		network = SETUP_KEYHOLE;
	if (a->given[SETUP_Q_PASSWORD])
		network = SETUP_ALLSTARLINK;
	copy(out, SETUP_ANSWER_MAX, networks[network]);
}

/* Beside the node's own key, where the daemon may read. */
static void secret_place(const struct setup_plan *p, char *out, size_t cap)
{
	const char *slash = strrchr(p->key_file, '/');

	(void)snprintf(out, cap, "%.*s" ALLSTARLINK_FILE,
		       slash ? (int)(slash + 1 - p->key_file) : 0, p->key_file);
}

/* What the settings, or the network itself, have for its registrar. */
static void know_registrar(struct setup_ask *a)
{
	struct setup_plan *p = &a->plan;
	const struct conf_registrar_ref *r = there(a, p->network);

	if (!a->given[SETUP_Q_REGISTRAR]) {
		copy(p->host, sizeof(p->host),
		     r                                 ? r->host
		     : p->network == SETUP_ALLSTARLINK ? ALLSTARLINK_HOST
						       : "");
		p->port = r ? r->port : PORT;
	}
	if (!a->given[SETUP_Q_KEY] && r && r->key.set)
		conf_key_encode(r->key.octets, p->key);
	if (r && r->secret_file[0])
		copy(p->secret_file, sizeof(p->secret_file), r->secret_file);
	else
		secret_place(p, p->secret_file, sizeof(p->secret_file));
}

static bool take_network(struct setup_ask *a, const char *text, char *why)
{
	const size_t len = strlen(text);

	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		if (len == 0 || strncmp(networks[i], text, len) != 0)
			continue;
		a->plan.network = (enum setup_network)i;
		know_registrar(a);
		return true;
	}
	return refuse(why, "It is one of keyhole, allstarlink and none.");
}

/* --- registrar ---------------------------------------------------------- */

static bool is_keyhole(const struct setup_ask *a)
{
	return a->plan.network == SETUP_KEYHOLE;
}

static bool is_allstarlink(const struct setup_ask *a)
{
	return a->plan.network == SETUP_ALLSTARLINK;
}

static void print_registrar(const struct setup_ask *a)
{
	(void)fputs("Where the registrar is, as its operator says: HOST or "
		    "HOST:PORT.\nRegistrar",
		    a->to);
}

static void usual_registrar(const struct setup_ask *a,
			    char out[SETUP_ANSWER_MAX])
{
	const struct setup_plan *p = &a->plan;
	const bool v6 = strchr(p->host, ':') != NULL;

	if (p->host[0] && p->port != PORT)
		(void)snprintf(out, SETUP_ANSWER_MAX, "%s%s%s:%u",
			       v6 ? "[" : "", p->host, v6 ? "]" : "", p->port);
	else
		copy(out, SETUP_ANSWER_MAX, p->host);
}

/* HOST, HOST:PORT, [ADDRESS]:PORT or an IPv6 address. */
static bool split(const char *text, char host[SETUP_ANSWER_MAX],
		  unsigned long *port)
{
	const bool bracket = text[0] == '[';
	const char *from = text + bracket;
	size_t len = strcspn(from, bracket ? "]" : ":");
	const char *rest = from + len;
	char *end;

	if (bracket && *rest++ != ']')
		return false;
	if (!bracket && *rest && strchr(rest + 1, ':')) {
		len = strlen(from);
		rest = from + len;
	}
	(void)snprintf(host, SETUP_ANSWER_MAX, "%.*s", (int)len, from);
	*port = PORT;
	if (*rest == '\0')
		return true;
	if (*rest != ':' || rest[1] < '0' || rest[1] > '9')
		return false;
	*port = strtoul(rest + 1, &end, 10);
	return *end == '\0' && *port >= 1 && *port <= 65535;
}

static bool take_registrar(struct setup_ask *a, const char *text, char *why)
{
	char host[SETUP_ANSWER_MAX];
	unsigned long port;

	if (!text[0])
		return refuse(why, "It takes a DNS name or an address, such as "
				   "registrar.example.org.");
	if (!split(text, host, &port) || !fits("registrars[0]", "host", host))
		return refuse(why, "That is no DNS name or address: HOST, "
				   "HOST:PORT or [ADDRESS]:PORT.");
	copy(a->plan.host, sizeof(a->plan.host), host);
	a->plan.port = (uint16_t)port;
	return true;
}

static void print_key(const struct setup_ask *a)
{
	(void)fputs("The registrar's public key, 44 characters that end with "
		    "=; its operator sees it\nwith: keyhole pubkey "
		    "/var/lib/keyhole-registrar/registrar.key\n"
		    "Registrar's key",
		    a->to);
}

static void usual_key(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	const struct conf_registrar_ref *r = there(a, SETUP_KEYHOLE);

	/* Another registrar has another key. */
	if (a->given[SETUP_Q_KEY] || (r && strcmp(r->host, a->plan.host) == 0))
		copy(out, SETUP_ANSWER_MAX, a->plan.key);
	else
		out[0] = '\0';
}

static bool take_key(struct setup_ask *a, const char *text, char *why)
{
	uint8_t key[CONF_KEY_LEN];
	const size_t len = strlen(text);

	if (len == 0)
		return refuse(why, "Without its key a registrar cannot be "
				   "told from somebody who poses as it.");
	if (len != CONF_KEY_TEXT_LEN - 1)
		return refuse(why, "A key has %u characters; these are %zu.",
			      CONF_KEY_TEXT_LEN - 1, len);
	if (!conf_key_decode(text, key))
		return refuse(why, "That is no key: 43 letters, digits, + and "
				   "/, and = at the end; is one mistyped?");
	copy(a->plan.key, sizeof(a->plan.key), text);
	return true;
}

static void print_password(const struct setup_ask *a)
{
	(void)fprintf(
		a->to,
		"The node's password, as AllStarLink's portal has it; what "
		"you type is not shown.\n%sPassword",
		there(a, SETUP_ALLSTARLINK)
			? "Enter: the one that is set already.\n"
			: "");
}

static bool take_password(struct setup_ask *a, const char *text, char *why)
{
	if (!text[0] && !there(a, SETUP_ALLSTARLINK))
		return refuse(why, "It takes the node's password.");
	if (strlen(text) > SETUP_SECRET_MAX)
		return refuse(why, "A password has at most %u characters.",
			      SETUP_SECRET_MAX);
	copy(a->plan.secret, sizeof(a->plan.secret), text);
	return true;
}

/* --- radio -------------------------------------------------------------- */

static const char *const radios[] = {
	[CONF_RADIO_NONE] = "none",
	[CONF_RADIO_SIM] = "sim",
	[CONF_RADIO_ALSA] = "alsa",
	[CONF_RADIO_CM108] = "cm108",
};

static void print_fobs(const struct setup_ask *a)
{
	char name[FOB_NAME_MAX + 1];

	for (size_t i = 0; i < a->facts->fobs_n; i++) {
		fob_describe(&a->facts->fobs[i], name);
		(void)fprintf(a->to, "  %zu  %s\n", i + 1, name);
	}
}

static void print_radio(const struct setup_ask *a)
{
	if (a->facts->fobs_n == 0)
		(void)fputs("No USB radio fob is plugged in. With cm108 the "
			    "node finds one that\ncomes later.\n",
			    a->to);
	else
		(void)fputs("Found on USB:\n", a->to);
	print_fobs(a);
	(void)fputs("What the radio is connected to:\n"
		    "  cm108  a USB sound fob that also keys\n"
		    "  alsa   a sound card, keyed by other means or not at "
		    "all\n"
		    "  sim    nothing: simulated, for trying\n"
		    "  none   nothing: this node has no radio\n"
		    "Radio",
		    a->to);
}

static void usual_radio(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	enum conf_radio radio = a->plan.radio;

	if (radio == CONF_RADIO_NONE && a->facts->fobs_n > 0 && is_new(a))
		radio = CONF_RADIO_CM108;
	if (a->given[SETUP_Q_FOB])
		radio = CONF_RADIO_CM108;
	copy(out, SETUP_ANSWER_MAX, radios[radio]);
}

static bool take_radio(struct setup_ask *a, const char *text, char *why)
{
	for (size_t i = 0; i < sizeof(radios) / sizeof(radios[0]); i++) {
		if (strcmp(radios[i], text) != 0)
			continue;
		a->plan.radio = (enum conf_radio)i;
		return true;
	}
	return refuse(why, "It is one of cm108, alsa, sim and none.");
}

/* --- which fob ---------------------------------------------------------- */

static bool are_several(const struct setup_ask *a)
{
	return a->plan.radio == CONF_RADIO_CM108 && a->facts->fobs_n > 1;
}

static void print_fob(const struct setup_ask *a)
{
	(void)fputs("There are several:\n", a->to);
	print_fobs(a);
	(void)fputs("Which is this node's: its number in this list, its serial "
		    "number or its port.\nFob",
		    a->to);
}

static void usual_fob(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	out[0] = '\0';
	for (size_t i = 0; i < a->facts->fobs_n; i++) {
		if (setup_is_bound_to(&a->plan, a->facts->fobs[i].seen))
			copy(out, SETUP_ANSWER_MAX,
			     a->facts->fobs[i].seen->port);
	}
}

/* How many have this serial number. */
static size_t alike(const struct setup_facts *f, const char *serial)
{
	size_t n = 0;

	for (size_t i = 0; i < f->fobs_n; i++)
		n += strcmp(f->fobs[i].seen->serial, serial) == 0;
	return n;
}

/* By what stays the same when it is plugged in elsewhere, if that is its
 * own. */
static void bind(struct setup_plan *p, const struct setup_facts *f,
		 const struct fob_seen *s)
{
	const bool by_serial = s->serial[0] && alike(f, s->serial) == 1;

	if (setup_is_bound_to(p, s))
		return;
	copy(p->serial, sizeof(p->serial), by_serial ? s->serial : "");
	copy(p->fob_port, sizeof(p->fob_port), by_serial ? "" : s->port);
}

/* One that need not be plugged in yet. */
static bool take_serial(struct setup_ask *a, const char *text, char *why)
{
	if (!text[0] || !fits("fob", "serial", text))
		return refuse(why, "A serial number has 1 to %u characters.",
			      CONF_SERIAL_MAX);
	if (strcmp(a->plan.serial, text) != 0)
		a->plan.fob_port[0] = '\0';
	copy(a->plan.serial, sizeof(a->plan.serial), text);
	return true;
}

static bool take_fob(struct setup_ask *a, const char *text, char *why)
{
	const struct setup_facts *f = a->facts;
	const size_t same = text[0] ? alike(f, text) : 0;
	char *end;
	const unsigned long n = strtoul(text, &end, 10);

	if (a->option)
		return take_serial(a, text, why);
	for (size_t i = 0; i < f->fobs_n; i++) {
		const struct fob_seen *s = f->fobs[i].seen;
		const bool this_one = same == 1 ? strcmp(text, s->serial) == 0
				      : *end == '\0'
					      ? n == i + 1
					      : strcmp(text, s->port) == 0;

		if (this_one) {
			bind(&a->plan, f, s);
			return true;
		}
	}
	if (same > 1)
		return refuse(why, "Several have that serial number: say its "
				   "port.");
	return refuse(why, "Which of the fobs, by serial number or port?");
}

/* --- and so? ------------------------------------------------------------ */

static void print_agree(const struct setup_ask *a)
{
	setup_ask_tell(a);
	(void)fputs("Nothing was changed so far. Go on? [Y/n]", a->to);
}

static void usual_agree(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	(void)a;
	copy(out, SETUP_ANSWER_MAX, "y");
}

static bool take_agree(struct setup_ask *a, const char *text, char *why)
{
	if (text[0] == 'n' || text[0] == 'N')
		a->over = true;
	else if (text[0] != 'y' && text[0] != 'Y')
		return refuse(why, "y or n, please.");
	return true;
}

/* --- all ---------------------------------------------------------------- */

static const struct setup_asked asked[SETUP_QUESTIONS] = {
	[SETUP_Q_NUMBER] = { "--number", false, NULL, print_number,
			     usual_number, take_number },
	[SETUP_Q_CALLSIGN] = { "--callsign", false, NULL, print_callsign,
			       usual_callsign, take_callsign },
	[SETUP_Q_NETWORK] = { "--network", false, NULL, print_network,
			      usual_network, take_network },
	[SETUP_Q_REGISTRAR] = { "--registrar", false, is_keyhole,
				print_registrar, usual_registrar,
				take_registrar },
	[SETUP_Q_KEY] = { "--registrar-key", false, is_keyhole, print_key,
			  usual_key, take_key },
	[SETUP_Q_PASSWORD] = { "--password-file", true, is_allstarlink,
			       print_password, nothing, take_password },
	[SETUP_Q_RADIO] = { "--radio", false, NULL, print_radio, usual_radio,
			    take_radio },
	[SETUP_Q_FOB] = { "--fob-serial", false, are_several, print_fob,
			  usual_fob, take_fob },
	[SETUP_Q_AGREE] = { "--yes", false, NULL, print_agree, usual_agree,
			    take_agree },
};

const struct setup_asked *setup_asked(enum setup_question q)
{
	return &asked[q];
}
