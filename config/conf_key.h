/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_CONF_KEY_H
#define CONFIG_CONF_KEY_H

/*
 * A public key as people exchange it: 44 characters of base64 (RFC 4648
 * section 4) for 32 octets.  Strict, so that a key has exactly one spelling.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"

#define CONF_KEY_TEXT_LEN 45U /* with the NUL */

/* False, @out unchanged, unless @text is exactly one key: no white space, the
 * padding there, the unused bits zero. */
bool conf_key_decode(const char *text, uint8_t out[CONF_KEY_LEN]);
void conf_key_encode(const uint8_t key[CONF_KEY_LEN],
		     char out[CONF_KEY_TEXT_LEN]);

#endif
