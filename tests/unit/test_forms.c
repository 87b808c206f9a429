/*
 * test_forms.c - the table of forms keeps its promises.
 */
#include "unit/form_subject.h"

TEST(test_each_form_can_be_found_by_its_name)
{
	for (size_t i = 0; forms[i]; i++)
		assert_ptr_equal(form_find(forms[i]->name), forms[i]);
	assert_null(form_find("nonsense"));
}

TEST(test_summaries_fit_the_start_page)
{
	for (size_t i = 0; forms[i]; i++) {
		const char *summary = forms[i]->summary;

		assert_in_range(strlen(summary), 10, 80 - 13);
		assert_int_not_equal(summary[strlen(summary) - 1], '.');
	}
}

TEST(test_columns_have_keys_and_help_and_what_text_shows_has_a_heading)
{
	for (size_t i = 0; forms[i]; i++)
		for (size_t c = 0; c < forms[i]->column_count; c++) {
			const struct column *column = &forms[i]->columns[c];
			unsigned shown = column->shown ? column->shown : SHOW_ALL;

			assert_non_null(column->key);
			assert_true(column->heading || column->help);
			/* a key stands once in CSV and JSON */
			for (size_t o = 0; o < c && (shown & SHOW_CSV); o++)
				if (!forms[i]->columns[o].shown ||
				    (forms[i]->columns[o].shown & SHOW_CSV))
					assert_string_not_equal(forms[i]->columns[o].key, column->key);
		}
}

TEST(test_default_sort_words_are_columns)
{
	struct sort_order order;
	struct diag d = { 0 };

	for (size_t i = 0; forms[i]; i++)
		if (forms[i]->default_sort)
			assert_int_equal(emit_parse_sort(forms[i]->default_sort, forms[i]->columns,
				forms[i]->column_count, &order, &d), 0);
}

TEST(test_command_lines_are_quoted_as_a_shell_reads_them)
{
	char program[] = "/bin/echo", words[] = "two words", quote[] = "it's", empty[] = "";
	char *argv[] = { program, words, quote, empty, NULL };
	struct image image = { .argc = 4, .argv = argv };
	char *text = image_command(&image);

	assert_string_equal(text, "/bin/echo 'two words' 'it'\\''s' ''");
	free(text);
}

TEST(test_each_form_and_format_survives_an_empty_recording)
{
	static const char *const formats[] = { "text", "csv", "json" };
	struct mktrace *t = mktrace_new();
	const char *path = mktrace_file(t);

	for (size_t i = 0; forms[i]; i++)
		for (size_t f = 0; f < 3; f++) {
			char *words = xasprintf("%s --format=%s", forms[i]->name, formats[f]);

			/* maps has no moment to show (test_maps.c), a gate nothing to judge (test_check.c) */
			if (!(forms[i]->without & 1u << f) && strcmp(forms[i]->name, "maps") != 0 &&
			    strcmp(forms[i]->name, "check") != 0)
				free(form_output(path, words));
			free(words);
		}
	mktrace_free(t);
}

TEST(test_each_form_survives_figures_at_the_edge)
{
	static const char *const words[] = {
		"summary", "summary --format=json", "sites", "sites --format=json", "sizes",
		"sizes --log2", "sizes --log2 --sort=bytes", "sizes --classes", "sizes --format=json",
		"ltrace -S -T -tt -i -f", "ltrace -c -S", "ltrace --format=json -T",
		"summary --since=1us --until=2us", "flame --kind=all", "flame --format=folded --inverted",
		"flame --format=speedscope --kind=all", "tree --kind=all", "tree --callers --threshold=0",
		"tree --format=json --kind=all", "tree --format=csv --callers",
		"leaks --kind=all", "leaks --since=1us --kind=all --format=json", "sites --lifetimes",
		"temporary", "temporary --age=1h --format=csv", "temporary --ages",
		"check --max-blocks=100 --max-in=*=1K", "check --format=junit --max-blocks=100",
	};
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, UINT32_MAX, "p");
	const char *path;

	mk_malloc(t, s, 1000, 0x1000, UINT64_MAX, UINT64_MAX / 4);
	mk_calloc(t, s, 1100, 0x2000, UINT64_MAX, UINT64_MAX);
	mk_timing(t, s, 1200, UINT64_MAX);
	mk_malloc(t, s, 1300, UINT64_MAX, 0);
	mk_syscall(t, s, 1400, SYS_MEM_mmap, MK_ARGS(0, UINT64_MAX, 3, 34, -1, 0), INT64_MIN, 0);
	mk_syscall(t, s, 1500, SYS_MEM_brk, MK_ARGS(UINT64_MAX), INT64_MAX, 0);
	mk_memory(t, UINT32_MAX, 1600, UINT64_MAX);
	mk_free(t, s, 1700, 0x1000);
	mk_null_call(t, s, UINT64_MAX / 2, FUNC_FREE);
	mk_exit(t, 1, UINT64_MAX - 1, 0x7f);
	path = mktrace_file(t);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		free(form_output(path, words[i]));
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_form_can_be_found_by_its_name),
		cmocka_unit_test(test_summaries_fit_the_start_page),
		cmocka_unit_test(test_columns_have_keys_and_help_and_what_text_shows_has_a_heading),
		cmocka_unit_test(test_default_sort_words_are_columns),
		cmocka_unit_test(test_command_lines_are_quoted_as_a_shell_reads_them),
		cmocka_unit_test(test_each_form_survives_figures_at_the_edge),
		cmocka_unit_test(test_each_form_and_format_survives_an_empty_recording),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
