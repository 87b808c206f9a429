/* test_check_judge.c - what a limit and a tolerance allow, and the reason in a line. */
#include "forms/check_judge.h"

#include "test.h"

static const struct check_tolerance two_percent = { true, 2.0, 0 };

TEST(test_tolerance_is_a_percentage_or_an_amount)
{
	const struct check_tolerance none = { true, 0.0, 0 }, amount = { false, 0.0, 100 };

	assert_int_equal(check_allowed(&two_percent, 1000), 1020);
	assert_int_equal(check_allowed(&two_percent, 0), 0);
	/* 2 % of 99 is 1.98 */
	assert_int_equal(check_allowed(&two_percent, 99), 100);
	assert_int_equal(check_allowed(&none, 12345), 12345);
	assert_int_equal(check_allowed(&amount, 12345), 12445);
	assert_int_equal(check_allowed(&amount, UINT64_MAX - 5), UINT64_MAX);
}

TEST(test_limit_may_be_reached_and_not_passed)
{
	char name[] = "p";
	const struct baseline_program p = { .name = name };
	const struct check_limit l = { .option = "--max-peak", .figure = FIGURE_PEAK_BYTES, .limit = 2048 };
	struct check_result r = { 0 };

	check_judge_limit(&p, &l, 2048, &r);
	check_judge_limit(&p, &l, 3072, &r);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.failed, 1);
	assert_true(r.verdicts[0].is_ok);
	assert_string_equal(r.verdicts[0].text, "p: bytes at the peak: 2,048 (2.0 KiB), --max-peak allows "
			    "2,048 (2.0 KiB)");
	assert_false(r.verdicts[1].is_ok);
	assert_string_equal(r.verdicts[1].text, "p: bytes at the peak: 3,072 (3.0 KiB), --max-peak allows "
			    "2,048 (2.0 KiB): 50.0 % more");
	check_result_release(&r);
}

TEST(test_function_limit_names_metric_and_function)
{
	char name[] = "p";
	const struct baseline_program p = { .name = name };
	const struct check_limit l = { .option = "--max-in", .figure = FIGURE_COUNT, .function = "a\n*",
				       .metric = METRIC_COUNT, .limit = 0 };
	struct check_result r = { 0 };

	check_judge_limit(&p, &l, 7, &r);
	assert_string_equal(r.verdicts[0].check, "count in a\n*");
	assert_string_equal(r.verdicts[0].text, "p: blocks allocated in all in a\\n*: 7, --max-in allows 0: "
			    "7 more");
	check_result_release(&r);
}

TEST(test_baseline_says_what_grew)
{
	char name[] = "p", f[] = "parse", g[] = "read";
	struct baseline_site now[] = { { f, { 3, 5000 } }, { g, { 1, 100 } } };
	struct baseline_site before[] = { { f, { 2, 1000 } } };
	const struct baseline_program p = {
		.name = name, .has = { true, [FIGURE_BLOCKS] = true },
		.figures = { 5100, [FIGURE_BLOCKS] = 10 },
		.sites = now, .site_count = 2,
	};
	const struct baseline_program old = {
		.name = name, .has = { true, [FIGURE_BLOCKS] = true },
		.figures = { 1100, [FIGURE_BLOCKS] = 99 },
		.lines = { 4, [FIGURE_BLOCKS] = 5 }, .sites = before, .site_count = 1,
	};
	struct check_tolerance tolerances[FIGURE_COUNT];
	struct check_result r = { 0 };
	size_t better = 0;

	for (int i = 0; i < FIGURE_COUNT; i++)
		tolerances[i] = two_percent;
	check_judge_baseline(&p, &old, "base", tolerances, &r, &better);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.failed, 1);
	assert_int_equal(better, 1);
	assert_string_equal(r.verdicts[0].text,
		"p: bytes at the peak: 5,100 (5.0 KiB), base:4 has 1,100 (1.1 KiB) and may grow by 2 %: "
		"363.6 % more; at the peak parse has 3.9 KiB more");
	assert_string_equal(r.verdicts[0].source, "base:4");
	assert_true(r.verdicts[1].is_ok);
	check_result_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tolerance_is_a_percentage_or_an_amount),
		cmocka_unit_test(test_limit_may_be_reached_and_not_passed),
		cmocka_unit_test(test_function_limit_names_metric_and_function),
		cmocka_unit_test(test_baseline_says_what_grew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
