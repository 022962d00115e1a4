/* SPDX-License-Identifier: MIT */

#include "daemon/console/interrupt.h"

#include <signal.h>
#include <stdio.h>

static const struct rpc *volatile waited_for;
static volatile sig_atomic_t interrupted;
static struct sigaction before;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
	if (waited_for)
		rpc_stop(waited_for);
}

void interrupt_begin(const struct rpc *rpc)
{
	const struct sigaction end = { .sa_handler = on_signal,
				       .sa_flags = SA_RESTART };

	interrupted = 0;
	waited_for = rpc;
	(void)sigaction(SIGINT, &end, &before);
}

bool interrupt_end(void)
{
	(void)sigaction(SIGINT, &before, NULL);
	waited_for = NULL;
	/* The terminal has shown ^C. */
	if (interrupted)
		(void)putchar('\n');
	return interrupted != 0;
}
