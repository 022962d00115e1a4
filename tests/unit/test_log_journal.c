/* SPDX-License-Identifier: MIT */

/* Entries as a journal receives them, at a socket of the test's. */

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/io/log.h"
#include "daemon/io/log_journal.h"
#include "tests/t.h"

static char dir[] = "/tmp/kh-journal-XXXXXX";
static char path[64];
static int journal = -1;
static char entry[65536];

static void listen_there(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	T_TRUE(journal >= 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	T_EQ(0, bind(journal, (const struct sockaddr *)&at, sizeof(at)));
}

static void hang_up(void)
{
	T_EQ(0, close(journal));
	T_EQ(0, unlink(path));
}

/* The next entry; empty: there is none. */
static const char *entered(void)
{
	const ssize_t n = recv(journal, entry, sizeof(entry) - 1, 0);

	entry[n > 0 ? n : 0] = '\0';
	return entry;
}

static bool has(const char *line)
{
	const char *at = strstr(entry, line);

	return at && (at == entry || at[-1] == '\n') &&
	       at[strlen(line)] == '\n';
}

/* stderr is the journal, as systemd would say. */
static void begin(void)
{
	char stream[64];
	struct stat st;

	T_EQ(0, fstat(STDERR_FILENO, &st));
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	T_EQ(0, setenv("JOURNAL_STREAM", stream, 1));
	log_journal_at(path);
	log_init(LOG_INFO);
	log_node("2001");
}

static void a_line_is_an_entry_with_fields(void)
{
	const struct log_about about = {
		.level = LOG_INFO,
		.event = "link_up",
		.peer = "2002",
		.call = 17,
		.record = "{\"a\":1}",
	};

	begin();
	listen_there();
	log_about(&about, "link to %s is up", "2002");
	(void)entered();
	T_TRUE(has("MESSAGE=link to 2002 is up"));
	T_TRUE(has("PRIORITY=6"));
	T_TRUE(has("SYSLOG_IDENTIFIER=test_log_journal"));
	T_TRUE(has("KEYHOLE_NODE=2001"));
	T_TRUE(has("KEYHOLE_EVENT=link_up"));
	T_TRUE(has("KEYHOLE_PEER=2002"));
	T_TRUE(has("KEYHOLE_CALL=17"));
	T_TRUE(has("KEYHOLE_RECORD={\"a\":1}"));
	log_warning("no time");
	(void)entered();
	T_TRUE(has("MESSAGE=no time"));
	T_TRUE(has("PRIORITY=4"));
	T_TRUE(strstr(entry, "KEYHOLE_PEER") == NULL);
	T_TRUE(strstr(entry, "KEYHOLE_CALL") == NULL);
	T_STR("", entered());
	hang_up();
}

/* A stranger's text makes no field of its own. */
static void a_line_feed_begins_no_field(void)
{
	begin();
	listen_there();
	log_info("%s", "1\nKEYHOLE_PEER=2002");
	(void)entered();
	T_TRUE(has("MESSAGE=1?KEYHOLE_PEER=2002"));
	hang_up();
}

static void a_value_of_lines_has_its_length_before_it(void)
{
	static const char want[] = "A=1\nTEXT\n\x03\0\0\0\0\0\0\0a\nb\nB=2\n";
	const struct journal_field f[] = {
		{ "A", "1" }, { "TEXT", "a\nb" }, { "NO", NULL }, { "B", "2" }
	};
	char out[64];

	T_EQ(sizeof(want) - 1, journal_entry(out, sizeof(out), f, 4));
	T_EQ(0, memcmp(want, out, sizeof(want) - 1));
	for (size_t cap = 0; cap < sizeof(want) - 1; cap++) {
		char *tight = malloc(cap ? cap : 1);

		T_TRUE(tight != NULL);
		T_EQ(0, journal_entry(tight, cap, f, 4));
		free(tight);
	}
}

static void a_stream_is_stderr_only_by_device_and_inode(void)
{
	char stream[64], more[80];
	struct stat st;

	T_EQ(0, fstat(STDERR_FILENO, &st));
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	T_TRUE(journal_is_stderr(stream));
	(void)snprintf(more, sizeof(more), "%s ", stream);
	T_TRUE(!journal_is_stderr(more));
	(void)snprintf(more, sizeof(more), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino + 1);
	T_TRUE(!journal_is_stderr(more));
	T_TRUE(!journal_is_stderr(NULL));
	T_TRUE(!journal_is_stderr(""));
	T_TRUE(!journal_is_stderr("8"));
}

/* The reader is stuck: lines are lost and counted, and nobody waits. */
static void a_journal_that_reads_nothing_stops_nothing(void)
{
	unsigned got = 0;

	begin();
	listen_there();
	for (int i = 0; i < 5000; i++)
		log_info("line");
	while (entered()[0] != '\0')
		got++;
	T_TRUE(got > 0 && got < 5000);
	log_info("back");
	(void)entered();
	(void)snprintf(entry + 32768, 128,
		       "MESSAGE=%u lines before this one "
		       "were lost",
		       5000 - got);
	T_TRUE(has(entry + 32768));
	(void)entered();
	T_TRUE(has("MESSAGE=back"));
	hang_up();
}

/* It was restarted: the next line finds the new one. */
static void a_journal_that_comes_again_is_found(void)
{
	begin();
	listen_there();
	log_info("one");
	hang_up();
	T_EQ((uint64_t)-ENOENT, (uint64_t)journal_send(path, "A=1\n", 4));
	listen_there();
	log_info("two");
	(void)entered();
	T_TRUE(has("MESSAGE=two"));
	hang_up();
}

int main(void)
{
	T_TRUE(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	T_RUN(a_line_is_an_entry_with_fields);
	T_RUN(a_line_feed_begins_no_field);
	T_RUN(a_value_of_lines_has_its_length_before_it);
	T_RUN(a_stream_is_stderr_only_by_device_and_inode);
	T_RUN(a_journal_that_reads_nothing_stops_nothing);
	T_RUN(a_journal_that_comes_again_is_found);
	T_EQ(0, rmdir(dir));
	return T_DONE();
}
