/*
 * page_scan.c - asks the kernel: by the ioctl PAGEMAP_SCAN (Linux 6.7), else by reading
 * /proc/self/pagemap, else by mincore. The last two cannot tell the page of zeros, so memory that
 * was only read counts as touched there. Sources: Linux Documentation/admin-guide/mm/pagemap.rst
 * and include/uapi/linux/fs.h.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>

#include "page_scan.h"
#include "sys.h"

/* Debian 12's headers are older than this. */
struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

struct page_region {
	uint64_t start, end, categories;
};

#define SCAN_IOCTL      _IOWR('f', 16, struct pm_scan_arg)
#define IS_PRESENT      (1u << 3)
#define IS_SWAPPED      (1u << 4)
#define IS_ZERO_PAGE    (1u << 5)

#define ENTRY_PRESENT   (1ull << 63)
#define ENTRY_SWAPPED   (1ull << 62)

/* More than 512 regions at once are returned twice by some kernels (6.18). */
#define REGIONS 512

static long fd = -1;
static bool has_ioctl;

/* Large, and used by one thread at a time. */
static union {
	struct page_region regions[REGIONS];
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
	struct pm_scan_arg arg;

	while (start < end) {
		long n;

		memset(&arg, 0, sizeof(arg));
		arg.size = sizeof(arg);
		arg.start = start;
		arg.end = end;
		arg.vec = (uint64_t)(uintptr_t)room.regions;
		arg.vec_len = REGIONS;
		/* not the page of zeros, and present or swapped */
		arg.category_inverted = IS_ZERO_PAGE;
		arg.category_mask = IS_ZERO_PAGE;
		arg.category_anyof_mask = IS_PRESENT | IS_SWAPPED;
		n = SYS3(ioctl, fd, SCAN_IOCTL, &arg);
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
					  room.entries[i] & (ENTRY_PRESENT | ENTRY_SWAPPED));
		} else {
			got = pages < sizeof(room.present) ? pages : sizeof(room.present);
			if (sys_failed(SYS3(mincore, start, got * page, room.present)))
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
