/* SPDX-License-Identifier: MIT */

#include "audio/wav.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audio/wav_source.h"
#include "tests/t.h"

static char dir[] = "/tmp/keyhole-wav-XXXXXX";
static char path[64];

/* A file under construction: chunks are appended, the RIFF length patched. */
struct image {
	uint8_t octets[2560];
	size_t len;
};

static void put(struct image *m, const void *src, size_t len)
{
	T_TRUE(m->len + len <= sizeof(m->octets));
	memcpy(m->octets + m->len, src, len);
	m->len += len;
}

static void put_le(struct image *m, uint32_t v, size_t octets)
{
	for (size_t i = 0; i < octets; i++) {
		const uint8_t octet = (uint8_t)(v >> (8 * i));

		put(m, &octet, 1);
	}
}

static void put_riff(struct image *m)
{
	m->len = 0;
	put(m, "RIFF", 4);
	put_le(m, 0, 4);
	put(m, "WAVE", 4);
}

static void put_fmt(struct image *m, unsigned format, unsigned channels,
		    uint32_t rate, unsigned bits)
{
	put(m, "fmt ", 4);
	put_le(m, 16, 4);
	put_le(m, format, 2);
	put_le(m, channels, 2);
	put_le(m, rate, 4);
	put_le(m, rate * channels * bits / 8, 4);
	put_le(m, channels * bits / 8, 2);
	put_le(m, bits, 2);
}

static void put_data(struct image *m, uint32_t announced, unsigned samples)
{
	put(m, "data", 4);
	put_le(m, announced, 4);
	for (unsigned i = 0; i < samples; i++)
		put_le(m, i + 1, 2);
}

static int open_image(struct image *m, struct wav_reader **r, char *why)
{
	/* fmemopen() refuses a length of 0 and reads past nothing. */
	FILE *stream = m->len > 0 ? fmemopen(m->octets, m->len, "rb")
				  : fopen("/dev/null", "rb");

	T_TRUE(stream);
	return wav_open_stream(r, stream, why);
}

static void refused(struct image *m, const char *reason)
{
	struct wav_reader *r;
	char why[WAV_WHY_MAX];

	T_EQ(-EINVAL, open_image(m, &r, why));
	T_TRUE(!r);
	T_STR(reason, why);
}

/* Open, and expect samples 1, 2, ... @frames. */
static void accepted(struct image *m, unsigned rate, unsigned frames,
		     bool truncated)
{
	int16_t got[1024];
	char why[WAV_WHY_MAX];
	struct wav_reader *r;

	T_EQ(0, open_image(m, &r, why));
	T_EQ(rate, wav_info(r).rate_hz);
	T_EQ(frames, wav_info(r).frames);
	T_EQ(truncated, wav_info(r).truncated);
	T_EQ(frames, wav_read(r, got, 1024));
	for (unsigned i = 0; i < frames; i++)
		T_EQ(i + 1, got[i]);
	T_EQ(0, wav_read(r, got, 1024));
	T_TRUE(!wav_reader_free(r));
}

static void plain_files_of_the_three_rates_are_read(void)
{
	static const unsigned rates[] = { 8000, 16000, 48000 };
	struct image m;

	for (size_t i = 0; i < 3; i++) {
		put_riff(&m);
		put_fmt(&m, 1, 1, rates[i], 16);
		put_data(&m, 2 * 1000, 1000);
		accepted(&m, rates[i], 1000, false);
	}
	put_riff(&m);
	put_fmt(&m, 1, 1, 8000, 16);
	put_data(&m, 0, 0);
	accepted(&m, 8000, 0, false);
}

static void other_chunks_around_the_samples_do_no_harm(void)
{
	struct image m;

	put_riff(&m);
	put(&m, "JUNK", 4);
	put_le(&m, 3, 4);
	put(&m, "odd\0", 4); /* padded to an even length */
	put_fmt(&m, 1, 1, 16000, 16);
	put(&m, "LIST", 4);
	put_le(&m, 6, 4);
	put(&m, "INFO..", 6);
	put_data(&m, 20, 10);
	put(&m, "tail", 4);
	put_le(&m, 2, 4);
	put(&m, "xx", 2);
	accepted(&m, 16000, 10, false);
}

static void the_extensible_format_is_understood(void)
{
	static const uint8_t guid_rest[14] = { 0x00, 0x00, 0x00, 0x00, 0x10,
					       0x00, 0x80, 0x00, 0x00, 0xaa,
					       0x00, 0x38, 0x9b, 0x71 };
	struct image m;

	for (unsigned sub = 1; sub <= 3; sub += 2) {
		put_riff(&m);
		put_fmt(&m, 0xfffe, 1, 48000, 16);
		m.octets[16] = 40;
		put_le(&m, 22, 2);
		put_le(&m, 16, 2);
		put_le(&m, 4, 4);
		put_le(&m, sub, 2);
		put(&m, guid_rest, sizeof(guid_rest));
		put_data(&m, 20, 10);
		if (sub == 1)
			accepted(&m, 48000, 10, false);
		else
			refused(&m, "holds floating-point samples, "
				    "not 16-bit PCM");
	}
	put_riff(&m);
	put_fmt(&m, 0xfffe, 1, 48000, 16);
	put_data(&m, 20, 10);
	refused(&m, "has an extensible fmt chunk of 16 octets; 40 are needed");
}

static void data_that_ends_early_gives_what_is_there(void)
{
	struct image m;

	put_riff(&m);
	put_fmt(&m, 1, 1, 8000, 16);
	put_data(&m, 2000, 10);
	accepted(&m, 8000, 10, true);
	put(&m, "x", 1); /* half a sample */
	accepted(&m, 8000, 10, true);

	/* As a program writes it that does not know the length yet. */
	put_riff(&m);
	put_fmt(&m, 1, 1, 8000, 16);
	put_data(&m, UINT32_MAX, 10);
	accepted(&m, 8000, 10, true);
}

static void what_is_not_such_a_file_is_refused_with_its_reason(void)
{
	struct image m = { .len = 0 };

	refused(&m, "ends within the RIFF header");
	put(&m, "RIFX\0\0\0\0WAVE", 12);
	refused(&m, "is not a RIFF/WAVE file");
	put_riff(&m);
	refused(&m, "ends within its chunks, before any samples");
	put_data(&m, 20, 10);
	refused(&m, "has no fmt chunk before its samples");
	put_riff(&m);
	put_fmt(&m, 1, 2, 8000, 16);
	refused(&m, "has 2 channels; 1 (mono) is needed");
	put_riff(&m);
	put_fmt(&m, 1, 0, 8000, 16);
	refused(&m, "has 0 channels; 1 (mono) is needed");
	put_riff(&m);
	put_fmt(&m, 1, 1, 44100, 16);
	refused(&m, "has a rate of 44100 Hz; 8000, 16000 or 48000 is needed");
	put_riff(&m);
	put_fmt(&m, 1, 1, 8000, 24);
	refused(&m, "has 24-bit samples; 16 are needed");
	put_riff(&m);
	put_fmt(&m, 7, 1, 8000, 8);
	refused(&m, "holds u-law samples, not 16-bit PCM");
	put_riff(&m);
	put_fmt(&m, 0x55, 1, 8000, 16);
	refused(&m, "holds samples of format 0x0055, not 16-bit PCM");
	put_riff(&m);
	put_fmt(&m, 1, 1, 8000, 16);
	m.octets[16] = 14;
	refused(&m, "has a fmt chunk of 14 octets; 16 are needed");
	m.octets[16] = 18;
	refused(&m, "ends within the fmt chunk");
}

static void every_truncation_is_refused_or_read_without_harm(void)
{
	struct image m;
	size_t whole;

	put_riff(&m);
	put_fmt(&m, 1, 1, 8000, 16);
	put_data(&m, 20, 10);
	whole = m.len;
	for (size_t len = 0; len <= whole; len++) {
		struct image cut = m;
		char why[WAV_WHY_MAX];
		struct wav_reader *r;
		int err;

		cut.len = len;
		err = open_image(&cut, &r, why);
		T_EQ(len < 44 ? -EINVAL : 0, err);
		T_EQ(len < 44, why[0] != '\0');
		if (r)
			T_EQ((len - 44) / 2, wav_info(r).frames);
		(void)wav_reader_free(r);
	}
}

static void an_endless_row_of_chunks_ends(void)
{
	static uint8_t zeros[12 + 8 * 1001] = "RIFF\0\0\0\0WAVE";
	struct wav_reader *r;
	char why[WAV_WHY_MAX];

	T_EQ(-EINVAL,
	     wav_open_stream(&r, fmemopen(zeros, sizeof(zeros), "rb"), why));
	T_STR("has more than 1000 chunks before its samples", why);
}

static void what_cannot_be_opened_says_why(void)
{
	struct wav_reader *r;
	char why[WAV_WHY_MAX];

	T_EQ(-ENOENT, wav_open(&r, "/nonexistent/x.wav", why));
	T_STR("cannot be opened: No such file or directory", why);
	T_TRUE(!r);
	T_EQ(-EINVAL, wav_open(&r, dir, why));
	T_STR("is not a regular file", why);
	T_EQ(0, mkfifo(path, 0600));
	T_EQ(-EINVAL, wav_open(&r, path, why));
	T_STR("is not a regular file", why);
	T_EQ(0, unlink(path));
}

static void fill(int16_t *s, size_t n, unsigned from)
{
	for (size_t i = 0; i < n; i++)
		s[i] = (int16_t)((from + i) * 7919U);
}

static void what_is_written_is_read_back(void)
{
	int16_t s[1000], got[1000];
	struct wav_writer *w;
	struct wav_reader *r;
	char why[WAV_WHY_MAX];

	T_EQ(-EINVAL, wav_create(&w, path, 44100));
	T_EQ(0, wav_create(&w, path, 16000));
	for (unsigned i = 0; i < 20; i++) {
		fill(s, 1000, i * 1000);
		T_EQ(0, wav_write(w, s, 1000));
	}
	T_EQ(20000, wav_frames(w));
	T_EQ(0, wav_close(w));
	T_EQ(0, wav_open(&r, path, why));
	T_EQ(16000, wav_info(r).rate_hz);
	T_EQ(20000, wav_info(r).frames);
	T_TRUE(!wav_info(r).truncated);
	for (unsigned i = 0; i < 20; i++) {
		fill(s, 1000, i * 1000);
		T_EQ(1000, wav_read(r, got, 1000));
		T_EQ(0, memcmp(s, got, sizeof(s)));
	}
	(void)wav_reader_free(r);
	T_EQ(0, wav_close(NULL));
}

static void a_killed_writer_leaves_a_readable_file(void)
{
	struct wav_reader *r;
	char why[WAV_WHY_MAX];
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	T_TRUE(child >= 0);
	if (child == 0) {
		int16_t s[160] = { 1 };
		struct wav_writer *w;

		if (wav_create(&w, path, 8000) != 0)
			_exit(1);
		for (int i = 0; i < 125; i++) /* 2.5 s */
			(void)wav_write(w, s, 160);
		(void)raise(SIGKILL);
		_exit(1);
	}
	T_EQ(child, waitpid(child, &status, 0));
	T_TRUE(WIFSIGNALED(status));
	T_EQ(0, wav_open(&r, path, why));
	T_EQ(16000, wav_info(r).frames); /* the header as of 2 s */
	T_TRUE(!wav_info(r).truncated);
	(void)wav_reader_free(r);
}

static void a_file_that_may_not_grow_is_reported_once(void)
{
	struct rlimit old, tight;
	struct wav_writer *w;
	int16_t s[160] = { 0 };
	char why[WAV_WHY_MAX];
	struct wav_reader *r;

	T_TRUE(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	T_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	tight = old;
	tight.rlim_cur = 44 + 320 * 10 + 100; /* ends within a block */
	T_EQ(0, wav_create(&w, path, 8000));
	T_EQ(0, setrlimit(RLIMIT_FSIZE, &tight));
	for (int i = 0; i < 10; i++)
		T_EQ(0, wav_write(w, s, 160));
	T_EQ(-EFBIG, wav_write(w, s, 160));
	T_EQ(0, wav_write(w, s, 160));
	T_EQ(0, wav_write(w, s, 160));
	T_EQ(480, wav_dropped(w));
	T_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
	T_EQ(0, wav_write(w, s, 160)); /* there is room again */
	T_EQ(480, wav_dropped(w));
	T_EQ(11 * 160, wav_frames(w));
	T_EQ(0, wav_close(w));
	T_EQ(0, wav_open(&r, path, why));
	T_EQ(11 * 160, wav_info(r).frames);
	(void)wav_reader_free(r);
}

static bool write_text(const char *file, const char *text)
{
	const int fd = open(file, O_WRONLY | O_CLOEXEC);
	const ssize_t len = (ssize_t)strlen(text);
	const bool ok = fd >= 0 && write(fd, text, (size_t)len) == len;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

/* Mount 64 KiB on @dir, seen by this process alone: as root, or as root of a
 * user name space. */
static bool small_disk(void)
{
	char uid_map[32], gid_map[32];

	(void)snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	(void)snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	if (unshare(CLONE_NEWNS) < 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	     !write_text("/proc/self/uid_map", uid_map) ||
	     !write_text("/proc/self/setgroups", "deny") ||
	     !write_text("/proc/self/gid_map", gid_map)))
		return false;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", dir, "tmpfs", 0, "size=64k") == 0;
}

/* 0: as expected, 1: not, 77: this process may not make a small disk. */
static int fill_a_disk(void)
{
	int16_t s[160] = { 0 };
	struct wav_writer *w;
	unsigned reports = 0;

	if (!small_disk())
		return 77;
	if (wav_create(&w, path, 8000) != 0)
		return 1;
	for (int i = 0; i < 300; i++) {
		const int err = wav_write(w, s, 160);

		if (err != 0 && err != -ENOSPC)
			return 1;
		reports += err == -ENOSPC;
	}
	if (reports != 1 || wav_frames(w) + wav_dropped(w) != 48000)
		return 1;
	return wav_close(w) == 0 ? 0 : 1;
}

static void a_full_disk_is_reported_once(void)
{
	struct wav_writer *w;
	pid_t child;
	int status;

	T_EQ(-ENOSPC, wav_create(&w, "/dev/full", 8000));
	T_TRUE(!w);
	(void)fflush(stdout);
	child = fork();
	T_TRUE(child >= 0);
	if (child == 0)
		_exit(fill_a_disk());
	T_EQ(child, waitpid(child, &status, 0));
	T_TRUE(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("# no name space for a small disk: left out\n");
	else
		T_EQ(0, WEXITSTATUS(status));
}

static void a_source_gives_8_khz_from_any_rate(void)
{
	static const unsigned rates[] = { 8000, 16000, 48000 };
	int16_t s[480];
	char why[WAV_WHY_MAX];

	for (size_t i = 0; i < 3; i++) {
		const size_t block = rates[i] / 100;
		struct wav_source *source;
		struct wav_writer *w;
		size_t total = 0;
		ssize_t got;

		T_EQ(0, wav_create(&w, path, rates[i]));
		for (size_t n = 0; n < block; n++)
			s[n] = 1000;
		for (int n = 0; n < 101; n++)
			T_EQ(0, wav_write(w, s, block));
		T_EQ(0, wav_close(w));
		T_EQ(0, wav_source_open(&source, path, why));
		T_EQ(8080, wav_source_total(source));
		while ((got = wav_source_read(source, s, 160)) > 0) {
			/* A constant stays one but for the filter's edges. */
			for (ssize_t n = 0; n < got; n++)
				T_TRUE((total + (size_t)n < 40 ||
					total + (size_t)n >= 8040) ||
				       abs(s[n] - 1000) < 10);
			total += (size_t)got;
		}
		T_EQ(0, got);
		T_EQ(8080, total);
		T_TRUE(!wav_source_free(source));
	}
	T_TRUE(!wav_source_free(NULL));
}

int main(void)
{
	T_TRUE(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/a.wav", dir);
	T_RUN(plain_files_of_the_three_rates_are_read);
	T_RUN(other_chunks_around_the_samples_do_no_harm);
	T_RUN(the_extensible_format_is_understood);
	T_RUN(data_that_ends_early_gives_what_is_there);
	T_RUN(what_is_not_such_a_file_is_refused_with_its_reason);
	T_RUN(every_truncation_is_refused_or_read_without_harm);
	T_RUN(an_endless_row_of_chunks_ends);
	T_RUN(what_cannot_be_opened_says_why);
	T_RUN(what_is_written_is_read_back);
	T_RUN(a_killed_writer_leaves_a_readable_file);
	T_RUN(a_file_that_may_not_grow_is_reported_once);
	T_RUN(a_full_disk_is_reported_once);
	T_RUN(a_source_gives_8_khz_from_any_rate);
	(void)unlink(path);
	(void)rmdir(dir);
	return T_DONE();
}
