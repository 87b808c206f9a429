/*
 * test_exec_file.c - what files say of themselves before they are executed.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec_file.h"
#include "record_kinds.h"
#include "test.h"

#define BIT(name) (1u << EXEC_##name)

static char folder[] = "/tmp/exec-file-XXXXXX";

static int enter(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	unlink("file");
	unlink("script");
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void write_file(const char *name, const void *bytes, size_t count)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, count), count);
	close(fd);
}

static uint32_t flags_of(const char *path)
{
	uint32_t flags = 77;

	assert_int_equal(exec_file_flags(AT_FDCWD, path, &flags), 0);
	return flags;
}

/* An ELF file of CLASS for MACHINE with the one program header TYPE, INTERPRETER behind it. */
static void write_elf(unsigned char class, uint16_t machine, uint32_t type, const char *interpreter)
{
	struct { Elf64_Ehdr e; Elf64_Phdr p; char name[64]; } f;

	memset(&f, 0, sizeof(f));
	memcpy(f.e.e_ident, ELFMAG, SELFMAG);
	f.e.e_ident[EI_CLASS] = class;
	f.e.e_machine = machine;
	f.e.e_phoff = sizeof(f.e);
	f.e.e_phnum = 1;
	f.p.p_type = type;
	f.p.p_offset = sizeof(f.e) + sizeof(f.p);
	strcpy(f.name, interpreter);
	write_file("file", &f, sizeof(f));
}

#if defined(__x86_64__)
#define OWN EM_X86_64
#define OTHER EM_AARCH64
#else
#define OWN EM_AARCH64
#define OTHER EM_X86_64
#endif

TEST(test_programs_that_take_the_library_have_no_flag)
{
	write_elf(ELFCLASS64, OWN, PT_INTERP, "/lib64/ld-linux-x86-64.so.2");
	assert_int_equal(flags_of("file"), 0);
	assert_int_equal(flags_of("/proc/self/exe"), 0);
}

TEST(test_programs_that_cannot_have_the_reason)
{
	write_elf(ELFCLASS64, OWN, PT_LOAD, "");
	assert_int_equal(flags_of("file"), BIT(STATIC));
	write_elf(ELFCLASS32, EM_386, PT_INTERP, "/lib/ld-linux.so.2");
	assert_int_equal(flags_of("file"), BIT(OTHER_CLASS));
	write_elf(ELFCLASS64, OTHER, PT_INTERP, "/lib/ld.so");
	assert_int_equal(flags_of("file"), BIT(OTHER_MACHINE));
	write_elf(ELFCLASS64, OWN, PT_INTERP, "/lib/ld-musl-x86_64.so.1");
	assert_int_equal(flags_of("file"), BIT(OTHER_LIBC));
	write_file("file", "MZ windows", 10);
	assert_int_equal(flags_of("file"), BIT(OTHER_FORMAT));
}

TEST(test_a_cut_program_is_for_the_system_to_refuse)
{
	write_elf(ELFCLASS64, OWN, PT_LOAD, "");
	assert_int_equal(truncate("file", sizeof(Elf64_Ehdr)), 0);
	assert_int_equal(flags_of("file"), 0);
	assert_int_equal(truncate("file", 2), 0);
	assert_int_equal(flags_of("file"), 0);
}

TEST(test_scripts_are_followed_to_their_interpreter)
{
	static const char line[] = "#! ./file -x\necho\n", long_line[] = "#!./file";

	write_elf(ELFCLASS64, OWN, PT_LOAD, "");
	write_file("script", line, sizeof(line) - 1);
	assert_int_equal(flags_of("script"), BIT(STATIC));
	write_file("script", long_line, sizeof(long_line) - 1);
	assert_int_equal(flags_of("script"), BIT(STATIC));
	/* itself, for ever */
	write_file("script", "#!./script\n", 11);
	assert_int_equal(flags_of("script"), 0);
	write_file("script", "#!\n", 3);
	assert_int_equal(flags_of("script"), 0);
}

TEST(test_the_loader_run_as_a_program_preloads)
{
	write_elf(ELFCLASS64, OWN, PT_LOAD, "");
	assert_int_equal(rename("file", "ld-linux-x86-64.so.2"), 0);
	assert_int_equal(flags_of("./ld-linux-x86-64.so.2"), 0);
	unlink("ld-linux-x86-64.so.2");
}

TEST(test_rights_of_the_file_are_a_reason)
{
	write_elf(ELFCLASS64, OWN, PT_INTERP, "/lib64/ld-linux-x86-64.so.2");
	assert_int_equal(chmod("file", 04755), 0);
	/* our own file: nothing is gained */
	assert_int_equal(flags_of("file"), 0);
	if (getuid() != 0)
		return;
	assert_int_equal(chown("file", 1, 1), 0);
	assert_int_equal(chmod("file", 04755), 0);
	assert_int_equal(flags_of("file"), BIT(SETUID));
	assert_int_equal(chmod("file", 02755), 0);
	assert_int_equal(flags_of("file"), BIT(SETGID));
}

TEST(test_what_is_no_file_fails_as_exec_will_and_others_pass)
{
	uint32_t flags;

	assert_int_equal(exec_file_flags(AT_FDCWD, "absent", &flags), -ENOENT);
	assert_int_equal(exec_file_flags(AT_FDCWD, "/dev/null/x", &flags), -ENOTDIR);
	/* neither is opened */
	assert_int_equal(flags_of("/"), 0);
	unlink("script");
	assert_int_equal(mkfifo("script", 0700), 0);
	assert_int_equal(flags_of("script"), 0);
	unlink("script");
}

#define CASE(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_programs_that_take_the_library_have_no_flag),
		CASE(test_programs_that_cannot_have_the_reason),
		CASE(test_a_cut_program_is_for_the_system_to_refuse),
		CASE(test_scripts_are_followed_to_their_interpreter),
		CASE(test_the_loader_run_as_a_program_preloads),
		CASE(test_rights_of_the_file_are_a_reason),
		CASE(test_what_is_no_file_fails_as_exec_will_and_others_pass),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
