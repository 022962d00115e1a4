/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_PROCESS_H
#define TESTS_BENCH_PROCESS_H

/* What benchmarks of several processes share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* End the benchmark with a word when it is not so. */
void must(bool ok, const char *what);
/* For the keys that are made. */
void random_octets(void *ctx, uint8_t *buf, size_t len);
/* This process stays on one processor. */
void pin(size_t cpu);
/* What a process holds, octets, and has used of a processor, s. */
long rss_of(pid_t pid);
double cpu_of(pid_t pid);

#endif
