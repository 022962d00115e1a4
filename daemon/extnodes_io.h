/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_EXTNODES_IO_H
#define DAEMON_EXTNODES_IO_H

/* The extnodes file: its table is a struct extnodes. */

#include "daemon/file_table.h"
#include "daemon/node/extnodes.h"

extern const struct file_table_kind extnodes_file;

#endif
