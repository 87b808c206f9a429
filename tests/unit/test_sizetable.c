/* test_sizetable.c - sizes are counted exactly and come out in order. */
#include "model/sizetable.h"

#include <stdlib.h>

#include "test.h"

TEST(test_sizetable_counts_each_size_and_sorts_them)
{
	struct sizetable t = { 0 };
	struct size_row *rows;
	size_t count;

	for (uint64_t size = 3000; size-- > 0;) {
		for (uint64_t i = 0; i <= size % 3; i++)
			sizetable_add(&t, size, size + 8);
	}
	rows = sizetable_take(&t, &count);
	assert_int_equal(count, 3000);
	for (uint64_t size = 0; size < 3000; size++) {
		assert_int_equal(rows[size].size, size);
		assert_int_equal(rows[size].count, size % 3 + 1);
		assert_int_equal(rows[size].bytes, size * (size % 3 + 1));
		assert_int_equal(rows[size].usable_bytes, (size + 8) * (size % 3 + 1));
	}
	free(rows);
}

TEST(test_sizetable_empty_gives_no_rows)
{
	struct sizetable t = { 0 };
	size_t count = 1;

	free(sizetable_take(&t, &count));
	assert_int_equal(count, 0);
}

TEST(test_sizetable_sums_saturate)
{
	struct sizetable t = { 0 };
	struct size_row *rows;
	size_t count;

	sizetable_add(&t, UINT64_MAX, UINT64_MAX);
	sizetable_add(&t, UINT64_MAX, UINT64_MAX);
	rows = sizetable_take(&t, &count);
	assert_int_equal(rows[0].count, 2);
	assert_true(rows[0].bytes == UINT64_MAX);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizetable_counts_each_size_and_sorts_them),
		cmocka_unit_test(test_sizetable_empty_gives_no_rows),
		cmocka_unit_test(test_sizetable_sums_saturate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
