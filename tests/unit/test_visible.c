/*
 * test_visible.c - names from outside, safe to print.
 */
#include "test.h"

#include <stdlib.h>

#include "base/visible.h"

static void check(const char *input, const char *expected)
{
	char *text = visible_text(input);

	assert_string_equal(text, expected);
	free(text);
}

TEST(test_plain_and_utf8_text_stays_as_it_is)
{
	check("operator new(unsigned long)", "operator new(unsigned long)");
	check("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\x8d", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\x8d");
	check("", "");
}

TEST(test_control_characters_are_escaped)
{
	check("a\nb\tc", "a\\nb\\tc");
	check("\033[31mred\177", "\\x1b[31mred\\x7f");
	/* U+009B is an escape sequence in one character */
	check("\xc2\x9b" "31m", "\\xc2\\x9b31m");
}

TEST(test_bytes_that_are_no_utf8_are_escaped)
{
	check("\xff\xfe", "\\xff\\xfe");
	check("\xc3", "\\xc3");                   /* cut */
	check("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
	check("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
}

TEST(test_width_counts_characters_as_printed)
{
	assert_int_equal(visible_width("abc"), 3);
	assert_int_equal(visible_width("\xc3\xaf"), 1);
	assert_int_equal(visible_width("\n\001"), 6);
}

static void check_fit(const char *input, size_t width, const char *expected)
{
	char *text = visible_fit(input, width);

	assert_string_equal(text, expected);
	assert_true(visible_width(text) <= width || visible_width(input) <= width);
	free(text);
}

TEST(test_fit_keeps_both_ends_of_a_long_name)
{
	check_fit("short", 10, "short");
	check_fit("0123456789", 10, "0123456789");
	check_fit("0123456789a", 10, "0123...89a");
	check_fit("\xc3\xaf\xc3\xaf\xc3\xaf\xc3\xaf\xc3\xaf\xc3\xaf", 5, "\xc3\xaf...\xc3\xaf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_and_utf8_text_stays_as_it_is),
		cmocka_unit_test(test_control_characters_are_escaped),
		cmocka_unit_test(test_bytes_that_are_no_utf8_are_escaped),
		cmocka_unit_test(test_width_counts_characters_as_printed),
		cmocka_unit_test(test_fit_keeps_both_ends_of_a_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
