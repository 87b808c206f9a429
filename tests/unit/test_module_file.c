/* test_module_file.c - which files describe a module, and which must not. */
#include "symbol/module_file.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include <elfutils/libdwelf.h>

#include "elf_subject.h"

#define ID ((const uint8_t *)SUBJECT_BUILD_ID)

static char *folder;

static int group_begin(void **state)
{
	(void)state;
	folder = subject_folder();
	free(subject_compile(folder, "full", "g++", "-O2 -g", subject_source));
	subject_shell("cd '%s' && cp full plain && strip -g plain && cp full bare && strip -s bare &&"
		      " objcopy --only-keep-debug full full.debug", folder);
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	subject_remove(folder);
	return 0;
}

static struct module_file opened(const char *name, const char *root)
{
	struct module_file mf;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	module_file_open(&mf, path, ID, SUBJECT_BUILD_ID_BYTES, root);
	return mf;
}

static enum module_state state_of(const char *name)
{
	struct module_file mf = opened(name, folder);
	enum module_state state = mf.state;

	module_file_close(&mf);
	return state;
}

TEST(test_module_with_debug_information_is_complete)
{
	struct module_file mf = opened("full", folder);

	assert_int_equal(mf.state, MODULE_COMPLETE);
	assert_ptr_equal(mf.lines, mf.elf);
	assert_null(mf.debug);
	module_file_close(&mf);
}

TEST(test_module_stripped_and_without_lines_are_told_apart)
{
	assert_int_equal(state_of("plain"), MODULE_NO_LINES);
	assert_int_equal(state_of("bare"), MODULE_STRIPPED);
}

TEST(test_module_debug_file_is_found_by_build_id)
{
	char root[512];
	struct module_file mf;

	snprintf(root, sizeof(root), "%s/root", folder);
	subject_shell("cd '%s' && mkdir -p root/.build-id/1a &&"
		      " cp full.debug root/.build-id/1a/2b3c4d5e6f7182.debug", folder);
	mf = opened("bare", root);
	assert_int_equal(mf.state, MODULE_COMPLETE);
	assert_ptr_equal(mf.lines, mf.debug);
	assert_true(ends_in(mf.debug_path, "root/.build-id/1a/2b3c4d5e6f7182.debug"));
	module_file_close(&mf);
	/* even where the module itself is gone */
	mf = opened("gone", root);
	assert_int_equal(mf.state, MODULE_COMPLETE);
	assert_null(mf.elf);
	module_file_close(&mf);
}

TEST(test_module_debug_file_is_found_by_link)
{
	subject_shell("cd '%s' && cp bare linked && objcopy --add-gnu-debuglink=full.debug linked",
		      folder);
	assert_int_equal(state_of("linked"), MODULE_COMPLETE);
	subject_shell("cd '%s' && mkdir -p .debug && mv full.debug .debug/", folder);
	assert_int_equal(state_of("linked"), MODULE_COMPLETE);
	subject_shell("cd '%s' && mv .debug/full.debug .", folder);
}

TEST(test_module_debug_file_of_another_build_is_refused)
{
	subject_shell("cd '%s' && mkdir -p other && cp linked other/ &&"
		      " g++ -g -no-pie -Wl,--build-id=0x99 -o o full.cc &&"
		      " objcopy --only-keep-debug o other/full.debug", folder);
	assert_int_equal(state_of("other/linked"), MODULE_STRIPPED);
}

TEST(test_module_without_build_id_is_linked_by_checksum)
{
	struct module_file mf;
	char path[512];

	subject_shell("cd '%s' && mkdir -p crc && g++ -g -no-pie -Wl,--build-id=none -o crc/p full.cc &&"
		      " objcopy --only-keep-debug crc/p crc/p.debug && strip -s crc/p &&"
		      " objcopy --add-gnu-debuglink=crc/p.debug crc/p", folder);
	snprintf(path, sizeof(path), "%s/crc/p", folder);
	module_file_open(&mf, path, NULL, 0, folder);
	assert_int_equal(mf.state, MODULE_COMPLETE);
	module_file_close(&mf);
	subject_shell("printf x >>'%s/crc/p.debug'", folder);
	module_file_open(&mf, path, NULL, 0, folder);
	assert_int_equal(mf.state, MODULE_STRIPPED);
	module_file_close(&mf);
}

TEST(test_module_of_another_build_is_changed)
{
	struct module_file mf;
	char path[512];

	snprintf(path, sizeof(path), "%s/full", folder);
	module_file_open(&mf, path, (const uint8_t *)"other id", 8, folder);
	assert_int_equal(mf.state, MODULE_CHANGED);
	assert_null(mf.elf);
	assert_null(mf.lines);
	module_file_close(&mf);
	/* recorded without an id, has one now */
	module_file_open(&mf, path, NULL, 0, folder);
	assert_int_equal(mf.state, MODULE_CHANGED);
	module_file_close(&mf);
}

TEST(test_module_that_is_no_file_is_not_opened)
{
	subject_shell("cd '%s' && mkfifo fifo && mkdir dir && printf 'not ELF at all' >text &&"
		      " head -c 100 full >cut", folder);
	assert_int_equal(state_of("gone"), MODULE_VANISHED);
	assert_int_equal(state_of("fifo"), MODULE_DAMAGED);
	assert_int_equal(state_of("dir"), MODULE_DAMAGED);
	assert_int_equal(state_of("text"), MODULE_DAMAGED);
	assert_in_set(state_of("cut"), ((LargestIntegralType[]){ MODULE_DAMAGED,
		      MODULE_CHANGED }), 2);
}

TEST(test_module_path_that_is_not_absolute_is_never_opened)
{
	struct module_file mf;

	module_file_open(&mf, "Makefile", NULL, 0, folder);
	assert_int_equal(mf.state, MODULE_VANISHED);
	module_file_close(&mf);
	module_file_open(&mf, "", NULL, 0, folder);
	assert_int_equal(mf.state, MODULE_VANISHED);
	module_file_close(&mf);
	module_file_open(&mf, "[vdso]", (const uint8_t *)"not this kernel's", 16, folder);
	assert_int_equal(mf.state, MODULE_VANISHED);
	module_file_close(&mf);
}

TEST(test_module_vdso_of_this_kernel_is_read_from_memory)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	struct module_file mf;
	const void *id = NULL;
	ssize_t bytes;
	Elf *elf;

	if (!eh)
		SKIP("this kernel gives no vdso");
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)eh, eh->e_shoff + (size_t)eh->e_shnum * eh->e_shentsize);
	bytes = dwelf_elf_gnu_build_id(elf, &id);
	if (bytes <= 0) {
		elf_end(elf);
		SKIP("this kernel's vdso has no build-id");
	}
	module_file_open(&mf, "[vdso]", id, (size_t)bytes, folder);
	assert_non_null(mf.elf);
	assert_int_not_equal(mf.state, MODULE_VANISHED);
	module_file_close(&mf);
	elf_end(elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_module_with_debug_information_is_complete),
		cmocka_unit_test(test_module_stripped_and_without_lines_are_told_apart),
		cmocka_unit_test(test_module_debug_file_is_found_by_build_id),
		cmocka_unit_test(test_module_debug_file_is_found_by_link),
		cmocka_unit_test(test_module_debug_file_of_another_build_is_refused),
		cmocka_unit_test(test_module_without_build_id_is_linked_by_checksum),
		cmocka_unit_test(test_module_of_another_build_is_changed),
		cmocka_unit_test(test_module_that_is_no_file_is_not_opened),
		cmocka_unit_test(test_module_vdso_of_this_kernel_is_read_from_memory),
		cmocka_unit_test(test_module_path_that_is_not_absolute_is_never_opened),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
