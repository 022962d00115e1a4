/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

/* tests/vectors/open-over.txt, and the parties that it speaks of. */

#include <stddef.h>
#include <stdint.h>

#include "proto/keys.h"
#include "proto/openover_session.h"

#define VECTOR_MAX 700U

struct vector {
	char name[48];
	uint8_t data[VECTOR_MAX];
	size_t len;
};

/* Seeds and secrets of one octet repeated. */
extern struct key_identity node, registrar, peer;
extern uint8_t node_secret[32], registrar_secret[32];
extern uint8_t node_hello[32], registrar_hello[32];
extern struct oo_transcript transcript;

/* Once, before all else. */
void vectors_read(void);
void parties_make(void);

/* The one of this name; fails when there is none. */
const struct vector *vector(const char *name);
/* Compare, and on a difference say what was made: the line for the file. */
void vector_same(const char *name, const void *got, size_t len);

#endif
