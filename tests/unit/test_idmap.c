/*
 * test_idmap.c - 64-bit keys to numbers.
 */
#include "test.h"

#include "base/idmap.h"

TEST(test_add_keeps_the_first_number_of_a_key)
{
	struct idmap m = { 0 };

	assert_int_equal(idmap_find(&m, 5), 0);
	assert_int_equal(idmap_add(&m, 5, 1), 1);
	assert_int_equal(idmap_add(&m, 5, 2), 1);
	assert_int_equal(idmap_find(&m, 5), 1);
	assert_int_equal(m.count, 1);
	idmap_release(&m);
}

TEST(test_zero_and_all_ones_are_keys_like_others)
{
	struct idmap m = { 0 };

	idmap_add(&m, 0, 7);
	idmap_add(&m, UINT64_MAX, 8);
	assert_int_equal(idmap_find(&m, 0), 7);
	assert_int_equal(idmap_find(&m, UINT64_MAX), 8);
	idmap_release(&m);
}

TEST(test_many_keys_are_all_found_again)
{
	struct idmap m = { 0 };

	for (uint64_t i = 1; i <= 100000; i++)
		idmap_add(&m, i << 32, (uint32_t)i);
	for (uint64_t i = 1; i <= 100000; i++)
		assert_int_equal(idmap_find(&m, i << 32), i);
	assert_int_equal(idmap_find(&m, 3), 0);
	idmap_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_keeps_the_first_number_of_a_key),
		cmocka_unit_test(test_zero_and_all_ones_are_keys_like_others),
		cmocka_unit_test(test_many_keys_are_all_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
