/* test_stack_check.c - the totals of the stack check as settings tell them. */
#include "cli/stack_check.h"

#include "test.h"

TEST(test_stack_check_last_total_of_each_kind_counts)
{
	struct setting settings[] = {
		{ 1, (char *)"check-stacks.compared", (char *)"4" },
		{ 2, (char *)"PYTHONMALLOC", (char *)"malloc" },
		{ 3, (char *)"check-stacks.libgcc-differs", (char *)"1" },
		{ 4, (char *)"check-stacks.compared", (char *)"900" },
		{ 5, (char *)"check-stacks.unknown", (char *)"7" },
	};
	struct image image = { .settings = settings, .setting_count = 5 };
	struct stack_check check;

	assert_true(stack_check_read(&image, &check));
	assert_int_equal(check.compared, 900);
	assert_int_equal(check.libgcc_differs, 1);
	assert_int_equal(check.libunwind_differs, 0);
}

TEST(test_stack_check_is_absent_where_it_was_not_asked_for)
{
	struct setting setting = { 1, (char *)"MALLOC_ARENA_MAX", (char *)"1" };
	struct image image = { .settings = &setting, .setting_count = 1 };
	struct stack_check check;

	assert_false(stack_check_read(&image, &check));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stack_check_last_total_of_each_kind_counts),
		cmocka_unit_test(test_stack_check_is_absent_where_it_was_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
