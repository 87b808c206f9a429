/* The recording's file: names, .old, and nothing left behind. */
#include "cli/output_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char directory[] = "/tmp/test_output_file.XXXXXX";
static char path[64], old[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/x.data", directory);
	snprintf(old, sizeof(old), "%s/x.data.old", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	unlink(old);
	/* fails where a test left something behind */
	return rmdir(directory);
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void assert_holds(const char *name, const char *text)
{
	char buffer[32] = "";
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	assert_int_equal(fread(buffer, 1, sizeof(buffer) - 1, f), strlen(text));
	assert_string_equal(buffer, text);
	fclose(f);
}

TEST(test_output_file_commit_makes_the_existing_one_old)
{
	struct output_file o;
	struct diag d = { 0 };

	put(path, "first");
	put(old, "older");
	assert_int_equal(output_file_open(&o, path, &d), 0);
	assert_int_equal(write(o.fd, "second", 6), 6);
	assert_holds(path, "first");
	assert_int_equal(output_file_commit(&o, &d), 0);
	output_file_close(&o);
	assert_holds(path, "second");
	assert_holds(old, "first");
}

TEST(test_output_file_that_is_not_committed_leaves_nothing)
{
	struct output_file o;
	struct diag d = { 0 };

	put(path, "first");
	assert_int_equal(output_file_open(&o, path, &d), 0);
	output_file_close(&o);
	assert_holds(path, "first");
}

TEST(test_output_file_refuses_what_cannot_hold_a_recording)
{
	struct output_file o;
	struct diag d = { 0 };

	assert_int_equal(output_file_open(&o, "-", &d), -1);
	assert_int_equal(d.status, STATUS_USAGE);
	assert_int_equal(output_file_open(&o, "", &d), -1);
	assert_int_equal(output_file_open(&o, "/dev/null", &d), -1);
	assert_int_equal(d.status, STATUS_IO);
	assert_int_equal(output_file_open(&o, directory, &d), -1);
	assert_int_equal(output_file_open(&o, "/nonexistent/x", &d), -1);
	assert_non_null(strstr(d.text, "'/nonexistent'"));
}

TEST(test_output_file_is_private_and_not_inherited)
{
	struct output_file o;
	struct diag d = { 0 };
	struct stat st;

	assert_int_equal(output_file_open(&o, path, &d), 0);
	assert_int_equal(fstat(o.fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(fcntl(o.fd, F_GETFD) & FD_CLOEXEC);
	output_file_close(&o);
}

TEST(test_output_file_replaces_a_link_and_leaves_what_it_names)
{
	char target[80];
	struct output_file o;
	struct diag d = { 0 };
	struct stat st;

	snprintf(target, sizeof(target), "%s.target", path);
	put(target, "of somebody else");
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(output_file_open(&o, path, &d), 0);
	assert_int_equal(write(o.fd, "new", 3), 3);
	assert_int_equal(output_file_commit(&o, &d), 0);
	output_file_close(&o);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_holds(path, "new");
	assert_holds(target, "of somebody else");
	unlink(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_file_commit_makes_the_existing_one_old),
		cmocka_unit_test(test_output_file_that_is_not_committed_leaves_nothing),
		cmocka_unit_test(test_output_file_refuses_what_cannot_hold_a_recording),
		cmocka_unit_test(test_output_file_is_private_and_not_inherited),
		cmocka_unit_test(test_output_file_replaces_a_link_and_leaves_what_it_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
