/*
 * test_diff.c - two recordings side by side: what matches, what the rows say, which programs
 * are compared. Recordings bring their own symbols, so that each is a build of its own.
 */
#include "unit/form_subject.h"

#include "base/diag.h"
#include "symbol/symbol_codec.h"

#define PROG 0x400000
#define LIB  0x500000

struct known {
	uint64_t offset;
	const char *function, *file;
	uint32_t line;
};

struct build {
	struct mktrace *t;
	mk_stream s;
	struct symbol_writer *w;
};

/* PROGRAM at PROG with FUNCTIONS. */
static struct build build_new(const char *program, const struct known *functions, size_t count)
{
	struct build b = { .t = mktrace_new(), .w = symbol_writer_new() };

	b.s = mk_process(b.t, 1, 100, program);
	mk_meta(b.t, META_MODULE_MAP, "vvvvzss", (uint64_t)1, (uint64_t)2, (uint64_t)PROG,
		(uint64_t)PROG + 0x1000, (int64_t)PROG, program, "");
	symbol_writer_module(b.w, program, NULL, 0, 1);
	for (size_t i = 0; i < count; i++) {
		struct stored_frame f = { functions[i].function, functions[i].file,
					  functions[i].line, 0 };

		symbol_writer_row(b.w, functions[i].offset, &f, 1);
	}
	return b;
}

/* PATH at LIB, one function at offset 0x10: NAME, NULL: none is known. */
static void add_library(struct build *b, const char *path, const char *build_id, const char *name)
{
	struct stored_frame f = { name, NULL, 0, 0 };

	mk_meta(b->t, META_MODULE_MAP, "vvvvzss", (uint64_t)1, (uint64_t)2, (uint64_t)LIB,
		(uint64_t)LIB + 0x1000, (int64_t)LIB, path, build_id);
	symbol_writer_module(b->w, path, (const uint8_t *)build_id, strlen(build_id), 1);
	symbol_writer_row(b->w, 0x10, &f, 1);
}

/* Its file; the events stand. */
static const char *build_file(struct build *b)
{
	struct segment_header h = { .magic = SEGMENT_MAGIC, .kind = SEGMENT_SYMBOLS };
	size_t bytes;
	uint8_t *payload = symbol_writer_finish(b->w, &bytes);

	symbol_writer_free(b->w);
	h.committed = bytes;
	mk_raw(b->t, &h, payload);
	free(payload);
	return mktrace_file(b->t);
}

/* Exit status of "diff OPTIONS"; *TEXT is what it wrote, the caller's. */
static int diff_run(const char *words, const char *old, const char *new, char **text)
{
	char name[] = "/tmp/test_diff.XXXXXX";
	char *copy = xasprintf("diff %s", words), *rest = copy, *word;
	char *args[20];
	int count = 0, status, fd = mkstemp(name);

	assert_true(fd >= 0);
	close(fd);
	while ((word = strsep(&rest, " ")) != NULL && count < 14)
		if (*word)
			args[count++] = word;
	args[count++] = (char *)"-o";
	args[count++] = name;
	args[count++] = (char *)old;
	if (new)
		args[count++] = (char *)new;
	args[count] = NULL;
	status = command_find("diff")->run(count, args);
	*text = read_all(name);
	unlink(name);
	free(copy);
	return status;
}

static void assert_diff(const char *words, const char *old, const char *new, const char *expected)
{
	char *text;

	assert_int_equal(diff_run(words, old, new, &text), 0);
	assert_string_equal(text, expected);
	free(text);
}

#define HEADER "status,kind,metric,change,percent,old,new,allocated_bytes,freed_bytes,allocated_blocks," \
	       "freed_blocks,function,file,line,old_line,stack\n"

static const struct known old_functions[] = {
	{ 0x10, "load", "a.c", 10 }, { 0x20, "cache.constprop.0", "a.c", 20 },
	{ 0x30, "gone", "a.c", 30 }, { 0x40, "main", "a.c", 40 },
};

/* Everything stands elsewhere. */
static const struct known new_functions[] = {
	{ 0x18, "main", "a.c", 100 }, { 0x28, "cache", "b.c", 7 }, { 0x38, "load", "a.c", 12 },
	{ 0x48, "fresh", "a.c", 50 },
};

static struct build old_build(void)
{
	struct build b = build_new("/old/bin/app", old_functions, 4);

	mk_malloc(b.t, b.s, 1000, 0x1000, 100, PROG + 0x10, PROG + 0x40);
	mk_malloc(b.t, b.s, 2000, 0x2000, 500, PROG + 0x20, PROG + 0x40);
	mk_malloc(b.t, b.s, 3000, 0x3000, 70, PROG + 0x30, PROG + 0x40);
	return b;
}

static struct build new_build(void)
{
	struct build b = build_new("/new/bin/app", new_functions, 4);

	mk_malloc(b.t, b.s, 1000, 0x1000, 150, PROG + 0x38, PROG + 0x18);
	mk_malloc(b.t, b.s, 2000, 0x2000, 400, PROG + 0x28, PROG + 0x18);
	mk_malloc(b.t, b.s, 3000, 0x3000, 30, PROG + 0x48, PROG + 0x18);
	return b;
}

TEST(test_stacks_of_two_builds_match_by_function)
{
	struct build a = old_build(), b = new_build();
	const char *old = build_file(&a), *new = build_file(&b);

	assert_diff("--form=sites --format=csv", old, new, HEADER
		    "shrunk,heap,peak,-100,-20.0000,500,400,,,,,cache,b.c,7,20,cache;main\n"
		    "removed,heap,peak,-70,-100.0000,70,0,,,,,gone,a.c,,30,gone;main\n"
		    "grown,heap,peak,50,50.0000,100,150,,,,,load,a.c,12,10,load;main\n"
		    "added,heap,peak,30,,0,30,,,,,fresh,a.c,50,,fresh;main\n");
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_rows_sort_by_any_column_and_ties_by_name)
{
	struct build a = old_build(), b = new_build();
	const char *old = build_file(&a), *new = build_file(&b);
	static const struct { const char *sort, *first; } orders[] = {
		{ "function", "\nshrunk,heap,peak,-100," }, { "-function", "\ngrown,heap,peak,50," },
		{ "new", "\nshrunk," }, { "-old", "\nadded," }, { "percent", "\nadded," },
		{ "status", "\nadded," }, { "-status", "\nshrunk," }, { "-change", "\nadded," },
	};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		char *words = xasprintf("--form=sites --format=csv --top=1 --sort=%s", orders[i].sort);
		char *text;

		assert_int_equal(diff_run(words, old, new, &text), 0);
		if (strstr(text, orders[i].first) != strchr(text, '\n'))
			fail_msg("%s: %s", orders[i].sort, text);
		free(text);
		free(words);
	}
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_exit_code_tells_whether_there_is_a_difference)
{
	struct build a = old_build(), b = new_build();
	const char *old = build_file(&a), *new = build_file(&b);
	static const char *const reports[] = { "summary", "sites", "sizes", "flame" };
	char *text;

	for (size_t i = 0; i < 4; i++) {
		char *words = xasprintf("--exit-code --form=%s", reports[i]);

		assert_int_equal(diff_run(words, old, new, &text), STATUS_CONDITION);
		free(text);
		assert_int_equal(diff_run(words, old, old, &text), STATUS_OK);
		if (i < 3)
			assert_non_null(strstr(text, "\nno difference"));
		free(text);
		free(words);
	}
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_an_object_matches_without_folder_and_version)
{
	struct build a = old_build(), b = new_build();
	const char *old, *new;

	add_library(&a, "/usr/lib/libz.so.1.2.3", "aaaa", "deflate");
	mk_malloc(a.t, a.s, 9000, 0x9000, 1000, LIB + 0x10, PROG + 0x40);
	add_library(&b, "/opt/libz.so.1.3", "bbbb", "deflate");
	mk_malloc(b.t, b.s, 9000, 0x9000, 3000, LIB + 0x10, PROG + 0x18);
	old = build_file(&a);
	new = build_file(&b);
	assert_diff("--form=sites --format=csv --top=1", old, new, HEADER
		    "grown,heap,peak,2000,200.0000,1000,3000,,,,,deflate,,,,deflate;main\n");
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_functions_of_one_name_in_two_objects_are_two)
{
	struct build a = old_build(), b = new_build();
	const char *old, *new;
	char *text;

	add_library(&a, "/usr/lib/liba.so.1", "aaaa", "init");
	mk_malloc(a.t, a.s, 9000, 0x9000, 1000, LIB + 0x10, PROG + 0x40);
	add_library(&b, "/usr/lib/libb.so.1", "bbbb", "init");
	mk_malloc(b.t, b.s, 9000, 0x9000, 1000, LIB + 0x10, PROG + 0x18);
	old = build_file(&a);
	new = build_file(&b);
	assert_int_equal(diff_run("--form=sites --format=csv --top=2", old, new, &text), 0);
	assert_non_null(strstr(text, "removed,heap,peak,-1000,"));
	assert_non_null(strstr(text, "added,heap,peak,1000,"));
	free(text);
	mktrace_free(a.t);
	mktrace_free(b.t);
}

static void check_nameless(const char *old_id, const char *new_id, uint64_t new_offset,
			   const char *expected)
{
	struct build a = old_build(), b = new_build();
	const char *old, *new;

	add_library(&a, "/usr/lib/libq.so.1", old_id, NULL);
	mk_malloc(a.t, a.s, 9000, 0x9000, 1000, LIB + 0x10, PROG + 0x40);
	add_library(&b, "/usr/lib/libq.so.1", new_id, NULL);
	mk_malloc(b.t, b.s, 9000, 0x9000, 1500, LIB + new_offset, PROG + 0x18);
	old = build_file(&a);
	new = build_file(&b);
	assert_diff("--form=sites --format=csv --top=1", old, new, expected);
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_code_without_a_name_matches_by_offset_or_by_object)
{
	check_nameless("same", "same", 0x10, HEADER "grown,heap,peak,500,50.0000,1000,1500,,,,,"
		       "libq.so.1+0x10,,,,libq.so.1+0x10;main\n");
	check_nameless("same", "same", 0x20, HEADER "added,heap,peak,1500,,0,1500,,,,,"
		       "libq.so.1+0x20,,,,libq.so.1+0x20;main\n");
	check_nameless("aaaa", "bbbb", 0x20, HEADER "grown,heap,peak,500,50.0000,1000,1500,,,,,"
		       "libq.so.1+0x20,,,,libq.so.1+0x20;main\n");
}

TEST(test_a_stack_that_only_lost_its_figure_is_shrunk_and_not_removed)
{
	struct build a = old_build(), b = old_build();
	const char *old, *new;

	mk_free(b.t, b.s, 5000, 0x1000);
	old = build_file(&a);
	new = build_file(&b);
	assert_diff("--form=sites --format=csv --metric=end", old, new, HEADER
		    "shrunk,heap,end,-100,-100.0000,100,0,,,,,load,a.c,10,10,load;main\n");
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_two_moments_show_what_was_allocated_and_freed_in_between)
{
	struct build a = old_build();
	const char *file;

	mk_mark(a.t, 100, 3500, "a");
	mk_malloc(a.t, a.s, 4000, 0x4000, 40, PROG + 0x10, PROG + 0x40);
	mk_malloc(a.t, a.s, 4100, 0x5000, 60, PROG + 0x10, PROG + 0x40);
	mk_free(a.t, a.s, 5000, 0x1000);
	mk_free(a.t, a.s, 5100, 0x3000);
	mk_mark(a.t, 100, 6000, "b");
	mk_malloc(a.t, a.s, 7000, 0x6000, 999, PROG + 0x10, PROG + 0x40);
	file = build_file(&a);
	assert_diff("--from=mark:a --to=mark:b --form=sites --format=csv", file, NULL, HEADER
		    "shrunk,heap,end,-70,-100.0000,70,0,0,70,0,1,gone,a.c,30,30,gone;main\n");
	assert_diff("--from=mark:a --to=mark:b --form=sites --format=csv --metric=total", file, NULL, HEADER
		    "grown,heap,total,100,100.0000,100,200,100,100,2,1,load,a.c,10,10,load;main\n");
	assert_diff("--from=mark:a --to=mark:b --form=sizes --format=csv", file, NULL,
		    "status,size,old,new,change,percent,change_bytes\n"
		    "removed,100,1,0,-1,-100.0000,-100\n"
		    "removed,70,1,0,-1,-100.0000,-70\n"
		    "added,60,0,1,1,,60\n"
		    "added,40,0,1,1,,40\n");
	mktrace_free(a.t);
}

TEST(test_folded_stacks_have_both_figures_root_first)
{
	struct build a = old_build(), b = new_build();
	const char *old = build_file(&a), *new = build_file(&b);

	assert_diff("--form=flame", old, new,
		    "main;cache 500 400\nmain;fresh 0 30\nmain;gone 70 0\nmain;load 100 150\n");
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_lines_that_begin_alike_stand_together_and_add_up)
{
	/* "f x" is between "f" and "f;g" for strcmp */
	static const struct known names[] = {
		{ 0x10, "g", "a.c", 1 }, { 0x20, "f", "a.c", 2 }, { 0x30, "f x", "a.c", 3 },
	};
	struct build a = build_new("/bin/app", names, 3), b = build_new("/bin/app", names, 3);
	const char *old, *new;
	char *text;

	mk_malloc(a.t, a.s, 1000, 0x1000, 100, PROG + 0x10, PROG + 0x20);
	mk_malloc(a.t, a.s, 2000, 0x2000, 50, PROG + 0x30);
	mk_malloc(b.t, b.s, 1000, 0x1000, 300, PROG + 0x20);
	old = build_file(&a);
	new = build_file(&b);
	assert_diff("--form=flame", old, new, "f 0 300\nf;g 100 0\nf x 50 0\n");
	assert_int_equal(diff_run("--form=flame --format=svg", old, new, &text), 0);
	assert_non_null(strstr(text, "<title>f\nold 100 B, new 300 B: +200 B (+200.0 %)</title>"));
	assert_non_null(strstr(text, "<title>g\nold 100 B, new 0 B: -100 B (-100.0 %)</title>"));
	assert_non_null(strstr(text, "<title>f x\nold 50 B, new 0 B: -50 B (-100.0 %)</title>"));
	/* 300 and 100 and 50: f has eight ninths of the width */
	assert_non_null(strstr(text, "<svg x=\"12.00\" y=\"76\" width=\"1045.33\""));
	free(text);
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_programs_with_nothing_in_common_compare_only_if_told_to)
{
	static const struct known other[] = { { 0x10, "elsewhere", "z.c", 1 } };
	struct build a = old_build(), b = build_new("/bin/other", other, 1);
	const char *old, *new;
	char *text;

	mk_malloc(b.t, b.s, 1000, 0x1000, 5, PROG + 0x10);
	old = build_file(&a);
	new = build_file(&b);
	assert_int_equal(diff_run("", old, new, &text), STATUS_USAGE);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(diff_run("--pid=100,100", old, new, &text), STATUS_OK);
	free(text);
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_a_renamed_program_is_compared_by_its_functions_and_says_so)
{
	static const struct known same[] = { { 0x10, "load", "a.c", 10 }, { 0x40, "main", "a.c", 40 } };
	struct build a = old_build(), b = build_new("/bin/app2", same, 2);
	const char *old, *new;
	char *text;

	mk_malloc(b.t, b.s, 1000, 0x1000, 5, PROG + 0x10, PROG + 0x40);
	old = build_file(&a);
	new = build_file(&b);
	assert_int_equal(diff_run("--form=sites", old, new, &text), STATUS_OK);
	assert_non_null(strstr(text, "note: programs of different names, app and app2, are compared"));
	assert_non_null(strstr(text, "shrunk    -95 B"));
	free(text);
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_of_several_programs_the_one_that_both_have_is_compared)
{
	struct build a = old_build(), b = new_build();
	mk_stream s = mk_process(b.t, 2, 200, "/usr/bin/huge");
	const char *old, *new;
	char *text;

	mk_malloc(b.t, s, 1000, 0x1000, 1 << 20);
	old = build_file(&a);
	new = build_file(&b);
	assert_int_equal(diff_run("", old, new, &text), STATUS_OK);
	assert_non_null(strstr(text, "/new/bin/app (pid 100)"));
	free(text);
	assert_int_equal(diff_run("--pid=100,200", old, new, &text), STATUS_OK);
	assert_non_null(strstr(text, "/usr/bin/huge (pid 200)"));
	free(text);
	assert_int_equal(diff_run("--pid=100,300", old, new, &text), STATUS_USAGE);
	free(text);
	assert_int_equal(diff_run("--all --form=sites", old, new, &text), STATUS_OK);
	assert_non_null(strstr(text, ": 2 programs\n"));
	free(text);
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_recordings_of_many_events_are_compared)
{
	struct build a = old_build(), b = old_build();
	const char *old, *new;

	for (uint64_t i = 0; i < 10000; i++)
		mk_malloc(b.t, b.s, 5000 + i, 0x100000 + 64 * i, 32, PROG + 0x10, PROG + 0x40);
	old = build_file(&a);
	new = build_file(&b);
	assert_diff("--form=sites --format=csv --metric=count", old, new, HEADER
		    "grown,heap,count,10000,1000000.0000,1,10001,,,,,load,a.c,10,10,load;main\n");
	mktrace_free(a.t);
	mktrace_free(b.t);
}

TEST(test_names_are_escaped_in_every_format)
{
	static const struct known bad[] = { { 0x10, "a\033[31m;b\n<script>", "x\n.c", 1 } };
	struct build a = build_new("/bin/app", bad, 1), b = build_new("/bin/app", bad, 1);
	static const char *const formats[] = {
		"--form=sites", "--form=sites --format=csv", "--form=flame", "--format=json",
		"--form=flame --format=svg",
	};
	const char *old, *new;

	mk_malloc(a.t, a.s, 1000, 0x1000, 5, PROG + 0x10);
	mk_malloc(b.t, b.s, 1000, 0x1000, 7, PROG + 0x10);
	old = build_file(&a);
	new = build_file(&b);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char *text;

		assert_int_equal(diff_run(formats[i], old, new, &text), STATUS_OK);
		assert_null(strchr(text, '\033'));
		assert_non_null(strstr(text, "\\x1b[31m"));
		if (strstr(formats[i], "svg"))
			assert_non_null(strstr(text, "&lt;script&gt;"));
		free(text);
	}
	mktrace_free(a.t);
	mktrace_free(b.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacks_of_two_builds_match_by_function),
		cmocka_unit_test(test_rows_sort_by_any_column_and_ties_by_name),
		cmocka_unit_test(test_exit_code_tells_whether_there_is_a_difference),
		cmocka_unit_test(test_an_object_matches_without_folder_and_version),
		cmocka_unit_test(test_functions_of_one_name_in_two_objects_are_two),
		cmocka_unit_test(test_code_without_a_name_matches_by_offset_or_by_object),
		cmocka_unit_test(test_a_stack_that_only_lost_its_figure_is_shrunk_and_not_removed),
		cmocka_unit_test(test_two_moments_show_what_was_allocated_and_freed_in_between),
		cmocka_unit_test(test_folded_stacks_have_both_figures_root_first),
		cmocka_unit_test(test_lines_that_begin_alike_stand_together_and_add_up),
		cmocka_unit_test(test_programs_with_nothing_in_common_compare_only_if_told_to),
		cmocka_unit_test(test_a_renamed_program_is_compared_by_its_functions_and_says_so),
		cmocka_unit_test(test_of_several_programs_the_one_that_both_have_is_compared),
		cmocka_unit_test(test_recordings_of_many_events_are_compared),
		cmocka_unit_test(test_names_are_escaped_in_every_format),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
