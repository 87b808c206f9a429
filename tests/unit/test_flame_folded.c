/*
 * test_flame_folded.c - names in folded lines: every reader must find the number at the end.
 */
#include "test.h"

#include <stdlib.h>

#include "forms/flame_folded.h"

static void assert_name(const char *text, const char *expected)
{
	char *name = flame_folded_name(text);

	assert_string_equal(name, expected);
	free(name);
}

TEST(test_separators_are_none_of_a_name)
{
	assert_name("main", "main");
	assert_name("f(int; int)", "f(int, int)");
	assert_name(";;", ",,");
	assert_name("", "?");
}

TEST(test_digits_at_the_end_of_a_name_are_no_number)
{
	assert_name("operator() 12", "operator()_12");
	assert_name("a 1.5", "a_1.5");
	assert_name("a 12 34", "a 12_34");
	assert_name("f12", "f12");
	assert_name("12", "12");
	assert_name(" 12", "_12");
	assert_name("a (12)", "a (12)");
	assert_name("a ", "a_");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_separators_are_none_of_a_name),
		cmocka_unit_test(test_digits_at_the_end_of_a_name_are_no_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
