/*
 * test_unwind_chain.c - incremental stacks against the oracles, every time the same
 * as a complete walk: functions of all shapes, recursion and its limit, signals on both
 * stacks, coroutines, threads.
 */
#include "test.h"

#include <pthread.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "unwind_probe.h"

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

/*
 * Armed anew at the end of each handler: one that takes longer than the time between two, as under
 * an emulator, would leave no time for anything else.
 */
static void arm(long microseconds)
{
	struct itimerval timer = { { 0, 0 }, { 0, microseconds } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_tick(int number)
{
	(void)number;
	ticks++;
	probe();
	if (ticks < 400)
		arm(500);
}

NOINLINE static unsigned compute(unsigned n)
{
	char text[64];

	return n < 2 ? (unsigned)snprintf(text, sizeof(text), "%u %s", n, "x") :
		       compute(n - 1) + compute(n - 2) + (unsigned)strlen(text + n % 2);
}

static void tick_for(int flags)
{
	volatile unsigned sum = 0;

	handle(SIGALRM, on_tick, flags);
	ticks = 0;
	arm(500);
	while (ticks < 400)
		sum += compute(12);
}

TEST(test_code_interrupted_anywhere_is_unwound)
{
	tick_for(0);
	use_alternate(true);
	tick_for(SA_ONSTACK);
	use_alternate(false);
}

/* ---- coroutines ---- */

#define COROUTINES 40 /* more than ranges are kept */

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

int main(void)
{
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
	};

	if (!open_oracles())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
