/*
 * fuzz_recover.c - target: `allotrope recover` of an unfinished file and its ring. The first two
 * bytes are the length of the file, as for fuzz_packed; the rest is the ring, as for fuzz_ring,
 * which the file finds where its session says that it lies: RECOVER_RING. Length 0: a bare
 * ring. What was recovered is complete and can be read.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/diag.h"
#include "cli/command.h"
#include "fuzz/fuzz.h"
#include "trace/recording.h"

#define RING_FD 199

static char folder[] = "/tmp/fuzz-recover.XXXXXX";
static char output[sizeof(folder) + 8];

static void remove_folder(void)
{
	unlink(output);
	rmdir(folder);
}

/* SIZE bytes of DATA as the file that RECOVER_RING names. */
static void put_ring(const uint8_t *data, size_t size)
{
	int fd = memfd_create("ring", 0);
	uint8_t *ring = malloc(size + 1);

	FUZZ_CHECK(fd >= 0 && ring != NULL);
	if (size)
		memcpy(ring, data, size);
	fuzz_repair_ring(ring, size);
	FUZZ_CHECK(write(fd, ring, size) == (ssize_t)size);
	free(ring);
	FUZZ_CHECK(dup2(fd, RING_FD) == RING_FD);
	close(fd);
}

static void check_output(void)
{
	const char *const paths[] = { output };
	struct recording *r = recording_open(output, NULL);

	FUZZ_CHECK(r != NULL && r->complete && !r->is_ring);
	recording_close(r);
	fuzz_read_all(paths, 1);
	unlink(output);
}

int fuzz_recover(const uint8_t *data, size_t size)
{
	char option[sizeof(output) + 16];
	const char *input = RECOVER_RING;
	uint16_t file_bytes;
	size_t bytes;
	int status;

	if (size < 2)
		return 0;
	if (!*output) {
		FUZZ_CHECK(mkdtemp(folder) != NULL);
		snprintf(output, sizeof(output), "%s/out", folder);
		atexit(remove_folder);
	}
	memcpy(&file_bytes, data, 2);
	data += 2;
	size -= 2;
	if (file_bytes > size)
		file_bytes = (uint16_t)size;
	put_ring(data + file_bytes, size - file_bytes);
	if (file_bytes) {
		uint8_t *file = fuzz_repair_packed(data, file_bytes, &bytes);

		input = fuzz_file(file, bytes);
		free(file);
	}
	snprintf(option, sizeof(option), "--output=%s", output);
	status = command_find("recover")->run(4, (char *[]){
		(char *)"recover", (char *)"--no-symbols", option, (char *)input, NULL });
	FUZZ_CHECK(status == STATUS_OK || status == STATUS_IO || status == STATUS_USAGE);
	if (status == STATUS_OK)
		check_output();
	return 0;
}
