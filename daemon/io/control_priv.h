/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_CONTROL_PRIV_H
#define DAEMON_IO_CONTROL_PRIV_H

/*
 * What the parts of the control socket share: the table of clients and who is
 * let in (control.c), what one client says and is told (control_client.c),
 * what goes to many (control_feed.c), the socket itself (control_socket.c).
 */

#include <stdbool.h>
#include <sys/un.h>

#include "daemon/io/control.h"

#define CONTROL_CLIENTS_MAX 64U

struct client;

struct control_request {
	struct client *client;
	struct control_request *next;
	json_t *id; /* NULL: a notification, which nobody answers */
};

struct client {
	struct control *control;
	int fd; /* -1: free */
	struct event *readable;
	struct event *writable;
	char *in;
	size_t in_n;
	char *out;
	size_t out_n;
	bool subscribed;
	bool follows;
	uint64_t lost; /* records of the feed since the last it got */
	bool broken;   /* nothing more is sent; closed from the loop */
	struct control_request *requests;
};

struct control {
	struct control_cfg cfg;
	struct event_base *base;
	struct event *accept;
	struct event *again; /* when there are descriptors again */
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct client client[CONTROL_CLIENTS_MAX];
};

/* control_client.c */

/* In the free slot @cl, take over the connected @fd. */
void client_open(struct client *cl, int fd);
void client_close(struct client *cl);
/* Send one object, which is consumed; a client that does not read, or that
 * there is no memory for, is given up: half a conversation misleads. */
void client_send(struct client *cl, json_t *object);

/*
 * control_socket.c: a listening socket at @path, for the daemon's own user and
 * @group (empty: none).  What is there already is replaced when it is a socket
 * that a dead process left.  Returns its descriptor, or -errno; @why is a
 * sentence then, and also when @group cannot be given the socket.
 */
int control_socket_listen(const char *path, const char *group,
			  char why[CONTROL_WHY_MAX]);

#endif
