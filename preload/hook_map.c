/*
 * hook_map.c - the memory system calls that the program makes through libc's
 * functions. Where libc's own sites are patched these only pass on, by a jump
 * that leaves no frame: the site sees the call as the kernel gets it. Otherwise
 * they record what was asked and what came back, flagged SYSCALL_BY_HOOK; a call
 * that libc refuses without asking the kernel is recorded as failed all the same.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "event.h"
#include "infer.h"
#include "lock_all.h"
#include "syscall_sites.h"
#include "task_real.h"

#define EXPORT __attribute__((visibility("default")))

/* What the kernel returned, from what a libc function did. */
static long kernel_result(long result)
{
	return result == -1 ? -(long)errno : result;
}

/*
 * The exported NAME with PARAMETERS, and name_recorded(), which makes the same
 * call with ARGUMENTS and records it as NUMBER with the kernel's arguments (...).
 * One tail call leads to either, so the caller's frame is the program's.
 */
#define MEMORY_HOOK(number, type, name, parameters, arguments, ...) \
	static __attribute__((noinline)) type name##_recorded parameters \
	{ \
		const long args_[6] = { __VA_ARGS__ }; \
		struct unwind_context ctx_; \
		type result_; \
	\
		UNWIND_CONTEXT(&ctx_); \
		if (!event_syscall_begin(number, args_, SYSCALL_BY_HOOK, &ctx_)) \
			return task_real.name arguments; \
		result_ = task_real.name arguments; \
		event_syscall_end(number, kernel_result((long)result_)); \
		return result_; \
	} \
	\
	EXPORT type name parameters \
	{ \
		return (syscall_by_hook(number) ? name##_recorded : task_real.name) arguments; \
	}

MEMORY_HOOK(SYS_MEM_mmap, void *, mmap,
	    (void *addr, size_t length, int prot, int flags, int fd, off_t offset),
	    (addr, length, prot, flags, fd, offset),
	    (long)addr, (long)length, prot, flags, fd, offset)

MEMORY_HOOK(SYS_MEM_mmap, void *, mmap64,
	    (void *addr, size_t length, int prot, int flags, int fd, off64_t offset),
	    (addr, length, prot, flags, fd, offset),
	    (long)addr, (long)length, prot, flags, fd, offset)

MEMORY_HOOK(SYS_MEM_munmap, int, munmap, (void *addr, size_t length),
	    (addr, length), (long)addr, (long)length)

MEMORY_HOOK(SYS_MEM_mprotect, int, mprotect, (void *addr, size_t length, int prot),
	    (addr, length, prot), (long)addr, (long)length, prot)

MEMORY_HOOK(SYS_MEM_madvise, int, madvise, (void *addr, size_t length, int advice),
	    (addr, length, advice), (long)addr, (long)length, advice)

MEMORY_HOOK(SYS_MEM_msync, int, msync, (void *addr, size_t length, int flags),
	    (addr, length, flags), (long)addr, (long)length, flags)

MEMORY_HOOK(SYS_MEM_mincore, int, mincore,
	    (void *addr, size_t length, unsigned char *residency),
	    (addr, length, residency), (long)addr, (long)length, (long)residency)

MEMORY_HOOK(SYS_MEM_mlock, int, mlock, (const void *addr, size_t length),
	    (addr, length), (long)addr, (long)length)

MEMORY_HOOK(SYS_MEM_mlock2, int, mlock2, (const void *addr, size_t length, unsigned flags),
	    (addr, length, flags), (long)addr, (long)length, flags)

MEMORY_HOOK(SYS_MEM_munlock, int, munlock, (const void *addr, size_t length),
	    (addr, length), (long)addr, (long)length)

MEMORY_HOOK(SYS_MEM_munlockall, int, munlockall, (void), (), 0)

MEMORY_HOOK(SYS_MEM_shmat, void *, shmat, (int id, const void *addr, int flags),
	    (id, addr, flags), id, (long)addr, flags)

MEMORY_HOOK(SYS_MEM_shmdt, int, shmdt, (const void *addr), (addr), (long)addr)

MEMORY_HOOK(SYS_MEM_remap_file_pages, int, remap_file_pages,
	    (void *addr, size_t length, int prot, size_t page, int flags),
	    (addr, length, prot, page, flags),
	    (long)addr, (long)length, prot, (long)page, flags)

MEMORY_HOOK(SYS_MEM_pkey_mprotect, int, pkey_mprotect,
	    (void *addr, size_t length, int prot, int key),
	    (addr, length, prot, key), (long)addr, (long)length, prot, key)

/*
 * The fifth argument is there only where FLAGS say so. It is passed like a fixed
 * one on both machines, and libc does not look at it otherwise either: so this
 * needs no va_list, which would keep a frame.
 */
EXPORT void *mremap_fixed(void *old, size_t old_length, size_t new_length, int flags,
			  void *addr) __asm__("mremap");

static __attribute__((noinline)) void *mremap_recorded(void *old, size_t old_length,
						       size_t new_length, int flags, ...)
{
	void *addr = NULL, *result;
	struct unwind_context ctx;
	va_list list;

	va_start(list, flags);
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		addr = va_arg(list, void *);
	va_end(list);
	const long args[6] = { (long)old, (long)old_length, (long)new_length, flags, (long)addr };

	UNWIND_CONTEXT(&ctx);
	if (!event_syscall_begin(SYS_MEM_mremap, args, SYSCALL_BY_HOOK, &ctx))
		return task_real.mremap(old, old_length, new_length, flags, addr);
	result = task_real.mremap(old, old_length, new_length, flags, addr);
	event_syscall_end(SYS_MEM_mremap, kernel_result((long)result));
	return result;
}

EXPORT void *mremap_fixed(void *old, size_t old_length, size_t new_length, int flags,
			  void *addr)
{
	return (syscall_by_hook(SYS_MEM_mremap) ? mremap_recorded : task_real.mremap)
		(old, old_length, new_length, flags, addr);
}

/* The kernel's answer to brk is the break in force, whether it moved or not. */
static __attribute__((noinline)) int brk_recorded(void *addr)
{
	const long args[6] = { (long)addr };
	struct unwind_context ctx;
	int result;

	UNWIND_CONTEXT(&ctx);
	if (!event_syscall_begin(SYS_MEM_brk, args, SYSCALL_BY_HOOK, &ctx))
		return task_real.brk(addr);
	result = task_real.brk(addr);
	infer_break_moved();
	event_syscall_end(SYS_MEM_brk, result == 0 ? (long)addr : (long)task_break());
	return result;
}

EXPORT int brk(void *addr)
{
	return (syscall_by_hook(SYS_MEM_brk) ? brk_recorded : task_real.brk)(addr);
}

static __attribute__((noinline)) void *sbrk_recorded(intptr_t increment)
{
	char *old = task_break();
	const long args[6] = { (long)old + increment };
	struct unwind_context ctx;
	void *result;

	UNWIND_CONTEXT(&ctx);
	/* sbrk(0) asks nobody */
	if (increment == 0 || !old ||
	    !event_syscall_begin(SYS_MEM_brk, args, SYSCALL_BY_HOOK, &ctx))
		return task_real.sbrk(increment);
	result = task_real.sbrk(increment);
	infer_break_moved();
	event_syscall_end(SYS_MEM_brk, (long)task_break());
	return result;
}

EXPORT void *sbrk(intptr_t increment)
{
	return (syscall_by_hook(SYS_MEM_brk) ? sbrk_recorded : task_real.sbrk)(increment);
}

/* Never the kernel's mlockall as it is: lock_all.h. The site does the same. */
static __attribute__((noinline)) int mlockall_recorded(int flags)
{
	const long args[6] = { flags };
	struct unwind_context ctx;
	bool recorded;
	long result;

	UNWIND_CONTEXT(&ctx);
	recorded = syscall_by_hook(SYS_MEM_mlockall) &&
		   event_syscall_begin(SYS_MEM_mlockall, args, SYSCALL_BY_HOOK, &ctx);
	result = lock_all(flags);
	if (recorded)
		event_syscall_end(SYS_MEM_mlockall, result);
	if (result == 0)
		return 0;
	errno = (int)-result;
	return -1;
}

EXPORT int mlockall(int flags)
{
	return (syscall_sites_see(SYS_MEM_mlockall) ? task_real.mlockall : mlockall_recorded)
		(flags);
}
