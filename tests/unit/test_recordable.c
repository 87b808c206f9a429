/* What can be recorded, told from the files. */
#include "cli/recordable.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char directory[] = "/tmp/test_recordable.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

/* A file NAME in the directory with BYTES; its path in a static buffer. */
static const char *make(const char *name, const void *bytes, size_t count, mode_t mode)
{
	static char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, count), count);
	fchmod(fd, mode);
	close(fd);
	return path;
}

static int check(const char *path, struct diag *d)
{
	struct recordable r;

	*d = (struct diag){ 0 };
	return recordable_check(path, &r, d);
}

/* The header of a real program, changed. */
static const char *changed_program(const char *name, size_t offset, uint8_t value)
{
	uint8_t bytes[4096];
	int fd = open("/bin/sh", O_RDONLY);

	assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	bytes[offset] = value;
	return make(name, bytes, sizeof(bytes), 0755);
}

TEST(test_recordable_system_programs_pass)
{
	struct diag d;

	assert_int_equal(check("/bin/sh", &d), 0);
	assert_int_equal(check("/bin/cat", &d), 0);
}

TEST(test_recordable_dynamic_linker_itself_passes)
{
	struct diag d;

	if (access("/lib64/ld-linux-x86-64.so.2", R_OK) != 0)
		SKIP("no x86-64 dynamic linker");
	assert_int_equal(check("/lib64/ld-linux-x86-64.so.2", &d), 0);
}

TEST(test_recordable_other_machine_is_refused_in_words)
{
	struct diag d;

	/* e_machine = 8: MIPS */
	assert_int_equal(check(changed_program("mips", 18, 8), &d), -1);
	assert_int_equal(d.status, STATUS_CANNOT_RECORD);
	assert_non_null(strstr(d.text, "another machine"));
}

TEST(test_recordable_32_bit_program_is_refused_in_words)
{
	/* the smallest 32-bit header */
	uint8_t bytes[52] = { 0x7f, 'E', 'L', 'F', 1, 1, 1, [16] = 2, [18] = 3, [20] = 1,
			      [40] = 52 };
	struct diag d;

	assert_int_equal(check(make("small", bytes, sizeof(bytes), 0755), &d), -1);
	assert_int_equal(d.status, STATUS_CANNOT_RECORD);
	assert_non_null(strstr(d.text, "32-bit"));
}

TEST(test_recordable_static_program_is_refused_also_as_an_interpreter)
{
	/* a 64-bit header without any segment */
	uint8_t bytes[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = 2,
#if defined(__aarch64__)
			      [18] = 183,
#else
			      [18] = 62,
#endif
			      [20] = 1, [52] = 64 };
	char script[160];
	const char *path;
	struct diag d;
	int n;

	path = make("static", bytes, sizeof(bytes), 0755);
	assert_int_equal(check(path, &d), -1);
	assert_int_equal(d.status, STATUS_CANNOT_RECORD);
	assert_non_null(strstr(d.text, "statically linked"));
	n = snprintf(script, sizeof(script), "#! %s -x\nhello\n", path);
	assert_int_equal(check(make("script", script, (size_t)n, 0755), &d), -1);
	assert_non_null(strstr(d.text, "statically linked"));
}

TEST(test_recordable_script_that_names_itself_ends)
{
	char script[160];
	struct diag d;
	int n = snprintf(script, sizeof(script), "#!%s/loop\n", directory);

	assert_int_equal(check(make("loop", script, (size_t)n, 0755), &d), 0);
}

TEST(test_recordable_damaged_executables_do_no_harm)
{
	struct diag d;

	for (size_t offset = 16; offset < 64; offset++)
		check(changed_program("damaged", offset, 0xff), &d);
	check(make("short", "\177ELF", 4, 0755), &d);
	check(make("empty", "", 0, 0755), &d);
	check(make("hash", "#!", 2, 0755), &d);
	check(make("blank", "#!   \n", 6, 0755), &d);
}

TEST(test_recordable_setuid_of_another_user_is_refused)
{
	struct diag d;
	const char *path = changed_program("suid", 0, 0x7f);

	if (getuid() == 0 && chown(path, 1000, 1000) == 0) {
		chmod(path, 04755);
		assert_int_equal(check(path, &d), -1);
		assert_non_null(strstr(d.text, "setuid"));
	} else {
		SKIP("needs root");
	}
}

TEST(test_program_find_follows_the_path_as_execvp)
{
	struct diag d = { 0 };
	char *path;

	path = program_find("sh", "/nonexistent:/bin", &d);
	assert_string_equal(path, "/bin/sh");
	free(path);
	path = program_find("/bin/sh", NULL, &d);
	assert_string_equal(path, "/bin/sh");
	free(path);
	assert_null(program_find("nosuchprogram", "/bin:/usr/bin", &d));
	assert_int_equal(d.status, STATUS_NOT_FOUND);
	assert_null(program_find("/etc", NULL, &d));
	assert_int_equal(d.status, STATUS_CANNOT_RUN);
	assert_null(program_find("", "/bin", &d));
	assert_int_equal(d.status, STATUS_NOT_FOUND);
}

TEST(test_program_find_empty_element_of_the_path_is_the_current_directory)
{
	struct diag d = { 0 };
	char *path, *old = getcwd(NULL, 0);

	make("here", "#!/bin/sh\n", 10, 0755);
	assert_int_equal(chdir(directory), 0);
	path = program_find("here", "/nonexistent:", &d);
	assert_non_null(path);
	free(path);
	assert_int_equal(chdir(old), 0);
	free(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recordable_system_programs_pass),
		cmocka_unit_test(test_recordable_dynamic_linker_itself_passes),
		cmocka_unit_test(test_recordable_other_machine_is_refused_in_words),
		cmocka_unit_test(test_recordable_32_bit_program_is_refused_in_words),
		cmocka_unit_test(test_recordable_static_program_is_refused_also_as_an_interpreter),
		cmocka_unit_test(test_recordable_script_that_names_itself_ends),
		cmocka_unit_test(test_recordable_damaged_executables_do_no_harm),
		cmocka_unit_test(test_recordable_setuid_of_another_user_is_refused),
		cmocka_unit_test(test_program_find_follows_the_path_as_execvp),
		cmocka_unit_test(test_program_find_empty_element_of_the_path_is_the_current_directory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
