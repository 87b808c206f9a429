/*
 * test_unwind.c - the methods of taking a stack, and what they make of stacks that cannot
 * be unwound: damaged ones, code without rules, modules that changed.
 */
#include "test.h"

#include <dlfcn.h>
#include <ucontext.h>

#include "unwind_probe.h"

/* ---- what has no rules, or no sense ---- */

TEST(test_code_without_unwind_information_ends_the_stack_with_its_reason)
{
#if defined(__x86_64__)
	/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
	static const uint8_t code[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3 };
#else
	/* stp x29, x30, [sp, #-16]!; mov x29, sp; blr x0; ldp x29, x30, [sp], #16; ret */
	static const uint32_t code[] = { 0xa9bf7bfd, 0x910003fd, 0xd63f0000, 0xa8c17bfd, 0xd65f03c0 };
#endif
	uint8_t *jit = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*call)(struct stack_change (*)(void));

	memcpy(jit, code, sizeof(code));
	mprotect(jit, 4096, PROT_READ | PROT_EXEC);
	__builtin___clear_cache((char *)jit, (char *)jit + sizeof(code));
	*(void **)&call = jit;
	for (int i = 0; i < 3; i++) {
		call(probe_alone);
		assert_int_equal(model[0], SPECIAL_NO_RULE);
		assert_true(model[1] >= (uint64_t)jit && model[1] < (uint64_t)jit + 4096);
		assert_int_equal(depth, 2);
		probe();
	}
	munmap(jit, 4096);
}

/* Any words for a stack: nothing may be read outside it, and every walk ends. */
TEST(test_damaged_stacks_are_survived)
{
	size_t bytes = 64 << 10;
	uint8_t *map = mmap(NULL, bytes + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t *stack = (uint64_t *)(map + 4096);
	size_t words = bytes / 8;
	const uint64_t code[] = {
		(uint64_t)probe, (uint64_t)wander, (uint64_t)realigned_alloca, (uint64_t)&qsort,
		(uint64_t)&snprintf, (uint64_t)&swapcontext, (uint64_t)&raise, (uint64_t)&dlsym,
	};

	mprotect(stack, bytes, PROT_READ | PROT_WRITE);
	for (unsigned round = 0; round < 300; round++) {
		for (size_t i = 0; i < words; i++) {
			uint64_t r = next_random();

			stack[i] = r % 4 == 0 ? code[r / 4 % 8] + next_random() % 600 :
				   r % 4 == 1 ? (uint64_t)(stack + next_random() % words) :
				   r % 4 == 2 ? r : r << 40 | r;
		}
		for (unsigned i = 0; i < 200; i++) {
			struct unwind_context ctx = {
				.pc = code[next_random() % 8] + next_random() % 600,
				.sp = (uint64_t)(stack + next_random() % words),
				.bp = (uint64_t)(stack + next_random() % words) + (i % 5 == 0),
			};

			take(&ctx);
		}
		probe();
	}
	munmap(map, bytes + 8192);
	unwind_memory_changed();
}

TEST(test_stack_pointer_outside_all_memory_is_one_frame_and_its_reason)
{
	struct unwind_context ctx = { .pc = (uint64_t)&qsort + 1, .sp = 64, .bp = 64 };

	take(&ctx);
	assert_int_equal(depth, 2);
	assert_int_equal(model[0], SPECIAL_BAD_STACK);
	assert_int_equal(model[1], ctx.pc - 1);
	probe();
}

/* ---- other methods ---- */

TEST(test_libunwind_gives_the_same_stacks)
{
	if (!have_libunwind)
		SKIP("libunwind.so.8 is not installed");
	end_thread();
	session.options.callgraph = CALLGRAPH_LIBUNWIND;
	unwind_init();
	assert_int_equal(unwind_features(), FEATURE_UNWIND_LIBUNWIND);
	start_thread();
	for (unsigned i = 0; i < 300; i++)
		wander(next_random() % 12);
	handle(SIGUSR1, on_signal, 0);
	for (unsigned i = 0; i < 20; i++)
		raise_at_depth(i, SIGUSR1);
	use_limit(50);
	recurse(200, check_limit);
	recurse(20, check_whole);
}

__attribute__((optimize("no-omit-frame-pointer")))
NOINLINE static void with_pointer(unsigned n)
{
	if (n)
		with_pointer(n - 1);
	else
		probe_alone();
	AFTER_CALL();
}

TEST(test_frame_pointers_give_the_frames_that_have_one)
{
	end_thread();
	session.options.callgraph = CALLGRAPH_FP;
	unwind_init();
	start_thread();
	with_pointer(30);
	/* 31 of with_pointer, then whatever the caller's frame pointer led to */
	assert_true(depth >= 31);
	for (unsigned i = 1; i <= 30; i++)
		assert_in_range(model[depth - i], (uint64_t)with_pointer,
				(uint64_t)with_pointer + 200);
}

TEST(test_no_method_is_one_special_frame)
{
	end_thread();
	session.options.callgraph = CALLGRAPH_NO;
	unwind_init();
	assert_int_equal(unwind_features(), 0);
	start_thread();
	probe_alone();
	probe_alone();
	assert_int_equal(depth, 1);
	assert_int_equal(model[0], SPECIAL_NO_STACK);
}

/* ---- modules ---- */

TEST(test_rules_are_made_anew_when_modules_change)
{
	struct stack_change change;

	wander(10);
	for (unsigned i = 0; i < 70000; i++)
		unwind_modules_changed();
	/* what is in force may mean other code: it is written again */
	change = probe();
	assert_int_equal(change.push, depth);
	wander(10);
	unwind_modules_added();
	wander(10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STATE(test_code_without_unwind_information_ends_the_stack_with_its_reason),
		WITH_STATE(test_damaged_stacks_are_survived),
		WITH_STATE(test_stack_pointer_outside_all_memory_is_one_frame_and_its_reason),
		WITH_STATE(test_libunwind_gives_the_same_stacks),
		WITH_STATE(test_frame_pointers_give_the_frames_that_have_one),
		WITH_STATE(test_no_method_is_one_special_frame),
		WITH_STATE(test_rules_are_made_anew_when_modules_change),
	};

	if (!open_oracles())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
