/* test_wrap.c - sentences in lines of a width. */
#include "base/wrap.h"

#include <stdlib.h>

#include "test.h"

static void check(const char *text, int column, int indent, int width, const char *expected)
{
	char *got = NULL;
	size_t bytes;
	FILE *out = open_memstream(&got, &bytes);

	assert_non_null(out);
	wrap_put(out, text, column, indent, width);
	fclose(out);
	assert_string_equal(got, expected);
	free(got);
}

TEST(test_wrap_breaks_at_spaces_and_indents)
{
	check("one two three", 0, 2, 8, "one two\n  three\n");
	check("one", 6, 6, 10, "one\n");
	check("", 0, 0, 10, "\n");
}

TEST(test_wrap_keeps_a_number_with_its_unit)
{
	check("needs 12 KiB now", 0, 0, 9, "needs\n12 KiB\nnow\n");
}

TEST(test_wrap_does_not_break_a_word)
{
	check("a /very/long/path b", 0, 1, 6, "a\n /very/long/path\n b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap_breaks_at_spaces_and_indents),
		cmocka_unit_test(test_wrap_keeps_a_number_with_its_unit),
		cmocka_unit_test(test_wrap_does_not_break_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
