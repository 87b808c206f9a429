/*
 * test_command.c - the words after `allotrope`.
 */
#include "unit/form_subject.h"

TEST(test_nearest_word_is_found_over_a_slip_of_the_fingers)
{
	assert_string_equal(command_nearest("sumary"), "summary");
	assert_string_equal(command_nearest("sitse"), "sites");
	assert_string_equal(command_nearest("ltarce"), "ltrace");
	assert_string_equal(command_nearest("rec"), "record");
	assert_string_equal(command_nearest("size"), "sizes");
}

TEST(test_strange_word_has_no_nearest)
{
	assert_null(command_nearest("xyzzy"));
	assert_null(command_nearest(""));
	assert_null(command_nearest("q"));
	assert_null(command_nearest("a-word-that-is-very-much-longer-than-any-command"));
}

TEST(test_commands_and_forms_do_not_share_names)
{
	for (size_t i = 0; commands[i]; i++) {
		assert_ptr_equal(command_find(commands[i]->name), commands[i]);
		assert_null(form_find(commands[i]->name));
		assert_in_range(strlen(commands[i]->summary), 10, 80 - 13);
	}
}

TEST(test_start_page_lists_everything_in_eighty_columns)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	char *rest, *line;

	command_print_start(out);
	fclose(out);
	for (size_t i = 0; commands[i]; i++)
		assert_non_null(strstr(text, commands[i]->name));
	for (size_t i = 0; forms[i]; i++)
		assert_non_null(strstr(text, forms[i]->name));
	for (rest = text; (line = strsep(&rest, "\n")) != NULL; )
		assert_in_range(strlen(line), 0, 80);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest_word_is_found_over_a_slip_of_the_fingers),
		cmocka_unit_test(test_strange_word_has_no_nearest),
		cmocka_unit_test(test_commands_and_forms_do_not_share_names),
		cmocka_unit_test(test_start_page_lists_everything_in_eighty_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
