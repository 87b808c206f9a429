/*
 * test_sandboxes.c - filters of system calls that were there before the program: whichever call
 * is refused with an error, the program does what it does without the library; where a
 * call is answered with death, only those in the list below matter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "support/run.h"
#include "test.h"

/* x86-64 has none between. */
#define NUMBERS "$(seq 0 334) $(seq 424 462)"

/*
 * Calls that the library makes at its start and at its end and that the program below does not
 * need. docs/reliability.md says so.
 */
static const int needed[] = {
	SYS_fchmod, SYS_fstat, SYS_fstatfs, SYS_ftruncate, SYS_futex, SYS_getcwd, SYS_getrusage, SYS_gettid,
	SYS_ioctl, SYS_madvise, SYS_prctl, SYS_pwrite64, SYS_readlinkat, SYS_rt_sigprocmask,
	SYS_sigaltstack,
};

static bool is_needed(int number)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (needed[i] == number)
			return true;
	return false;
}

/*
 * The program under a filter that answers each system call in turn as HOW says, without the
 * library and with it: lines "NUMBER STATUS STATUS" where the two differ.
 */
static char *compare(const char *how)
{
	struct result r = run_shell(
		"exec 2>/dev/null; for n in " NUMBERS "; do "
		"%s %s $n /bin/sh -c 'echo a; exit 3' >plain; a=$?; "
		"%s %s $n env LD_PRELOAD=%s ALLOTROPE_OUT=$PWD/x.ring ALLOTROPE_SIZE=1M "
		"/bin/sh -c 'echo a; exit 3' >with; b=$?; rm -f x.ring; "
		"[ $a = 126 ] || [ $a = $b ] && cmp -s plain with || echo $n $a $b; done",
		built("tests/subjects/filtered"), how, built("tests/subjects/filtered"), how,
		built("liballotrope.so"));

	free(r.err);
	return r.out;
}

TEST(test_a_call_that_is_refused_changes_nothing)
{
	char *differences = compare("errno"), *rest;

	/* libc ends a program whose locks the kernel refuses, and the library makes it take some */
	for (char *line = strtok_r(differences, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (atoi(line) != SYS_futex)
			fail_msg("number, status without and with the library: %s", line);
	free(differences);
}

TEST(test_only_known_calls_must_not_kill)
{
	char *differences = compare("kill"), *rest;

	for (char *line = strtok_r(differences, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (!is_needed(atoi(line)))
			fail_msg("number, status without and with the library: %s", line);
	free(differences);
}

TEST(test_a_filter_set_without_prctl_is_noticed)
{
	/* a thread's name, for the record of its end, is asked for by openat: fatal if not noticed */
	struct result r = run_shell("ALLOTROPE_OUT=test.data LD_PRELOAD=%s %s raw %d",
				    built("liballotrope.so"), built("tests/subjects/filtered"), SYS_openat);
	json_t *root;

	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "well\n");
	root = summary("");
	assert_true(number_at(root, "calls.malloc") >= 1000);
	json_decref(root);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_a_call_that_is_refused_changes_nothing),
		LIVE_TEST(test_only_known_calls_must_not_kill),
		LIVE_TEST(test_a_filter_set_without_prctl_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
