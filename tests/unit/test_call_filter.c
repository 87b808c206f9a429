/*
 * test_call_filter.c - ltrace's -e and -l.
 */
#include "test.h"

#include <string.h>

#include "forms/call_filter.h"

#define PYTHON "/usr/bin/python3.11"
#define LIBC   "/lib/x86_64-linux-gnu/libc.so.6"

static struct call_filter *filter(const char *expression)
{
	struct call_filter *f = call_filter_new();
	struct diag d = { 0 };

	assert_int_equal(call_filter_add(f, expression, &d), 0);
	return f;
}

static void check(const char *expression, const char *function, const char *caller,
		  bool expected)
{
	struct call_filter *f = filter(expression);

	assert_int_equal(call_filter_shows(f, function, caller, PYTHON), expected);
	call_filter_free(f);
}

TEST(test_names_are_joined_by_plus_or_comma)
{
	check("malloc", "malloc", PYTHON, true);
	check("malloc", "free", PYTHON, false);
	check("malloc+free", "free", PYTHON, true);
	check("malloc,free", "free", PYTHON, true);
}

TEST(test_minus_takes_away_from_all_or_from_a_pattern)
{
	check("-free", "free", PYTHON, false);
	check("-free", "malloc", PYTHON, true);
	check("*alloc-calloc", "calloc", PYTHON, false);
	check("*alloc-calloc", "realloc", PYTHON, true);
	check("*alloc-calloc", "free", PYTHON, false);
}

TEST(test_object_after_at_is_the_caller)
{
	check("malloc@MAIN", "malloc", PYTHON, true);
	check("malloc@MAIN", "malloc", LIBC, false);
	check("malloc@libc.so*", "malloc", LIBC, true);
	check("malloc@libc", "malloc", LIBC, true);
	check("@MAIN", "free", PYTHON, true);
	check("malloc@MAIN", "malloc", NULL, false);
}

TEST(test_plain_word_matches_versions_and_libraries)
{
	struct call_filter *f = call_filter_new();

	call_filter_add_caller(f, "python");
	assert_true(call_filter_shows(f, "malloc", PYTHON, PYTHON));
	assert_true(call_filter_shows(f, "malloc", "/opt/libpython2.7.so.1.0", PYTHON));
	assert_true(call_filter_shows(f, "malloc", "python", PYTHON));
	assert_false(call_filter_shows(f, "malloc", "/usr/bin/pythonista", PYTHON));
	assert_false(call_filter_shows(f, "malloc", LIBC, PYTHON));
	assert_false(call_filter_shows(f, "malloc", NULL, PYTHON));
	assert_true(call_filter_has_caller(f));
	call_filter_free(f);
}

TEST(test_path_is_matched_as_a_whole)
{
	check("malloc@/lib/*", "malloc", LIBC, true);
	check("malloc@/lib/*", "malloc", PYTHON, false);
}

TEST(test_function_nobody_records_is_refused)
{
	struct call_filter *f = call_filter_new();
	struct diag d = { 0 };

	assert_int_equal(call_filter_add(f, "strcpy", &d), -1);
	assert_int_equal(d.status, STATUS_USAGE);
	assert_non_null(strstr(d.text, "no calls of 'strcpy' are recorded; there are malloc, "));
	call_filter_free(f);
}

TEST(test_empty_filter_shows_everything)
{
	struct call_filter *f = call_filter_new();

	assert_true(call_filter_is_empty(f));
	assert_true(call_filter_shows(f, "free", NULL, NULL));
	call_filter_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_joined_by_plus_or_comma),
		cmocka_unit_test(test_minus_takes_away_from_all_or_from_a_pattern),
		cmocka_unit_test(test_object_after_at_is_the_caller),
		cmocka_unit_test(test_plain_word_matches_versions_and_libraries),
		cmocka_unit_test(test_path_is_matched_as_a_whole),
		cmocka_unit_test(test_function_nobody_records_is_refused),
		cmocka_unit_test(test_empty_filter_shows_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
