/*
 * test_threads.c - programs with threads under the library: nothing lost, nothing
 * unmatched, every call counted. In both modes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/both_modes.h"
#include "test.h"

static const char *const modes[] = { "record", "bare" };

#define MODES (sizeof(modes) / sizeof(modes[0]))

TEST(test_blocks_freed_by_another_thread_match_their_allocations)
{
	/* five seconds in each mode; HANDOFF_SECONDS=60 for the long run */
	const char *seconds = getenv("HANDOFF_SECONDS");
	char command[4096];

	snprintf(command, sizeof(command), "%s %d", built("tests/subjects/handoff"),
		 (seconds ? atoi(seconds) : 5) * 100);
	for (size_t i = 0; i < MODES; i++) {
		struct result r = run_in_mode(modes[i], "", command);
		json_t *root = summary("");
		long long blocks = number_after(r.out, "blocks");

		assert_int_equal(r.status, 0);
		assert_nothing_lost(root);
		/* libc's own: a stdio buffer, two thread control blocks */
		assert_in_range(number_at(root, "calls.malloc"), blocks, blocks + 4);
		assert_int_equal(number_at(root, "threads"), 3);
		assert_int_equal(number_or_zero(root, "overlaps"), 0);
		json_decref(root);
		result_free(&r);
	}
}

static void check_threads(const char *how, int threads)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s %s %d >/dev/null", built("tests/subjects/many_threads"), how,
		 threads);
	for (size_t i = 0; i < MODES; i++) {
		struct result r = run_in_mode(modes[i], "", command);
		json_t *root = summary("");

		assert_int_equal(r.status, 0);
		assert_nothing_lost(root);
		assert_int_equal(number_at(root, "calls.malloc"), 10 * threads);
		assert_int_equal(number_at(root, "threads"), threads + 1);
		assert_int_equal(number_or_zero(root, "overlaps"), 0);
		json_decref(root);
		result_free(&r);
	}
}

TEST(test_two_thousand_live_threads_lose_nothing)
{
	check_threads("LIVE", 2000);
}

TEST(test_ten_thousand_short_threads_lose_nothing)
{
	check_threads("SHORT", 10000);
}

TEST(test_key_destructors_that_allocate_are_recorded)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s 200", built("tests/subjects/key_destructors"));
	for (size_t i = 0; i < MODES; i++) {
		struct result r = run_in_mode(modes[i], "", command);
		json_t *root = summary("");

		assert_int_equal(r.status, 0);
		assert_nothing_lost(root);
		assert_in_range(number_at(root, "calls.malloc"), number_after(r.out, "malloc"),
				number_after(r.out, "malloc") + 2);
		assert_in_range(number_at(root, "frees"), number_after(r.out, "free"),
				number_after(r.out, "free") + 2);
		json_decref(root);
		result_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_blocks_freed_by_another_thread_match_their_allocations),
		LIVE_TEST(test_two_thousand_live_threads_lose_nothing),
		LIVE_TEST(test_ten_thousand_short_threads_lose_nothing),
		LIVE_TEST(test_key_destructors_that_allocate_are_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
