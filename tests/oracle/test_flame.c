/*
 * test_flame.c - flame graphs and trees of calls add up to what `summary` says, for every
 * metric, direction and program; and to heaptrack's own flame graph, function by function.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

struct metric_key { const char *metric, *key; };

static const struct metric_key heap_metrics[] = {
	{ "peak", "peak_bytes" }, { "total", "bytes" }, { "count", "blocks" }, { "end", "end_bytes" },
	{ "temporary", "temporary_blocks" },
};

static const struct metric_key mapping_metrics[] = {
	{ "peak", "mapped_peak_bytes" }, { "end", "mapped_end_bytes" },
};

/* Sum over the numbers at the ends of the lines of TEXT. */
static long long folded_sum(const char *text)
{
	long long sum = 0;

	for (const char *line = text; *line; ) {
		const char *end = strchr(line, '\n');
		const char *number = end;

		assert_non_null(end);
		while (number > line && number[-1] != ' ')
			number--;
		assert_true(number > line);
		sum += atoll(number);
		line = end + 1;
	}
	return sum;
}

/* The figures in OPTIONS' words of FILE are those of ROOT, its summary. */
static void compare_metrics(const char *file, const char *options, const char *kind,
			    const struct metric_key *metrics, size_t count, const json_t *root)
{
	for (size_t i = 0; i < count; i++) {
		static const char *const directions[] = { "", "--inverted" };
		long long expected = number_at(root, metrics[i].key);

		for (size_t d = 0; d < 2; d++) {
			char *folded = ask("flame --format=folded --metric=%s --kind=%s %s %s %s",
					   metrics[i].metric, kind, directions[d], options, file);

			if (folded_sum(folded) != expected)
				fail_msg("%s: %s of %s: flame %lld, summary %lld", file,
					 metrics[i].metric, kind, folded_sum(folded), expected);
			free(folded);
		}
	}
}

/* The top of the JSON tree of `tree` has the same figures. */
static void compare_tree(const char *file, const json_t *root)
{
	for (size_t i = 0; i < 5; i++) {
		char *text = ask("tree --format=json --callers --threshold=5 --metric=%s %s",
				 heap_metrics[i].metric, file);
		json_t *trees = json_loads(text, 0, NULL);
		const char *key = i == 2 || i == 4 ? "blocks" : "bytes";

		assert_non_null(trees);
		assert_int_equal(number_at(json_array_get(trees, 0), key),
				 number_at(root, heap_metrics[i].key));
		json_decref(trees);
		free(text);
	}
}

static void compare(const char *name)
{
	char file[4096], *text;
	json_t *root;

	/* NAME may be one of the few buffers of source() */
	snprintf(file, sizeof(file), "%s", name);
	text = ask("summary --format=json %s", file);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	compare_metrics(file, "", "heap", heap_metrics, 5, root);
	compare_metrics(file, "--by=line", "heap", heap_metrics, 5, root);
	compare_metrics(file, "", "mapping", mapping_metrics, 2, root);
	compare_tree(file, root);
	json_decref(root);
	free(text);
}

TEST(test_figures_of_kept_recordings_add_up_to_the_summary)
{
	compare(source("tests/golden/recordings/storm.data"));
	compare(source("tests/golden/recordings/family.data"));
	compare(source("tests/golden/recordings/semantics.data"));
}

TEST(test_figures_of_real_programs_add_up_to_the_summary)
{
	struct result r = record("", "/usr/bin/jq -n '[range(3000)|{a:., b:tostring}]|map(.b)|length'");

	result_free(&r);
	compare("test.data");
	r = record("", "/usr/bin/python3 -S -c 'd = {i: str(i) for i in range(20000)}; print(len(d))'");
	result_free(&r);
	compare("test.data");
	r = record("", "%s", built("tests/subjects/texts"));
	result_free(&r);
	compare("test.data");
}

TEST(test_estimates_of_a_sample_add_up_to_the_summary)
{
	struct result r = record("--sample=4K", "/usr/bin/jq -n '[range(9000)|tostring]|length'");
	json_t *root = summary("");

	compare_metrics("test.data", "", "heap", heap_metrics, 4, root);
	result_free(&r);
	r = run_shell("%s flame --metric=temporary -o x.svg test.data", built("allotrope"));
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "record without --sample"));
	json_decref(root);
	result_free(&r);
}

TEST(test_state_at_the_peak_is_the_peak)
{
	struct result r = record("", "/usr/bin/jq -n '[range(3000)|tostring]|length'");
	char *peak = ask("flame --format=folded test.data");
	char *moment = ask("flame --format=folded --at=peak test.data");

	assert_string_equal(peak, moment);
	free(peak);
	free(moment);
	result_free(&r);
}

TEST(test_recording_without_stacks_is_said_to_have_none)
{
	struct result r = record("--call-graph=no", "/usr/bin/jq -n 1");

	result_free(&r);
	r = run_shell("%s tree test.data", built("allotrope"));
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "the recording has no call stacks: record without --call-graph=no"));
	result_free(&r);
	r = run_shell("%s flame -o x.svg test.data; ls x.svg", built("allotrope"));
	assert_null(strstr(r.out, "x.svg"));
	result_free(&r);
}

/* ---- heaptrack ---- */

struct leaf { char name[256]; long long count; };
struct leaves { struct leaf items[2000]; size_t count; };

static void add_leaf(struct leaves *l, const char *name, size_t bytes, long long count)
{
	size_t i = 0;

	if (bytes >= sizeof(l->items[0].name))
		bytes = sizeof(l->items[0].name) - 1;
	while (i < l->count && (strncmp(l->items[i].name, name, bytes) != 0 || l->items[i].name[bytes]))
		i++;
	if (i == l->count) {
		assert_true(l->count < 2000);
		snprintf(l->items[l->count++].name, sizeof(l->items[i].name), "%.*s", (int)bytes, name);
	}
	l->items[i].count += count;
}

/*
 * What each function without callees was counted for. heaptrack ends a stack with an empty
 * frame, and puts the file behind the name.
 */
static void read_leaves(struct leaves *l, const char *text)
{
	for (const char *line = text; *line; ) {
		const char *end = strchr(line, '\n');
		const char *last = end, *first, *stop;

		assert_non_null(end);
		while (last > line && last[-1] != ' ')
			last--;
		stop = last - 1;
		if (stop > line && stop[-1] == ';')
			stop--;
		first = stop;
		while (first > line && first[-1] != ';')
			first--;
		for (const char *p = first; p + 1 < stop; p++)
			if (p[0] == ' ' && p[1] == '(')
				stop = p;
		/* one function has two names in the C library's debug information */
		if (strncmp(first, "__GI_", 5) == 0)
			first += 5;
		add_leaf(l, first, (size_t)(stop - first), atoll(last));
		line = end + 1;
	}
}

static int compare_leaves(const void *a, const void *b)
{
	return strcmp(((const struct leaf *)a)->name, ((const struct leaf *)b)->name);
}

/*
 * heaptrack's flame graph of COMMAND, with COST; the caller's. Its library loads the C++
 * library into a program that has none, whose start-up code allocates: that is left out.
 */
static char *heaptrack_folded(const char *command, const char *cost)
{
	struct result r = run_shell("rm -f ht.*; heaptrack -o ht %s >/dev/null 2>&1; "
				    "heaptrack_print -f ht.* --flamegraph-cost-type %s -F folded.txt "
				    ">/dev/null 2>&1; grep -v ';_dl_init (' folded.txt", command, cost);
	char *text;

	assert_true(*r.out != '\0');
	text = strdup(r.out);
	result_free(&r);
	return text;
}

/* WITH_LEAVES: function by function; heaptrack 1.4 prints inlined frames in reverse. */
static void equal_heaptrack(const char *command, bool with_leaves)
{
	struct leaves ours = { .count = 0 }, theirs = { .count = 0 };
	struct result r = record("", "%s", command);
	char *folded = ask("flame --format=folded --metric=count test.data");
	char *heaptrack = heaptrack_folded(command, "allocations");

	assert_int_equal(folded_sum(folded), folded_sum(heaptrack));
	read_leaves(&ours, folded);
	read_leaves(&theirs, heaptrack);
	qsort(ours.items, ours.count, sizeof(ours.items[0]), compare_leaves);
	qsort(theirs.items, theirs.count, sizeof(theirs.items[0]), compare_leaves);
	for (size_t i = 0; with_leaves && i < ours.count && i < theirs.count; i++)
		if (strcmp(ours.items[i].name, theirs.items[i].name) != 0 ||
		    ours.items[i].count != theirs.items[i].count)
			fail_msg("%s: %s %lld, heaptrack: %s %lld", command, ours.items[i].name,
				 ours.items[i].count, theirs.items[i].name, theirs.items[i].count);
	if (with_leaves)
		assert_int_equal(ours.count, theirs.count);
	free(folded);
	free(heaptrack);
	folded = ask("flame --format=folded --metric=peak test.data");
	heaptrack = heaptrack_folded(command, "peak");
	assert_int_equal(folded_sum(folded), folded_sum(heaptrack));
	free(folded);
	free(heaptrack);
	result_free(&r);
}

TEST(test_leaves_equal_those_of_heaptrack)
{
	char command[4096];

	if (!found("heaptrack"))
		SKIP("heaptrack is not installed");
	snprintf(command, sizeof(command), "%s 410000", built("examples/int_blocks"));
	equal_heaptrack(command, true);
	equal_heaptrack(built("examples/alloc_size"), true);
	snprintf(command, sizeof(command), "%s 7 20000", built("bench/pairs"));
	equal_heaptrack(command, true);
	snprintf(command, sizeof(command), "%s 6 20000", built("bench/tree"));
	equal_heaptrack(command, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_figures_of_kept_recordings_add_up_to_the_summary),
		LIVE_TEST(test_figures_of_real_programs_add_up_to_the_summary),
		LIVE_TEST(test_estimates_of_a_sample_add_up_to_the_summary),
		LIVE_TEST(test_state_at_the_peak_is_the_peak),
		LIVE_TEST(test_recording_without_stacks_is_said_to_have_none),
		LIVE_TEST(test_leaves_equal_those_of_heaptrack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
