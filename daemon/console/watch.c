/* SPDX-License-Identifier: MIT */

/* keyhole top: the terminal's side of it. */

#include "daemon/console/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "daemon/console/ask.h"
#include "daemon/console/top.h"
#include "daemon/console/tty.h"
#include "daemon/io/rpc.h"

#define PERIOD_MS 1000
#define PATIENCE_S 5
#define CTRL_C 3

/* A page of its own, without a cursor; and back. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"

struct watch {
	const struct console *c;
	struct rpc *rpc; /* NULL: not connected */
	json_t *status;  /* the last; NULL: none */
	char note[RPC_WHY_MAX];
	struct screen *shown; /* on the terminal; NULL: unknown */
	size_t first;
	bool colour;
	bool over;
};

/* --- the terminal ------------------------------------------------------- */

static struct termios cooked;
static volatile sig_atomic_t caught;  /* a signal that ends it */
static volatile sig_atomic_t resized; /* or that it was stopped for a while */

static void say(const char *octets)
{
	(void)fputs(octets, stdout);
	(void)fflush(stdout);
}

static void terminal_enter(void)
{
	struct termios raw = cooked;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	say(ENTER);
}

static void terminal_leave(void)
{
	say(LEAVE);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
}

static void on_end(int sig)
{
	caught = sig;
}

static void on_resize(int sig)
{
	resized = sig;
}

static const struct {
	int sig;
	void (*handler)(int);
} handled[] = {
	{ SIGINT, on_end },  { SIGTERM, on_end },     { SIGHUP, on_end },
	{ SIGQUIT, on_end }, { SIGWINCH, on_resize }, { SIGTSTP, on_resize },
};

#define HANDLED (sizeof(handled) / sizeof(handled[0]))

static void handle(struct sigaction before[HANDLED])
{
	caught = 0;
	resized = 0;
	for (size_t i = 0; i < HANDLED; i++) {
		const struct sigaction sa = { .sa_handler =
						      handled[i].handler };

		(void)sigaction(handled[i].sig, &sa, &before[i]);
	}
}

static void handle_as_before(const struct sigaction before[HANDLED])
{
	for (size_t i = 0; i < HANDLED; i++)
		(void)sigaction(handled[i].sig, &before[i], NULL);
}

/* Ctrl-Z: the terminal is the shell's meanwhile. */
static void suspend(void)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct sigaction ours;

	terminal_leave();
	(void)sigaction(SIGTSTP, &usual, &ours);
	(void)raise(SIGTSTP);
	(void)sigaction(SIGTSTP, &ours, NULL);
	terminal_enter();
}

/* --- what is shown ------------------------------------------------------ */

/* Undisturbed by signals that can wait: they would break off the answer. */
static void hold_signals(bool hold)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	(void)sigaddset(&set, SIGTSTP);
	(void)sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void ask(struct watch *w)
{
	struct rpc_answer answer = { 0 };
	int err;

	if (!w->rpc) {
		w->rpc = rpc_open(w->c->socket, w->note);
		if (!w->rpc)
			return;
		rpc_patience(w->rpc, PATIENCE_S);
	}
	hold_signals(true);
	err = rpc_call(w->rpc, "status", NULL, NULL, NULL, &answer);
	hold_signals(false);
	if (err == 0 && answer.result) {
		json_decref(w->status);
		w->status = json_incref(answer.result);
		w->note[0] = '\0';
	} else {
		(void)snprintf(w->note, sizeof(w->note), "%s",
			       err != 0 ? rpc_trouble(err) : answer.message);
		w->rpc = rpc_close(w->rpc);
	}
	rpc_answer_free(&answer);
}

static struct screen *blank(void)
{
	unsigned columns, lines;

	tty_size(&columns, &lines);
	return screen_new(columns, lines);
}

static void draw(struct watch *w)
{
	const size_t n = json_array_size(json_object_get(w->status, "links"));
	struct screen *now = blank();
	struct top_view v = { 0, w->note[0] != '\0' ? w->note : NULL };
	size_t page;

	if (!now) {
		w->over = true;
		return;
	}
	page = top_page(now, w->status);
	if (w->first + page > n)
		w->first = n > page ? n - page : 0;
	v.first = w->first;
	top_compose(now, w->status, &v);
	screen_update(stdout, w->shown, now, w->colour);
	(void)fflush(stdout);
	screen_free(w->shown);
	w->shown = now;
}

/* --- keys --------------------------------------------------------------- */

/* A key that moves by @by links; what an arrow or page key sends ends in the
 * letter or digit that tells it. */
static void on_keys(struct watch *w, const char *keys, size_t n)
{
	const size_t page = top_page(w->shown, w->status);

	for (size_t i = 0; i < n; i++) {
		size_t up = 0;

		if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == CTRL_C)
			w->over = true;
		else if (keys[i] == 'j' || keys[i] == 'B')
			w->first++;
		else if (keys[i] == ' ' || keys[i] == '6')
			w->first += page;
		else if (keys[i] == 'k' || keys[i] == 'A')
			up = 1;
		else if (keys[i] == 'b' || keys[i] == '5')
			up = page;
		w->first -= up < w->first ? up : w->first;
	}
}

/* Until the next look, a key, or a signal.  False: there is no terminal any
 * more. */
static bool wait_a_while(struct watch *w, bool *key)
{
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
	char keys[32];
	ssize_t got;

	*key = poll(&in, 1, PERIOD_MS) > 0;
	if (!*key)
		return true;
	got = read(STDIN_FILENO, keys, sizeof(keys));
	if (got > 0)
		on_keys(w, keys, (size_t)got);
	return got > 0 || (got < 0 && errno == EINTR);
}

static void run(struct watch *w)
{
	bool key = false;

	while (!w->over && !caught) {
		if (resized) {
			if (resized == SIGTSTP)
				suspend();
			resized = 0;
			w->shown = screen_free(w->shown);
		}
		if (!key)
			ask(w);
		draw(w);
		if (w->over || caught || !wait_a_while(w, &key))
			break;
	}
}

enum console_exit watch_top(const struct console *c)
{
	struct sigaction before[HANDLED];
	struct watch w = { .c = c, .colour = tty_colour() };

	if (!tty_screen() || tcgetattr(STDIN_FILENO, &cooked) != 0) {
		(void)fprintf(stderr, "keyhole: top wants a terminal; keyhole "
				      "status tells the same once\n");
		return CONSOLE_USAGE;
	}
	ask(&w);
	/* Who may not use it is told where it stays to be read. */
	if (!w.status) {
		ask_complain(w.note);
		rpc_close(w.rpc);
		return CONSOLE_NOT_REACHABLE;
	}
	handle(before);
	terminal_enter();
	run(&w);
	terminal_leave();
	handle_as_before(before);
	screen_free(w.shown);
	json_decref(w.status);
	rpc_close(w.rpc);
	return caught && caught != SIGINT ? CONSOLE_REFUSED : CONSOLE_DONE;
}
