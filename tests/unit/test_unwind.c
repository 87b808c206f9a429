/*
 * test_unwind.c - captured stacks against libgcc's unwinder and libunwind: functions of
 * all shapes, recursion, signals on both stacks, coroutines, threads, damaged stacks.
 *
 * A reader's model applies every change (pop, push) to its own stack; what it
 * holds is what is compared, so that the differences are tested too.
 */
#include "test.h"

#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "record_codec.h"
#include "session.h"
#include "unwind.h"
#include "unwind_lib.h"
#include "unwind_rule.h"

#define NOINLINE __attribute__((noinline, noclone))
#define MAX (DEPTH_MAX + 64)
/* Keeps a call from becoming a jump. */
#define AFTER_CALL() __asm__ volatile("" ::: "memory")
/* Keeps the memory at P. */
#define USED(p) __asm__ volatile("" :: "r"(p) : "memory")

static __thread struct unwind_state *unwinder;
static __thread uint64_t *model, *pcs; /* the reader's stack; an oracle's */
static __thread uint32_t depth;
static unsigned compared;
static bool have_libunwind;

static uint64_t *map_words(size_t count)
{
	void *p = mmap(NULL, count * sizeof(uint64_t), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static void start_thread(void)
{
	unwinder = (struct unwind_state *)map_words(unwind_state_bytes() / sizeof(uint64_t));
	model = map_words(MAX);
	pcs = map_words(MAX);
	unwind_reset(unwinder);
	depth = 0;
}

static void end_thread(void)
{
	munmap(unwinder, unwind_state_bytes());
	munmap(model, MAX * sizeof(*model));
	munmap(pcs, MAX * sizeof(*pcs));
	unwinder = NULL;
}

static void apply(const struct stack_change *change)
{
	if (change->pop > depth || depth - change->pop + change->push > DEPTH_MAX + 1)
		abort();
	depth -= change->pop;
	memcpy(model + depth, change->frames, change->push * sizeof(*model));
	depth += change->push;
}

static bool is_special(uint64_t frame)
{
	return frame < SPECIAL_COUNT;
}

/* Take the stack of the caller of the function with CTX. */
static struct stack_change take(const struct unwind_context *ctx)
{
	struct stack_change change;

	unwind_capture(unwinder, ctx, &change);
	apply(&change);
	return change;
}

static void explain(const char *oracle, const uint64_t *theirs, size_t count)
{
	printf("%s:\n", oracle);
	for (size_t i = 0; i < count || i < depth; i++)
		printf("  %3zu ours %#lx theirs %#lx\n", i,
		       i < depth ? (unsigned long)model[depth - 1 - i] : 0,
		       i < count ? (unsigned long)theirs[i] : 0);
}

/* THEIRS: pcs to look up, innermost first, from this program's frame at CALLER on. */
static void must_equal(const char *oracle, const uint64_t *theirs, size_t count, uint64_t caller)
{
	uint32_t ours = depth - is_special(model[0]);
	size_t i;

	while (count && *theirs != caller) {
		theirs++;
		count--;
	}
	while (count && theirs[count - 1] + 1 < RULE_PC_MIN)
		count--;
	for (i = 0; i < ours && i < count; i++) {
		uint64_t pc = model[depth - 1 - i];

		/* the signal trampoline's frame is written with its exact first byte */
		if (pc != theirs[i] && !(pc == theirs[i] + 1 && rule_is_signal(pc)))
			break;
	}
	if (i < ours || (i < count && !is_special(model[0]))) {
		explain(oracle, theirs, count);
		fail_msg("%s differs at frame %zu of %u", oracle, i, ours);
	}
	compared++;
}

/* Take the stack of probe()'s caller and compare it with both oracles. */
NOINLINE static struct stack_change probe(void)
{
	struct unwind_context ctx;
	struct stack_change change;
	bool exact = false;
	size_t n;

	UNWIND_CONTEXT(&ctx);
	change = take(&ctx);
	n = unwind_lib_libgcc(pcs, MAX);
	must_equal("libgcc", pcs, n, ctx.pc - 1);
	if (!have_libunwind)
		return change;
	n = unwind_lib_libunwind(pcs, MAX);
	for (size_t i = 0; i < n; i++) {
		bool signal = !exact && rule_is_signal(pcs[i] - 1);

		pcs[i] -= !exact;
		exact = signal;
	}
	must_equal("libunwind", pcs, n, ctx.pc - 1);
	return change;
}

/* The same without oracles, for what they do not survive or would take too long. */
NOINLINE static struct stack_change probe_alone(void)
{
	struct unwind_context ctx;

	UNWIND_CONTEXT(&ctx);
	return take(&ctx);
}

static int set_up(void **unused)
{
	(void)unused;
	session.options.depth = 0;
	session.options.callgraph = CALLGRAPH_CFI;
	session.options.check_stacks = 0;
	unwind_init();
	start_thread();
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	end_thread();
	return 0;
}

/* ---- functions of all shapes ---- */

static uint32_t seed = 7;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static void wander(unsigned left);

NOINLINE static void plain(unsigned left)
{
	wander(left);
	AFTER_CALL();
}

NOINLINE static void with_alloca(unsigned left)
{
	char *p = alloca(16 + next_random() % 500);

	USED(p);
	wander(left);
	AFTER_CALL();
}

NOINLINE static void realigned(unsigned left)
{
	_Alignas(64) char room[64];

	USED(room);
	wander(left);
	AFTER_CALL();
}

/* Realigned and of variable size: gcc keeps the CFA in memory. */
NOINLINE static int realigned_alloca(unsigned left, int a, int b, int c, int d, int e, int f, int g)
{
	_Alignas(64) char room[64];
	char *p = alloca(16 + next_random() % 300);

	USED(room);
	USED(p);
	wander(left);
	AFTER_CALL();
	return a + b + c + d + e + f + g;
}

NOINLINE static void big_frame(unsigned left)
{
	char room[20000];

	USED(room);
	wander(left);
	AFTER_CALL();
}

/* Uses every callee-saved register, the frame pointer's too, for its own data. */
__attribute__((optimize("omit-frame-pointer")))
NOINLINE static uint64_t busy(unsigned left, uint64_t a, uint64_t b)
{
	uint64_t c = a * 3, d = b * 5, e = a ^ b, f = a + b, g = a - b, h = a * b;

	wander(left);
	AFTER_CALL();
	return a + b * c + d * e + f * g + h;
}

NOINLINE static int compare_by_wandering(const void *a, const void *b)
{
	if (*(const unsigned *)a == 0)
		wander(*(const unsigned *)b % 3);
	return *(const int *)a - *(const int *)b;
}

/* Through a library that calls back. */
NOINLINE static void through_libc(unsigned left)
{
	unsigned values[3] = { 0, left, 0 };

	qsort(values, 3, sizeof(*values), compare_by_wandering);
}

static void wander(unsigned left)
{
	probe();
	for (unsigned i = next_random() % 3; i && left; i--) {
		switch (next_random() % 7) {
		case 0: plain(left - 1); break;
		case 1: with_alloca(left - 1); break;
		case 2: realigned(left - 1); break;
		case 3: realigned_alloca(left - 1, 1, 2, 3, 4, 5, 6, 7); break;
		case 4: big_frame(left - 1); break;
		case 5: busy(left - 1, left, next_random()); break;
		default: through_libc(left - 1); break;
		}
		probe();
	}
}

TEST(test_stacks_of_all_shapes_equal_the_oracles)
{
	compared = 0;
	for (unsigned i = 0; i < 3000; i++)
		wander(next_random() % 16);
	assert_true(compared > 20000);
	assert_false(is_special(model[0]));
}

/* A program whose changed stack has the same return addresses at other places. */
TEST(test_stacks_equal_the_oracles_after_the_segment_restarts)
{
	for (unsigned i = 0; i < 300; i++) {
		struct stack_change change;

		wander(next_random() % 10);
		unwind_restart(unwinder);
		depth = 0;
		change = probe();
		assert_int_equal(change.pop, 0);
		assert_int_equal(change.push, depth);
	}
}

/* Frames beyond the second probe's. */
TEST(test_unchanged_stack_is_an_empty_change)
{
	struct stack_change change = { 0 };

	for (int i = 0; i < 3; i++)
		change = probe_alone();
	assert_int_equal(change.pop, 0);
	assert_int_equal(change.push, 0);
}

NOINLINE static struct stack_change one_deeper(void)
{
	struct stack_change change = probe_alone();

	AFTER_CALL();
	return change;
}

TEST(test_one_new_frame_is_a_small_change)
{
	struct stack_change change;

	probe_alone();
	change = one_deeper();
	assert_int_equal(change.pop, 1);
	assert_int_equal(change.push, 2);
	change = probe_alone();
	assert_int_equal(change.pop, 2);
	assert_int_equal(change.push, 1);
}

/* ---- depth ---- */

NOINLINE static void recurse(unsigned n, void (*at_end)(void))
{
	if (n == 0)
		at_end();
	else
		recurse(n - 1, at_end);
	AFTER_CALL();
}

static void check_limit(void)
{
	probe();
	assert_int_equal(depth, session.options.depth + 1);
	assert_int_equal(model[0], SPECIAL_TRUNCATED);
}

static void check_whole(void)
{
	probe();
	assert_false(is_special(model[0]));
}

static void use_limit(uint32_t limit)
{
	end_thread();
	session.options.depth = limit;
	unwind_init();
	start_thread();
}

TEST(test_deep_stack_keeps_the_innermost_frames)
{
	use_limit(100);
	for (unsigned i = 0; i < 400; i++) {
		recurse(60, check_whole);
		recurse(100 + next_random() % 900, check_limit);
		if (i % 7 == 0) {
			unwind_restart(unwinder);
			depth = 0;
		}
	}
}

/* Innermost LIMIT frames at every depth, on the way in and on the way out. */
NOINLINE static void probe_at_each_depth(unsigned n)
{
	probe();
	if (n)
		probe_at_each_depth(n - 1);
	probe();
}

TEST(test_recursion_is_right_at_every_depth_in_and_out)
{
	use_limit(20);
	probe_at_each_depth(300);
	use_limit(1);
	probe_at_each_depth(200);
	use_limit(DEPTH_MAX);
	probe_at_each_depth(600);
}

NOINLINE static void count_at_each_depth(unsigned n)
{
	struct stack_change change = probe_alone();

	assert_true(change.push <= 1025);
	if (n)
		count_at_each_depth(n - 1);
	probe_alone();
	AFTER_CALL();
}

static void *deep_thread(void *unused)
{
	start_thread();
	count_at_each_depth(100000);
	end_thread();
	return unused;
}

TEST(test_recursion_of_100000_frames_costs_no_more_than_the_limit)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 20);
	assert_int_equal(pthread_create(&thread, &attr, deep_thread, NULL), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
}

/* ---- signals ---- */

static void on_signal(int number)
{
	(void)number;
	wander(3);
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	assert_int_equal(sigaction(number, &action, NULL), 0);
}

NOINLINE static void raise_at_depth(unsigned left, int number)
{
	if (left) {
		raise_at_depth(left - 1, number);
	} else {
		raise(number);
		probe();
	}
	AFTER_CALL();
}

TEST(test_signal_handlers_are_unwound_through)
{
	handle(SIGUSR1, on_signal, 0);
	for (unsigned i = 0; i < 300; i++)
		raise_at_depth(next_random() % 20, SIGUSR1);
}

static char alternate[256 << 10];

static void use_alternate(bool on)
{
	stack_t ss = { .ss_sp = alternate, .ss_size = sizeof(alternate),
		       .ss_flags = on ? 0 : SS_DISABLE };

	assert_int_equal(sigaltstack(&ss, NULL), 0);
}

TEST(test_handlers_on_an_alternate_stack_are_unwound_through)
{
	use_alternate(true);
	handle(SIGUSR1, on_signal, SA_ONSTACK);
	for (unsigned i = 0; i < 300; i++) {
		raise_at_depth(next_random() % 20, SIGUSR1);
		wander(next_random() % 6);
	}
	use_alternate(false);
}

/* Interrupted anywhere, in leaf functions, prologues and epilogues too. */
static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
	(void)number;
	ticks++;
	probe();
}

NOINLINE static unsigned compute(unsigned n)
{
	char text[64];

	return n < 2 ? (unsigned)snprintf(text, sizeof(text), "%u %s", n, "x") :
		       compute(n - 1) + compute(n - 2) + (unsigned)strlen(text + n % 2);
}

static void tick_for(int flags)
{
	struct itimerval timer = { { 0, 500 }, { 0, 500 } }, off = { { 0, 0 }, { 0, 0 } };
	volatile unsigned sum = 0;

	handle(SIGALRM, on_tick, flags);
	ticks = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
	while (ticks < 400)
		sum += compute(12);
	setitimer(ITIMER_REAL, &off, NULL);
}

TEST(test_code_interrupted_anywhere_is_unwound)
{
	tick_for(0);
	use_alternate(true);
	tick_for(SA_ONSTACK);
	use_alternate(false);
}

/* ---- coroutines ---- */

#define COROUTINES 12 /* more than ranges are kept */

static ucontext_t coroutines[COROUTINES], back;
static volatile int current;

static void coroutine_body(void)
{
	for (;;) {
		wander(4);
		swapcontext(&coroutines[current], &back);
	}
}

NOINLINE static void make_coroutine(int i, char *stack, size_t bytes, void (*body)(void))
{
	getcontext(&coroutines[i]);
	coroutines[i].uc_stack.ss_sp = stack;
	coroutines[i].uc_stack.ss_size = bytes;
	makecontext(&coroutines[i], body, 0);
}

NOINLINE static void switch_to(int i)
{
	current = i;
	swapcontext(&back, &coroutines[i]);
	probe();
}

TEST(test_coroutines_on_mapped_stacks_are_unwound)
{
	size_t bytes = 128 << 10;
	char *stacks[COROUTINES];

	for (int i = 0; i < COROUTINES; i++) {
		stacks[i] = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		make_coroutine(i, stacks[i], bytes, coroutine_body);
	}
	for (unsigned i = 0; i < 2000; i++)
		switch_to((int)(next_random() % COROUTINES));
	for (int i = 0; i < COROUTINES; i++)
		munmap(stacks[i], bytes);
	unwind_memory_changed();
	probe();
}

/* A coroutine's outermost frame is its body: what makecontext returns to is no frame. */
static uint32_t coroutine_depth;
static bool coroutine_special;

static void short_body(void)
{
	probe();
	coroutine_depth = depth;
	coroutine_special = is_special(model[0]);
	swapcontext(&coroutines[0], &back);
}

TEST(test_coroutine_stack_ends_at_its_body)
{
	static char stack[64 << 10];

	make_coroutine(0, stack, sizeof(stack), short_body);
	switch_to(0);
	assert_false(coroutine_special);
	assert_int_equal(coroutine_depth, 2);
}

/* ---- threads ---- */

static void *wandering_thread(void *arg)
{
	(void)arg;
	start_thread();
	for (unsigned i = 0; i < 50; i++)
		recurse(next_random() % 5, check_whole);
	end_thread();
	return NULL;
}

TEST(test_threads_with_the_smallest_stack_are_unwound)
{
	pthread_attr_t attr;
	pthread_t threads[8];

	pthread_attr_init(&attr);
	/* the oracles need more than the minimum */
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], &attr, wandering_thread, NULL), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attr);
}

static void *short_thread(void *arg)
{
	start_thread();
	probe_alone();
	*(uint32_t *)arg = is_special(model[0]) ? 0 : depth;
	end_thread();
	return NULL;
}

TEST(test_thread_of_minimal_stack_is_unwound_to_its_start)
{
	pthread_attr_t attr;
	pthread_t thread;
	uint32_t frames = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)sysconf(_SC_THREAD_STACK_MIN));
	assert_int_equal(pthread_create(&thread, &attr, short_thread, &frames), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	assert_true(frames >= 3);
}

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
	raise_at_depth(5, SIGUSR1);
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
#define WITH_STATE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_STATE(test_stacks_of_all_shapes_equal_the_oracles),
		WITH_STATE(test_stacks_equal_the_oracles_after_the_segment_restarts),
		WITH_STATE(test_unchanged_stack_is_an_empty_change),
		WITH_STATE(test_one_new_frame_is_a_small_change),
		WITH_STATE(test_deep_stack_keeps_the_innermost_frames),
		WITH_STATE(test_recursion_is_right_at_every_depth_in_and_out),
		WITH_STATE(test_recursion_of_100000_frames_costs_no_more_than_the_limit),
		WITH_STATE(test_signal_handlers_are_unwound_through),
		WITH_STATE(test_handlers_on_an_alternate_stack_are_unwound_through),
		WITH_STATE(test_code_interrupted_anywhere_is_unwound),
		WITH_STATE(test_coroutines_on_mapped_stacks_are_unwound),
		WITH_STATE(test_coroutine_stack_ends_at_its_body),
		WITH_STATE(test_threads_with_the_smallest_stack_are_unwound),
		WITH_STATE(test_thread_of_minimal_stack_is_unwound_to_its_start),
		WITH_STATE(test_code_without_unwind_information_ends_the_stack_with_its_reason),
		WITH_STATE(test_damaged_stacks_are_survived),
		WITH_STATE(test_stack_pointer_outside_all_memory_is_one_frame_and_its_reason),
		WITH_STATE(test_libunwind_gives_the_same_stacks),
		WITH_STATE(test_frame_pointers_give_the_frames_that_have_one),
		WITH_STATE(test_no_method_is_one_special_frame),
		WITH_STATE(test_rules_are_made_anew_when_modules_change),
	};

	if (!unwind_lib_open_libgcc()) {
		printf("libgcc_s.so.1, which the stacks are compared with, is missing\n");
		return 1;
	}
	have_libunwind = unwind_lib_open_libunwind();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
