/*
 * pagemap_scan.h - the ioctl PAGEMAP_SCAN of /proc/PID/pagemap (Linux 6.7) and the entries of that
 * file, for headers that are older. Source: Linux include/uapi/linux/fs.h and
 * Documentation/admin-guide/mm/pagemap.rst.
 */
#ifndef PAGEMAP_SCAN_H
#define PAGEMAP_SCAN_H

#include <stdint.h>
#include <sys/ioctl.h>

struct pagemap_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

struct pagemap_region { uint64_t start, end, categories; };

#define PAGEMAP_SCAN_IOCTL _IOWR('f', 16, struct pagemap_scan_arg)

#define PAGEMAP_IS_PRESENT   (1u << 3)
#define PAGEMAP_IS_SWAPPED   (1u << 4)
#define PAGEMAP_IS_ZERO_PAGE (1u << 5)

/* Regions asked for at once: of more than 512 some kernels (6.18) return the last ones twice. */
#define PAGEMAP_REGIONS 512

/* Ask for the touched pages of [start, end): not the page of zeros, and present or swapped out. */
static inline void pagemap_scan_init(struct pagemap_scan_arg *a, uint64_t start, uint64_t end,
				     struct pagemap_region regions[PAGEMAP_REGIONS])
{
	*a = (struct pagemap_scan_arg){
		.size = sizeof(*a), .start = start, .end = end,
		.vec = (uint64_t)(uintptr_t)regions, .vec_len = PAGEMAP_REGIONS,
		.category_inverted = PAGEMAP_IS_ZERO_PAGE,
		.category_mask = PAGEMAP_IS_ZERO_PAGE,
		.category_anyof_mask = PAGEMAP_IS_PRESENT | PAGEMAP_IS_SWAPPED,
	};
}

/* An entry of the file itself, eight bytes for each page: present or swapped out. */
#define PAGEMAP_ENTRY_TOUCHED (1ull << 63 | 1ull << 62)

#endif
