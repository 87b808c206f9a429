/*
 * test_sites.c - who allocated. Code without symbols is called by object and address.
 */
#include "unit/form_subject.h"

#define MAIN 0x400000
#define LIB  0x500000

static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_module(t, 1, 1, LIB, LIB + 0x1000, "/lib/libq.so");
	mk_malloc(t, s, 1000, 0x1000, 100, LIB + 1, MAIN + 1);
	mk_malloc(t, s, 2000, 0x2000, 200, LIB + 1, MAIN + 2);
	mk_malloc(t, s, 3000, 0x3000, 50, MAIN + 3);
	mk_free(t, s, 4000, 0x2000);
	mk_malloc(t, s, 5000, 0x2000, 10, LIB + 1, MAIN + 1);
	mk_syscall(t, s, 6000, SYS_MEM_mmap, MK_ARGS(0, 8192, 3, 34, -1, 0), 0x7f0000000000, 0,
		   MAIN + 4);
	return t;
}

#define HEADER "kind,blocks,bytes,peak_blocks,peak_bytes,end_blocks,end_bytes,function,file,line," \
	       "stack,temporary_blocks,temporary_bytes,pid,exec\n"

TEST(test_csv_has_a_row_for_each_call_stack)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "sites --format=csv --sort=peak_bytes",
		HEADER
		"mapping,1,8192,1,8192,1,8192,p+0x4,,,p+0x4,0,0,100,0\n"
		"heap,1,200,1,200,0,0,libq.so+0x1,,,libq.so+0x1;p+0x2,0,0,100,0\n"
		"heap,2,110,1,100,2,110,libq.so+0x1,,,libq.so+0x1;p+0x1,0,0,100,0\n"
		"heap,1,50,1,50,1,50,p+0x3,,,p+0x3,0,0,100,0\n");
	mktrace_free(t);
}

TEST(test_depth_adds_up_stacks_that_become_alike)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "sites --format=csv --depth=1 --sort=blocks --top=1",
		HEADER
		"heap,3,310,2,300,2,110,libq.so+0x1,,,libq.so+0x1,0,0,100,0\n");
	mktrace_free(t);
}

TEST(test_rows_can_be_sorted_by_any_figure)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "sites --format=csv --sort=end_bytes", HEADER "mapping,");
	assert_report_has(mktrace_file(t), "sites --format=csv --sort=blocks", HEADER "heap,2,110,");
	assert_report_has(mktrace_file(t), "sites --format=csv --sort=-end_bytes", HEADER "heap,1,200,");
	mktrace_free(t);
}

TEST(test_text_shows_the_frames_under_the_figures)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "sites --top=1 --sort=blocks",
		"kind  at peak  blocks  in all  blocks  at end  blocks\n"
		"heap    100 B       1   110 B       2   110 B       2\n"
		"    libq.so+0x1\n"
		"      p+0x1\n"
		"\n1 of 4 call stacks, 40.0 % of blocks; --top=0 shows all\n");
	mktrace_free(t);
}

TEST(test_long_stacks_are_cut_in_text_and_say_so)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1000, 0x1000, 100, MAIN + 1, MAIN + 2, MAIN + 3, MAIN + 4, MAIN + 5, MAIN + 6,
		  MAIN + 7, MAIN + 8, MAIN + 9, MAIN + 10);
	assert_report_has(mktrace_file(t), "sites", "      p+0x8\n      ... 2 more: --depth=0\n");
	assert_report_has(mktrace_file(t), "sites --depth=0", "      p+0x8\n      p+0x9\n      p+0xa\n");
	mktrace_free(t);
}

TEST(test_call_without_a_stack_is_said_to_have_none)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_malloc(t, s, 1000, 0x1000, 100);
	assert_report_has(mktrace_file(t), "sites", "    (no call stack)\n");
	assert_report_has(mktrace_file(t), "sites --format=csv", "\nheap,1,100,1,100,1,100,,,,,0,0,100,0\n");
	mktrace_free(t);
}

TEST(test_all_images_are_rows_with_their_process)
{
	struct mktrace *t = story();
	mk_stream c = mk_fork(t, 2, 101, 1, 7000);

	mk_malloc(t, c, 8000, 0x8000, 64, MAIN + 9);
	assert_report_has(mktrace_file(t), "sites --format=csv --all --sort=blocks",
		"p+0x9,0,0,101,0\n");
	assert_report_has(mktrace_file(t), "sites", "1 of 2: /bin/p (pid 100); others: --pid, --all\n");
	assert_report_has(mktrace_file(t), "sites --pid=101", "2 of 2: /bin/p (pid 101)\n");
	mktrace_free(t);
}

TEST(test_window_has_its_own_peak)
{
	struct mktrace *t = story();

	/* after 2 us 100 bytes of the first site are live; all else comes later */
	assert_report(mktrace_file(t), "sites --format=csv --since=2500ns --until=4us",
		HEADER
		"heap,0,0,1,200,0,0,libq.so+0x1,,,libq.so+0x1;p+0x2,0,0,100,0\n"
		"heap,0,0,1,100,1,100,libq.so+0x1,,,libq.so+0x1;p+0x1,0,0,100,0\n"
		"heap,1,50,1,50,1,50,p+0x3,,,p+0x3,0,0,100,0\n");
	/* the whole's peak lies before this window; its own is reached with its first call */
	assert_report(mktrace_file(t), "sites --format=csv --since=4500ns --until=5500ns",
		HEADER
		"heap,1,10,2,110,2,110,libq.so+0x1,,,libq.so+0x1;p+0x1,0,0,100,0\n"
		"heap,0,0,1,50,1,50,p+0x3,,,p+0x3,0,0,100,0\n");
	mktrace_free(t);
}

TEST(test_unfinished_recording_may_be_in_the_making)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_unfinished(t), "sites",
		"note: the recording is being made, or was cut short: what is not in it yet is\n"
		"      missing\n");
	mktrace_free(t);
}

TEST(test_empty_window_says_so)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");
	const char *path;

	mk_malloc(t, s, 1000, 0x1000, 100);
	mk_free(t, s, 2000, 0x1000);
	mk_malloc(t, s, 9000, 0x1000, 100);
	path = mktrace_file(t);
	assert_report_has(path, "sites --since=4us --until=5us", "note: nothing happened in this window");
	assert_report_has(path, "sizes --since=4us --until=5us", "note: nothing happened in this window");
	assert_report_lacks(path, "sites --since=4us", "nothing happened");
	assert_report_lacks(path, "sizes --since=4us", "nothing happened");
	mktrace_free(t);
}

TEST(test_json_has_the_frames)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "sites --format=json --sort=blocks --top=1",
		"\"frames\":[{\"function\":\"libq.so+0x1\",\"file\":null,\"line\":null,"
		"\"module\":\"/lib/libq.so\"},");
	mktrace_free(t);
}

#define LIFE_HEADER "kind,blocks,bytes,peak_blocks,peak_bytes,end_blocks,end_bytes,function,file,line," \
		    "stack,temporary_blocks,temporary_bytes,pid,exec,freed_blocks,lifetime_min_ns," \
		    "lifetime_median_ns,lifetime_p99_ns,lifetime_max_ns\n"

TEST(test_lifetimes_are_those_of_released_blocks)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	for (uint64_t i = 1; i <= 10; i++)
		mk_malloc(t, s, 1000 * i, 0x1000 * i, 100, MAIN + 1);
	for (uint64_t i = 1; i <= 9; i++)
		mk_free(t, s, 19000 + 1000 * i, 0x1000 * i);
	mk_realloc(t, s, 40000, 0xa000, 0xb000, 300, MAIN + 2);
	assert_report(mktrace_file(t), "sites --lifetimes --format=csv",
		LIFE_HEADER
		"heap,10,1000,10,1000,0,0,p+0x1,,,p+0x1,0,0,100,0,10,19000,19199,30001,30001\n"
		"heap,1,300,0,0,1,300,p+0x2,,,p+0x2,0,0,100,0,0,,,,\n");
	/* the order asks for them too; of a window only what was released in it */
	assert_report_has(mktrace_file(t), "sites --sort=lifetime_max_ns --format=csv --since=39us",
		LIFE_HEADER "heap,0,0,");
	assert_report_has(mktrace_file(t), "sites --sort=lifetime_max_ns --format=csv --since=39us",
		",1,30001,30001,30001,30001\n");
	assert_report_has(mktrace_file(t), "sites --lifetimes --top=1",
		"kind  in all  blocks  freed  lived min   median    p99    max\n"
		"heap  1000 B      10     10      19 us  19.2 us  30 us  30 us\n");
	mktrace_free(t);
}

TEST(test_losses_stand_under_the_table)
{
	struct mktrace *t = story();
	mk_stream s = mk_thread(t, 1, 102, 7000, "late");

	mk_loss(t, s, 8000, LOSS_NO_SLOT, 1234);
	mk_free(t, s, 9000, 0xdead0);
	assert_report_has(mktrace_file(t), "sites",
		"\nnote: 1,234 events lost: the ring was full and the recorder did not keep up\n");
	assert_report_has(mktrace_file(t), "sites",
		"\nnote: pid 100: 1 free of blocks that were never seen or were free already, the\n"
		"      first at 0xdead0 9 us into the recording\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_has_a_row_for_each_call_stack),
		cmocka_unit_test(test_depth_adds_up_stacks_that_become_alike),
		cmocka_unit_test(test_rows_can_be_sorted_by_any_figure),
		cmocka_unit_test(test_text_shows_the_frames_under_the_figures),
		cmocka_unit_test(test_long_stacks_are_cut_in_text_and_say_so),
		cmocka_unit_test(test_call_without_a_stack_is_said_to_have_none),
		cmocka_unit_test(test_all_images_are_rows_with_their_process),
		cmocka_unit_test(test_window_has_its_own_peak),
		cmocka_unit_test(test_unfinished_recording_may_be_in_the_making),
		cmocka_unit_test(test_empty_window_says_so),
		cmocka_unit_test(test_json_has_the_frames),
		cmocka_unit_test(test_lifetimes_are_those_of_released_blocks),
		cmocka_unit_test(test_losses_stand_under_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
