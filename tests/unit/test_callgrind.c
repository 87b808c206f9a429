/* test_callgrind.c - the table of functions. */
#include "unit/form_subject.h"

#define MAIN 0x400000

#define HEADER "function,file,module,blocks,bytes,peak_bytes,end_bytes,time_ns,inclusive_blocks," \
	       "inclusive_bytes,inclusive_peak_bytes,inclusive_end_bytes,inclusive_time_ns,pid,exec\n"

static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1000, 0x1000, 4096, MAIN + 2, MAIN + 1);
	mk_malloc(t, s, 2000, 0x2000, 30, MAIN + 3, MAIN + 1);
	mk_free(t, s, 4000, 0x1000);
	return t;
}

TEST(test_csv_has_a_row_for_each_function)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "callgrind --format=csv",
		HEADER
		"p+0x2,,/bin/p,1,4096,4096,0,,1,4096,4096,0,,100,0\n"
		"p+0x3,,/bin/p,1,30,30,30,,1,30,30,30,,100,0\n"
		"p+0x1,,/bin/p,0,0,0,0,,2,4126,4126,30,,100,0\n");
	mktrace_free(t);
}

TEST(test_rows_are_sorted_by_any_figure)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report_has(path, "callgrind --format=csv --sort=inclusive_bytes", HEADER "p+0x1,");
	assert_report_has(path, "callgrind --format=csv --sort=end_bytes", HEADER "p+0x3,");
	assert_report_has(path, "callgrind --format=csv --sort=function", HEADER "p+0x1,");
	assert_report_has(path, "callgrind --format=csv --sort=-function", HEADER "p+0x3,");
	mktrace_free(t);
}

TEST(test_text_begins_with_the_totals)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "callgrind --top=2",
		"4.0 KiB in 2 blocks\n"
		"\n"
		"inclusive     self  blocks  at peak  at end  time  function\n"
		"  4.0 KiB  4.0 KiB       1  4.0 KiB     0 B  -     p+0x2\n"
		"     30 B     30 B       1     30 B    30 B  -     p+0x3\n"
		"\n"
		"2 of 3 functions; --top=0 shows all\n");
	assert_report_has(mktrace_file(t), "callgrind", "note: no call was timed: record --timing=all");
	mktrace_free(t);
}

TEST(test_times_are_said_to_be_an_estimate)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1000, 0x1000, 4096, MAIN + 2, MAIN + 1);
	mk_timing(t, s, 1001, 500);
	mk_malloc(t, s, 2000, 0x2000, 30, MAIN + 3, MAIN + 1);
	mk_free(t, s, 4000, 0x1000);
	assert_report_has(mktrace_file(t), "callgrind", ", ~1 us in the allocator\n");
	assert_report_has(mktrace_file(t), "callgrind", "  ~1 us  p+0x2\n");
	assert_report_has(mktrace_file(t), "callgrind", "  -      p+0x3\n");
	assert_report_has(mktrace_file(t), "callgrind",
			  "note: times are an estimate: 1 of 2 calls were timed");
	assert_report_has(mktrace_file(t), "callgrind", "note: the time of free is not in it");
	mktrace_free(t);
}

TEST(test_mappings_are_shown_on_request)
{
	struct mktrace *t = story();
	mk_stream s = mk_thread(t, 1, 102, 5000, "late");

	mk_syscall(t, s, 6000, SYS_MEM_mmap, MK_ARGS(0, 8192, 3, 34, -1, 0), 0x7f0000000000, 0, MAIN + 4,
		   MAIN + 1);
	assert_report(mktrace_file(t), "callgrind --format=csv --kind=mapping",
		HEADER
		"p+0x4,,/bin/p,1,8192,8192,8192,,1,8192,8192,8192,,100,0\n"
		"p+0x1,,/bin/p,0,0,0,0,,1,8192,8192,8192,,100,0\n");
	assert_report_has(mktrace_file(t), "callgrind --kind=mapping", "8.0 KiB in 1 mappings\n");
	assert_report_has(mktrace_file(t), "callgrind --format=callgrind --kind=mapping",
			  "event: Allocs : Mappings made\n");
	mktrace_free(t);
}

TEST(test_state_at_a_moment)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "callgrind --format=csv --at=3us",
			  HEADER "p+0x2,,/bin/p,1,4096,4096,4096,");
	mktrace_free(t);
}

TEST(test_window_has_its_own_figures)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "callgrind --format=csv --since=1500ns --until=3us",
		HEADER
		"p+0x3,,/bin/p,1,30,30,30,,1,30,30,30,,100,0\n"
		"p+0x1,,/bin/p,0,0,0,0,,1,30,4126,4126,,100,0\n"
		"p+0x2,,/bin/p,0,0,4096,4096,,0,0,4096,4096,,100,0\n");
	mktrace_free(t);
}

TEST(test_all_images_are_rows_with_their_process)
{
	struct mktrace *t = story();
	mk_stream c = mk_fork(t, 2, 101, 1, 7000);

	mk_malloc(t, c, 8000, 0x8000, 64, MAIN + 9);
	assert_report_has(mktrace_file(t), "callgrind --format=csv --all",
			  "\np+0x9,,/bin/p,1,64,64,64,,1,64,");
	assert_report_has(mktrace_file(t), "callgrind", "1 of 2: /bin/p (pid 100); others: --pid, --all\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_has_a_row_for_each_function),
		cmocka_unit_test(test_rows_are_sorted_by_any_figure),
		cmocka_unit_test(test_text_begins_with_the_totals),
		cmocka_unit_test(test_times_are_said_to_be_an_estimate),
		cmocka_unit_test(test_mappings_are_shown_on_request),
		cmocka_unit_test(test_state_at_a_moment),
		cmocka_unit_test(test_window_has_its_own_figures),
		cmocka_unit_test(test_all_images_are_rows_with_their_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
