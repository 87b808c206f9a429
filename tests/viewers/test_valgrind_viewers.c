/*
 * test_valgrind_viewers.c - what people read valgrind's files with reads ours, and finds the
 * same figures: dh_view.html (its code in node, the page in Chromium), callgrind_annotate,
 * KCachegrind and speedscope.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture/mktrace.h"
#include "support/run.h"

#define DH_VIEW "/usr/libexec/valgrind/dh_view.js"

/* Why these tests cannot run here; NULL: they can. */
static const char *missing(bool needs_browser)
{
	if (!found("node"))
		return "node is not installed";
	if (access(DH_VIEW, R_OK) != 0)
		return "valgrind's dh_view is not installed";
	if (needs_browser && !found("chromium"))
		return "chromium is not installed";
	if (needs_browser && access(NPM_DIR "/node_modules/.complete", F_OK) != 0)
		return "the npm packages are not installed: make check-viewers does it where the registry "
		       "can be reached";
	return NULL;
}

#define NEED_VIEWERS(browser) do { \
	const char *reason_ = missing(browser); \
	if (reason_) \
		SKIP("%s", reason_); \
} while (0)

/* SCRIPT of this folder over FILE: the JSON that it prints. */
static json_t *view(const char *script, const char *file)
{
	struct result r = run_shell("HOME=$PWD NPM_DIR='%s' timeout 600 node '%s/%s' %s", NPM_DIR,
				    source("tests/viewers"), script, file);
	json_t *root = json_loads(r.out, JSON_DISABLE_EOF_CHECK, NULL);

	if (r.status != 0 || !root)
		fail_msg("%s %s: status %d: %s%s", script, file, r.status, r.out, r.err);
	result_free(&r);
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

/* CPython calls itself, has inlined functions and call stacks of many frames. */
static void record_python(const char *options)
{
	struct result r = record(options, "/usr/bin/env PYTHONMALLOC=malloc /usr/bin/python3 -S -c "
				 "'import json; print(len(json.dumps([{str(i): [i]} for i in range(99)])))'");

	assert_int_equal(r.status, 0);
	result_free(&r);
}

static bool is_quiet(const json_t *root)
{
	return json_array_size(json_object_get(root, "complaints")) == 0;
}

/* ---- dh_view ---- */

TEST(test_dh_view_finds_the_same_sums)
{
	json_t *root, *figures;

	NEED_VIEWERS(false);
	record_jq();
	figures = summary("");
	write_report("dhat --format=dhat -o a.json test.data");
	root = view("dh_view_tree.cjs", "a.json");
	assert_int_equal(number_at(root, "blocks"), number_at(figures, "blocks"));
	assert_int_equal(number_at(root, "bytes"), number_at(figures, "bytes"));
	assert_int_equal(number_at(root, "max_bytes"), number_at(figures, "peak_bytes"));
	assert_int_equal(number_at(root, "max_blocks"), number_at(figures, "peak_blocks"));
	assert_int_equal(number_at(root, "end_bytes"), number_at(figures, "end_bytes"));
	assert_int_equal(number_at(root, "end_blocks"), number_at(figures, "end_blocks"));
	assert_true(number_at(root, "points") > 50);
	json_decref(root);
	json_decref(figures);
}

TEST(test_dh_view_takes_every_unit_and_an_empty_program)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");
	json_t *root;
	char words[4096];

	mk_null_call(t, s, 1000, FUNC_FREE);
	NEED_VIEWERS(false);
	record_jq();
	write_report("dhat --format=dhat --time-unit=B -o b.json test.data");
	write_report("dhat --format=dhat --time-unit=calls -o c.json test.data");
	snprintf(words, sizeof(words), "dhat --format=dhat -o d.json '%s'", mktrace_file(t));
	write_report(words);
	json_decref(view("dh_view_tree.cjs", "b.json"));
	json_decref(view("dh_view_tree.cjs", "c.json"));
	root = view("dh_view_tree.cjs", "d.json");
	assert_int_equal(number_at(root, "points"), 0);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_dh_view_page_shows_the_file_by_every_metric)
{
	json_t *root, *figures, *metric;
	size_t i;

	NEED_VIEWERS(true);
	record_python("");
	figures = summary("");
	write_report("dhat --format=dhat -o python.json test.data");
	root = view("dh_view_page.mjs", "python.json");
	assert_true(is_quiet(root));
	assert_true(json_array_size(json_object_get(root, "metrics")) >= 5);
	json_array_foreach(json_object_get(root, "metrics"), i, metric) {
		const char *text = json_string_value(json_object_get(metric, "text"));
		const char *total = strstr(text, "Total:");

		assert_true(json_is_false(json_object_get(metric, "failed")));
		assert_non_null(total);
		assert_null(strstr(text, "NaN"));
		assert_null(strstr(text, "undefined"));
		/* "tiny" and "short-lived" count blocks alone */
		if (strchr(json_string_value(json_object_get(metric, "name")), ',')) {
			assert_int_equal(number_after(total, "Total:"), number_at(figures, "blocks"));
			continue;
		}
		assert_int_equal(number_after(total, "Total:"), number_at(figures, "bytes"));
		assert_int_equal(number_after(total, " in "), number_at(figures, "blocks"));
		assert_int_equal(number_after(total, "At t-gmax:"), number_at(figures, "peak_bytes"));
		assert_int_equal(number_after(total, "At t-end:"), number_at(figures, "end_bytes"));
	}
	json_decref(root);
	json_decref(figures);
}

/* ---- callgrind_annotate ---- */

/* What callgrind_annotate prints of FILE; fails the test where it has anything to say on stderr. */
static char *annotate(const char *options, const char *file)
{
	struct result r = run_shell("callgrind_annotate --threshold=100 %s %s", options, file);
	char *text;

	if (r.status != 0 || *r.err)
		fail_msg("callgrind_annotate %s: status %d: %s", file, r.status, r.err);
	text = strdup(r.out);
	result_free(&r);
	return text;
}

/* The first number of the line that ends with NAME and an object; -1: there is none. */
static long long figure_of(const char *text, const char *name)
{
	size_t bytes = strlen(name);

	for (const char *p = text; (p = strstr(p, name)) != NULL; p++) {
		const char *line = p;

		if (p[-1] != ' ' || (p[bytes] != '\n' && strncmp(p + bytes, " [", 2) != 0))
			continue;
		while (line > text && line[-1] != '\n')
			line--;
		return number_after(line, "");
	}
	return -1;
}

/*
 * It knows functions by file and name: those of two objects are one. FIELD of our rows, added up
 * so, is what it says.
 */
static void compare_functions(const char *text, const json_t *rows, const char *field)
{
	json_t *sums = json_object(), *row, *sum;
	const char *name;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *file = json_string_value(json_object_get(row, "file"));
		const char *function = json_string_value(json_object_get(row, "function"));
		char key[4096];

		snprintf(key, sizeof(key), "%s:%s", file ? file : "???", function);
		json_object_set_new(sums, key, json_integer(
			json_integer_value(json_object_get(sums, key)) + number_at(row, field)));
	}
	assert_true(json_object_size(sums) > 20);
	json_object_foreach(sums, name, sum) {
		long long ours = json_integer_value(sum), theirs = figure_of(text, name);

		if (ours && ours != theirs)
			fail_msg("%s: %lld, callgrind_annotate %lld: %s", field, ours, theirs, name);
	}
	json_decref(sums);
}

static void compare_annotate(void)
{
	json_t *figures = summary(""), *rows;
	char *text, *json = ask("callgrind --format=json test.data");
	const char *totals;

	rows = json_loads(json, 0, NULL);
	write_report("callgrind --format=callgrind -o ours.out test.data");
	text = annotate("--auto=no --show=Bytes,Allocs,PeakBytes,EndBytes --sort=Bytes", "ours.out");
	totals = strstr(text, "PROGRAM TOTALS");
	assert_non_null(totals);
	while (totals[-1] != '\n')
		totals--;
	assert_int_equal(number_after(totals, ""), number_at(figures, "bytes"));
	assert_int_equal(number_after(totals, ") "), number_at(figures, "blocks"));
	assert_int_equal(number_after(strstr(strstr(totals, ") ") + 2, ") "), ""),
			 number_at(figures, "peak_bytes"));
	compare_functions(text, rows, "bytes");
	free(text);
	text = annotate("--auto=no --inclusive=yes --show=Bytes --sort=Bytes", "ours.out");
	compare_functions(text, rows, "inclusive_bytes");
	free(text);
	text = annotate("--auto=no --inclusive=yes --show=EndBytes --sort=EndBytes", "ours.out");
	compare_functions(text, rows, "inclusive_end_bytes");
	free(text);
	free(json);
	json_decref(rows);
	json_decref(figures);
}

TEST(test_callgrind_annotate_finds_the_same_figures)
{
	if (!found("callgrind_annotate"))
		SKIP("callgrind_annotate is not installed");
	record_jq();
	compare_annotate();
	record_python("--timing=all --free-stacks");
	compare_annotate();
}

TEST(test_callgrind_annotate_shows_source_lines)
{
	struct result r = record("", "%s 1000", built("examples/int_blocks"));
	char *text;

	result_free(&r);
	if (!found("callgrind_annotate"))
		SKIP("callgrind_annotate is not installed");
	write_report("callgrind --format=callgrind -o ours.out test.data");
	text = annotate("--show=Bytes --sort=Bytes", "ours.out");
	/* the line that allocates, and a call with what it cost: 25 blocks of 992 bytes */
	assert_non_null(strstr(text, "-- Auto-annotated source: "));
	assert_non_null(strstr(text, "24,800 (67.22%)  \tstruct int_block *block = "
				     "malloc(sizeof(*block));\n"));
	assert_non_null(strstr(text, "examples/int_blocks.c:int_from_long (25x)\n"));
	free(text);
}

/* ---- KCachegrind and speedscope ---- */

TEST(test_kcachegrind_loads_the_file)
{
	struct result r;

	if (!found("kcachegrind") || !found("dbus-run-session"))
		SKIP("kcachegrind or dbus-run-session is not installed");
	r = record("", "%s 1000", built("examples/int_blocks"));
	result_free(&r);
	write_report("callgrind --format=callgrind -o ours.out test.data");
	/* it does not end by itself; without a session bus it ends at once */
	r = run_shell("mkdir -m 700 run; "
		      "export HOME=$PWD XDG_RUNTIME_DIR=$PWD/run QT_QPA_PLATFORM=offscreen; "
		      "timeout 600 dbus-run-session -- sh -c 'kcachegrind ours.out >out 2>&1 & n=0; "
		      "until grep -qE \"Selected|Loading\" out || [ $n = 1200 ]; do "
		      "sleep 0.2; n=$((n+1)); done; sleep 0.5; kill $!'; cat out >&2; exit 0");
	/* what it does not understand it names after "Loading" */
	if (strstr(r.err, "Loading") || !strstr(r.err, "Selected  \"main\""))
		fail_msg("kcachegrind: %s", r.err);
	result_free(&r);
}

TEST(test_speedscope_reads_the_callgrind_file)
{
	json_t *root;

	NEED_VIEWERS(true);
	record_jq();
	write_report("callgrind --format=callgrind -o callgrind.out.1 test.data");
	root = view("speedscope.mjs", "callgrind.out.1");
	assert_true(is_quiet(root));
	assert_string_equal(json_string_value(json_object_get(root, "importer")),
			    "Importing as Callgrind profile");
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_dh_view_finds_the_same_sums),
		LIVE_TEST(test_dh_view_takes_every_unit_and_an_empty_program),
		LIVE_TEST(test_dh_view_page_shows_the_file_by_every_metric),
		LIVE_TEST(test_callgrind_annotate_finds_the_same_figures),
		LIVE_TEST(test_callgrind_annotate_shows_source_lines),
		LIVE_TEST(test_kcachegrind_loads_the_file),
		LIVE_TEST(test_speedscope_reads_the_callgrind_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
