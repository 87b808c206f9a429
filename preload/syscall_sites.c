/*
 * syscall_sites.c - finds libc's memory system calls, replaces each by a jump to
 * a trampoline near libc, and records what passes. Relies on site_*.c for the
 * machine code and on /proc/self/mem for writing (no mprotect of libc's text).
 * Promises that either every site the allocator needs is patched and proved by
 * a call, or none is.
 */
#include "syscall_sites.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "elf_object.h"
#include "event.h"
#include "lock_all.h"
#include "meta.h"
#include "modules.h"
#include "session.h"
#include "site_code.h"
#include "sys.h"
#include "syscall_numbers.h"
#include "sysfile.h"
#include "task_calls.h"

#define PAGE_BYTES 4096ul

/* Sites so near each other are written together: libc has most of them in a row. */
#define WINDOW_BYTES 1024u

/*
 * libc's functions that make memory system calls themselves, all there are in
 * glibc 2.36 (test_syscall_sites looks for others); a name that another version
 * lacks is passed over. The thread functions call these. Then those that start
 * programs and wait for them.
 */
static const char *const functions[] = {
	"brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "msync",
	"posix_madvise", "mincore", "mlock", "mlock2", "munlock", "mlockall",
	"munlockall", "shmat", "shmdt", "remap_file_pages", "pkey_mprotect",
	"process_madvise",
	/* task_calls.h */
	"execve", "execveat", "fexecve", "wait4", "waitid",
};

/* What malloc itself calls: without these the picture would have holes. */
#define ESSENTIAL (1u << SYS_MEM_brk | 1u << SYS_MEM_mmap | 1u << SYS_MEM_munmap | \
		   1u << SYS_MEM_mremap | 1u << SYS_MEM_mprotect | 1u << SYS_MEM_madvise)

uint32_t syscall_sites_patched;
uint32_t syscall_sites_settled = UINT32_MAX;

static struct {
	struct site sites[SITES_MAX];
	unsigned count;
	uint8_t *page;            /* trampolines, one per site */
	bool probing, probe_seen;
} state;

#if defined(__x86_64__)
uint64_t site_any_class[8];
const struct site *site_any;
#endif

long site_handler(const struct site_frame *frame)
{
	long nr = site_number(frame);
	enum memory_syscall number = syscall_of_kernel_number(nr);
	struct unwind_context ctx;
	long args[6], result;
	bool recorded;

	if (__builtin_expect(state.probing, 0)) {
		state.probe_seen = true;
		return -EINVAL;
	}
	memcpy(args, frame->args, sizeof(args));
	if (number == SYS_MEM_COUNT)
		return task_call(nr, args);
	site_context(frame, &ctx);
	recorded = event_syscall_begin(number, args, 0, &ctx);
	if (number == SYS_MEM_mlockall)
		result = lock_all((int)args[0]);
	else
		result = sys_call6(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (recorded)
		event_syscall_end(number, result);
	return result;
}

/* ---- finding ---- */

static void find_in(const struct link_map *libc, const char *name, bool any)
{
	const ElfW(Sym) *symbol = elf_symbol(libc, name);
	uint64_t addr;

	if (!symbol || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
		return;
	addr = libc->l_addr + symbol->st_value;
	for (unsigned i = 0; i < state.count; i++)
		if (state.sites[i].addr >= addr && state.sites[i].addr < addr + symbol->st_size)
			return; /* another name of a function seen before */
	state.count += site_scan((const uint8_t *)(uintptr_t)addr, symbol->st_size, addr,
				 any, state.sites + state.count, SITES_MAX - state.count);
}

bool site_is_seen(long nr)
{
	return syscall_of_kernel_number(nr) < SYS_MEM_COUNT || task_call_is(nr);
}

/* The memory system calls that have sites of their own. */
static uint32_t fixed_bits(void)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < state.count; i++)
		if (state.sites[i].kind == SITE_FIXED && state.sites[i].number < SYS_MEM_COUNT)
			bits |= 1u << state.sites[i].number;
	return bits;
}

/* FEATURE_EXECS_SEEN where programs cannot be started unseen by libc's functions. */
static uint32_t exec_feature(void)
{
	for (unsigned i = 0; i < state.count; i++)
		if (state.sites[i].kind == SITE_FIXED && state.sites[i].nr == SYS_execve)
			return FEATURE_EXECS_SEEN;
	return 0;
}

/* ---- writing ---- */

/* Threads of this process; 0 where /proc does not tell. */
static unsigned count_threads(void)
{
	struct sysfile_self self;

	if (session.threads)
		return session.threads;
	return sysfile_self(&self) ? self.threads : 0;
}

static bool all_near(uint64_t page)
{
	for (unsigned i = 0; i < state.count; i++) {
		uint64_t addr = state.sites[i].addr;
		uint64_t distance = addr > page ? addr - page : page - addr;

		if (distance > SITE_REACH)
			return false;
	}
	return true;
}

/* A page for the trampolines within reach of every site; 0: none. */
static uint8_t *page_near(uint64_t low, uint64_t high)
{
	const uint64_t step = 1ul << 20;

	for (unsigned i = 0; i < 256; i++) {
		uint64_t hint = i == 0 ? 0 : i & 1 ? low - (i / 2 + 1) * step :
						     high + (i / 2) * step;
		long flags = MAP_PRIVATE | MAP_ANONYMOUS | (hint ? MAP_FIXED_NOREPLACE : 0);
		long page = SYS6(mmap, hint & ~0xfffful, PAGE_BYTES,
				 PROT_READ | PROT_WRITE, flags, -1, 0);

		if (sys_failed(page))
			continue;
		if (all_near((uint64_t)page))
			return (uint8_t *)page;
		SYS2(munmap, page, PAGE_BYTES);
	}
	return NULL;
}

static bool write_code(long fd, uint64_t addr, const uint8_t *code, size_t bytes)
{
	long done = SYS4(pwrite64, fd, code, bytes, addr);

	return done == (long)bytes &&
	       memcmp((const void *)(uintptr_t)addr, code, bytes) == 0;
}

static void flush_code(const struct site *site)
{
	char *start = (char *)(uintptr_t)site->addr;

	__builtin___clear_cache(start, start + site->bytes);
}

/* All sites, by address. SORTED has SITES_MAX places. */
static void sort_sites(struct site *sorted[])
{
	for (unsigned i = 0; i < state.count; i++) {
		unsigned at = i;

		for (; at > 0 && sorted[at - 1]->addr > state.sites[i].addr; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &state.sites[i];
	}
}

/*
 * Patch SITES, ascending, with one write as far as they lie within WINDOW_BYTES: what
 * is between them is written as it was. Returns how many were patched; 0: it failed.
 */
static unsigned patch_window(long fd, struct site *const sites[], unsigned count)
{
	uint64_t start = sites[0]->addr, end = start;
	uint8_t code[WINDOW_BYTES];
	unsigned n;

	for (n = 0; n < count && sites[n]->addr + sites[n]->bytes - start <= sizeof(code); n++)
		end = sites[n]->addr + sites[n]->bytes;
	memcpy(code, (const void *)(uintptr_t)start, end - start);
	for (unsigned i = 0; i < n; i++) {
		struct site *site = sites[i];
		uint64_t trampoline = (uint64_t)(uintptr_t)state.page +
				      (uint64_t)(site - state.sites) * TRAMPOLINE_BYTES;
		uint8_t jump[SITE_BYTES];

		if (!site_jump(jump, site, trampoline))
			return 0;
		memcpy(code + (site->addr - start), jump, site->bytes);
		site->is_patched = true;
	}
	if (!write_code(fd, start, code, end - start))
		return 0;
	for (unsigned i = 0; i < n; i++)
		flush_code(sites[i]);
	return n;
}

static void restore_sites(long fd)
{
	for (unsigned i = 0; i < state.count; i++) {
		struct site *site = &state.sites[i];

		if (!site->is_patched)
			continue;
		write_code(fd, site->addr, site->original, site->bytes);
		flush_code(site);
		site->is_patched = false;
	}
}

static bool prepare_page(void)
{
	uint64_t low = UINT64_MAX, high = 0;

	_Static_assert(SITES_MAX * TRAMPOLINE_BYTES <= PAGE_BYTES, "one page");
	for (unsigned i = 0; i < state.count; i++) {
		if (state.sites[i].addr < low)
			low = state.sites[i].addr;
		if (state.sites[i].addr > high)
			high = state.sites[i].addr;
	}
	if (state.page)
		SYS2(munmap, state.page, PAGE_BYTES); /* of an attempt before */
	state.page = page_near(low, high);
	if (!state.page)
		return false;
	for (unsigned i = 0; i < state.count; i++) {
		uint8_t *at = state.page + i * TRAMPOLINE_BYTES;

		site_trampoline(at, (uint64_t)(uintptr_t)at, &state.sites[i],
				modules_loader_changed);
	}
	__builtin___clear_cache((char *)state.page, (char *)state.page + PAGE_BYTES);
	return !sys_failed(SYS3(mprotect, state.page, PAGE_BYTES, PROT_READ | PROT_EXEC));
}

/* Calls libc's munmap and sees whether the handler is reached (a translator may not notice). */
static bool probe(const struct link_map *libc)
{
	const ElfW(Sym) *symbol = elf_symbol(libc, "munmap");
	int (*function)(void *, size_t);
	int saved = errno;

	if (!symbol)
		return false;
	function = (int (*)(void *, size_t))(uintptr_t)(libc->l_addr + symbol->st_value);
	state.probing = true;
	function((void *)1, 0); /* EINVAL without the patch as well */
	state.probing = false;
	errno = saved;
	return state.probe_seen;
}

/*
 * Patch all sites that were found. Returns the reason why not, or null when all
 * are patched and, where LIBC is given, reached by a call.
 */
static const char *patch_all(const struct link_map *libc)
{
	struct site *sorted[SITES_MAX];
	const char *reason = NULL;
	unsigned threads = count_threads();
	long fd;

	if (threads == 0)
		return "/proc cannot be read";
	if (threads > 1)
		return "the process has several threads already";
	if (!prepare_page())
		return "there is no room for code near libc";
	fd = SYS4(openat, AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC, 0);
	if (sys_failed(fd))
		return "/proc/self/mem cannot be opened for writing";
	sort_sites(sorted);
	for (unsigned n = 0, i = 0; i < state.count && !reason; i += n) {
		n = patch_window(fd, sorted + i, state.count - i);
		if (n == 0)
			reason = "/proc/self/mem refuses to write code";
	}
	if (!reason && libc && !probe(libc))
		reason = "the patched code does not take effect";
	if (reason)
		restore_sites(fd);
	SYS1(close, fd);
	for (unsigned i = 0; i < state.count && !reason; i++)
		modules_exact |= state.sites[i].kind == SITE_NOTIFY;
	return reason;
}

/*
 * The loader calls r_brk before and after each change of its list. Where the
 * loader was started as a program it is far from libc.
 */
static void find_loader_hook(const struct r_debug *list, uint64_t near)
{
	uint64_t addr = list->r_brk;
	uint64_t distance = addr > near ? addr - near : near - addr;

	if (addr && state.count < SITES_MAX && distance < SITE_REACH / 2 &&
	    site_scan_empty((const uint8_t *)(uintptr_t)addr, 16, addr,
			    &state.sites[state.count]))
		state.count++;
}

static void find_in_libc(const struct link_map *libc)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		find_in(libc, functions[i], false);
#if defined(__x86_64__)
	unsigned before = state.count;

	find_in(libc, "syscall", true);
	if (state.count > before)
		site_any = &state.sites[before];
	for (long nr = 0; nr < (long)sizeof(site_any_class) * 8; nr++)
		if (syscall_of_kernel_number(nr) < SYS_MEM_COUNT || task_call_is_indirect(nr))
			site_any_class[nr / 64] |= 1ul << (nr % 64);
#endif
}

static const char *install_exact(const struct r_debug *list, const struct link_map *libc)
{
	find_in_libc(libc);
	if ((fixed_bits() & ESSENTIAL) != ESSENTIAL)
		return "libc's code is not as expected";
	find_loader_hook(list, libc->l_addr);
	return patch_all(libc);
}

/* Without libc's sites the loader's hook is still worth having. */
static void install_loader_hook(const struct r_debug *list)
{
	state.count = 0;
	find_loader_hook(list, list->r_brk);
	if (state.count)
		patch_all(NULL);
}

static uint32_t without_sites(const struct r_debug *list, const char *reason)
{
	char text[160] = "memory system calls inside libc are inferred: ";

	if (list)
		install_loader_hook(list);
	if (session.options.syscalls == SYSCALLS_OFF)
		return 0;
	syscall_sites_settled = 0;
	if (reason) {
		strncat(text, reason, sizeof(text) - strlen(text) - 1);
		meta_note(text);
	}
	return FEATURE_SITES_INFERRED;
}

uint32_t syscall_sites_install(void)
{
	const struct r_debug *list = elf_loader();
	const struct link_map *libc = list ? elf_find(list, "libc.so.6") : NULL;
	const char *reason = NULL;

	if (session.options.syscalls == SYSCALLS_EXACT ||
	    session.options.syscalls == SYSCALLS_STACKS) {
		reason = libc ? install_exact(list, libc) :
				"libc.so.6 is not among the loaded objects";
		if (!reason) {
			syscall_sites_patched = fixed_bits();
			syscall_sites_settled = syscall_sites_patched;
			return FEATURE_SITES_EXACT | exec_feature();
		}
	}
	return without_sites(list, reason);
}
