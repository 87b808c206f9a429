/*
 * test_out.c - where reports go.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/out.h"
#include "unit/form_subject.h"

static char folder[64];
static char path[96];

static int enter(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_out.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/report", folder);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* nothing temporary may be left in it */
}

static void check_content(const char *expected)
{
	char *text = read_all(path);

	assert_string_equal(text, expected);
	free(text);
}

TEST(test_file_appears_only_when_it_is_complete)
{
	struct out o;
	struct diag d = { 0 };

	assert_int_equal(out_open(&o, path, NULL, &d), 0);
	fputs("all of it\n", o.file);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(out_close(&o, true, &d), 0);
	check_content("all of it\n");
}

TEST(test_failed_report_leaves_the_old_file_alone)
{
	struct out o;
	struct diag d = { 0 };

	assert_int_equal(out_open(&o, path, NULL, &d), 0);
	fputs("old\n", o.file);
	assert_int_equal(out_close(&o, true, &d), 0);
	assert_int_equal(out_open(&o, path, NULL, &d), 0);
	fputs("half", o.file);
	assert_int_equal(out_close(&o, false, &d), 0);
	check_content("old\n");
}

TEST(test_file_has_the_rights_of_any_new_file)
{
	mode_t mask = umask(022);
	struct stat st;
	struct out o;
	struct diag d = { 0 };

	assert_int_equal(out_open(&o, path, NULL, &d), 0);
	assert_int_equal(out_close(&o, true, &d), 0);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

TEST(test_device_is_written_in_place)
{
	struct stat st;
	struct out o;
	struct diag d = { 0 };

	assert_int_equal(out_open(&o, "/dev/null", NULL, &d), 0);
	fputs("x", o.file);
	assert_int_equal(out_close(&o, true, &d), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

TEST(test_full_disk_is_an_error)
{
	struct out o;
	struct diag d = { 0 };

	assert_int_equal(out_open(&o, "/dev/full", NULL, &d), 0);
	fputs("x", o.file);
	assert_int_equal(out_close(&o, true, &d), -1);
	assert_int_equal(d.status, STATUS_IO);
	assert_string_equal(d.text, "cannot write '/dev/full': No space left on device");
}

TEST(test_missing_folder_and_folder_are_errors)
{
	struct out o;
	struct diag d = { 0 };

	assert_int_equal(out_open(&o, "/nowhere/at/all", NULL, &d), -1);
	assert_string_equal(d.text, "cannot write '/nowhere/at/all': No such file or directory");
	assert_int_equal(out_open(&o, folder, NULL, &d), -1);
	assert_non_null(strstr(d.text, "Is a directory"));
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(test_file_appears_only_when_it_is_complete),
		FOLDER_TEST(test_failed_report_leaves_the_old_file_alone),
		FOLDER_TEST(test_file_has_the_rights_of_any_new_file),
		FOLDER_TEST(test_device_is_written_in_place),
		FOLDER_TEST(test_full_disk_is_an_error),
		FOLDER_TEST(test_missing_folder_and_folder_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
