/*
 * hook_align.c - the aligned allocators, as the program sees them. Bodies as in
 * hook_alloc.c; what is called most has a front door for sampling, too.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/auxv.h>

#include "event.h"
#include "guard.h"
#include "real.h"
#include "sample.h"

#define EXPORT __attribute__((visibility("default")))

#define HOOK(name, need, type, params) type name params;
#include "hooks.def"
#undef HOOK

/* The result is a code: errno is not the real function's to set. */
BODY int posix_memalign_recorded(void **result, size_t alignment, size_t size)
{
	struct unwind_context ctx;
	int error;

	if (!guard_enter(FUNC_POSIX_MEMALIGN))
		return real.posix_memalign(result, alignment, size);
	error = real.posix_memalign(result, alignment, size);
	UNWIND_CONTEXT(&ctx);
	if (error == 0 && *result)
		event_aligned(FUNC_POSIX_MEMALIGN, *result, alignment, size, &ctx);
	else
		event_failed(FUNC_POSIX_MEMALIGN, error, alignment, size, &ctx);
	guard_leave();
	return error;
}

DOOR int posix_memalign(void **result, size_t alignment, size_t size)
{
	if (sample_skips(FUNC_POSIX_MEMALIGN, size))
		return real.posix_memalign(result, alignment, size);
	return posix_memalign_recorded(result, alignment, size);
}

BODY void *aligned_alloc_recorded(size_t alignment, size_t size)
{
	struct unwind_context ctx;
	void *p;

	if (!guard_enter(FUNC_ALIGNED_ALLOC))
		return real.aligned_alloc(alignment, size);
	p = real.aligned_alloc(alignment, size);
	UNWIND_CONTEXT(&ctx);
	event_aligned(FUNC_ALIGNED_ALLOC, p, alignment, size, &ctx);
	guard_leave();
	return p;
}

DOOR void *aligned_alloc(size_t alignment, size_t size)
{
	if (sample_skips(FUNC_ALIGNED_ALLOC, size))
		return real.aligned_alloc(alignment, size);
	return aligned_alloc_recorded(alignment, size);
}

BODY void *memalign_recorded(size_t alignment, size_t size)
{
	struct unwind_context ctx;
	void *p;

	if (!guard_enter(FUNC_MEMALIGN))
		return real.memalign(alignment, size);
	p = real.memalign(alignment, size);
	UNWIND_CONTEXT(&ctx);
	event_aligned(FUNC_MEMALIGN, p, alignment, size, &ctx);
	guard_leave();
	return p;
}

DOOR void *memalign(size_t alignment, size_t size)
{
	if (sample_skips(FUNC_MEMALIGN, size))
		return real.memalign(alignment, size);
	return memalign_recorded(alignment, size);
}

EXPORT void *valloc(size_t size)
{
	struct unwind_context ctx;
	void *p;

	if (!guard_enter(FUNC_VALLOC))
		return real.valloc(size);
	p = real.valloc(size);
	UNWIND_CONTEXT(&ctx);
	event_aligned(FUNC_VALLOC, p, getauxval(AT_PAGESZ), size, &ctx);
	guard_leave();
	return p;
}

EXPORT void *pvalloc(size_t size)
{
	struct unwind_context ctx;
	void *p;

	if (!guard_enter(FUNC_PVALLOC))
		return real.pvalloc(size);
	p = real.pvalloc(size);
	UNWIND_CONTEXT(&ctx);
	event_aligned(FUNC_PVALLOC, p, getauxval(AT_PAGESZ), size, &ctx);
	guard_leave();
	return p;
}
