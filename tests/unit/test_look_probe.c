/*
 * test_look_probe.c - how many filters there are by the words of the kernel, and what is tried
 * under one.
 */
#include "cli/look_probe.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seccomp_filters.h"
#include "test.h"

TEST(test_filters_are_counted_by_the_kernels_words)
{
	assert_int_equal(seccomp_filters_parse("Name:\tx\nSeccomp:\t0\nSeccomp_filters:\t0\n"), 0);
	assert_int_equal(seccomp_filters_parse("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\nX:\t7\n"), 1);
	assert_int_equal(seccomp_filters_parse("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t254\n"), 254);
}

TEST(test_what_is_not_told_is_unknown)
{
	assert_int_equal(seccomp_filters_parse(""), SECCOMP_FILTERS_UNKNOWN);
	assert_int_equal(seccomp_filters_parse("Name:\tx\nSeccomp:\t2\n"), SECCOMP_FILTERS_UNKNOWN);
	assert_int_equal(seccomp_filters_parse("Name:\tx\nSeccomp:\t1\nSeccomp_filters:\t0\n"),
			 SECCOMP_FILTERS_UNKNOWN);
	assert_int_equal(seccomp_filters_parse("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t255\n"),
			 SECCOMP_FILTERS_UNKNOWN);
	assert_int_equal(seccomp_filters_parse("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t99999999999\n"),
			 SECCOMP_FILTERS_UNKNOWN);
	assert_int_equal(seccomp_filters_parse("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t\n"),
			 SECCOMP_FILTERS_UNKNOWN);
}

/* What look_probe() gives in a child under a filter that does ACTION for mincore. */
static int probe_under(unsigned action, uint8_t before)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mincore, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
			_exit(254);
		_exit(look_probe() - before);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(test_a_filter_that_lets_it_pass_is_no_hindrance)
{
	uint8_t here = look_probe();
	int more = probe_under(SECCOMP_RET_ALLOW, here);

	assert_true(here >= 1);
	if (more == 254)
		SKIP("no filter can be set here");
	assert_int_equal(more, 1);
}

TEST(test_under_one_that_does_not_only_what_has_none_is_looked_at)
{
	int killed = probe_under(SECCOMP_RET_KILL_PROCESS, 0);

	if (killed == 254)
		SKIP("no filter can be set here");
	assert_int_equal(killed, 1);
	assert_int_equal(probe_under(SECCOMP_RET_ERRNO | 1, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_are_counted_by_the_kernels_words),
		cmocka_unit_test(test_what_is_not_told_is_unknown),
		cmocka_unit_test(test_a_filter_that_lets_it_pass_is_no_hindrance),
		cmocka_unit_test(test_under_one_that_does_not_only_what_has_none_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
