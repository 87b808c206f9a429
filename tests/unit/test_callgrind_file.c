/* test_callgrind_file.c - the callgrind format. That its readers accept it: tests/viewers. */
#include "unit/form_subject.h"

#define MAIN 0x400000

TEST(test_file_has_a_block_for_each_function)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1000, 0x1000, 4096, MAIN + 2, MAIN + 1);
	mk_malloc(t, s, 2000, 0x2000, 30, MAIN + 1);
	mk_free(t, s, 4000, 0x1000);
	assert_report(mktrace_file(t), "callgrind --format=callgrind",
		"# callgrind format\n"
		"version: 1\n"
		"creator: allotrope 0.1.0\n"
		"pid: 100\n"
		"cmd: /bin/p\n"
		"part: 1\n"
		"\n"
		"desc: Calls: allocations made through them (calls are not counted)\n"
		"event: Allocs : Blocks allocated\n"
		"event: Bytes : Bytes allocated\n"
		"event: PeakBytes : Bytes live at the heap's peak\n"
		"event: EndBytes : Bytes live at the end\n"
		"positions: line\n"
		"events: Allocs Bytes PeakBytes EndBytes\n"
		"summary: 2 4126 4126 30\n"
		"\n"
		"ob=(1) /bin/p\n"
		"fl=(1) ???\n"
		"fn=(1) p+0x1\n"
		"0 1 30 30 30\n"
		"cob=(1)\n"
		"cfi=(1)\n"
		"cfn=(2) p+0x2\n"
		"calls=1 0\n"
		"0 1 4096 4096 0\n"
		"\n"
		"ob=(1)\n"
		"fl=(1)\n"
		"fn=(2)\n"
		"0 1 4096 4096 0\n"
		"\n"
		"totals: 2 4126 4126 30\n");
	mktrace_free(t);
}

TEST(test_timed_calls_are_an_event_that_says_it_is_an_estimate)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_malloc(t, s, 1000, 0x1000, 4096, MAIN + 2);
	mk_timing(t, s, 1001, 80);
	mk_malloc(t, s, 2000, 0x2000, 30, MAIN + 2);
	assert_report_has(mktrace_file(t), "callgrind --format=callgrind",
			  "event: AllocTime : Time in the allocator, ns (estimate: 1 of 2 calls timed)\n");
	assert_report_has(mktrace_file(t), "callgrind --format=callgrind",
			  "\nevents: Allocs Bytes PeakBytes EndBytes AllocTime\n"
			  "summary: 2 4126 4126 4126 160\n");
	mktrace_free(t);
}

/* KCachegrind takes the calls into a function for all of it. */
TEST(test_outermost_function_that_is_called_too_gets_a_caller)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1000, 0x1000, 4096, MAIN + 2);
	mk_malloc(t, s, 2000, 0x2000, 30, MAIN + 2, MAIN + 1);
	assert_report_has(mktrace_file(t), "callgrind --format=callgrind",
			  "fn=(3) (called from outside)\n"
			  "cob=(1)\ncfi=(1)\ncfn=(2)\ncalls=1 0\n0 1 4096 4096 4096\n");
	mktrace_free(t);
}

TEST(test_names_from_the_program_do_not_break_lines)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p\nevents: x");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p\nfn=(7) x");
	mk_malloc(t, s, 1000, 0x1000, 4096, MAIN + 2);
	assert_report_has(mktrace_file(t), "callgrind --format=callgrind", "\\nevents: x'\npart: 1\n");
	assert_report_has(mktrace_file(t), "callgrind --format=callgrind", "ob=(1) /bin/p\\nfn=(7) x\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_has_a_block_for_each_function),
		cmocka_unit_test(test_timed_calls_are_an_event_that_says_it_is_an_estimate),
		cmocka_unit_test(test_outermost_function_that_is_called_too_gets_a_caller),
		cmocka_unit_test(test_names_from_the_program_do_not_break_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
