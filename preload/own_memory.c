/*
 * own_memory.c - maps the library's memory and remembers where it is, so that it
 * can be told from the target's in /proc/self/smaps.
 */
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "own_memory.h"
#include "session.h"
#include "sys.h"

#define MAPPINGS_KEPT 1024
#define MINCORE_PAGES 1024

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static struct own_mapping {
	uintptr_t start;
	size_t bytes;
} mappings[MAPPINGS_KEPT];
static uint32_t mapping_count;

void *own_map(size_t bytes)
{
	size_t page = getauxval(AT_PAGESZ);
	long at;
	uint32_t i;

	bytes = (bytes + page - 1) & ~(page - 1);
	at = SYS6(mmap, 0, bytes, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_failed(at))
		return NULL;
	/* a help for whoever reads /proc/PID/maps; few kernels do it */
	if (!session.sandboxed)
		sys_call6(SYS_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, (long)bytes,
			  (long)"allotrope", 0);
	i = __atomic_fetch_add(&mapping_count, 1, __ATOMIC_RELAXED);
	if (i < MAPPINGS_KEPT) {
		mappings[i].bytes = bytes;
		__atomic_store_n(&mappings[i].start, (uintptr_t)at, __ATOMIC_RELEASE);
	}
	return (void *)at;
}

static uint64_t resident_pages(uintptr_t start, size_t pages, size_t page)
{
	unsigned char present[MINCORE_PAGES];
	uint64_t count = 0;

	while (pages > 0) {
		size_t n = pages < MINCORE_PAGES ? pages : MINCORE_PAGES;

		if (sys_failed(SYS3(mincore, start, n * page, present)))
			break;
		for (size_t i = 0; i < n; i++)
			count += present[i] & 1;
		start += n * page;
		pages -= n;
	}
	return count;
}

void own_memory_each(void (*visit)(uint64_t start, uint64_t bytes, void *ctx), void *ctx)
{
	uint32_t count = __atomic_load_n(&mapping_count, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < count && i < MAPPINGS_KEPT; i++) {
		uintptr_t start = __atomic_load_n(&mappings[i].start, __ATOMIC_ACQUIRE);

		if (start)
			visit(start, mappings[i].bytes, ctx);
	}
}

static void add_resident(uint64_t start, uint64_t bytes, void *ctx)
{
	size_t page = getauxval(AT_PAGESZ);

	*(uint64_t *)ctx += resident_pages(start, bytes / page, page) * page;
}

uint64_t own_resident_bytes(void)
{
	uint64_t bytes = 0;

	if (session.no_mincore)
		return 0;
	own_memory_each(add_resident, &bytes);
	return bytes;
}
