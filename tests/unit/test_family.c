/* The processes of a session, with real ones. */
#include "cli/family.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static pid_t sleeper(uint64_t *start)
{
	pid_t pid = fork();
	char letter;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(process_stat(pid, &letter, start));
	return pid;
}

TEST(test_family_running_process_is_counted_until_it_is_killed)
{
	struct family *f = family_new();
	uint64_t start;
	pid_t pid = sleeper(&start), seen = 0;

	family_add(f, 1, pid, start);
	family_poll(f);
	assert_int_equal(family_running(f, &seen, 1), 1);
	assert_int_equal(seen, pid);
	assert_false(family_image_is_gone(f, 1));
	kill(pid, SIGKILL);
	/* a process that was not waited for is a zombie: it runs no more */
	for (int i = 0; i < 60000 && !family_image_is_gone(f, 1); i++) {
		usleep(1000);
		family_poll(f);
	}
	assert_true(family_image_is_gone(f, 1));
	assert_int_equal(family_running(f, NULL, 0), 0);
	waitpid(pid, NULL, 0);
	family_free(f);
}

TEST(test_family_exec_replaces_the_image_of_the_same_process)
{
	struct family *f = family_new();
	uint64_t start;
	pid_t pid = sleeper(&start);

	family_add(f, 1, pid, start);
	family_add(f, 2, pid, start);
	assert_true(family_image_is_gone(f, 1));
	assert_false(family_image_is_gone(f, 2));
	assert_int_equal(family_process_count(f), 1);
	assert_int_equal(family_image_count(f), 2);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	family_free(f);
}

TEST(test_family_process_never_seen_under_its_pid_is_neither_running_nor_gone)
{
	struct family *f = family_new();

	/* pid 1 runs, but not since then: as from another pid namespace */
	family_add(f, 1, 1, 123456789012345);
	family_poll(f);
	assert_int_equal(family_running(f, NULL, 0), 0);
	assert_false(family_image_is_gone(f, 1));
	family_free(f);
}

TEST(test_family_one_pid_in_two_namespaces_is_two_processes)
{
	struct family *f = family_new();

	/* without /proc neither knows when it started */
	family_add(f, 1, 1, 0);
	family_add(f, 2, 1, 0);
	assert_false(family_image_is_gone(f, 1));
	assert_false(family_image_is_gone(f, 2));
	family_poll(f);
	assert_false(family_image_is_gone(f, 1));
	assert_false(family_image_is_gone(f, 2));
	family_free(f);
}

/* Polls until IMAGE is gone, for a minute. */
static bool is_gone_at_last(struct family *f, uint32_t image)
{
	for (int i = 0; i < 6000 && !family_image_is_gone(f, image); i++) {
		usleep(10000);
		family_poll(f);
	}
	return family_image_is_gone(f, image);
}

TEST(test_family_a_process_that_ended_before_it_was_met_is_gone)
{
	struct family *f = family_new();
	pid_t zombie = fork(), over = fork();
	siginfo_t info;
	uint64_t start;
	char letter;

	if (zombie == 0 || over == 0)
		_exit(0);
	waitpid(over, NULL, 0);
	assert_int_equal(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT), 0);
	assert_true(process_stat(zombie, &letter, &start));
	family_add(f, 1, over, start);
	family_add(f, 2, zombie, start);
	assert_int_equal(family_running(f, NULL, 0), 2);
	assert_true(is_gone_at_last(f, 1));
	assert_true(is_gone_at_last(f, 2));
	waitpid(zombie, NULL, 0);
	family_free(f);
}

/* In a new pid namespace, as PID there, a pid that nobody has here: says so and waits for GO's end. */
static void live_below(pid_t pid, int ready, int go)
{
	FILE *last;
	pid_t child;
	char c = 'n';

	if (unshare(CLONE_NEWPID) != 0 || (child = fork()) < 0)
		_exit(0);
	if (child == 0) {
		last = fopen("/proc/sys/kernel/ns_last_pid", "w");
		if (last) {
			fprintf(last, "%d", (int)pid - 1);
			fclose(last);
		}
		child = fork();
		if (child == 0) {
			c = getpid() == pid ? 'y' : 'n';
			if (write(ready, &c, 1) == 1 && read(go, &c, 1) >= 0)
				_exit(0);
		}
	}
	close(ready);
	waitpid(child, NULL, 0);
	_exit(0);
}

TEST(test_family_a_process_in_a_namespace_below_is_not_gone_while_it_runs)
{
	struct family *f = family_new();
	int ready[2], go[2];
	pid_t pid = fork(), keeper;
	char c = 'n';

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	keeper = fork();
	if (keeper == 0) {
		close(go[1]);
		live_below(pid, ready[1], go[0]);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) == 1 && c == 'y') {
		family_add(f, 1, pid, 0);
		for (int i = 0; i < 150; i++) {
			usleep(10000);
			family_poll(f);
			assert_false(family_image_is_gone(f, 1));
		}
	}
	close(go[1]);
	waitpid(keeper, NULL, 0);
	if (c == 'y')
		assert_true(is_gone_at_last(f, 1));
	close(ready[0]);
	close(go[0]);
	family_free(f);
	if (c != 'y')
		SKIP("needs pid namespaces and ns_last_pid");
}

TEST(test_family_nonsense_is_ignored)
{
	struct family *f = family_new();

	family_add(f, UINT32_MAX, getpid(), 1);
	family_add(f, 1, -5, 1);
	family_add(f, 1, 0, 1);
	assert_int_equal(family_image_count(f), 0);
	assert_false(family_image_is_gone(f, UINT32_MAX));
	family_free(f);
}

TEST(test_process_stat_survives_a_name_with_parentheses_and_spaces)
{
	uint64_t before, after;
	char letter;

	assert_true(process_stat(getpid(), &letter, &before));
	assert_int_equal(letter, 'R');
	{
		FILE *comm = fopen("/proc/self/comm", "w");

		assert_non_null(comm);
		fputs("a) Z 1 (b c", comm);
		fclose(comm);
	}
	assert_true(process_stat(getpid(), &letter, &after));
	assert_int_equal(letter, 'R');
	assert_int_equal(before, after);
	assert_false(process_stat(-1, &letter, &after));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_family_running_process_is_counted_until_it_is_killed),
		cmocka_unit_test(test_family_exec_replaces_the_image_of_the_same_process),
		cmocka_unit_test(test_family_process_never_seen_under_its_pid_is_neither_running_nor_gone),
		cmocka_unit_test(test_family_one_pid_in_two_namespaces_is_two_processes),
		cmocka_unit_test(test_family_a_process_that_ended_before_it_was_met_is_gone),
		cmocka_unit_test(test_family_a_process_in_a_namespace_below_is_not_gone_while_it_runs),
		cmocka_unit_test(test_family_nonsense_is_ignored),
		cmocka_unit_test(test_process_stat_survives_a_name_with_parentheses_and_spaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
