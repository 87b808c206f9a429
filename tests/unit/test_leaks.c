/*
 * test_leaks.c - what is live at the end. Code without symbols is called by object and
 * address.
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
	mk_calloc(t, s, 3000, 0x3000, 5, 10, MAIN + 3);
	mk_free(t, s, 4000, 0x2000);
	mk_malloc(t, s, 5000, 0x2000, 10, LIB + 1, MAIN + 1);
	mk_syscall(t, s, 6000, SYS_MEM_mmap, MK_ARGS(0, 8192, 3, 34, -1, 0), 0x7f0000000000, 0,
		   MAIN + 4);
	mk_syscall(t, s, 7000, SYS_MEM_munmap, MK_ARGS(0x7f0000000000, 4096), 0, 0, MAIN + 4);
	return t;
}

#define HEADER "blocks,bytes,function,file,line,stack,kind,all_blocks,all_bytes,pid,exec\n"

/* A file of suppressions; removed with the next one. */
static const char *file_of(const char *text)
{
	static char name[64];
	FILE *f;

	if (*name)
		unlink(name);
	snprintf(name, sizeof(name), "/tmp/test_leaks.%d", (int)getpid());
	f = fopen(name, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return name;
}

static int status_of(const char *path, const char *option)
{
	char *args[] = {
		(char *)"leaks", (char *)option, (char *)"-o", (char *)"/dev/null", (char *)path, NULL,
	};

	return command_run_form(form_find("leaks"), 5, args);
}

TEST(test_csv_has_a_row_for_each_stack_that_leaks)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "leaks --format=csv",
		HEADER
		"2,110,libq.so+0x1,,,libq.so+0x1;p+0x1,heap,2,110,100,0\n"
		"1,50,p+0x3,,,p+0x3,heap,1,50,100,0\n");
	assert_report(mktrace_file(t), "leaks --format=csv --kind=mapping",
		HEADER
		"1,4096,p+0x4,,,p+0x4,mapping,1,8192,100,0\n");
	assert_report(mktrace_file(t), "leaks --format=csv --kind=all --top=1 --sort=blocks",
		HEADER
		"2,110,libq.so+0x1,,,libq.so+0x1;p+0x1,heap,2,110,100,0\n");
	mktrace_free(t);
}

TEST(test_text_does_not_claim_to_know_what_is_reachable)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "leaks",
		"Live at the end: 3 blocks, 160 B (160 bytes) by 2 call stacks. Allocated and not\n"
		"freed; whether something still points to them is not known.\n"
		"\n"
		"bytes  blocks  of  kind\n"
		"110 B       2   2  heap\n"
		"    libq.so+0x1\n"
		"      p+0x1\n"
		" 50 B       1   1  heap\n"
		"    p+0x3\n"
		"\n"
		"note: memory that the program mapped itself is live too: 1 block, 4.0 KiB;\n"
		"      --kind=all lists it\n");
	mktrace_free(t);
}

TEST(test_at_shows_what_was_live_then)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "leaks --at=2500ns", "Live at 2500ns: 2 blocks, 300 B");
	assert_report(mktrace_file(t), "leaks --format=csv --at=2500ns --sort=-bytes",
		HEADER
		"1,100,libq.so+0x1,,,libq.so+0x1;p+0x1,heap,1,100,100,0\n"
		"1,200,libq.so+0x1,,,libq.so+0x1;p+0x2,heap,1,200,100,0\n");
	mktrace_free(t);
}

TEST(test_since_counts_only_what_was_born_since)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "leaks --format=csv --since=4500ns --kind=all",
		HEADER
		"1,4096,p+0x4,,,p+0x4,mapping,1,8192,100,0\n"
		"1,10,libq.so+0x1,,,libq.so+0x1;p+0x1,heap,1,10,100,0\n");
	mktrace_free(t);
}

TEST(test_mapping_with_a_hole_is_one_block)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_syscall(t, s, 6000, SYS_MEM_mmap, MK_ARGS(0, 12288, 3, 34, -1, 0), 0x7f0000000000, 0,
		   MAIN + 4);
	mk_syscall(t, s, 7000, SYS_MEM_munmap, MK_ARGS(0x7f0000001000, 4096), 0, 0, MAIN + 4);
	assert_report_has(mktrace_file(t), "leaks --format=csv --since=1us --kind=all", "\n1,8192,");
	assert_report_has(mktrace_file(t), "leaks --format=csv --kind=all", "\n1,8192,");
	mktrace_free(t);
}

TEST(test_suppressed_stacks_are_left_out_and_counted)
{
	struct mktrace *t = story();
	char words[200];

	snprintf(words, sizeof(words), "leaks --suppressions=%s", file_of("leak:libq\n"));
	assert_report_has(mktrace_file(t), words, "Live at the end: 1 block, 50 B");
	assert_report_has(mktrace_file(t), words,
		"\nsuppressed  blocks  by\n     110 B       2  'libq' (/tmp/");
	snprintf(words, sizeof(words), "leaks --suppressions=%s",
		 file_of("{\n all of it\n Memcheck:Leak\n match-leak-kinds: definite\n fun:c?lloc\n}\n"
			 "{\n the rest\n Memcheck:Leak\n fun:malloc\n obj:/lib/libq.so\n}\n"));
	assert_report_has(mktrace_file(t), words, "Nothing beside what is suppressed is live at the end.\n");
	assert_report_has(mktrace_file(t), words, "      50 B       1  'all of it' (/tmp/");
	assert_report_has(mktrace_file(t), words, "     110 B       2  'the rest' (/tmp/");
	assert_report_has(mktrace_file(t), words, "note: suppressed: 3 blocks, 160 B in all\n");
	assert_report_has(mktrace_file(t), words, "note: match-leak-kinds is not looked at");
	snprintf(words, sizeof(words), "leaks --suppressions=%s", file_of("leak:never\n"));
	assert_report_has(mktrace_file(t), words, "note: the 1 suppression matched nothing\n");
	file_of("");
	mktrace_free(t);
}

TEST(test_error_if_is_the_exit_status)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);
	char words[200];

	assert_int_equal(status_of(path, "--error-if=160"), STATUS_OK);
	assert_int_equal(status_of(path, "--error-if=159"), STATUS_CONDITION);
	assert_int_equal(status_of(path, "--error-if=1K"), STATUS_OK);
	assert_int_equal(status_of(path, "--top=1"), STATUS_OK);
	snprintf(words, sizeof(words), "--suppressions=%s", file_of("leek:x\n"));
	assert_int_equal(status_of(path, words), STATUS_USAGE);
	assert_int_equal(status_of(path, "--suppressions=/nowhere"), STATUS_IO);
	file_of("");
	mktrace_free(t);
}

TEST(test_child_has_what_it_inherited)
{
	struct mktrace *t = story();
	mk_stream c = mk_fork(t, 2, 101, 1, 7500);

	mk_malloc(t, c, 8000, 0x8000, 64, MAIN + 9);
	mk_free(t, c, 8500, 0x1000);
	assert_report(mktrace_file(t), "leaks --format=csv --pid=101",
		HEADER
		"1,64,p+0x9,,,p+0x9,heap,1,64,101,0\n"
		"1,50,p+0x3,,,p+0x3,heap,1,50,101,0\n"
		"1,10,libq.so+0x1,,,libq.so+0x1;p+0x1,heap,2,110,101,0\n");
	assert_report(mktrace_file(t), "leaks --format=csv --pid=101 --since=7900ns",
		HEADER
		"1,64,p+0x9,,,p+0x9,heap,1,64,101,0\n");
	mktrace_free(t);
}

TEST(test_json_has_the_frames)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "leaks --format=json --top=1",
		"\"frames\":[{\"function\":\"libq.so+0x1\",");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_has_a_row_for_each_stack_that_leaks),
		cmocka_unit_test(test_text_does_not_claim_to_know_what_is_reachable),
		cmocka_unit_test(test_at_shows_what_was_live_then),
		cmocka_unit_test(test_since_counts_only_what_was_born_since),
		cmocka_unit_test(test_mapping_with_a_hole_is_one_block),
		cmocka_unit_test(test_suppressed_stacks_are_left_out_and_counted),
		cmocka_unit_test(test_error_if_is_the_exit_status),
		cmocka_unit_test(test_child_has_what_it_inherited),
		cmocka_unit_test(test_json_has_the_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
