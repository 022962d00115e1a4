/* SPDX-License-Identifier: MIT */

#include "radio/ptt_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_LEN 64U

struct ptt_log {
	int fd;
	bool keyed;
	bool cut; /* the last line lacks its end */
};

static int open_beside(const char *tx_wav)
{
	char *path = NULL;
	int fd;

	if (asprintf(&path, "%s%s", tx_wav, PTT_LOG_SUFFIX) < 0)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		fd = -errno;
	free(path);
	return fd;
}

int ptt_log_open(struct ptt_log **out, const char *tx_wav)
{
	struct ptt_log *log = calloc(1, sizeof(*log));
	int fd;

	*out = NULL;
	if (!log)
		return -ENOMEM;
	fd = open_beside(tx_wav);
	if (fd < 0) {
		free(log);
		return fd;
	}
	log->fd = fd;
	*out = log;
	return 0;
}

int ptt_log_set(struct ptt_log *log, bool keyed, uint64_t now_us)
{
	char line[LINE_MAX_LEN];
	ssize_t n;
	int len;

	if (keyed == log->keyed)
		return 0;
	log->keyed = keyed;
	len = snprintf(line, sizeof(line),
		       "%s{\"ptt\":%s,\"t_us\":%" PRIu64 "}\n",
		       log->cut ? "\n" : "", keyed ? "true" : "false", now_us);
	do
		n = write(log->fd, line, (size_t)len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	log->cut = n < len;
	return log->cut ? -ENOSPC : 0;
}

struct ptt_log *ptt_log_free(struct ptt_log *log)
{
	if (log) {
		(void)close(log->fd);
		free(log);
	}
	return NULL;
}
