/*
 * bootstrap.c - a compare-and-swap bump allocator. Relies on mmap by raw system
 * call where the arena in .bss is used up. Each block has its size in the 16
 * bytes before it. Promises zeroed memory (pages are never used twice).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bootstrap.h"
#include "sys.h"

#define HEADER_BYTES 16u
#define EXTENSIONS_MAX 64

struct extent {
	uintptr_t start;
	uintptr_t end;
	uintptr_t next; /* first free byte; only grows, by compare-and-swap */
};

static char arena[BOOTSTRAP_BYTES] __attribute__((aligned(4096)));

/* Extent 0 is the arena; extents[extent_count - 1] is the one in use. */
static struct extent extents[1 + EXTENSIONS_MAX] = {
	{
		.start = (uintptr_t)arena,
		.end = (uintptr_t)arena + sizeof(arena),
		.next = (uintptr_t)arena,
	},
};
static uint32_t extent_count = 1;
static uint32_t extending;

struct bootstrap_span bootstrap_span = { (uintptr_t)arena, sizeof(arena) };

bool bootstrap_owns_exactly(const void *p)
{
	uint32_t count = __atomic_load_n(&extent_count, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < count; i++)
		if ((uintptr_t)p >= extents[i].start && (uintptr_t)p < extents[i].end)
			return true;
	return false;
}

static void *extent_take(struct extent *e, size_t alignment, size_t size)
{
	uintptr_t next = __atomic_load_n(&e->next, __ATOMIC_RELAXED);

	for (;;) {
		uintptr_t block, end;

		if (__builtin_add_overflow(next, HEADER_BYTES + alignment - 1, &block))
			return NULL;
		block &= ~(uintptr_t)(alignment - 1);
		if (__builtin_add_overflow(block, size, &end) || end > e->end)
			return NULL;
		if (__atomic_compare_exchange_n(&e->next, &next, end, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			memcpy((char *)block - HEADER_BYTES, &size, sizeof(size));
			return (void *)block;
		}
	}
}

/* The span grows downward or upward; a reader in between sees the old one. */
static void span_include(const struct extent *e)
{
	uintptr_t low = bootstrap_span.low;
	uintptr_t high = low + bootstrap_span.bytes;

	if (e->end > high)
		high = e->end;
	if (e->start < low)
		low = e->start;
	/* first larger, then lower: whatever a free reads covers the old span */
	__atomic_store_n(&bootstrap_span.bytes, high - low, __ATOMIC_SEQ_CST);
	__atomic_store_n(&bootstrap_span.low, low, __ATOMIC_SEQ_CST);
}

/* Add an extent that holds SIZE more bytes. One thread at a time; the others try again. */
static bool extend(size_t alignment, size_t size, uint32_t seen)
{
	size_t bytes = BOOTSTRAP_BYTES;
	bool done = false;
	uint32_t free_lock = 0;

	if (!__atomic_compare_exchange_n(&extending, &free_lock, 1, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		SYS0(sched_yield);
		return true;
	}
	if (__atomic_load_n(&extent_count, __ATOMIC_RELAXED) != seen) {
		done = true;
	} else if (seen <= EXTENSIONS_MAX &&
		   !__builtin_add_overflow(size, alignment + HEADER_BYTES + 4096, &bytes)) {
		struct extent *e = &extents[seen];
		long map;

		if (bytes < BOOTSTRAP_BYTES)
			bytes = BOOTSTRAP_BYTES;
		bytes &= ~(size_t)4095;
		map = SYS6(mmap, 0, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (!sys_failed(map)) {
			e->start = e->next = (uintptr_t)map;
			e->end = e->start + bytes;
			span_include(e);
			__atomic_store_n(&extent_count, seen + 1, __ATOMIC_RELEASE);
			done = true;
		}
	}
	__atomic_store_n(&extending, 0, __ATOMIC_RELEASE);
	return done;
}

void *bootstrap_alloc(size_t alignment, size_t size)
{
	size_t power = 16;

	while (power < alignment && power <= SIZE_MAX / 4)
		power *= 2;
	if (size > PTRDIFF_MAX || power > PTRDIFF_MAX)
		goto fail;
	for (;;) {
		uint32_t count = __atomic_load_n(&extent_count, __ATOMIC_ACQUIRE);
		void *p = extent_take(&extents[count - 1], power, size);

		if (p)
			return p;
		if (!extend(power, size, count))
			break;
	}
fail:
	errno = ENOMEM;
	return NULL;
}

size_t bootstrap_usable(const void *p)
{
	size_t size;

	memcpy(&size, (const char *)p - HEADER_BYTES, sizeof(size));
	return size;
}

void *bootstrap_realloc(void *old, size_t size)
{
	size_t keep = old ? bootstrap_usable(old) : 0;
	void *p = bootstrap_alloc(16, size);

	if (p && old)
		memcpy(p, old, keep < size ? keep : size);
	return p;
}
