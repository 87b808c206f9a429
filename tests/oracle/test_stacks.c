/*
 * test_stacks.c - call stacks are those of libgcc's and libunwind's unwinders: each
 * stack of a program is taken three times and compared (record --check-stacks).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

/* COMMAND's stacks, of all its images together: none differs, at least MINIMUM were compared. */
static void check(const char *options, const char *command, long long minimum)
{
	struct result r = run_shell("%s record -q -o test.data --free-stacks %s -- %s",
				    built("allotrope"), options, command);
	char *text = ask("info --format=json test.data");
	json_t *root = json_loads(text, 0, NULL), *image;
	long long compared = 0;
	size_t i;

	if (r.status != 0)
		fail_msg("%s: status %d: %s", command, r.status, r.err);
	assert_non_null(root);
	json_array_foreach(json_object_get(root, "images"), i, image) {
		compared += number_or_zero(image, "stack_check.compared");
		if (number_or_zero(image, "stack_check.libgcc.differ") ||
		    number_or_zero(image, "stack_check.libunwind.differ"))
			fail_msg("%s: of %lld stacks %lld differ from libgcc, %lld from libunwind",
				 command, number_or_zero(image, "stack_check.compared"),
				 number_or_zero(image, "stack_check.libgcc.differ"),
				 number_or_zero(image, "stack_check.libunwind.differ"));
	}
	if (compared < minimum)
		fail_msg("%s: only %lld stacks were compared", command, compared);
	json_decref(root);
	free(text);
	result_free(&r);
}

TEST(test_stacks_of_c_programs_equal_the_unwinders)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s 20 20000", built("bench/pairs"));
	check("--check-stacks=1", command, 39000);
	snprintf(command, sizeof(command), "%s 12 20000", built("bench/tree"));
	check("--check-stacks=1", command, 39000);
	snprintf(command, sizeof(command), "%s 2 10000", built("bench/mt"));
	check("--check-stacks=1", command, 39000);
	check("--check-stacks=1", built("examples/alloc_size"), 30);
}

TEST(test_stacks_through_exceptions_equal_the_unwinders)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s 500", built("tests/subjects/exceptions"));
	check("--check-stacks=1", command, 20000);
}

TEST(test_stacks_with_libraries_that_come_and_go_equal_libgcc)
{
	char command[8192];

	snprintf(command, sizeof(command), "%s 100 %s", built("tests/subjects/plugins"),
		 built("tests/subjects"));
	check("--check-stacks=1", command, 1000);
}

TEST(test_stacks_of_distribution_programs_equal_the_unwinders)
{
	check("--check-stacks=1", "/usr/bin/perl -e 'my %h; $h{$_} = [1..5] for 1..5000'", 20000);
	check("--check-stacks=1", "/usr/bin/sqlite3 :memory: 'with recursive c(x) as (select 1 "
	      "union all select x+1 from c where x<3000) select sum(x) from c'", 500);
	check("--check-stacks=1", "/bin/sh -c 'echo [1,2,[3]] | /usr/bin/jq .[2]'", 1000);
	check("--check-stacks=1", "git --version", 20);
	check("--check-stacks=5 --python-malloc",
	      "/usr/bin/python3 -S -c 'import json; json.dumps(list(range(3000)))'", 5000);
}

TEST(test_stacks_of_servers_and_compilers_equal_the_unwinders)
{
	struct result r = run_shell("CAPTURES=3000 exec %s %s node git cmake gcc redis postgres",
				    source("bench/check_stacks"), built(""));

	if (r.status != 0 || !strstr(r.out, ", 0 differ\n") || !strstr(r.out, "gcc"))
		fail_msg("status %d: %s%s", r.status, r.out, r.err);
	result_free(&r);
}

TEST(test_stacks_of_signal_handlers_on_an_alternate_stack_equal_the_unwinders)
{
	char command[4096];

	/* libunwind can wait for ever for a lock of ld.so in a handler: libgcc alone is the judge */
	snprintf(command, sizeof(command), "%s 300", built("tests/subjects/handlers"));
	check("--check-stacks=50", command, 1000);
}

TEST(test_a_recursion_of_100000_frames_is_cut_at_the_limit_and_marked)
{
	char command[4096], *stack;
	struct result r;

	snprintf(command, sizeof(command), "%s 100000 10", built("bench/pairs"));
	r = run_shell("ulimit -s unlimited; %s record -q --depth=64 -o test.data -- %s",
		      built("allotrope"), command);
	assert_int_equal(r.status, 0);
	stack = ask("sites --sort=blocks --top=1 --depth=0 test.data");
	assert_non_null(strstr(stack, "descend"));
	assert_non_null(strstr(stack, "truncated"));
	assert_null(strstr(stack, "main ("));
	free(stack);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_stacks_of_c_programs_equal_the_unwinders),
		LIVE_TEST(test_stacks_through_exceptions_equal_the_unwinders),
		LIVE_TEST(test_stacks_with_libraries_that_come_and_go_equal_libgcc),
		LIVE_TEST(test_stacks_of_distribution_programs_equal_the_unwinders),
		LIVE_TEST(test_stacks_of_servers_and_compilers_equal_the_unwinders),
		LIVE_TEST(test_stacks_of_signal_handlers_on_an_alternate_stack_equal_the_unwinders),
		LIVE_TEST(test_a_recursion_of_100000_frames_is_cut_at_the_limit_and_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
