/* test_dwarf_units.c - the unit and the function of an address. */
#include "symbol/dwarf_units.h"

#include "elf_subject.h"
#include "symbol/module_file.h"

static char *folder;

static int group_begin(void **state)
{
	(void)state;
	folder = subject_folder();
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	subject_remove(folder);
	return 0;
}

/* Find the unit and function of each address of "inlined" and "static" in the program at PATH. */
static void check_units(const char *path)
{
	uint64_t own = subject_address(path, "static");
	uint64_t inlined = subject_address(path, "inlined");
	struct function_range *f, *again;
	struct dwarf_units *du;
	struct module_file mf;
	struct unit *u;
	Dwarf *dwarf;

	module_file_open(&mf, path, (const uint8_t *)SUBJECT_BUILD_ID,
			 SUBJECT_BUILD_ID_BYTES, folder);
	dwarf = dwarf_begin_elf(mf.lines, DWARF_C_READ, NULL);
	assert_non_null(dwarf);
	du = dwarf_units_new(dwarf);
	u = dwarf_units_find(du, own, &f);
	assert_non_null(u);
	assert_true(u->has_namespaces);
	assert_non_null(f);
	assert_string_equal(dwarf_diename(&f->die), "own");
	assert_in_range(own, f->low, f->high - 1);
	assert_ptr_equal(dwarf_units_find(du, inlined, &again), u);
	assert_non_null(again);
	assert_int_not_equal(again->low, f->low);
	assert_null(dwarf_units_find(du, 1, &f));
	assert_null(f);
	assert_null(dwarf_units_find(du, UINT64_MAX, &f));
	dwarf_units_free(du);
	dwarf_end(dwarf);
	module_file_close(&mf);
}

TEST(test_units_by_aranges_are_found)
{
	char *path = subject_compile(folder, "subject", "g++", "-O2 -g", subject_source);

	check_units(path);
	free(path);
}

TEST(test_units_by_their_own_ranges_are_found)
{
	char *path = subject_compile(folder, "subject", "g++", "-O2 -g", subject_source);

	subject_shell("objcopy --remove-section .debug_aranges '%s'", path);
	check_units(path);
	free(path);
}

/* gcc puts a function that is nested in another (GNU C) under that one. */
TEST(test_units_list_nested_functions)
{
	static const char source[] =
		"#include <stdio.h>\n"
		"static __attribute__((noinline)) void capture(void)\n"
		"{ printf(\"nested %lx\\n\", (unsigned long)__builtin_return_address(0) - 1); }\n"
		"int main(int c, char **v)\n"
		"{ __attribute__((noinline)) int nested(int n) { capture(); return n + c; }\n"
		"  (void)v; return nested(1) > 1000; }\n";
	char *path = subject_compile(folder, "nest", "gcc -x c", "-O1 -g", source);
	struct function_range *f;
	struct dwarf_units *du;
	struct module_file mf;
	Dwarf *dwarf;

	module_file_open(&mf, path, (const uint8_t *)SUBJECT_BUILD_ID,
			 SUBJECT_BUILD_ID_BYTES, folder);
	dwarf = dwarf_begin_elf(mf.lines, DWARF_C_READ, NULL);
	du = dwarf_units_new(dwarf);
	assert_non_null(dwarf_units_find(du, subject_address(path, "nested"), &f));
	assert_non_null(f);
	assert_string_equal(dwarf_diename(&f->die), "nested");
	dwarf_units_free(du);
	dwarf_end(dwarf);
	module_file_close(&mf);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units_by_aranges_are_found),
		cmocka_unit_test(test_units_by_their_own_ranges_are_found),
		cmocka_unit_test(test_units_list_nested_functions),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
