/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_CLUSTER_MSG_H
#define PROTO_OPENOVER_CLUSTER_MSG_H

/*
 * What registrars of one cluster write for one another (OPEN-OVER.md section
 * 8): messages, and the note that a node is at a registrar.  Both are boxes
 * (key_box.h) under keys made from the cluster's, because the store that
 * carries them is not trusted.  Layout only: no state, no clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/key_box.h"
#include "proto/openover_directory.h"
#include "proto/openover_msg.h"

#define OO_CLUSTER_NAME_MAX 32U /* characters of a registrar's name */

enum oo_cluster_kind {
	OO_CLUSTER_HELLO = 1,  /* I am here: to all */
	OO_CLUSTER_ASK = 2,    /* an OPEN frame: ask this node of yours */
	OO_CLUSTER_ANSWER = 3, /* an OVER frame: what it said */
};

struct oo_cluster_keys {
	uint8_t message[KEY_SHARED_LEN];
	uint8_t presence[KEY_SHARED_LEN];
	uint64_t tag; /* names the cluster in the store; tells nothing */
};

/* Wiped by the caller. */
void oo_cluster_keys_from(struct oo_cluster_keys *out,
			  const uint8_t secret[KEY_SHARED_LEN]);

struct oo_cluster_msg {
	enum oo_cluster_kind kind;
	uint64_t from;    /* an instance: one run of a registrar */
	uint64_t to;      /* an instance; 0: all */
	uint64_t counter; /* of @from's messages, from 1 */
	uint64_t at_ms;   /* since 1970 */
	/* HELLO: how many nodes its sender has, 32 bits, and its name without
	 * a NUL; else a frame. */
	const uint8_t *body;
	size_t len;
};

#define OO_CLUSTER_HEAD 34U /* version, kind, from, to, counter, at */
#define OO_CLUSTER_MSG_MAX (OO_CLUSTER_HEAD + OO_FRAME_MAX + KEY_BOX_EXTRA)

/* The length written to @out, 0 when the body is too long. */
size_t oo_cluster_msg_seal(const struct oo_cluster_msg *m,
			   const struct oo_cluster_keys *k,
			   const uint8_t nonce[KEY_BOX_NONCE_LEN],
			   uint8_t out[OO_CLUSTER_MSG_MAX]);
/* False for what was not made with these keys.  @out's body is in @buf. */
bool oo_cluster_msg_open(const uint8_t *data, size_t len,
			 const struct oo_cluster_keys *k,
			 uint8_t buf[OO_FRAME_MAX], struct oo_cluster_msg *out);

/* A node is, or lately was, at a registrar. */
struct oo_cluster_presence {
	uint64_t at;       /* the registrar's instance */
	uint64_t heard_ms; /* when it last heard of the node, since 1970 */
	uint8_t key[KEY_PUBLIC_LEN]; /* the node's, as the registrar knows it */
};

#define OO_CLUSTER_PRESENCE_LEN (16U + KEY_PUBLIC_LEN + KEY_BOX_EXTRA)

void oo_cluster_presence_seal(const struct oo_cluster_presence *p,
			      const char *number,
			      const struct oo_cluster_keys *k,
			      const uint8_t nonce[KEY_BOX_NONCE_LEN],
			      uint8_t out[OO_CLUSTER_PRESENCE_LEN]);
bool oo_cluster_presence_open(const uint8_t *data, size_t len,
			      const char *number,
			      const struct oo_cluster_keys *k,
			      struct oo_cluster_presence *out);

#endif
