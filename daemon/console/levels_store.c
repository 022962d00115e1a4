/* SPDX-License-Identifier: MIT */

/* Where calibrated levels are kept: in the daemon's configuration file, which
 * the daemon itself may not write, or in the fob's EEPROM. */

#include "daemon/console/levels_talk.h"

#include <stdio.h>
#include <string.h>

#include "config/conf_edit.h"
#include "daemon/console/calibrate.h"

struct values {
	char rx[16], tx_a[16], tx_b[16];
};

static const char *in_tenths(char out[16], double db)
{
	(void)snprintf(out, 16, "%.1f", calibrate_gain(db, 0, -60, 40));
	return out;
}

static enum console_exit edit_file(struct talk *t, const struct conf_edit *e,
				   size_t n)
{
	const char *file = talk_text(t->settings, "file");
	char why[CONF_EDIT_WHY_MAX];
	json_t *reloaded;
	enum console_exit status;

	if (conf_edit_file(file, e, n, why) != 0) {
		(void)talk_refuse("%s", why);
		talk_say(t, "As somebody who may, put into %s:\n    %s = {",
			 file, e->group);
		for (size_t i = 0; i < n; i++)
			talk_say(t, " %s = %s;", e[i].name, e[i].value);
		talk_say(t, " };\n");
		return CONSOLE_REFUSED;
	}
	talk_say(t, "Stored in %s.\n", file);
	status = talk_call(t, "reload", NULL, NULL, NULL, &reloaded);
	json_decref(reloaded);
	return status;
}

static enum console_exit store_in_file(struct talk *t)
{
	struct values v;
	const struct conf_edit edits[] = {
		{ "audio", "tx_b_db",
		  in_tenths(v.tx_b, talk_number(t->settings, "tx_b_db")) },
		{ "audio", "tx_a_db",
		  in_tenths(v.tx_a, talk_number(t->settings, "tx_a_db")) },
		{ "audio", "rx_db",
		  in_tenths(v.rx, talk_number(t->settings, "rx_db")) },
		{ "audio", "levels", "\"config\"" },
	};
	const bool eeprom =
		strcmp(talk_text(t->settings, "levels"), "eeprom") == 0;
	enum console_exit status;

	status = edit_file(t, edits, eeprom ? 4 : 3);
	if (status == CONSOLE_DONE)
		(void)json_object_set_new(t->result, "stored",
					  json_string("config"));
	return status;
}

static enum console_exit store_in_eeprom(struct talk *t)
{
	static const struct conf_edit by_eeprom[] = {
		{ "audio", "levels", "\"eeprom\"" },
	};
	enum console_exit status = talk_settings(t, "levels.keep", NULL);

	if (status != CONSOLE_DONE)
		return status;
	talk_say(t, "Stored in the fob's EEPROM.\n");
	(void)json_object_set_new(t->result, "stored", json_string("eeprom"));
	if (strcmp(talk_text(t->settings, "levels"), "eeprom") == 0)
		return CONSOLE_DONE;
	return edit_file(t, by_eeprom, 1);
}

enum console_exit talk_store(struct talk *t)
{
	char question[512];

	if (t->want->dry_run || (!t->changed && !t->want->eeprom))
		return CONSOLE_DONE;
	(void)snprintf(question, sizeof(question), "Store it in %.400s? [Y/n] ",
		       t->want->eeprom ? "the fob's EEPROM"
				       : talk_text(t->settings, "file"));
	if (!talk_agrees(t, question, true)) {
		talk_say(t, "It holds until the daemon reloads or ends.\n");
		return CONSOLE_DONE;
	}
	return t->want->eeprom ? store_in_eeprom(t) : store_in_file(t);
}
