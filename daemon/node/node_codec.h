/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_NODE_CODEC_H
#define DAEMON_NODE_NODE_CODEC_H

/*
 * What proto calls a media format (RFC 5456 8.7) and audio calls a codec: the
 * two know nothing of each other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/codec.h"

/* Formats in order of preference, each one bit. */
struct node_formats {
	uint64_t v[CODEC_COUNT];
	size_t n;
};

/* Every format there is a codec for, in the order that a node prefers when
 * nothing is configured: u-law first, as all speak it and it costs nothing;
 * those that lose much last. */
const struct node_formats *node_formats_all(void);
/* Whether each is one we have a codec for, none twice, and there are any. */
bool node_formats_ok(const struct node_formats *f);

/* The codec of one format; false when there is none. */
bool node_codec_of(uint64_t format, enum codec_id *out);
/* Its name, or "" when there is none. */
const char *node_codec_name(uint64_t format);

#endif
