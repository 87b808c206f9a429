/*
 * test_execs.c - starts of programs matched with those that announced themselves: what
 * remains is not in the recording.
 */
#include <errno.h>
#include <string.h>

#include "fixture/mktrace.h"
#include "test.h"

static struct mktrace *t;
static struct recording *r;

static int begin(void **state)
{
	(void)state;
	t = mktrace_new();
	r = NULL;
	mk_process(t, 1, 100, "sh");
	return 0;
}

static int end(void **state)
{
	(void)state;
	recording_close(r);
	mktrace_free(t);
	return 0;
}

/* Process PID, started by image 1, execs PATH at STAMP. */
static void exec_at(uint64_t stamp, uint64_t pid, uint64_t reasons, uint64_t error, const char *path)
{
	mk_meta(t, META_EXEC, "vvvvvss", pid, stamp, (uint64_t)1, reasons, error, path, path);
}

static void status_at(uint64_t stamp, uint64_t pid, int64_t status)
{
	mk_meta(t, META_STATUS, "vvz", pid, stamp, status);
}

TEST(test_a_program_that_announces_itself_is_recorded)
{
	exec_at(10, 101, 0, 0, "/bin/ls");
	mk_image(t, 2, 101, 100, 0, PROCESS_STARTED, 12, 0, "/bin/ls");
	r = mktrace_open(t);
	assert_int_equal(r->unrecorded_count, 0);
}

TEST(test_a_program_that_does_not_has_its_reason_and_its_end)
{
	exec_at(10, 101, 1u << EXEC_STATIC | 1u << EXEC_NO_PRELOAD, 0, "./static");
	status_at(30, 101, 3 << 8);
	exec_at(15, 102, 0, 0, "/bin/gone");
	r = mktrace_open(t);
	assert_int_equal(r->unrecorded_count, 2);
	assert_int_equal(recording_unrecorded_programs(r), 2);
	assert_string_equal(r->unrecorded[0].path, "./static");
	assert_string_equal(r->unrecorded[0].command, "./static");
	assert_int_equal(r->unrecorded[0].starter, 1);
	/* of several reasons that of the file */
	assert_string_equal(unrecorded_reason_key(&r->unrecorded[0]), "static");
	assert_true(r->unrecorded[0].has_end);
	assert_int_equal(r->unrecorded[0].status, 3 << 8);
	assert_string_equal(unrecorded_reason_key(&r->unrecorded[1]), "unknown");
	assert_false(r->unrecorded[1].has_end);
}

TEST(test_an_image_behind_a_static_program_in_its_process_is_another_one)
{
	exec_at(10, 101, 1u << EXEC_STATIC, 0, "./busybox");
	mk_image(t, 2, 101, 100, 0, PROCESS_STARTED, 20, 0, "/bin/ls");
	status_at(30, 101, 5 << 8);
	r = mktrace_open(t);
	assert_int_equal(r->unrecorded_count, 1);
	assert_false(r->unrecorded[0].has_end);
	assert_int_equal(recording_image(r, 2)->status, 5 << 8);
}

TEST(test_the_next_exec_of_the_process_is_not_its_announcement)
{
	mk_image(t, 2, 101, 100, 1, PROCESS_FORKED, 5, 5, "sh");
	exec_at(10, 101, 1u << EXEC_NO_ENVIRONMENT, 0, "/bin/env");
	exec_at(20, 101, 0, 0, "/bin/ls");
	mk_image(t, 3, 101, 100, 0, PROCESS_STARTED, 22, 0, "/bin/ls");
	r = mktrace_open(t);
	assert_int_equal(r->unrecorded_count, 1);
	assert_string_equal(r->unrecorded[0].path, "/bin/env");
	assert_true(recording_image(r, 2)->is_replaced);
	assert_int_equal(recording_image(r, 2)->end_stamp, 10);
	assert_false(recording_image(r, 3)->is_replaced);
}

TEST(test_the_end_of_a_replaced_image_is_that_of_what_replaced_it)
{
	mk_image(t, 2, 101, 100, 1, PROCESS_FORKED, 5, 5, "sh");
	exec_at(10, 101, 1u << EXEC_SETUID, 0, "/bin/su");
	status_at(30, 101, 9);
	r = mktrace_open(t);
	assert_true(recording_image(r, 2)->is_replaced);
	assert_false(recording_image(r, 2)->has_exit);
	assert_int_equal(r->unrecorded[0].status, 9);
	assert_int_equal(r->unrecorded[0].end_stamp, 30);
}

TEST(test_a_pid_that_is_given_away_again_has_its_own_end)
{
	exec_at(10, 101, 1u << EXEC_STATIC, 0, "./static");
	status_at(12, 101, 0);
	mk_image(t, 2, 101, 100, 1, PROCESS_FORKED, 50, 50, "sh");
	status_at(60, 101, 7 << 8);
	r = mktrace_open(t);
	assert_int_equal(r->unrecorded[0].status, 0);
	assert_int_equal(recording_image(r, 2)->status, 7 << 8);
	assert_false(recording_image(r, 2)->is_replaced);
}

TEST(test_an_exec_that_failed_is_no_program)
{
	exec_at(10, 100, 0, 0, "/bin/data");
	exec_at(11, 100, 0, EACCES, "/bin/data");
	status_at(30, 100, 126 << 8);
	r = mktrace_open(t);
	assert_int_equal(recording_unrecorded_programs(r), 0);
	assert_int_equal(r->unrecorded_count, 1);
	assert_int_equal(r->unrecorded[0].error, EACCES);
	assert_false(recording_image(r, 1)->is_replaced);
	assert_int_equal(recording_image(r, 1)->status, 126 << 8);
}

TEST(test_a_search_along_the_path_leaves_its_last_word_only)
{
	exec_at(10, 101, 0, ENOENT, "/usr/local/bin/ls");
	exec_at(11, 101, 0, ENOENT, "/usr/bin/ls");
	exec_at(12, 101, 0, 0, "/bin/ls");
	mk_image(t, 2, 101, 100, 0, PROCESS_STARTED, 13, 0, "/bin/ls");
	exec_at(20, 102, 0, ENOENT, "/usr/bin/nonesuch");
	exec_at(21, 102, 0, ENOENT, "/bin/nonesuch");
	r = mktrace_open(t);
	assert_int_equal(r->unrecorded_count, 1);
	assert_string_equal(r->unrecorded[0].path, "/bin/nonesuch");
}

TEST(test_a_search_that_meets_a_file_it_may_not_run_goes_on)
{
	exec_at(10, 101, 0, 0, "/a/tool");
	exec_at(11, 101, 0, EACCES, "/a/tool");
	exec_at(12, 101, 0, ENOENT, "/b/tool");
	r = mktrace_open(t);
	assert_int_equal(r->unrecorded_count, 1);
	assert_string_equal(r->unrecorded[0].path, "/b/tool");
}

TEST(test_images_of_an_older_library_do_not_know_what_they_started)
{
	r = mktrace_open(t);
	assert_int_equal(recording_blind_images(r), 1);
}

TEST(test_kills_for_lack_of_memory_are_found_by_their_time)
{
	mk_meta(t, META_OOM_KILLS, "vvvs", (uint64_t)1000, (uint64_t)2000, (uint64_t)1, "/group");
	r = mktrace_open(t);
	assert_int_equal(r->oom_count, 1);
	assert_string_equal(r->oom_kills[0].cgroup, "/group");
	assert_false(recording_is_oom_kill(r, 999));
	assert_true(recording_is_oom_kill(r, 1500));
	/* a parent that waits late: a nanosecond is a tick here */
	assert_true(recording_is_oom_kill(r, 900000000));
	assert_false(recording_is_oom_kill(r, 3000000000));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_program_that_announces_itself_is_recorded),
		CASE(test_a_program_that_does_not_has_its_reason_and_its_end),
		CASE(test_an_image_behind_a_static_program_in_its_process_is_another_one),
		CASE(test_the_next_exec_of_the_process_is_not_its_announcement),
		CASE(test_the_end_of_a_replaced_image_is_that_of_what_replaced_it),
		CASE(test_a_pid_that_is_given_away_again_has_its_own_end),
		CASE(test_an_exec_that_failed_is_no_program),
		CASE(test_a_search_along_the_path_leaves_its_last_word_only),
		CASE(test_a_search_that_meets_a_file_it_may_not_run_goes_on),
		CASE(test_images_of_an_older_library_do_not_know_what_they_started),
		CASE(test_kills_for_lack_of_memory_are_found_by_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
