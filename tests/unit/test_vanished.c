/* Who is over, by what /proc shows: folders made up like it, and the real one. */
#include "cli/vanished.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static char folder[64];

static void process_put(const char *pid, const char *pids)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, pid);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/status", folder, pid);
	out = fopen(path, "w");
	assert_non_null(out);
	fprintf(out, "Name:\tsome\nPid:\t%s\n", pid);
	if (pids)
		fprintf(out, "NSpid:\t%s\nNSpgid:\t9\t8\n", pids);
	fclose(out);
}

static int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_vanished.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* A pid that nobody has. */
static pid_t nobody(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid;
}

TEST(test_vanished_is_who_has_no_process_anywhere)
{
	struct vanished v = { 0 };
	pid_t pid = nobody();

	process_put("1", "1");
	process_put("5000", "5000");
	vanished_look(&v, folder);
	assert_true(v.sees_all);
	assert_true(vanished_is_over(&v, pid));
	assert_false(vanished_is_over(&v, getpid()));
	assert_false(vanished_is_over(&v, 1));
	assert_false(vanished_is_over(&v, 0));
	assert_false(vanished_is_over(&v, -1));
	vanished_release(&v);
}

TEST(test_vanished_is_not_who_has_that_pid_in_a_namespace_below)
{
	struct vanished v = { 0 };
	pid_t pid = nobody();
	char pids[64];

	process_put("1", "1");
	snprintf(pids, sizeof(pids), "7000\t12\t%d", (int)pid);
	process_put("7000", pids);
	vanished_look(&v, folder);
	assert_int_equal(v.count, 1);
	assert_false(vanished_is_over(&v, pid));
	vanished_release(&v);
}

TEST(test_vanished_is_nobody_where_not_all_is_seen)
{
	struct vanished v = { 0 };
	char path[128];
	pid_t pid = nobody();

	/* hidepid=2 */
	process_put("5000", "5000");
	vanished_look(&v, folder);
	assert_false(vanished_is_over(&v, pid));
	/* before Linux 4.1 */
	process_put("1", NULL);
	vanished_look(&v, folder);
	assert_false(vanished_is_over(&v, pid));
	snprintf(path, sizeof(path), "%s/none", folder);
	vanished_look(&v, path);
	assert_false(vanished_is_over(&v, pid));
	vanished_release(&v);
}

TEST(test_vanished_a_status_that_cannot_be_read_is_not_all)
{
	struct vanished v = { 0 };
	char path[128];

	process_put("1", "1");
	snprintf(path, sizeof(path), "%s/6000", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	/* ended between two looks */
	vanished_look(&v, folder);
	assert_true(v.sees_all);
	snprintf(path, sizeof(path), "%s/6000/status", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	vanished_look(&v, folder);
	assert_false(v.sees_all);
	vanished_release(&v);
}

TEST(test_vanished_looks_at_the_real_proc)
{
	struct vanished v = { 0 };
	pid_t pid = nobody();

	vanished_look(&v, "/proc");
	if (!v.sees_all)
		SKIP("/proc does not show all processes");
	assert_true(vanished_is_over(&v, pid));
	assert_false(vanished_is_over(&v, getppid()));
	vanished_release(&v);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(test_vanished_is_who_has_no_process_anywhere),
		FOLDER_TEST(test_vanished_is_not_who_has_that_pid_in_a_namespace_below),
		FOLDER_TEST(test_vanished_is_nobody_where_not_all_is_seen),
		FOLDER_TEST(test_vanished_a_status_that_cannot_be_read_is_not_all),
		cmocka_unit_test(test_vanished_looks_at_the_real_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
