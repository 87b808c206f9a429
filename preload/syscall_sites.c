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
#include "meta.h"
#include "modules.h"
#include "session.h"
#include "site_code.h"
#include "sys.h"
#include "syscall_numbers.h"

#define PAGE_BYTES 4096ul

/* libc's exported functions that make memory system calls, glibc 2.17 to 2.42. */
static const char *const functions[] = {
	"brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "msync",
	"posix_madvise", "mincore", "mlock", "mlock2", "munlock", "mlockall",
	"munlockall", "shmat", "shmdt", "remap_file_pages", "pkey_mprotect",
	"process_madvise",
};

/* What malloc itself calls: without these the picture would have holes. */
#define ESSENTIAL (1u << SYS_MEM_brk | 1u << SYS_MEM_mmap | 1u << SYS_MEM_munmap | \
		   1u << SYS_MEM_mremap | 1u << SYS_MEM_mprotect | 1u << SYS_MEM_madvise)

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
	const struct site *site = frame->site;
	enum memory_syscall number = (enum memory_syscall)site->number;
	struct unwind_context ctx;
	long args[6], result;
	long nr = site->nr;
	bool recorded;

	memcpy(args, frame->args, sizeof(args));
	if (__builtin_expect(state.probing, 0)) {
		state.probe_seen = true;
		return -EINVAL;
	}
#if defined(__x86_64__)
	if (site->kind == SITE_ANY) {
		nr = frame->nr;
		number = syscall_of_kernel_number(nr);
	}
#endif
	site_context(frame, &ctx);
	recorded = number < SYS_MEM_COUNT && event_syscall_begin(number, args, 0, &ctx);
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

static uint32_t class_bits(void)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < state.count; i++)
		if (state.sites[i].kind == SITE_FIXED)
			bits |= 1u << state.sites[i].number;
	return bits;
}

/* ---- writing ---- */

static bool has_one_thread(void)
{
	char entries[1024];
	long fd = SYS4(openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long bytes;
	unsigned tasks = 0;

	if (sys_failed(fd))
		return false;
	bytes = SYS3(getdents64, fd, entries, sizeof(entries));
	SYS1(close, fd);
	/* struct dirent64: d_reclen at 16, d_name at 19 */
	for (long at = 0; at < bytes; ) {
		uint16_t length;

		memcpy(&length, entries + at + 16, sizeof(length));
		tasks += entries[at + 19] != '.';
		at += length;
	}
	return tasks == 1;
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
		long page = SYS6(mmap, hint & ~(PAGE_BYTES - 1), PAGE_BYTES,
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

static bool patch_site(long fd, struct site *site)
{
	uint64_t trampoline = (uint64_t)(uintptr_t)state.page +
			      (uint64_t)(site - state.sites) * TRAMPOLINE_BYTES;
	uint8_t code[SITE_BYTES];

	if (!site_jump(code, site, trampoline))
		return false;
	site->is_patched = true;
	if (!write_code(fd, site->addr, code, site->bytes))
		return false;
	flush_code(site);
	return true;
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

/* Returns the reason why not, or null when all sites are patched. */
static const char *patch_all(const struct link_map *libc)
{
	const char *reason = NULL;
	long fd;

	if (!has_one_thread())
		return "the process has several threads already";
	if (!prepare_page())
		return "there is no room for code near libc";
	fd = SYS4(openat, AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC, 0);
	if (sys_failed(fd))
		return "/proc/self/mem cannot be opened for writing";
	for (unsigned i = 0; i < state.count && !reason; i++)
		if (!patch_site(fd, &state.sites[i]))
			reason = "/proc/self/mem refuses to write code";
	if (!reason && !probe(libc))
		reason = "the patched code does not take effect";
	if (reason)
		restore_sites(fd);
	SYS1(close, fd);
	return reason;
}

/* The loader calls r_brk after each change of its list. */
static void find_loader_hook(const struct r_debug *list)
{
	const uint8_t *code = (const uint8_t *)(uintptr_t)list->r_brk;

	if (state.count < SITES_MAX && list->r_brk &&
	    site_scan_empty(code, 16, list->r_brk, &state.sites[state.count]))
		state.count++;
}

static void find_all(const struct r_debug *list, const struct link_map *libc)
{
	state.count = 0;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		find_in(libc, functions[i], false);
#if defined(__x86_64__)
	unsigned before = state.count;

	find_in(libc, "syscall", true);
	if (state.count > before)
		site_any = &state.sites[before];
	for (unsigned i = 0; i < SYS_MEM_COUNT; i++) {
		long nr = syscall_kernel_number((enum memory_syscall)i);

		site_any_class[nr / 64] |= 1ul << (nr % 64);
	}
#endif
	find_loader_hook(list);
}

static uint32_t infer_because(const char *reason)
{
	char text[160] = "memory system calls inside libc are inferred: ";

	strncat(text, reason, sizeof(text) - strlen(text) - 1);
	meta_note(text);
	syscall_sites_settled = 0;
	return FEATURE_SITES_INFERRED;
}

uint32_t syscall_sites_install(void)
{
	const struct r_debug *list = elf_loader();
	const struct link_map *libc = list ? elf_find(list, "libc.so.6") : NULL;
	const char *reason;

	switch (session.options.syscalls) {
	case SYSCALLS_OFF:
		return 0;
	case SYSCALLS_INFERRED:
		syscall_sites_settled = 0;
		return FEATURE_SITES_INFERRED;
	default:
		break;
	}
	if (!libc)
		return infer_because("libc.so.6 is not among the loaded objects");
	find_all(list, libc);
	if ((class_bits() & ESSENTIAL) != ESSENTIAL)
		return infer_because("libc's code is not as expected");
	reason = patch_all(libc);
	if (reason)
		return infer_because(reason);
	for (unsigned i = 0; i < state.count; i++)
		modules_exact |= state.sites[i].kind == SITE_NOTIFY;
	syscall_sites_settled = class_bits();
#if defined(__x86_64__)
	/* functions of other libraries that end in libc's syscall() */
	if (site_any)
		syscall_sites_settled |= 1u << SYS_MEM_mbind;
#endif
	return FEATURE_SITES_EXACT;
}
