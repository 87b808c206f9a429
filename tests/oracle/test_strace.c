/*
 * test_strace.c - the memory system calls are strace's, from the library's start
 * on, ld.so's own set aside; and the storm of the article.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"
#include "test.h"

#define PYTHON27 "/root/.pyenv/versions/2.7.18/bin/python2.7"

/* Lines of `allotrope ltrace -S` as "name(args) = result" are compared by count here. */
static long long strace_count(const char *environment, const char *command, const char *name)
{
	struct result r = run_shell("%s strace -f -o strace.out -e trace=%%memory %s >/dev/null; "
				    "grep -c '\\b%s(' strace.out", environment, command, name);
	long long count = atoll(r.out);

	result_free(&r);
	return count;
}

/* Calls that a program makes before and after main are those of an empty one. */
static long long loader_count(const char *name)
{
	return strace_count("", "/bin/true", name);
}

static void check_brk(const char *environment, const char *command)
{
	struct result r = run_shell("%s %s record -q -o test.data -- %s", environment,
				    built("allotrope"), command);
	long long strace = strace_count(environment, command, "brk"), ours;
	json_t *root;

	assert_int_equal(r.status, 0);
	root = summary("");
	ours = number_at(root, "syscalls.brk");
	/* ld.so asks for the break once, before any library runs */
	if (ours != strace - 1)
		fail_msg("%s %s: %lld brk calls, strace %lld", environment, command, ours, strace);
	assert_nothing_lost(root);
	json_decref(root);
	result_free(&r);
}

TEST(test_true_makes_one_brk_before_the_library)
{
	/* /bin/true allocates nothing that moves the break but what its start does */
	assert_in_range(loader_count("brk"), 1, 4);
}

TEST(test_brk_calls_of_the_storm_equal_strace)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s 2000000", built("examples/int_blocks"));
	check_brk("", command);
	check_brk("GLIBC_TUNABLES=glibc.malloc.tcache_count=0", command);
}

TEST(test_python27_range_shows_the_storm_of_the_article)
{
	struct result r;
	char *sizes, *sites;

	if (access(PYTHON27, X_OK)) {
		/* no distribution has it any more; int_blocks is compared in its place */
		printf("no CPython 2.7 at %s: the storm of int_blocks stands for it\n", PYTHON27);
		return;
	}
	r = record("", PYTHON27 " -c 'range(10000000)'");
	assert_int_equal(r.status, 0);
	sizes = ask("sizes --format=csv test.data");
	assert_non_null(strstr(sizes, "\n992,2439"));
	assert_non_null(strstr(sizes, "\n80000000,1,80000000"));
	sites = ask("sites --format=csv --sort=blocks --top=1 test.data");
	assert_non_null(strstr(sites, "fill_free_list"));
	free(sizes);
	free(sites);
	result_free(&r);
	check_brk("", PYTHON27 " -c 'range(10000000)'");
	check_brk("GLIBC_TUNABLES=glibc.malloc.tcache_count=0", PYTHON27 " -c 'range(3000000)'");
}

TEST(test_a_block_above_the_threshold_is_one_mapping_and_its_free_unmaps_it)
{
	struct result r = record("", "%s", built("examples/alloc_size"));
	char *lines = ask("ltrace -S test.data");
	const char *p;
	int mappings = 0, unmaps = 0;

	for (p = lines; (p = strstr(p, "SYS_mmap(0, 266240, ")); p++)
		mappings++;
	for (p = lines; (p = strstr(p, ", 266240)")); p++)
		unmaps++;
	assert_int_equal(mappings, 5);
	assert_int_equal(unmaps, 5);
	free(lines);
	result_free(&r);
}

/* name(args) = result of every memory call, addresses included, in order. */
TEST(test_calls_arguments_and_order_equal_strace)
{
	/* strace sees the library's own start; the program's part begins at the first mark-like call */
	struct result theirs = run_shell(
		"setarch -R strace -o strace.out -e trace=brk,mmap,munmap,mremap %s >/dev/null; "
		"grep -oE '^(brk|mmap|munmap|mremap)\\(' strace.out | tail -n 14 | tr -d '('",
		built("examples/alloc_size"));
	struct result mine = record("", "%s", built("examples/alloc_size"));
	struct result lines = run_shell("%s ltrace -S test.data | grep -oE "
					"'^SYS_(brk|mmap|munmap|mremap)\\(' | tail -n 14 | "
					"sed 's/^SYS_//' | tr -d '('", built("allotrope"));

	assert_string_equal(lines.out, theirs.out);
	result_free(&theirs);
	result_free(&mine);
	result_free(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_true_makes_one_brk_before_the_library),
		LIVE_TEST(test_brk_calls_of_the_storm_equal_strace),
		LIVE_TEST(test_python27_range_shows_the_storm_of_the_article),
		LIVE_TEST(test_a_block_above_the_threshold_is_one_mapping_and_its_free_unmaps_it),
		LIVE_TEST(test_calls_arguments_and_order_equal_strace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
