/* SPDX-License-Identifier: MIT */

/* How others find this node: the network, and what each takes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/console/setup_asked.h"

#define PORT 4569U
#define ALLSTARLINK_HOST "register.allstarlink.org"
#define ALLSTARLINK_FILE "allstarlink.password"

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
	const size_t i = setup_registrar(is, network, a->plan.host);

	return i < is->registrars_n ? &is->registrars[i] : NULL;
}

static void usual_network(const struct setup_ask *a, char out[SETUP_ANSWER_MAX])
{
	enum setup_network network = SETUP_KEYHOLE;

	if (!there(a, SETUP_KEYHOLE) && there(a, SETUP_ALLSTARLINK))
		network = SETUP_ALLSTARLINK;
	else if (!there(a, SETUP_KEYHOLE) && !setup_is_new(a))
		network = SETUP_ALONE;
	if (a->given[SETUP_Q_REGISTRAR] || a->given[SETUP_Q_KEY])
		network = SETUP_KEYHOLE;
	if (a->given[SETUP_Q_PASSWORD])
		network = SETUP_ALLSTARLINK;
	setup_copy(out, SETUP_ANSWER_MAX, networks[network]);
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
		setup_copy(p->host, sizeof(p->host),
			   r                                 ? r->host
			   : p->network == SETUP_ALLSTARLINK ? ALLSTARLINK_HOST
							     : "");
		p->port = r ? r->port : PORT;
	}
	if (!a->given[SETUP_Q_KEY] && r && r->key.set)
		conf_key_encode(r->key.octets, p->key);
	if (r && r->secret_file[0])
		setup_copy(p->secret_file, sizeof(p->secret_file),
			   r->secret_file);
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
	return setup_refuse(why, "It is one of keyhole, allstarlink and none.");
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
		setup_copy(out, SETUP_ANSWER_MAX, p->host);
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
		return setup_refuse(
			why, "It takes a DNS name or an address, such as "
			     "registrar.example.org.");
	if (!split(text, host, &port) ||
	    !setup_fits("registrars[0]", "host", host))
		return setup_refuse(why,
				    "That is no DNS name or address: HOST, "
				    "HOST:PORT or [ADDRESS]:PORT.");
	setup_copy(a->plan.host, sizeof(a->plan.host), host);
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
		setup_copy(out, SETUP_ANSWER_MAX, a->plan.key);
	else
		out[0] = '\0';
}

static bool take_key(struct setup_ask *a, const char *text, char *why)
{
	uint8_t key[CONF_KEY_LEN];
	const size_t len = strlen(text);

	if (len == 0)
		return setup_refuse(why,
				    "Without its key a registrar cannot be "
				    "told from somebody who poses as it.");
	if (len != CONF_KEY_TEXT_LEN - 1)
		return setup_refuse(why,
				    "A key has %u characters; these are %zu.",
				    CONF_KEY_TEXT_LEN - 1, len);
	if (!conf_key_decode(text, key))
		return setup_refuse(why,
				    "That is no key: 43 letters, digits, + and "
				    "/, and = at the end; is one mistyped?");
	setup_copy(a->plan.key, sizeof(a->plan.key), text);
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

/* Enter says it as well. */
static void usual_password(const struct setup_ask *a,
			   char out[SETUP_ANSWER_MAX])
{
	(void)a;
	out[0] = '\0';
}

static bool take_password(struct setup_ask *a, const char *text, char *why)
{
	if (!text[0] && !there(a, SETUP_ALLSTARLINK))
		return setup_refuse(why, "It takes the node's password.");
	if (strlen(text) > SETUP_SECRET_MAX)
		return setup_refuse(why,
				    "A password has at most %u characters.",
				    SETUP_SECRET_MAX);
	setup_copy(a->plan.secret, sizeof(a->plan.secret), text);
	return true;
}

/* --- all ---------------------------------------------------------------- */

const struct setup_asked setup_asked_network = {
	.option = "--network",
	.print = print_network,
	.usual = usual_network,
	.take = take_network,
};

const struct setup_asked setup_asked_registrar = {
	.option = "--registrar",
	.applies = is_keyhole,
	.print = print_registrar,
	.usual = usual_registrar,
	.take = take_registrar,
};

const struct setup_asked setup_asked_key = {
	.option = "--registrar-key",
	.applies = is_keyhole,
	.print = print_key,
	.usual = usual_key,
	.take = take_key,
};

const struct setup_asked setup_asked_password = {
	.option = "--password-file",
	.secret = true,
	.applies = is_allstarlink,
	.print = print_password,
	.usual = usual_password,
	.take = take_password,
};
