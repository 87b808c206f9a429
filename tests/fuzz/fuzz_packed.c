/*
 * fuzz_packed.c - target: a packed recording. The input is repaired first; see
 * fuzz_repair_packed.
 */
#include "fuzz/fuzz.h"
#include "segment.h"

int fuzz_packed(const uint8_t *data, size_t size)
{
	size_t bytes;
	uint8_t *file = fuzz_repair_packed(data, size, &bytes);
	const char *path = fuzz_file(file, bytes);
	const char *const paths[] = { path, path };
	bool twice = size >= sizeof(struct file_header) &&
		     (data[sizeof(struct file_header) - 1] & REPAIR_TWICE);

	free(file);
	fuzz_read_all(paths, twice ? 2 : 1);
	return 0;
}
