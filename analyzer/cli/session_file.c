/*
 * session_file.c - the session ring as a file. Relies on include/ring_layout.h
 * for the places of its parts; promises a private file (0600, random name, never
 * an existing one), that nothing in an opened ring is believed unchecked, and that a ring which
 * a recording names is not reached through a link.
 */
#include "cli/session_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/xmem.h"
#include "cli/session_clock.h"
#include "ring_layout.h"

#define SHARED_MEMORY "/dev/shm"
/* Room wanted beside the slots: metadata, and something for everybody else. */
#define ROOM_MARGIN (32ull << 20)
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

#if defined(__aarch64__)
#define COUNTER_NAME "arch_sys_counter"
#else
#define COUNTER_NAME "tsc"
#endif

static bool counter_is_clocksource(void)
{
	char text[32] = "";
	int fd = open(CLOCKSOURCE, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && strcspn(text, "\n") == strlen(COUNTER_NAME) &&
	       strncmp(text, COUNTER_NAME, strlen(COUNTER_NAME)) == 0;
}

static bool has_room(const char *directory, uint64_t bytes)
{
	struct statvfs v;

	return statvfs(directory, &v) == 0 && !(v.f_flag & ST_RDONLY) &&
	       (uint64_t)v.f_bavail * v.f_frsize >= bytes;
}

/* A new file under a name that nobody can foresee; -1 with errno. */
static int create_file(const char *directory, char **path)
{
	for (int i = 0; i < 16; i++) {
		uint64_t name;
		int fd;

		if (getrandom(&name, sizeof(name), 0) != sizeof(name))
			return -1;
		*path = xasprintf("%s/allotrope-%016llx.ring", directory,
				  (unsigned long long)name);
		fd = open(*path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0) {
			/* whatever the umask: the program opens it by its name */
			fchmod(fd, 0600);
			return fd;
		}
		free(*path);
		*path = NULL;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static uint64_t limit_of(int resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

/*
 * The file is sparse, but it may be no longer than RLIMIT_FSIZE, and its mapping
 * should leave half of a limited address space free: then there are fewer slots.
 */
static void plan(struct ring_header *h, uint64_t ring_bytes)
{
	uint32_t soft = (uint32_t)((ring_bytes + RING_SLOT_BYTES - 1) / RING_SLOT_BYTES);
	uint64_t most = limit_of(RLIMIT_FSIZE), space = limit_of(RLIMIT_AS);
	uint64_t meta_bytes = RING_META_BYTES;
	uint32_t extra = RING_EXTRA_SLOTS;

	if (space != RLIM_INFINITY && most > space / 2)
		most = space / 2;
	ring_layout_fill(h, soft, soft + extra, meta_bytes);
	while (h->ring_bytes > most && extra > 64) {
		extra /= 2;
		meta_bytes = meta_bytes > (8u << 20) ? meta_bytes / 2 : meta_bytes;
		ring_layout_fill(h, soft, soft + extra, meta_bytes);
	}
}

static int map_file(struct session_file *s, struct diag *d)
{
	uint8_t *base = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);

	if (base == MAP_FAILED)
		return diag_errno(d, STATUS_IO, "cannot map '%s'", s->path);
	/* the program is started by fork: its page tables need not hold the ring */
	madvise(base, s->bytes, MADV_DONTFORK);
	madvise(base, s->bytes, MADV_DONTDUMP);
	s->ring = (struct ring_header *)base;
	s->words = (uint64_t *)(base + s->fixed.table_offset);
	s->slots = base + s->fixed.slots_offset;
	s->meta = base + s->fixed.meta_offset;
	return 0;
}

int session_file_create(struct session_file *s, const char *directory,
			uint64_t ring_bytes, const struct ring_options *options,
			struct diag *d)
{
	*s = (struct session_file){ .fd = -1 };
	if (has_room(SHARED_MEMORY, ring_bytes + ROOM_MARGIN))
		s->fd = create_file(SHARED_MEMORY, &s->path);
	if (s->fd < 0)
		s->fd = create_file(directory, &s->path);
	if (s->fd < 0)
		return diag_errno(d, STATUS_IO, "cannot create the session ring in '%s'", directory);
	plan(&s->fixed, ring_bytes);
	ring_layout_clock(&s->fixed, counter_is_clocksource());
	s->fixed.options = *options;
	s->fixed.recorder_pid = (uint32_t)getpid();
	s->fixed.start_stamp = session_stamp(&s->fixed);
	s->fixed.wall_ns = clock_ns(CLOCK_REALTIME);
	s->fixed.heartbeat_ns = clock_ns(CLOCK_MONOTONIC);
	s->bytes = s->fixed.ring_bytes;
	if (ftruncate(s->fd, (off_t)s->bytes) != 0 ||
	    pwrite(s->fd, &s->fixed, sizeof(s->fixed), 0) != (ssize_t)sizeof(s->fixed))
		diag_errno(d, STATUS_IO, "cannot make the session ring '%s' of %llu bytes (sparse); "
			   "make --ring smaller, or the limit on file sizes larger (ulimit -f)",
			   s->path, (unsigned long long)s->bytes);
	else if (map_file(s, d) == 0)
		return 0;
	session_file_remove(s);
	session_file_close(s);
	return -1;
}

int session_file_open(struct session_file *s, const char *path, struct diag *d)
{
	struct stat st;

	*s = (struct session_file){ .fd = -1 };
	s->path = xstrdup(path);
	s->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (s->fd < 0)
		diag_errno(d, STATUS_IO, "cannot open '%s'", path);
	else if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
		 pread(s->fd, &s->fixed, sizeof(s->fixed), 0) != (ssize_t)sizeof(s->fixed) ||
		 !ring_layout_valid(&s->fixed, (uint64_t)st.st_size))
		diag_set(d, STATUS_IO, "cannot use '%s': it is not a session ring of this version",
			 path);
	else {
		s->bytes = s->fixed.ring_bytes;
		if (map_file(s, d) == 0)
			return 0;
	}
	session_file_close(s);
	return -1;
}

void session_file_remove(struct session_file *s)
{
	if (s->path)
		unlink(s->path);
}

void session_file_close(struct session_file *s)
{
	if (s->ring)
		munmap(s->ring, s->bytes);
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	*s = (struct session_file){ .fd = -1 };
}

int session_file_append(struct session_file *s, enum meta_kind kind,
			const void *payload, size_t bytes)
{
	struct meta_header h = { .kind = (uint16_t)kind, .bytes = (uint32_t)bytes };
	size_t span = META_SPAN(bytes);
	uint64_t at, end;
	uint8_t *p;

	at = __atomic_fetch_add(&s->ring->meta_tail, span, __ATOMIC_RELAXED);
	if (bytes > UINT32_MAX || __builtin_add_overflow(at, span, &end) ||
	    end > s->fixed.meta_bytes || at % 8) {
		__atomic_add_fetch(&s->ring->losses[LOSS_META_FULL], 1, __ATOMIC_RELAXED);
		return -1;
	}
	p = s->meta + at;
	/* on a full disk an error here, not a SIGBUS below */
	if (madvise(s->meta + at / RING_ALIGN * RING_ALIGN, end - at / RING_ALIGN * RING_ALIGN,
		    MADV_POPULATE_WRITE) != 0 && errno != EINVAL)
		return -1;
	memcpy(p + sizeof(h), payload, bytes);
	h.checksum = meta_checksum(h.kind, h.bytes, p + sizeof(h));
	memcpy(p + sizeof(h.magic), (uint8_t *)&h + sizeof(h.magic), sizeof(h) - sizeof(h.magic));
	/* last: from here on the record is seen */
	__atomic_store_n((uint32_t *)p, META_MAGIC, __ATOMIC_RELEASE);
	return 0;
}

void session_file_punch(struct session_file *s, uint64_t from, uint64_t to)
{
	uint64_t page = RING_ALIGN;

	from = (from + page - 1) / page * page;
	to = to / page * page;
	if (from < to)
		fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)(s->fixed.meta_offset + from), (off_t)(to - from));
}
