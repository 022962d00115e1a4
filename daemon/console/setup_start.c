/* SPDX-License-Identifier: MIT */

/* The service is started, and looked at until the node is registered. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/console/levels.h"
#include "daemon/console/plain.h"
#include "daemon/console/setup.h"
#include "daemon/io/loop.h"
#include "daemon/io/rpc.h"

#define WAIT_S 20U
#define LOOK_MS 250
#define METER_S 5.0

/* --- the service -------------------------------------------------------- */

static bool has_systemd(void)
{
	struct stat st;

	return stat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

/* By its name in PATH, without a shell; whether it succeeded. */
static bool systemctl(const char *verb)
{
	char program[] = "systemctl", own[16], service[] = "keyholed";
	char *argv[] = { program, own, service, NULL };
	int status = 0;
	pid_t pid;

	(void)snprintf(own, sizeof(own), "%s", verb);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)execvp(argv[0], argv);
		(void)fprintf(stderr, "keyhole: systemctl: %s\n",
			      strerror(errno));
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- looking at it ------------------------------------------------------ */

struct look {
	bool answers, registered;
	char told[256]; /* what was said last */
};

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static void take_status(struct look *l, const json_t *status)
{
	const json_t *one;
	char line[sizeof(l->told)] = "", plain[sizeof(l->told)] = "";
	size_t i;

	l->answers = true;
	l->registered = true;
	json_array_foreach(json_object_get(status, "registrars"), i, one)
	{
		const char *state = text_of(one, "state");
		const char *why = text_of(one, "why");

		if (strcmp(state, "registered") != 0)
			l->registered = false;
		(void)snprintf(line, sizeof(line), "%.100s: %.20s%s%.100s",
			       text_of(one, "host"), state, *why ? ": " : "",
			       why);
		if (strcmp(state, "registered") != 0)
			break;
	}
	plain_text(line, plain, sizeof(plain));
	if (plain[0] && strcmp(plain, l->told) != 0)
		(void)printf("... %s\n", plain);
	memcpy(l->told, plain, sizeof(l->told));
	(void)fflush(stdout);
}

static void look(const char *socket, struct look *l)
{
	struct rpc_answer answer = { 0 };
	char why[RPC_WHY_MAX];
	struct rpc *rpc = rpc_open(socket, why);

	if (!rpc)
		return;
	rpc_patience(rpc, 2);
	if (rpc_call(rpc, "status", NULL, NULL, NULL, &answer) == 0 &&
	    answer.result)
		take_status(l, answer.result);
	rpc_answer_free(&answer);
	rpc_close(rpc);
}

static void wait_for(const char *socket, struct look *l)
{
	static const struct timespec pause = { 0, LOOK_MS * 1000000L };
	const mono_us until = loop_now() + WAIT_S * MONO_S;

	for (;;) {
		look(socket, l);
		if ((l->answers && l->registered) || loop_now() >= until)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

/* --- all ---------------------------------------------------------------- */

static enum console_exit tell_command(const struct setup_start *s)
{
	(void)printf("\nThe node is not started. It is with:\n    ");
	if (strcmp(s->config, SETUP_CONFIG) == 0 && has_systemd())
		(void)printf("systemctl enable keyholed; systemctl restart "
			     "keyholed\n");
	else
		(void)printf("keyholed -c %s\n", s->config);
	(void)printf("Then keyhole doctor tells whether all is well.\n");
	return CONSOLE_DONE;
}

static void show_radio(const struct console *c)
{
	const struct levels_want want = { .seconds = METER_S };

	(void)printf("\nWhat the radio receives, for some seconds (open its "
		     "squelch, or have somebody\ntalk); keyhole levels "
		     "--calibrate sets the levels:\n");
	(void)fflush(stdout);
	(void)levels_watch(c, &want);
}

enum console_exit setup_run_node(const struct setup_start *s)
{
	struct console own = { .socket = s->socket };
	char word[] = "doctor";
	char *const doctor[] = { word, NULL };
	struct look l = { 0 };

	if (s->no_start || strcmp(s->config, SETUP_CONFIG) != 0 ||
	    !has_systemd())
		return tell_command(s);
	(void)printf("\nStarting the node ...\n");
	if (!systemctl("enable") || !systemctl("restart")) {
		(void)fprintf(stderr,
			      "keyhole: the service keyholed does not start; "
			      "journalctl -u keyholed tells why\n");
		return CONSOLE_REFUSED;
	}
	wait_for(s->socket, &l);
	if (!l.answers) {
		(void)fprintf(stderr,
			      "keyhole: the node does not answer at %s; "
			      "journalctl -u keyholed tells why\n",
			      s->socket);
		return CONSOLE_REFUSED;
	}
	if (!l.registered)
		(void)printf("Not registered yet; the node keeps trying.%s\n",
			     s->plan->network == SETUP_KEYHOLE
				     ? " The registrar's operator\nhas to "
				       "enter it, by the line above."
				     : "");
	if (s->people && s->fob)
		show_radio(&own);
	(void)printf("\n");
	(void)fflush(stdout);
	(void)console_run(&own, 1, doctor);
	return CONSOLE_DONE;
}
