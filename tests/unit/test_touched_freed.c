/*
 * test_touched_freed.c - `sites --touched=freed`: the table and its notes.
 */
#include "look_record.h"
#include "unit/form_subject.h"

#define MAIN 0x400000
#define MIB ((uint64_t)1 << 20)

#define HEADER "kind,blocks,looked,asked,resident,untouched,function,file,line,stack,mapped,pid,exec\n"

static mk_stream begin(struct mktrace **t)
{
	mk_stream s;

	*t = mktrace_new();
	s = mk_process(*t, 1, 100, "/bin/p");
	mk_module(*t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	return s;
}

static struct mktrace *story(void)
{
	struct mktrace *t;
	mk_stream s = begin(&t);

	mk_malloc_mapped(t, s, 10, 0x10000010, MIB, MAIN + 1, MAIN + 9);
	mk_free(t, s, 20, 0x10000010);
	/* the mapping is a page longer than 1 MiB; its first page was touched */
	mk_look(t, s, 21, 1, MIB, LOOK_LAST_ABSENT);
	mk_malloc_mapped(t, s, 30, 0x10000010, MIB, MAIN + 1, MAIN + 8);
	mk_free(t, s, 40, 0x10000010);
	mk_look(t, s, 41, 1, 0, 0);
	return t;
}

TEST(test_csv_has_a_row_for_each_call_stack)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "sites --touched=freed --format=csv",
		HEADER
		"heap,1,1,1048576,4080,1044496,p+0x1,,,p+0x1;p+0x9,1,100,0\n"
		"heap,1,1,1048576,1048576,0,p+0x1,,,p+0x1;p+0x8,1,100,0\n");
	assert_report(mktrace_file(t), "sites --touched=freed --format=csv --depth=1",
		HEADER
		"heap,2,2,2097152,1052656,1044496,p+0x1,,,p+0x1,2,100,0\n");
	mktrace_free(t);
}

TEST(test_text_has_a_line_for_each_site)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "sites --touched=freed",
		"blocks of 64 KiB and more that were released:\n\n"
		"freed  looked at    asked  resident <=  untouched >=  allocation site\n"
		"    2          2  2.0 MiB      1.0 MiB    1020.0 KiB  p+0x1\n");
	assert_report_has(mktrace_file(t), "sites --touched=freed", "had a mapping of its own");
	mktrace_free(t);
}

TEST(test_what_was_not_looked_at_is_not_known)
{
	struct mktrace *t;
	mk_stream s = begin(&t);

	mk_malloc(t, s, 10, 0x10000010, MIB, MAIN + 1);
	mk_free(t, s, 20, 0x10000010);
	mk_malloc(t, s, 30, 0x20000010, MIB, MAIN + 2);
	mk_free(t, s, 40, 0x20000010);
	mk_look(t, s, 41, 2, 0, 0);
	assert_report(mktrace_file(t), "sites --touched=freed --format=csv",
		HEADER
		"heap,1,0,1048576,,,p+0x1,,,p+0x1,0,100,0\n"
		"heap,1,1,1048576,1048576,0,p+0x2,,,p+0x2,0,100,0\n");
	assert_report_has(mktrace_file(t), "sites --touched=freed",
			  "are estimates from those that were");
	assert_report_has(mktrace_file(t), "sites --touched=freed", "an earlier block");
	mktrace_free(t);
}

TEST(test_nothing_large_is_said_to_be_nothing)
{
	struct mktrace *t;
	mk_stream s = begin(&t);

	mk_malloc(t, s, 10, 0x10000010, 100, MAIN + 1);
	mk_free(t, s, 20, 0x10000010);
	assert_report_has(mktrace_file(t), "sites --touched=freed",
			  "no block of 64 KiB or more was released\n");
	assert_report(mktrace_file(t), "sites --touched=freed --format=csv", HEADER);
	mktrace_free(t);
}

TEST(test_of_several_programs_those_with_large_blocks_are_shown)
{
	struct mktrace *t = story();
	mk_stream s = mk_process(t, 2, 200, "/bin/q");

	mk_malloc(t, s, 50, 0x10000010, 100, MAIN + 1);
	s = mk_process(t, 3, 300, "/bin/r");
	mk_malloc(t, s, 50, 0x10000010, 2 * MIB, MAIN + 1);
	mk_free(t, s, 60, 0x10000010);
	assert_report_has(mktrace_file(t), "sites --touched=freed --all",
		"    2          2  2.0 MiB      1.0 MiB    1020.0 KiB  p+0x1\n"
		"\n3 of 3: /bin/r (pid 300)\n\n"
		"blocks of 64 KiB and more that were released:\n\n");
	mktrace_free(t);
	t = mktrace_new();
	mk_process(t, 1, 100, "/bin/p");
	mk_process(t, 2, 200, "/bin/q");
	assert_report_has(mktrace_file(t), "sites --touched=freed --all",
			  "no program released a block of 64 KiB or more");
	mktrace_free(t);
}

TEST(test_a_window_has_the_releases_in_it)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "sites --touched=freed --format=csv --since=30ns",
		HEADER
		"heap,1,1,1048576,1048576,0,p+0x1,,,p+0x1;p+0x8,1,100,0\n");
	mktrace_free(t);
}

TEST(test_swapped_memory_is_told_of)
{
	struct mktrace *t = story();

	mk_meta(t, META_MEMORY, "vvvvvvvvvvvv", (uint64_t)100, (uint64_t)30, (uint64_t)0, MIB, MIB,
		(uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0, 2 * MIB, (uint64_t)4096);
	assert_report_has(mktrace_file(t), "sites --touched=freed", "swapped out");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_has_a_row_for_each_call_stack),
		cmocka_unit_test(test_text_has_a_line_for_each_site),
		cmocka_unit_test(test_what_was_not_looked_at_is_not_known),
		cmocka_unit_test(test_nothing_large_is_said_to_be_nothing),
		cmocka_unit_test(test_of_several_programs_those_with_large_blocks_are_shown),
		cmocka_unit_test(test_a_window_has_the_releases_in_it),
		cmocka_unit_test(test_swapped_memory_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
