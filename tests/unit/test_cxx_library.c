/* test_cxx_library.c - the C++ standard library is told from the program. */
#include "symbol/cxx_library.h"

#include "test.h"

static bool has(const char *function, const char *file, const char *module)
{
	return cxx_library_has(&(struct symbol_frame){
		.function = function, .file = file, .module = module });
}

TEST(test_cxx_library_object_is_known_by_its_name)
{
	assert_true(has("f", NULL, "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"));
	assert_true(has(NULL, NULL, "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30"));
	assert_true(has("f", "/src/eh_alloc.cc", "/opt/lib/libstdc++.so.6"));
	assert_true(has("f", NULL, "/usr/lib/libc++.so.1"));
	assert_true(has("f", NULL, "/usr/lib/libc++abi.so.1"));
	assert_false(has("f", NULL, "/usr/lib/libc.so.6"));
	assert_false(has(NULL, NULL, NULL));
}

TEST(test_cxx_library_headers_are_known_by_their_folder)
{
	assert_true(has("g", "/usr/include/c++/12/bits/basic_string.h", "/bin/p"));
	assert_true(has("g", "/usr/include/x86_64-linux-gnu/c++/12/bits/c++config.h", "/bin/p"));
	assert_true(has("g", "/usr/lib/llvm-14/include/c++/v1/vector", "/bin/p"));
	/* the program's own, whatever it is called */
	assert_false(has("std::hash<Mine>::operator()", "/home/me/h.cc", "/bin/p"));
	assert_false(has("g", "/home/me/c++/12/x.cc", "/bin/p"));
	assert_false(has("asprintf", "/usr/include/x86_64-linux-gnu/bits/stdio2.h", "/bin/p"));
}

TEST(test_cxx_library_templates_without_lines_are_known_by_name)
{
	assert_true(has("std::vector<int>::push_back(int&&)", NULL, "/bin/p"));
	assert_true(has("void std::vector<std::pair<int, long> >::_M_realloc_insert<int>(int&&)",
			NULL, "/bin/p"));
	assert_true(has("__gnu_cxx::new_allocator<int>::allocate", NULL, "/bin/p"));
	assert_false(has("build(std::vector<int>&)", NULL, "/bin/p"));
	assert_false(has("make<std::vector<int> >", NULL, "/bin/p"));
	assert_false(has("standard", NULL, "/bin/p"));
}

TEST(test_c_library_and_loader_are_told_from_the_rest)
{
	assert_true(c_library_has(&(struct symbol_frame){ .module = "/lib64/ld-linux-x86-64.so.2" }));
	assert_true(c_library_has(&(struct symbol_frame){ .module = "/lib/libc.so.6" }));
	assert_false(c_library_has(&(struct symbol_frame){ .module = "/lib/libcairo.so.2" }));
	assert_false(c_library_has(&(struct symbol_frame){ .module = NULL }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cxx_library_object_is_known_by_its_name),
		cmocka_unit_test(test_cxx_library_headers_are_known_by_their_folder),
		cmocka_unit_test(test_cxx_library_templates_without_lines_are_known_by_name),
		cmocka_unit_test(test_c_library_and_loader_are_told_from_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
