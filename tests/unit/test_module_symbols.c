/* test_module_symbols.c - debug information and symbol table together. */
#include "symbol/module_symbols.h"

#include "elf_subject.h"
#include "symbol/demangle_name.h"

static char *folder;
static struct name_pool *pool;

static int group_begin(void **state)
{
	(void)state;
	folder = subject_folder();
	pool = name_pool_new();
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	subject_remove(folder);
	name_pool_free(pool);
	return 0;
}

static void assert_readable(const char *name, const char *readable)
{
	char *text;

	assert_non_null(name);
	text = demangle_name(name);
	assert_string_equal(text ? text : name, readable);
	free(text);
}

/* The frames at what PATH prints for NAME. */
static uint32_t find(const char *path, const char *name,
		     struct stored_frame frames[SOURCE_FRAMES_MAX])
{
	struct module_symbols m;
	uint32_t count;

	module_symbols_open(&m, path, (const uint8_t *)SUBJECT_BUILD_ID,
			    SUBJECT_BUILD_ID_BYTES, folder, NULL);
	count = module_symbols_find(&m, subject_address(path, name), pool, frames);
	module_symbols_close(&m);
	return count;
}

TEST(test_module_static_cxx_function_gets_its_parameters)
{
	struct stored_frame frames[SOURCE_FRAMES_MAX];
	char *path = subject_compile(folder, "g", "g++", "-O2 -g", subject_source);

	assert_int_equal(find(path, "static", frames), 1);
	assert_readable(frames[0].name, "own(int)");
	assert_int_equal(find(path, "inlined", frames), 3);
	assert_readable(frames[0].name, "shape::box<int>::area(char const*)");
	assert_readable(frames[1].name, "twice");
	assert_readable(frames[2].name, "(anonymous namespace)::hidden(int)");
	free(path);
}

TEST(test_module_without_lines_has_names)
{
	struct stored_frame frames[SOURCE_FRAMES_MAX];
	char *path = subject_compile(folder, "n", "g++", "-O2", subject_source);

	assert_int_equal(find(path, "static", frames), 1);
	assert_readable(frames[0].name, "own(int)");
	assert_null(frames[0].file);
	assert_int_equal(find(path, "inlined", frames), 1);
	assert_readable(frames[0].name, "(anonymous namespace)::hidden(int)");
	free(path);
}

/* Debug information and symbol table agree on where a function begins. */
TEST(test_module_tells_how_far_into_the_function_an_address_is)
{
	struct stored_frame lines[SOURCE_FRAMES_MAX], names[SOURCE_FRAMES_MAX];
	char *with = subject_compile(folder, "g", "g++", "-O2 -g", subject_source);
	char *without = subject_compile(folder, "n", "g++", "-O2", subject_source);
	uint32_t count;

	assert_int_equal(find(with, "static", lines), 1);
	assert_int_equal(find(without, "static", names), 1);
	assert_in_range(lines[0].into, 2, 200);
	assert_int_equal(lines[0].into, names[0].into);
	count = find(with, "inlined", lines);
	assert_int_equal(find(without, "inlined", names), 1);
	assert_int_equal(lines[0].into, 0);
	assert_int_equal(lines[count - 1].into, names[0].into);
	free(with);
	free(without);
}

TEST(test_module_stripped_is_one_unknown_frame)
{
	struct stored_frame frames[SOURCE_FRAMES_MAX];
	char *path = subject_compile(folder, "s", "g++", "-O2 -s", subject_source);

	assert_int_equal(find(path, "static", frames), 1);
	assert_null(frames[0].name);
	assert_null(frames[0].file);
	assert_int_equal(frames[0].line, 0);
	assert_int_equal(frames[0].into, 0);
	free(path);
}

/* gcc may take "static int f(int)" apart; compiled as C the name is plain. */
TEST(test_module_c_function_keeps_its_name)
{
	static const char source[] =
		"#include <stdio.h>\n"
		"static __attribute__((noinline)) int _static_one(int n)\n"
		"{ printf(\"static %lx\\n\", (unsigned long)__builtin_return_address(0) - 1); return n; }\n"
		"int __entry(int n)\n"
		"{ return _static_one(n) + 1; }\n"
		"int entry(int n) __attribute__((alias(\"__entry\")));\n"
		"int main(int c, char **v) { (void)v; return entry(c) > 100; }\n";
	struct stored_frame frames[SOURCE_FRAMES_MAX];
	char *path = subject_compile(folder, "c", "gcc -x c", "-O1 -fno-inline -g", source);

	assert_int_equal(find(path, "static", frames), 1);
	assert_string_equal(frames[0].name, "entry");
	assert_int_equal(frames[0].line, 5);
	free(path);
}

TEST(test_libc_function_has_its_public_name_and_line)
{
	struct stored_frame frames[SOURCE_FRAMES_MAX];
	struct module_symbols m;
	const char *path = "/lib/x86_64-linux-gnu/libc.so.6";
	unsigned long address = 0;
	char id[65] = "", word[65];
	uint8_t build_id[32];
	size_t bytes;
	FILE *f = popen("readelf -n /lib/x86_64-linux-gnu/libc.so.6 2>/dev/null |"
			" sed -n 's/.*Build ID: //p'", "r");

	assert_non_null(f);
	if (fscanf(f, "%64s", id) != 1)
		id[0] = '\0';
	pclose(f);
	bytes = strlen(id) / 2;
	if (!bytes)
		SKIP("no libc with a build-id at %s", path);
	for (size_t i = 0; i < bytes; i++) {
		memcpy(word, id + 2 * i, 2);
		word[2] = '\0';
		build_id[i] = (uint8_t)strtoul(word, NULL, 16);
	}
	f = popen("nm -D --defined-only /lib/x86_64-linux-gnu/libc.so.6 |"
		  " sed -n 's/ . malloc@.*//p'", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lx", &address), 1);
	pclose(f);
	module_symbols_open(&m, path, build_id, bytes, NULL, NULL);
	if (m.file.state != MODULE_COMPLETE) {
		module_symbols_close(&m);
		SKIP("libc6-dbg is not installed");
	}
	assert_int_equal(module_symbols_find(&m, address, pool, frames), 1);
	assert_string_equal(frames[0].name, "malloc");
	assert_true(ends_in(frames[0].file, "malloc/malloc.c"));
	assert_in_range(frames[0].line, 3000, 3700);
	module_symbols_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_module_static_cxx_function_gets_its_parameters),
		cmocka_unit_test(test_module_without_lines_has_names),
		cmocka_unit_test(test_module_tells_how_far_into_the_function_an_address_is),
		cmocka_unit_test(test_module_stripped_is_one_unknown_frame),
		cmocka_unit_test(test_module_c_function_keeps_its_name),
		cmocka_unit_test(test_libc_function_has_its_public_name_and_line),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
