/* SPDX-License-Identifier: MIT */
#ifndef PROTO_IAX2_NAME_H
#define PROTO_IAX2_NAME_H

/*
 * What frames are called by people: RFC 5456 section 8's names, Asterisk's
 * where it has more, and OPEN/OVER's.
 */

#include <stdint.h>

/* Each returns NULL for a number that has no name. */
const char *iax2_frame_type_name(uint8_t type);
/* @octet is the subclass as on the wire, with its C bit. */
const char *iax2_iax_name(uint8_t octet);
const char *iax2_control_name(uint8_t octet);

#endif
