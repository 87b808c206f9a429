/*
 * test_ends.c - however a program ends, its status passes through and its last
 * call is in the recording. In both modes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/both_modes.h"
#include "test.h"

static const char *const modes[] = { "record", "bare" };

#define MODES (sizeof(modes) / sizeof(modes[0]))

static void check_end(const char *mode, const char *how, int status)
{
	char command[4096];
	struct result r;
	json_t *root;

	snprintf(command, sizeof(command), "%s %s", built("tests/subjects/ends"), how);
	r = run_in_mode(mode, "", command);
	root = summary("");
	if (r.status != status)
		fail_msg("%s, %s: status %d, not %d: %s", how, mode, r.status, status, r.err);
	json_decref(root);
	result_free(&r);
}

/* Figures of the image that allocated, whatever came after it. */
static void check_blocks(const char *mode, const char *how)
{
	char *csv = ask("sizes --format=csv test.data");

	if (!strstr(csv, "\n1000,100,100000"))
		fail_msg("%s, %s: not all 100 blocks of 1000 bytes in: %s", how, mode, csv);
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

	for (size_t m = 0; m < MODES; m++) {
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			check_end(modes[m], ends[i].how, ends[i].status);
			check_blocks(modes[m], ends[i].how);
		}
	}
}

TEST(test_a_program_that_closes_all_descriptors_is_recorded_to_its_end)
{
	/* the library shifts no descriptor number */
	struct both_modes b = run_in_both("", built("tests/subjects/close_all"), 0, "3 3\n");

	assert_both_in_range(&b, "calls.malloc", 101000, 101010);
	both_modes_free(&b);
}

TEST(test_memory_given_back_after_main_is_recorded)
{
	for (size_t m = 0; m < MODES; m++) {
		struct result r = run_in_mode(modes[m], "", built("tests/subjects/late"));
		json_t *root = summary("");
		char *csv = ask("sizes --format=csv test.data");

		assert_int_equal(r.status, 7);
		assert_string_equal(r.out, "well\n");
		assert_string_equal(r.err, "");
		assert_nothing_lost(root);
		/* of_thread in two threads */
		for (int bytes = 7001; bytes <= 7006; bytes++) {
			int count = bytes == 7002 ? 2 : 1;
			char row[64];

			snprintf(row, sizeof(row), "\n%d,%d,%d", bytes, count, bytes * count);
			if (!strstr(csv, row))
				fail_msg("%s: no %s in %s", modes[m], row + 1, csv);
		}
		free(csv);
		json_decref(root);
		result_free(&r);
	}
}

/* The file is written under a name relative to a directory that the daemon leaves. */
TEST(test_a_daemon_is_recorded_after_its_parent_ended)
{
	for (size_t m = 0; m < MODES; m++) {
		char command[4096];
		struct result r, done;
		char *csv;

		snprintf(command, sizeof(command), "%s $PWD/%s.done", built("tests/subjects/daemon"),
			 modes[m]);
		r = run_in_mode(modes[m], "", command);
		assert_int_equal(r.status, 0);
		done = run_shell(UNTIL("%s.done") "[ -e %s.done ]", modes[m], modes[m]);
		assert_int_equal(done.status, 0);
		csv = ask("sizes --all --format=csv test.data");
		if (!strstr(csv, "100,1,100") || !strstr(csv, "777,500,388500"))
			fail_msg("%s: %s", modes[m], csv);
		free(csv);
		result_free(&done);
		result_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_every_way_to_end_passes_its_status_and_keeps_the_last_call),
		LIVE_TEST(test_a_program_that_closes_all_descriptors_is_recorded_to_its_end),
		LIVE_TEST(test_memory_given_back_after_main_is_recorded),
		LIVE_TEST(test_a_daemon_is_recorded_after_its_parent_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
