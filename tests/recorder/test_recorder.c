/*
 * test_recorder.c - `allotrope record` itself under a sanitizer: its threads drain, pack and
 * sample while real programs, built without one, write. Meant to be built with SAN=thread and
 * SAN=address,undefined.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

#define CROWD "tests/subjects/crowd"

static void check_quiet(const char *what, const struct result *r)
{
	if (strstr(r->err, "Sanitizer") || strstr(r->err, "runtime error:") || r->status == 66)
		fail_msg("%s: status %d: %s", what, r->status, r->err);
}

/* Recorded with OPTIONS; the JSON of all its programs, the caller's. */
static json_t *record_quietly(const char *options, const char *command)
{
	struct result r = record(options, "%s", command);

	check_quiet(command, &r);
	if (r.status != 0)
		fail_msg("%s: status %d: %s", command, r.status, r.err);
	result_free(&r);
	return summary("--all");
}

static char *crowd(int threads, int pairs)
{
	static char command[512];

	snprintf(command, sizeof(command), "%s %d %d 5", built(CROWD), threads, pairs);
	return command;
}

static void check_whole(json_t *root, long long calls)
{
	json_t *image;
	long long seen = 0;
	size_t i;

	json_array_foreach(root, i, image) {
		assert_nothing_lost(image);
		seen += number_at(image, "calls.malloc") + number_at(image, "calls.free");
	}
	if (json_is_object(root)) {
		assert_nothing_lost(root);
		seen = number_at(root, "calls.malloc") + number_at(root, "calls.free");
	}
	assert_in_range(seen, calls, calls + 5000);
	json_decref(root);
}

TEST(test_threads_that_fill_the_ring)
{
	check_whole(record_quietly("--ring=1M", crowd(1, 200000)), 400000);
	check_whole(record_quietly("--ring=1M", crowd(8, 30000)), 480000);
}

TEST(test_a_tree_of_processes)
{
	json_t *root = record_quietly("", "/bin/sh -c 'for i in 1 2 3 4 5 6; do ls / | sort >list & "
				      "done; wait'");

	assert_true(json_array_size(root) >= 12);
	json_decref(root);
}

TEST(test_rings_that_drop_and_overwrite)
{
	json_decref(record_quietly("--ring=1M --when-full=drop", crowd(4, 100000)));
	json_decref(record_quietly("--flight-recorder=1M", crowd(4, 100000)));
	json_decref(record_quietly("--sample=64K", crowd(4, 100000)));
}

TEST(test_marks_and_reports_while_it_records)
{
	struct result r = run_shell(
		"%s record -q -o test.data -- /bin/sh -c 'until [ -e read ]; do ls / >list; "
		"sleep 0.2; done' & " UNTIL_TRUE("[ -s test.data ] && %s mark here test.data")
		"%s summary test.data >during; touch read; wait; exec %s info test.data",
		built("allotrope"), built("allotrope"), built("allotrope"), built("allotrope"));

	check_quiet("mark", &r);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "mark        'here'"));
	result_free(&r);
}

TEST(test_a_recorder_that_is_stopped_and_one_that_is_killed)
{
	struct result r = record("--ring=1M", "/bin/sh -c 'kill -STOP $PPID; %s; kill -CONT $PPID'",
				 crowd(2, 50000));

	check_quiet("stopped", &r);
	assert_int_equal(r.status, 0);
	result_free(&r);
	/* cat ends when the program has ended too */
	r = run_shell("%s record -q -o k.data -- /bin/sh -c 'kill -9 $PPID; exec %s' | cat; "
		      "[ -e k.data ] || mv k.data.?????? k.data; "
		      "%s recover -o r.data k.data 2>told; status=$?; cat told >&2; "
		      "rm -f \"$(sed -n \"s/.*the ring '\\(.*\\)' was read.*/\\1/p\" told)\"; "
		      "exit $status", built("allotrope"), crowd(2, 1000), built("allotrope"));
	check_quiet("recover", &r);
	assert_int_equal(r.status, 0);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_threads_that_fill_the_ring),
		LIVE_TEST(test_a_tree_of_processes),
		LIVE_TEST(test_rings_that_drop_and_overwrite),
		LIVE_TEST(test_marks_and_reports_while_it_records),
		LIVE_TEST(test_a_recorder_that_is_stopped_and_one_that_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
