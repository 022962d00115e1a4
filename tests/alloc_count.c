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

static unsigned long count;

#ifdef SANITIZED

#include <sanitizer/allocator_interface.h>

static void on_malloc(const volatile void *p, size_t size)
{
	(void)p;
	(void)size;
	count++;
}

static void on_free(const volatile void *p)
{
	(void)p;
	count++;
}

static void install(void)
{
	static bool done;

	if (!done &&
	    !__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free))
		abort();
	done = true;
}

#else

/* glibc's own names for them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

void *malloc(size_t size)
{
	count++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	count++;
	return __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	count++;
	return __libc_memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	count++;
	*p = __libc_memalign(align, size);
	return *p ? 0 : ENOMEM;
}

void free(void *p)
{
	count++;
	__libc_free(p);
}

static void install(void)
{
}

#endif

void alloc_count_begin(void)
{
	install();
	count = 0;
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
