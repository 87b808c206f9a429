/*
 * test_flame_viewers.c - what people read flame graphs with reads ours: Chromium the pictures,
 * speedscope (its schema and its importer) the files.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture/mktrace.h"
#include "support/run.h"

/* Why these tests cannot run here; NULL: they can. */
static const char *missing(void)
{
	if (!found("node"))
		return "node is not installed";
	if (!found("chromium"))
		return "chromium is not installed";
	if (access(NPM_DIR "/node_modules/.complete", F_OK) != 0)
		return "the npm packages are not installed: make check-viewers does it where the registry "
		       "can be reached";
	return NULL;
}

#define NEED_VIEWERS() do { \
	const char *reason_ = missing(); \
	if (reason_) \
		SKIP("%s", reason_); \
} while (0)

/* SCRIPT of this folder with ARGS (shell words): its stdout; the test fails where it does. */
static char *view(const char *script, const char *args)
{
	struct result r = run_shell("HOME=$PWD NPM_DIR='%s' timeout 600 node '%s/%s' %s", NPM_DIR,
				    source("tests/viewers"), script, args);
	char *text;

	if (r.status != 0)
		fail_msg("%s %s: status %d: %s%s", script, args, r.status, r.out, r.err);
	text = strdup(r.out);
	result_free(&r);
	return text;
}

static json_t *view_json(const char *script, const char *args)
{
	char *text = view(script, args);
	json_t *root = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);

	if (!root)
		fail_msg("%s %s: %s", script, args, text);
	free(text);
	return root;
}

static void write_report(const char *words)
{
	free(ask("%s", words));
}

static void record_jq(void)
{
	struct result r = record("", "/usr/bin/jq -n '[range(3000)|{a:., b:tostring}]|map(.b)|length'");

	assert_int_equal(r.status, 0);
	result_free(&r);
}

static const json_t *at(const json_t *root, const char *first, const char *second)
{
	const json_t *v = json_object_get(json_object_get(root, first), second);

	assert_non_null(v);
	return v;
}

static void assert_text(const json_t *v, const char *expected)
{
	assert_string_equal(json_string_value(v), expected);
}

/* Nothing to complain of, and nothing but the file itself loaded. */
static void assert_quiet(const json_t *root)
{
	char *text = json_dumps(json_object_get(root, "complaints"), 0);

	assert_string_equal(text, "[]");
	assert_int_equal(json_integer_value(json_object_get(root, "requests")), 1);
	free(text);
}

TEST(test_speedscope_accepts_the_file_and_its_schema_too)
{
	json_t *root;

	NEED_VIEWERS();
	record_jq();
	write_report("flame --format=speedscope --metric=count -o a.json test.data");
	write_report("flame --format=speedscope --kind=all --by=line --inverted -o b.json test.data");
	write_report("flame --format=speedscope --all --kind=all -o c.json " SOURCE_DIR
		     "/tests/golden/recordings/family.data");
	free(view("schema.mjs", "a.json b.json c.json"));
	root = view_json("speedscope.mjs", "a.json");
	assert_text(json_object_get(root, "importer"), "Importing as speedscope json file");
	assert_non_null(strstr(json_string_value(json_object_get(root, "profile")),
			       "jq, blocks allocated in all (3/"));
	assert_true(json_array_size(json_object_get(root, "rows")) > 5);
	json_decref(root);
}

/* The number at the start of a cell: "1,234 (56%)". */
static long long cell_number(const json_t *row, const char *key)
{
	return number_after(json_string_value(json_object_get(row, key)), "");
}

TEST(test_speedscope_finds_the_same_figures_in_folded_lines)
{
	json_t *root, *figures, *row;
	size_t i;
	long long selves = 0, total = 0;

	NEED_VIEWERS();
	record_jq();
	figures = summary("");
	write_report("flame --format=folded -o peak.txt test.data");
	root = view_json("speedscope.mjs", "peak.txt");
	assert_text(json_object_get(root, "importer"), "Importing as collapsed stack format");
	json_array_foreach(json_object_get(root, "rows"), i, row) {
		selves += cell_number(row, "self");
		if (strcmp(json_string_value(json_object_get(row, "symbol")), "jq") == 0)
			total = cell_number(row, "total");
	}
	/* the table is drawn as far as it is seen: what is seen is most of it */
	assert_in_range(selves, number_at(figures, "peak_bytes") * 9 / 10,
			number_at(figures, "peak_bytes"));
	if (total)
		assert_int_equal(total, number_at(figures, "peak_bytes"));
	json_decref(figures);
	json_decref(root);
}

TEST(test_browser_draws_names_inside_their_boxes)
{
	struct result r = record("", "/usr/bin/python3 -S -c "
				 "'d = {i: str(i) for i in range(20000)}; print(len(d))'");
	json_t *root;

	result_free(&r);
	NEED_VIEWERS();
	write_report("flame --kind=all -o python.svg test.data");
	root = view_json("flame_svg.mjs", "python.svg python3 Py");
	assert_quiet(root);
	assert_true(json_integer_value(at(root, "start", "boxes")) > 20);
	assert_int_equal(json_array_size(at(root, "start", "overflowing")), 0);
	assert_int_equal(json_array_size(at(root, "searched", "overflowing")), 0);
	json_decref(root);
	r = record("", "%s", built("tests/subjects/texts"));
	result_free(&r);
	write_report("flame --inverted -o cxx.svg test.data");
	root = view_json("flame_svg.mjs", "cxx.svg main std");
	assert_quiet(root);
	assert_int_equal(json_array_size(at(root, "start", "overflowing")), 0);
	assert_int_equal(json_array_size(at(root, "zoomed", "overflowing")), 0);
	json_decref(root);
}

TEST(test_click_zooms_and_search_finds)
{
	json_t *root;

	NEED_VIEWERS();
	write_report("flame -o storm.svg " SOURCE_DIR "/tests/golden/recordings/storm.data");
	root = view_json("flame_svg.mjs", "storm.svg int_from_long '^make_'");
	assert_quiet(root);
	assert_int_equal(json_integer_value(at(root, "start", "boxes")), 17);
	assert_true(json_is_false(at(root, "start", "reset")));
	assert_non_null(strstr(json_string_value(at(root, "hover", "detail")),
			       "int_blocks.c, 118.2 KiB in 122 blocks, 73.3 %"));
	/* the box, what is above it, and all it is called by are as wide as the picture */
	assert_int_equal(json_integer_value(at(root, "zoomed", "boxes")), 8);
	assert_int_equal(json_array_size(at(root, "zoomed", "full")), 8);
	assert_true(json_is_true(at(root, "zoomed", "reset")));
	assert_true(json_equal((json_t *)at(root, "start", "full"), (json_t *)at(root, "back", "full")));
	assert_int_equal(json_integer_value(at(root, "back", "boxes")), 17);
	/* 40000 + 121024 of 165120 bytes */
	assert_int_equal(json_integer_value(at(root, "searched", "hits")), 1);
	assert_text(at(root, "searched", "found"), "1 found, 97.5 %");
	assert_text(at(root, "cleared", "found"), "");
	json_decref(root);
}

/* A recording whose program, thread and objects have names that want to be something else. */
static const char *hostile(struct mktrace *t)
{
	mk_stream s = mk_process(t, 1, 100, "/bin/<script>alert(1)<b>");

	mk_module(t, 1, 1, 0x400000, 0x401000, "/bin/<script>alert(2)<b>");
	mk_module(t, 1, 1, 0x500000, 0x501000,
		  "/lib/]]><a xlink:href=\"javascript:alert(3)\">&\"'\x1b[31m");
	mk_module(t, 1, 1, 0x600000, 0x601000, "/lib/\xff\xfe\xef\xbf\xbf;x 12");
	mk_malloc(t, s, 1000, 0x1000, 100, 0x500001, 0x400001);
	mk_malloc(t, s, 2000, 0x2000, 200, 0x600001, 0x500001, 0x400001);
	return mktrace_file(t);
}

TEST(test_hostile_names_stay_text)
{
	struct mktrace *t = mktrace_new();
	char words[8192];
	struct result r;
	json_t *root;

	snprintf(words, sizeof(words),
		 "flame --title='</title><script>alert(4)</script>' -o hostile.svg '%s'", hostile(t));
	write_report(words);
	if (!found("xmllint"))
		SKIP("xmllint is not installed");
	r = run_shell("xmllint --noout hostile.svg");
	if (r.status != 0)
		fail_msg("%s", r.err);
	result_free(&r);
	NEED_VIEWERS();
	root = view_json("flame_svg.mjs", "hostile.svg '<script>alert(2)<b>+0x1' 'alert|href'");
	assert_quiet(root);
	assert_int_equal(json_integer_value(at(root, "start", "boxes")), 4);
	assert_int_equal(json_integer_value(at(root, "searched", "hits")), 3);
	json_decref(root);
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_speedscope_accepts_the_file_and_its_schema_too),
		LIVE_TEST(test_speedscope_finds_the_same_figures_in_folded_lines),
		LIVE_TEST(test_browser_draws_names_inside_their_boxes),
		LIVE_TEST(test_click_zooms_and_search_finds),
		LIVE_TEST(test_hostile_names_stay_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
