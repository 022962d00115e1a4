/* SPDX-License-Identifier: MIT */

/* What the doctor says of the machine, the daemon and its files. */

#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/conf.h"
#include "daemon/doctor/files.h"
#include "daemon/doctor/machine.h"
#include "tests/unit/doctor_expect.h"
#include "tests/unit/fake_sysfs.h"

#define CPU "sys/devices/system/cpu/cpu0/cpufreq/"
#define PI "sys/devices/platform/soc/soc:firmware/get_throttled"
#define TODAY 1760000000

static struct doctor_machine look(void)
{
	struct doctor_machine m;

	doctor_machine_look(root, &m);
	return m;
}

/* As a Raspberry Pi 4 has them. */
static void put_pi(const char *throttled)
{
	put("1500000", CPU "scaling_cur_freq");
	put("1500000", CPU "scaling_max_freq");
	put("1500000", CPU "cpuinfo_max_freq");
	put("ondemand", CPU "scaling_governor");
	put("cpufreq-dt", CPU "scaling_driver");
	put("48686", "sys/class/thermal/thermal_zone0/temp");
	put(throttled, PI);
}

/* --- processor and power ------------------------------------------------ */

static void nothing_is_known_of_a_machine_that_tells_nothing(void)
{
	const struct doctor_machine m = look();

	begin();
	doctor_clock(&d, &m);
	expect("clock", "skipped", "", "");
	doctor_cpu(&d, &m);
	expect("cpu", "skipped", "", "");
	doctor_power(&d, &m);
	expect("power", "skipped", "", "");
	end(true);
}

static void a_pi_is_well(void)
{
	struct doctor_machine m;

	put_pi("0");
	put("rpi_volt", "sys/class/hwmon/hwmon1/name");
	put("0", "sys/class/hwmon/hwmon1/in0_lcrit_alarm");
	put("cpu_thermal", "sys/class/hwmon/hwmon0/name");
	m = look();
	T_EQ(1500000, m.cpu_able_khz);
	T_EQ(48686, m.milli_c);
	T_TRUE(m.pi && m.volt && !m.low);
	begin();
	doctor_cpu(&d, &m);
	expect("cpu", "ok", "1500 MHz, governor ondemand", "");
	doctor_power(&d, &m);
	expect("power", "ok", "holds its voltage", "");
	end(true);
}

static void one_power(const char *state, const char *seen, const char *mend)
{
	const struct doctor_machine m = look();

	begin();
	doctor_power(&d, &m);
	expect("power", state, seen, mend);
	end(strcmp(state, "ok") == 0);
}

static void the_firmware_tells_of_a_weak_supply_and_of_heat(void)
{
	put_pi("50005");
	one_power("bad", "voltage is too low", "supply");
	put_pi("50000"); /* it was, since the start */
	one_power("warn", "was too low since the start", "restart");
	put_pi("e0008");
	one_power("bad", "slows the processor down", "heat sink");
	put_pi("20000");
	one_power("warn", "slowed the processor down", "restart");
	put_pi("0");
	one_power("ok", "", "");
	put_pi("rubbish");
	T_TRUE(!look().pi);
	put_pi("0");
}

static void the_watched_voltage_counts_without_the_firmware(void)
{
	put("1", "sys/class/hwmon/hwmon1/in0_lcrit_alarm");
	one_power("bad", "voltage is too low", "supply");
	put("rubbish", PI);
	one_power("bad", "voltage is too low", "supply");
	put("0", "sys/class/hwmon/hwmon1/in0_lcrit_alarm");
	one_power("ok", "", "");
	put("0", PI);
}

static void one_cpu(const char *state, const char *seen, const char *mend)
{
	const struct doctor_machine m = look();

	begin();
	doctor_cpu(&d, &m);
	expect("cpu", state, seen, mend);
	end(strcmp(state, "ok") == 0);
}

static void a_processor_that_is_held_low_is_told(void)
{
	put("600000", CPU "scaling_cur_freq");
	one_cpu("ok", "1500 MHz", ""); /* it idles */
	put("powersave", CPU "scaling_governor");
	one_cpu("warn", "600 of 1500 MHz always", "schedutil");
	put("intel_pstate", CPU "scaling_driver");
	one_cpu("ok", "1500 MHz", "");
	put("600000", CPU "scaling_max_freq");
	one_cpu("warn", "600 of 1500 MHz at most", "scaling_max_freq");
	put_pi("0");
	one_cpu("ok", "1500 MHz", "");
}

static void a_hot_processor_is_told(void)
{
	struct doctor_machine m;

	put("80000", "sys/class/thermal/thermal_zone0/temp");
	m = look();
	begin();
	doctor_cpu(&d, &m);
	expect("cpu", "warn", "80 C", "heat sink");
	expect("cpu", "ok", "", "");
	end(false);
	put("79999", "sys/class/thermal/thermal_zone0/temp");
	one_cpu("ok", "", "");
}

/* --- clock -------------------------------------------------------------- */

static void one_clock(enum doctor_clock clock, int64_t time_s,
		      const char *state, const char *seen, const char *mend)
{
	const struct doctor_machine m = { .clock = clock, .time_s = time_s };

	begin();
	doctor_clock(&d, &m);
	expect("clock", state, seen, mend);
	end(strcmp(state, "ok") == 0);
}

static void a_clock_that_nothing_keeps_is_told(void)
{
	one_clock(DOCTOR_CLOCK_SET, TODAY, "ok", "kept right", "");
	one_clock(DOCTOR_CLOCK_FREE, TODAY, "warn", "not synchronised",
		  "timedatectl set-ntp true");
	one_clock(DOCTOR_CLOCK_FREE, 86400, "bad", "1970-01-02", "date -s");
	one_clock(DOCTOR_CLOCK_SET, -1, "bad", "1969-12-31", "date -s");
}

/* --- disk --------------------------------------------------------------- */

static void one_disk(const struct doctor_disk *k, const char *state,
		     const char *seen, const char *mend)
{
	begin();
	doctor_disk(&d, k);
	expect("disk", state, seen, mend);
	end(strcmp(state, "ok") == 0);
}

static void a_disk_that_is_full_is_told(void)
{
	struct doctor_disk k = { .path = "/var/log",
				 .free = DOCTOR_DISK_LOW,
				 .files = UINT64_MAX };

	one_disk(&k, "ok", "/var/log: 16 MiB", "");
	k.free--;
	one_disk(&k, "warn", "16.0 MiB are left", "journalctl");
	k.free = DOCTOR_DISK_FULL - 1;
	one_disk(&k, "bad", "0.2 MiB are left", "journalctl");
	k.free = DOCTOR_DISK_LOW;
	k.files = 0;
	one_disk(&k, "bad", "few more files", "Delete");
	k.files = 15;
	one_disk(&k, "warn", "few more files", "Delete");
	k.files = 16;
	one_disk(&k, "ok", "", "");
	k.read_only = true;
	one_disk(&k, "warn", "read-only", "remount");
	k.err = ENOENT;
	one_disk(&k, "bad", "No such file", "Make it");
}

static void disks_are_looked_at(void)
{
	struct doctor_disk k;

	doctor_disk_look(root, &k);
	T_EQ(0, k.err);
	T_TRUE(k.free > 0 && k.files > 0);
	doctor_disk_look("/nowhere/at/all", &k);
	T_EQ(ENOENT, k.err);
}

/* --- the daemon, its configuration, its keys ---------------------------- */

static void one_daemon(const struct doctor_daemon *s, const char *state,
		       const char *seen, const char *mend)
{
	begin();
	doctor_daemon(&d, s);
	expect("daemon", state, seen, mend);
	end(strcmp(state, "ok") == 0);
}

static void a_daemon_that_is_not_reached_is_told_with_why(void)
{
	struct doctor_daemon s = { .state = DOCTOR_DAEMON_RUNS,
				   .socket = "/run/keyhole/keyholed.sock",
				   .why = "",
				   .group = "radio",
				   .conf = "/etc/keyhole/keyholed.conf" };

	one_daemon(&s, "ok", "runs", "");
	s.state = DOCTOR_DAEMON_AWAY;
	one_daemon(&s, "bad", "not running", "systemctl start keyholed");
	s.conf_bad = true;
	one_daemon(&s, "bad", "not running", "Mend the configuration");
	s.conf_missing = true;
	one_daemon(&s, "bad", "not running", "keyhole setup");
	s.state = DOCTOR_DAEMON_FORBIDDEN;
	one_daemon(&s, "bad", "keyholed.sock", "adduser YOU radio");
	s.group = "";
	one_daemon(&s, "bad", "keyholed.sock", "adduser YOU keyhole");
	s.state = DOCTOR_DAEMON_SILENT;
	s.why = "the daemon does not answer";
	one_daemon(&s, "bad", "does not answer", "systemctl restart keyholed");
}

static void what_is_wrong_in_the_configuration_is_told_by_line(void)
{
	struct conf_diags diags = { 0 };
	struct conf_node c;
	const int err = conf_load_node_text(
		"bogus = 1;\nnode = { number = \"x\"; };\n", &c, &diags);

	T_EQ((uint64_t)-EINVAL, err);
	begin();
	doctor_conf(&d, "/etc/k.conf", err, &diags);
	expect("configuration", "bad", "/etc/k.conf:1: ", "--check");
	expect("configuration", "bad", "/etc/k.conf:2: ", "--check");
	for (; told < json_array_size(d.list);)
		expect("configuration", "bad", "/etc/k.conf", "--check");
	end(false);
	conf_diags_free(&diags);
	begin();
	doctor_conf(&d, "/etc/k.conf", -EACCES, &diags);
	expect("configuration", "skipped", "Permission denied", "as root");
	end(true);
	begin();
	doctor_conf(&d, "/etc/k.conf", 0, &diags);
	expect("configuration", "ok", "/etc/k.conf is sound", "");
	end(true);
	begin();
	doctor_conf(&d, "/etc/k.conf", -ENOENT, &diags);
	expect("configuration", "bad", "no configuration yet (/etc/k.conf)",
	       "sudo keyhole setup --config /etc/k.conf");
	end(false);
	begin();
	doctor_conf(&d, DOCTOR_CONF_USUAL, -ENOENT, &diags);
	expect("configuration", "bad", "no configuration yet",
	       "sudo keyhole setup");
	end(false);
}

static void one_secret(const char *name, bool identity, uid_t daemon,
		       const char *state, const char *seen, const char *mend)
{
	struct doctor_secret s;
	char path[64], why[256];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	doctor_secret_look(path, identity, daemon, why, &s);
	begin();
	doctor_secret(&d, &s);
	expect("key", state, seen, mend);
	end(strcmp(state, "ok") == 0 || strcmp(state, "skipped") == 0);
}

static void set_mode(const char *name, mode_t mode)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	T_EQ(0, chmod(path, mode));
}

static void keys_that_others_may_read_are_told(void)
{
	put("secret", "password");
	set_mode("password", 0644);
	one_secret("password", false, (uid_t)-1, "bad", "has mode 0644",
		   "chmod 600 /tmp");
	set_mode("password", 0600);
	one_secret("password", false, getuid(), "ok", "", "");
	one_secret("nothing", true, getuid(), "bad", "No such file",
		   "keyhole keygen /tmp");
	one_secret("nothing", true, (uid_t)-1, "bad", "No such file",
		   "keyhole keygen /tmp");
	one_secret("nothing", true, 4000000001U, "bad", "No such file",
		   "sudo runuser -u 4000000001 -- keyhole keygen /tmp");
	one_secret("nothing", false, getuid(), "bad", "No such file",
		   "Put the password");
	put("", "password");
	one_secret("password", false, getuid(), "bad", "is empty",
		   "Write the password");
	put("no key", "password");
	one_secret("password", true, getuid(), "bad", "is not a key file",
		   "keyhole keygen");
}

static void a_key_of_another_user_is_told(void)
{
	struct doctor_secret s = { .path = "/k",
				   .identity = true,
				   .mode = 0600,
				   .owner = 0,
				   .daemon = 4000000001U,
				   .why = "" };

	begin();
	doctor_secret(&d, &s);
	expect("key", "bad", "belongs to root", "chown 4000000001 /k");
	end(false);
	s.daemon = 0; /* who may read everything */
	s.owner = 4000000001U;
	begin();
	doctor_secret(&d, &s);
	expect("key", "ok", "", "");
	end(true);
	s.err = EACCES;
	begin();
	doctor_secret(&d, &s);
	expect("key", "skipped", "not for you", "");
	end(true);
}

int main(void)
{
	char command[64];

	if (sodium_init() < 0 || !mkdtemp(root))
		return EXIT_FAILURE;
	T_RUN(nothing_is_known_of_a_machine_that_tells_nothing);
	T_RUN(a_pi_is_well);
	T_RUN(the_firmware_tells_of_a_weak_supply_and_of_heat);
	T_RUN(the_watched_voltage_counts_without_the_firmware);
	T_RUN(a_processor_that_is_held_low_is_told);
	T_RUN(a_hot_processor_is_told);
	T_RUN(a_clock_that_nothing_keeps_is_told);
	T_RUN(a_disk_that_is_full_is_told);
	T_RUN(disks_are_looked_at);
	T_RUN(a_daemon_that_is_not_reached_is_told_with_why);
	T_RUN(what_is_wrong_in_the_configuration_is_told_by_line);
	T_RUN(keys_that_others_may_read_are_told);
	T_RUN(a_key_of_another_user_is_told);
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	T_EQ(0, system(command)); /* NOLINT(cert-env33-c): our own folder */
	return T_DONE();
}
