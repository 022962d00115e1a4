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
		.half_open = (uint16_t)conf->limits.half_open,
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

static void fill(struct app *a, const struct conf_node *conf,
		 struct node_cfg *out)
{
	*out = (struct node_cfg){
		.number = conf->node.number,
		.identity = &a->id,
		.port = conf->iax2.port,
		.keepalive_s = conf->keepalive.interval_s,
		.calls_max = (uint16_t)conf->iax2.calls_max,
		.limits = limits(conf),
		.token_optional = a->token_optional,
		.token_optional_n = conf->iax2.calltoken_optional_n,
		.spray_packets =
			conf->open.spray ? conf->open.spray_packets : 0,
		.spray_sockets =
			conf->open.spray ? conf->open.spray_sockets : 0,
		.formats = formats(conf),
		.jitter = jitter(conf),
		.ptt = { .timeout_s = conf->radio.timeout_s,
			 .hang_ms = conf->radio.hang_ms },
		.acl = { .registered = conf->accept.by_default ==
				       CONF_ACCEPT_REGISTERED,
			 .allow = a->allow,
			 .allow_n = conf->accept.allow_n,
			 .deny = a->deny,
			 .deny_n = conf->accept.deny_n },
		.peers = a->peers,
		.peers_n = conf->peers_n,
		.random = system_random,
	};
}

int app_conf_build(struct app *a, const struct conf_node *conf,
		   struct node_cfg *out, char why[CONTROL_WHY_MAX])
{
	int err = 0;

	a->allow = callers(conf->accept.allow, conf->accept.allow_n);
	a->deny = callers(conf->accept.deny, conf->accept.deny_n);
	a->peers = calloc(conf->peers_n + 1, sizeof(a->peers[0]));
	a->peers_n = a->peers ? conf->peers_n : 0;
	if (!a->allow || !a->deny || !a->peers) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		err = -ENOMEM;
	}
	/* The running endpoint looks at them. */
	for (size_t i = 0; !a->node && i < conf->iax2.calltoken_optional_n; i++)
		(void)net_prefix_parse(conf->iax2.calltoken_optional[i].text,
				       &a->token_optional[i]);
	for (size_t i = 0; err == 0 && i < conf->peers_n; i++)
		err = peer(&a->peers[i], &conf->peers[i], why);
	if (err != 0) {
		app_conf_free(a);
		return err;
	}
	fill(a, conf, out);
	return 0;
}

void app_conf_free(struct app *a)
{
	free(a->allow);
	free(a->deny);
	if (a->peers)
		key_wipe(a->peers, a->peers_n * sizeof(a->peers[0]));
	free(a->peers);
	a->allow = NULL;
	a->deny = NULL;
	a->peers = NULL;
	a->peers_n = 0;
}

static void say_change(void *ctx, const char *name, bool reloads)
{
	(void)ctx;
	if (reloads)
		log_info("reload: %s changed", name);
	else
		log_warning("reload: %s changed; it takes a restart", name);
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

static void swap(void *a, void *b, size_t len)
{
	uint8_t *x = a, *y = b;

	for (size_t i = 0; i < len; i++) {
		const uint8_t t = x[i];

		x[i] = y[i];
		y[i] = t;
	}
}

/* What takes a restart stays as it runs, for whoever looks at the settings. */
static void keep_running(struct conf_node *loaded, struct conf_node *running)
{
	swap(&loaded->node, &running->node, sizeof(loaded->node));
	swap(&loaded->iax2, &running->iax2, sizeof(loaded->iax2));
	swap(&loaded->registrars, &running->registrars,
	     sizeof(loaded->registrars));
	swap(&loaded->registrars_n, &running->registrars_n,
	     sizeof(loaded->registrars_n));
	swap(&loaded->keepalive, &running->keepalive,
	     sizeof(loaded->keepalive));
	swap(&loaded->limits, &running->limits, sizeof(loaded->limits));
	swap(&loaded->open, &running->open, sizeof(loaded->open));
	swap(&loaded->radio.type, &running->radio.type,
	     sizeof(loaded->radio.type));
	swap(&loaded->sim, &running->sim, sizeof(loaded->sim));
	swap(&loaded->control, &running->control, sizeof(loaded->control));
}

int app_reload(struct app *a, char why[CONTROL_WHY_MAX])
{
	struct conf_diags diags = { 0 };
	struct conf_node conf;
	struct node_cfg cfg;
	struct app old = *a;
	int err;

	if (conf_load_node(a->conf_file, &conf, &diags) != 0)
		return first_error(a, &diags, why);
	err = app_conf_build(a, &conf, &cfg, why);
	if (err != 0) {
		/* What was in force stays. */
		a->allow = old.allow;
		a->deny = old.deny;
		a->peers = old.peers;
		a->peers_n = old.peers_n;
		conf_diags_free(&diags);
		conf_node_free(&conf);
		return err;
	}
	conf_diags_print(&diags, a->conf_file, stderr);
	conf_diags_free(&diags);
	(void)conf_node_changes(&a->conf, &conf, say_change, NULL);
	node_reconfigure(a->node, &cfg, loop_now());
	log_set_level((enum log_level)conf.log.level);
	app_conf_free(&old);
	keep_running(&conf, &a->conf);
	conf_node_free(&a->conf);
	a->conf = conf;
	return 0;
}
