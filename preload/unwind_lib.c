/*
 * unwind_lib.c - libunwind and libgcc's unwinder by dlopen(RTLD_LOCAL).
 *
 * Relies on their public functions only, found by name in the very library that was
 * opened: by global scope, _Unwind_Backtrace may be libunwind's copy. Promises
 * nothing about locks: libunwind asks dl_iterate_phdr about code it does not
 * know, and waits for ever in a signal handler that interrupted the loader. That is
 * why it is an oracle and a fallback on request, never the default.
 */
#include "tstate.h"
#include "unwind_lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>

#include "cfi_module.h"

#if defined(__x86_64__)
#define FLUSH_NAME "_Ux86_64_flush_cache"
#define SPACE_NAME "_ULx86_64_local_addr_space"
#else
#define FLUSH_NAME "_Uaarch64_flush_cache"
#define SPACE_NAME "_ULaarch64_local_addr_space"
#endif

static struct {
	int (*backtrace)(void **addresses, int max);
	void (*flush)(void *space, unsigned long low, unsigned long high);
	void **space;
} libunwind;

/*
 * The Itanium C++ ABI's names, declared here because gcc's <unwind.h> is hidden
 * by the header of that name in this folder.
 */
struct _Unwind_Context;
enum { URC_NO_REASON = 0, URC_NORMAL_STOP = 4 };

static struct {
	int (*backtrace)(int (*note)(struct _Unwind_Context *, void *), void *data);
	uintptr_t (*get_ip)(struct _Unwind_Context *, int *before);
} libgcc;

bool unwind_lib_is_safe(const uint64_t *frames, uint32_t count)
{
	uint64_t start, end;

	if (!program_invocation_short_name || !*program_invocation_short_name ||
	    _r_debug.r_state != RT_CONSISTENT ||
	    !cfi_module_range((uint64_t)&_r_debug, &start, &end))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (frames[i] >= start && frames[i] < end)
			return false;
	}
	return true;
}

/*
 * ld.so allocates for the libraries opened here, and they map memory of their own now and
 * then: none of that is an event of the target's.
 */
static uint8_t own_begin(void)
{
	uint8_t phase = thread.phase;

	thread.phase = PHASE_OWN;
	return phase;
}

static void *open_library(const char *name)
{
	uint8_t phase = own_begin();
	void *library = dlopen(name, RTLD_LOCAL | RTLD_NOW);

	thread.phase = phase;
	return library;
}

bool unwind_lib_open_libunwind(void)
{
	void *library;

	if (libunwind.backtrace)
		return true;
	library = open_library("libunwind.so.8");
	if (!library)
		return false;
	*(void **)&libunwind.flush = dlsym(library, FLUSH_NAME);
	*(void **)&libunwind.space = dlsym(library, SPACE_NAME);
	*(void **)&libunwind.backtrace = dlsym(library, "unw_backtrace");
	return libunwind.backtrace != NULL;
}

bool unwind_lib_open_libgcc(void)
{
	void *library;

	if (libgcc.backtrace)
		return true;
	library = open_library("libgcc_s.so.1");
	if (!library)
		return false;
	*(void **)&libgcc.get_ip = dlsym(library, "_Unwind_GetIPInfo");
	if (!libgcc.get_ip)
		return false;
	*(void **)&libgcc.backtrace = dlsym(library, "_Unwind_Backtrace");
	return libgcc.backtrace != NULL;
}

size_t unwind_lib_libunwind(uint64_t *addresses, size_t max)
{
	uint8_t phase = own_begin();
	int n = libunwind.backtrace((void **)addresses, (int)max);

	thread.phase = phase;
	return n > 0 ? (size_t)n : 0;
}

struct pcs {
	uint64_t *pc;
	size_t count, max;
};

static int note_frame(struct _Unwind_Context *context, void *data)
{
	struct pcs *pcs = data;
	int before = 0;
	uint64_t ip;

	if (pcs->count == pcs->max)
		return URC_NORMAL_STOP;
	ip = (uint64_t)libgcc.get_ip(context, &before);
	pcs->pc[pcs->count++] = before ? ip : ip - 1;
	return URC_NO_REASON;
}

size_t unwind_lib_libgcc(uint64_t *pcs, size_t max)
{
	struct pcs taken = { .pc = pcs, .max = max };
	uint8_t phase = own_begin();

	libgcc.backtrace(note_frame, &taken);
	thread.phase = phase;
	return taken.count;
}

void unwind_lib_flush(void)
{
	if (libunwind.flush && libunwind.space)
		libunwind.flush(*libunwind.space, 0, 0);
}
