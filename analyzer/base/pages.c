/*
 * pages.c - see pages.h. Relies on the kernel giving zeroed pages and on mremap
 * moving them without a copy. Promises nothing about huge pages: without them
 * all works the same, slower.
 */
#include "base/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/xmem.h"

#define HUGE_PAGE ((size_t)2 << 20)
#define LINE_BYTES 64
#define FIRST_ELEMENTS 64

/* What is smaller comes from malloc: sanitizers look after it. */
static bool is_mapped(size_t bytes)
{
	return bytes >= HUGE_PAGE;
}

static size_t round_up(size_t bytes, size_t unit)
{
	if (bytes > PTRDIFF_MAX - 2 * HUGE_PAGE)
		xmem_fail(1, bytes);
	return (bytes + unit - 1) / unit * unit;
}

/* BYTES (whole huge pages) of address space that begin where a huge page may. */
static void *map_aligned(size_t bytes, int protection)
{
	uint8_t *all = mmap(NULL, bytes + HUGE_PAGE, protection,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;

	if (all == MAP_FAILED)
		xmem_fail(1, bytes);
	before = -(uintptr_t)all & (HUGE_PAGE - 1);
	if (before)
		munmap(all, before);
	munmap(all + before + bytes, HUGE_PAGE - before);
	return all + before;
}

void *pages_new(size_t bytes)
{
	void *p;

	if (is_mapped(bytes)) {
		bytes = round_up(bytes, HUGE_PAGE);
		p = map_aligned(bytes, PROT_READ | PROT_WRITE);
		madvise(p, bytes, MADV_HUGEPAGE);
		return p;
	}
	bytes = round_up(bytes ? bytes : 1, LINE_BYTES);
	if (posix_memalign(&p, LINE_BYTES, bytes) != 0)
		xmem_fail(1, bytes);
	return memset(p, 0, bytes);
}

static void *remap(void *p, size_t from, size_t to)
{
	void *target, *moved;

	from = round_up(from, HUGE_PAGE);
	to = round_up(to, HUGE_PAGE);
	if (from == to)
		return p;
	moved = mremap(p, from, to, 0);
	if (moved != MAP_FAILED)
		return moved;
	target = map_aligned(to, PROT_NONE);
	moved = mremap(p, from, to, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	if (moved == MAP_FAILED)
		xmem_fail(1, to);
	return moved;
}

void *pages_grow(void *p, size_t from, size_t to)
{
	void *bigger;

	if (p && is_mapped(from))
		return remap(p, from, to);
	bigger = pages_new(to);
	if (p) {
		memcpy(bigger, p, from);
		free(p);
	}
	return bigger;
}

void pages_free(void *p, size_t bytes)
{
	if (p && is_mapped(bytes))
		munmap(p, round_up(bytes, HUGE_PAGE));
	else
		free(p);
}

void pages_extend(void *array, size_t *capacity, size_t count, size_t bytes)
{
	size_t wanted = *capacity ? *capacity : FIRST_ELEMENTS;
	void *p;

	if (count < *capacity)
		return;
	while (wanted <= count) {
		if (wanted > SIZE_MAX / 4 / bytes)
			xmem_fail(count, bytes);
		wanted *= 2;
	}
	/* ARRAY is the address of a pointer of any type */
	memcpy(&p, array, sizeof(p));
	p = pages_grow(p, *capacity * bytes, wanted * bytes);
	memcpy(array, &p, sizeof(p));
	*capacity = wanted;
}
