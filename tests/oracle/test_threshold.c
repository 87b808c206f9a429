/*
 * test_threshold.c - the report `threshold` against glibc itself: the examples look at the
 * header that malloc writes before each block, and say where mappings begin; strace counts
 * what brk, mmap and munmap did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

static json_t *threshold(const char *options)
{
	char *text = ask("threshold --format=json %s test.data", options);
	json_t *root = json_loads(text, 0, NULL);

	if (!root)
		fail_msg("threshold: no JSON: %.200s", text);
	free(text);
	return root;
}

static const json_t *row_of(const json_t *root, long long size)
{
	const json_t *list = json_object_get(root, "sizes");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (number_at(json_array_get(list, i), "size") == size)
			return json_array_get(list, i);
	fail_msg("no row for %lld", size);
	return NULL;
}

/* Record COMMAND with ENVIRONMENT; what it printed, the caller's. */
static char *record_with(const char *environment, const char *command)
{
	struct result r = run_shell("%s %s record -q -o test.data -- %s", environment,
				    built("allotrope"), command);

	assert_int_equal(r.status, 0);
	free(r.err);
	return r.out;
}

static void check_walk(const char *environment, const char *argument, size_t moves)
{
	char command[4096], *out;
	json_t *root;

	snprintf(command, sizeof(command), "%s %s", built("examples/threshold_walk"), argument);
	out = record_with(environment, command);
	root = threshold("");
	assert_int_equal(number_at(root, "threshold_bytes"), number_after(out, "begin at "));
	assert_int_equal(number_at(root, "largest_grown_bytes"), number_after(out, "begin at ") - 1);
	assert_int_equal(json_array_size(json_object_get(root, "moves")), moves);
	json_decref(root);
	/* after the free of the first block behind the boundary */
	root = threshold("--since='mark:second walk'");
	assert_int_equal(number_at(root, "threshold_bytes"), number_after(out, "of one: at "));
	json_decref(root);
	free(out);
}

TEST(test_boundary_is_found_where_glibc_has_it)
{
	json_t *root;

	check_walk("", "", 1);
	root = threshold("");
	assert_int_equal(number_at(root, "threshold_bytes"), 131049);
	json_decref(root);
	check_walk("GLIBC_TUNABLES=glibc.malloc.mmap_threshold=200000", "", 0);
	check_walk("GLIBC_TUNABLES=glibc.malloc.mmap_threshold=65536", "", 0);
	check_walk("MALLOC_MMAP_THRESHOLD_=300000", "", 0);
	check_walk("MALLOC_TOP_PAD_=0", "", 0);
	/* mallopt's call is a move of its own, and the last one */
	check_walk("", "50000", 1);
	check_walk("", "1000000", 1);
}

TEST(test_move_has_the_free_that_caused_it)
{
	const json_t *move;
	json_t *root;

	free(record_with("", built("examples/threshold_walk")));
	root = threshold("");
	move = json_array_get(json_object_get(root, "moves"), 0);
	assert_int_equal(number_at(move, "from"), 131072);
	assert_int_equal(number_at(move, "to"), 135168);
	assert_int_equal(number_at(move, "trim_to"), 270336);
	assert_int_equal(number_at(move, "cause_bytes"), 131049);
	assert_memory_equal(json_string_value(json_object_get(move, "allocated_at")),
			    "threshold_walk.c:", 17);
	assert_memory_equal(json_string_value(json_object_get(move, "freed_at")),
			    "threshold_walk.c:", 17);
	json_decref(root);
}

TEST(test_sizes_of_the_course)
{
	const json_t *row;
	json_t *root;

	free(record_with("", built("examples/alloc_size")));
	root = threshold("");
	row = row_of(root, 262144);
	assert_int_equal(number_at(row, "mapped"), 5);
	assert_int_equal(number_at(row, "mapped_bytes"), 5 * 266240);
	assert_int_equal(number_at(row, "unmapped"), 5);
	row = row_of(root, 32768);
	assert_int_equal(number_at(row, "heap") + number_at(row, "brk"), 5);
	assert_int_equal(number_at(row, "kept") + number_at(row, "trimmed"), 5);
	json_decref(root);
}

/* How often strace's brk went up and down. */
static void count_moves(const char *path, long long *up, long long *down)
{
	FILE *in = fopen(path, "r");
	unsigned long long last = 0, now;
	char line[256];

	assert_non_null(in);
	*up = *down = 0;
	while (fgets(line, sizeof(line), in)) {
		const char *result = strstr(line, "= 0x");

		if (strncmp(line, "brk(", 4) != 0 || !result)
			continue;
		now = strtoull(result + 2, NULL, 16);
		*up += last && now > last;
		*down += last && now < last;
		last = now;
	}
	fclose(in);
}

TEST(test_trim_storm_has_straces_numbers)
{
	const char *environment = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0";
	char command[4096], *text;
	long long up, down;
	json_t *root;

	snprintf(command, sizeof(command), "%s 4300000", built("examples/int_blocks"));
	free(run_shell("%s strace -e trace=brk -o strace.out %s >/dev/null", environment, command).out);
	count_moves("strace.out", &up, &down);
	assert_in_range(down, 10000, 100000);
	free(record_with(environment, command));
	root = threshold("");
	assert_int_equal(number_at(root, "break.grow"), up);
	assert_int_equal(number_at(root, "break.trim"), down);
	assert_int_equal(number_at(row_of(root, 992), "trimmed"), down);
	assert_string_equal(json_string_value(json_object_get(json_array_get(
		json_object_get(root, "findings"), 0), "kind")), "trim_storm");
	json_decref(root);
	text = ask("threshold test.data");
	assert_non_null(strstr(text, "-> keep freed memory for reuse"));
	free(text);
	/* the cached blocks at the end of the heap prevent it */
	free(record_with("", command));
	root = threshold("");
	assert_in_range(number_at(root, "break.trim"), 0, 5);
	assert_int_equal(json_array_size(json_object_get(root, "findings")), 0);
	json_decref(root);
}

TEST(test_every_mapping_and_unmapping_of_malloc_is_that_of_a_size)
{
	json_t *root, *sums;
	const json_t *list;
	long long mapped = 0, unmapped = 0;

	/* one thread: what malloc maps are blocks */
	free(record_with("PYTHONMALLOC=malloc", "/usr/bin/python3 -c 'for i in range(300):\n"
			 "  x=bytearray(200000+i*10000)'"));
	root = threshold("");
	sums = summary("");
	list = json_object_get(root, "sizes");
	for (size_t i = 0; i < json_array_size(list); i++) {
		mapped += number_at(json_array_get(list, i), "mapped");
		unmapped += number_at(json_array_get(list, i), "unmapped");
	}
	assert_in_range(mapped, 20, 100000);
	assert_in_range(unmapped, 1, number_at(sums, "syscalls.munmap"));
	json_decref(root);
	json_decref(sums);
}

/* Each move by the rule must be seen in what malloc did afterwards. */
TEST(test_no_request_below_the_threshold_in_force_is_mapped)
{
	char *out = record_with("PYTHONMALLOC=malloc", "/usr/bin/python3 -c 'for i in range(300):\n"
				"  x=bytearray(200000+i*10000)'");
	json_t *root = threshold("--since=peak");
	const json_t *list = json_object_get(root, "sizes");
	long long least = number_at(root, "first.mmap_threshold");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (number_at(json_array_get(list, i), "mapped"))
			assert_true(number_at(json_array_get(list, i), "size") + 23 >= least);
	json_decref(root);
	free(out);
}

TEST(test_recording_without_system_calls_is_refused)
{
	struct result r = record("--syscalls=off", "%s", built("examples/trim"));
	static const char *const forms[] = { "threshold", "strace" };

	for (int i = 0; i < 2; i++) {
		struct result t = run_shell("%s %s test.data", built("allotrope"), forms[i]);

		assert_int_equal(t.status, 2);
		assert_non_null(strstr(t.err, "--syscalls=off"));
		assert_string_equal(t.out, "");
		result_free(&t);
	}
	result_free(&r);
	/* a curve that was not recorded is not one of zeros */
	r = run_shell("'%s' timeline --format=csv --points=10 test.data", built("allotrope"));
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.err, "--syscalls=off"));
	assert_non_null(strstr(r.out, ",0,,,,"));
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_boundary_is_found_where_glibc_has_it),
		LIVE_TEST(test_move_has_the_free_that_caused_it),
		LIVE_TEST(test_sizes_of_the_course),
		LIVE_TEST(test_trim_storm_has_straces_numbers),
		LIVE_TEST(test_every_mapping_and_unmapping_of_malloc_is_that_of_a_size),
		LIVE_TEST(test_no_request_below_the_threshold_in_force_is_mapped),
		LIVE_TEST(test_recording_without_system_calls_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
