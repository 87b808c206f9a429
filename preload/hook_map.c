/*
 * hook_map.c - the memory system calls that the program makes through libc's
 * functions. Where libc's own sites are patched these only pass on: the site
 * sees the call as the kernel gets it. Otherwise they record what was asked and
 * what came back, flagged SYSCALL_BY_HOOK; a call that libc refuses without
 * asking the kernel is recorded as failed all the same.
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
 * RESULT is CALL; it is recorded as system call NUMBER with the arguments where
 * hooks have to. The frame of the function it stands in begins the call stack.
 */
#define RECORDED(number, result, call, ...) do { \
	const long args_[6] = { __VA_ARGS__ }; \
	struct unwind_context ctx_; \
	\
	if (!syscall_by_hook(number)) { \
		result = call; \
		break; \
	} \
	UNWIND_CONTEXT(&ctx_); \
	if (!event_syscall_begin(number, args_, SYSCALL_BY_HOOK, &ctx_)) { \
		result = call; \
		break; \
	} \
	result = call; \
	event_syscall_end(number, kernel_result((long)result)); \
} while (0)

/* The kernel's answer to brk is the break in force, whether it moved or not. */
EXPORT int brk(void *addr)
{
	const long args[6] = { (long)addr };
	struct unwind_context ctx;
	int result;

	if (!syscall_by_hook(SYS_MEM_brk))
		return task_real.brk(addr);
	UNWIND_CONTEXT(&ctx);
	if (!event_syscall_begin(SYS_MEM_brk, args, SYSCALL_BY_HOOK, &ctx))
		return task_real.brk(addr);
	result = task_real.brk(addr);
	infer_break_moved();
	event_syscall_end(SYS_MEM_brk, result == 0 ? (long)addr : (long)task_break());
	return result;
}

EXPORT void *sbrk(intptr_t increment)
{
	char *old = task_break();
	const long args[6] = { (long)(old + increment) };
	struct unwind_context ctx;
	void *result;

	/* sbrk(0) asks nobody */
	if (!syscall_by_hook(SYS_MEM_brk) || increment == 0 || !old)
		return task_real.sbrk(increment);
	UNWIND_CONTEXT(&ctx);
	if (!event_syscall_begin(SYS_MEM_brk, args, SYSCALL_BY_HOOK, &ctx))
		return task_real.sbrk(increment);
	result = task_real.sbrk(increment);
	infer_break_moved();
	event_syscall_end(SYS_MEM_brk, (long)task_break());
	return result;
}

EXPORT void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	void *result;

	RECORDED(SYS_MEM_mmap, result,
		 task_real.mmap(addr, length, prot, flags, fd, offset),
		 (long)addr, (long)length, prot, flags, fd, offset);
	return result;
}

EXPORT void *mmap64(void *addr, size_t length, int prot, int flags, int fd,
		    off64_t offset)
{
	void *result;

	RECORDED(SYS_MEM_mmap, result,
		 task_real.mmap64(addr, length, prot, flags, fd, offset),
		 (long)addr, (long)length, prot, flags, fd, offset);
	return result;
}

EXPORT int munmap(void *addr, size_t length)
{
	int result;

	RECORDED(SYS_MEM_munmap, result, task_real.munmap(addr, length),
		 (long)addr, (long)length);
	return result;
}

EXPORT void *mremap(void *old, size_t old_length, size_t new_length, int flags, ...)
{
	void *addr = NULL, *result;
	va_list list;

	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		va_start(list, flags);
		addr = va_arg(list, void *);
		va_end(list);
	}
	RECORDED(SYS_MEM_mremap, result,
		 task_real.mremap(old, old_length, new_length, flags, addr),
		 (long)old, (long)old_length, (long)new_length, flags, (long)addr);
	return result;
}

EXPORT int mprotect(void *addr, size_t length, int prot)
{
	int result;

	RECORDED(SYS_MEM_mprotect, result, task_real.mprotect(addr, length, prot),
		 (long)addr, (long)length, prot);
	return result;
}

EXPORT int madvise(void *addr, size_t length, int advice)
{
	int result;

	RECORDED(SYS_MEM_madvise, result, task_real.madvise(addr, length, advice),
		 (long)addr, (long)length, advice);
	return result;
}

EXPORT int msync(void *addr, size_t length, int flags)
{
	int result;

	RECORDED(SYS_MEM_msync, result, task_real.msync(addr, length, flags),
		 (long)addr, (long)length, flags);
	return result;
}

EXPORT int mincore(void *addr, size_t length, unsigned char *residency)
{
	int result;

	RECORDED(SYS_MEM_mincore, result, task_real.mincore(addr, length, residency),
		 (long)addr, (long)length, (long)residency);
	return result;
}

EXPORT int mlock(const void *addr, size_t length)
{
	int result;

	RECORDED(SYS_MEM_mlock, result, task_real.mlock(addr, length),
		 (long)addr, (long)length);
	return result;
}

EXPORT int mlock2(const void *addr, size_t length, unsigned flags)
{
	int result;

	RECORDED(SYS_MEM_mlock2, result, task_real.mlock2(addr, length, flags),
		 (long)addr, (long)length, flags);
	return result;
}

EXPORT int munlock(const void *addr, size_t length)
{
	int result;

	RECORDED(SYS_MEM_munlock, result, task_real.munlock(addr, length),
		 (long)addr, (long)length);
	return result;
}

/* The site of mlockall does the same where there is one: lock_all.h. */
static int lock_all_but_the_ring(int flags)
{
	long result = lock_all(flags);

	if (result == 0)
		return 0;
	errno = (int)-result;
	return -1;
}

EXPORT int mlockall(int flags)
{
	int result;

	if (!syscall_by_hook(SYS_MEM_mlockall) && syscall_sites_settled != UINT32_MAX)
		return task_real.mlockall(flags);
	RECORDED(SYS_MEM_mlockall, result, lock_all_but_the_ring(flags), flags);
	return result;
}

EXPORT int munlockall(void)
{
	int result;

	RECORDED(SYS_MEM_munlockall, result, task_real.munlockall(), 0);
	return result;
}

EXPORT void *shmat(int id, const void *addr, int flags)
{
	void *result;

	RECORDED(SYS_MEM_shmat, result, task_real.shmat(id, addr, flags),
		 id, (long)addr, flags);
	return result;
}

EXPORT int shmdt(const void *addr)
{
	int result;

	RECORDED(SYS_MEM_shmdt, result, task_real.shmdt(addr), (long)addr);
	return result;
}

EXPORT int remap_file_pages(void *addr, size_t length, int prot, size_t page, int flags)
{
	int result;

	RECORDED(SYS_MEM_remap_file_pages, result,
		 task_real.remap_file_pages(addr, length, prot, page, flags),
		 (long)addr, (long)length, prot, (long)page, flags);
	return result;
}

EXPORT int pkey_mprotect(void *addr, size_t length, int prot, int key)
{
	int result;

	RECORDED(SYS_MEM_pkey_mprotect, result,
		 task_real.pkey_mprotect(addr, length, prot, key),
		 (long)addr, (long)length, prot, key);
	return result;
}
