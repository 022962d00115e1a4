/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app.h"
#include "daemon/io/addr.h"
#include "daemon/io/keyfile.h"
#include "daemon/io/log.h"

#define PORTAL_KEY_MAX 4096U /* octets of its file */

_Static_assert(IAX2_NUMBER_MAX >= CONF_CALLSIGN_MAX, "users' names");
_Static_assert(NODE_CALLSIGN_MAX >= CONF_SHORT_SIGN_MAX, "callsigns");

static void system_random(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

static struct node_caller *callers(const struct conf_caller *in, size_t n)
{
	struct node_caller *out = calloc(n + 1, sizeof(*out));

	for (size_t i = 0; out && i < n; i++) {
		memcpy(out[i].number, in[i].number, sizeof(in[i].number));
		memcpy(out[i].key, in[i].key.octets, KEY_PUBLIC_LEN);
	}
	return out;
}

static int peer(struct node_peer *out, const struct conf_peer *in,
		char why[CONTROL_WHY_MAX])
{
	memcpy(out->number, in->number, sizeof(in->number));
	out->has_key = in->key.set;
	memcpy(out->key, in->key.octets, KEY_PUBLIC_LEN);
	if (in->secret_file[0] == '\0')
		return 0;
	return keyfile_secret(in->secret_file, out->md5_secret,
			      sizeof(out->md5_secret), why);
}

static int user(struct node_user *out, const struct conf_user *in,
		char why[CONTROL_WHY_MAX])
{
	memcpy(out->name, in->name, sizeof(in->name));
	memcpy(out->callsign, in->callsign, sizeof(in->callsign));
	return keyfile_secret(in->secret_file, out->md5_secret,
			      sizeof(out->md5_secret), why);
}

/* A public key: everybody may read it. */
static int portal_key(struct key_rsa *out, const char *path,
		      char why[CONTROL_WHY_MAX])
{
	char text[PORTAL_KEY_MAX + 1];
	size_t len;
	FILE *f;

	*out = (struct key_rsa){ 0 };
	if (path[0] == '\0')
		return 0;
	f = fopen(path, "re");
	if (!f) {
		const int err = -errno;

		(void)snprintf(why, CONTROL_WHY_MAX, "%s: %s", path,
			       strerror(-err));
		return err;
	}
	len = fread(text, 1, PORTAL_KEY_MAX, f);
	(void)fclose(f);
	text[len] = '\0';
	if (key_rsa_from_pem(text, out))
		return 0;
	(void)snprintf(why, CONTROL_WHY_MAX,
		       "%s has no RSA public key of 512 to 1520 bits in PEM",
		       path);
	return -EINVAL;
}

static enum oo_relay_use relay_use(const struct conf_node *conf)
{
	static const enum oo_relay_use map[] = {
		[CONF_RELAY_NEVER] = OO_RELAY_NEVER,
		[CONF_RELAY_LAST] = OO_RELAY_LAST,
		[CONF_RELAY_ALWAYS] = OO_RELAY_ALWAYS,
	};

	return map[conf->relay.use];
}

static struct jitter_config jitter(const struct conf_node *conf)
{
	return (struct jitter_config){
		.min_ms = conf->jitter.min_ms,
		.max_ms = conf->jitter.max_ms,
	};
}

static struct iax2_limits limits(const struct conf_node *conf)
{
	return (struct iax2_limits){
		.calls_per_addr = (uint16_t)conf->limits.calls_per_address,
		.half_open = (uint16_t)conf_half_open(conf),
		.half_open_per_addr =
			(uint16_t)conf->limits.half_open_per_address,
		.calls_per_s = conf->limits.calls_per_s,
		.auth_failures_per_min = conf->limits.auth_failures_per_min,
	};
}

static struct node_formats formats(const struct conf_node *conf)
{
	static const uint64_t format[CONF_CODECS] = {
		[CONF_CODEC_ULAW] = IAX2_FORMAT_ULAW,
		[CONF_CODEC_ALAW] = IAX2_FORMAT_ALAW,
		[CONF_CODEC_SLIN16] = IAX2_FORMAT_SLIN16,
		[CONF_CODEC_SLIN] = IAX2_FORMAT_SLIN,
		[CONF_CODEC_G726AAL2] = IAX2_FORMAT_G726_AAL2,
		[CONF_CODEC_ADPCM] = IAX2_FORMAT_ADPCM,
		[CONF_CODEC_GSM] = IAX2_FORMAT_GSM,
	};
	struct node_formats f = { .n = conf->iax2.codecs_n };

	for (size_t i = 0; i < f.n; i++)
		f.v[i] = format[conf->iax2.codecs[i]];
	return f;
}

static struct node_acl acl(const struct app *a, const struct conf_node *conf)
{
	return (struct node_acl){
		.registered = conf->accept.by_default == CONF_ACCEPT_REGISTERED,
		.by_address = conf->accept.by_address,
		.by_dns_key = conf->accept.by_dns_key,
		/* Who would ask is made at the start. */
		.web = (a->node ? &a->conf : conf)->accept.web_url[0] != '\0',
		.allow = a->lists.allow,
		.allow_n = conf->accept.allow_n,
		.deny = a->lists.deny,
		.deny_n = conf->accept.deny_n,
		.users = a->lists.users,
		.users_n = conf->accept.users_n,
		.portal = a->lists.portal,
	};
}

static void fill(struct app *a, const struct conf_node *conf,
		 struct node_cfg *out)
{
	*out = (struct node_cfg){
		.number = conf->node.number,
		.callsign = conf->node.callsign,
		.identity = &a->id,
		.port = conf->iax2.port,
		.keepalive_s = conf->keepalive.interval_s,
		.keepalive_max_s = conf->keepalive.max_s,
		.calls_max = (uint16_t)conf->iax2.calls_max,
		.limits = limits(conf),
		.token_optional = a->token_optional,
		.token_optional_n = conf->iax2.calltoken_optional_n,
		.spray_packets =
			conf->open.spray ? conf->open.spray_packets : 0,
		.spray_sockets =
			conf->open.spray ? conf->open.spray_sockets : 0,
		.relay = relay_use(conf),
		.formats = formats(conf),
		.jitter = jitter(conf),
		.station = app_station(conf, a->node ? a->conf.radio.type
						     : conf->radio.type),
		.telemetry = app_telemetry(a, conf),
		.parrot_s = conf->parrot.max_s,
		.parrot = conf->parrot.enabled,
		.acl = acl(a, conf),
		.peers = a->lists.peers,
		.peers_n = conf->peers_n,
		.random = system_random,
	};
}

static int build_lists(struct app_lists *out, const struct conf_node *conf,
		       char why[CONTROL_WHY_MAX])
{
	int err = 0;

	out->allow = callers(conf->accept.allow, conf->accept.allow_n);
	out->deny = callers(conf->accept.deny, conf->accept.deny_n);
	out->peers = calloc(conf->peers_n + 1, sizeof(out->peers[0]));
	out->peers_n = out->peers ? conf->peers_n : 0;
	out->users = calloc(conf->accept.users_n + 1, sizeof(out->users[0]));
	out->users_n = out->users ? conf->accept.users_n : 0;
	if (!out->allow || !out->deny || !out->peers || !out->users) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		err = -ENOMEM;
	}
	for (size_t i = 0; err == 0 && i < conf->peers_n; i++)
		err = peer(&out->peers[i], &conf->peers[i], why);
	for (size_t i = 0; err == 0 && i < conf->accept.users_n; i++)
		err = user(&out->users[i], &conf->accept.users[i], why);
	if (err == 0)
		err = portal_key(&out->portal, conf->accept.portal_key_file,
				 why);
	if (err != 0)
		app_conf_free(out);
	return err;
}

int app_conf_build(struct app *a, const struct conf_node *conf,
		   struct node_cfg *out, char why[CONTROL_WHY_MAX])
{
	struct app_lists lists;
	const int err = build_lists(&lists, conf, why);

	if (err != 0)
		return err;
	a->lists = lists;
	/* The running endpoint looks at them. */
	for (size_t i = 0; !a->node && i < conf->iax2.calltoken_optional_n; i++)
		(void)net_prefix_parse(conf->iax2.calltoken_optional[i].text,
				       &a->token_optional[i]);
	fill(a, conf, out);
	return 0;
}

void app_conf_free(struct app_lists *lists)
{
	free(lists->allow);
	free(lists->deny);
	if (lists->peers)
		key_wipe(lists->peers,
			 lists->peers_n * sizeof(lists->peers[0]));
	free(lists->peers);
	if (lists->users)
		key_wipe(lists->users,
			 lists->users_n * sizeof(lists->users[0]));
	free(lists->users);
	*lists = (struct app_lists){ 0 };
}

static void say_change(void *ctx, const char *name, bool reloads)
{
	json_t *restart = ctx;

	if (reloads) {
		log_info("reload: %s changed", name);
		return;
	}
	log_warning("reload: %s changed; it takes a restart", name);
	if (restart)
		(void)json_array_append_new(restart, json_string(name));
}

static int first_error(const struct app *a, struct conf_diags *diags,
		       char why[CONTROL_WHY_MAX])
{
	conf_diags_print(diags, a->conf_file, stderr);
	if (diags->n > 0)
		(void)snprintf(why, CONTROL_WHY_MAX, "%.100s:%u: %.120s",
			       a->conf_file, diags->v[0].line,
			       diags->v[0].text);
	else
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
	conf_diags_free(diags);
	return -EINVAL;
}

int app_reload(struct app *a, json_t *restart, char why[CONTROL_WHY_MAX])
{
	struct conf_diags diags = { 0 };
	struct app_lists old = a->lists;
	struct conf_node conf;
	struct node_cfg cfg;
	int err;

	if (conf_load_node(a->conf_file, &conf, &diags) != 0)
		return first_error(a, &diags, why);
	conf_diags_print(&diags, a->conf_file, stderr);
	conf_diags_free(&diags);
	err = app_conf_build(a, &conf, &cfg, why);
	if (err != 0) {
		conf_node_free(&conf);
		return err;
	}
	(void)conf_node_changes(&a->conf, &conf, say_change, restart);
	node_reconfigure(a->node, &cfg, loop_now());
	if (lookup_io_reconfigure(a->numbers, &conf) != 0)
		log_error("reload: no memory for what lookup has in the file");
	log_set_level((enum log_level)conf.log.level);
	app_conf_free(&old);
	conf_node_keep(&conf, &a->conf);
	conf_node_free(&a->conf);
	a->conf = conf;
	if (app_names_configure(a) != 0)
		log_error("reload: no memory for lookup.names");
	app_commands_configure(a);
	hooks_configure(a->hooks, a->conf.hooks.program,
			a->conf.hooks.timeout_s);
	radio_io_reload(a->radio, &a->conf);
	app_permanent_place(a);
	return 0;
}
