/*
 * page_scan.c - asks the kernel: by the ioctl PAGEMAP_SCAN (Linux 6.7), else by reading
 * /proc/self/pagemap, else by mincore. The last two cannot tell the page of zeros, so memory that
 * was only read counts as touched there. Sources: pagemap_scan.h,
 * mincore(2).
 */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>

#include "page_scan.h"
#include "pagemap_scan.h"
#include "session.h"
#include "sys.h"

static long fd = -1;
static bool has_ioctl;

/* Large, and used by one thread at a time. */
static union {
	struct pagemap_region regions[PAGEMAP_REGIONS];
	uint64_t entries[1024];
	unsigned char present[4096];
} room;

void page_scan_begin(void)
{
	fd = SYS4(openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
	has_ioctl = !sys_failed(fd);
}

void page_scan_end(void)
{
	if (!sys_failed(fd))
		SYS1(close, fd);
	fd = -1;
}

/* False: this kernel cannot. */
static bool scan_by_ioctl(uint64_t start, uint64_t end, void (*run)(uint64_t start, uint64_t end))
{
	struct pagemap_scan_arg arg;

	while (start < end) {
		long n;

		pagemap_scan_init(&arg, start, end, room.regions);
		n = SYS3(ioctl, fd, PAGEMAP_SCAN_IOCTL, &arg);
		if (sys_failed(n))
			return false;
		for (long i = 0; i < n; i++)
			run(room.regions[i].start, room.regions[i].end);
		if (arg.walk_end <= start)
			break;
		start = arg.walk_end;
	}
	return true;
}

/* Turns single pages into runs. */
struct joiner {
	uint64_t start, end;
	void (*run)(uint64_t start, uint64_t end);
};

static void join_page(struct joiner *j, uint64_t at, uint64_t page, bool is_touched)
{
	if (is_touched && j->end == at) {
		j->end += page;
		return;
	}
	if (j->end > j->start)
		j->run(j->start, j->end);
	j->start = at;
	j->end = is_touched ? at + page : at;
}

static void scan_by_pages(uint64_t start, uint64_t end, void (*run)(uint64_t start, uint64_t end))
{
	uint64_t page = getauxval(AT_PAGESZ);
	struct joiner j = { start, start, run };

	while (start < end) {
		uint64_t pages = (end - start) / page, got = 0;
		long n = -1;

		if (!sys_failed(fd)) {
			if (pages > sizeof(room.entries) / 8)
				pages = sizeof(room.entries) / 8;
			n = SYS4(pread64, fd, room.entries, pages * 8, start / page * 8);
		}
		if (n >= 8) {
			got = (uint64_t)n / 8;
			for (uint64_t i = 0; i < got; i++)
				join_page(&j, start + i * page, page,
					  room.entries[i] & PAGEMAP_ENTRY_TOUCHED);
		} else {
			got = pages < sizeof(room.present) ? pages : sizeof(room.present);
			if (session.no_mincore ||
			    sys_failed(SYS3(mincore, start, got * page, room.present)))
				break;
			for (uint64_t i = 0; i < got; i++)
				join_page(&j, start + i * page, page, room.present[i] & 1);
		}
		start += got * page;
	}
	if (j.end > j.start)
		run(j.start, j.end);
}

void page_scan(uint64_t start, uint64_t end, void (*run)(uint64_t start, uint64_t end))
{
	if (has_ioctl && scan_by_ioctl(start, end, run))
		return;
	has_ioctl = false;
	scan_by_pages(start, end, run);
}
