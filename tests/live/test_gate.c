/*
 * test_gate.c - the gate as a CI job uses it: record, write a baseline, commit it, check the
 * next build. The script is that of docs/ci.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

/* The script under "## A script" of docs/ci.md as ./memory.sh; `allotrope` is on PATH. */
static void write_script(void)
{
	struct result r = run_shell("sed -n '/^## A script/,$p' %s | sed -n 's/^    //p' >memory.sh; "
				    "chmod +x memory.sh; mkdir bin; ln -s %s bin/allotrope; "
				    "head -n 1 memory.sh", source("docs/ci.md"), built("allotrope"));

	assert_string_equal(r.out, "#!/bin/sh -e\n");
	result_free(&r);
}

static struct result run_job(const char *command)
{
	return run_shell("PATH=$PWD/bin:$PATH ./memory.sh %s", command);
}

TEST(test_job_passes_until_the_program_allocates_more)
{
	char command[4096];
	struct result r;

	write_script();
	snprintf(command, sizeof(command), "%s 20000", built("examples/int_blocks"));
	r = run_job(command);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "no baseline yet: commit int_blocks.baseline\n"));
	result_free(&r);

	r = run_job(command);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "ok: int_blocks: 7 figures within int_blocks.baseline\n"));
	result_free(&r);

	snprintf(command, sizeof(command), "%s 30000", built("examples/int_blocks"));
	r = run_job(command);
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.out, "failed: int_blocks: bytes at the peak: "));
	assert_non_null(strstr(r.out, "; at the peak fill_free_list has "));
	assert_non_null(strstr(r.out, "failed: int_blocks: blocks in all: "));
	result_free(&r);
}

/* What is written does not depend on addresses, the time, or where it was recorded. */
TEST(test_baseline_of_equal_runs_is_equal)
{
	struct result r = run_shell("for i in 1 2; do mkdir d$i; cd d$i; %s record -q -o x.data -- %s 20000 "
				    ">/dev/null; %s check --write-baseline=b x.data; cd ..; done; "
				    "cmp d1/b d2/b && cat d1/b", built("allotrope"),
				    built("examples/int_blocks"), built("allotrope"));

	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "\nprogram int_blocks\npeak_bytes "));
	assert_non_null(strstr(r.out, " fill_free_list\n"));
	assert_null(strstr(r.out, "0x"));
	result_free(&r);
}

TEST(test_junit_is_xml_with_a_failure_for_each_reason)
{
	struct result r = record("", "%s 20000", built("examples/int_blocks"));

	result_free(&r);
	r = run_shell("%s check --max-peak=1 --max-end=1M --max-in='total:make_range=10' --format=junit "
		      "-o x.xml test.data; echo status $?; /usr/bin/python3 -c '"
		      "import xml.etree.ElementTree as e; r = e.parse(\"x.xml\").getroot(); "
		      "print(r.get(\"tests\"), r.get(\"failures\"), len(r.findall(\".//testcase\")), "
		      "len(r.findall(\".//failure\")))'", built("allotrope"));
	assert_string_equal(r.out, "status 1\n4 2 4 2\n");
	result_free(&r);
}

TEST(test_sampled_recording_is_judged_by_estimates_and_says_so)
{
	struct result r = record("--sample=16K", "%s 200000", built("examples/int_blocks"));

	result_free(&r);
	r = run_shell("%s check --max-peak=100M test.data", built("allotrope"));
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "note: heap figures are estimates"));
	result_free(&r);
	r = run_shell("%s check --max-in=temporary:main=1 test.data", built("allotrope"));
	assert_int_equal(r.status, 2);
	result_free(&r);
	r = run_shell("%s temporary test.data", built("allotrope"));
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "record --sample"));
	result_free(&r);
}

/* Figures of a function are those of its call stacks, as `sites` has them. */
TEST(test_function_limit_is_the_sum_of_its_stacks)
{
	struct result r = record("", "%s 20000", built("examples/int_blocks"));
	json_t *root;
	char *text;

	result_free(&r);
	r = run_shell("%s check --format=json --max-in=make_range=1 --max-in=count:int_from_long=1 "
		      "test.data; %s sites --format=csv test.data | awk -F, '/make_range/ { p += $5 } "
		      "/int_from_long/ { c += $2 } END { print p, c }' >sum", built("allotrope"),
		      built("allotrope"));
	root = json_loads(r.out, 0, NULL);
	assert_non_null(root);
	text = malloc(200);
	snprintf(text, 200, "%lld %lld\n",
		 number_at(json_array_get(json_object_get(root, "checks"), 1), "actual"),
		 number_at(json_array_get(json_object_get(root, "checks"), 2), "actual"));
	json_decref(root);
	result_free(&r);
	r = run_shell("cat sum");
	assert_string_equal(r.out, text);
	result_free(&r);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_job_passes_until_the_program_allocates_more),
		LIVE_TEST(test_baseline_of_equal_runs_is_equal),
		LIVE_TEST(test_junit_is_xml_with_a_failure_for_each_reason),
		LIVE_TEST(test_sampled_recording_is_judged_by_estimates_and_says_so),
		LIVE_TEST(test_function_limit_is_the_sum_of_its_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
