/*
 * test_syscall_sites.c - finding sites in code, and libc patched for real: this
 * process patches its own libc and goes on to use it.
 */
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "elf_object.h"
#include "event.h"
#include "meta.h"
#include "modules.h"
#include "session.h"
#include "site_code.h"
#include "sys.h"
#include "syscall_numbers.h"
#include "syscall_sites.h"
#include "task_calls.h"

/* ---- what the library's other parts would do ---- */

struct session session;
struct clock_state clock_state = { CLOCK_KIND_TSC, 0 };

static struct seen {
	enum memory_syscall number;
	long args[6];
	long result;
	uint64_t pc;
} seen[64];
static unsigned seen_count;
static unsigned loader_changes;
static char note[256];

bool event_syscall_begin(enum memory_syscall number, const long args[6],
			 unsigned flags, const struct unwind_context *ctx)
{
	struct seen *s = &seen[seen_count % 64];

	assert_int_equal(flags, 0);
	s->number = number;
	s->pc = ctx->pc;
	memcpy(s->args, args, sizeof(s->args));
	return true;
}

void event_syscall_end(enum memory_syscall number, long result)
{
	assert_int_equal(seen[seen_count % 64].number, number);
	seen[seen_count++ % 64].result = result;
}

bool modules_exact;

void modules_loader_changed(void)
{
	loader_changes++;
}

void meta_note(const char *text)
{
	snprintf(note, sizeof(note), "%s", text);
}

static long last_task_call;

bool task_call_is(long nr)
{
	return nr == SYS_execve || nr == SYS_wait4;
}

bool task_call_is_indirect(long nr)
{
	return nr == SYS_prctl;
}

long task_call(long nr, const long args[6])
{
	last_task_call = nr;
	return sys_call6(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/* ---- code that is not libc's ---- */

#if defined(__x86_64__)

static unsigned scan(const char *code, size_t bytes, struct site *sites)
{
	return site_scan((const uint8_t *)code, bytes, 0x1000, false, sites, 4);
}

#define SCAN(string, sites) scan(string, sizeof(string) - 1, sites)

TEST(test_sites_number_and_syscall_side_by_side_are_found)
{
	struct site sites[4];

	/* nop; mov $12,%eax; syscall; ret */
	assert_int_equal(SCAN("\x90\xb8\x0c\x00\x00\x00\x0f\x05\xc3", sites), 1);
	assert_int_equal(sites[0].addr, 0x1001);
	assert_int_equal(sites[0].after, 0x1008);
	assert_int_equal(sites[0].number, SYS_MEM_brk);
}

TEST(test_sites_other_system_calls_are_left_alone)
{
	struct site sites[4];

	/* mov $1,%eax; syscall: write */
	assert_int_equal(SCAN("\xb8\x01\x00\x00\x00\x0f\x05\xc3", sites), 0);
}

TEST(test_sites_immediate_that_looks_alike_is_not_one)
{
	struct site sites[4];

	/* movabs $0x...050f0000000c,%rax holds the same seven bytes */
	assert_int_equal(SCAN("\x48\xb8\x0c\x00\x00\x00\x0f\x05\x00\x00\xc3", sites), 0);
}

TEST(test_sites_branch_into_a_site_refuses_the_function)
{
	struct site sites[4];

	/* mov $12,%eax; syscall; jmp to the syscall */
	assert_int_equal(SCAN("\xb8\x0c\x00\x00\x00\x0f\x05\xeb\xfc", sites), 0);
	/* to its first byte it may */
	assert_int_equal(SCAN("\xb8\x0c\x00\x00\x00\x0f\x05\xeb\xf7", sites), 1);
}

TEST(test_sites_function_with_vector_registers_is_refused)
{
	struct site sites[4];

	/* pxor %xmm0,%xmm0 before */
	assert_int_equal(SCAN("\x66\x0f\xef\xc0\xb8\x0c\x00\x00\x00\x0f\x05\xc3", sites), 0);
}

TEST(test_sites_code_that_is_not_understood_is_refused)
{
	struct site sites[4];

	assert_int_equal(SCAN("\xb8\x0c\x00\x00\x00\x0f\x05\x06\xc3", sites), 0);
}

TEST(test_sites_empty_function_needs_padding)
{
	struct site site;
	uint8_t code[16];

	/* ret; nopw x(%rax,%rax,1) with prefixes; nops */
	memset(code, 0x90, sizeof(code));
	memcpy(code, "\xc3\x66\x66\x2e\x0f\x1f\x84\0\0\0\0\0", 12);
	assert_true(site_scan_empty(code, sizeof(code), 0x1000, &site));
	assert_int_equal(site.addr, 0x1000);
	/* another function begins too soon: mov %rdi,%rax */
	memcpy(code, "\xc3\x90\x90\x48\x89\xf8", 6);
	assert_false(site_scan_empty(code, sizeof(code), 0x1000, &site));
	/* it does something before it returns */
	memcpy(code, "\x48\x89\xf8\xc3\x90\x90", 6);
	assert_false(site_scan_empty(code, sizeof(code), 0x1000, &site));
}

TEST(test_sites_jump_out_of_reach_is_refused)
{
	struct site site = { .addr = 0x1000, .after = 0x1007, .bytes = 7 };
	uint8_t code[SITE_BYTES];

	assert_true(site_jump(code, &site, 0x2000));
	assert_memory_equal(code, "\xe9\xfb\x0f\x00\x00\x66\x90", 7);
	assert_false(site_jump(code, &site, 0x1000 + (1ul << 32)));
}

/* ---- libc itself ---- */

static const struct link_map *libc_map(void)
{
	return elf_find(elf_loader(), "libc.so.6");
}

/* A site in libc's text, found by its bytes alone, that is not patched yet. */
static unsigned raw_patterns(uint64_t *last)
{
	struct elf_object libc;
	unsigned count = 0;

	assert_true(elf_object_init(&libc, libc_map(), false));
	for (size_t i = 0; i < libc.segment_count; i++) {
		const ElfW(Phdr) *ph = &libc.segments[i];
		const uint8_t *p = (const uint8_t *)(uintptr_t)(libc.bias + ph->p_vaddr);

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		for (size_t at = 0; at + 7 <= ph->p_memsz; at++) {
			if (p[at] != 0xb8 || p[at + 3] || p[at + 4] ||
			    p[at + 5] != 0x0f || p[at + 6] != 0x05)
				continue;
			if (syscall_of_kernel_number(p[at + 1] | p[at + 2] << 8) == SYS_MEM_COUNT)
				continue;
			*last = ph->p_vaddr + at;
			count++;
		}
	}
	return count;
}

/* Once for all tests that follow. */
static int install(void **state)
{
	(void)state;
	session.recording = true;
	return syscall_sites_install() == (FEATURE_SITES_EXACT | FEATURE_EXECS_SEEN) ? 0 : -1;
}

TEST(test_sites_install_leaves_no_site_of_libc_unpatched)
{
	uint64_t last = 0;
	unsigned left = raw_patterns(&last);

	if (left)
		print_message("unpatched: libc.so.6+%#lx\n", (unsigned long)last);
	assert_int_equal(left, 0);
	assert_string_equal(note, "");
}

TEST(test_sites_every_class_of_malloc_is_left_to_the_sites)
{
	assert_false(syscall_by_hook(SYS_MEM_brk));
	assert_false(syscall_by_hook(SYS_MEM_mmap));
	assert_false(syscall_by_hook(SYS_MEM_munmap));
	assert_false(syscall_by_hook(SYS_MEM_mremap));
	assert_false(syscall_by_hook(SYS_MEM_mprotect));
	assert_false(syscall_by_hook(SYS_MEM_madvise));
}

static struct seen *last_seen(void)
{
	return &seen[(seen_count - 1) % 64];
}

TEST(test_sites_calls_return_what_the_kernel_said_and_are_seen)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	Dl_info info;

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(last_seen()->number, SYS_MEM_mmap);
	assert_int_equal(last_seen()->args[1], 8192);
	assert_int_equal(last_seen()->args[3], MAP_PRIVATE | MAP_ANONYMOUS);
	assert_ptr_equal((void *)last_seen()->result, p);
	assert_true(dladdr((void *)last_seen()->pc, &info) != 0);
	assert_non_null(strstr(info.dli_fname, "libc.so.6"));
	p[4096] = 1;
	assert_int_equal(mprotect(p, 4096, PROT_READ), 0);
	assert_int_equal(last_seen()->number, SYS_MEM_mprotect);
	assert_int_equal(munmap(p, 8192), 0);
	assert_int_equal(last_seen()->number, SYS_MEM_munmap);
}

TEST(test_sites_failure_sets_errno_as_before)
{
	errno = 0;
	assert_int_equal(munmap((void *)1, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(last_seen()->result, -EINVAL);
}

TEST(test_sites_preserve_the_registers_that_a_system_call_preserves)
{
	const struct link_map *libc = libc_map();
	const ElfW(Sym) *symbol = elf_symbol(libc, "madvise");
	uint64_t function = libc->l_addr + symbol->st_value;
	uint64_t in[6] = { 1, 0, 99, 0x1111, 0x2222, 0x3333 };
	uint64_t rdi = in[0], rsi = in[1], rdx = in[2], result;
	register uint64_t r8 __asm__("r8") = in[3];
	register uint64_t r9 __asm__("r9") = in[4];
	register uint64_t r10 __asm__("r10") = in[5];

	/* the function is mov, syscall, compare, return; its caller keeps no red zone */
	__asm__ volatile("subq $256, %%rsp\n\tcall *%%rax\n\taddq $256, %%rsp"
			 : "=a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8),
			   "+r"(r9), "+r"(r10)
			 : "0"(function)
			 : "rcx", "r11", "memory", "cc");
	assert_int_equal((int)result, -1);
	assert_int_equal(rsi, in[1]);
	assert_int_equal(r8, in[3]);
	assert_int_equal(r9, in[4]);
	assert_int_equal(r10, in[5]);
	assert_int_equal(last_seen()->number, SYS_MEM_madvise);
	assert_int_equal(last_seen()->args[2], 99);
}

TEST(test_sites_syscall_function_sees_the_class_and_passes_the_rest)
{
	unsigned before = seen_count;
	long page;
	pid_t child;
	int status;

	assert_int_equal(syscall(SYS_getpid), getpid());
	assert_int_equal(seen_count, before);
	page = syscall(SYS_mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1L, 0L);
	assert_int_equal(seen_count, before + 1);
	assert_int_equal(last_seen()->number, SYS_MEM_mmap);
	assert_int_equal(last_seen()->result, page);
	assert_int_equal(syscall(SYS_munmap, page, 4096L), 0);
	child = (pid_t)syscall(SYS_fork);
	if (child == 0)
		_exit(7);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 7);
	errno = 0;
	assert_int_equal(syscall(100000L), -1);
	assert_int_equal(errno, ENOSYS);
}

TEST(test_sites_of_exec_and_wait_lead_to_the_calls_of_tasks)
{
	char *const argv[] = { NULL };
	unsigned before = seen_count;
	int status;
	pid_t child;

	assert_int_equal(execve("/nonexistent", argv, argv), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(last_task_call, SYS_execve);
	child = vfork();
	if (child == 0)
		_exit(5);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 5);
	assert_int_equal(last_task_call, SYS_wait4);
	assert_int_equal(syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0), prctl(PR_GET_DUMPABLE));
	assert_int_equal(last_task_call, SYS_prctl);
	assert_int_equal(seen_count, before);
}

TEST(test_sites_loader_reports_its_changes)
{
	unsigned before = loader_changes;
	void *handle;

	assert_true(modules_exact);
	handle = dlopen("libutil.so.1", RTLD_NOW);
	if (!handle)
		SKIP("no small library to load");
	assert_true(loader_changes > before);
	before = loader_changes;
	dlclose(handle);
	assert_true(loader_changes > before);
}

TEST(test_sites_second_process_image_of_fork_keeps_them)
{
	unsigned before = seen_count;
	pid_t child = fork();
	int status;

	if (child == 0) {
		munmap((void *)1, 1);
		_exit(seen_count == before + 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest code[] = {
		cmocka_unit_test(test_sites_number_and_syscall_side_by_side_are_found),
		cmocka_unit_test(test_sites_other_system_calls_are_left_alone),
		cmocka_unit_test(test_sites_immediate_that_looks_alike_is_not_one),
		cmocka_unit_test(test_sites_branch_into_a_site_refuses_the_function),
		cmocka_unit_test(test_sites_function_with_vector_registers_is_refused),
		cmocka_unit_test(test_sites_code_that_is_not_understood_is_refused),
		cmocka_unit_test(test_sites_empty_function_needs_padding),
		cmocka_unit_test(test_sites_jump_out_of_reach_is_refused),
	};
	const struct CMUnitTest live[] = {
		cmocka_unit_test(test_sites_install_leaves_no_site_of_libc_unpatched),
		cmocka_unit_test(test_sites_every_class_of_malloc_is_left_to_the_sites),
		cmocka_unit_test(test_sites_calls_return_what_the_kernel_said_and_are_seen),
		cmocka_unit_test(test_sites_failure_sets_errno_as_before),
		cmocka_unit_test(test_sites_preserve_the_registers_that_a_system_call_preserves),
		cmocka_unit_test(test_sites_syscall_function_sees_the_class_and_passes_the_rest),
		cmocka_unit_test(test_sites_of_exec_and_wait_lead_to_the_calls_of_tasks),
		cmocka_unit_test(test_sites_loader_reports_its_changes),
		cmocka_unit_test(test_sites_second_process_image_of_fork_keeps_them),
	};
	int failed = cmocka_run_group_tests(code, NULL, NULL);

	return failed + cmocka_run_group_tests(live, install, NULL);
}

#else

TEST(test_sites_of_this_machine_need_its_hardware)
{
	SKIP("sites are patched on x86-64 in this test");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sites_of_this_machine_need_its_hardware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
