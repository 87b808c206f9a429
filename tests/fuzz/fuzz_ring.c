/*
 * fuzz_ring.c - target: the file of a session ring. A real one is hundreds of
 * megabytes with holes; the reader allows any places and any slot length that is
 * a multiple of 8, so those of the corpus are a few KiB.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "session_ring.h"

int fuzz_ring(const uint8_t *data, size_t size)
{
	uint8_t *file = malloc(size + 1);
	const char *path;
	bool twice;

	FUZZ_CHECK(file != NULL);
	memcpy(file, data, size);
	fuzz_repair_ring(file, size);
	twice = size >= sizeof(struct ring_header) &&
		(file[offsetof(struct ring_header, pad0) + 3] & REPAIR_TWICE);
	path = fuzz_file(file, size);
	free(file);
	fuzz_read_all((const char *const[]){ path, path }, twice ? 2 : 1);
	return 0;
}
