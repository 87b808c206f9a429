/* test_text_file.c - text files that a person wrote. */
#include "base/text_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

TEST(test_lines_lose_white_space_at_their_ends_and_are_numbered)
{
	const char text[] = "  one \t\n\n\ttwo words\r\nlast";
	struct text_lines l = { text, text + sizeof(text) - 1, 0 };
	const char *expected[] = { "one", "", "two words", "last" };
	char *line;

	for (unsigned i = 0; i < 4; i++) {
		line = text_lines_next(&l);
		assert_string_equal(line, expected[i]);
		assert_int_equal(l.number, i + 1);
		free(line);
	}
	assert_null(text_lines_next(&l));
}

TEST(test_nul_ends_a_line_and_not_the_text)
{
	const char text[] = "a\0b\nc";
	struct text_lines l = { text, text + sizeof(text) - 1, 0 };
	char *first = text_lines_next(&l), *second = text_lines_next(&l);

	assert_string_equal(first, "a");
	assert_string_equal(second, "c");
	assert_null(text_lines_next(&l));
	free(first);
	free(second);
}

TEST(test_file_is_read_whole)
{
	char name[] = "/tmp/test_text_file.XXXXXX";
	int fd = mkstemp(name);
	FILE *f = fdopen(fd, "w");
	size_t bytes;
	char *text;

	for (int i = 0; i < 5000; i++)
		fprintf(f, "line %d\n", i);
	fclose(f);
	text = text_file_read(name, &bytes, NULL);
	assert_non_null(text);
	assert_int_equal(bytes, strlen(text));
	assert_non_null(strstr(text, "\nline 4999\n"));
	free(text);
	remove(name);
}

TEST(test_what_cannot_be_read_is_named_with_the_reason)
{
	struct diag d = { 0 };
	size_t bytes;

	assert_null(text_file_read("/nowhere/x", &bytes, &d));
	assert_int_equal(d.status, STATUS_IO);
	assert_string_equal(d.text, "cannot open '/nowhere/x': No such file or directory");
	assert_null(text_file_read("/tmp", &bytes, &d));
	assert_string_equal(d.text, "cannot read '/tmp': Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_lose_white_space_at_their_ends_and_are_numbered),
		cmocka_unit_test(test_nul_ends_a_line_and_not_the_text),
		cmocka_unit_test(test_file_is_read_whole),
		cmocka_unit_test(test_what_cannot_be_read_is_named_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
