/* SPDX-License-Identifier: MIT */

#include "tests/alloc_count.h"

#include <errno.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* volatile: a compiler knows malloc() and thinks that it changes neither. */
static volatile unsigned long count;
static volatile long live;

#ifdef SANITIZED

#include <sanitizer/allocator_interface.h>

static void on_malloc(const volatile void *p, size_t size)
{
	(void)p;
	(void)size;
	count++;
	live++;
}

static void on_free(const volatile void *p)
{
	count++;
	live -= p != NULL;
}

static void install(void)
{
	static bool done;

	if (!done &&
	    !__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free))
		abort();
	done = true;
}

bool alloc_count_fail(unsigned long nth)
{
	(void)nth;
	return false;
}

#else

/* glibc's own names for them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

static unsigned long fail_at;

/* May this one be had? */
static bool granted(void)
{
	count++;
	if (fail_at > 0 && --fail_at == 0) {
		errno = ENOMEM;
		return false;
	}
	live++;
	return true;
}

void *malloc(size_t size)
{
	return granted() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t n, size_t size)
{
	return granted() ? __libc_calloc(n, size) : NULL;
}

void *realloc(void *p, size_t size)
{
	count++;
	live += p == NULL;
	return __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return granted() ? __libc_memalign(align, size) : NULL;
}

int posix_memalign(void **p, size_t align, size_t size)
{
	*p = granted() ? __libc_memalign(align, size) : NULL;
	return *p ? 0 : ENOMEM;
}

void free(void *p)
{
	count++;
	live -= p != NULL;
	__libc_free(p);
}

static void install(void)
{
}

bool alloc_count_fail(unsigned long nth)
{
	fail_at = nth;
	return true;
}

#endif

void alloc_count_begin(void)
{
	install();
	count = 0;
	live = 0;
}

unsigned long alloc_count_end(void)
{
	return count;
}

bool alloc_count_works(void)
{
	/* volatile: else the compiler may leave both calls out. */
	void *volatile p;

	alloc_count_begin();
	p = malloc(1);
	free(p);
	p = calloc(1, 1);
	p = realloc(p, 1000);
	free(p);
	return alloc_count_end() >= 5;
}

long alloc_count_live(void)
{
	return live;
}
