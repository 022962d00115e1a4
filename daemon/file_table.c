/* SPDX-License-Identifier: MIT */

#include "daemon/file_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/log.h"
#include "daemon/io/worker.h"

#define PATH_LEN 256
#define LOOK_S 5
#define WORKER_WAIT_MS 100U

/* What a file was when it was looked at. */
struct look {
	struct timespec written;
	off_t size;
	ino_t inode;
};

/* The thread's: it makes the tables and ends them. */
struct tables {
	const struct file_table_kind *kind;
	void *now; /* which the loop has */
	void *old; /* which it had until this job was asked for */
};

struct job {
	char path[PATH_LEN];
	struct look seen;
	const void *table; /* NULL: as it was */
	int err;           /* 0, or errno */
};

struct file_table {
	const struct file_table_kind *kind;
	struct worker *worker;
	struct event *timer;
	struct job job; /* as it came back last */
	bool asked;
	file_table_fn fn;
	void *ctx;
};

/* --- in the thread ------------------------------------------------------ */

static bool same(const struct look *a, const struct look *b)
{
	return a->written.tv_sec == b->written.tv_sec &&
	       a->written.tv_nsec == b->written.tv_nsec && a->size == b->size &&
	       a->inode == b->inode;
}

static char *read_all(int fd, size_t size, size_t *len)
{
	char *text = malloc(size + 1);
	ssize_t n = 1;

	*len = 0;
	while (text && *len < size && n > 0) {
		n = read(fd, text + *len, size - *len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			*len += (size_t)n;
	}
	if (n >= 0)
		return text;
	free(text);
	return NULL;
}

/* 0 and the table, or errno. */
static int read_table(int fd, const struct look *l,
		      const struct file_table_kind *kind, void **out)
{
	char *text;
	size_t len;

	if (l->size > (off_t)kind->octets_max)
		return EFBIG;
	text = read_all(fd, (size_t)l->size, &len);
	if (!text)
		return errno;
	*out = kind->make(text, len);
	free(text);
	return *out ? 0 : ENOMEM;
}

static int look_at(int fd, struct job *j, const struct file_table_kind *kind,
		   void **out)
{
	struct stat st;
	struct look l;
	int err;

	if (fstat(fd, &st) != 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EINVAL;
	l = (struct look){ st.st_mtim, st.st_size, st.st_ino };
	if (j->err == 0 && same(&l, &j->seen))
		return 0;
	err = read_table(fd, &l, kind, out);
	if (err == 0)
		j->seen = l;
	return err;
}

static void work(void *state, void *job)
{
	struct tables *t = state;
	struct job *j = job;
	void *x = NULL;
	/* A pipe in its place must not keep the thread. */
	const int fd = open(j->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	t->kind->end(t->old);
	t->old = NULL;
	j->table = NULL;
	if (fd < 0) {
		j->err = errno;
		return;
	}
	j->err = look_at(fd, j, t->kind, &x);
	(void)close(fd);
	if (!x)
		return;
	t->old = t->now;
	t->now = x;
	j->table = x;
}

static void free_tables(void *state)
{
	struct tables *t = state;

	t->kind->end(t->now);
	t->kind->end(t->old);
	free(t);
}

/* --- in the loop -------------------------------------------------------- */

static void on_done(void *ctx, const void *job)
{
	struct file_table *io = ctx;
	const int before = io->job.err;

	io->job = *(const struct job *)job;
	io->asked = false;
	if (io->job.err != 0 && io->job.err != before)
		log_warning("%s: cannot read %s: %s", io->kind->setting,
			    io->job.path, strerror(io->job.err));
	if (!io->job.table)
		return;
	log_info("%s: %zu nodes, %zu lines not understood", io->job.path,
		 io->kind->count(io->job.table), io->kind->bad(io->job.table));
	io->fn(io->ctx, io->job.table);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct file_table *io = ctx;

	(void)fd;
	(void)what;
	if (!io->asked)
		io->asked = worker_ask(io->worker, &io->job) == 0;
}

struct file_table *file_table_new(struct event_base *base,
				  const struct file_table_kind *kind,
				  const char *path, file_table_fn fn, void *ctx)
{
	const struct timeval period = { LOOK_S, 0 };
	struct file_table *io = calloc(1, sizeof(*io));
	struct tables *tables = calloc(1, sizeof(*tables));
	const struct worker_cfg cfg = {
		.job_size = sizeof(io->job),
		.work = work,
		.done = on_done,
		.ctx = io,
		.state = tables,
		.free_state = free_tables,
	};

	if (!io || !tables) {
		free(tables);
		free(io);
		return NULL;
	}
	tables->kind = kind;
	io->kind = kind;
	io->fn = fn;
	io->ctx = ctx;
	(void)snprintf(io->job.path, sizeof(io->job.path), "%s", path);
	io->worker = worker_new(base, &cfg);
	io->timer = event_new(base, -1, EV_PERSIST, on_timer, io);
	if (!io->worker || !io->timer || event_add(io->timer, &period) != 0)
		return file_table_free(io);
	on_timer(-1, 0, io);
	return io;
}

struct file_table *file_table_free(struct file_table *io)
{
	if (!io)
		return NULL;
	if (io->timer)
		event_free(io->timer);
	io->worker = worker_free(io->worker, WORKER_WAIT_MS);
	free(io);
	return NULL;
}

int64_t file_table_written(const struct file_table *io)
{
	return (int64_t)io->job.seen.written.tv_sec;
}

const char *file_table_trouble(const struct file_table *io)
{
	return io->job.err != 0 ? strerror(io->job.err) : NULL;
}
