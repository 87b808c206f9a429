/*
 * test_massif.c - the report `massif` on recordings made by hand.
 */
#include "form_subject.h"

#define HEAP_ROOT "(heap allocation functions) malloc/new/new[], --alloc-fns, etc."

/* Two blocks of 100 and 1000, the larger freed, a small one at the end. */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");

	mk_malloc(t, s, 1001001, 0x10000, 100, 0x1100, 0x1200);
	mk_malloc(t, s, 2001001, 0x20000, 1000, 0x1300, 0x1200);
	mk_free(t, s, 3001001, 0x20000);
	mk_malloc(t, s, 4001001, 0x30000, 1, 0x1100, 0x1200);
	return t;
}

TEST(test_file_has_every_snapshot_and_the_tree_of_the_peak)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "massif --format=massif --detailed-freq=100",
		"desc: --time-unit=B --threshold=1 --peak-inaccuracy=0 --max-snapshots=100 "
		"--detailed-freq=100 --depth=30 (allotrope)\n"
		"cmd: prog\n"
		"time_unit: B\n"
		"#-----------\nsnapshot=0\n#-----------\n"
		"time=0\nmem_heap_B=0\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=empty\n"
		"#-----------\nsnapshot=1\n#-----------\n"
		"time=120\nmem_heap_B=100\nmem_heap_extra_B=20\nmem_stacks_B=0\nheap_tree=empty\n"
		"#-----------\nsnapshot=2\n#-----------\n"
		"time=1136\nmem_heap_B=1100\nmem_heap_extra_B=36\nmem_stacks_B=0\nheap_tree=empty\n"
		"#-----------\nsnapshot=3\n#-----------\n"
		"time=1136\nmem_heap_B=1100\nmem_heap_extra_B=36\nmem_stacks_B=0\nheap_tree=peak\n"
		"n2: 1100 " HEAP_ROOT "\n"
		" n1: 1000 0x1300: \?\?\?\n"
		"  n0: 1000 0x1200: \?\?\?\n"
		" n1: 100 0x1100: \?\?\?\n"
		"  n0: 100 0x1200: \?\?\?\n"
		"#-----------\nsnapshot=4\n#-----------\n"
		"time=2152\nmem_heap_B=100\nmem_heap_extra_B=20\nmem_stacks_B=0\nheap_tree=empty\n"
		"#-----------\nsnapshot=5\n#-----------\n"
		"time=2176\nmem_heap_B=101\nmem_heap_extra_B=43\nmem_stacks_B=0\nheap_tree=empty\n");
	mktrace_free(t);
}

TEST(test_time_is_calls_or_milliseconds)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "massif --format=csv --time-unit=calls",
			  ",3,peak,2,1136,1100,36,0\n");
	assert_report_has(mktrace_file(t), "massif --format=massif --time-unit=calls", "time_unit: i\n");
	assert_report_has(mktrace_file(t), "massif --format=massif --time-unit=ms",
			  "time_unit: ms\n");
	assert_report_has(mktrace_file(t), "massif --format=massif --time-unit=ms",
			  "time=2.001\nmem_heap_B=1100\n");
	mktrace_free(t);
}

TEST(test_below_the_threshold_is_one_line)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "massif --format=massif --threshold=50",
			  " n1: 1000 0x1300: \?\?\?\n"
			  "  n0: 1000 0x1200: \?\?\?\n"
			  " n0: 100 in 1 place, below massif's threshold (50.00%)\n");
	assert_report_has(mktrace_file(t), "massif --format=massif --threshold=100",
			  "n1: 1100 " HEAP_ROOT "\n"
			  " n0: 1100 in 2 places, all below massif's threshold (100.00%)\n");
	mktrace_free(t);
}

TEST(test_depth_cuts_call_stacks)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "massif --format=massif --depth=1",
			  " n0: 1000 0x1300: \?\?\?\n n0: 100 0x1100: \?\?\?\n");
	mktrace_free(t);
}

TEST(test_a_peak_at_the_end_is_found)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");

	for (uint64_t i = 1; i <= 5000; i++)
		mk_malloc(t, s, 10 * i, i * 0x1000, 8, 0x1100);
	assert_report_has(mktrace_file(t), "massif --format=csv", "peak,120000,120000,40000,80000,0\n");
	mktrace_free(t);
}

TEST(test_useful_bytes_at_the_peak_are_those_just_before_the_release)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");

	/* grows within its room of 16 bytes: the total stays 24 */
	mk_malloc(t, s, 10, 0x1000, 1, 0x1100);
	mk_realloc(t, s, 20, 0x1000, 0x1000, 16, 0x1200);
	mk_free(t, s, 30, 0x1000);
	/* as much again, and not the first time */
	mk_malloc(t, s, 40, 0x1000, 3, 0x1300);
	assert_report_has(mktrace_file(t), "massif --format=massif",
			  "mem_heap_B=16\nmem_heap_extra_B=8\nmem_stacks_B=0\nheap_tree=peak\n"
			  "n1: 16 " HEAP_ROOT "\n n0: 16 0x1200: \?\?\?\n");
	mktrace_free(t);
}

TEST(test_inaccurate_peaks_are_taken_before_releases)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");

	mk_malloc(t, s, 10, 0x1000, 1000, 0x1100);
	mk_free(t, s, 20, 0x1000);
	mk_malloc(t, s, 30, 0x1000, 1050, 0x1200);
	mk_free(t, s, 40, 0x1000);
	mk_malloc(t, s, 50, 0x1000, 2000, 0x1300);
	mk_free(t, s, 60, 0x1000);
	assert_report_has(mktrace_file(t), "massif --format=csv --peak-inaccuracy=10",
			  "detailed,1016,1016,1000,16,0\n");
	assert_report_has(mktrace_file(t), "massif --format=csv --peak-inaccuracy=10",
			  "peak,6168,2008,2000,8,0\n");
	assert_report_has(mktrace_file(t), "massif --format=massif --peak-inaccuracy=10",
			  "heap_tree=peak\nn1: 2000 " HEAP_ROOT "\n n0: 2000 0x1300: \?\?\?\n");
	mktrace_free(t);
}

TEST(test_at_a_moment_the_last_snapshot_is_that_moment)
{
	struct mktrace *t = story();
	char *text = form_output(mktrace_file(t), "massif --format=massif --at=0.0035s --detailed-freq=100");

	/* after the free: 100 bytes, with their tree, as the last snapshot */
	assert_non_null(strstr(text, "heap_tree=detailed\nn1: 100 " HEAP_ROOT "\n"
				     " n1: 100 0x1100: \?\?\?\n  n0: 100 0x1200: \?\?\?\n"));
	assert_null(strstr(text, "mem_heap_B=101"));
	free(text);
	mktrace_free(t);
}

TEST(test_window_has_its_own_peak_and_begins_with_what_was_live)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "massif --format=csv --since=0.0035s",
			  "normal,0,120,100,20,0\n");
	assert_report_has(mktrace_file(t), "massif --format=csv --since=0.0035s",
			  "peak,24,144,101,43,0\n");
	/* only less and less: the peak is what it began with */
	assert_report_has(mktrace_file(t), "massif --format=massif --since=0.0025s --until=0.0035s",
			  "time=0\nmem_heap_B=1100\nmem_heap_extra_B=36\nmem_stacks_B=0\nheap_tree=peak\n"
			  "n2: 1100 ");
	mktrace_free(t);
}

TEST(test_exact_extra_is_the_allocators)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");

	mk_usable(t, s, 24);
	mk_malloc(t, s, 10, 0x1000, 1, 0x1100);
	assert_report_has(mktrace_file(t), "massif --format=csv", "peak,24,24,1,23,0\n");
	assert_report_has(mktrace_file(t), "massif --format=csv --exact-extra", "peak,32,32,1,31,0\n");
	mktrace_free(t);
}

TEST(test_memory_that_the_program_maps_is_no_snapshot)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");

	mk_malloc(t, s, 10, 0x1000, 100, 0x1100);
	mk_syscall(t, s, 30, SYS_MEM_mmap, MK_ARGS(0, 5000, 3, 0x22, (uint64_t)-1, 0), 0x700000, 0,
		   0x1200);
	/* the start, the block, the peak */
	assert_report_has(mktrace_file(t), "massif", "Number of snapshots: 3\n");
	mktrace_free(t);
}

TEST(test_pages_are_those_of_the_system_calls)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");

	mk_syscall_inside(t, s, 10, SYS_MEM_brk, MK_ARGS(0x100000), 0x100000, FUNC_MALLOC,
			  MK_STACK(0x1100));
	mk_syscall_inside(t, s, 20, SYS_MEM_brk, MK_ARGS(0x121000), 0x121000, FUNC_MALLOC,
			  MK_STACK(0x1100));
	mk_syscall(t, s, 30, SYS_MEM_mmap, MK_ARGS(0, 5000, 3, 0x22, (uint64_t)-1, 0), 0x700000, 0,
		   0x1200);
	mk_syscall(t, s, 40, SYS_MEM_munmap, MK_ARGS(0x700000, 4096), 0, 0, 0x1300);
	mk_syscall_inside(t, s, 50, SYS_MEM_brk, MK_ARGS(0x101000), 0x101000, FUNC_FREE,
			  MK_STACK(0x1100));
	assert_report_has(mktrace_file(t), "massif --pages-as-heap --format=massif",
			  "mem_heap_B=143360\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=peak\n"
			  "n2: 143360 (page allocation syscalls) mmap/mremap/brk, --alloc-fns, etc.\n"
			  " n0: 135168 0x1100: \?\?\?\n"
			  " n0: 8192 0x1200: \?\?\?\n");
	assert_report_has(mktrace_file(t), "massif --pages-as-heap --format=csv",
			  ",278528,8192,8192,0,0\n");
	mktrace_free(t);
}

TEST(test_a_program_without_heap_calls_has_an_empty_picture)
{
	struct mktrace *t = mktrace_new();

	mk_process(t, 1, 100, "prog");
	assert_report_has(mktrace_file(t), "massif", "Number of snapshots: 1\n Detailed snapshots: []\n");
	mktrace_free(t);
}

TEST(test_names_cannot_break_the_file)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "a\nsnapshot=5");

	mk_module(t, 1, 2, 0x1000, 0x2000, "/x/\nheap_tree=peak");
	mk_malloc(t, s, 10, 0x5000, 1, 0x1100);
	assert_report_lacks(mktrace_file(t), "massif --format=massif", "\nsnapshot=5");
	assert_report_has(mktrace_file(t), "massif --format=massif",
			  " n0: 1 0x1100: \?\?\? (in /x/\\nheap_tree=peak)\n");
	mktrace_free(t);
}

TEST(test_a_child_begins_with_what_it_inherited)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog"), c;

	mk_malloc(t, s, 10, 0x1000, 1000, 0x1100);
	c = mk_fork(t, 2, 200, 1, 20);
	mk_free(t, c, 30, 0x1000);
	mk_malloc(t, c, 40, 0x1000, 8, 0x1200);
	assert_report_has(mktrace_file(t), "massif --pid=200 --format=csv",
			  "200,0,2,normal,24,24,8,16,0\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_has_every_snapshot_and_the_tree_of_the_peak),
		cmocka_unit_test(test_time_is_calls_or_milliseconds),
		cmocka_unit_test(test_below_the_threshold_is_one_line),
		cmocka_unit_test(test_depth_cuts_call_stacks),
		cmocka_unit_test(test_a_peak_at_the_end_is_found),
		cmocka_unit_test(test_useful_bytes_at_the_peak_are_those_just_before_the_release),
		cmocka_unit_test(test_inaccurate_peaks_are_taken_before_releases),
		cmocka_unit_test(test_at_a_moment_the_last_snapshot_is_that_moment),
		cmocka_unit_test(test_window_has_its_own_peak_and_begins_with_what_was_live),
		cmocka_unit_test(test_exact_extra_is_the_allocators),
		cmocka_unit_test(test_memory_that_the_program_maps_is_no_snapshot),
		cmocka_unit_test(test_pages_are_those_of_the_system_calls),
		cmocka_unit_test(test_a_program_without_heap_calls_has_an_empty_picture),
		cmocka_unit_test(test_names_cannot_break_the_file),
		cmocka_unit_test(test_a_child_begins_with_what_it_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
