/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_HTTPS_H
#define DAEMON_IO_HTTPS_H

/*
 * Questions to web servers, by libcurl, which is loaded when the first of these
 * is made, in a thread of its own: to load the
 * system's certificate authorities alone takes longer than a packet of voice.
 * Over IPv4, by no proxy, with no redirect followed: a password goes to whom
 * it is for, and the server sees the address that calls come from.  At most
 * HTTPS_WAIT_S for a question and its answer, of which HTTPS_ANSWER_MAX octets
 * are taken.
 *
 * An answer may become a file instead, whole or not at all: it has
 * HTTPS_FILE_WAIT_S, is taken up to a bound of its own, and is looked at before
 * the file of before gives way to it.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTPS_WAIT_S 15
#define HTTPS_FILE_WAIT_S 240
#define HTTPS_URL_MAX 2047U    /* octets */
#define HTTPS_BODY_MAX 1024U   /* octets of a question */
#define HTTPS_ANSWER_MAX 8192U /* octets */
#define HTTPS_WHY_MAX 160U
#define HTTPS_PATH_MAX 255U /* octets of a file's name */

struct https;

struct https_cfg {
	const char *ca_file;   /* copied; "": the system's authorities */
	const char *interface; /* copied; "": any */
	const char *bind4;     /* copied; "" or 0.0.0.0: any address */
};

struct https_file {
	const char *path;
	size_t max;    /* octets; an answer with more is none */
	int64_t since; /* wanted only if the server changed it since then; 0:
			  in any case */
	/* In the thread: whether an answer is what the file should be. */
	bool (*good)(const char *text, size_t len);
};

struct https_question {
	const char *url;
	const char *body;              /* JSON, which is POSTed; NULL: GET */
	unsigned tag;                  /* comes back with the answer */
	const struct https_file *file; /* NULL: the answer is wanted here */
};

struct https_answer {
	unsigned tag;
	unsigned status;  /* of HTTP; 0: none, and @why is a sentence */
	bool too_long;    /* what is more than the bound was cut off */
	bool untrusted;   /* its certificate does not hold */
	const char *text; /* NUL-terminated; empty when it was for a file */
	size_t len;       /* octets taken */
	bool stored;      /* as the file; if not, and status is 200, why says */
	bool unchanged;   /* since the time in the question; the file's own time
			     is now, as it is good until now */
	int64_t changed;  /* when, as the server says; 0: it does not */
	const char *why;
};

/* The answer lives as long as the call. */
typedef void (*https_fn)(void *ctx, const struct https_answer *a);

/* 0; -ENOMEM without memory or a thread; -ELIBACC when libcurl is not
 * installed. */
int https_new(struct https **out, struct event_base *base,
	      const struct https_cfg *cfg, https_fn fn, void *ctx);
/* Accepts NULL, returns NULL, does not wait; what is under way is not called
 * back. */
struct https *https_free(struct https *h);
/* 0; -EBUSY: too many are under way; -EMSGSIZE: it is too long.  They are asked
 * one after the other. */
int https_ask(struct https *h, const struct https_question *q);

#endif
