/*
 * test_short_name.c - names of C++ and Rust functions without what nobody says.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "symbol/short_name.h"

static void check(const char *name, const char *expected)
{
	char *text = short_name(name);

	assert_string_equal(text, expected);
	free(text);
}

TEST(test_parameters_and_template_arguments_go)
{
	check("std::vector<int, std::allocator<int> >::push_back(int&&)", "std::vector<...>::push_back");
	check("open_sessions(int)", "open_sessions");
	check("ns::Type::method(std::map<int, long> const&) const", "ns::Type::method");
	check("f(void (*)(int), int)", "f");
	check("pair<T>::g(T)", "pair<T>::g");
	check("Type::~Type()", "Type::~Type");
}

TEST(test_the_return_type_goes)
{
	check("void std::vector<row, std::allocator<row> >::_M_realloc_insert<row>(row&&)",
	      "std::vector<...>::_M_realloc_insert<row>");
	check("row& std::vector<row, std::allocator<row> >::emplace_back<row>(row&&)",
	      "std::vector<...>::emplace_back<row>");
	check("std::pair<int, char const*> make<int, char const*>(int, char const*)", "make<...>");
	check("unsigned long long* f<unsigned long long>(int)", "f<...>");
}

TEST(test_inline_and_anonymous_namespaces_go)
{
	check("std::__cxx11::basic_string<char, std::char_traits<char> >::_M_mutate(unsigned long)",
	      "std::basic_string<...>::_M_mutate");
	check("std::__1::vector<int, std::__1::allocator<int> >::reserve(unsigned long)",
	      "std::vector<...>::reserve");
	check("(anonymous namespace)::hidden(int)", "hidden");
	check("v8::internal::(anonymous namespace)::Invoke(v8::internal::Isolate*)", "v8::internal::Invoke");
	check("std::__detail::_Hashtable<int, int>::find()", "std::__detail::_Hashtable<...>::find");
	check("name[abi:cxx11](int)", "name");
}

TEST(test_operators_keep_their_sign)
{
	check("Type::operator()(int) const", "Type::operator()");
	check("bool ns::operator<(A const&, B const&)", "ns::operator<");
	check("ns::operator<<(A const&, int)", "ns::operator<<");
	check("Type::operator->() const", "Type::operator->");
	check("Type::operator[](unsigned long)", "Type::operator[]");
	check("operator new(unsigned long)", "operator new");
	check("operator new[](unsigned long)", "operator new[]");
	check("Type::operator std::basic_string<char>() const", "Type::operator std::basic_string<char>");
	check("bool operator< <int>(A<int> const&, A<int> const&)", "operator<");
	check("operators::run(int)", "operators::run");
}

TEST(test_lambdas_keep_their_number)
{
	check("main::{lambda(int)#1}::operator()(int) const", "main::{lambda(int)#1}::operator()");
	check("run(int)::{lambda()#2}::operator()() const", "run::{lambda()#2}::operator()");
}

TEST(test_copies_of_the_compiler_are_not_told_apart)
{
	check("f(int) [clone .part.0]", "f");
	check("v8::internal::Snapshot::Initialize(v8::internal::Isolate*) [clone .part.0]",
	      "v8::internal::Snapshot::Initialize");
	check("g [clone .cold]", "g");
}

TEST(test_rust_names)
{
	check("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec<T,A>::push");
	check("alloc::vec::Vec<alloc::string::String>::push", "alloc::vec::Vec<...>::push");
	check("<alloc::vec::Vec<T> as core::clone::Clone>::clone",
	      "<alloc::vec::Vec<T> as core::clone::Clone>::clone");
	check("core::ptr::drop_in_place::<alloc::vec::Vec<u8>>", "core::ptr::drop_in_place");
	check("app::main::{closure#0}", "app::main::{closure#0}");
}

TEST(test_other_names_stay_as_they_are)
{
	static const char *const names[] = {
		"main", "foo.part.0", "[truncated: depth limit]", "get size", "a<b", "f(int", "", "<", "(",
		"((", ">>", "()", "operator", "a::", "x -> y",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		check(names[i], names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters_and_template_arguments_go),
		cmocka_unit_test(test_the_return_type_goes),
		cmocka_unit_test(test_inline_and_anonymous_namespaces_go),
		cmocka_unit_test(test_operators_keep_their_sign),
		cmocka_unit_test(test_lambdas_keep_their_number),
		cmocka_unit_test(test_copies_of_the_compiler_are_not_told_apart),
		cmocka_unit_test(test_rust_names),
		cmocka_unit_test(test_other_names_stay_as_they_are),
	};

	return cmocka_run_group_tests_name("short_name", tests, NULL, NULL);
}
