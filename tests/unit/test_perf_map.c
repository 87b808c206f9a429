/*
 * test_perf_map.c - names of code made at run time: what is a line, what a name says, whose
 * map is believed.
 */
#include "test.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmem.h"
#include "symbol/perf_map.h"

#define SECOND 1000000000ull

static void check(const struct perf_map *map, uint64_t address, const char *name, const char *file,
		  uint32_t line)
{
	struct name_pool *pool = name_pool_new();
	struct stored_frame f = { 0 };

	assert_int_equal(perf_map_find(map, address, pool, &f), name != NULL);
	if (name) {
		assert_string_equal(f.name, name);
		assert_string_equal(f.file ? f.file : "", file);
		assert_int_equal(f.line, line);
		assert_in_range(f.into, 1, 0x1000);
	}
	name_pool_free(pool);
}

static struct perf_map *parse(const char *text)
{
	return perf_map_parse(text, strlen(text));
}

/* What the name of a line becomes. */
static void check_name(const char *written, const char *name, const char *file, uint32_t line)
{
	char *text = xasprintf("1000 10 %s\n", written);
	struct perf_map *map = parse(text);

	assert_int_equal(perf_map_pieces(map), 1);
	check(map, 0x1008, name, file, line);
	perf_map_free(map);
	free(text);
}

TEST(test_addresses_are_found_in_their_piece)
{
	struct perf_map *map = parse("2000 20 two\n1000 10 one\r\n0x3000 0X8 three with blanks\n");

	check(map, 0xfff, NULL, NULL, 0);
	check(map, 0x1000, "one", "", 0);
	check(map, 0x100f, "one", "", 0);
	check(map, 0x1010, NULL, NULL, 0);
	check(map, 0x201f, "two", "", 0);
	check(map, 0x3007, "three with blanks", "", 0);
	check(map, 0x3008, NULL, NULL, 0);
	check(map, UINT64_MAX, NULL, NULL, 0);
	assert_int_equal(perf_map_ignored(map), 0);
	perf_map_free(map);
}

TEST(test_where_addresses_were_used_again_the_last_line_counts)
{
	struct perf_map *map = parse("1000 1000 wide\n1100 10 old\n1100 10 new\n"
				     "1105 2 inner\n1108 100 late\n");

	check(map, 0x1000, "wide", "", 0);
	check(map, 0x1100, "new", "", 0);
	check(map, 0x1106, "inner", "", 0);
	check(map, 0x1107, "new", "", 0);
	check(map, 0x110a, "late", "", 0);
	check(map, 0x1ff0, "wide", "", 0);
	perf_map_free(map);
}

TEST(test_lines_that_are_none_are_counted_and_passed_over)
{
	static const char *const lines[] = {
		"hello", "1000", "1000 10", "1000 10 ", "zz 10 name", "1000 zz name", "1000 0 empty",
		"ffffffffffffffff 10 wraps", "10000000000000000 10 long", "1000 10000000000000000 long",
		"-1000 10 negative", "0x 10 none", "1000\t10 tab", " 1000 10 leading", "1000,10,name",
	};
	char *all = xstrdup("");
	struct perf_map *map;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *longer = xasprintf("%s%s\n", all, lines[i]);

		free(all);
		all = longer;
		map = parse(lines[i]);
		if (perf_map_pieces(map) != 0 || perf_map_ignored(map) != 1)
			fail_msg("'%s' was taken", lines[i]);
		perf_map_free(map);
	}
	all = xrealloc(all, strlen(all) + 20);
	strcat(all, "\n\n5000 10 good");
	map = parse(all);
	assert_int_equal(perf_map_pieces(map), 1);
	assert_int_equal(perf_map_ignored(map), sizeof(lines) / sizeof(lines[0]));
	check(map, 0x5000, "good", "", 0);
	perf_map_free(map);
	free(all);
}

TEST(test_a_name_is_not_endless_and_holds_no_nul)
{
	char *text = xmalloc(40000);
	struct perf_map *map;

	memset(text, 'x', 40000);
	memcpy(text, "1000 10 ", 8);
	map = perf_map_parse(text, 40000);
	assert_int_equal(perf_map_ignored(map), 1);
	perf_map_free(map);
	map = perf_map_parse("1000 10 a\0b\n", 12);
	assert_int_equal(perf_map_ignored(map), 1);
	perf_map_free(map);
	map = perf_map_parse("", 0);
	check(map, 0, NULL, NULL, 0);
	perf_map_free(map);
	free(text);
}

TEST(test_names_of_v8_are_function_file_and_line)
{
	check_name("JS:~outer /tmp/X/j.js:3:15", "outer", "/tmp/X/j.js", 3);
	check_name("JS:*get size /a b/j.js:30:1", "get size", "/a b/j.js", 30);
	check_name("JS:^ node:internal/main/run:1:1", "(anonymous)", "node:internal/main/run", 1);
	check_name("LazyCompile:+f file:///x.mjs:12:7", "f", "file:///x.mjs", 12);
	check_name("Function:*g x.js:1:2", "g", "x.js", 1);
}

TEST(test_names_of_python_are_function_and_file)
{
	check_name("py::work:/app/jobs.py", "work", "/app/jobs.py", 0);
	check_name("py::<module>:/app/main.py", "<module>", "/app/main.py", 0);
}

TEST(test_other_names_are_the_function)
{
	static const char *const names[] = {
		"Builtin:ArrayMap", "JS:outer /tmp/j.js:3:15", "JS:*", "JS:*f", "JS:*f:1", "JS:*f:1:2",
		"JS:* :1:2", "JS:*:1:2", "py::", "py::f", "py::f:", "py:::x", "Ljava/lang/String;::hashCode",
		"JS:*f x.js:99999999999:1", "J", "L",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		check_name(names[i], names[i], "", 0);
}

/* ---- files ---- */

static char folder[] = "/tmp/test_perf_map.XXXXXX";

static int folder_begin(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_end(void **state)
{
	char *command = xasprintf("rm -r '%s'", folder);
	int status = system(command);

	(void)state;
	free(command);
	return status;
}

static char *map_path(unsigned pid)
{
	return xasprintf("%s/perf-%u.map", folder, pid);
}

static void write_map(unsigned pid, const char *text, uint64_t when)
{
	char *path = map_path(pid);
	struct timespec times[2] = { { .tv_sec = (time_t)when }, { .tv_sec = (time_t)when } };
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	free(path);
}

static bool opens(unsigned pid, uint64_t earliest, uint64_t latest)
{
	struct perf_map *map = perf_map_open(folder, pid, earliest * SECOND, latest * SECOND);
	bool is_open = map != NULL;

	perf_map_free(map);
	return is_open;
}

TEST(test_a_map_is_believed_where_its_time_is_that_of_the_process)
{
	write_map(10, "1000 10 name\n", 5000);
	assert_true(opens(10, 0, 0));
	assert_true(opens(10, 4000, 6000));
	assert_false(opens(10, 5001, 0));
	assert_false(opens(10, 0, 4999));
	assert_false(opens(11, 0, 0));
}

TEST(test_links_folders_and_pipes_are_no_maps)
{
	char *target = map_path(10), *link = map_path(20), *dir = map_path(21), *pipe = map_path(22);

	write_map(10, "1000 10 name\n", 5000);
	assert_int_equal(symlink(target, link), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_false(opens(20, 0, 0));
	assert_false(opens(21, 0, 0));
	assert_false(opens(22, 0, 0));
	free(target);
	free(link);
	free(dir);
	free(pipe);
}

TEST(test_a_map_of_somebody_else_is_not_believed)
{
	char *path = map_path(30);

	if (geteuid() != 0)
		SKIP("only root can make a file of somebody else");
	write_map(30, "1000 10 name\n", 5000);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_false(opens(30, 0, 0));
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_found_in_their_piece),
		cmocka_unit_test(test_where_addresses_were_used_again_the_last_line_counts),
		cmocka_unit_test(test_lines_that_are_none_are_counted_and_passed_over),
		cmocka_unit_test(test_a_name_is_not_endless_and_holds_no_nul),
		cmocka_unit_test(test_names_of_v8_are_function_file_and_line),
		cmocka_unit_test(test_names_of_python_are_function_and_file),
		cmocka_unit_test(test_other_names_are_the_function),
		cmocka_unit_test(test_a_map_is_believed_where_its_time_is_that_of_the_process),
		cmocka_unit_test(test_links_folders_and_pipes_are_no_maps),
		cmocka_unit_test(test_a_map_of_somebody_else_is_not_believed),
	};

	return cmocka_run_group_tests_name("perf_map", tests, folder_begin, folder_end);
}
