/* SPDX-License-Identifier: MIT */

#include "daemon/io/https.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/worker.h"

#define CA_FILE_MAX 255U
#define INTERFACE_MAX 63U
#define END_WAIT_MS 100U
#define FIRST_ROOM 65536U /* octets of a file, to begin with */
#define SLOW_OCTETS_S 100L
#define SLOW_S 30L

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
	struct https_file file; /* its path is below */
	char path[HTTPS_PATH_MAX + 1];
	/* Where the answer goes while it comes; the thread's. */
	char *to;
	size_t room;
	/* What came of it. */
	unsigned status;
	bool too_long;
	bool untrusted;
	bool stored;
	bool unchanged;
	int64_t changed;
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

static bool is_for_file(const struct job *j)
{
	return j->path[0] != '\0';
}

static size_t answer_max(const struct job *j)
{
	return is_for_file(j) ? j->file.max : HTTPS_ANSWER_MAX;
}

/* A file's answer grows as it comes: most are far from the bound. */
static bool make_room(struct job *j, size_t len)
{
	size_t room = j->room > 0 ? j->room : FIRST_ROOM;
	char *to;

	if (len <= j->room)
		return true;
	while (room < len)
		room *= 2;
	to = realloc(j->to, room);
	if (!to)
		return false;
	j->to = to;
	j->room = room;
	return true;
}

static size_t on_octets(char *data, size_t one, size_t n, void *ctx)
{
	struct job *j = ctx;
	const size_t room = answer_max(j) - j->len;

	(void)one;
	if (n > room) {
		/* Fewer than were offered: curl ends it. */
		j->too_long = true;
		n = room;
	}
	if (!make_room(j, j->len + n))
		return 0;
	memcpy(j->to + j->len, data, n);
	j->len += n;
	return n;
}

/* It may be large, and from far away: as long as it comes, it may come. */
static void file_options(CURL *c, const struct job *j)
{
	(void)curl.setopt(c, CURLOPT_TIMEOUT, (long)HTTPS_FILE_WAIT_S);
	(void)curl.setopt(c, CURLOPT_LOW_SPEED_LIMIT, SLOW_OCTETS_S);
	(void)curl.setopt(c, CURLOPT_LOW_SPEED_TIME, SLOW_S);
	(void)curl.setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	(void)curl.setopt(c, CURLOPT_FILETIME, 1L);
	/* Whoever says beforehand that it is too long need not send it. */
	(void)curl.setopt(c, CURLOPT_MAXFILESIZE_LARGE,
			  (curl_off_t)j->file.max);
	if (j->file.since <= 0)
		return;
	(void)curl.setopt(c, CURLOPT_TIMECONDITION,
			  (long)CURL_TIMECOND_IFMODSINCE);
	(void)curl.setopt(c, CURLOPT_TIMEVALUE_LARGE,
			  (curl_off_t)j->file.since);
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
	if (is_for_file(j))
		file_options(c, j);
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
	j->too_long |= code == CURLE_FILESIZE_EXCEEDED;
	/* Half an answer is none, but that it was too long. */
	if (code == CURLE_OK || j->too_long)
		j->status = (unsigned)status;
	else
		fail(j, why[0] != '\0' ? why : curl.text(code));
}

/* 0 or errno. */
static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return errno;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) == 0 ? 0 : errno;
}

/* Beside the old one, then in its place: whoever reads it sees one of them,
 * also when the power fails.  0 or errno. */
static int replace_file(const struct job *j)
{
	char beside[HTTPS_PATH_MAX + sizeof(".new")];
	int fd, err;

	(void)snprintf(beside, sizeof(beside), "%s.new", j->path);
	(void)unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	err = write_all(fd, j->to, j->len);
	if (close(fd) != 0 && err == 0)
		err = errno;
	if (err == 0 && rename(beside, j->path) != 0)
		err = errno;
	if (err != 0)
		(void)unlink(beside);
	return err;
}

static void store(struct job *j)
{
	int err;

	/* It is as good as new: whoever looks at its age is to see that. */
	if (j->unchanged)
		(void)utimensat(AT_FDCWD, j->path, NULL, 0);
	if (j->status != 200 || j->too_long || j->unchanged)
		return;
	if (!j->file.good(j->to ? j->to : "", j->len)) {
		fail(j, "its answer is not what the file should be");
		return;
	}
	err = replace_file(j);
	j->stored = err == 0;
	if (err != 0)
		(void)snprintf(j->why, sizeof(j->why), "cannot write it: %s",
			       strerror(err));
}

static void note_times(CURL *c, struct job *j)
{
	curl_off_t changed = -1;
	long unmet = 0;

	(void)curl.getinfo(c, CURLINFO_FILETIME_T, &changed);
	(void)curl.getinfo(c, CURLINFO_CONDITION_UNMET, &unmet);
	j->changed = changed > 0 ? (int64_t)changed : 0;
	j->unchanged = unmet != 0;
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
	if (!is_for_file(j)) {
		j->to = j->text;
		j->room = HTTPS_ANSWER_MAX;
	}
	headers = options(c, cl, j);
	perform(c, j);
	if (is_for_file(j)) {
		note_times(c, j);
		store(j);
		free(j->to);
	} else {
		j->text[j->len] = '\0';
	}
	j->to = NULL;
	curl.cleanup(c);
	curl.free_all(headers);
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
		.stored = j->stored,
		.unchanged = j->unchanged,
		.changed = j->changed,
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
	    (q->body && strlen(q->body) > HTTPS_BODY_MAX) ||
	    (q->file && strlen(q->file->path) > HTTPS_PATH_MAX))
		return -EMSGSIZE;
	memset(j, 0, sizeof(*j));
	j->tag = q->tag;
	j->post = q->body != NULL;
	(void)snprintf(j->url, sizeof(j->url), "%s", q->url);
	if (q->body)
		(void)snprintf(j->body, sizeof(j->body), "%s", q->body);
	if (q->file) {
		j->file = *q->file;
		(void)snprintf(j->path, sizeof(j->path), "%s", q->file->path);
		j->file.path = NULL;
	}
	err = worker_ask(h->worker, j);
	memset(j->body, 0, sizeof(j->body));
	return err;
}
