/*
 * test_temporary.c - blocks that were freed at once. Code without symbols is called by object
 * and address.
 */
#include "unit/form_subject.h"

#define MAIN 0x400000

#define HEADER "blocks,bytes,function,file,line,stack,all_blocks,all_bytes,pid,exec\n"

/* Freed at once after 50 ns (three times), after 5 us with another allocation between, not at all. */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	for (uint64_t i = 1; i <= 3; i++) {
		mk_malloc(t, s, 1000 * i, 0x1000, 10 * i, MAIN + 1, MAIN + 9);
		mk_free(t, s, 1000 * i + 50, 0x1000);
	}
	mk_malloc(t, s, 10000, 0x2000, 500, MAIN + 2);
	mk_malloc(t, s, 11000, 0x3000, 7, MAIN + 3);
	mk_free(t, s, 15000, 0x2000);
	/* a block that grows is not thrown away */
	mk_realloc(t, s, 15100, 0x3000, 0x4000, 70, MAIN + 4);
	return t;
}

TEST(test_csv_has_what_was_freed_before_the_next_allocation)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "temporary --format=csv",
		HEADER "3,60,p+0x1,,,p+0x1;p+0x9,3,60,100,0\n");
	mktrace_free(t);
}

TEST(test_age_takes_what_was_freed_within_it)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "temporary --format=csv --age=5us",
		HEADER
		"3,60,p+0x1,,,p+0x1;p+0x9,3,60,100,0\n"
		"1,500,p+0x2,,,p+0x2,1,500,100,0\n");
	assert_report(mktrace_file(t), "temporary --format=csv --age=5us --sort=bytes --top=1 --depth=1",
		HEADER "1,500,p+0x2,,,p+0x2,1,500,100,0\n");
	assert_report(mktrace_file(t), "temporary --format=csv --age=4999ns",
		HEADER "3,60,p+0x1,,,p+0x1;p+0x9,3,60,100,0\n");
	assert_report(mktrace_file(t), "temporary --format=csv --age=49ns", HEADER);
	mktrace_free(t);
}

TEST(test_window_counts_what_was_freed_in_it)
{
	struct mktrace *t = story();

	/* acquired before it */
	assert_report(mktrace_file(t), "temporary --format=csv --age=5us --since=12us",
		HEADER "1,500,p+0x2,,,p+0x2,0,0,100,0\n");
	assert_report(mktrace_file(t), "temporary --format=csv --until=2us",
		HEADER "1,10,p+0x1,,,p+0x1;p+0x9,2,30,100,0\n");
	mktrace_free(t);
}

TEST(test_ages_are_a_histogram_of_all_that_was_freed)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "temporary --ages --format=csv",
		"from_ns,to_ns,blocks,bytes,pid,exec\n"
		"0,100,3,60,100,0\n"
		"100,1000,0,0,100,0\n"
		"1000,10000,1,500,100,0\n");
	assert_report_has(mktrace_file(t), "temporary --ages",
		"age when freed       blocks        bytes  by count\n"
		"   0 .. <100ns            3         60 B  ######################################\n"
		" 100ns .. <1us            0          0 B\n"
		"  1us .. <10us            1        500 B  #############\n");
	mktrace_free(t);
}

TEST(test_text_says_what_is_meant_and_what_to_do)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "temporary",
		"3 of 6 blocks (50.0 %), 60 B in all, were freed before their thread allocated\n"
		"again.\n"
		"\n"
		"    %  temporary  bytes  of blocks\n"
		"100.0          3   60 B          3\n"
		"    p+0x1\n"
		"      p+0x9\n");
	assert_report_has(mktrace_file(t), "temporary", "\nremedy: keep one buffer");
	assert_report_has(mktrace_file(t), "temporary --age=1us", "were freed within 1 us of their");
	mktrace_free(t);
}

TEST(test_program_that_frees_nothing_is_said_so)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_malloc(t, s, 1000, 0x1000, 10, MAIN + 1);
	assert_report_has(mktrace_file(t), "temporary",
		"0 of 1 blocks (0.0 %), 0 B in all, were freed before their thread allocated\nagain.\n");
	assert_report(mktrace_file(t), "temporary --format=csv", HEADER);
	assert_report(mktrace_file(t), "temporary --ages --format=csv",
		"from_ns,to_ns,blocks,bytes,pid,exec\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_has_what_was_freed_before_the_next_allocation),
		cmocka_unit_test(test_age_takes_what_was_freed_within_it),
		cmocka_unit_test(test_window_counts_what_was_freed_in_it),
		cmocka_unit_test(test_ages_are_a_histogram_of_all_that_was_freed),
		cmocka_unit_test(test_text_says_what_is_meant_and_what_to_do),
		cmocka_unit_test(test_program_that_frees_nothing_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
