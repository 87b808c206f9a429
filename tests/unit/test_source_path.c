/* test_source_path.c - paths as people know them. */
#include "symbol/source_path.h"

#include <stdlib.h>

#include "test.h"

static void assert_path(const char *dir, const char *path, const char *clean)
{
	char *text = source_path(dir, path);

	assert_string_equal(text, clean);
	free(text);
}

TEST(test_source_path_is_put_into_its_folder)
{
	assert_path("/build", "a.c", "/build/a.c");
	assert_path("/build", "/src/a.c", "/src/a.c");
	assert_path(NULL, "a.c", "a.c");
	assert_path("/build/obj", "../src/a.c", "/build/src/a.c");
	assert_path("/b", "./a.c", "/b/a.c");
}

TEST(test_source_path_of_mapped_build_folder_is_not_doubled)
{
	assert_path("./malloc", "./malloc/malloc.c", "./malloc/malloc.c");
	assert_path("./inet", "../sysdeps/unix/check_pf.c", "./sysdeps/unix/check_pf.c");
	assert_path(".", "builtin/add.c", "./builtin/add.c");
}

TEST(test_source_path_keeps_parents_it_cannot_fold)
{
	assert_path(NULL, "../../a.c", "../../a.c");
	assert_path(NULL, "../x/../a.c", "../a.c");
	assert_path("/", "../a.c", "/../a.c");
	assert_path("/a/b/c", "../../d//e.c", "/a/d/e.c");
	assert_path(NULL, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source_path_is_put_into_its_folder),
		cmocka_unit_test(test_source_path_of_mapped_build_folder_is_not_doubled),
		cmocka_unit_test(test_source_path_keeps_parents_it_cannot_fold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
