/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ALLOC_COUNT_H
#define TESTS_ALLOC_COUNT_H

/*
 * How often a program allocates: malloc() and its kin are counted between
 * begin and end, by the sanitizer's hooks where it owns them, else by taking
 * their place.  Then they can be made to fail as well.
 */

#include <stdbool.h>

void alloc_count_begin(void);
/* Blocks that were allocated or freed since. */
unsigned long alloc_count_end(void);
/* It sees an allocation. */
bool alloc_count_works(void);
/* Blocks allocated and not freed since alloc_count_begin(). */
long alloc_count_live(void);
/* From now on, the @nth allocation fails; 0: none does.  False where a
 * sanitizer owns the allocator. */
bool alloc_count_fail(unsigned long nth);

#endif
