/* test_elf_symbols.c - names by symbol tables: right or none. */
#include "symbol/elf_symbols.h"

#include "elf_subject.h"

static char *folder;
static uint64_t in_static, in_hidden, in_alias;

static int group_begin(void **state)
{
	char *path;

	(void)state;
	folder = subject_folder();
	path = subject_compile(folder, "full", "g++", "-O2", subject_source);
	in_static = subject_address(path, "static");
	in_hidden = subject_address(path, "inlined");
	in_alias = subject_address(path, "alias");
	free(path);
	/* all global functions are exported, as in a library */
	free(subject_compile(folder, "exported", "g++", "-O2 -rdynamic", subject_source));
	subject_shell("cd '%s' && cp exported bare && strip -s bare", folder);
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	subject_remove(folder);
	return 0;
}

static struct module_file opened(const char *name)
{
	struct module_file mf;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	module_file_open(&mf, path, (const uint8_t *)SUBJECT_BUILD_ID,
			 SUBJECT_BUILD_ID_BYTES, folder);
	return mf;
}

static void assert_symbol(const struct elf_symbols *s, uint64_t address,
			  const char *name)
{
	struct elf_name found = elf_symbols_find(s, address);

	if (!name) {
		assert_null(found.text);
		return;
	}
	assert_non_null(found.text);
	assert_int_equal(found.bytes, strlen(name));
	assert_memory_equal(found.text, name, found.bytes);
	assert_true(found.start <= address);
}

TEST(test_symbols_of_full_table_name_static_functions)
{
	struct module_file mf = opened("full");
	struct elf_symbols *s = elf_symbols_new(&mf);

	assert_symbol(s, in_static, "_ZL3owni");
	assert_symbol(s, in_hidden, "_ZN12_GLOBAL__N_16hiddenEi");
	elf_symbols_free(s);
	module_file_close(&mf);
}

TEST(test_symbols_of_one_function_prefer_the_public_name)
{
	struct module_file mf = opened("full");
	struct elf_symbols *s = elf_symbols_new(&mf);
	uint64_t start = elf_symbols_find(s, in_alias).start;
	struct elf_name name;

	assert_symbol(s, in_alias, "own_public");
	name = elf_symbols_alias(s, start, "__own_public");
	assert_int_equal(name.bytes, strlen("own_public"));
	assert_memory_equal(name.text, "own_public", name.bytes);
	/* a version may stand behind it */
	assert_non_null(elf_symbols_alias(s, start, "__own_public_2_1").text);
	assert_null(elf_symbols_alias(s, start, "__own_public_slow").text);
	/* another function's name, or no start: no alias */
	assert_null(elf_symbols_alias(s, start, "__other").text);
	assert_null(elf_symbols_alias(s, start, "own_public").text);
	assert_null(elf_symbols_alias(s, start + 1, "__own_public").text);
	elf_symbols_free(s);
	module_file_close(&mf);
}

TEST(test_symbols_of_stripped_file_do_not_guess_static_functions)
{
	struct module_file mf = opened("bare");
	struct elf_symbols *s = elf_symbols_new(&mf);

	assert_symbol(s, in_static, NULL);
	assert_symbol(s, in_hidden, NULL);
	assert_symbol(s, in_alias, "own_public");
	elf_symbols_free(s);
	module_file_close(&mf);
}

TEST(test_symbols_outside_all_functions_are_unknown)
{
	struct module_file mf = opened("full");
	struct elf_symbols *s = elf_symbols_new(&mf);

	assert_symbol(s, 0, NULL);
	assert_symbol(s, 1, NULL);
	assert_symbol(s, UINT64_MAX, NULL);
	elf_symbols_free(s);
	module_file_close(&mf);
}

TEST(test_symbols_of_minidebuginfo_name_static_functions)
{
	struct module_file mf;
	struct elf_symbols *s;

	if (system("command -v xz >/dev/null") != 0)
		SKIP("xz is not installed");
	subject_shell("cd '%s' && objcopy --only-keep-debug exported mini && xz -kf mini &&"
		      " cp bare packed && objcopy --add-section .gnu_debugdata=mini.xz packed",
		      folder);
	mf = opened("packed");
	assert_int_equal(mf.state, MODULE_NO_LINES);
	s = elf_symbols_new(&mf);
	assert_symbol(s, in_static, "_ZL3owni");
	assert_symbol(s, in_alias, "own_public");
	elf_symbols_free(s);
	module_file_close(&mf);
}

TEST(test_symbols_of_moved_part_are_its_function)
{
	static const char source[] =
		"#include <stdlib.h>\n"
		"extern \"C\" __attribute__((noinline)) int work(int n)\n"
		"{ if (__builtin_expect(n > 5, 0)) { abort(); } return n; }\n"
		"int main(int c, char **) { return work(c); }\n";
	struct module_file mf;
	struct elf_symbols *s;
	char *path = subject_compile(folder, "cold", "g++", "-O2", source);
	char command[512];
	unsigned long cold = 0;
	FILE *f;

	snprintf(command, sizeof(command), "nm '%s' | grep 'work.cold$'", path);
	f = popen(command, "r");
	if (fscanf(f, "%lx", &cold) != 1)
		cold = 0;
	pclose(f);
	assert_int_not_equal(cold, 0);
	mf = opened("cold");
	s = elf_symbols_new(&mf);
	assert_symbol(s, cold, "work");
	elf_symbols_free(s);
	module_file_close(&mf);
	free(path);
}

TEST(test_symbols_without_file_are_none)
{
	struct module_file mf = opened("gone");
	struct elf_symbols *s = elf_symbols_new(&mf);

	assert_symbol(s, in_static, NULL);
	assert_null(elf_symbols_alias(s, in_static, "__x").text);
	elf_symbols_free(s);
	module_file_close(&mf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbols_of_full_table_name_static_functions),
		cmocka_unit_test(test_symbols_of_one_function_prefer_the_public_name),
		cmocka_unit_test(test_symbols_of_stripped_file_do_not_guess_static_functions),
		cmocka_unit_test(test_symbols_outside_all_functions_are_unknown),
		cmocka_unit_test(test_symbols_of_minidebuginfo_name_static_functions),
		cmocka_unit_test(test_symbols_of_moved_part_are_its_function),
		cmocka_unit_test(test_symbols_without_file_are_none),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
