/*
 * test_term.c - colour by choice, terminal and environment.
 */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/term.h"

/* A terminal nobody looks at. */
static int open_terminal(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	int terminal;

	assert_true(fd >= 0);
	assert_int_equal(grantpt(fd), 0);
	assert_int_equal(unlockpt(fd), 0);
	terminal = open(ptsname(fd), O_RDWR | O_NOCTTY);
	assert_true(terminal >= 0);
	return terminal;
}

TEST(test_auto_colours_a_terminal_only)
{
	int terminal = open_terminal();
	int null = open("/dev/null", O_WRONLY);

	assert_true(term_has_color(COLOR_AUTO, terminal, "xterm", NULL));
	assert_true(term_has_color(COLOR_AUTO, terminal, "xterm", ""));
	assert_false(term_has_color(COLOR_AUTO, terminal, "xterm", "1"));
	assert_false(term_has_color(COLOR_AUTO, terminal, "dumb", NULL));
	assert_false(term_has_color(COLOR_AUTO, terminal, NULL, NULL));
	assert_false(term_has_color(COLOR_AUTO, null, "xterm", NULL));
	close(terminal);
	close(null);
}

TEST(test_choice_beats_the_environment)
{
	assert_true(term_has_color(COLOR_ALWAYS, -1, "dumb", "1"));
	assert_false(term_has_color(COLOR_NEVER, -1, "xterm", NULL));
}

TEST(test_width_of_no_terminal_is_the_fallback)
{
	int null = open("/dev/null", O_WRONLY);

	assert_int_equal(term_width(null, 80), 80);
	close(null);
}

TEST(test_styles_vanish_without_colour)
{
	assert_string_equal(term_style(false, STYLE_BAD), "");
	assert_string_equal(term_plain(false), "");
	assert_int_equal(term_style(true, STYLE_BAD)[0], '\033');
}

TEST(test_utf8_is_decided_by_the_first_variable_that_is_set)
{
	assert_true(term_is_utf8(NULL, NULL, "en_US.UTF-8"));
	assert_true(term_is_utf8("", "", "C.utf8"));
	assert_false(term_is_utf8("C", NULL, "en_US.UTF-8"));
	assert_false(term_is_utf8(NULL, "de_DE", "en_US.UTF-8"));
	assert_false(term_is_utf8(NULL, NULL, NULL));
}

TEST(test_columns_of_what_is_no_terminal_are_none)
{
	int fd = open("/dev/null", O_RDWR);

	assert_int_equal(term_columns(fd), 0);
	assert_int_equal(term_width(fd, 80), 80);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auto_colours_a_terminal_only),
		cmocka_unit_test(test_choice_beats_the_environment),
		cmocka_unit_test(test_width_of_no_terminal_is_the_fallback),
		cmocka_unit_test(test_styles_vanish_without_colour),
		cmocka_unit_test(test_utf8_is_decided_by_the_first_variable_that_is_set),
		cmocka_unit_test(test_columns_of_what_is_no_terminal_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
