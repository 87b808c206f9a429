/*
 * test_emit.c - one table in three forms.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"

enum { NAME, BYTES, SHARE, WHERE, EXTRA, COLS };

static const struct column columns[COLS] = {
	[NAME] = { "name", "name", COLUMN_TEXT, 0, true, NULL },
	[BYTES] = { "bytes", "bytes", COLUMN_BYTES, 0, true, NULL },
	[SHARE] = { "share", "share", COLUMN_PERCENT, SHOW_TEXT, false, NULL },
	[WHERE] = { "where", "where", COLUMN_ADDRESS, 0, false, NULL },
	[EXTRA] = { "extra", NULL, COLUMN_JSON, 0, false, NULL },
};

static char *table(enum emit_format format)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	struct emit_options options = { .format = format };
	struct emit *e = emit_new(out, columns, COLS, &options);
	struct cell first[COLS] = {
		[NAME] = cell_text("a \"b\", c\n"), [BYTES] = cell_number(2048),
		[SHARE] = cell_real(12.54), [WHERE] = cell_number(0x5000),
		[EXTRA] = cell_json(json_pack("[i]", 1)),
	};
	struct cell second[COLS] = { [NAME] = cell_text("longer name"), [BYTES] = cell_number(7) };

	emit_row(e, first);
	emit_detail(e, "    under it");
	emit_row(e, second);
	emit_free(e);
	fclose(out);
	return text;
}

TEST(test_text_aligns_names_left_and_numbers_right)
{
	char *text = table(EMIT_TEXT);

	assert_string_equal(text, "name           bytes  share   where\n"
				  "a \"b\", c\\n   2.0 KiB   12.5  0x5000\n"
				  "    under it\n"
				  "longer name      7 B      -       -\n");
	free(text);
}

TEST(test_durations_have_a_unit_in_text_only)
{
	static const struct column lived[] = { { "age_ns", "age", COLUMN_NS, 0, true, NULL } };
	static const char *const expected[] = { "   age\n1.5 us\n", "age_ns\n1500\n" };

	for (int i = 0; i < 2; i++) {
		struct emit_options options = { .format = i ? EMIT_CSV : EMIT_TEXT };
		char *text = NULL;
		size_t bytes;
		FILE *out = open_memstream(&text, &bytes);
		struct emit *e = emit_new(out, lived, 1, &options);

		emit_row(e, (struct cell[]){ cell_number(1500) });
		emit_free(e);
		fclose(out);
		assert_string_equal(text, expected[i]);
		free(text);
	}
}

TEST(test_csv_quotes_as_rfc_4180_and_keeps_numbers_raw)
{
	char *text = table(EMIT_CSV);

	assert_string_equal(text, "name,bytes,where\n"
				  "\"a \"\"b\"\", c\\n\",2048,0x5000\n"
				  "longer name,7,\n");
	free(text);
}

TEST(test_json_is_an_array_of_objects_in_column_order)
{
	char *text = table(EMIT_JSON);

	assert_string_equal(text, "[\n"
		" {\"name\":\"a \\\"b\\\", c\\\\n\",\"bytes\":2048,\"where\":\"0x5000\",\"extra\":[1]},\n"
		" {\"name\":\"longer name\",\"bytes\":7,\"where\":null,\"extra\":null}\n]\n");
	free(text);
}

TEST(test_empty_tables_are_whole)
{
	static const char *const expected[] = { "name  bytes  share  where\n", "name,bytes,where\n", "[]\n" };

	for (int format = EMIT_TEXT; format <= EMIT_JSON; format++) {
		char *text = NULL;
		size_t bytes;
		FILE *out = open_memstream(&text, &bytes);
		struct emit_options options = { .format = (enum emit_format)format };

		emit_free(emit_new(out, columns, COLS, &options));
		fclose(out);
		assert_string_equal(text, expected[format]);
		free(text);
	}
}

TEST(test_sort_words_name_columns_and_may_be_turned)
{
	struct sort_order order;
	struct diag d = { 0 };

	assert_int_equal(emit_parse_sort("bytes,-name", columns, COLS, &order, &d), 0);
	assert_int_equal(order.count, 2);
	assert_int_equal(order.keys[0].column, BYTES);
	assert_false(order.keys[0].is_ascending);
	assert_int_equal(order.keys[1].column, NAME);
	assert_false(order.keys[1].is_ascending);
}

TEST(test_unknown_sort_word_names_the_columns_there_are)
{
	struct sort_order order;
	struct diag d = { 0 };

	assert_int_equal(emit_parse_sort("share", columns, COLS, &order, &d), -1);
	assert_int_equal(d.status, STATUS_USAGE);
	assert_string_equal(d.text, "cannot sort by 'share': the columns are name, bytes");
	assert_int_equal(emit_parse_sort("", columns, COLS, &order, &d), -1);
}

TEST(test_numbers_beyond_json_integers_become_reals)
{
	json_t *v = json_from_number(UINT64_MAX);

	assert_true(json_is_real(v));
	json_decref(v);
	v = json_from_number(INT64_MAX);
	assert_true(json_is_integer(v));
	json_decref(v);
}

TEST(test_changes_have_a_sign_in_text_and_are_whole_numbers_elsewhere)
{
	static const struct column changes[] = {
		{ "blocks", "blocks", COLUMN_MORE_COUNT, 0, false, NULL },
		{ "bytes", "bytes", COLUMN_MORE_BYTES, 0, false, NULL },
	};
	static const char *const expected[] = {
		"blocks     bytes\n+1,234  -2.0 KiB\n     0       0 B\n",
		"blocks,bytes\n1234,-2048\n0,0\n",
		"[\n {\"blocks\":1234,\"bytes\":-2048},\n {\"blocks\":0,\"bytes\":0}\n]\n",
	};

	for (int format = EMIT_TEXT; format <= EMIT_JSON; format++) {
		struct emit_options options = { .format = (enum emit_format)format };
		char *text = NULL;
		size_t bytes;
		FILE *out = open_memstream(&text, &bytes);
		struct emit *e = emit_new(out, changes, 2, &options);

		emit_row(e, (struct cell[]){ cell_change(1234), cell_change(-2048) });
		emit_row(e, (struct cell[]){ cell_change(0), cell_change(0) });
		emit_free(e);
		fclose(out);
		assert_string_equal(text, expected[format]);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_have_a_sign_in_text_and_are_whole_numbers_elsewhere),
		cmocka_unit_test(test_text_aligns_names_left_and_numbers_right),
		cmocka_unit_test(test_durations_have_a_unit_in_text_only),
		cmocka_unit_test(test_csv_quotes_as_rfc_4180_and_keeps_numbers_raw),
		cmocka_unit_test(test_json_is_an_array_of_objects_in_column_order),
		cmocka_unit_test(test_empty_tables_are_whole),
		cmocka_unit_test(test_sort_words_name_columns_and_may_be_turned),
		cmocka_unit_test(test_unknown_sort_word_names_the_columns_there_are),
		cmocka_unit_test(test_numbers_beyond_json_integers_become_reals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
