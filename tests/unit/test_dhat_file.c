/* test_dhat_file.c - the JSON that dh_view.html reads. */
#include "unit/form_subject.h"

#include <jansson.h>

#define MAIN 0x400000

static json_t *load(struct mktrace *t, const char *words)
{
	char *text = form_output(mktrace_file(t), words);
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);

	if (!root)
		fail_msg("%s in:\n%s", error.text, text);
	free(text);
	return root;
}

static long long number(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

/* The text of frame INDEX of point POINT. */
static const char *frame(const json_t *root, size_t point, size_t index)
{
	const json_t *pp = json_array_get(json_object_get(root, "pps"), point);
	const json_t *id = json_array_get(json_object_get(pp, "fs"), index);

	return json_string_value(json_array_get(json_object_get(root, "ftbl"),
						(size_t)json_integer_value(id)));
}

TEST(test_file_has_every_field_of_the_viewer)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");
	json_t *root, *pp;

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1001, 0x1000, 2000, MAIN + 1, MAIN + 9);
	mk_malloc(t, s, 3001, 0x2000, 3000, MAIN + 1, MAIN + 9);
	mk_free(t, s, 5001, 0x2000);
	mk_exit(t, 1, 20001, 0);
	root = load(t, "dhat --format=dhat");
	assert_int_equal(number(root, "dhatFileVersion"), 2);
	assert_string_equal(json_string_value(json_object_get(root, "mode")), "heap");
	assert_string_equal(json_string_value(json_object_get(root, "verb")), "Allocated");
	assert_true(json_is_true(json_object_get(root, "bklt")));
	assert_true(json_is_false(json_object_get(root, "bkacc")));
	assert_string_equal(json_string_value(json_object_get(root, "tu")), "\u00b5s");
	assert_string_equal(json_string_value(json_object_get(root, "Mtu")), "s");
	assert_string_equal(json_string_value(json_object_get(root, "cmd")), "/bin/p");
	assert_int_equal(number(root, "pid"), 100);
	assert_int_equal(number(root, "te"), 20);
	assert_int_equal(number(root, "tg"), 3);
	assert_int_equal(number(root, "tuth"), 10);
	pp = json_array_get(json_object_get(root, "pps"), 0);
	assert_int_equal(number(pp, "tb"), 5000);
	assert_int_equal(number(pp, "tbk"), 2);
	assert_int_equal(number(pp, "tl"), 19 + 2);
	assert_int_equal(number(pp, "mb"), 5000);
	assert_int_equal(number(pp, "mbk"), 2);
	assert_int_equal(number(pp, "gb"), 5000);
	assert_int_equal(number(pp, "gbk"), 2);
	assert_int_equal(number(pp, "eb"), 2000);
	assert_int_equal(number(pp, "ebk"), 1);
	assert_null(json_object_get(pp, "rb"));
	assert_string_equal(json_string_value(json_array_get(json_object_get(root, "ftbl"), 0)), "[root]");
	assert_string_equal(frame(root, 0, 0), "0x400001: ??? (in /bin/p)");
	assert_string_equal(frame(root, 0, 1), "0x400009: ??? (in /bin/p)");
	json_decref(root);
	mktrace_free(t);
}

/* A plug-in that is unloaded and loaded again at its place: dh_view refuses equal lists. */
TEST(test_same_code_loaded_again_is_a_point_of_its_own)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");
	json_t *root;

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/lib/plug.so");
	mk_malloc(t, s, 1000, 0x1000, 100, MAIN + 1);
	mk_module_unmap(t, 1, 2000, MAIN);
	mk_module(t, 1, 3000, MAIN, MAIN + 0x1000, "/lib/plug.so");
	mk_segment(t, s);
	mk_malloc(t, s, 4000, 0x2000, 30, MAIN + 1);
	root = load(t, "dhat --format=dhat");
	assert_int_equal(json_array_size(json_object_get(root, "pps")), 2);
	assert_string_equal(frame(root, 0, 0), frame(root, 1, 0));
	assert_int_equal(json_array_size(json_object_get(json_array_get(json_object_get(root, "pps"), 0),
							 "fs")), 1);
	assert_string_equal(frame(root, 1, 1), "0x0: [code loaded again: 2]");
	json_decref(root);
	mktrace_free(t);
}

TEST(test_names_from_the_program_are_escaped)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p\"\n\xff</script>");
	json_t *root;

	mk_malloc(t, s, 1000, 0x1000, 100);
	mk_malloc(t, s, 2000, 0x2000, 10, MAIN + 1);
	root = load(t, "dhat --format=dhat");
	assert_string_equal(frame(root, 0, 0), "0x0: [no call stack]");
	json_decref(root);
	mktrace_free(t);
}

TEST(test_program_without_blocks_is_a_file_without_points)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");
	json_t *root;

	mk_null_call(t, s, 1000, FUNC_FREE);
	root = load(t, "dhat --format=dhat");
	assert_int_equal(json_array_size(json_object_get(root, "pps")), 0);
	assert_int_equal(json_array_size(json_object_get(root, "ftbl")), 1);
	json_decref(root);
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_has_every_field_of_the_viewer),
		cmocka_unit_test(test_same_code_loaded_again_is_a_point_of_its_own),
		cmocka_unit_test(test_names_from_the_program_are_escaped),
		cmocka_unit_test(test_program_without_blocks_is_a_file_without_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
