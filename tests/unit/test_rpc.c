/* SPDX-License-Identifier: MIT */

/* The console's end of the control socket, against daemons that misbehave. */

#include "daemon/io/rpc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/t.h"

static char dir[] = "/tmp/keyhole-rpc-XXXXXX";
static char path[64];

/* A socket that takes a client in and says nothing. */
static int listener(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, path, strlen(path) + 1);
	T_TRUE(fd >= 0);
	T_EQ(0, bind(fd, (const struct sockaddr *)&sa, sizeof(sa)));
	T_EQ(0, listen(fd, 1));
	return fd;
}

static void a_daemon_that_says_nothing_is_not_waited_for_for_ever(void)
{
	const int fd = listener();
	struct rpc_answer answer;
	char why[RPC_WHY_MAX];
	struct rpc *r = rpc_open(path, why);
	int err;

	T_TRUE(r != NULL);
	rpc_patience(r, 1);
	err = rpc_call(r, "status", NULL, NULL, NULL, &answer);
	T_EQ(-ETIMEDOUT, err);
	T_STR("the daemon does not answer", rpc_trouble(err));
	rpc_answer_free(&answer);
	T_TRUE(rpc_close(r) == NULL);
	T_EQ(0, close(fd));
	T_EQ(0, unlink(path));
}

static void a_daemon_that_goes_away_is_told_from_it(void)
{
	const int fd = listener();
	struct rpc_answer answer;
	char why[RPC_WHY_MAX];
	struct rpc *r = rpc_open(path, why);
	int err, client;

	T_TRUE(r != NULL);
	client = accept(fd, NULL, NULL);
	T_TRUE(client >= 0);
	T_EQ(0, close(client));
	err = rpc_call(r, "status", NULL, NULL, NULL, &answer);
	T_EQ(-ECONNRESET, err);
	T_STR("the daemon went away", rpc_trouble(err));
	rpc_answer_free(&answer);
	rpc_close(r);
	T_EQ(0, close(fd));
	T_EQ(0, unlink(path));
}

static void where_nobody_listens_a_sentence_says_so(void)
{
	char why[RPC_WHY_MAX];

	T_TRUE(rpc_open(path, why) == NULL);
	T_TRUE(strstr(why, "the daemon is not running") != NULL);
}

int main(void)
{
	T_TRUE(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	T_RUN(a_daemon_that_says_nothing_is_not_waited_for_for_ever);
	T_RUN(a_daemon_that_goes_away_is_told_from_it);
	T_RUN(where_nobody_listens_a_sentence_says_so);
	T_EQ(0, rmdir(dir));
	return T_DONE();
}
