/*
 * test_metric.c - words and figures of --metric.
 */
#include "test.h"

#include "forms/metric.h"

TEST(test_every_metric_is_found_by_its_word)
{
	enum metric m;

	for (enum metric i = 0; i < METRIC_WORDS; i++) {
		assert_true(metric_parse(metric_name(i), &m));
		assert_int_equal(m, i);
		assert_non_null(metric_help(i));
	}
	assert_false(metric_parse("size", &m));
	assert_false(metric_parse("", &m));
}

TEST(test_each_metric_has_its_own_figure_of_a_site)
{
	struct site site = {
		.peak = { 1, 10 }, .total = { 2, 20 }, .end = { 3, 30 }, .temporary = { 4, 40 },
	};

	assert_int_equal(metric_value(&site, METRIC_PEAK), 10);
	assert_int_equal(metric_value(&site, METRIC_TOTAL), 20);
	assert_int_equal(metric_value(&site, METRIC_COUNT), 2);
	assert_int_equal(metric_value(&site, METRIC_END), 30);
	assert_int_equal(metric_value(&site, METRIC_TEMPORARY), 4);
	assert_int_equal(metric_amount(&site, METRIC_COUNT).bytes, 20);
	assert_int_equal(metric_amount(&site, METRIC_TEMPORARY).bytes, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_metric_is_found_by_its_word),
		cmocka_unit_test(test_each_metric_has_its_own_figure_of_a_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
