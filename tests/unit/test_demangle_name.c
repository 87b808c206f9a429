/* test_demangle_name.c - C++, Rust and D names become readable, C names stay. */
#include "symbol/demangle_name.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static void assert_name(const char *mangled, const char *readable)
{
	char *name = demangle_name(mangled);

	if (readable)
		assert_string_equal(name, readable);
	else
		assert_null(name);
	free(name);
}

TEST(test_demangle_cxx_name_has_parameters)
{
	assert_name("_ZNSt6vectorIiSaIiEE9push_backEOi",
		    "std::vector<int, std::allocator<int> >::push_back(int&&)");
	assert_name("_Znwm", "operator new(unsigned long)");
	assert_name("_ZN12_GLOBAL__N_16hiddenEi", "(anonymous namespace)::hidden(int)");
}

TEST(test_demangle_cxx_copy_of_function_says_so)
{
	assert_name("_ZL4namei.part.0", "name(int) [clone .part.0]");
}

TEST(test_demangle_constructor_of_all_kinds_is_one_name)
{
	assert_name("_ZN3FooC4Ev", "Foo::Foo()");
	assert_name("_ZN3FooC2Ev", "Foo::Foo()");
}

TEST(test_demangle_rust_v0_name)
{
	assert_name("_RNvCsbDqzXfLQacH_3foo16example_function", "foo::example_function");
}

TEST(test_demangle_rust_legacy_name_loses_hash)
{
	assert_name("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE",
		    "core::fmt::Formatter::pad");
}

TEST(test_demangle_d_name)
{
	assert_name("_Dmain", "D main");
}

TEST(test_demangle_c_name_is_left_alone)
{
	assert_name("main", NULL);
	assert_name("_start", NULL);
	assert_name("__libc_malloc", NULL);
	assert_name("_Zebra", NULL);
	assert_name("_Razor", NULL);
	assert_name("_", NULL);
	assert_name("", NULL);
}

TEST(test_demangle_broken_and_huge_names_are_left_alone)
{
	char *huge = malloc(100000);

	assert_name("_ZN", NULL);
	assert_name("_ZNSt6vectorIiSaIiEE9push_back", NULL);
	assert_name("_RNvC", NULL);
	memset(huge, 'P', 99999);
	memcpy(huge, "_Z1f", 4);
	huge[99999] = '\0';
	assert_name(huge, NULL);
	huge[8000] = '\0'; /* deep nesting within the limit of length */
	free(demangle_name(huge));
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_demangle_cxx_name_has_parameters),
		cmocka_unit_test(test_demangle_cxx_copy_of_function_says_so),
		cmocka_unit_test(test_demangle_constructor_of_all_kinds_is_one_name),
		cmocka_unit_test(test_demangle_rust_v0_name),
		cmocka_unit_test(test_demangle_rust_legacy_name_loses_hash),
		cmocka_unit_test(test_demangle_d_name),
		cmocka_unit_test(test_demangle_c_name_is_left_alone),
		cmocka_unit_test(test_demangle_broken_and_huge_names_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
