/*
 * prefault.c - MADV_POPULATE_WRITE (Linux 5.14), else fallocate of the file's
 * range, for which the ring is opened again by its path for a moment. Where a sandbox
 * allows neither, by a futex in each page.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
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
/* A filter of system calls does not let the advice through (Chromium's renderers). */
static bool populate_filtered;

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

/*
 * Nothing is added to a word of each page, by the kernel, to which a page that cannot be made is an
 * error and no signal. No filter forbids this call of threads that wait for each other.
 */
static bool pages_touch(uintptr_t from, uintptr_t to, size_t page)
{
	static uint32_t nobody_waits;
	long result;

	for (; from < to; from += page) {
		do {
			result = SYS6(futex, &nobody_waits, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, from,
				      FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0));
		} while (result == -EINTR);
		if (sys_failed(result))
			return false;
	}
	return true;
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

	if (!populate_refused && !populate_filtered) {
		do {
			result = SYS3(madvise, from, to - from, MADV_POPULATE_WRITE);
		} while (result == -EINTR);
		if (!sys_failed(result))
			return true;
		populate_refused = result == -EINVAL;
		populate_filtered = session.sandboxed && (result == -EPERM || result == -ENOSYS ||
							  result == -EACCES);
		if (!populate_refused && !populate_filtered)
			return false;
	}
	if (populate_filtered)
		return pages_touch(from, to, page);
	return range_allocate(file_offset((const uint8_t *)from), to - from);
}
