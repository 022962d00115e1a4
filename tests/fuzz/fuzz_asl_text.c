/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "proto/asl_keying.h"
#include "proto/asl_list.h"
#include "proto/asl_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const struct asl_text *t)
{
	char out[ASL_TEXT_MAX + 1];
	struct asl_list l, again;
	struct asl_entry e;
	size_t at = 0;

	(void)asl_list_read(&l, t->rest, t->rest_len);
	if (l.len > ASL_LIST_MAX || strlen(l.text) != l.len)
		abort();
	while (asl_list_next(&l, &at, &e)) {
		if (asl_list_find(&l, e.name) != (int)e.mode)
			abort();
	}
	asl_list_format(&l, out);
	if (strlen(out) >= 1200 ||
	    asl_list_read(&again, out + 2, strlen(out + 2)) != 0 ||
	    !asl_list_equal(&l, &again))
		abort();
}

/* What is good can be written again, and is then the same. */
static void check_text(const struct asl_text *t)
{
	char out[ASL_TEXT_MAX + 1];
	struct asl_text again;

	if (!asl_text_format(t, out))
		return;
	if (asl_text_parse(out, strlen(out), &again) != ASL_GOOD ||
	    strcmp(t->src, again.src) != 0 ||
	    strcmp(t->dest, again.dest) != 0 || t->on != again.on ||
	    t->seconds != again.seconds || t->seq != again.seq ||
	    t->digit != again.digit || t->rest_len != again.rest_len)
		abort();
}

/* Lines: each one a message that arrives a second after the one before. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct asl_keying k;
	mono_us now = MONO_S;

	asl_keying_start(&k, now);
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		const size_t n = end ? (size_t)(end - data) : size;
		char *text = malloc(n + 1);
		struct asl_text t;

		if (!text)
			abort();
		memcpy(text, data, n);
		text[n] = '\0';
		now += MONO_S;
		if (asl_text_parse(text, strlen(text), &t) == ASL_GOOD) {
			(void)asl_keying_on_text(&k, t.kind, now);
			if (t.kind == ASL_LIST)
				check_list(&t);
			else
				check_text(&t);
		}
		while (asl_keying_tick(&k, now) != ASL_KEYING_NOTHING)
			;
		if (asl_keying_deadline(&k) <= now)
			abort();
		free(text);
		data += n + (end != NULL);
		size -= n + (end != NULL);
	}
	return 0;
}
