/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_KEYFILE_H
#define DAEMON_IO_KEYFILE_H

/*
 * Identity files: one line, the base64 text of the 32 octets from which an
 * Ed25519 identity is made.  And other secrets: one line of text.  Both are
 * refused when anybody but their owner may read them.
 */

#include <stddef.h>

#include "proto/keys.h"

#define KEYFILE_WHY_MAX 256U

/* Make a new identity in a file of mode 0600 that must not exist yet.  0, or
 * -errno with a sentence in @why. */
int keyfile_create(const char *path, struct key_identity *out,
		   char why[KEYFILE_WHY_MAX]);
int keyfile_load(const char *path, struct key_identity *out,
		 char why[KEYFILE_WHY_MAX]);
/* The first line of a secret file, without its end, into @out: at most @cap - 2
 * octets, -EMSGSIZE above that. */
int keyfile_secret(const char *path, char *out, size_t cap,
		   char why[KEYFILE_WHY_MAX]);
/* From here on the process has secrets in its memory: no core file shows it,
 * and no debugger of the same user. */
void keyfile_hide_memory(void);
/* A public key from its text; false when it is none. */
bool keyfile_key_from_text(const char *text, uint8_t key[KEY_PUBLIC_LEN]);

#endif
