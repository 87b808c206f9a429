/*
 * hook_alloc.c - malloc and its kin, as the program sees them. Each body: guard,
 * (release record), real call, (acquire record), unguard. Arguments, results and
 * errno are the real function's. Blocks of the bootstrap arena never reach it.
 * What is called most has a front door, which leaves no frame: a call that sampling
 * lets pass goes from there to the real function, all others to the body.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "bootstrap.h"
#include "event.h"
#include "guard.h"
#include "real.h"
#include "sample.h"

#define EXPORT __attribute__((visibility("default")))

#define HOOK(name, need, type, params) type name params;
#include "hooks.def"
#undef HOOK

BODY void *malloc_recorded(size_t size)
{
	struct unwind_context ctx;
	void *p;

	if (!guard_enter(FUNC_MALLOC))
		return real.malloc(size);
	p = real.malloc(size);
	UNWIND_CONTEXT(&ctx);
	event_malloc(p, size, &ctx);
	guard_leave();
	return p;
}

DOOR void *malloc(size_t size)
{
	return sample_skips(FUNC_MALLOC, size) ? real.malloc(size) : malloc_recorded(size);
}

BODY void *calloc_recorded(size_t nmemb, size_t size)
{
	struct unwind_context ctx;
	void *p;

	if (!guard_enter(FUNC_CALLOC))
		return real.calloc(nmemb, size);
	p = real.calloc(nmemb, size);
	UNWIND_CONTEXT(&ctx);
	event_calloc(p, nmemb, size, &ctx);
	guard_leave();
	return p;
}

DOOR void *calloc(size_t nmemb, size_t size)
{
	size_t bytes;

	if (!__builtin_mul_overflow(nmemb, size, &bytes) && sample_skips(FUNC_CALLOC, bytes))
		return real.calloc(nmemb, size);
	return calloc_recorded(nmemb, size);
}

static inline __attribute__((always_inline)) void
release(enum alloc_func func, void *p, const struct unwind_context *ctx)
{
	if (p)
		event_free(func, p, ctx);
	else
		event_null_call(func, ctx);
}

BODY void free_recorded(void *p)
{
	struct unwind_context ctx;

	if (bootstrap_owns(p))
		return;
	if (!guard_enter(FUNC_FREE)) {
		real.free(p);
		return;
	}
	UNWIND_CONTEXT(&ctx);
	release(FUNC_FREE, p, &ctx);
	real.free(p);
	guard_leave();
}

/* A sampled block, or one that has the same place in the filter. */
static PASSAGE void free_uncertain(void *p)
{
	if (address_set_holds(&sampling.live, p)) {
		free_recorded(p);
	} else {
		sample_pass(&thread, FUNC_FREE);
		real.free(p);
	}
}

DOOR void free(void *p)
{
	if (thread.budget == 0 || bootstrap_may_own(p)) {
		free_recorded(p);
	} else if (address_set_may_hold(&sampling.live, p)) {
		free_uncertain(p);
	} else {
		sample_pass(&thread, FUNC_FREE);
		real.free(p);
	}
}

EXPORT void cfree(void *p)
{
	struct unwind_context ctx;

	if (bootstrap_owns(p))
		return;
	if (!guard_enter(FUNC_CFREE)) {
		real.cfree(p);
		return;
	}
	UNWIND_CONTEXT(&ctx);
	release(FUNC_CFREE, p, &ctx);
	real.cfree(p);
	guard_leave();
}

EXPORT void free_sized(void *p, size_t size)
{
	struct unwind_context ctx;

	if (bootstrap_owns(p))
		return;
	if (!guard_enter(FUNC_FREE_SIZED)) {
		real.free_sized(p, size);
		return;
	}
	UNWIND_CONTEXT(&ctx);
	release(FUNC_FREE_SIZED, p, &ctx);
	real.free_sized(p, size);
	guard_leave();
}

EXPORT void free_aligned_sized(void *p, size_t alignment, size_t size)
{
	struct unwind_context ctx;

	if (bootstrap_owns(p))
		return;
	if (!guard_enter(FUNC_FREE_ALIGNED_SIZED)) {
		real.free_aligned_sized(p, alignment, size);
		return;
	}
	UNWIND_CONTEXT(&ctx);
	release(FUNC_FREE_ALIGNED_SIZED, p, &ctx);
	real.free_aligned_sized(p, alignment, size);
	guard_leave();
}

/* A bootstrap block moves to the real heap: for the recording a block that is new. */
static void *move_in(void *old, size_t size)
{
	size_t keep = bootstrap_usable(old);
	void *p = real.malloc(size);

	if (p)
		memcpy(p, old, keep < size ? keep : size);
	return p;
}

/*
 * What realloc did, by its result: a null result for size 0 means that the old
 * block was freed, any other that it lives.
 */
static inline __attribute__((always_inline)) void
reallocated(enum alloc_func func, void *result, void *old, size_t nmemb, size_t size,
	    const struct unwind_context *ctx)
{
	if (result)
		event_realloc_end(result, nmemb, size, ctx);
	else if (old && size == 0)
		event_null_call(func, ctx);
	else
		event_failed(func, errno, nmemb, size, ctx);
}

BODY void *realloc_recorded(void *old, size_t size)
{
	bool early = bootstrap_owns(old);
	struct unwind_context ctx;
	void *p;

	if (!guard_enter(FUNC_REALLOC))
		return early ? move_in(old, size) : real.realloc(old, size);
	UNWIND_CONTEXT(&ctx);
	if (old && !early)
		event_realloc_begin(old, size, &ctx);
	p = early ? move_in(old, size) : real.realloc(old, size);
	reallocated(FUNC_REALLOC, p, early ? NULL : old, 0, size, &ctx);
	guard_leave();
	return p;
}

DOOR void *realloc(void *old, size_t size)
{
	if (!bootstrap_may_own(old) && sample_skips_resize(FUNC_REALLOC, old, size))
		return real.realloc(old, size);
	return realloc_recorded(old, size);
}

EXPORT void *reallocarray(void *old, size_t nmemb, size_t size)
{
	bool early = bootstrap_owns(old);
	struct unwind_context ctx;
	size_t bytes;
	void *p;

	/* on overflow it fails, and the block stays as it is */
	if (__builtin_mul_overflow(nmemb, size, &bytes))
		early = false;
	if (!guard_enter(FUNC_REALLOCARRAY))
		return early ? move_in(old, bytes) : real.reallocarray(old, nmemb, size);
	UNWIND_CONTEXT(&ctx);
	if (old && !early)
		event_realloc_begin(old, bytes, &ctx);
	p = early ? move_in(old, bytes) : real.reallocarray(old, nmemb, size);
	reallocated(FUNC_REALLOCARRAY, p, early ? NULL : old, nmemb, nmemb ? size : 0, &ctx);
	guard_leave();
	return p;
}

/* Not recorded; but the real one must not see a bootstrap block. */
EXPORT size_t malloc_usable_size(void *p)
{
	if (bootstrap_owns(p))
		return bootstrap_usable(p);
	return real.malloc_usable_size(p);
}
