/*
 * test_ltrace.c - the ltrace form against ltrace itself: the same counts on a
 * program that ltrace handles, more only by calls from inside libraries; and the
 * pipelines of the article on our lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

/* Calls of FUNCTION in the `-c` table TABLE: "% time seconds usecs/call calls function". */
static long long calls_of(const char *table, const char *function)
{
	char suffix[64];
	const char *end, *p;

	snprintf(suffix, sizeof(suffix), " %s\n", function);
	end = strstr(table, suffix);
	if (!end)
		return 0;
	for (p = end; p > table && p[-1] >= '0' && p[-1] <= '9'; p--)
		;
	return atoll(p);
}

static void compare(const char *command, bool libraries_allocate)
{
	static const char *const functions[] = { "malloc", "calloc", "realloc", "free" };
	struct result theirs = run_shell("ltrace -c -e malloc+calloc+realloc+free@MAIN -o ltrace.out "
					 "%s >/dev/null; cat ltrace.out", command);
	struct result mine = record("", "%s", command);
	char *table = ask("ltrace -c test.data 2>/dev/null");

	assert_int_equal(mine.status, 0);
	for (size_t i = 0; i < 4; i++) {
		long long ours = calls_of(table, functions[i]), ltrace = calls_of(theirs.out, functions[i]);

		if (ours < ltrace || (ours > ltrace && !libraries_allocate))
			fail_msg("%s: %s: %lld, ltrace %lld\n%s\n%s", command, functions[i], ours,
				 ltrace, table, theirs.out);
	}
	free(table);
	result_free(&theirs);
	result_free(&mine);
}

TEST(test_counts_equal_ltrace_where_only_the_program_allocates)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s 3 2000", built("bench/pairs"));
	compare(command, false);
	snprintf(command, sizeof(command), "%s 4 300", built("bench/tree"));
	compare(command, false);
}

TEST(test_counts_exceed_ltrace_only_by_calls_inside_libraries)
{
	char command[4096], *lines;
	long long inside = 0, malloc_calls;
	json_t *root;

	snprintf(command, sizeof(command), "%s 41000", built("examples/int_blocks"));
	compare(command, true);
	/* every call that ltrace missed has a caller outside the program: puts' buffer in libc */
	lines = ask("ltrace -e malloc test.data");
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"))
		inside += strstr(line, "->malloc(") && !strstr(line, "int_blocks->");
	free(lines);
	root = summary("");
	malloc_calls = number_at(root, "calls.malloc");
	assert_int_equal(malloc_calls - inside, 1001);
	json_decref(root);
}

TEST(test_lines_equal_ltrace_but_for_addresses)
{
	struct result theirs = run_shell("ltrace -e malloc+calloc+realloc+free@MAIN -o ltrace.out "
					 "%s >/dev/null; sed 's/^[a-z_]*->//; s/0x[0-9a-f]*/0xADDR/g; "
					 "s/ *= / = /' ltrace.out", built("examples/alloc_size"));
	struct result mine = record("", "%s", built("examples/alloc_size"));
	struct result lines = run_shell("%s ltrace test.data | sed 's/0x[0-9a-f]*/0xADDR/g; "
					"s/ *= / = /' | grep -v 'malloc(4096)\\|malloc(1024)'",
					built("allotrope"));

	assert_string_equal(lines.out, theirs.out);
	result_free(&theirs);
	result_free(&mine);
	result_free(&lines);
}

TEST(test_the_article_s_count_of_sizes_works_verbatim)
{
	struct result mine = record("", "%s 41000", built("examples/int_blocks"));
	struct result r = run_shell("%s ltrace -e malloc test.data 2>&1 | sed \"s/).*//\" | "
				    "sed \"s/.*(//\" | sort -nr | uniq -c", built("allotrope"));

	/* uniq -c pads the count to seven columns */
	assert_non_null(strstr(r.out, "   1000 992\n"));
	assert_non_null(strstr(r.out, "      1 328000\n"));
	result_free(&mine);
	result_free(&r);
}

TEST(test_the_article_s_plot_works_verbatim)
{
	struct result mine = record("", "/usr/bin/python3 -S -c 'list(range(10000))'");
	/* with -p the terminal is a window; a file here */
	struct result r = run_shell("%s ltrace -tt -e malloc -l python test.data 2>&1 | grep \"malloc\" | "
				    "sed \"s/python.*(//\" | sed \"s/).*//\" | gnuplot -e \"set "
				    "terminal png; set output 'x.png'; set xdata time; set timefmt "
				    "'%%H:%%M:%%S'; plot '<cat' using 1:2 with lines\" && head -c 4 x.png",
				    built("allotrope"));

	assert_int_equal(r.status, 0);
	assert_memory_equal(r.out, "\x89PNG", 4);
	assert_string_equal(r.err, "");
	result_free(&mine);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_counts_equal_ltrace_where_only_the_program_allocates),
		LIVE_TEST(test_counts_exceed_ltrace_only_by_calls_inside_libraries),
		LIVE_TEST(test_lines_equal_ltrace_but_for_addresses),
		LIVE_TEST(test_the_article_s_count_of_sizes_works_verbatim),
		LIVE_TEST(test_the_article_s_plot_works_verbatim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
