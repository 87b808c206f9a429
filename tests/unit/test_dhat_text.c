/* test_dhat_text.c - the words of exp-dhat. Code without symbols is called by object and address. */
#include "unit/form_subject.h"

#define MAIN 0x400000

static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1001, 0x1000, 2000, MAIN + 1, MAIN + 9);
	mk_malloc(t, s, 2001, 0x2000, 3001, MAIN + 1, MAIN + 9);
	mk_free(t, s, 5001, 0x2000);
	mk_malloc(t, s, 6001, 0x5000, 10, MAIN + 3);
	mk_exit(t, 1, 20001, 0);
	return t;
}

TEST(test_text_has_the_lines_of_dhat)
{
	struct mktrace *t = story();
	char *text = form_output(mktrace_file(t), "dhat");

	*strstr(text, "\n\nnote:") = '\0';
	assert_string_equal(text,
		"======== SUMMARY STATISTICS ========\n"
		"\n"
		"duration:     20 us\n"
		"\n"
		"max_live:     5,001 in 2 blocks\n"
		"\n"
		"tot_alloc:    5,011 in 3 blocks\n"
		"\n"
		"deaths:       1 blocks\n"
		"\n"
		"\n"
		"======== ORDERED BY decreasing \"max-bytes-live\": top 2 allocators ========\n"
		"\n"
		"-------------------- 1 of 2 --------------------\n"
		"max-live:    5,001 in 2 blocks\n"
		"tot-alloc:   5,001 in 2 blocks (avg size 2500.50)\n"
		"deaths:      1, at avg age 3 us (15.00% of prog lifetime)\n"
		"acc-ratios:  not recorded\n"
		"   at 0x400001: p+0x1\n"
		"   by 0x400009: p+0x9\n"
		"\n"
		"-------------------- 2 of 2 --------------------\n"
		"max-live:    10 in 1 blocks\n"
		"tot-alloc:   10 in 1 blocks (avg size 10.00)\n"
		"deaths:      none (none of these blocks were freed)\n"
		"acc-ratios:  not recorded\n"
		"   at 0x400003: p+0x3");
	free(text);
	mktrace_free(t);
}

TEST(test_order_is_named)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report_has(path, "dhat --sort=tot-blocks-allocd --top=1",
			  "ORDERED BY decreasing \"tot-blocks-allocd\": top 1 allocators");
	assert_report_has(path, "dhat --sort=-max-blocks-live",
			  "ORDERED BY increasing \"max-blocks-live\": top 2 allocators");
	mktrace_free(t);
}

TEST(test_ages_are_in_the_unit_asked_for)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report_has(path, "dhat --time-unit=B", "duration:     8,012 bytes\n");
	assert_report_has(path, "dhat --time-unit=B", "deaths:      1, at avg age 3,001 bytes (37.45%");
	assert_report_has(path, "dhat --time-unit=calls", "deaths:      1, at avg age 1 calls (25.00%");
	mktrace_free(t);
}

TEST(test_deep_stacks_are_cut_and_say_so)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1000, 0x1000, 100, MAIN + 1, MAIN + 2, MAIN + 3, MAIN + 4, MAIN + 5, MAIN + 6,
		  MAIN + 7, MAIN + 8, MAIN + 9, MAIN + 10, MAIN + 11, MAIN + 12, MAIN + 13, MAIN + 14);
	assert_report_has(mktrace_file(t), "dhat", "   by 0x40000C: p+0xc\n   ... 2 more: --depth=0\n");
	assert_report_has(mktrace_file(t), "dhat --depth=0", "   by 0x40000E: p+0xe\n");
	assert_report_has(mktrace_file(t), "dhat --depth=1", "   at 0x400001: p+0x1\n   ... 13 more");
	mktrace_free(t);
}

TEST(test_call_without_a_stack_is_said_to_have_none)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_malloc(t, s, 1000, 0x1000, 100);
	mk_malloc(t, s, 2000, 0x2000, 100, MAIN + 1);
	assert_report_has(mktrace_file(t), "dhat", "   (no call stack)\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_has_the_lines_of_dhat),
		cmocka_unit_test(test_order_is_named),
		cmocka_unit_test(test_ages_are_in_the_unit_asked_for),
		cmocka_unit_test(test_deep_stacks_are_cut_and_say_so),
		cmocka_unit_test(test_call_without_a_stack_is_said_to_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
