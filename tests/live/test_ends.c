/*
 * test_ends.c - however a program ends, its status passes through and its last
 * call is in the recording.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

TEST(test_a_killed_program_has_every_call_that_completed)
{
	/* 40 moments here; KILLS=1000 for the long run */
	const char *wanted = getenv("KILLS");
	int kills = wanted ? atoi(wanted) : 40;

	for (int i = 0; i < kills; i++) {
		int threads = 1 + i % 3;
		struct result r = run_shell("%s record -q -o test.data -- %s counters %d & "
					    "while [ ! -s counters ]; do :; done; sleep 0.0%02d; "
					    "pkill -KILL -P $! -x counted; wait $!",
					    built("allotrope"), built("tests/subjects/counted"),
					    threads, 3 + i * 7 % 90);
		unsigned long long completed = 0, recorded, counts[512];
		FILE *file = fopen("counters", "rb");
		json_t *root = summary("");

		assert_non_null(file);
		assert_int_equal(r.signal == SIGKILL || r.status == 137, 1);
		assert_int_equal(fread(counts, sizeof(counts), 1, file), 1);
		fclose(file);
		for (int t = 0; t < threads; t++)
			completed += counts[t * 8];
		recorded = (unsigned long long)(number_or_zero(root, "calls.malloc") +
						number_or_zero(root, "calls.free"));
		/* a first malloc of libc's own for each thread made with pthread_create is a calloc */
		if (recorded < completed || recorded > completed + (unsigned)threads)
			fail_msg("killed at moment %d: %llu completed, %llu recorded, %d threads",
				 i, completed, recorded, threads);
		assert_int_equal(number_at(root, "unmatched_frees"), 0);
		json_decref(root);
		result_free(&r);
		unlink("counters");
		unlink("test.data");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_every_way_to_end_passes_its_status_and_keeps_the_last_call),
		LIVE_TEST(test_a_program_that_closes_all_descriptors_is_recorded_to_its_end),
		LIVE_TEST(test_a_daemon_is_recorded_after_its_parent_ended),
		LIVE_TEST(test_a_killed_program_has_every_call_that_completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
