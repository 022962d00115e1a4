/* SPDX-License-Identifier: MIT */

/*
 * What this node tells the conference of its own accord: that a link came or
 * went, who talks here, digits and words for somebody, and the question whose
 * radio is keyed.
 */

#include <stdio.h>
#include <string.h>

#include "daemon/node/node_priv.h"

/* A link that is back by then was not worth a word. */
#define GONE_US (10 * MONO_S)
#define ASK_US (3 * MONO_S)
#define DIGIT_US (120 * MONO_MS)

/* From here, to whom it is for. */
static bool tell(struct node *n, struct asl_text *t, mono_us now)
{
	char text[ASL_TEXT_MAX + 1];

	memcpy(t->src, n->number, strlen(n->number) + 1);
	if (!asl_text_format(t, text))
		return false;
	node_text_send(n, NULL, t, text, now);
	return true;
}

/* --- who talks ---------------------------------------------------------- */

static void talker_event(struct node *n, struct link *l,
			 const struct asl_text *t)
{
	struct node_event *ev = node_push_link(n, NODE_EV_TALKER, l);

	if (t->on)
		memcpy(l->text.who, t->src, sizeof(l->text.who));
	else if (strcmp(l->text.who, t->src) == 0)
		l->text.who[0] = '\0';
	memcpy(ev->number, t->src, sizeof(t->src));
	ev->on = t->on;
	if (t->rest_len > 0)
		memcpy(ev->text, t->rest, t->rest_len);
}

void node_tell_talker(struct node *n, struct link *l, const struct asl_text *t)
{
	talker_event(n, l, t);
}

static void talks_through(struct node *n, struct link *l, const char *name,
			  bool talks, mono_us now)
{
	struct asl_text t = { .kind = ASL_TALKER, .on = talks };
	char text[ASL_TEXT_MAX + 1];

	memcpy(t.src, name, strlen(name) + 1);
	talker_event(n, l, &t);
	if (l->mode != NODE_LOCAL_MONITOR && asl_text_format(&t, text))
		node_text_send(n, l, &t, text, now);
}

/* Those that do not say so themselves are known by their link. */
void node_text_talks(struct node *n, struct link *l, bool talks, mono_us now)
{
	if (!l->text.talker && asl_name_ok(l->number, strlen(l->number)))
		talks_through(n, l, l->number, talks, now);
}

void node_text_radio(struct node *n, bool keyed, mono_us now)
{
	struct asl_text t = { .kind = ASL_TALKER,
			      .on = keyed,
			      .rest = n->text.callsign,
			      .rest_len = strlen(n->text.callsign) };

	if (keyed || n->text.keyed)
		n->text.keyed_at = now;
	if (keyed == n->text.keyed)
		return;
	n->text.keyed = keyed;
	(void)tell(n, &t, now);
}

/* --- links -------------------------------------------------------------- */

static void telemetry(struct node *n, const char *words, mono_us now)
{
	struct asl_text t = { .kind = ASL_TELEMETRY,
			      .rest = words,
			      .rest_len = strlen(words) };

	(void)tell(n, &t, now);
}

void node_report(struct node *n, const char *words, mono_us now)
{
	telemetry(n, words, now);
}

void node_tell_up(struct node *n, const struct link *l, mono_us now)
{
	char words[64];

	for (size_t i = 0; i < NODE_GONE_MAX; i++) {
		if (strcmp(n->text.gone[i].number, l->number) == 0)
			n->text.gone[i].tell = 0;
	}
	/* Who was called leaves it to the caller. */
	if (!l->outbound)
		return;
	(void)snprintf(words, sizeof(words), "CONNECTED,%s,%s", n->number,
		       l->number);
	telemetry(n, words, now);
}

static struct text_gone *free_gone(struct node *n, const char *number)
{
	struct text_gone *free = NULL;

	for (size_t i = 0; i < NODE_GONE_MAX; i++) {
		struct text_gone *g = &n->text.gone[i];

		if (g->tell != 0 && strcmp(g->number, number) == 0)
			return NULL; /* told already, and soon */
		if (g->tell == 0)
			free = g;
	}
	return free;
}

void node_tell_down(struct node *n, struct link *l, mono_us now)
{
	struct text_gone *g;
	char words[64];

	if (l->text.who[0] != '\0')
		talks_through(n, l, l->text.who, false, now);
	if (n->stopping || l->number[0] == '\0')
		return;
	if (l->was_up) {
		g = free_gone(n, l->number);
		if (g) {
			memcpy(g->number, l->number, sizeof(g->number));
			g->tell = now + GONE_US;
		}
	} else if (l->outbound && !l->permanent && l->retries == 0) {
		(void)snprintf(words, sizeof(words), "CONNFAIL,%s", l->number);
		telemetry(n, words, now);
	}
}

static void tell_gone(struct node *n, struct text_gone *g, mono_us now)
{
	const struct link *l = link_by_number(n, g->number);
	char words[64];

	g->tell = 0;
	if (l && l->state == NODE_LINK_UP)
		return;
	(void)snprintf(words, sizeof(words), "REMDISC,%s", g->number);
	telemetry(n, words, now);
}

/* --- questions ---------------------------------------------------------- */

enum iax2_err node_ask(struct node *n, mono_us now)
{
	struct asl_text t = { .kind = ASL_ASK, .dest = ASL_ALL };

	if (n->text.asked_until != 0)
		return IAX2_E_STATE;
	n->text.asked_until = now + ASK_US;
	n->text.answers = 0;
	(void)tell(n, &t, now);
	return IAX2_OK;
}

void node_tell_keyed(struct node *n, const struct asl_text *t)
{
	size_t i = 0;

	if (n->text.asked_until == 0)
		return;
	while (i < n->text.answers &&
	       strcmp(n->text.answer[i].number, t->src) != 0)
		i++;
	if (i == NODE_ANSWERS_MAX)
		return;
	memcpy(n->text.answer[i].number, t->src, sizeof(t->src));
	n->text.answer[i].keyed = t->on;
	n->text.answer[i].seconds = t->seconds;
	if (i == n->text.answers)
		n->text.answers++;
}

size_t node_answers(const struct node *n, const struct node_answer **out)
{
	*out = n->text.answer;
	return n->text.answers;
}

/* --- digits and words --------------------------------------------------- */

enum iax2_err node_command(struct node *n, const char *number,
			   const char *digits, mono_us now)
{
	const size_t len = strlen(digits);

	if (len == 0 || strspn(digits, "0123456789ABCD*#") != len ||
	    !asl_name_ok(number, strlen(number)) ||
	    strcmp(number, n->number) == 0)
		return IAX2_E_RANGE;
	if (n->text.digits_n + len > NODE_DTMF_MAX ||
	    (n->text.digits_n > 0 && strcmp(n->text.dest, number) != 0))
		return IAX2_E_FULL;
	if (now > n->text.digit_next)
		n->text.digit_next = now;
	memcpy(n->text.dest, number, strlen(number) + 1);
	memcpy(n->text.digits + n->text.digits_n, digits, len);
	n->text.digits_n += len;
	return IAX2_OK;
}

static void digit_step(struct node *n, mono_us now)
{
	struct asl_text t = { .kind = ASL_DIGIT,
			      .seq = n->text.seq++ % 1000000,
			      .digit = n->text.digits[0] };

	memcpy(t.dest, n->text.dest, sizeof(t.dest));
	n->text.digits_n--;
	memmove(n->text.digits, n->text.digits + 1, n->text.digits_n);
	n->text.digit_next = now + DIGIT_US;
	(void)tell(n, &t, now);
}

enum iax2_err node_message(struct node *n, const char *number,
			   const char *words, mono_us now)
{
	struct asl_text t = { .kind = ASL_MESSAGE,
			      .dest = ASL_EVERYBODY,
			      .rest = words,
			      .rest_len = strlen(words) };

	if (number && !asl_name_ok(number, strlen(number)))
		return IAX2_E_RANGE;
	if (number)
		memcpy(t.dest, number, strlen(number) + 1);
	return tell(n, &t, now) ? IAX2_OK : IAX2_E_RANGE;
}

/* --- time --------------------------------------------------------------- */

void node_tell_tick(struct node *n, mono_us now)
{
	for (size_t i = 0; i < NODE_GONE_MAX; i++) {
		struct text_gone *g = &n->text.gone[i];

		if (g->tell != 0 && now >= g->tell)
			tell_gone(n, g, now);
	}
	if (n->text.asked_until != 0 && now >= n->text.asked_until) {
		n->text.asked_until = 0;
		node_push(n, NODE_EV_ANSWERS);
	}
	if (n->text.digits_n > 0 && now >= n->text.digit_next)
		digit_step(n, now);
}

mono_us node_tell_deadline(const struct node *n)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < NODE_GONE_MAX; i++) {
		if (n->text.gone[i].tell != 0)
			due = mono_min(due, n->text.gone[i].tell);
	}
	if (n->text.asked_until != 0)
		due = mono_min(due, n->text.asked_until);
	if (n->text.digits_n > 0)
		due = mono_min(due, n->text.digit_next);
	return due;
}
