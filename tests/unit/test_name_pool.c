/* test_name_pool.c - equal strings are one pointer. */
#include "symbol/name_pool.h"

#include <string.h>

#include "test.h"

TEST(test_pool_equal_names_are_one_pointer)
{
	struct name_pool *pool = name_pool_new();
	const char *a = name_pool_string(pool, "malloc");
	const char *b = name_pool_add(pool, "malloc_trim", 6);

	assert_ptr_equal(a, b);
	assert_string_equal(a, "malloc");
	assert_ptr_not_equal(a, name_pool_string(pool, "mallo"));
	name_pool_free(pool);
}

TEST(test_pool_name_with_nul_ends_there)
{
	struct name_pool *pool = name_pool_new();

	assert_string_equal(name_pool_add(pool, "ab\0cd", 5), "ab");
	assert_string_equal(name_pool_add(pool, "", 0), "");
	assert_null(name_pool_string(pool, NULL));
	name_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool_equal_names_are_one_pointer),
		cmocka_unit_test(test_pool_name_with_nul_ends_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
