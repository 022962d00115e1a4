/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LINE_LINE_H
#define TESTS_LINE_LINE_H

/*
 * A line of sound in shared memory: what one program plays into it another
 * hears.  Frame n is the 48,000th of a second that begins n/48000 s after the
 * epoch of CLOCK_MONOTONIC, for every program on the machine, so that a delay
 * is a difference of frames.
 */

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LINE_HZ 48000U
#define LINE_FRAMES (1U << 18) /* 5 s */

struct line_frame {
	_Atomic int64_t frame; /* whose sample this is */
	_Atomic int16_t sample;
};

static inline int64_t line_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * LINE_HZ +
	       (int64_t)t.tv_nsec * LINE_HZ / 1000000000;
}

/* The line called @name, made when there is none; NULL: it cannot be had. */
static inline struct line_frame *line_open(const char *name)
{
	const size_t size = LINE_FRAMES * sizeof(struct line_frame);
	char path[96];
	void *line;
	int fd;

	(void)snprintf(path, sizeof(path), "/keyhole-line-%s", name);
	fd = shm_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	line = ftruncate(fd, (off_t)size) == 0
		       ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			      fd, 0)
		       : MAP_FAILED;
	(void)close(fd);
	return line == MAP_FAILED ? NULL : line;
}

static inline void line_close(struct line_frame *line)
{
	(void)munmap(line, LINE_FRAMES * sizeof(*line));
}

static inline void line_put(struct line_frame *line, int64_t frame,
			    int16_t sample)
{
	struct line_frame *f = &line[(uint64_t)frame % LINE_FRAMES];

	atomic_store_explicit(&f->sample, sample, memory_order_relaxed);
	atomic_store_explicit(&f->frame, frame, memory_order_release);
}

/* Silence where nobody played. */
static inline int16_t line_get(const struct line_frame *line, int64_t frame)
{
	const struct line_frame *f = &line[(uint64_t)frame % LINE_FRAMES];

	if (atomic_load_explicit(&f->frame, memory_order_acquire) != frame)
		return 0;
	return atomic_load_explicit(&f->sample, memory_order_relaxed);
}

#endif
