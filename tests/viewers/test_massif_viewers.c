/*
 * test_massif_viewers.c - massif-visualizer loads our files and finds the peak that they have.
 * (ms_print reads them in tests/oracle/test_massif.c.)
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture/mktrace.h"
#include "support/run.h"

#define NEED_VISUALIZER() do { \
	if (!found("massif-visualizer")) \
		SKIP("massif-visualizer is not installed"); \
} while (0)

/* What massif-visualizer says of FILE. It does not end by itself: it is stopped once it has read. */
static char *view(const char *file)
{
	struct result r = run_shell("export HOME=$PWD XDG_RUNTIME_DIR=$PWD QT_QPA_PLATFORM=offscreen; "
				    "chmod 700 .; massif-visualizer %s >view.log 2>&1 & "
				    UNTIL_TRUE("grep -qE '^peak cost|invalid line|[Ee]mpty' view.log")
				    "kill $!; cat view.log", file);
	char *text = strdup(r.out);

	result_free(&r);
	return text;
}

/* FILE is loaded, and its peak is SNAPSHOT. */
static void assert_viewed(const char *file, const char *unit, long long snapshots, long long peak)
{
	char *text = view(file), *line;

	if (!strstr(text, "loaded massif file"))
		fail_msg("%s: %s", file, text);
	assert_int_equal(number_after(text, "\nsnapshots:"), snapshots);
	assert_int_equal(number_after(text, "peak: snapshot # "), peak);
	assert_true(asprintf(&line, "time unit: \"%s\"", unit) > 0);
	assert_non_null(strstr(text, line));
	free(line);
	free(text);
}

/* The row of the peak in the table with OPTIONS: its number. Sets *COUNT to that of all. */
static long long peak_row(const char *options, long long *count)
{
	char *csv = ask("massif --format=csv %s test.data", options);
	long long snapshot = -1;

	*count = -1; /* the heading */
	for (char *p = csv; *p; p = strchr(p, '\n') + 1) {
		if (strncmp(p + strcspn(p, ",\n"), ",", 1) == 0 && strstr(p, ",peak,") &&
		    strstr(p, ",peak,") < strchr(p, '\n'))
			snapshot = *count;
		++*count;
	}
	free(csv);
	return snapshot;
}

static void compare(const char *options, const char *unit)
{
	long long count, peak = peak_row(options, &count);

	free(ask("massif --format=massif %s -o massif.out test.data", options));
	assert_viewed("massif.out", unit, count, peak);
}

TEST(test_massif_visualizer_reads_every_unit)
{
	struct result r;

	NEED_VISUALIZER();
	r = record("", "/usr/bin/jq -n '[range(3000)|{a:., b:tostring}]|map(.b)|length'");
	assert_int_equal(r.status, 0);
	result_free(&r);
	compare("", "B");
	compare("--time-unit=ms", "ms");
	compare("--time-unit=calls --max-snapshots=10", "i");
	compare("--pages-as-heap", "B");
}

TEST(test_massif_visualizer_reads_names_with_anything_in_them)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "a b\n#-----------\nsnapshot=7");

	mk_module(t, 1, 2, 0x1000, 0x2000, "/x/li (b): #1\nn0: 5 0x1: z");
	mk_malloc(t, s, 1001, 0x10000, 100, 0x1100, 0x1200);
	mk_free(t, s, 2001, 0x10000);
	if (found("massif-visualizer")) {
		free(ask("massif --format=massif -o names.out %s", mktrace_file(t)));
		assert_viewed("names.out", "B", 4, 2);
	}
	mktrace_free(t);
	NEED_VISUALIZER();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_massif_visualizer_reads_every_unit),
		LIVE_TEST(test_massif_visualizer_reads_names_with_anything_in_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
