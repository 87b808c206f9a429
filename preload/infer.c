/*
 * infer.c - concludes the allocator's system calls from its traces. The facts of
 * glibc that it uses (malloc/malloc.c, 2.26 to 2.42): the break is in __curbrk;
 * a block with a mapping of its own has IS_MMAPPED in its chunk header, whose
 * words give the mapping's start and length; realloc of such a block is
 * mremap(MREMAP_MAYMOVE). Must not be asked about blocks of other allocators:
 * CLASS_MAPPED is glibc's only.
 */
#include "infer.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "event.h"
#include "task_real.h"

#define CHUNK_FLAGS 7ul

struct mapping {
	uint64_t start, bytes; /* bytes 0: none */
};

/* The break that the recording knows of. Whoever sees it moved first records it. */
static uint64_t known_break;

/*
 * The mapping of the block that this call releases. initial-exec (Makefile): no
 * allocation on first use.
 */
static __thread struct mapping released;

static struct mapping mapping_of(const void *p, enum block_class cls)
{
	const uint64_t *chunk = (const uint64_t *)p - 2;
	struct mapping m = { 0, 0 };

	if (p && cls == CLASS_MAPPED) {
		m.start = (uint64_t)(uintptr_t)chunk - chunk[0];
		m.bytes = chunk[0] + (chunk[1] & ~CHUNK_FLAGS);
	}
	return m;
}

static void record(enum memory_syscall number, const long args[6], long result)
{
	if (event_syscall_begin(number, args, SYSCALL_INFERRED, NULL))
		event_syscall_end(number, result);
}

static void note_break(void)
{
	uint64_t now = (uint64_t)(uintptr_t)task_break();
	uint64_t known = __atomic_load_n(&known_break, __ATOMIC_RELAXED);

	if (now == known || now == 0)
		return;
	if (!__atomic_compare_exchange_n(&known_break, &known, now, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	record(SYS_MEM_brk, (const long[6]){ (long)now }, (long)now);
}

void infer_break_moved(void)
{
	__atomic_store_n(&known_break, (uint64_t)(uintptr_t)task_break(), __ATOMIC_RELAXED);
}

void infer_before(void)
{
	released = (struct mapping){ 0, 0 };
	if (__atomic_load_n(&known_break, __ATOMIC_RELAXED) == 0)
		infer_break_moved();
}

void infer_release(const void *p, enum block_class cls)
{
	released = mapping_of(p, cls);
}

void infer_after(const void *p, enum block_class cls)
{
	const struct mapping old = released, new = mapping_of(p, cls);

	released = (struct mapping){ 0, 0 };
	if (old.bytes && new.bytes) {
		if (old.start != new.start || old.bytes != new.bytes)
			record(SYS_MEM_mremap,
			       (const long[6]){ (long)old.start, (long)old.bytes,
						(long)new.bytes, MREMAP_MAYMOVE },
			       (long)new.start);
	} else if (new.bytes) {
		record(SYS_MEM_mmap,
		       (const long[6]){ 0, (long)new.bytes, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 },
		       (long)new.start);
	}
	note_break();
	if (old.bytes && !new.bytes)
		record(SYS_MEM_munmap, (const long[6]){ (long)old.start, (long)old.bytes }, 0);
}
