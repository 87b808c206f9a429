/*
 * test_stack_text.c - words for frames.
 */
#include "test.h"

#include <stdlib.h>

#include "forms/stack_text.h"

static void check(struct symbol_frame frame, size_t width, const char *expected)
{
	char *text = width ? frame_text_fit(&frame, width) : frame_text(&frame);

	assert_string_equal(text, expected);
	free(text);
}

TEST(test_frame_is_function_and_line_or_function_and_object)
{
	check((struct symbol_frame){ .function = "f", .file = "/src/a.c", .line = 7, .module = "/lib/x.so" },
	      0, "f (a.c:7)");
	check((struct symbol_frame){ .function = "f", .module = "/lib/x.so" }, 0, "f (x.so)");
	check((struct symbol_frame){ .function = "[truncated: depth limit]" }, 0, "[truncated: depth limit]");
}

TEST(test_unknown_function_is_object_and_address)
{
	check((struct symbol_frame){ .module = "/lib/x.so", .offset = 0x1234 }, 0, "x.so+0x1234");
	check((struct symbol_frame){ .offset = 0x7f00 }, 0, "0x7f00");
}

TEST(test_no_frame_is_no_call_stack)
{
	char *text = frame_text(NULL);

	assert_string_equal(text, "(no call stack)");
	assert_null(frame_function(NULL));
	free(text);
}

TEST(test_names_are_escaped)
{
	check((struct symbol_frame){ .function = "a\033b", .file = "c\nd.c", .line = 1 }, 0,
	      "a\\x1bb (c\\nd.c:1)");
}

TEST(test_fit_drops_parameters_then_file_then_the_middle)
{
	struct symbol_frame f = {
		.function = "ns::Type::method(std::map<int, long> const&) const",
		.file = "type.cc", .line = 12,
	};

	check(f, 100, "ns::Type::method(std::map<int, long> const&) const (type.cc:12)");
	check(f, 40, "ns::Type::method (type.cc:12)");
	check(f, 20, "ns::Type::method");
	check(f, 11, "ns::...thod");
}

TEST(test_fit_drops_template_arguments_before_the_file)
{
	struct symbol_frame f = {
		.function = "ns::map<std::less<int>, std::pair<int, int> >::at(int const&)",
		.file = "map.h", .line = 12,
	};
	struct symbol_frame less = { .function = "set<int, int>::operator<<long, long>(int)" };
	struct symbol_frame rust = { .function = "<alloc::vec::Vec<T> as Clone>::clone" };

	check(f, 30, "ns::map<...>::at (map.h:12)");
	check(f, 20, "ns::map<...>::at");
	check(less, 34, "set<...>::operator<<long, long>");
	check(rust, 24, "<alloc::vec...ne>::clone");
}

TEST(test_fit_keeps_the_call_operator)
{
	struct symbol_frame f = { .function = "very::long::name::of::Function::operator()" };

	check(f, 20, "very::lon...erator()");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_is_function_and_line_or_function_and_object),
		cmocka_unit_test(test_unknown_function_is_object_and_address),
		cmocka_unit_test(test_no_frame_is_no_call_stack),
		cmocka_unit_test(test_names_are_escaped),
		cmocka_unit_test(test_fit_drops_parameters_then_file_then_the_middle),
		cmocka_unit_test(test_fit_drops_template_arguments_before_the_file),
		cmocka_unit_test(test_fit_keeps_the_call_operator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
