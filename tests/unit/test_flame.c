/*
 * test_flame.c - flame graphs: the sums are those of the recording, in every format.
 */
#include "unit/form_subject.h"

#include <inttypes.h>
#include <jansson.h>

#define MAIN 0x400000
#define LIB  0x500000

static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_module(t, 1, 1, LIB, LIB + 0x1000, "/lib/lib;q.so");
	mk_malloc(t, s, 1000, 0x1000, 100, LIB + 1, MAIN + 1);
	mk_malloc(t, s, 2000, 0x2000, 200, LIB + 1, MAIN + 2);
	mk_malloc(t, s, 3000, 0x3000, 50, MAIN + 2);
	mk_free(t, s, 4000, 0x2000);
	mk_malloc(t, s, 5000, 0x2000, 10, LIB + 1, MAIN + 1);
	mk_syscall(t, s, 6000, SYS_MEM_mmap, MK_ARGS(0, 8192, 3, 34, -1, 0), 0x7f0000000000, 0,
		   MAIN + 4);
	return t;
}

TEST(test_folded_lines_have_the_outermost_function_first)
{
	struct mktrace *t = story();

	/* at the peak 350 bytes; ';' separates frames, so it is none of a name's */
	assert_report(mktrace_file(t), "flame --format=folded",
		"p;p+0x2 50\n"
		"p;p+0x2;lib,q.so+0x1 200\n"
		"p;p+0x1;lib,q.so+0x1 100\n");
	mktrace_free(t);
}

TEST(test_each_metric_has_its_own_figures)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report(path, "flame --format=folded --metric=total",
		"p;p+0x2 50\np;p+0x2;lib,q.so+0x1 200\np;p+0x1;lib,q.so+0x1 110\n");
	assert_report(path, "flame --format=folded --metric=count",
		"p;p+0x1;lib,q.so+0x1 2\np;p+0x2 1\np;p+0x2;lib,q.so+0x1 1\n");
	assert_report(path, "flame --format=folded --metric=end",
		"p;p+0x1;lib,q.so+0x1 110\np;p+0x2 50\n");
	assert_report(path, "flame --format=folded --metric=temporary", "");
	mktrace_free(t);
}

TEST(test_moment_shows_what_is_live_then)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report(path, "flame --format=folded --at=1500ns", "p;p+0x1;lib,q.so+0x1 100\n");
	/* the peak is a moment like any other */
	assert_report(path, "flame --format=folded --at=peak",
		"p;p+0x2 50\n"
		"p;p+0x2;lib,q.so+0x1 200\n"
		"p;p+0x1;lib,q.so+0x1 100\n");
	assert_report(path, "flame --format=folded --at=4500ns --metric=count",
		"p;p+0x2 1\np;p+0x2;lib,q.so+0x1 1\np;p+0x1;lib,q.so+0x1 1\n");
	mktrace_free(t);
}

TEST(test_inverted_stacks_begin_at_the_allocation_site)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "flame --format=folded --inverted",
		"p;lib,q.so+0x1;p+0x2 200\n"
		"p;lib,q.so+0x1;p+0x1 100\n"
		"p;p+0x2 50\n");
	mktrace_free(t);
}

TEST(test_stacks_cut_to_a_depth_keep_their_sum)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report(path, "flame --format=folded --depth=1", "p;p+0x2 250\np;p+0x1 100\n");
	assert_report(path, "flame --format=folded --depth=1 --inverted",
		"p;lib,q.so+0x1 300\np;p+0x2 50\n");
	assert_report_has(path, "flame --format=speedscope --depth=1", "\"weights\":[250,100]}");
	assert_report_has(path, "flame --depth=1", ">Calls deeper than 1 are not drawn.</text>");
	assert_report_lacks(path, "flame --depth=2", "not drawn");
	mktrace_free(t);
}

TEST(test_kinds_of_memory_stand_side_by_side)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report(path, "flame --format=folded --kind=mapping", "p;p+0x4 8192\n");
	assert_report_has(path, "flame --format=folded --kind=all --metric=end", "p;heap;p+0x2 50\n");
	assert_report_has(path, "flame --format=folded --kind=all --metric=end",
			  "p;mappings;p+0x4 8192\n");
	mktrace_free(t);
}

TEST(test_all_programs_have_a_root_each)
{
	struct mktrace *t = story();
	mk_stream c = mk_fork(t, 2, 101, 1, 7000);

	mk_malloc(t, c, 8000, 0x8000, 64, MAIN + 9);
	assert_report_has(mktrace_file(t), "flame --all",
		">bytes live at the peak of each: 574 B in 7 blocks</text>");
	assert_report(mktrace_file(t), "flame --format=folded --all --metric=total",
		"p (100);p+0x2 50\n"
		"p (100);p+0x2;lib,q.so+0x1 200\n"
		"p (100);p+0x1;lib,q.so+0x1 110\n"
		"p (101);p+0x9 64\n");
	mktrace_free(t);
}

TEST(test_window_has_its_own_figures)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "flame --format=folded --metric=total --since=2500ns",
		"p;p+0x2 50\np;p+0x1;lib,q.so+0x1 10\n");
	mktrace_free(t);
}

static json_int_t sum(const json_t *list)
{
	json_int_t all = 0;
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
		all += json_integer_value(v);
	return all;
}

TEST(test_speedscope_has_a_profile_for_each_metric)
{
	static const struct { const char *name; json_int_t total; } expected[] = {
		{ "p, bytes live at the peak", 350 },
		{ "p, bytes allocated in all", 360 },
		{ "p, blocks allocated in all", 4 },
		{ "p, bytes live at the end", 160 },
	};
	struct mktrace *t = story();
	char *text = form_output(mktrace_file(t), "flame --format=speedscope --metric=end");
	json_t *root = json_loads(text, 0, NULL);
	const json_t *profiles = json_object_get(root, "profiles");
	size_t frames;

	assert_non_null(root);
	assert_int_equal(json_array_size(profiles), 4);
	for (size_t i = 0; i < 4; i++) {
		const json_t *p = json_array_get(profiles, i);

		assert_string_equal(json_string_value(json_object_get(p, "name")), expected[i].name);
		assert_int_equal(sum(json_object_get(p, "weights")), expected[i].total);
		assert_int_equal(json_integer_value(json_object_get(p, "endValue")), expected[i].total);
		assert_int_equal(json_array_size(json_object_get(p, "weights")),
				 json_array_size(json_object_get(p, "samples")));
	}
	assert_int_equal(json_integer_value(json_object_get(root, "activeProfileIndex")), 3);
	frames = json_array_size(json_object_get(json_object_get(root, "shared"), "frames"));
	assert_int_equal(frames, 3);
	json_decref(root);
	free(text);
	mktrace_free(t);
}

TEST(test_picture_names_what_it_shows)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report_has(path, "flame", "<text x=\"12\" y=\"24\" class=\"t\">p</text>\n");
	assert_report_has(path, "flame", ">bytes live at the peak: 350 B in 3 blocks</text>");
	/* the title and the sums on hover; 100 of 350 */
	assert_report_has(path, "flame", "<title>p+0x1\n/bin/p\n100 B in 1 block, 28.6 %</title>");
	assert_report_has(path, "flame",
		"<title>p+0x2\n/bin/p\n250 B in 2 blocks, 71.4 %\nitself: 50 B in 1 block, 14.3 %</title>");
	assert_report_has(path, "flame", ">the program mapped 8.0 KiB itself, more than is shown here");
	assert_report_has(path, "flame --title=a<b --metric=count",
		">blocks allocated in all: 4 blocks, 360 B; p</text>");
	assert_report_has(path, "flame --title=a<b", ">a&lt;b</text>");
	assert_report_has(path, "flame --at=2us", ">bytes live at 2us: 300 B in 2 blocks</text>");
	assert_report_has(path, "flame --kind=all",
		">heap and mappings: bytes live at the peak of each: 8.3 KiB in 4 blocks</text>");
	mktrace_free(t);
}

TEST(test_what_is_too_narrow_is_said_to_be_missing)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report_lacks(path, "flame --kind=all --min=0", "not drawn");
	/* 100 of 8542 bytes in 276 pixels */
	assert_report_has(path, "flame --kind=all --width=300 --min=4",
			  ">Calls narrower than 4 pixels are not drawn.</text>");
	assert_report_lacks(path, "flame --kind=all --width=300 --min=4", "<title>p+0x1");
	mktrace_free(t);
}

TEST(test_nothing_allocated_is_an_empty_picture)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_null_call(t, s, 1000, FUNC_FREE);
	assert_report_has(mktrace_file(t), "flame", ">bytes live at the peak: nothing</text>");
	assert_report(mktrace_file(t), "flame --format=folded", "");
	assert_report_has(mktrace_file(t), "flame --format=speedscope", "\"samples\":[],");
	mktrace_free(t);
}

TEST(test_recording_of_nothing_has_its_picture)
{
	struct mktrace *t = mktrace_new();
	const char *path = mktrace_file(t);

	assert_report_has(path, "flame", ">bytes live at the peak: nothing</text>");
	assert_report(path, "flame --format=folded --all", "");
	assert_report_has(path, "flame --format=speedscope", "\"profiles\":[],");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folded_lines_have_the_outermost_function_first),
		cmocka_unit_test(test_each_metric_has_its_own_figures),
		cmocka_unit_test(test_moment_shows_what_is_live_then),
		cmocka_unit_test(test_inverted_stacks_begin_at_the_allocation_site),
		cmocka_unit_test(test_stacks_cut_to_a_depth_keep_their_sum),
		cmocka_unit_test(test_kinds_of_memory_stand_side_by_side),
		cmocka_unit_test(test_all_programs_have_a_root_each),
		cmocka_unit_test(test_window_has_its_own_figures),
		cmocka_unit_test(test_speedscope_has_a_profile_for_each_metric),
		cmocka_unit_test(test_picture_names_what_it_shows),
		cmocka_unit_test(test_what_is_too_narrow_is_said_to_be_missing),
		cmocka_unit_test(test_nothing_allocated_is_an_empty_picture),
		cmocka_unit_test(test_recording_of_nothing_has_its_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
