/* SPDX-License-Identifier: MIT */

#include "daemon/io/https.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/worker.h"

#define CA_FILE_MAX 255U
#define INTERFACE_MAX 63U
#define END_WAIT_MS 100U

/*
 * libcurl comes with a third of a small daemon's memory, and most nodes do not
 * use it: it is loaded when it is needed.  The names are the library's.
 */
struct curl {
	CURLcode (*global_init)(long flags);
	CURL *(*init)(void);
	CURLcode (*setopt)(CURL *c, CURLoption option, ...);
	CURLcode (*getinfo)(CURL *c, CURLINFO info, ...);
	CURLcode (*perform)(CURL *c);
	void (*cleanup)(CURL *c);
	const char *(*text)(CURLcode code);
	struct curl_slist *(*append)(struct curl_slist *l, const char *text);
	void (*free_all)(struct curl_slist *l);
};

static struct curl curl;

struct job {
	unsigned tag;
	bool post;
	char url[HTTPS_URL_MAX + 1];
	char body[HTTPS_BODY_MAX + 1];
	/* What came of it. */
	unsigned status;
	bool too_long;
	bool untrusted;
	size_t len;
	char text[HTTPS_ANSWER_MAX + 1];
	char why[HTTPS_WHY_MAX];
};

/* The thread's. */
struct client {
	char ca_file[CA_FILE_MAX + 1];
	char interface[INTERFACE_MAX + 1];
};

struct https {
	struct worker *worker;
	https_fn fn;
	void *ctx;
	struct job job; /* to be copied */
};

/* --- in the thread ------------------------------------------------------ */

static size_t on_octets(char *data, size_t one, size_t n, void *ctx)
{
	struct job *j = ctx;
	const size_t room = HTTPS_ANSWER_MAX - j->len;

	(void)one;
	if (n > room) {
		/* Fewer than were offered: curl ends it. */
		j->too_long = true;
		n = room;
	}
	memcpy(j->text + j->len, data, n);
	j->len += n;
	return n;
}

static struct curl_slist *options(CURL *c, const struct client *cl,
				  struct job *j)
{
	struct curl_slist *headers = NULL;

	(void)curl.setopt(c, CURLOPT_URL, j->url);
	(void)curl.setopt(c, CURLOPT_PROTOCOLS_STR, "https,http");
	(void)curl.setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl.setopt(c, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	(void)curl.setopt(c, CURLOPT_PROXY, "");
	(void)curl.setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl.setopt(c, CURLOPT_QUICK_EXIT, 1L);
	(void)curl.setopt(c, CURLOPT_TIMEOUT, (long)HTTPS_WAIT_S);
	(void)curl.setopt(c, CURLOPT_CONNECTTIMEOUT, (long)HTTPS_WAIT_S);
	(void)curl.setopt(c, CURLOPT_USERAGENT, "keyhole/" KEYHOLE_VERSION);
	(void)curl.setopt(c, CURLOPT_WRITEFUNCTION, on_octets);
	(void)curl.setopt(c, CURLOPT_WRITEDATA, j);
	if (cl->ca_file[0] != '\0')
		(void)curl.setopt(c, CURLOPT_CAINFO, cl->ca_file);
	if (cl->interface[0] != '\0')
		(void)curl.setopt(c, CURLOPT_INTERFACE, cl->interface);
	if (!j->post)
		return NULL;
	headers = curl.append(NULL, "Content-Type: application/json");
	(void)curl.setopt(c, CURLOPT_POSTFIELDS, j->body);
	(void)curl.setopt(c, CURLOPT_HTTPHEADER, headers);
	return headers;
}

static void fail(struct job *j, const char *why)
{
	(void)snprintf(j->why, sizeof(j->why), "%s", why);
}

static void perform(CURL *c, struct job *j)
{
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;
	long status = 0;

	(void)curl.setopt(c, CURLOPT_ERRORBUFFER, why);
	code = curl.perform(c);
	(void)curl.getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	(void)curl.setopt(c, CURLOPT_ERRORBUFFER, NULL);
	j->untrusted = code == CURLE_PEER_FAILED_VERIFICATION;
	/* Half an answer is none, but that it was too long. */
	if (code == CURLE_OK || j->too_long)
		j->status = (unsigned)status;
	else
		fail(j, why[0] != '\0' ? why : curl.text(code));
}

static void on_work(void *state, void *job)
{
	const struct client *cl = state;
	struct job *j = job;
	CURL *c = curl.init();
	struct curl_slist *headers;

	if (!c) {
		fail(j, "out of memory");
		return;
	}
	headers = options(c, cl, j);
	perform(c, j);
	curl.cleanup(c);
	curl.free_all(headers);
	j->text[j->len] = '\0';
}

/* --- in the loop -------------------------------------------------------- */

static void on_done(void *ctx, const void *job)
{
	const struct https *h = ctx;
	const struct job *j = job;
	const struct https_answer a = {
		.tag = j->tag,
		.status = j->status,
		.too_long = j->too_long,
		.untrusted = j->untrusted,
		.text = j->text,
		.len = j->len,
		.why = j->why,
	};

	h->fn(h->ctx, &a);
}

/* A function's address in the form that dlsym() gives it (POSIX has them of one
 * size). */
static bool find(void *library, const char *name, void *function)
{
	void *at = dlsym(library, name);

	memcpy(function, &at, sizeof(at));
	return at != NULL;
}

static bool load(void)
{
	void *l = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!l)
		l = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	return l && find(l, "curl_global_init", &curl.global_init) &&
	       find(l, "curl_easy_init", &curl.init) &&
	       find(l, "curl_easy_setopt", &curl.setopt) &&
	       find(l, "curl_easy_getinfo", &curl.getinfo) &&
	       find(l, "curl_easy_perform", &curl.perform) &&
	       find(l, "curl_easy_cleanup", &curl.cleanup) &&
	       find(l, "curl_easy_strerror", &curl.text) &&
	       find(l, "curl_slist_append", &curl.append) &&
	       find(l, "curl_slist_free_all", &curl.free_all) &&
	       curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* Once: it stays for as long as the process. */
static bool is_loaded(void)
{
	static bool tried, loaded;

	if (!tried)
		loaded = load();
	tried = true;
	return loaded;
}

static struct client *client_new(const struct https_cfg *cfg)
{
	struct client *cl = calloc(1, sizeof(*cl));

	if (!cl)
		return NULL;
	(void)snprintf(cl->ca_file, sizeof(cl->ca_file), "%s", cfg->ca_file);
	if (cfg->interface[0] != '\0')
		(void)snprintf(cl->interface, sizeof(cl->interface), "if!%s",
			       cfg->interface);
	else if (cfg->bind4[0] != '\0' && strcmp(cfg->bind4, "0.0.0.0") != 0)
		(void)snprintf(cl->interface, sizeof(cl->interface), "host!%s",
			       cfg->bind4);
	return cl;
}

static int start(struct https *h, struct event_base *base,
		 const struct https_cfg *cfg)
{
	struct client *cl = client_new(cfg);
	const struct worker_cfg w = {
		.job_size = sizeof(struct job),
		.work = on_work,
		.done = on_done,
		.ctx = h,
		.state = cl,
		.free_state = free,
	};

	if (!cl)
		return -ENOMEM;
	h->worker = worker_new(base, &w);
	return h->worker ? 0 : -ENOMEM;
}

int https_new(struct https **out, struct event_base *base,
	      const struct https_cfg *cfg, https_fn fn, void *ctx)
{
	struct https *h;
	int err;

	*out = NULL;
	if (!is_loaded())
		return -ELIBACC;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->fn = fn;
	h->ctx = ctx;
	err = start(h, base, cfg);
	if (err != 0)
		free(h);
	else
		*out = h;
	return err;
}

struct https *https_free(struct https *h)
{
	if (!h)
		return NULL;
	worker_free(h->worker, END_WAIT_MS);
	free(h);
	return NULL;
}

int https_ask(struct https *h, const struct https_question *q)
{
	struct job *j = &h->job;
	int err;

	if (strlen(q->url) > HTTPS_URL_MAX ||
	    (q->body && strlen(q->body) > HTTPS_BODY_MAX))
		return -EMSGSIZE;
	memset(j, 0, sizeof(*j));
	j->tag = q->tag;
	j->post = q->body != NULL;
	(void)snprintf(j->url, sizeof(j->url), "%s", q->url);
	if (q->body)
		(void)snprintf(j->body, sizeof(j->body), "%s", q->body);
	err = worker_ask(h->worker, j);
	memset(j->body, 0, sizeof(j->body));
	return err;
}
