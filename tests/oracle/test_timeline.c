/*
 * test_timeline.c - the pictures of `timeline`: gnuplot draws each without a warning, and its
 * data hold the peak that `summary` tells.
 */
#include "test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"

static void draw(const char *options, const char *file)
{
	struct result r = run_shell("'%s' timeline %s -o %s test.data && head -c 5 %s",
				    built("allotrope"), options, file, file);

	/* a note of the report is none of gnuplot's */
	if (r.status != 0 || (*r.err && strncmp(r.err, "allotrope: note:", 16) != 0) ||
	    strcasestr(r.err, "warning"))
		fail_msg("timeline %s: status %d: %s", options, r.status, r.err);
	assert_memory_equal(r.out, strstr(file, "png") ? "\x89PNG\r" : "<?xml", 5);
	result_free(&r);
}

/* The largest of column COLUMN (from 1) in the data, comments and sizes left out. */
static unsigned long long largest(const char *path, const char *column)
{
	struct result r = run_shell("awk 'NF == 10 && !/^#/ && $%s + 0 > most { most = $%s } "
				    "END { printf \"%%d\", most }' %s", column, column, path);
	unsigned long long most = strtoull(r.out, NULL, 10);

	result_free(&r);
	return most;
}

static void check(const char *options, const char *command)
{
	struct result r = record(options, "%s >/dev/null", command);
	json_t *root = summary("");

	if (r.status != 0)
		fail_msg("%s: status %d: %s", command, r.status, r.err);
	result_free(&r);
	draw("--format=png", "a.png");
	draw("--format=svg --all --log", "a.svg");
	draw("--format=svg --since=peak", "b.svg");
	r = run_shell("'%s' timeline --format=gnuplot -o pictures test.data && cd pictures && "
		      "gnuplot timeline.gp && head -c 4 timeline.png", built("allotrope"));
	if (r.status != 0 || strcasestr(r.err, "warning") || strstr(r.err, "timeline.gp"))
		fail_msg("%s: status %d: %s", command, r.status, r.err);
	result_free(&r);
	assert_int_equal(largest("pictures/timeline.dat", "3"), number_at(root, "peak_bytes"));
	json_decref(root);
}

static bool has_gnuplot(void)
{
	struct result r = run_shell("command -v gnuplot");
	bool has = r.status == 0;

	result_free(&r);
	return has;
}

TEST(test_gnuplot_draws_without_a_warning_and_the_peak_is_in_the_data)
{
	if (!has_gnuplot())
		SKIP("gnuplot is not installed");
	check("", built("examples/alloc_size"));
	check("", built("examples/benchmark"));
	check("", built("examples/trim"));
	check("", built("examples/arenas"));
	check("", built("examples/realloc_growth"));
	check("", built("examples/demand_paging"));
	check("", built("examples/modify_areas"));
	check("", built("examples/threshold_walk"));
	check("--mark-every=5ms", built("tests/subjects/forks"));
	check("", "/usr/bin/perl -e 'my @a = map { \"x\" x $_ } 1..2000'");
	check("", "/bin/sh -c '/usr/bin/jq -n \"[range(2000)]\"; /bin/ls /'");
	check("--python-malloc", "/usr/bin/python3 -c 'list(range(20000))'");
	check("--sample=4096", "/usr/bin/perl -e 'my @a = map { \"x\" x $_ } 1..2000'");
}

/* No line of the drawing is longer than the terminal, and without UTF-8 it is plain letters. */
TEST(test_the_drawing_fits_its_terminal)
{
	static const int widths[] = { 40, 80, 120 };
	struct result r = record("", "%s", built("examples/alloc_size"));

	result_free(&r);
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		r = run_shell("script -qec \"stty cols %d; LC_ALL=C NO_COLOR=1 '%s' timeline --no-pager "
			      "test.data\" /dev/null </dev/null | tr -d '\\r' >drawing; "
			      "LC_ALL=C grep -c '[^ -~]' drawing; wc -L <drawing",
			      widths[i], built("allotrope"));
		if (atoi(r.out) != 0 || atoi(strchr(r.out, '\n')) > widths[i])
			fail_msg("%d columns: letters beyond ASCII, longest line: %s", widths[i], r.out);
		assert_true(atoi(strchr(r.out, '\n')) > widths[i] / 2);
		result_free(&r);
	}
}

/* A sentence and a status, and nothing half done. */
TEST(test_what_cannot_be_drawn_leaves_no_picture)
{
	struct result r = record("", "%s", built("examples/alloc_size"));

	result_free(&r);
	r = run_shell("mkdir empty; for i in cat; do ln -s \"$(command -v $i)\" empty; done; "
		      "PATH=$PWD/empty '%s' timeline --format=png -o a.png test.data", built("allotrope"));
	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "apt install gnuplot-nox"));
	assert_int_not_equal(access("a.png", F_OK), 0);
	assert_int_equal(access("a.dat", R_OK), 0);
	assert_int_equal(access("a.gp", R_OK), 0);
	result_free(&r);
	r = run_shell("'%s' timeline --format=png -o /nonexistent/a.png test.data", built("allotrope"));
	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "/nonexistent/a.png"));
	result_free(&r);
	r = run_shell("'%s' timeline --format=gnuplot -o /proc/1/x test.data", built("allotrope"));
	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "cannot make the folder '/proc/1/x'"));
	result_free(&r);
	r = run_shell(": >file; '%s' timeline --format=gnuplot -o file test.data", built("allotrope"));
	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "file"));
	result_free(&r);
}

TEST(test_a_terminal_too_narrow_is_said_so)
{
	struct result r = record("", "%s", built("examples/alloc_size"));

	result_free(&r);
	r = run_shell("script -qec \"stty cols 20; '%s' timeline --no-pager test.data\" /dev/null "
		      "</dev/null", built("allotrope"));
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.out, "the terminal has 20 columns and the drawing needs 40"));
	assert_null(strstr(r.out, "live on the heap"));
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_gnuplot_draws_without_a_warning_and_the_peak_is_in_the_data),
		LIVE_TEST(test_the_drawing_fits_its_terminal),
		LIVE_TEST(test_what_cannot_be_drawn_leaves_no_picture),
		LIVE_TEST(test_a_terminal_too_narrow_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
