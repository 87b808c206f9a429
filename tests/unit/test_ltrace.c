/*
 * test_ltrace.c - lines as ltrace prints them, over a recording made by hand.
 */
#include "unit/form_subject.h"

#include <time.h>

#define CODE 0x400000

/* Made recordings start at stamp 1: times since the start are one less than stamps. */

/*
 * A program like the one ltrace was tried on: malloc, realloc, calloc,
 * free, and ends with 7.
 */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/usr/bin/tiny");

	mk_module(t, 1, 1, CODE, CODE + 0x1000, "/usr/bin/tiny");
	mk_malloc(t, s, 1000, 0x3a8082a0, 32, CODE + 0x1fc);
	mk_realloc(t, s, 2000, 0x3a8082a0, 0x7f5ff9bfe010, 200000, CODE + 0x227);
	mk_calloc(t, s, 3000, 0x3a8082d0, 3, 7, CODE + 0x23a);
	mk_free(t, s, 4000, 0x7f5ff9bfe010);
	mk_null_call(t, s, 5000, FUNC_FREE);
	mk_failed(t, s, 6000, FUNC_MALLOC, 12, 0, UINT64_MAX);
	mk_aligned(t, s, 7000, FUNC_POSIX_MEMALIGN, 0x3a808300, 64, 300, CODE + 0x300);
	mk_aligned(t, s, 8000, FUNC_ALIGNED_ALLOC, 0x3a808500, 64, 128, CODE + 0x300);
	mk_free_func(t, s, 9000, FUNC_FREE_SIZED, 0x3a808500);
	mk_exit(t, 1, 10000, 7 << 8);
	return t;
}

TEST(test_lines_are_ltraces)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "ltrace",
		"malloc(32)                                       = 0x3a8082a0\n"
		"realloc(0x3a8082a0, 200000)                      = 0x7f5ff9bfe010\n"
		"calloc(3, 7)                                     = 0x3a8082d0\n"
		"free(0x7f5ff9bfe010)                             = <void>\n"
		"free(0)                                          = <void>\n"
		"malloc(18446744073709551615)                     = 0\n"
		"posix_memalign([0x3a808300], 64, 300)            = 0\n"
		"aligned_alloc(64, 128)                           = 0x3a808500\n"
		"free_sized(0x3a808500, ?)                        = <void>\n"
		"+++ exited (status 7) +++\n");
	mktrace_free(t);
}

TEST(test_caller_stands_before_the_name_with_a_filter)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "ltrace -e malloc+calloc",
		"tiny->malloc(32)                                 = 0x3a8082a0\n"
		"tiny->calloc(3, 7)                               = 0x3a8082d0\n"
		"tiny->malloc(18446744073709551615)               = 0\n"
		"+++ exited (status 7) +++\n");
	assert_report_has(mktrace_file(t), "ltrace -l tiny", "tiny->realloc(");
	/* where free was called from is not recorded: it is of no known object */
	assert_report_lacks(mktrace_file(t), "ltrace -l tiny", "free(");
	mktrace_free(t);
}

TEST(test_address_is_the_return_address)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "ltrace -i",
		"[0x4001fd] malloc(32)                            = 0x3a8082a0\n");
	assert_report_has(mktrace_file(t), "ltrace -i",
		"[0xffffffffffffffff] +++ exited (status 7) +++\n");
	mktrace_free(t);
}

TEST(test_column_of_results_can_be_moved)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "ltrace -a 12", "malloc(32) = 0x3a8082a0\n");
	assert_report_has(mktrace_file(t), "ltrace -a 12", "calloc(3, 7) = 0x3a8082d0\n");
	mktrace_free(t);
}

TEST(test_times_of_day_are_local_time)
{
	struct mktrace *t = story();
	char *text = form_output(mktrace_file(t), "ltrace -tt");
	int hour, minute, second, micro;

	/* the wall clock of a made recording is whatever it is; the form is what counts */
	assert_int_equal(sscanf(text, "%2d:%2d:%2d.%6d malloc(32) ", &hour, &minute,
				&second, &micro), 4);
	assert_in_range(hour, 0, 23);
	assert_int_equal(text[8], '.');
	assert_int_equal(text[15], ' ');
	free(text);
	mktrace_free(t);
}

TEST(test_durations_stand_behind_their_call_or_a_question_mark)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_malloc(t, s, 1000, 0x1000, 8);
	mk_timing(t, s, 1001, 129000);
	mk_malloc(t, s, 2000, 0x2000, 8);
	mk_free(t, s, 3000, 0x1000);
	mk_timing(t, s, 3001, 2500000000u);
	assert_report(mktrace_file(t), "ltrace -T",
		"malloc(8)                                        = 0x1000 <0.000129>\n"
		"malloc(8)                                        = 0x2000 <?>\n"
		"free(0x1000)                                     = <void> <2.500000>\n");
	mktrace_free(t);
}

TEST(test_system_calls_stand_inside_the_call_that_made_them)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_syscall_inside(t, s, 1000, SYS_MEM_brk, MK_ARGS(0x3b06d000), 0x3b06d000, FUNC_MALLOC,
			  MK_STACK());
	mk_malloc(t, s, 2000, 0x3b04c2a0, 32);
	mk_syscall(t, s, 3000, SYS_MEM_mmap, MK_ARGS(0, 8192, 3, 34, -1, 0), 0x7f6541607000, 0);
	mk_free(t, s, 4000, 0x3b04c2a0);
	mk_syscall_inside(t, s, 4001, SYS_MEM_munmap, MK_ARGS(0x7f6541607000, 8192), -22, FUNC_FREE,
			  MK_STACK());
	mk_malloc(t, s, 5000, 0x5000, 1);
	assert_report(mktrace_file(t), "ltrace -S",
		"malloc(32 <unfinished ...>\n"
		"SYS_brk(0x3b06d000)                              = 0x3b06d000\n"
		"<... malloc resumed> )                           = 0x3b04c2a0\n"
		"SYS_mmap(0, 8192, 3, 34)                         = 0x7f6541607000\n"
		"free(0x3b04c2a0 <unfinished ...>\n"
		"SYS_munmap(0x7f6541607000, 8192)                 = -22\n"
		"<... free resumed> )                             = <void>\n"
		"malloc(1)                                        = 0x5000\n");
	mktrace_free(t);
}

TEST(test_inferred_system_calls_are_marked)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_syscall(t, s, 1000, SYS_MEM_brk, MK_ARGS(0x2000), 0x2000, SYSCALL_INFERRED);
	mk_malloc(t, s, 2000, 0x1000, 8);
	assert_report_has(mktrace_file(t), "ltrace -S",
		"SYS_brk(0x2000)                                  = 0x2000 (inferred)\n");
	mktrace_free(t);
}

TEST(test_table_has_ltraces_columns_and_scales_measured_calls)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	/* two of four mallocs were measured, 1 ms each: 4 ms in all */
	for (unsigned i = 0; i < 4; i++) {
		mk_malloc(t, s, 1000 + i * 10, 0x1000 + i * 0x100, 8);
		if (i < 2)
			mk_timing(t, s, 1001 + i * 10, 1000000);
	}
	mk_free(t, s, 2000, 0x1000);
	mk_timing(t, s, 2001, 1000000);
	assert_report(mktrace_file(t), "ltrace -c",
		"% time     seconds  usecs/call     calls      function\n"
		"------ ----------- ----------- --------- --------------------\n"
		" 80.00    0.004000        1000         4 malloc\n"
		" 20.00    0.001000        1000         1 free\n"
		"------ ----------- ----------- --------- --------------------\n"
		"100.00    0.005000                     5 total\n");
	mktrace_free(t);
}

TEST(test_times_never_measured_are_dashes)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "ltrace -c",
		"     -           -           -         2 malloc\n");
	mktrace_free(t);
}

TEST(test_follow_shows_all_processes_by_thread)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p"), c;

	mk_malloc(t, s, 1000, 0x1000, 8);
	c = mk_fork(t, 2, 101, 1, 2000);
	mk_malloc(t, c, 3000, 0x2000, 5);
	mk_exit(t, 2, 4000, 9);
	mk_free(t, s, 5000, 0x1000);
	/* output to a file: plain numbers, as ltrace -o has them */
	assert_report(mktrace_file(t), "ltrace -f",
		"100 malloc(8)                                    = 0x1000\n"
		"101 malloc(5)                                    = 0x2000\n"
		"101 +++ killed by SIGKILL +++\n"
		"100 free(0x1000)                                 = <void>\n");
	mktrace_free(t);
}

TEST(test_csv_has_a_row_for_each_call)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "ltrace --format=csv",
		"time_ns,pid,tid,caller,function,pointer,nmemb,alignment,size,result,errno,duration_ns\n"
		"999,100,100,/usr/bin/tiny,malloc,,,,32,0x3a8082a0,,\n"
		"1999,100,100,/usr/bin/tiny,realloc,0x3a8082a0,,,200000,0x7f5ff9bfe010,,\n"
		"2999,100,100,/usr/bin/tiny,calloc,,3,,7,0x3a8082d0,,\n");
	mktrace_free(t);
}

TEST(test_window_without_calls_prints_no_line)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_malloc(t, s, 1000, 0x1000, 100);
	mk_malloc(t, s, 9000, 0x2000, 100);
	assert_report(mktrace_file(t), "ltrace --since=4us --until=5us", "");
	mktrace_free(t);
}

TEST(test_window_cuts_lines)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "ltrace --since=2900ns --until=4us",
		"calloc(3, 7)                                     = 0x3a8082d0\n"
		"free(0x7f5ff9bfe010)                             = <void>\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_ltraces),
		cmocka_unit_test(test_caller_stands_before_the_name_with_a_filter),
		cmocka_unit_test(test_address_is_the_return_address),
		cmocka_unit_test(test_column_of_results_can_be_moved),
		cmocka_unit_test(test_times_of_day_are_local_time),
		cmocka_unit_test(test_durations_stand_behind_their_call_or_a_question_mark),
		cmocka_unit_test(test_system_calls_stand_inside_the_call_that_made_them),
		cmocka_unit_test(test_inferred_system_calls_are_marked),
		cmocka_unit_test(test_table_has_ltraces_columns_and_scales_measured_calls),
		cmocka_unit_test(test_times_never_measured_are_dashes),
		cmocka_unit_test(test_follow_shows_all_processes_by_thread),
		cmocka_unit_test(test_csv_has_a_row_for_each_call),
		cmocka_unit_test(test_window_without_calls_prints_no_line),
		cmocka_unit_test(test_window_cuts_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
