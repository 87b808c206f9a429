/*
 * test_strace.c - lines as strace prints them, over recordings made by hand.
 */
#include "unit/form_subject.h"

#define CODE 0x400000
#define HEAP 0x55555558b000
#define BREAK 0x555555560000 /* where made recordings begin */
#define MAP 0x7f6541607000
#define ANONYMOUS 0x22
#define RW 3

/* malloc grows the heap, maps a block, the program maps and fails to; exits with 7. */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/usr/bin/tiny");

	mk_module(t, 1, 1, CODE, CODE + 0x1000, "/usr/bin/tiny");
	mk_syscall_inside(t, s, 1000, SYS_MEM_brk, MK_ARGS(0), HEAP, FUNC_MALLOC, MK_STACK());
	mk_syscall_inside(t, s, 2000, SYS_MEM_brk, MK_ARGS(HEAP + 0x21000), HEAP + 0x21000,
			  FUNC_MALLOC, MK_STACK());
	mk_malloc(t, s, 3000, HEAP + 0x2a0, 32, CODE + 0x1fc, CODE + 0x500);
	mk_syscall_inside(t, s, 4000, SYS_MEM_mmap,
			  MK_ARGS(0, 266240, RW, ANONYMOUS, UINT64_MAX, 0), MAP, FUNC_MALLOC, MK_STACK());
	mk_malloc_mapped(t, s, 5000, MAP + 16, 262144, CODE + 0x300);
	mk_syscall(t, s, 6000, SYS_MEM_mmap, MK_ARGS(0, 0, RW, ANONYMOUS, UINT64_MAX, 0), -22, 0,
		   CODE + 0x400);
	mk_free(t, s, 7000, MAP + 16);
	mk_syscall_inside(t, s, 7500, SYS_MEM_munmap, MK_ARGS(MAP, 266240), 0, FUNC_FREE,
			  MK_STACK(CODE + 0x600));
	mk_free(t, s, 8000, HEAP + 0x2a0);
	mk_exit(t, 1, 10000, 7 << 8);
	return t;
}

TEST(test_lines_are_straces)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "strace --no-startup",
		"brk(NULL)                               = 0x55555558b000\n"
		"brk(0x5555555ac000)                     = 0x5555555ac000\n"
		"mmap(NULL, 266240, PROT_READ|PROT_WRITE, "
		"MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f6541607000\n"
		"mmap(NULL, 0, PROT_READ|PROT_WRITE, "
		"MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = -1 EINVAL (Invalid argument)\n"
		"munmap(0x7f6541607000, 266240)          = 0\n"
		"+++ exited with 7 +++\n");
	mktrace_free(t);
}

TEST(test_cause_is_the_allocator_call_around_it)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "strace --no-startup --cause -e brk,munmap",
		"brk(NULL)                               = 0x55555558b000  <- malloc(32) at tiny+0x1fc\n"
		"brk(0x5555555ac000)                     = 0x5555555ac000  <- malloc(32) at tiny+0x1fc\n"
		"munmap(0x7f6541607000, 266240)          = 0  <- free(0x7f6541607010) at tiny+0x600\n"
		"+++ exited with 7 +++\n");
	mktrace_free(t);
}

TEST(test_stacks_are_those_of_the_allocator_call)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "strace --no-startup -k",
		"brk(NULL)                               = 0x55555558b000\n"
		" > /usr/bin/tiny() [0x1fd]\n"
		" > /usr/bin/tiny() [0x501]\n"
		"brk(0x5555555ac000)  ");
	assert_report_has(mktrace_file(t), "strace --no-startup -k",
		"-1 EINVAL (Invalid argument)\n"
		" > /usr/bin/tiny() [0x401]\n"
		"munmap(0x7f6541607000, 266240)          = 0\n"
		" > /usr/bin/tiny() [0x601]\n"
		"+++ exited");
	mktrace_free(t);
}

TEST(test_csv_has_cause_and_stack)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "strace --no-startup --format=csv",
		"time_s,pid,tid,name,args,result,source,cause,stack\n"
		"9.99e-07,100,100,brk,NULL,0x55555558b000,seen,malloc(32) at tiny+0x1fc,"
		"tiny+0x1fc;tiny+0x500\n");
	assert_report_has(mktrace_file(t), "strace --no-startup --format=csv",
		"mmap,\"NULL, 0, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0\","
		"-1 EINVAL (Invalid argument),seen,,tiny+0x400\n");
	mktrace_free(t);
}

TEST(test_json_has_the_stack_as_frames)
{
	struct mktrace *t = story();
	char *text = form_output(mktrace_file(t), "strace --no-startup --format=json");
	json_t *root = json_loads(text, 0, NULL);
	const json_t *first = json_array_get(root, 0);

	assert_int_equal(json_array_size(root), 5);
	assert_string_equal(json_string_value(json_object_get(first, "cause")),
			    "malloc(32) at tiny+0x1fc");
	assert_int_equal(json_array_size(json_object_get(first, "stack")), 2);
	json_decref(root);
	free(text);
	mktrace_free(t);
}

TEST(test_filters_by_name_and_by_outcome)
{
	struct mktrace *t = story();

	assert_report_lacks(mktrace_file(t), "strace -e brk", "mmap(");
	assert_report(mktrace_file(t), "strace -Z",
		"mmap(NULL, 0, PROT_READ|PROT_WRITE, "
		"MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = -1 EINVAL (Invalid argument)\n"
		"+++ exited with 7 +++\n");
	assert_report_lacks(mktrace_file(t), "strace -z", "EINVAL");
	mktrace_free(t);
}

TEST(test_prefixes_count_towards_the_column_of_results)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "strace --no-startup -r -T",
		"     0.000000 brk(NULL)                 = 0x55555558b000 <0.000000>\n"
		"     0.000001 brk(0x5555555ac000)       = 0x5555555ac000 <0.000000>\n");
	assert_report_has(mktrace_file(t), "strace -f -e munmap",
		"100   munmap(0x7f6541607000, 266240)    = 0\n"
		"100   +++ exited with 7 +++\n");
	assert_report_has(mktrace_file(t), "strace -a 12 -e brk", "\nbrk(0x5555555ac000) = 0x5555555ac000\n");
	mktrace_free(t);
}

TEST(test_what_was_there_before_the_library_is_marked)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_meta(t, META_REGION, "vvvvvs", (uint64_t)1, (uint64_t)1, (uint64_t)MAP,
		(uint64_t)MAP + 0x2000, (uint64_t)5, "/lib/libc.so.6");
	mk_meta(t, META_REGION, "vvvvvs", (uint64_t)1, (uint64_t)1, (uint64_t)MAP + 0x2000,
		(uint64_t)MAP + 0x3000, (uint64_t)(3 | 8), "");
	mk_meta(t, META_REGION, "vvvvvs", (uint64_t)1, (uint64_t)1, (uint64_t)MAP + 0x8000,
		(uint64_t)MAP + 0x9000, (uint64_t)3, "[stack]");
	mk_malloc(t, s, 1000, 0x1000, 8);
	assert_report(mktrace_file(t), "strace",
		"brk(NULL)                               = 0x555555560000 (startup)\n"
		"mmap(0x7f6541607000, 8192, PROT_READ|PROT_EXEC, "
		"MAP_PRIVATE, ?</lib/libc.so.6>, ?) = 0x7f6541607000 (startup)\n"
		"mmap(0x7f6541609000, 4096, PROT_READ|PROT_WRITE, "
		"MAP_SHARED|MAP_ANONYMOUS, -1, 0) = 0x7f6541609000 (startup)\n");
	assert_report_has(mktrace_file(t), "strace --format=csv -e brk",
			  "\n0,100,100,brk,NULL,0x555555560000,startup,,\n");
	mktrace_free(t);
}

TEST(test_inferred_calls_are_marked_and_have_no_duration)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_syscall(t, s, 1000, SYS_MEM_brk, MK_ARGS(0x2000), 0x2000, SYSCALL_INFERRED);
	mk_malloc(t, s, 2000, 0x1000, 8);
	assert_report(mktrace_file(t), "strace --no-startup -T",
		"brk(0x2000)                             = 0x2000 (inferred)\n");
	assert_report_has(mktrace_file(t), "strace --format=csv --no-startup", ",0x2000,inferred,");
	mktrace_free(t);
}

TEST(test_calls_of_threads_stand_in_the_order_in_which_they_were_entered)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "p");
	mk_stream b = mk_thread(t, 1, 101, 10, "worker");

	mk_syscall_inside(t, a, 1000, SYS_MEM_brk, MK_ARGS(0), 0x1000, FUNC_MALLOC, MK_STACK());
	mk_syscall(t, b, 1500, SYS_MEM_munmap, MK_ARGS(0x9000, 4096), 0, 0);
	mk_malloc(t, a, 2000, 0x2000, 8);
	assert_report(mktrace_file(t), "strace --no-startup -f --cause",
		"100   brk(NULL)                         = 0x1000  <- malloc(8)\n"
		"101   munmap(0x9000, 4096)              = 0\n");
	mktrace_free(t);
}

TEST(test_call_whose_allocator_call_never_ended_has_a_cause_without_arguments)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_syscall_inside(t, s, 1000, SYS_MEM_brk, MK_ARGS(0), 0x1000, FUNC_MALLOC, MK_STACK());
	assert_report(mktrace_file(t), "strace --no-startup --cause",
		"brk(NULL)                               = 0x1000  <- malloc(?)\n");
	mktrace_free(t);
}

TEST(test_table_splits_brk_into_grow_and_trim)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_syscall(t, s, 1000, SYS_MEM_brk, MK_ARGS(0), BREAK, 0);
	mk_syscall(t, s, 2000, SYS_MEM_brk, MK_ARGS(BREAK + 0x21000), BREAK + 0x21000, 0);
	mk_syscall(t, s, 3000, SYS_MEM_brk, MK_ARGS(BREAK + 0x1000), BREAK + 0x1000, 0);
	mk_syscall(t, s, 4000, SYS_MEM_brk, MK_ARGS(1), BREAK + 0x1000, 0);
	mk_syscall(t, s, 5000, SYS_MEM_mprotect, MK_ARGS(1, 1, 1), -22, 0);
	assert_report(mktrace_file(t), "strace -c -S calls",
		"% time     seconds  usecs/call     calls    errors syscall\n"
		"------ ----------- ----------- --------- --------- ----------------\n"
		" 80.00    0.000000           0         4           brk\n"
		" 20.00    0.000000           0         1         1 mprotect\n"
		"------ ----------- ----------- --------- --------- ----------------\n"
		"100.00    0.000000           0         5         1 total\n"
		"\n"
		"brk            calls  moved the break by\n"
		"  grow             1  +132.0 KiB\n"
		"  trim             1  -128.0 KiB\n"
		"  refused          1  (the answer was the break as it is)\n"
		"  asked            1  (brk(NULL): where is it)\n");
	assert_report_has(mktrace_file(t), "strace -c -e brk --format=csv",
			  ",4,0,1,1,135168,131072,0,brk\n");
	assert_report_lacks(mktrace_file(t), "strace -c -e brk", "mprotect");
	mktrace_free(t);
}

TEST(test_table_has_the_columns_asked_for)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_syscall(t, s, 1000, SYS_MEM_mprotect, MK_ARGS(1, 1, 1), -22, 0);
	mk_syscall(t, s, 5000, SYS_MEM_set_mempolicy_home_node, MK_ARGS(0, 0, 0, 0), 0, 0);
	mk_exit(t, 1, 9000, 0);
	assert_report(mktrace_file(t), "strace -c -U name,errors,min-time,longest -S name",
		"syscall                     errors shortest  longest\n"
		"------------------------ --------- -------- --------\n"
		"mprotect                         1 0.000000 0.000000\n"
		"set_mempolicy_home_node            0.000000 0.000000\n"
		"------------------------ --------- -------- --------\n"
		"total                            1 0.000000 0.000000\n");
	/* the name is there in any case */
	assert_report(mktrace_file(t), "strace -c -U calls -S none -e mprotect",
		"    calls syscall\n"
		"--------- ----------------\n"
		"        1 mprotect\n"
		"--------- ----------------\n"
		"        1 total\n");
	assert_report_has(mktrace_file(t), "strace -C -U calls --no-startup",
			  "+++\n    calls syscall\n");
	mktrace_free(t);
}

TEST(test_recording_without_system_calls_is_refused_with_the_option)
{
	struct mktrace *t = mktrace_new();
	char *args[] = { (char *)"strace", NULL, NULL };

	mk_meta(t, META_PROCESS, "vvvvvvvvssssvvvvv", (uint64_t)1, (uint64_t)100, (uint64_t)1,
		(uint64_t)0, (uint64_t)0, (uint64_t)1, (uint64_t)0,
		(uint64_t)FEATURE_GLIBC_MALLOC, "p", "p", "/", "glibc 2.36", (uint64_t)0,
		(uint64_t)0, (uint64_t)1, (uint64_t)4096, (uint64_t)0);
	args[1] = (char *)mktrace_file(t);
	assert_int_equal(command_run_form(form_find("strace"), 2, args), STATUS_USAGE);
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_straces),
		cmocka_unit_test(test_cause_is_the_allocator_call_around_it),
		cmocka_unit_test(test_stacks_are_those_of_the_allocator_call),
		cmocka_unit_test(test_csv_has_cause_and_stack),
		cmocka_unit_test(test_json_has_the_stack_as_frames),
		cmocka_unit_test(test_filters_by_name_and_by_outcome),
		cmocka_unit_test(test_prefixes_count_towards_the_column_of_results),
		cmocka_unit_test(test_what_was_there_before_the_library_is_marked),
		cmocka_unit_test(test_inferred_calls_are_marked_and_have_no_duration),
		cmocka_unit_test(test_calls_of_threads_stand_in_the_order_in_which_they_were_entered),
		cmocka_unit_test(test_call_whose_allocator_call_never_ended_has_a_cause_without_arguments),
		cmocka_unit_test(test_table_splits_brk_into_grow_and_trim),
		cmocka_unit_test(test_table_has_the_columns_asked_for),
		cmocka_unit_test(test_recording_without_system_calls_is_refused_with_the_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
