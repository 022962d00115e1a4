/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_LOG_TEXT_H
#define DAEMON_IO_LOG_TEXT_H

/* What strangers sent may be in a line: it must not begin another, nor move a
 * terminal's cursor, nor make the line something that is no text. */

/* Control characters (ASCII's, and those of C1 in UTF-8) and octets that are
 * no UTF-8 become question marks, one each. */
void log_text_clean(char *text);

#endif
