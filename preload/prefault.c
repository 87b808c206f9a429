/*
 * prefault.c - MADV_POPULATE_WRITE (Linux 5.14), else fallocate of the file's
 * range, for which the ring is opened again by its path for a moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/auxv.h>

#include "prefault.h"
#include "session.h"
#include "sys.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* A descriptor is moved up at once: the target must not find its numbers shifted. */
#define HIGH_DESCRIPTOR 512

static bool populate_refused;

static bool range_allocate(uint64_t offset, size_t bytes)
{
	const char *path = session_ring_path();
	long low, fd, result;

	low = SYS4(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0);
	if (sys_failed(low))
		return false;
	fd = SYS3(fcntl, low, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
	if (sys_failed(fd))
		fd = low;
	else
		SYS1(close, low);
	do {
		result = SYS4(fallocate, fd, 0, offset, bytes);
	} while (result == -EINTR);
	SYS1(close, fd);
	return !sys_failed(result);
}

/* Offset in the file of the mapped address P. */
static uint64_t file_offset(const uint8_t *p)
{
	const struct ring_header *h = session.ring;

	if (p >= (const uint8_t *)h && p < session.meta + session.meta_mapped)
		return (uint64_t)(p - (const uint8_t *)h);
	return h->table_offset + (uint64_t)(p - (const uint8_t *)session.slot_words);
}

bool prefault_write(const void *start, size_t bytes)
{
	uintptr_t page = getauxval(AT_PAGESZ);
	uintptr_t from = (uintptr_t)start & ~(page - 1);
	uintptr_t to = ((uintptr_t)start + bytes + page - 1) & ~(page - 1);
	long result;

	if (!populate_refused) {
		do {
			result = SYS3(madvise, from, to - from, MADV_POPULATE_WRITE);
		} while (result == -EINTR);
		if (!sys_failed(result))
			return true;
		if (result != -EINVAL)
			return false;
		populate_refused = true;
	}
	return range_allocate(file_offset((const uint8_t *)from), to - from);
}
