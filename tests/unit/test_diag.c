/*
 * test_diag.c - how errors are worded and what reaches the terminal.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "test.h"

/* What diag_print wrote to stderr for TEXT. */
static const char *printed(const char *level, const char *text)
{
	static char line[8192];
	int pipes[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	diag_print(level, "%s", text);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	n = read(pipes[0], line, sizeof(line) - 1);
	close(pipes[0]);
	assert_true(n > 0);
	line[n] = '\0';
	return line;
}

TEST(test_diag_set_returns_minus_one_and_keeps_status_and_text)
{
	struct diag d = { 0 };

	assert_int_equal(diag_set(&d, STATUS_USAGE, "no form '%s'", "x"), -1);
	assert_int_equal(d.status, STATUS_USAGE);
	assert_string_equal(d.text, "no form 'x'");
	assert_int_equal(diag_set(NULL, STATUS_USAGE, "nobody asked"), -1);
}

TEST(test_diag_errno_appends_the_reason_and_keeps_errno)
{
	struct diag d = { 0 };

	errno = ENOENT;
	assert_int_equal(diag_errno(&d, STATUS_IO, "cannot open '%s'", "app.data"), -1);
	assert_string_equal(d.text, "cannot open 'app.data': No such file or directory");
	assert_int_equal(errno, ENOENT);
	assert_int_equal(diag_errno(NULL, STATUS_IO, "x"), -1);
}

TEST(test_diag_text_too_long_is_cut_not_overrun)
{
	struct diag d = { 0 };
	char name[4000];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	errno = ENOENT;
	diag_errno(&d, STATUS_IO, "cannot open '%s'", name);
	assert_int_equal(strlen(d.text), sizeof(d.text) - 1);
}

TEST(test_diag_print_is_one_line_with_program_and_level)
{
	assert_string_equal(printed(NULL, "done"), "allotrope: done\n");
	assert_string_equal(printed("warning", "cut"), "allotrope: warning: cut\n");
}

TEST(test_diag_print_control_characters_do_not_reach_the_terminal)
{
	assert_string_equal(printed(NULL, "a\033[31mb"), "allotrope: a\\x1b[31mb\n");
	assert_string_equal(printed(NULL, "a\nb\tc\rd\x7f"),
			    "allotrope: a\\nb\\tc\\x0dd\\x7f\n");
	/* U+009B is CSI by itself */
	assert_string_equal(printed(NULL, "a\xc2\x9b" "2J"), "allotrope: a\\xc2\\x9b2J\n");
}

TEST(test_diag_print_letters_of_all_languages_pass_and_broken_ones_do_not)
{
	assert_string_equal(printed(NULL, "caf\xc3\xa9 \xe2\x82\xac"),
			    "allotrope: caf\xc3\xa9 \xe2\x82\xac\n");
	assert_string_equal(printed(NULL, "\xc3(\xff"), "allotrope: \\xc3(\\xff\n");
	assert_string_equal(printed(NULL, "\xe2\x82"), "allotrope: \\xe2\\x82\n");
}

TEST(test_diag_print_line_too_long_still_ends_with_newline)
{
	char text[6000];
	const char *line;

	memset(text, 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	line = printed(NULL, text);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_true(strlen(line) <= 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diag_set_returns_minus_one_and_keeps_status_and_text),
		cmocka_unit_test(test_diag_errno_appends_the_reason_and_keeps_errno),
		cmocka_unit_test(test_diag_text_too_long_is_cut_not_overrun),
		cmocka_unit_test(test_diag_print_is_one_line_with_program_and_level),
		cmocka_unit_test(test_diag_print_control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(test_diag_print_letters_of_all_languages_pass_and_broken_ones_do_not),
		cmocka_unit_test(test_diag_print_line_too_long_still_ends_with_newline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
