/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VM_FOB_DESC_H
#define TESTS_VM_FOB_DESC_H

/* The descriptors of a CM108 (USB 1.1 chapter 9, USB Audio Class 1.0, HID
 * 1.11), for fob.c. */

#include <stddef.h>
#include <stdint.h>

#include "tests/vm/fob.h"

/* Each writes to @out, which has 1024 octets, and returns their number;
 * fob_desc_string() -1 when there is none of that index. */
size_t fob_desc_device(const struct fob *f, uint8_t *out);
size_t fob_desc_configuration(uint8_t *out);
size_t fob_desc_hid(uint8_t *out);
size_t fob_desc_report(uint8_t *out);
int fob_desc_string(const struct fob *f, unsigned index, uint8_t *out);

#endif
