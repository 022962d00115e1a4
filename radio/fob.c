/* SPDX-License-Identifier: MIT */

#include "radio/fob.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radio/fob_priv.h"

/* --- telling ------------------------------------------------------------ */

static void tell_state(struct fob *f)
{
	const enum fob_state state = fob_state(f);
	const bool fault = state == FOB_ABSENT || state == FOB_FAILED;
	const char *why = fault ? f->why : "";

	if (fault && !why[0])
		return; /* nobody knows yet */
	if (f->told_any && state == f->told && strcmp(why, f->told_why) == 0)
		return;
	f->told_any = true;
	f->told = state;
	(void)snprintf(f->told_why, sizeof(f->told_why), "%s", why);
	f->cb.on_state(f->cb.ctx, state, fault ? f->told_why : NULL);
}

static void tell_warning(struct fob *f)
{
	const char *what = fob_machine_warning(&f->machine);

	if (what)
		f->cb.on_warning(f->cb.ctx, what);
}

static void tell_input(struct fob *f, bool cor, bool ctcss)
{
	if (cor == f->cor && ctcss == f->ctcss)
		return;
	f->cor = cor;
	f->ctcss = ctcss;
	f->cb.on_input(f->cb.ctx, cor, ctcss);
}

struct fob_unkey fob_unkey_of(const struct fob *f)
{
	const struct cm108_output out =
		cm108_ptt(&f->config.map, false, f->config.ptt_inverted, NULL);
	struct fob_unkey unkey = { .fd = fob_usb_fd(f->usb),
				   .interface = f->seen.interface,
				   .ptt = f->config.map.ptt };

	cm108_output_encode(&out, unkey.report);
	return unkey;
}

/* --- finding ------------------------------------------------------------ */

static void look_for_it(struct fob *f)
{
	if (!fob_usb_look(f->usb))
		fob_machine_looked(&f->machine, FOB_STAGE_ABSENT, f->now);
}

static void look_for_card(struct fob *f)
{
	if (!f->found.seen || f->card[0] || f->now < f->card_due)
		return;
	f->card_due = f->now + f->machine.look_us;
	if (!fob_sysfs_card(f->config.sysfs ? f->config.sysfs : "/sys",
			    f->seen.port, f->card))
		f->card[0] = '\0';
}

/* --- doing -------------------------------------------------------------- */

static void write_ptt(struct fob *f)
{
	const struct cm108_output out = cm108_ptt(
		&f->config.map, f->machine.sent, f->config.ptt_inverted, NULL);

	if (fob_usb_write(f->usb, &out) != 0)
		fob_machine_wrote(&f->machine, false, f->now);
}

static void read_inputs(struct fob *f)
{
	f->reports_at_read = f->reports;
	if (fob_usb_read(f->usb) != 0)
		fob_machine_read(&f->machine, false, false, false, f->now);
}

static bool do_next(struct fob *f)
{
	switch (fob_machine_next(&f->machine, f->now)) {
	case FOB_DO_NOTHING:
		return false;
	case FOB_DO_LOOK:
		look_for_it(f);
		break;
	case FOB_DO_WRITE:
		write_ptt(f);
		break;
	case FOB_DO_READ:
		read_inputs(f);
		break;
	case FOB_DO_CLOSE:
		fob_gone(f);
		break;
	}
	return true;
}

static void end_visit(struct fob *f)
{
	struct cm108_levels levels = { 0 };
	int err;

	if (fob_eeprom_result(&f->eeprom, &err, &levels))
		f->cb.on_eeprom(f->cb.ctx, err, err == 0 ? &levels : NULL);
}

/* The transfers go back as soon as somebody wants to key. */
static bool lend(struct fob *f)
{
	const bool wanted = fob_eeprom_active(&f->eeprom) && !f->machine.want;

	if (f->lent && !wanted && !f->eeprom.busy) {
		f->lent = false;
		fob_eeprom_pause(&f->eeprom);
		fob_machine_take_back(&f->machine, f->now);
	} else if (!f->lent && wanted) {
		f->lent = fob_machine_lend(&f->machine, f->now);
		f->eeprom_in |= f->lent;
	}
	return f->lent && wanted;
}

static void visit(struct fob *f)
{
	uint8_t report[CM108_REPORT_LEN];

	switch (fob_eeprom_next(&f->eeprom, f->now, report)) {
	case FOB_EEPROM_NOTHING:
		break;
	case FOB_EEPROM_SEND:
		if (fob_usb_send(f->usb, report) != 0)
			fob_eeprom_sent(&f->eeprom, false, f->now);
		break;
	case FOB_EEPROM_ASK:
		if (fob_usb_ask(f->usb) != 0)
			fob_eeprom_answered(&f->eeprom, NULL, f->now);
		break;
	}
}

static void step(struct fob *f)
{
	if (lend(f))
		visit(f);
	while (do_next(f))
		;
	end_visit(f);
	fob_usb_settle(f->usb);
	look_for_card(f);
	tell_warning(f);
	tell_state(f);
}

/* --- what the bus says -------------------------------------------------- */

static void take_inputs(struct fob *f, const struct cm108_input *in)
{
	tell_input(f, cm108_active(&f->config.map.cos, f->config.cos, in),
		   cm108_active(&f->config.map.ctcss, f->config.ctcss, in));
}

void fob_sent(struct fob *f, bool ok)
{
	fob_eeprom_sent(&f->eeprom, ok, f->now);
}

void fob_answered(struct fob *f, const uint8_t *report)
{
	fob_eeprom_answered(&f->eeprom, report, f->now);
}

void fob_wrote(struct fob *f, bool ok)
{
	f->eeprom_in &= !ok;
	fob_machine_wrote(&f->machine, ok, f->now);
}

void fob_read(struct fob *f, const struct cm108_input *in)
{
	const bool pin = in && (in->gpio & f->config.map.ptt) != 0;

	fob_machine_read(&f->machine, in != NULL, pin, !f->config.ptt_inverted,
			 f->now);
	/* A report that came meanwhile is the newer one. */
	if (in && f->reports == f->reports_at_read)
		take_inputs(f, in);
}

void fob_reported(struct fob *f, const struct cm108_input *in)
{
	if (f->eeprom_in)
		return;
	f->reports++;
	take_inputs(f, in);
}

void fob_gone(struct fob *f)
{
	f->machine.busy = true; /* until it is closed */
	f->lent = false;
	fob_eeprom_lost(&f->eeprom);
	fob_usb_close(f->usb);
}

void fob_usb_closed(struct fob *f)
{
	(void)snprintf(f->why, sizeof(f->why),
		       "%s was unplugged, or no longer answers", f->name);
	f->was_lost = true;
	f->counters.lost++;
	f->found.seen = NULL;
	f->card[0] = '\0';
	f->eeprom_in = false;
	fob_eeprom_lost(&f->eeprom);
	fob_machine_lost(&f->machine, f->now);
	f->cb.on_device(f->cb.ctx, NULL);
	tell_input(f, false, false);
}

/* --- entries ------------------------------------------------------------ */

int fob_new(struct fob **out, const struct fob_config *config,
	    const struct fob_callbacks *cb, uint64_t now_us,
	    char why[FOB_WHY_MAX])
{
	struct fob *f = calloc(1, sizeof(*f));
	int err;

	*out = NULL;
	if (!f) {
		(void)snprintf(why, FOB_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	f->config = *config;
	f->cb = *cb;
	fob_machine_init(&f->machine, now_us);
	if (config->look_us)
		f->machine.look_us = config->look_us;
	err = fob_usb_new(&f->usb, f, why);
	if (err != 0) {
		free(f);
		return err;
	}
	*out = f;
	return 0;
}

/* The last one that could not be freed. */
static struct fob *left_to_exit;

struct fob *fob_free(struct fob *f)
{
	struct fob_unkey unkey;

	if (!f)
		return NULL;
	unkey = fob_unkey_of(f);
	fob_usb_end(f->usb, &unkey);
	if (!fob_usb_is_free(f->usb)) {
		left_to_exit = f;
		return NULL;
	}
	f->usb = fob_usb_free(f->usb);
	free(f);
	return NULL;
}

void fob_events(struct fob *f, uint64_t now_us)
{
	f->now = now_us;
	fob_usb_events(f->usb);
	step(f);
}

void fob_job_done(struct fob *f, uint64_t now_us)
{
	f->now = now_us;
	fob_usb_job_done(f->usb);
	step(f);
}

void fob_tick(struct fob *f, uint64_t now_us)
{
	f->now = now_us;
	if (fob_usb_wait_us(f->usb) == 0)
		fob_usb_events(f->usb);
	step(f);
}

void fob_hint(struct fob *f, uint64_t now_us)
{
	f->now = now_us;
	/* It may be another one by now, or gone. */
	f->card[0] = '\0';
	f->card_due = now_us;
	fob_machine_hint(&f->machine, now_us);
	step(f);
}

static uint64_t visit_due(const struct fob *f, uint64_t due)
{
	uint64_t at = fob_machine_lends_at(&f->machine);

	if (f->lent)
		at = f->eeprom.busy ? UINT64_MAX : f->eeprom.due;
	return at < due ? at : due;
}

uint64_t fob_deadline(const struct fob *f)
{
	const uint64_t wait = fob_usb_wait_us(f->usb);
	uint64_t due = fob_machine_deadline(&f->machine);

	if (f->found.seen && !f->card[0] && f->card_due < due)
		due = f->card_due;
	if (wait != UINT64_MAX && f->now + wait < due)
		due = f->now + wait;
	return fob_eeprom_active(&f->eeprom) ? visit_due(f, due) : due;
}

void fob_key(struct fob *f, bool keyed, uint64_t now_us)
{
	f->now = now_us;
	fob_machine_key(&f->machine, keyed, now_us);
	step(f);
}

int fob_eeprom(struct fob *f, const struct cm108_levels *levels,
	       uint64_t now_us)
{
	if (f->machine.stage != FOB_STAGE_READY)
		return -ENODEV;
	return fob_eeprom_begin(&f->eeprom, levels, now_us) ? 0 : -EBUSY;
}

bool fob_hot(const struct fob *f)
{
	return f->machine.hot;
}

enum fob_state fob_state(const struct fob *f)
{
	return (enum fob_state)f->machine.stage;
}

const char *fob_card(const struct fob *f)
{
	return f->card[0] ? f->card : NULL;
}

const char *fob_name(const struct fob *f)
{
	return f->found.seen ? f->name : NULL;
}

const struct cm108_model *fob_model(const struct fob *f)
{
	return f->found.seen ? f->found.model : NULL;
}

struct fob_counters fob_counters(const struct fob *f)
{
	struct fob_counters c = f->counters;

	c.errors = f->machine.all_failures;
	c.mismatches = f->machine.all_mismatches;
	return c;
}
