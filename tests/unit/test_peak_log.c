/*
 * test_peak_log.c - counters as they were at the peak.
 */
#include "test.h"

#include <stdlib.h>

#include "model/peak_log.h"

TEST(test_before_any_peak_all_were_nothing)
{
	struct peak_log log = { 0 };

	assert_int_equal(peak_log_value(&log, 3, 50), 0);
	peak_log_note(&log, 3, 40);
	assert_int_equal(peak_log_value(&log, 3, 50), 0);
	peak_log_release(&log);
}

TEST(test_what_did_not_change_is_as_it_was)
{
	struct peak_log log = { 0 };

	peak_log_mark(&log);
	assert_int_equal(peak_log_value(&log, 1000, 50), 50);
	peak_log_release(&log);
}

TEST(test_the_first_change_after_the_peak_counts)
{
	struct peak_log log = { 0 };

	peak_log_mark(&log);
	peak_log_note(&log, 5, 10);
	peak_log_note(&log, 5, 20);
	assert_int_equal(peak_log_value(&log, 5, 30), 10);
	peak_log_mark(&log);
	assert_int_equal(peak_log_value(&log, 5, 30), 30);
	peak_log_note(&log, 5, 30);
	assert_int_equal(peak_log_value(&log, 5, 0), 30);
	peak_log_release(&log);
}

TEST(test_random_walks_equal_copies)
{
	enum { COUNTERS = 700 };
	uint64_t now[COUNTERS] = { 0 }, copy[COUNTERS] = { 0 };
	struct peak_log log = { 0 };
	uint64_t sum = 0, most = 0;

	srand(7);
	for (int i = 0; i < 20000; i++) {
		size_t c = (size_t)rand() % COUNTERS;
		uint64_t to = (uint64_t)rand() % 1000;

		peak_log_note(&log, c, now[c]);
		sum += to - now[c];
		now[c] = to;
		if (sum > most) {
			most = sum;
			peak_log_mark(&log);
			for (size_t k = 0; k < COUNTERS; k++)
				copy[k] = now[k];
		}
	}
	for (size_t k = 0; k < COUNTERS; k++)
		assert_int_equal(peak_log_value(&log, k, now[k]), copy[k]);
	peak_log_release(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before_any_peak_all_were_nothing),
		cmocka_unit_test(test_what_did_not_change_is_as_it_was),
		cmocka_unit_test(test_the_first_change_after_the_peak_counts),
		cmocka_unit_test(test_random_walks_equal_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
