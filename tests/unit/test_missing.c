/* test_missing.c - what is missing is said with its remedy. */
#include "symbol/missing.h"

#include <stdlib.h>
#include <string.h>

#include "symbol/module_file.h"
#include "test.h"

#define COUNT(frames, name, line) (struct missing_count){ frames, name, line }

TEST(test_missing_nothing_is_empty)
{
	struct missing_module list[] = {
		{ "/usr/bin/a", MODULE_COMPLETE, COUNT(9, 0, 2) },
	};
	char *text = missing_text(list, 1, 0, 0);

	assert_string_equal(text, "");
	free(text);
	text = missing_text(NULL, 0, 0, 0);
	assert_string_equal(text, "");
	free(text);
}

TEST(test_missing_packaged_and_own_programs_have_their_own_remedy)
{
	struct missing_module list[] = {
		{ "/home/me/prog", MODULE_NO_LINES, COUNT(5, 0, 5) },
		{ "/usr/lib/x86_64-linux-gnu/libjq.so.1", MODULE_STRIPPED, COUNT(9, 7, 9) },
		{ "/home/me/bare", MODULE_STRIPPED, COUNT(4, 4, 4) },
	};
	char *text = missing_text(list, 3, 0, 0);

	assert_string_equal(text,
		"libjq.so.1: 7 of 9 frames without name, 9 without line: stripped: install its "
		"debug symbols (Debian: PACKAGE-dbgsym from the debug archive; find it with: "
		"dpkg -S '*/lib/x86_64-linux-gnu/libjq.so.1'), or fetch them with --debuginfod\n"
		"prog: 5 of 5 frames without line: no line information: compile with -g\n"
		"bare: no names and no lines for 4 frames: stripped: compile with -g "
		"and do not strip\n");
	free(text);
}

TEST(test_missing_changed_and_vanished_files_are_told_apart)
{
	struct missing_module list[] = {
		{ "/tmp/a", MODULE_CHANGED, COUNT(3, 3, 3) },
		{ "/tmp/b", MODULE_VANISHED, COUNT(2, 2, 2) },
		{ "/tmp/c", MODULE_DAMAGED, COUNT(1, 1, 1) },
		{ "[vdso]", MODULE_VANISHED, COUNT(1, 1, 1) },
	};
	char *text = missing_text(list, 4, 6, 0);

	assert_non_null(strstr(text, "a: no names and no lines for 3 frames: "
				     "changed since it was recorded"));
	assert_non_null(strstr(text, "b: no names and no lines for 2 frames: "
				     "not on this machine"));
	assert_non_null(strstr(text, "c: no names and no lines for 1 frame: "
				     "not a readable ELF file"));
	assert_non_null(strstr(text, "[vdso]: no names and no lines for 1 frame: "));
	assert_non_null(strstr(text, "6 frames in no file: code made at run time"));
	free(text);
}

TEST(test_missing_debug_information_of_a_part_is_said)
{
	struct missing_module list[] = {
		{ "/opt/node", MODULE_COMPLETE, COUNT(100, 2, 90) },
	};
	char *text = missing_text(list, 1, 1, 2);

	assert_string_equal(text, "node: 2 of 100 frames without name, 90 without line: "
			    "line information for a part of it only: compile with -g\n"
			    "1 frame in no file: code made at run time (node --perf-basic-prof, "
			    "python3.12 -X perf and others write its names into "
			    "/tmp/perf-PID.map, which record keeps), or a module that was not "
			    "recorded\n"
			    "/tmp/perf-PID.map: 2 lines not understood\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_nothing_is_empty),
		cmocka_unit_test(test_missing_packaged_and_own_programs_have_their_own_remedy),
		cmocka_unit_test(test_missing_debug_information_of_a_part_is_said),
		cmocka_unit_test(test_missing_changed_and_vanished_files_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
