/* test_stack_check.c - what the library counted of call stacks, as settings tell it. */
#include "cli/stack_check.h"

#include "test.h"

static struct image with_settings(struct setting *settings, size_t count)
{
	return (struct image){ .settings = settings, .setting_count = count };
}

TEST(test_last_total_of_each_kind_counts)
{
	struct setting settings[] = {
		{ 1, (char *)"check-stacks.compared", (char *)"4" },
		{ 2, (char *)"PYTHONMALLOC", (char *)"malloc" },
		{ 3, (char *)"check-stacks.libgcc-shorter", (char *)"1" },
		{ 4, (char *)"check-stacks.compared", (char *)"900" },
		{ 5, (char *)"check-stacks.unknown", (char *)"7" },
		{ 6, (char *)"check-stacks.libgcc-frame", (char *)"2" },
	};
	struct image image = with_settings(settings, 6);
	struct stack_check check;

	assert_true(stack_check_read(&image, &check));
	assert_int_equal(check.compared, 900);
	assert_int_equal(check.libgcc.shorter, 1);
	assert_int_equal(oracle_differs(&check.libgcc), 3);
	assert_int_equal(oracle_differs(&check.libunwind), 0);
}

TEST(test_check_is_absent_where_it_was_not_asked_for)
{
	struct setting settings[] = {
		{ 1, (char *)"MALLOC_ARENA_MAX", (char *)"1" },
		{ 2, (char *)"stacks.truncated", (char *)"5" },
	};
	struct image image = with_settings(settings, 2);
	struct stack_check check;

	assert_false(stack_check_read(&image, &check));
}

TEST(test_stacks_that_ended_early_are_read_by_reason)
{
	struct setting settings[] = {
		{ 1, (char *)"stacks.truncated", (char *)"5" },
		{ 2, (char *)"stacks.no-rule", (char *)"6" },
		{ 3, (char *)"stacks.hard-rule", (char *)"7" },
		{ 4, (char *)"stacks.bad-stack", (char *)"8" },
		{ 5, (char *)"stacks.truncated", (char *)"18446744073709551615" },
	};
	struct image image = with_settings(settings, 5);
	struct stack_ends e;

	stack_ends_read(&image, &e);
	assert_true(e.truncated == UINT64_MAX);
	assert_int_equal(e.no_rule, 6);
	assert_int_equal(e.hard_rule, 7);
	assert_int_equal(e.bad_stack, 8);
	image.setting_count = 0;
	stack_ends_read(&image, &e);
	assert_int_equal(e.truncated + e.no_rule + e.hard_rule + e.bad_stack, 0);
}

TEST(test_images_add_up)
{
	struct stack_check check = { .compared = 3, .libunwind = { 3, 1, 1, 0 } }, sum = { 0 };
	struct stack_ends e = { 1, 2, 3, 4 }, ends = { 0 };

	stack_check_add(&sum, &check);
	stack_check_add(&sum, &check);
	assert_int_equal(sum.compared, 6);
	assert_int_equal(sum.libunwind.compared, 6);
	assert_int_equal(oracle_differs(&sum.libunwind), 4);
	stack_ends_add(&ends, &e);
	stack_ends_add(&ends, &e);
	assert_int_equal(ends.truncated, 2);
	assert_int_equal(ends.bad_stack, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_total_of_each_kind_counts),
		cmocka_unit_test(test_check_is_absent_where_it_was_not_asked_for),
		cmocka_unit_test(test_stacks_that_ended_early_are_read_by_reason),
		cmocka_unit_test(test_images_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
