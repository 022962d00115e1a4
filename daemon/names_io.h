/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NAMES_IO_H
#define DAEMON_NAMES_IO_H

/* The file of nodes' names: its table is a struct names. */

#include "daemon/file_table.h"
#include "daemon/node/names.h"

extern const struct file_table_kind names_file;

#endif
