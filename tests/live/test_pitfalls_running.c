/*
 * test_pitfalls_running.c - what programs do while they run that has stopped other recorders: signals
 * all the time, held locks, thousands of threads and children, sandboxes. In both modes.
 * docs/reliability.md says which test is for which pitfall.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/both_modes.h"
#include "test.h"

#define MANY 1000000000ll

TEST(test_errno_and_calls_are_kept_under_a_signal_every_100_us)
{
	static const char *const modes[] = { "record", "bare" };
	char command[4096];

	snprintf(command, sizeof(command), "%s 700", built("tests/subjects/interrupted"));
	for (size_t i = 0; i < 2; i++) {
		struct result r = run_in_mode(modes[i], "", command);
		json_t *root = summary("");

		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, "well\n");
		assert_nothing_lost(root);
		/* and a few of libc's own */
		assert_in_range(number_at(root, "calls.malloc"), number_after(r.err, "malloc"),
				number_after(r.err, "malloc") + 5);
		assert_in_range(number_at(root, "calls.free"), number_after(r.err, "free"),
				number_after(r.err, "free") + 5);
		json_decref(root);
		result_free(&r);
	}
}

TEST(test_allocating_while_stdio_is_locked_does_not_hang)
{
	struct both_modes b = run_in_both("", built("tests/subjects/stdio_locked"), 0, "well\n");

	assert_both_in_range(&b, "calls.malloc", 21000, 21100);
	both_modes_free(&b);
}

/* 20,000 here; THREADS=100000 for the long run. */
TEST(test_short_threads_by_the_thousand_are_recorded_with_ids_used_again)
{
	const char *wanted = getenv("THREADS");
	int threads = wanted ? atoi(wanted) : 20000;
	char command[4096];
	struct both_modes b;

	snprintf(command, sizeof(command), "%s SHORT %d", built("tests/subjects/many_threads"),
		 threads);
	b = run_in_both("exec >/dev/null", command, 0, "");
	assert_both_in_range(&b, "calls.malloc", 10ll * threads, 10ll * threads);
	assert_both_in_range(&b, "threads", threads + 1, threads + 1);
	both_modes_free(&b);
}

TEST(test_ten_thousand_spawned_children_leave_the_parent_recorded)
{
	char command[4096];
	struct both_modes b;

	snprintf(command, sizeof(command), "%s 10000 200", built("tests/subjects/spawns"));
	b = run_in_both("", command, 0, "0 failures\n");
	assert_both_in_range(&b, "calls.malloc", 10000, MANY);
	both_modes_free(&b);
}

TEST(test_strict_seccomp_ends_the_recording_before_the_program_is_killed)
{
	char command[4096];
	struct both_modes b;

	snprintf(command, sizeof(command), "%s strict", built("tests/subjects/sandboxed"));
	b = run_in_both("", command, 0, "well\n");
	assert_both_in_range(&b, "calls.malloc", 2, 2);
	both_modes_free(&b);
}

TEST(test_a_seccomp_filter_that_kills_does_not_stop_the_recording)
{
	char command[4096];
	struct both_modes b;

	snprintf(command, sizeof(command), "%s filter", built("tests/subjects/sandboxed"));
	b = run_in_both("", command, 0, "well\n");
	assert_both_in_range(&b, "calls.malloc", 100003, 100003);
	both_modes_free(&b);
}

TEST(test_a_seccomp_filter_that_refuses_madvise_loses_nothing)
{
	char command[4096];
	struct both_modes b;

	snprintf(command, sizeof(command), "%s refuse", built("tests/subjects/sandboxed"));
	b = run_in_both("", command, 0, "well\n");
	assert_both_in_range(&b, "calls.malloc", 100003, 100003);
	both_modes_free(&b);
}

/* The blocks of BYTES in the recording of the bare mode, which was made last. */
static long long blocks_of(int bytes)
{
	char *csv = ask("sizes --format=csv test.data"), *row;
	char label[32];
	long long count;

	snprintf(label, sizeof(label), "\n%d,", bytes);
	row = strstr(csv, label);
	count = row ? atoll(row + strlen(label)) : 0;
	free(csv);
	return count;
}

/* Their stacks are looked at in test_unwinding. */
TEST(test_jumps_exceptions_coroutines_and_small_stacks_change_nothing)
{
	static const struct { const char *command; int bytes, blocks; } subjects[] = {
		{ "jumps 5000", 300, 5000 },
		{ "throwers 600", 600, 600 },
		{ "exceptions 200", 0, 0 },
		{ "coroutines 1000", 500, 6000 },
		{ "small_threads 200", 900, 200 },
		{ "jit 100", 1200, 100 },
	};

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		char command[4096];
		struct both_modes b;

		snprintf(command, sizeof(command), "%s/%s", built("tests/subjects"), subjects[i].command);
		b = run_in_both("", command, 0, NULL);
		assert_int_equal(number_at(b.drained, "calls.malloc"), number_at(b.bare, "calls.malloc"));
		if (subjects[i].bytes)
			assert_int_equal(blocks_of(subjects[i].bytes), subjects[i].blocks);
		both_modes_free(&b);
	}
}

TEST(test_a_program_with_a_shadow_stack_is_recorded)
{
	char command[4096];
	struct both_modes b;

	/* glibc 2.39 and later take the word; others say so and go on */
	snprintf(command, sizeof(command), "%s", built("tests/subjects/exceptions"));
	b = run_in_both("export GLIBC_TUNABLES=glibc.cpu.x86_shstk=on", command, 0, NULL);
	assert_both_in_range(&b, "calls.malloc", 1, MANY);
	both_modes_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_errno_and_calls_are_kept_under_a_signal_every_100_us),
		LIVE_TEST(test_allocating_while_stdio_is_locked_does_not_hang),
		LIVE_TEST(test_short_threads_by_the_thousand_are_recorded_with_ids_used_again),
		LIVE_TEST(test_ten_thousand_spawned_children_leave_the_parent_recorded),
		LIVE_TEST(test_strict_seccomp_ends_the_recording_before_the_program_is_killed),
		LIVE_TEST(test_a_seccomp_filter_that_kills_does_not_stop_the_recording),
		LIVE_TEST(test_jumps_exceptions_coroutines_and_small_stacks_change_nothing),
		LIVE_TEST(test_a_seccomp_filter_that_refuses_madvise_loses_nothing),
		LIVE_TEST(test_a_program_with_a_shadow_stack_is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
