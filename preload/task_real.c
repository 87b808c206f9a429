/*
 * task_real.c - finds the functions behind the hooks of hooks_task.def, once, at the
 * library's start: a later dlsym could wait for a dlopen that waits for this
 * thread. Promises that struct task_real may be called at any time.
 */
#include "task_real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>

#include "sys.h"

/* A data symbol of glibc (2.2.5): the break that the next sbrk starts from. */
extern void *__curbrk __attribute__((weak));

void *task_break(void)
{
	return &__curbrk ? __curbrk : NULL;
}

static long with_errno(long result)
{
	if (!sys_failed(result))
		return result;
	errno = (int)-result;
	return -1;
}

static int raw_brk(void *addr)
{
	void *now = (void *)SYS1(brk, addr);

	if (&__curbrk)
		__curbrk = now;
	if (now >= addr)
		return 0;
	errno = ENOMEM;
	return -1;
}

static void *raw_sbrk(intptr_t increment)
{
	char *old = task_break();

	if (!old)
		old = (char *)SYS1(brk, 0);
	if (increment == 0)
		return old;
	return raw_brk(old + increment) == 0 ? old : (void *)-1;
}

static void *raw_mmap(void *addr, size_t length, int prot, int flags, int fd,
		      off_t offset)
{
	return (void *)with_errno(SYS6(mmap, addr, length, prot, flags, fd, offset));
}

static int raw_munmap(void *addr, size_t length)
{
	return (int)with_errno(SYS2(munmap, addr, length));
}

static void *raw_mremap(void *old, size_t old_length, size_t new_length, int flags, ...)
{
	void *addr = NULL;
	va_list list;

	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		va_start(list, flags);
		addr = va_arg(list, void *);
		va_end(list);
	}
	return (void *)with_errno(SYS6(mremap, old, old_length, new_length, flags, addr, 0));
}

static int raw_mprotect(void *addr, size_t length, int prot)
{
	return (int)with_errno(SYS3(mprotect, addr, length, prot));
}

static int raw_madvise(void *addr, size_t length, int advice)
{
	return (int)with_errno(SYS3(madvise, addr, length, advice));
}

static int raw_msync(void *addr, size_t length, int flags)
{
	return (int)with_errno(SYS3(msync, addr, length, flags));
}

static int raw_mincore(void *addr, size_t length, unsigned char *residency)
{
	return (int)with_errno(SYS3(mincore, addr, length, residency));
}

static int raw_mlock(const void *addr, size_t length)
{
	return (int)with_errno(SYS2(mlock, addr, length));
}

static int raw_mlock2(const void *addr, size_t length, unsigned flags)
{
	return (int)with_errno(SYS3(mlock2, addr, length, flags));
}

static int raw_munlock(const void *addr, size_t length)
{
	return (int)with_errno(SYS2(munlock, addr, length));
}

static int raw_mlockall(int flags)
{
	return (int)with_errno(SYS1(mlockall, flags));
}

static int raw_munlockall(void)
{
	return (int)with_errno(SYS0(munlockall));
}

static void *raw_shmat(int id, const void *addr, int flags)
{
	return (void *)with_errno(SYS3(shmat, id, addr, flags));
}

static int raw_shmdt(const void *addr)
{
	return (int)with_errno(SYS1(shmdt, addr));
}

static int raw_remap_file_pages(void *addr, size_t length, int prot, size_t page,
				int flags)
{
	return (int)with_errno(SYS6(remap_file_pages, addr, length, prot, page, flags, 0));
}

static int raw_pkey_mprotect(void *addr, size_t length, int prot, int key)
{
	return (int)with_errno(SYS4(pkey_mprotect, addr, length, prot, key));
}

static int raw_prctl(int option, ...)
{
	unsigned long a, b, c, d;
	va_list list;

	va_start(list, option);
	a = va_arg(list, unsigned long);
	b = va_arg(list, unsigned long);
	c = va_arg(list, unsigned long);
	d = va_arg(list, unsigned long);
	va_end(list);
	return (int)with_errno(SYS6(prctl, option, a, b, c, d, 0));
}

static int raw_setuid(uid_t user)
{
	return (int)with_errno(SYS1(setuid, user));
}

static int raw_seteuid(uid_t effective)
{
	return (int)with_errno(SYS3(setresuid, -1, effective, -1));
}

static int raw_setreuid(uid_t real_user, uid_t effective)
{
	return (int)with_errno(SYS2(setreuid, real_user, effective));
}

static int raw_setresuid(uid_t real_user, uid_t effective, uid_t saved)
{
	return (int)with_errno(SYS3(setresuid, real_user, effective, saved));
}

static void raw_exit(int status)
{
	for (;;)
		SYS1(exit_group, status);
}

/* The next definition of NAME. A failure leaves nothing for the program's dlerror(). */
static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		dlerror();
	return function;
}

static void early_quick_exit(int status)
{
	void (*function)(int) = (void (*)(int))next("quick_exit");

	if (function)
		function(status);
	raw_exit(status);
}

/* A tail call, as in hook_task.c: the loader looks who called it. */
static void *early_dlopen(const char *file, int mode)
{
	void *(*function)(const char *, int) = (void *(*)(const char *, int))next("dlopen");

	return function ? function(file, mode) : NULL;
}

static int early_dlclose(void *handle)
{
	int (*function)(void *) = (int (*)(void *))next("dlclose");

	return function ? function(handle) : -1;
}

static int early_mallopt(int parameter, int value)
{
	int (*function)(int, int) = (int (*)(int, int))next("mallopt");

	return function ? function(parameter, value) : 0;
}

struct task_real task_real = {
	.brk = raw_brk,
	.sbrk = raw_sbrk,
	.mmap = raw_mmap,
	.mmap64 = raw_mmap,
	.munmap = raw_munmap,
	.mremap = raw_mremap,
	.mprotect = raw_mprotect,
	.madvise = raw_madvise,
	.msync = raw_msync,
	.mincore = raw_mincore,
	.mlock = raw_mlock,
	.mlock2 = raw_mlock2,
	.munlock = raw_munlock,
	.mlockall = raw_mlockall,
	.munlockall = raw_munlockall,
	.shmat = raw_shmat,
	.shmdt = raw_shmdt,
	.remap_file_pages = raw_remap_file_pages,
	.pkey_mprotect = raw_pkey_mprotect,
	.prctl = raw_prctl,
	.setuid = raw_setuid,
	.seteuid = raw_seteuid,
	.setreuid = raw_setreuid,
	.setresuid = raw_setresuid,
	._exit = raw_exit,
	._Exit = raw_exit,
	.quick_exit = early_quick_exit,
	.dlopen = early_dlopen,
	.dlclose = early_dlclose,
	.mallopt = early_mallopt,
};

void task_real_resolve(void)
{
	int saved = errno;
	void *function;

#define HOOK(name, need, type, params) \
	function = next(#name); \
	if (function) \
		*(void **)&task_real.name = function;
#include "hooks_task.def"
#undef HOOK
	errno = saved;
}
