/*
 * test_examples.c - each lesson of examples/README.md says what can be seen in a recording
 * of its program: here it is looked up, in numbers. The lessons on the threshold and on
 * trim are checked in tests/oracle/test_threshold.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

#define KIB 1024LL
#define MIB (1024 * KIB)

/* Records examples/NAME with ARGUMENTS; its output, the caller's. */
static char *record_example(const char *name, const char *arguments)
{
	char path[128];
	struct result r;
	char *out;

	snprintf(path, sizeof(path), "examples/%s", name);
	r = record("", "%s %s", built(path), arguments);
	assert_int_equal(r.status, 0);
	out = strdup(r.out);
	result_free(&r);
	return out;
}

/* Sum of column COLUMN (from 1) of `maps` at MOMENT where awk's CONDITION holds. */
static long long in_maps(const char *moment, const char *condition, int column)
{
	struct result r = run_shell("'%s' maps --format=csv --at='%s' --top=0 test.data |"
				    " awk -F, 'NR > 1 && (%s) { sum += $%d } END { printf \"%%d\\n\", sum }'",
				    built("allotrope"), moment, condition, column);
	long long sum = atoll(r.out);

	assert_int_equal(r.status, 0);
	result_free(&r);
	return sum;
}

#define SIZE 10
#define RSS 11
#define ANONYMOUS 17

static long long heap_at(const char *moment)
{
	return in_maps(moment, "$9 == \"heap (break)\"", SIZE);
}

static long long mapped_at(const char *moment)
{
	return in_maps(moment, "$9 == \"malloc mapping\"", SIZE);
}

/* How many lines of `allotrope strace` match PATTERN. */
static int calls(const char *pattern)
{
	struct result r = run_shell("'%s' strace -f --no-startup test.data | grep -c -E '%s'",
				    built("allotrope"), pattern);
	int count = atoi(r.out);

	result_free(&r);
	return count;
}

TEST(test_benchmark_is_one_malloc_and_one_mapping)
{
	free(record_example("benchmark", ""));
	assert_int_equal(calls("mmap\\(NULL, 40001536,"), 1);
	assert_int_equal(calls("munmap\\(0x[0-9a-f]+, 40001536\\)"), 1);
}

TEST(test_int_blocks_storms_only_without_the_tcache)
{
	struct result r;
	json_t *root;
	int with;

	/* objects in blocks of 41, a list (beyond 32 MiB: it moves no threshold), stdout */
	free(record_example("int_blocks", "4300000"));
	root = summary("");
	assert_int_equal(number_at(root, "calls.malloc"), 104879 + 2);
	json_decref(root);
	with = calls("brk\\(0x");
	setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
	r = record("", "%s 4300000", built("examples/int_blocks"));
	unsetenv("GLIBC_TUNABLES");
	assert_int_equal(r.status, 0);
	root = summary("");
	assert_int_equal(number_at(root, "calls.malloc"), 104879 + 2);
	/* up as often as before; down for every page, of which four blocks fill one */
	assert_in_range(calls("brk\\(0x") - with, 104879 / 5, 104879 / 4);
	json_decref(root);
	result_free(&r);
}

TEST(test_the_three_states_of_alloc_size_come_from_one_recording)
{
	long long before;

	free(record_example("alloc_size", ""));
	/* 32 KiB: the break, by 132 KiB at first, then by what is missing and 128 KiB more */
	assert_int_equal(heap_at("mark:32 KiB"), 0);
	assert_int_equal(heap_at("mark:32 KiB allocated"), 292 * KIB);
	assert_int_equal(heap_at("mark:32 KiB freed"), 132 * KIB);
	/* 256 KiB: five mappings of 266,240 bytes, none, and the heap as it was */
	before = heap_at("mark:256 KiB");
	assert_int_equal(mapped_at("mark:256 KiB"), 0);
	assert_int_equal(mapped_at("mark:256 KiB allocated"), 5 * 266240);
	assert_int_equal(mapped_at("mark:256 KiB freed"), 0);
	assert_int_equal(heap_at("mark:256 KiB allocated"), before);
	assert_int_equal(calls("mmap\\(NULL, 266240,"), 5);
	/* 128 KiB: the first fits into the 132 KiB that lie free in the heap */
	assert_int_equal(calls("mmap\\(NULL, 135168,"), 4);
}

TEST(test_each_thread_of_arenas_has_an_arena_of_its_own)
{
	const char *arena = "$9 == \"malloc arena\"";
	char *out = record_example("arenas", "");

	assert_int_equal(in_maps("mark:full", arena, 19), 4 * 100);
	assert_int_equal(in_maps("mark:full", arena, 20), 4 * 100 * 10000);
	assert_true(in_maps("mark:full", "$9 == \"heap (break)\"", 19) >= 100);
	assert_true(in_maps("mark:full", arena, SIZE) < 4 * 2 * MIB);
	/* 64 MiB where the search before left an aligned half */
	assert_true(calls("mmap\\(.*(134217728|67108864), PROT_NONE,") >= 4);
	assert_true(calls("mprotect\\(.*PROT_READ\\|PROT_WRITE\\)") > 4 * 4);
	assert_non_null(strstr(out, "thread 4: its arena begins at"));
	free(out);
}

TEST(test_a_growing_mapping_is_moved_by_mremap)
{
	char *out = record_example("realloc_growth", "");

	assert_int_equal(number_after(out, "doubled"), 10);
	assert_int_equal(calls("mmap\\(NULL, 266240,"), 1);
	assert_int_equal(calls("mremap\\(.*MREMAP_MAYMOVE\\) = 0x"), 8);
	assert_int_equal(calls("mremap\\(0x[0-9a-f]+, 33558528, 67112960,"), 1);
	assert_int_equal(mapped_at("mark:grown"), 64 * MIB + 4 * KIB);
	free(out);
}

TEST(test_map_copy_maps_both_files_and_touches_them_by_copying)
{
	const char *files = "$8 ~ /(from|to)[.]dat/";
	struct result r = run_shell("head -c 8388608 /dev/urandom >from.dat");

	result_free(&r);
	free(record_example("map_copy", "from.dat to.dat"));
	r = run_shell("cmp from.dat to.dat");
	assert_int_equal(r.status, 0);
	result_free(&r);
	assert_int_equal(calls("mmap\\(NULL, 8388608, PROT_READ, MAP_PRIVATE,"), 1);
	assert_int_equal(calls("mmap\\(NULL, 8388608, PROT_READ\\|PROT_WRITE, MAP_SHARED,"), 1);
	assert_int_equal(in_maps("mark:read and write", files, SIZE), 0);
	assert_int_equal(in_maps("mark:mapped", files, SIZE), 16 * MIB);
	assert_int_equal(in_maps("mark:mapped", files, RSS), 0);
	assert_int_equal(in_maps("mark:copied", files, RSS), 16 * MIB);
	assert_int_equal(in_maps("mark:unmapped", files, SIZE), 0);
}

static int libraries_of(const char *program)
{
	struct result r = record("--no-preload", "%s", built(program));
	long long count;

	assert_int_equal(r.status, 0);
	result_free(&r);
	r = run_shell("'%s' maps -x test.data | grep -c -E ' (libc|ld-linux)[^ ]*$'",
		      built("allotrope"));
	count = atoll(r.out);
	result_free(&r);
	return (int)count;
}

TEST(test_a_static_program_has_no_mappings_of_libraries)
{
	assert_int_equal(libraries_of("examples/static_dynamic_static"), 0);
	assert_true(libraries_of("examples/static_dynamic") >= 8);
}

TEST(test_each_step_of_modify_areas_changes_its_area)
{
	const char *text = "$9 == \"code\" && $8 ~ /modify_areas/";
	const char *data = "$9 == \"file data\" && $8 ~ /modify_areas/";
	const char *stack = "$9 == \"stack\"";

	free(record_example("modify_areas", ""));
	/* how much is there before its use is the kernel's affair: it maps neighbours of a page */
	assert_true(in_maps("mark:begin", text, RSS) <= in_maps("mark:text", text, RSS));
	assert_true(in_maps("mark:text", text, RSS) >= MIB);
	assert_true(in_maps("mark:text", data, ANONYMOUS) < 256 * KIB);
	assert_true(in_maps("mark:data", data, ANONYMOUS) >= 256 * KIB);
	assert_true(in_maps("mark:bss", "$9 == \"anonymous\"", RSS) -
			    in_maps("mark:data", "$9 == \"anonymous\"", RSS) >= 500 * KIB);
	assert_true(heap_at("mark:bss") <= 132 * KIB);
	assert_true(heap_at("mark:heap") >= 1000000);
	assert_true(in_maps("mark:heap", stack, SIZE) < 512 * KIB);
	assert_true(in_maps("mark:stack", stack, RSS) >= MIB);
}

TEST(test_code_comes_in_by_being_used)
{
	const char *text = "$9 == \"code\" && $8 ~ /demand_paging/";

	free(record_example("demand_paging", ""));
	assert_true(in_maps("mark:freed", text, RSS) <= in_maps("mark:code used", text, RSS));
	assert_true(in_maps("mark:code used", text, RSS) >= MIB);
	/* two pages: malloc's header, the byte written; of 2 MiB where the kernel makes them so */
	assert_int_equal(in_maps("mark:touched", "$9 == \"malloc mapping\"", SIZE), 1024 * MIB + 4 * KIB);
	assert_in_range(in_maps("mark:asked", "$9 == \"malloc mapping\"", RSS), 4 * KIB, 2 * MIB);
	assert_in_range(in_maps("mark:touched", "$9 == \"malloc mapping\"", RSS), 8 * KIB, 4 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_benchmark_is_one_malloc_and_one_mapping),
		LIVE_TEST(test_int_blocks_storms_only_without_the_tcache),
		LIVE_TEST(test_the_three_states_of_alloc_size_come_from_one_recording),
		LIVE_TEST(test_each_thread_of_arenas_has_an_arena_of_its_own),
		LIVE_TEST(test_a_growing_mapping_is_moved_by_mremap),
		LIVE_TEST(test_map_copy_maps_both_files_and_touches_them_by_copying),
		LIVE_TEST(test_a_static_program_has_no_mappings_of_libraries),
		LIVE_TEST(test_each_step_of_modify_areas_changes_its_area),
		LIVE_TEST(test_code_comes_in_by_being_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
