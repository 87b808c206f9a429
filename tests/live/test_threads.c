/*
 * test_threads.c - programs with threads under the library: nothing lost, nothing
 * unmatched, every call counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

TEST(test_blocks_freed_by_another_thread_match_their_allocations)
{
	/* ten seconds here; HANDOFF_SECONDS=60 for the long run */
	const char *seconds = getenv("HANDOFF_SECONDS");
	struct result r = record("", "%s %d", built("tests/subjects/handoff"),
				 (seconds ? atoi(seconds) : 10) * 100);
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

static void check_threads(const char *how, int threads)
{
	struct result r = record("", "%s %s %d", built("tests/subjects/many_threads"), how, threads);
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	assert_nothing_lost(root);
	assert_int_equal(number_at(root, "calls.malloc"), 10 * threads);
	assert_int_equal(number_at(root, "threads"), threads + 1);
	assert_int_equal(number_or_zero(root, "overlaps"), 0);
	json_decref(root);
	result_free(&r);
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
	struct result r = record("", "%s 200", built("tests/subjects/key_destructors"));
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
