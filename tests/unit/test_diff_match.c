/*
 * test_diff_match.c - figures of matched rows at their limits. What matches is tested
 * through the command (test_diff.c).
 */
#include "test.h"

#include "forms/diff.h"

TEST(test_change_has_a_sign_and_ends_at_63_bits)
{
	assert_int_equal(diff_change(3, 10), 7);
	assert_int_equal(diff_change(10, 3), -7);
	assert_int_equal(diff_change(5, 5), 0);
	assert_true(diff_change(0, UINT64_MAX) == INT64_MAX);
	assert_true(diff_change(UINT64_MAX, 0) == INT64_MIN);
	assert_true(diff_change(UINT64_MAX, UINT64_MAX - 1) == -1);
}

TEST(test_status_depends_on_the_figure_and_on_who_has_the_stack)
{
	struct diff_row row = { .is_known = { true, true } };

	assert_int_equal(diff_status(&row, METRIC_PEAK), DIFF_SAME);
	row.sums[DIFF_NEW].peak.bytes = 5;
	assert_int_equal(diff_status(&row, METRIC_PEAK), DIFF_GROWN);
	assert_int_equal(diff_status(&row, METRIC_END), DIFF_SAME);
	assert_true(diff_is_changed(&row));
	row.is_known[DIFF_OLD] = false;
	assert_int_equal(diff_status(&row, METRIC_PEAK), DIFF_ADDED);
	row = (struct diff_row){ .is_known = { true, true } };
	row.sums[DIFF_OLD].end.bytes = 5;
	assert_int_equal(diff_status(&row, METRIC_END), DIFF_SHRUNK);
	row.is_known[DIFF_NEW] = false;
	assert_int_equal(diff_status(&row, METRIC_END), DIFF_REMOVED);
	assert_string_equal(diff_status_name(DIFF_REMOVED), "removed");
}

TEST(test_per_cent_of_nothing_is_not_known)
{
	assert_false(diff_percent(0, 5).is_known);
	assert_true(diff_percent(4, 5).real == 25.0);
	assert_true(diff_percent(4, 0).real == -100.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change_has_a_sign_and_ends_at_63_bits),
		cmocka_unit_test(test_status_depends_on_the_figure_and_on_who_has_the_stack),
		cmocka_unit_test(test_per_cent_of_nothing_is_not_known),
	};

	return cmocka_run_group_tests_name("diff_match", tests, NULL, NULL);
}
