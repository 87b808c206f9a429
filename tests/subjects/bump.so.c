/*
 * bump.so.c - an allocator that a signal handler may call at any time, even in the middle
 * of itself: each block is taken by one atomic addition and never given back. Where a
 * program sets bump_hook it is called in malloc(BUMP_HOOK_SIZE), and need not return.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define HEADER 16
#define BUMP_HOOK_SIZE 4242
#define ARENA_BYTES ((size_t)4 << 30)

void (*bump_hook)(void);

static char *arena;
static size_t used;

static __attribute__((constructor(101))) void make_arena(void)
{
	void *p = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!arena && p != MAP_FAILED)
		arena = p;
}

static void *take(size_t alignment, size_t size)
{
	size_t bytes = (size + HEADER + 15) & ~(size_t)15, at;
	uintptr_t p;

	if (!arena)
		make_arena();
	if (size > ARENA_BYTES || alignment > ARENA_BYTES)
		return NULL;
	at = __atomic_fetch_add(&used, bytes + alignment, __ATOMIC_RELAXED);
	if (!arena || at + bytes + alignment > ARENA_BYTES) {
		errno = ENOMEM;
		return NULL;
	}
	p = ((uintptr_t)arena + at + HEADER + alignment - 1) & ~(uintptr_t)(alignment - 1);
	((size_t *)p)[-1] = size;
	return (void *)p;
}

void *malloc(size_t size)
{
	if (size == BUMP_HOOK_SIZE && bump_hook)
		bump_hook();
	return take(16, size);
}

void *calloc(size_t nmemb, size_t size)
{
	return take(16, nmemb * size); /* fresh memory is zero */
}

void *realloc(void *old, size_t size)
{
	void *p = take(16, size);

	if (p && old)
		memcpy(p, old, ((size_t *)old)[-1] < size ? ((size_t *)old)[-1] : size);
	return p;
}

void *memalign(size_t alignment, size_t size)
{
	return take(alignment < 16 ? 16 : alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	*p = memalign(alignment, size);
	return *p ? 0 : ENOMEM;
}

size_t malloc_usable_size(void *p)
{
	return p ? ((size_t *)p)[-1] : 0;
}

void free(void *p)
{
	(void)p;
}
