/*
 * ring_file.c - the file of the ring: opened where `record` made one, else created
 * (a bare run), and mapped. Relies on raw system calls only. Promises: no
 * descriptor stays open, no file is written over, and a process of limited
 * address space loses no more of it than it can spare.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "clock.h"
#include "clock_init.h"
#include "ring_file.h"
#include "ring_layout.h"
#include "session.h"
#include "sys.h"
#include "sysfile.h"

#define PATH_BYTES 4096
#define SLOTS_MIN 16u
/* Under RLIMIT_AS the slots take at most this part of the limit; more where none are freed. */
#define LIMITED_PART 32
#define LIMITED_PART_BARE 8
#define LIMITED_META (8ull << 20)
#define CREATE_ATTEMPTS 10

static char ring_path[PATH_BYTES];
static struct stat ring_info;

const char *session_ring_path(void)
{
	return ring_path;
}

bool ring_file_is(const struct stat *info)
{
	return session.ring && info->st_dev == ring_info.st_dev &&
	       info->st_ino == ring_info.st_ino;
}

static bool limit_is_finite(int resource, uint64_t *bytes)
{
	struct rlimit limit;

	if (sys_failed(SYS4(prlimit64, 0, resource, 0, &limit)) ||
	    limit.rlim_cur == RLIM_INFINITY)
		return false;
	*bytes = limit.rlim_cur;
	return true;
}

static void *map_shared(long fd, uint64_t offset, uint64_t bytes)
{
	long at = SYS6(mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (sys_failed(at))
		return NULL;
	/* a core dump of the target must not hold the recording */
	SYS3(madvise, at, bytes, MADV_DONTDUMP);
	return (void *)at;
}

/* How much of H's parts to map where the address space is limited to LIMIT bytes. */
static void ring_shrink(const struct ring_header *h, uint64_t limit, uint64_t *meta,
			uint64_t *slots)
{
	uint64_t window = ring_round(h->meta_tail, RING_ALIGN) + LIMITED_META;
	uint64_t part = h->options.bare ? LIMITED_PART_BARE : LIMITED_PART;
	uint64_t spare = limit / part / h->slot_bytes;

	if (*meta > window)
		*meta = window;
	if (spare < SLOTS_MIN)
		spare = SLOTS_MIN;
	if (*slots > spare)
		*slots = spare;
}

/* The beginnings of both parts: header and metadata; slot words and slots. */
static bool ring_map_parts(long fd, const struct ring_header *h, uint64_t meta, uint64_t slots)
{
	uint64_t table = h->slots_offset - h->table_offset;
	void *second = NULL;

	session.ring = (struct ring_header *)map_shared(fd, 0, h->meta_offset + meta);
	if (!session.ring)
		return false;
	for (; !second && slots > 0; slots /= 2) {
		second = map_shared(fd, h->table_offset, table + slots * h->slot_bytes);
		if (second)
			break;
	}
	if (!second) {
		SYS2(munmap, session.ring, h->meta_offset + meta);
		session.ring = NULL;
		return false;
	}
	session.meta_mapped = meta;
	session.slot_words = (uint64_t *)second;
	session.slot_count = (uint32_t)slots;
	return true;
}

/*
 * One mapping of the whole file; parts of it, in two mappings, where the address
 * space is limited or has no such hole.
 */
static bool ring_map(long fd, const struct ring_header *h)
{
	uint64_t meta = h->meta_bytes, slots = h->slot_count, limit;
	uint8_t *whole = NULL;

	if (limit_is_finite(RLIMIT_AS, &limit))
		ring_shrink(h, limit, &meta, &slots);
	else
		whole = (uint8_t *)map_shared(fd, 0, h->ring_bytes);
	if (whole) {
		session.ring = (struct ring_header *)whole;
		session.meta_mapped = meta;
		session.slot_words = (uint64_t *)(whole + h->table_offset);
		session.slot_count = h->slot_count;
	} else if (!ring_map_parts(fd, h, meta, slots)) {
		return false;
	}
	session.meta = (uint8_t *)session.ring + h->meta_offset;
	session.slots = (uint8_t *)session.slot_words + (h->slots_offset - h->table_offset);
	return true;
}

bool ring_file_join(const char *path)
{
	struct ring_header header;
	struct stat info;
	bool joined = false;
	long fd;

	if (strlen(path) >= sizeof(ring_path))
		return false;
	fd = SYS4(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);
	if (sys_failed(fd))
		return false;
	if (!sys_failed(SYS2(fstat, fd, &info)) && S_ISREG(info.st_mode) &&
	    SYS4(pread64, fd, &header, sizeof(header), 0) == (long)sizeof(header) &&
	    ring_layout_valid(&header, (uint64_t)info.st_size))
		joined = ring_map(fd, &header);
	SYS1(close, fd);
	if (joined) {
		strcpy(ring_path, path);
		ring_info = info;
	}
	return joined;
}

/* PATTERN with %p replaced by our pid, made absolute, into ring_path. */
static bool ring_name(const char *pattern, unsigned attempt)
{
	char *p = ring_path, *end = ring_path + sizeof(ring_path) - 64;

	if (pattern[0] != '/') {
		long n = SYS2(getcwd, ring_path, sizeof(ring_path) - 64);

		if (sys_failed(n) || ring_path[0] != '/')
			return false;
		p += strlen(p);
		if (p[-1] != '/')
			*p++ = '/';
	}
	for (; *pattern; pattern++) {
		if (p >= end)
			return false;
		if (pattern[0] == '%' && pattern[1] == 'p') {
			p = sysfile_decimal(p, (uint64_t)SYS0(getpid));
			pattern++;
		} else {
			*p++ = *pattern;
		}
	}
	if (attempt) {
		*p++ = '.';
		p = sysfile_decimal(p, attempt);
	}
	*p = '\0';
	return true;
}

static bool tsc_is_clocksource(void)
{
	char text[64];

	if (sysfile_read("/sys/devices/system/clocksource/clocksource0/current_clocksource",
			 text, sizeof(text)) <= 0)
		return false;
#if defined(__aarch64__)
	return strcmp(text, "arch_sys_counter\n") == 0;
#else
	return strcmp(text, "tsc\n") == 0;
#endif
}

/* How many slots the file system and the limits leave room for. */
static uint64_t slots_that_fit(long fd, uint64_t wanted_bytes)
{
	uint64_t bytes = wanted_bytes, limit;
	struct statfs fs;

	if (!sys_failed(SYS2(fstatfs, fd, &fs))) {
		uint64_t room = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;

		if (bytes > room)
			bytes = room;
	}
	/* beyond RLIMIT_FSIZE the kernel sends SIGXFSZ */
	if (limit_is_finite(RLIMIT_FSIZE, &limit)) {
		uint64_t fixed = RING_META_BYTES + (64ull << 20);

		if (limit < fixed + SLOTS_MIN * RING_SLOT_BYTES)
			return 0;
		if (bytes > limit - fixed)
			bytes = limit - fixed;
	}
	if (bytes < SLOTS_MIN * RING_SLOT_BYTES)
		bytes = SLOTS_MIN * RING_SLOT_BYTES;
	return bytes / RING_SLOT_BYTES;
}

static bool ring_fill(long fd, const struct config *c)
{
	struct ring_header h;
	uint64_t slots = slots_that_fit(fd, c->size);

	if (slots == 0 || slots > UINT32_MAX / 2)
		return false;
	if (c->options.when_full == WHEN_FULL_OVERWRITE)
		ring_layout_fill(&h, (uint32_t)slots, (uint32_t)slots + RING_EXTRA_SLOTS,
				 RING_META_BYTES);
	else
		ring_layout_fill(&h, (uint32_t)slots, (uint32_t)slots, RING_META_BYTES);
	ring_layout_clock(&h, tsc_is_clocksource());
	clock_init(h.clock, h.stamp_shift);
	h.start_stamp = clock_stamp();
	h.wall_ns = clock_realtime_ns();
	h.options = c->options;
	return !sys_failed(SYS2(ftruncate, fd, h.ring_bytes)) &&
	       SYS4(pwrite64, fd, &h, sizeof(h), 0) == (long)sizeof(h) && ring_map(fd, &h);
}

bool ring_file_create(const struct config *c)
{
	bool made;
	long fd = -1;

	for (unsigned i = 0; i < CREATE_ATTEMPTS && sys_failed(fd); i++) {
		if (!ring_name(c->out, i))
			return false;
		fd = SYS4(openat, AT_FDCWD, ring_path,
			  O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	if (sys_failed(fd))
		return false;
	/* whatever the umask: programs that this one starts open it by its name */
	SYS2(fchmod, fd, 0600);
	made = ring_fill(fd, c) && !sys_failed(SYS2(fstat, fd, &ring_info));
	if (!made)
		SYS3(unlinkat, AT_FDCWD, ring_path, 0);
	SYS1(close, fd);
	return made;
}

