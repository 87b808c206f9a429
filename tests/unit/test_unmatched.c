/*
 * test_unmatched.c - places of releases of unknown blocks.
 */
#include <stdlib.h>

#include "model/unmatched.h"
#include "test.h"

TEST(test_unmatched_places_come_by_count_then_by_time)
{
	struct unmatched *table = NULL;
	struct unmatched_place *p;
	size_t count;

	unmatched_add(&table, 7, 0x1000, 10);
	unmatched_add(&table, 9, 0x2000, 20);
	unmatched_add(&table, 5, 0x3000, 5);
	unmatched_add(&table, 9, 0x4000, 30);
	p = unmatched_places(table, &count);
	assert_int_equal(count, 3);
	assert_int_equal(p[0].stack, 9);
	assert_int_equal(p[0].count, 2);
	assert_int_equal(p[0].first_addr, 0x2000);
	assert_int_equal(p[0].first_stamp, 20);
	assert_int_equal(p[1].stack, 5);
	assert_int_equal(p[2].stack, 7);
	free(p);
	unmatched_free(table);
}

TEST(test_unmatched_places_without_any_are_none)
{
	size_t count = 9;

	free(unmatched_places(NULL, &count));
	assert_int_equal(count, 0);
	unmatched_free(NULL);
}

TEST(test_unmatched_places_are_bounded_but_all_count)
{
	struct unmatched *table = NULL;
	struct unmatched_place *p;
	uint64_t sum = 0;
	size_t count;

	for (uint32_t i = 1; i <= 2 * UNMATCHED_PLACES; i++)
		unmatched_add(&table, i, i, i);
	p = unmatched_places(table, &count);
	assert_int_equal(count, UNMATCHED_PLACES + 1);
	assert_int_equal(p[0].stack, STACK_NONE);
	for (size_t i = 0; i < count; i++)
		sum += p[i].count;
	assert_int_equal(sum, 2 * UNMATCHED_PLACES);
	free(p);
	unmatched_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unmatched_places_come_by_count_then_by_time),
		cmocka_unit_test(test_unmatched_places_without_any_are_none),
		cmocka_unit_test(test_unmatched_places_are_bounded_but_all_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
