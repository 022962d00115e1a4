/* SPDX-License-Identifier: MIT */

/*
 * Feeds a fuzz target nothing at all, then each file of a corpus: so that what
 * a fuzzer once found stays found, with any compiler.
 *
 *	fuzz_NAME FILE|FOLDER...
 *
 * A folder that does not exist is an empty corpus.
 */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1U << 20)
#define PATH_MAX_OCTETS 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count;

static void run(const char *name, const uint8_t *data, size_t size)
{
	(void)LLVMFuzzerTestOneInput(data, size);
	printf("ok %d - %s\n", ++count, name);
	(void)fflush(stdout);
}

/* An exact-size copy, so that ASan faults on a one-octet over-read. */
static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *input = malloc(INPUT_MAX);
	uint8_t *exact = NULL;
	size_t size = 0;

	if (f && input) {
		size = fread(input, 1, INPUT_MAX, f);
		exact = realloc(input, size > 0 ? size : 1);
	}
	if (f)
		(void)fclose(f);
	if (!exact) {
		free(input);
		return -EIO;
	}
	run(path, exact, size);
	free(exact);
	return 0;
}

static int is_a_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int run_folder(const char *folder)
{
	struct dirent **entries;
	const int n = scandir(folder, &entries, is_a_file, alphasort);
	int err = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX_OCTETS];

		(void)snprintf(path, sizeof(path), "%s/%s", folder,
			       entries[i]->d_name);
		if (err == 0)
			err = run_file(path);
		free(entries[i]);
	}
	free(entries);
	return err;
}

int main(int argc, char *argv[])
{
	static const uint8_t nothing[1];

	run("nothing at all", nothing, 0);
	for (int i = 1; i < argc; i++) {
		struct stat st;
		int err;

		if (stat(argv[i], &st) == 0 && S_ISREG(st.st_mode))
			err = run_file(argv[i]);
		else
			err = run_folder(argv[i]);
		if (err != 0) {
			(void)fprintf(stderr, "%s: %s\n", argv[i],
				      strerror(-err));
			return EXIT_FAILURE;
		}
	}
	printf("1..%d\n", count);
	return EXIT_SUCCESS;
}
