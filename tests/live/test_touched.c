/*
 * test_touched.c - `sites --touched=freed` against what the program itself asked the kernel
 * just before each release.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "support/run.h"
#include "test.h"

static unsigned occurrences(const char *text, const char *part)
{
	unsigned count = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}

/* Each line of TOLD is "who,function,blocks,asked,absent"; TIMES programs told the same. */
static void assert_told(const char *told, const char *csv, unsigned times)
{
	char name[32], row[160];
	unsigned long blocks, asked, absent;
	int lines = 0, used;

	while (sscanf(told, "%*[a-z],%31[a-z_],%lu,%lu,%lu\n%n", name, &blocks, &asked, &absent,
		      &used) == 4) {
		snprintf(row, sizeof(row), "heap,%lu,%lu,%lu,%lu,%lu,%s,", blocks, blocks, asked,
			 asked - absent, absent, name);
		if (occurrences(csv, row) != times)
			fail_msg("'%s' is not %u times in:\n%s", row, times, csv);
		told += used;
		lines++;
	}
	assert_int_equal(lines, 7 * times);
	assert_int_equal(*told, '\0');
}

static char *freed_rows(void)
{
	return ask("sites --touched=freed --format=csv --all --depth=1 --top=0 test.data");
}

TEST(test_what_the_program_counted_is_what_is_reported)
{
	struct result r = record("", "%s", built("tests/subjects/touches"));
	char *csv = freed_rows();

	assert_int_equal(r.status, 0);
	assert_told(r.out, csv, 1);
	free(csv);
	result_free(&r);
}

/* A child asks for its own pages, those of a block that its parent touched included. */
TEST(test_a_forked_child_is_looked_at_by_itself)
{
	struct result r = record("", "%s fork", built("tests/subjects/touches"));
	char *csv = freed_rows();

	assert_int_equal(r.status, 0);
	assert_told(r.out, csv, 2);
	assert_int_equal(occurrences(csv, "heap,1,1,2097152,524272,1572880,main,"), 2);
	free(csv);
	result_free(&r);
}

/* Another way for system calls, and calls that are sampled: large blocks are sure to be. */
TEST(test_other_ways_to_record_see_the_same)
{
	static const char *const ways[] = {
		"--syscalls=off", "--syscalls=inferred", "--sample=4K", "--call-graph=fp",
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct result r = record(ways[i], "%s", built("tests/subjects/touches"));
		char *csv = freed_rows();

		assert_told(r.out, csv, 1);
		free(csv);
		result_free(&r);
	}
}

/* The queries are counted, not their time. */
TEST(test_a_loop_that_recycles_is_looked_at_now_and_then)
{
	struct result r = record("", "%s loop", built("tests/subjects/touches"));
	char *csv = freed_rows(), *row;
	unsigned long blocks, looked, asked, resident, untouched, absent;

	assert_int_equal(sscanf(r.out, "%lu\n", &absent), 1);
	row = strstr(csv, "heap,500000,");
	assert_non_null(row);
	assert_int_equal(sscanf(row, "heap,%lu,%lu,%lu,%lu,%lu,loop,", &blocks, &looked, &asked,
				&resident, &untouched), 5);
	/* 128 are free; a look takes longer than two hundred rounds only on a machine gone mad */
	assert_in_range(looked, 100, 25000);
	/* all were alike */
	assert_int_equal(asked, 500000ul * 262144);
	assert_int_equal(untouched / 1000, 500000ul * absent / 1000);
	free(csv);
	result_free(&r);
}

/* The page of malloc's header, and the one that the example writes. */
TEST(test_of_the_gibibyte_that_the_example_frees_two_pages_were_touched)
{
	struct result r = record("", "%s", built("examples/demand_paging"));
	char *csv = freed_rows(), *text;

	assert_non_null(strstr(csv, "heap,1,1,1073741824,8176,1073733648,main,"));
	text = ask("summary test.data");
	assert_non_null(strstr(text, "asked for a block of 1.0 GiB and touched 8.0 KiB"));
	free(text);
	free(csv);
	result_free(&r);
}

/* Blocks of other allocators have no header that tells how large they are. */
TEST(test_other_allocators_are_not_looked_at)
{
	struct result r = run_shell("library=$(find /usr/lib -name libjemalloc.so.2 | head -1); "
				    "[ \"$library\" ] || exit 77; LD_PRELOAD=$library '%s' record -q "
				    "-o test.data -- '%s'", built("allotrope"),
				    built("tests/subjects/touches"));
	int status = r.status;

	result_free(&r);
	if (status == 77)
		SKIP("no libjemalloc.so.2");
	assert_int_equal(status, 0);
	r = run_shell("'%s' sites --touched=freed test.data", built("allotrope"));
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "glibc's malloc only"));
	result_free(&r);
}

TEST(test_it_can_be_switched_off)
{
	struct result r = record("--no-touched", "%s", built("tests/subjects/touches"));

	assert_int_equal(r.status, 0);
	result_free(&r);
	r = run_shell("'%s' sites --touched=freed test.data", built("allotrope"));
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "--no-touched"));
	result_free(&r);
}

/* A container's filter: it lets mincore pass, and the recorder is under it too. */
TEST(test_filters_that_the_recorder_has_tried_are_no_hindrance)
{
	/* one for a system call that there is not */
	struct result r = run_shell("'%s' errno 4095 '%s' record -q -o test.data -- '%s'",
				    built("tests/subjects/filtered"), built("allotrope"),
				    built("tests/subjects/touches"));
	char *csv;

	assert_int_equal(r.status, 0);
	csv = freed_rows();
	assert_told(r.out, csv, 1);
	free(csv);
	result_free(&r);
}

/* One that kills for it: the program must not notice, wherever the filter came from. */
TEST(test_filters_that_kill_kill_nobody)
{
	const char *loop = "python3 -c 'print(len([bytearray(1 << 20) for i in range(50)]))'";
	struct result r;

	if (!found("python3"))
		SKIP("no python3");
	r = run_shell("'%s' kill %d '%s' record -q -o test.data -- %s", built("tests/subjects/filtered"),
		      SYS_mincore, built("allotrope"), loop);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "50\n");
	result_free(&r);
	r = run_shell("'%s' sites --touched=freed test.data", built("allotrope"));
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "seccomp"));
	result_free(&r);
	r = run_shell("'%s' record -q -o test.data -- '%s' kill %d %s", built("allotrope"),
		      built("tests/subjects/filtered"), SYS_mincore, loop);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "50\n");
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_what_the_program_counted_is_what_is_reported),
		LIVE_TEST(test_a_forked_child_is_looked_at_by_itself),
		LIVE_TEST(test_other_ways_to_record_see_the_same),
		LIVE_TEST(test_a_loop_that_recycles_is_looked_at_now_and_then),
		LIVE_TEST(test_filters_that_the_recorder_has_tried_are_no_hindrance),
		LIVE_TEST(test_filters_that_kill_kill_nobody),
		LIVE_TEST(test_of_the_gibibyte_that_the_example_frees_two_pages_were_touched),
		LIVE_TEST(test_other_allocators_are_not_looked_at),
		LIVE_TEST(test_it_can_be_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
