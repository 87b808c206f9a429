/*
 * test_filters.c - what the library takes for harmless, by the filters of a process and by what
 * its recorder has tried.
 */
#include "filters.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "test.h"

/* no_mincore in a child under ADDED filters more, where those TRIED beyond the present ones are known. */
static int asked_under(int added, int tried, int present)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, code };
	pid_t child = fork();
	int status;

	if (child == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		for (int i = 0; i < added; i++)
			if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
				_exit(2);
		session.options.look_at_free = (uint8_t)(1 + present + tried);
		filters_init();
		_exit(session.no_mincore);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Filters that this test is under already, as in a container. */
static int own_filters(void)
{
	for (int n = 0; n < 8; n++)
		if (asked_under(0, n, 0) == 0)
			return n;
	return -1;
}

TEST(test_more_filters_than_were_tried_may_kill)
{
	int own = own_filters();

	if (own < 0 || asked_under(1, 1, own) == 2)
		SKIP("no filter can be set here");
	assert_int_equal(asked_under(0, 0, own), 0);
	assert_int_equal(asked_under(1, 0, own), 1);
	assert_int_equal(asked_under(1, 1, own), 0);
	assert_int_equal(asked_under(3, 2, own), 1);
	assert_int_equal(asked_under(3, 3, own), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_filters_than_were_tried_may_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
