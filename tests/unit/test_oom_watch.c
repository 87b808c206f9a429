/*
 * test_oom_watch.c - counters of cgroups of both versions, and where they stand.
 */
#include <stdlib.h>

#include "cli/oom_watch.h"
#include "test.h"

TEST(test_the_count_is_found_in_files_of_both_versions)
{
	uint64_t count = 99;

	assert_true(oom_parse_count("low 0\nhigh 0\nmax 3\noom 2\noom_kill 5\noom_group_kill 0\n", &count));
	assert_int_equal(count, 5);
	assert_true(oom_parse_count("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", &count));
	assert_int_equal(count, 7);
	/* before Linux 4.13 */
	assert_false(oom_parse_count("oom_kill_disable 0\nunder_oom 0\n", &count));
	assert_false(oom_parse_count("", &count));
}

static void check_folder(const char *groups, const char *mounts, const char *folder, const char *file)
{
	const char *name;
	char *found = oom_parse_folder(groups, mounts, &name);

	if (folder) {
		assert_string_equal(found, folder);
		assert_string_equal(name, file);
	} else {
		assert_null(found);
	}
	free(found);
}

TEST(test_the_folder_of_version_2)
{
	check_folder("0::/user.slice/a\n", "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n",
		     "/sys/fs/cgroup/user.slice/a", "memory.events");
	check_folder("0::/\n", "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
		     "/sys/fs/cgroup", "memory.events");
}

TEST(test_the_folder_of_version_1_below_a_mount_that_shows_a_part)
{
	const char *mounts = "34 31 0:31 /docker/x /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
			     "35 31 0:32 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
			     "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

	check_folder("5:cpu,cpuacct:/docker/x\n4:memory:/docker/x/job\n0::/\n", mounts,
		     "/sys/fs/cgroup/memory/job", "memory.oom_control");
	check_folder("4:memory:/docker/x\n", mounts, "/sys/fs/cgroup/memory", "memory.oom_control");
	/* not in what is mounted here */
	check_folder("4:memory:/docker/xy\n", mounts, NULL, NULL);
	check_folder("5:cpu,cpuacct:/docker/x\n", mounts, NULL, NULL);
	check_folder("nonsense", mounts, NULL, NULL);
	check_folder("", "", NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_count_is_found_in_files_of_both_versions),
		cmocka_unit_test(test_the_folder_of_version_2),
		cmocka_unit_test(test_the_folder_of_version_1_below_a_mount_that_shows_a_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
