/* SPDX-License-Identifier: MIT */

#include "daemon/io/trace_client.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/pcap.h"
#include "daemon/io/rpc.h"
#include "proto/iax2_trace.h"

#define DONE 0
#define REFUSED 1
#define NOT_REACHABLE 3
#define SECONDS_MAX 31536000UL

/* One notification, taken out of its JSON. */
struct record {
	json_int_t t_us;
	json_int_t wall_us;
	json_int_t ttl;
	json_int_t dropped;
	const char *dir;
	const char *local;
	const char *peer;
	uint8_t data[DGRAM_MAX];
	size_t len;
};

struct follower {
	const struct trace_want *want;
	const struct rpc *rpc;
	FILE *out;
	uint64_t seen;
	uint64_t dropped;
	bool failed; /* to write */
};

static void complain(const struct trace_want *w, const char *what,
		     const char *why)
{
	(void)fprintf(stderr, "%s: %s%s%s\n", w->program, what,
		      why[0] != '\0' ? ": " : "", why);
}

/* --- records ------------------------------------------------------------ */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(const char *hex, uint8_t *out, size_t cap, size_t *len)
{
	size_t n = 0;

	for (; hex[0] != '\0'; hex += 2) {
		const int high = digit(hex[0]), low = digit(hex[1]);

		if (high < 0 || low < 0 || n == cap)
			return false;
		out[n++] = (uint8_t)(high << 4 | low);
	}
	*len = n;
	return true;
}

static json_int_t number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static const char *text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static bool read_record(const json_t *params, struct record *r)
{
	const char *hex = text(params, "octets");

	r->t_us = number(params, "t_us");
	r->wall_us = number(params, "wall_us");
	r->ttl = number(params, "ttl");
	r->dropped = number(params, "dropped");
	r->dir = text(params, "dir");
	r->local = text(params, "local");
	r->peer = text(params, "peer");
	return hex && r->dir && r->local && r->peer &&
	       from_hex(hex, r->data, sizeof(r->data), &r->len);
}

/* --- a capture ---------------------------------------------------------- */

static int to_pcap(FILE *out, const struct record *r)
{
	const bool sent = strcmp(r->dir, "out") == 0;
	struct pcap_dgram d = {
		.wall_us = (uint64_t)r->wall_us,
		.ttl = (uint8_t)r->ttl,
		.data = r->data,
		.len = r->len,
	};

	if (!net_addr_parse(r->local, 0, sent ? &d.from : &d.to) ||
	    !net_addr_parse(r->peer, 0, sent ? &d.to : &d.from))
		return -EINVAL;
	return pcap_write(out, &d);
}

/* --- text --------------------------------------------------------------- */

static int to_text(FILE *out, const struct record *r)
{
	const time_t s = (time_t)(r->wall_us / 1000000);
	char clock[16] = "", line[IAX2_TRACE_LINE_MAX];
	struct iax2_trace t;
	struct tm tm;

	if (localtime_r(&s, &tm))
		(void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	if (iax2_trace_describe(r->data, r->len, &t))
		iax2_trace_line(&t, line, sizeof(line));
	else
		(void)snprintf(line, sizeof(line), "%zu octets, no IAX2 frame",
			       r->len);
	if (r->dropped > 0)
		(void)fprintf(out, "... %lld datagrams lost here\n",
			      (long long)r->dropped);
	return fprintf(out, "%s.%06d %-3s %s %s\n", clock,
		       (int)(r->wall_us % 1000000), r->dir, r->peer,
		       line) >= 0 &&
			       fflush(out) == 0
		       ? 0
		       : -EIO;
}

/* --- JSON --------------------------------------------------------------- */

static json_t *elements(const struct iax2_trace *t)
{
	struct wire_rd r = wire_rd(t->body, t->body_len);
	json_t *list = json_array();
	struct iax2_ie_view ie;
	char value[IAX2_TRACE_VALUE_MAX];

	while (iax2_ie_next(&r, &ie)) {
		iax2_trace_value(&ie, value, sizeof(value));
		(void)json_array_append_new(
			list,
			json_pack("{s:i, s:s?, s:i, s:s}", "id", (int)ie.type,
				  "name", iax2_ie_name(ie.type), "len",
				  (int)ie.len, "value", value));
	}
	return list;
}

static void add_full(json_t *o, const struct iax2_trace *t)
{
	json_t *full = json_pack(
		"{s:i, s:b, s:i, s:i, s:i, s:s?, s:i, s:s?}", "dst_call",
		(int)t->dst_callno, "retransmit", (int)t->retransmit, "oseq",
		(int)t->oseq, "iseq", (int)t->iseq, "type", (int)t->type,
		"type_name", t->type_name, "subclass", (int)t->subclass,
		"subclass_name", t->subclass_name);

	(void)json_object_update(o, full);
	json_decref(full);
	if (t->has_elements)
		(void)json_object_set_new(o, "elements", elements(t));
}

static void add_frame(json_t *o, const struct record *r)
{
	static const char *const kind[] = { [IAX2_KIND_FULL] = "full",
					    [IAX2_KIND_MINI] = "mini",
					    [IAX2_KIND_META] = "meta" };
	enum iax2_err err = IAX2_E_TRUNCATED;
	struct iax2_trace t;

	if (iax2_trace_describe(r->data, r->len, &t)) {
		err = t.err;
		(void)json_object_set_new(o, "kind", json_string(kind[t.kind]));
		(void)json_object_set_new(o, "src_call",
					  json_integer(t.src_callno));
		(void)json_object_set_new(o, "ts_ms", json_integer(t.ts_ms));
		(void)json_object_set_new(o, "body_len",
					  json_integer((json_int_t)t.body_len));
		if (t.kind == IAX2_KIND_FULL)
			add_full(o, &t);
	}
	if (err != IAX2_OK)
		(void)json_object_set_new(o, "malformed",
					  json_string(iax2_err_str(err)));
}

static int to_json(FILE *out, const struct record *r)
{
	json_t *o =
		json_pack("{s:I, s:I, s:s, s:s, s:s, s:I, s:I, s:I}", "t_us",
			  r->t_us, "wall_us", r->wall_us, "dir", r->dir,
			  "local", r->local, "peer", r->peer, "ttl", r->ttl,
			  "len", (json_int_t)r->len, "dropped", r->dropped);
	int err;

	add_frame(o, r);
	err = json_dumpf(o, out, JSON_COMPACT);
	json_decref(o);
	return err == 0 && fputc('\n', out) != EOF && fflush(out) == 0 ? 0
								       : -EIO;
}

/* --- following ---------------------------------------------------------- */

static const struct rpc *volatile followed; /* what a signal ends */
static volatile sig_atomic_t told_to_stop;

static void on_signal(int sig)
{
	const int saved = errno;

	(void)sig;
	told_to_stop = 1;
	rpc_stop(followed);
	errno = saved;
}

static void on_note(void *ctx, const char *method, const json_t *params)
{
	static int (*const writer[])(FILE *, const struct record *) = {
		[TRACE_PCAP] = to_pcap,
		[TRACE_TEXT] = to_text,
		[TRACE_JSON] = to_json,
	};
	struct follower *f = ctx;
	struct record r;
	int err;

	if (f->failed || strcmp(method, "trace") != 0 ||
	    !read_record(params, &r))
		return;
	f->seen++;
	f->dropped += (uint64_t)r.dropped;
	err = writer[f->want->form](f->out, &r);
	if (err == -EIO) {
		complain(f->want, f->want->file, strerror(errno));
		f->failed = true;
		rpc_stop(f->rpc);
	}
}

static int listen_on(struct rpc *rpc, struct follower *f)
{
	const struct sigaction end = { .sa_handler = on_signal };
	static const int sig[] = { SIGINT, SIGTERM, SIGALRM };
	struct sigaction old[3];

	followed = rpc;
	told_to_stop = 0;
	for (size_t i = 0; i < 3; i++)
		(void)sigaction(sig[i], &end, &old[i]);
	(void)alarm(f->want->seconds);
	(void)fprintf(stderr, "%s: tracing; an interrupt ends it\n",
		      f->want->program);
	(void)rpc_listen(rpc, on_note, f);
	(void)alarm(0);
	for (size_t i = 0; i < 3; i++)
		(void)sigaction(sig[i], &old[i], NULL);
	(void)fprintf(stderr,
		      "%s: %" PRIu64 " datagrams, %" PRIu64 " more lost\n",
		      f->want->program, f->seen, f->dropped);
	if (f->failed)
		return REFUSED;
	if (told_to_stop)
		return DONE;
	complain(f->want, "the daemon went away", "");
	return NOT_REACHABLE;
}

static int ask_and_listen(struct rpc *rpc, struct follower *f)
{
	struct rpc_answer answer;
	const int err = rpc_call(rpc, "trace", NULL, on_note, f, &answer);
	int status = REFUSED;

	if (err != 0) {
		complain(f->want, rpc_trouble(err), "");
		return NOT_REACHABLE;
	}
	if (answer.result)
		status = listen_on(rpc, f);
	else
		complain(f->want, answer.message, "");
	rpc_answer_free(&answer);
	return status;
}

static FILE *open_out(const struct trace_want *w)
{
	FILE *out = stdout;

	if (w->form != TRACE_PCAP)
		return out;
	if (strcmp(w->file, "-") != 0)
		out = fopen(w->file, "wbe");
	else if (isatty(STDOUT_FILENO)) {
		complain(w, "a capture on a terminal helps nobody", "");
		return NULL;
	}
	if (out && pcap_start(out) == 0)
		return out;
	complain(w, w->file, strerror(errno));
	if (out && out != stdout)
		(void)fclose(out);
	return NULL;
}

int trace_follow(const struct trace_want *w)
{
	struct follower f = { .want = w };
	char why[RPC_WHY_MAX];
	struct rpc *rpc = rpc_open(w->socket, why);
	int status = REFUSED;

	if (!rpc) {
		complain(w, why, "");
		return NOT_REACHABLE;
	}
	f.rpc = rpc;
	f.out = open_out(w);
	if (f.out)
		status = ask_and_listen(rpc, &f);
	if (f.out && f.out != stdout && fclose(f.out) != 0 && status == DONE) {
		complain(w, w->file, strerror(errno));
		status = REFUSED;
	}
	rpc_close(rpc);
	return status;
}

/* --- the command line --------------------------------------------------- */

static bool read_seconds(const char *text, unsigned *out)
{
	char *end;
	const unsigned long v = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v == 0 ||
	    v > SECONDS_MAX)
		return false;
	*out = (unsigned)v;
	return true;
}

bool trace_options(int argc, char *const *argv, struct trace_want *out)
{
	out->file = NULL;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--text") == 0)
			out->form = TRACE_TEXT;
		else if (strcmp(argv[i], "--json") == 0)
			out->form = TRACE_JSON;
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
			if (!read_seconds(argv[++i], &out->seconds))
				return false;
		} else if (!out->file &&
			   (argv[i][0] != '-' || argv[i][1] == '\0'))
			out->file = argv[i];
		else
			return false;
	}
	if ((out->form == TRACE_PCAP) != (out->file != NULL))
		return false;
	if (!out->file)
		out->file = "standard output";
	return true;
}
