/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_WRAP_H
#define DAEMON_CONSOLE_WRAP_H

/* Lines that are too long for a terminal are broken between words, and go on
 * below where their text began. */

#include <stdio.h>

/* @text is plain, lines with their newlines; @columns is at least 1. */
void wrap_text(FILE *to, const char *text, unsigned columns);

#endif
