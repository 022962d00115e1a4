/* SPDX-License-Identifier: MIT */

/* Masking leaves no secret that a reader of elements can find, changes nothing
 * else, and what is said of a frame is one printable line. */

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void is_one_line(const char *text, size_t cap)
{
	size_t n = 0;

	while (n < cap && text[n] != '\0') {
		must(text[n] >= 0x20 && text[n] < 0x7f);
		n++;
	}
	must(n < cap);
}

static bool is_zero(const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (octets[i] != 0)
			return false;
	}
	return true;
}

static void elements(const struct iax2_trace *t, const struct iax2_trace *was)
{
	struct wire_rd r = wire_rd(t->body, t->body_len);
	struct wire_rd before = wire_rd(was->body, was->body_len);
	struct iax2_ie_view ie, old;
	char text[IAX2_TRACE_VALUE_MAX];

	while (iax2_ie_next(&r, &ie)) {
		must(iax2_ie_next(&before, &old));
		must(old.type == ie.type && old.len == ie.len);
		if (iax2_trace_is_secret(ie.type))
			must(is_zero(ie.value, ie.len));
		else
			must(memcmp(ie.value, old.value, ie.len) == 0);
		iax2_trace_value(&ie, text, sizeof(text));
		is_one_line(text, sizeof(text));
	}
	must(!iax2_ie_next(&before, &old));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct iax2_trace was, t;
	char line[IAX2_TRACE_LINE_MAX];
	uint8_t *copy;

	if (size == 0)
		return 0;
	copy = malloc(size);
	must(copy != NULL);
	memcpy(copy, data, size);
	(void)iax2_trace_mask(copy, size);
	if (iax2_trace_describe(copy, size, &t)) {
		must(iax2_trace_describe(data, size, &was));
		must(t.err == was.err && t.body_len == was.body_len);
		iax2_trace_line(&t, line, sizeof(line));
		is_one_line(line, sizeof(line));
		if (t.has_elements)
			elements(&t, &was);
	}
	/* Once masked there is nothing left to mask. */
	(void)iax2_trace_mask(copy, size);
	if (iax2_trace_describe(copy, size, &was) && was.has_elements)
		elements(&was, &t);
	free(copy);
	return 0;
}
