/* test_dwarf_lines.c - lines and inlined calls, whatever wrote the debug information. */
#include "symbol/dwarf_lines.h"

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

static void assert_frame(const struct source_frame *f, const char *name, int line)
{
	assert_non_null(f->name);
	assert_string_equal(f->name, name);
	assert_int_equal(f->line, line);
	assert_non_null(f->file);
	assert_true(ends_in(f->file, "/subject.cc"));
	assert_int_equal(f->file[0], '/');
}

/* Look at the three functions around "inlined" and at the plain one. Frees PATH. */
static void check_subject(char *path)
{
	struct source_frame frames[SOURCE_FRAMES_MAX];
	struct module_file mf;
	struct dwarf_lines *dl;
	uint64_t entry, start, inlined, own;

	inlined = subject_address(path, "inlined");
	own = subject_address(path, "static");
	module_file_open(&mf, path, (const uint8_t *)SUBJECT_BUILD_ID,
			 SUBJECT_BUILD_ID_BYTES, folder);
	assert_int_equal(mf.state, MODULE_COMPLETE);
	dl = dwarf_lines_new(mf.lines, NULL);
	assert_non_null(dl);

	assert_int_equal(dwarf_lines_find(dl, inlined, frames, &entry, &start), 3);
	assert_frame(&frames[0], "_ZN5shape3boxIiE4areaEPKc", 11);
	assert_true(frames[0].is_linkage);
	assert_true(ends_in(frames[1].name, "twice") || ends_in(frames[1].name, "_ZL5twicei"));
	assert_int_equal(frames[1].line, 17);
	assert_true(ends_in(frames[2].name, "(anonymous namespace)::hidden") ||
		    ends_in(frames[2].name, "_ZN12_GLOBAL__N_16hiddenEi"));
	assert_int_equal(frames[2].line, 21);
	assert_in_range(entry, inlined - 200, inlined);
	assert_int_equal(start, entry);

	assert_int_equal(dwarf_lines_find(dl, own, frames, &entry, &start), 1);
	assert_int_equal(frames[0].line, 23);
	assert_false(frames[0].is_c);
	assert_in_range(entry, own - 100, own);

	assert_int_equal(dwarf_lines_find(dl, 0, frames, &entry, &start), 0);
	assert_int_equal(dwarf_lines_find(dl, UINT64_MAX, frames, &entry, &start), 0);
	dwarf_lines_free(dl);
	module_file_close(&mf);
	free(path);
}

static void check_flags(const char *compiler, const char *flags)
{
	check_subject(subject_compile(folder, "subject", compiler, flags, subject_source));
}

TEST(test_lines_of_gcc_dwarf5_have_inlined_calls)
{
	check_flags("g++", "-O2 -gdwarf-5");
}

TEST(test_lines_of_gcc_dwarf4_have_inlined_calls)
{
	check_flags("g++", "-O2 -gdwarf-4");
}

TEST(test_lines_without_aranges_have_inlined_calls)
{
	char *path = subject_compile(folder, "subject", "g++", "-O2 -g", subject_source);

	subject_shell("objcopy --remove-section .debug_aranges '%s'", path);
	check_subject(path);
}

TEST(test_lines_of_clang_have_inlined_calls)
{
	if (system("command -v clang++ >/dev/null") != 0)
		SKIP("clang++ is not installed");
	check_flags("clang++", "-O2 -g");
}

TEST(test_lines_of_packed_sections_have_inlined_calls)
{
	check_flags("g++", "-O2 -g -gz=zlib");
}

TEST(test_lines_of_split_dwarf_have_inlined_calls)
{
	check_flags("g++", "-O2 -g -gsplit-dwarf");
}

TEST(test_lines_need_debug_information)
{
	struct module_file mf;
	char *path = subject_compile(folder, "nolines", "g++", "-O2", subject_source);

	module_file_open(&mf, path, (const uint8_t *)SUBJECT_BUILD_ID,
			 SUBJECT_BUILD_ID_BYTES, folder);
	assert_int_equal(mf.state, MODULE_NO_LINES);
	assert_null(mf.lines);
	module_file_close(&mf);
	free(path);
}

/* A byte is changed at a time, all over the file: no crash, no endless loop. */
TEST(test_lines_of_damaged_file_do_no_harm)
{
	struct source_frame frames[SOURCE_FRAMES_MAX];
	char *path = subject_compile(folder, "whole", "g++", "-O1 -g", subject_source);
	uint64_t address = subject_address(path, "inlined"), entry, start;
	char damaged[512];
	uint8_t *bytes;
	long count;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	count = ftell(f);
	rewind(f);
	bytes = malloc((size_t)count);
	assert_int_equal(fread(bytes, 1, (size_t)count, f), count);
	fclose(f);
	snprintf(damaged, sizeof(damaged), "%s/damaged", folder);
	for (long i = 0; i < 300; i++) {
		long at = i < 60 ? i : count / 300 * i;
		uint8_t old = bytes[at];
		struct module_file mf;
		struct dwarf_lines *dl;

		bytes[at] ^= (uint8_t)(i % 3 == 0 ? 0xff : i % 3 == 1 ? 0x80 : 0x01);
		f = fopen(damaged, "w");
		assert_non_null(f);
		fwrite(bytes, 1, (size_t)count, f);
		fclose(f);
		bytes[at] = old;
		module_file_open(&mf, damaged, (const uint8_t *)SUBJECT_BUILD_ID,
				 SUBJECT_BUILD_ID_BYTES, folder);
		dl = mf.lines ? dwarf_lines_new(mf.lines, NULL) : NULL;
		if (dl)
			for (uint64_t a = address - 64; a < address + 64; a += 8)
				dwarf_lines_find(dl, a, frames, &entry, &start);
		dwarf_lines_free(dl);
		module_file_close(&mf);
	}
	free(bytes);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_gcc_dwarf5_have_inlined_calls),
		cmocka_unit_test(test_lines_of_gcc_dwarf4_have_inlined_calls),
		cmocka_unit_test(test_lines_without_aranges_have_inlined_calls),
		cmocka_unit_test(test_lines_of_clang_have_inlined_calls),
		cmocka_unit_test(test_lines_of_packed_sections_have_inlined_calls),
		cmocka_unit_test(test_lines_of_split_dwarf_have_inlined_calls),
		cmocka_unit_test(test_lines_need_debug_information),
		cmocka_unit_test(test_lines_of_damaged_file_do_no_harm),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
