/*
 * test_ends.c - however a program ends, its status passes through and its last
 * call is in the recording.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

static void check_end(const char *how, int status)
{
	struct result r = record("", "%s %s", built("tests/subjects/ends"), how);
	json_t *root = summary("");

	if (r.status != status)
		fail_msg("%s: status %d, not %d: %s", how, r.status, status, r.err);
	json_decref(root);
	result_free(&r);
}

/* Figures of the image that allocated, whatever came after it. */
static void check_blocks(const char *how)
{
	char *csv = ask("sizes --format=csv test.data");

	if (!strstr(csv, "\n1000,100,100000"))
		fail_msg("%s: not all 100 blocks of 1000 bytes in: %s", how, csv);
	free(csv);
}

TEST(test_every_way_to_end_passes_its_status_and_keeps_the_last_call)
{
	static const struct { const char *how; int status; } ends[] = {
		{ "return", 7 }, { "exit", 7 }, { "_exit", 7 }, { "_Exit", 7 },
		{ "quick_exit", 7 }, { "abort", 128 + SIGABRT }, { "segv", 128 + SIGSEGV },
		{ "kill", 128 + SIGKILL }, { "term", 128 + SIGTERM }, { "pthread_exit", 0 },
		{ "thread_exit", 7 }, { "exec", 7 },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		check_end(ends[i].how, ends[i].status);
		check_blocks(ends[i].how);
	}
}

TEST(test_a_program_that_closes_all_descriptors_is_recorded_to_its_end)
{
	struct result r = record("", "%s", built("tests/subjects/close_all"));
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	/* the library shifts no descriptor number */
	assert_string_equal(r.out, "3 3\n");
	assert_nothing_lost(root);
	assert_true(number_at(root, "calls.malloc") >= 101000);
	json_decref(root);
	result_free(&r);
}

TEST(test_a_daemon_is_recorded_after_its_parent_ended)
{
	struct result r = record("", "/bin/sh -c '(cd /; sleep 0.3; exec %s 41000) >/dev/null 2>&1 &'",
				 built("examples/int_blocks"));
	char *csv;

	assert_int_equal(r.status, 0);
	csv = ask("sizes --format=csv test.data");
	assert_non_null(strstr(csv, "\n992,1000,992000"));
	free(csv);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_every_way_to_end_passes_its_status_and_keeps_the_last_call),
		LIVE_TEST(test_a_program_that_closes_all_descriptors_is_recorded_to_its_end),
		LIVE_TEST(test_a_daemon_is_recorded_after_its_parent_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
