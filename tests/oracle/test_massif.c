/*
 * test_massif.c - the heap over time is that of valgrind's Massif: the peak to the byte,
 * what each call stack had at it, and every snapshot of its file; and the drawing is
 * that of ms_print. Both runs see one environment (scrubbed.h), valgrind frees nothing
 * for the program at its end. Call stacks are compared by file and address in it.
 */
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/scrubbed.h"

/* ---- files ---- */

static char *read_text(const char *path)
{
	struct result r = run_shell("cat '%s'", path);
	char *text = strdup(r.out);

	if (r.status != 0)
		fail_msg("%s: %s", path, r.err);
	result_free(&r);
	return text;
}

/* Massif's file of COMMAND to PATH, its mappings to PATH.maps. */
static void massif(const char *environment, const char *command, const char *options,
		   const char *path)
{
	char maps[64];
	char *words;
	struct result r;

	snprintf(maps, sizeof(maps), "%s.maps", path);
	words = scrubbed_words(environment, command, maps);
	r = run_shell("%s valgrind --tool=massif --run-libc-freeres=no --run-cxx-freeres=no "
		      "--time-unit=B --depth=200 --read-inline-info=no %s --massif-out-file=%s %s",
		      words, options, path, command);
	if (r.status != 0)
		fail_msg("valgrind %s: status %d: %s", command, r.status, r.err);
	result_free(&r);
	free(words);
}

/* ---- the peak ---- */

struct sizes { long long time, heap, extra; };

/* The most that was live in any snapshot of PATH. *IS_PEAK: that is what is called the peak. */
static struct sizes most_of(const char *path, bool *is_peak)
{
	struct sizes most = { 0, 0, -1 };
	char *text = read_text(path);

	for (char *p = text; (p = strstr(p, "\ntime=")); p++) {
		struct sizes s = { number_after(p, "time="), number_after(p, "mem_heap_B="),
				   number_after(p, "mem_heap_extra_B=") };

		bool says_peak = strncmp(strstr(p, "heap_tree="), "heap_tree=peak", 14) == 0;

		if (s.heap + s.extra < most.heap + most.extra + (says_peak ? 0 : 1))
			continue;
		most = s;
		*is_peak = says_peak;
	}
	free(text);
	return most;
}

static void assert_close(const char *command, const char *what, long long ours, long long massif,
			 long long spread)
{
	if (llabs(ours - massif) > spread)
		fail_msg("%s: %s: %lld, Massif %lld", command, what, ours, massif);
}

/* ---- call stacks at the peak ---- */

struct frame { uint64_t address; char label[400]; };

/*
 * FRAMES, innermost first, as " jq+1a4 libc.so.6+27249". Lines of one address are inlined
 * calls and count once; a function that calls itself stands there with the same label.
 */
static char *stack_key(const struct frame *frames, size_t count, const struct maps *m)
{
	size_t group = 0, bytes;
	char *key = NULL;
	FILE *out = open_memstream(&key, &bytes);

	assert_non_null(out);
	for (size_t i = 0; i < count; i++) {
		const struct mapped *row = maps_find(m, frames[i].address);
		bool is_inlined = i > group && frames[i].address == frames[group].address;

		if (group == i && strncmp(frames[i].label, "operator new", 12) == 0) {
			group = i + 1;
			continue;
		}
		for (size_t k = group; k < i && is_inlined; k++)
			is_inlined = strcmp(frames[k].label, frames[i].label) != 0;
		if (is_inlined)
			continue;
		/* behind _start valgrind goes on into what is no code */
		if (!row)
			break;
		group = i;
		fprintf(out, " %s+%" PRIx64, row->name, frames[i].address - row->base);
	}
	fclose(out);
	return key;
}

static void add_bytes(json_t *by_stack, const char *key, long long bytes)
{
	json_t *old = json_object_get(by_stack, key);

	if (bytes)
		json_object_set_new(by_stack, key,
				    json_integer(bytes + (old ? json_integer_value(old) : 0)));
}

/* The bytes of each call stack in the tree of the peak: what a line has beyond its callers. */
static json_t *peak_stacks(const char *path, const char *maps_path)
{
	static struct frame frames[1000];
	json_t *by_stack = json_object();
	struct maps m = maps_read(maps_path);
	char *text = read_text(path), *rest, *line;

	rest = strstr(text, "heap_tree=peak\n");
	if (!rest)
		fail_msg("%s: no peak", path);
	strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n")) && *line && *line != '#') {
		size_t depth = strspn(line, " ");
		unsigned children;
		long long bytes;
		int label = 0;
		char *key;

		assert_in_range(depth, 0, 999);
		assert_int_equal(sscanf(line + depth, "n%u: %lld %n", &children, &bytes, &label), 2);
		if (depth == 0 || strncmp(line + depth + label, "in ", 3) == 0)
			continue;
		frames[depth].address = strtoull(line + depth + label, NULL, 16);
		snprintf(frames[depth].label, sizeof(frames[depth].label), "%s",
			 strchr(line + depth + label, ' ') + 1);
		key = stack_key(&frames[1], depth, &m);
		add_bytes(by_stack, key, bytes);
		free(key);
		/* it is not its caller's own */
		if (depth > 1) {
			key = stack_key(&frames[1], depth - 1, &m);
			add_bytes(by_stack, key, -bytes);
			free(key);
		}
	}
	free(text);
	maps_free(&m);
	return by_stack;
}

/* Every call stack has the same; the largest is not the only one. */
static void compare_stacks(const char *command, long long spread)
{
	json_t *ours = peak_stacks("ours.peak", "test.maps");
	json_t *theirs = peak_stacks("massif.peak", "massif.peak.maps"), *value;
	const char *stack;
	size_t compared = 0;

	json_object_foreach(theirs, stack, value) {
		long long bytes = json_integer_value(value);
		const json_t *own = json_object_get(ours, stack);

		if (bytes <= spread)
			continue;
		if (!own)
			fail_msg("%s: Massif alone has %lld at%s", command, bytes, stack);
		if (llabs(json_integer_value(own) - bytes) > spread)
			fail_msg("%s: %lld, Massif %lld, at%s", command, json_integer_value(own), bytes,
				 stack);
		compared++;
	}
	json_object_foreach(ours, stack, value)
		if (json_integer_value(value) > spread && !json_object_get(theirs, stack))
			fail_msg("%s: Massif has not %s", command, stack);
	assert_true(compared > 0);
	json_decref(ours);
	json_decref(theirs);
}

/* ---- all snapshots ---- */

/* "time=", "mem_...", "heap_tree=" lines of PATH. */
static char *snapshot_lines(const char *path)
{
	struct result r = run_shell("grep -E '^(snapshot|time|mem_|heap_tree)' %s", path);
	char *text = strdup(r.out);

	assert_int_equal(r.status, 0);
	result_free(&r);
	return text;
}

static void compare_snapshots(const char *command)
{
	char *ours = snapshot_lines("ours.out"), *theirs = snapshot_lines("massif.out");

	if (strcmp(ours, theirs) != 0) {
		struct result r = run_shell("diff massif.out ours.out | grep -v '^[<>] *n' | head -20");

		fail_msg("%s: snapshots differ: %s", command, r.out);
	}
	free(ours);
	free(theirs);
}

/* ---- the drawing ---- */

/* What ms_print prints for our file with OPTIONS is our text, but for the name in its heading. */
static void compare_drawing(const char *options, const char *ms_print)
{
	struct result r;

	free(ask("massif --format=massif -o drawn.out %s test.data", options));
	/* notes follow the drawing after an empty line */
	r = run_shell("'%s' massif %s -o drawn.txt test.data; sed -i '/^note: /,$d' drawn.txt; "
		      "sed -i '${/^$/d}' drawn.txt; ms_print %s drawn.out >ms_print.txt 2>ms_print.err && "
		      "! [ -s ms_print.err ] && sed -i '/^ms_print arguments/d' drawn.txt ms_print.txt && "
		      "diff drawn.txt ms_print.txt", built("allotrope"), options, ms_print);
	if (r.status != 0)
		fail_msg("%s: ms_print draws something else: %.2000s%s", options, r.out, r.err);
	result_free(&r);
}

/* ---- one program ---- */

/*
 * SPREAD: by how many bytes the program's own heap differs from run to run with the
 * addresses that it gets; 0 where it is deterministic.
 */
static void compare_spread(const char *environment, const char *command, long long spread)
{
	const char *ours_options = "--format=massif --valgrind-extra --wrappers=none";
	struct sizes theirs, ours;
	bool has_peak, is_peak;
	json_t *root;

	massif(environment, command, "--peak-inaccuracy=0.0 --threshold=0", "massif.peak");
	record_scrubbed(environment, command);
	root = summary("");
	assert_nothing_lost(root);
	json_decref(root);
	free(ask("massif %s --depth=200 --threshold=0 -o ours.peak test.data", ours_options));
	theirs = most_of("massif.peak", &has_peak);
	ours = most_of("ours.peak", &is_peak);
	assert_true(is_peak);
	assert_close(command, "useful heap at the peak", ours.heap, theirs.heap, spread);
	assert_close(command, "peak", ours.heap + ours.extra, theirs.heap + theirs.extra, spread);
	/* Massif takes none for a peak that nothing is released after */
	if (has_peak)
		compare_stacks(command, spread);
	if (!spread) {
		massif(environment, command, "", "massif.out");
		free(ask("massif %s --peak-inaccuracy=1 -o ours.out test.data", ours_options));
		compare_snapshots(command);
	}
	compare_drawing("", "");
}

static void compare(const char *environment, const char *command)
{
	compare_spread(environment, command, 0);
}

TEST(test_c_examples_equal_massif)
{
	char command[4096];

	compare("", built("examples/benchmark"));
	compare("", built("examples/alloc_size"));
	snprintf(command, sizeof(command), "%s 410000", built("examples/int_blocks"));
	compare("", command);
	snprintf(command, sizeof(command), "%s 5 20000", built("bench/pairs"));
	compare("", command);
	snprintf(command, sizeof(command), "%s 9 20000", built("bench/tree"));
	compare("", command);
}

TEST(test_cpp_program_equals_massif)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s 50", built("tests/subjects/exceptions"));
	compare("", command);
}

TEST(test_jq_equals_massif)
{
	make_inputs();
	compare("", "/usr/bin/jq -c 'select(.n > 7) | .a' in.json");
}

TEST(test_sqlite3_equals_massif)
{
	make_inputs();
	compare("", "/usr/bin/sqlite3 :memory: '.read in.sql'");
}

TEST(test_sed_equals_massif)
{
	make_inputs();
	compare("", "/usr/bin/sed -n 's/text \\([0-9]*\\)/<\\1>/p' in.json");
}

TEST(test_awk_equals_massif)
{
	make_inputs();
	compare("", "/usr/bin/awk -F, '{ n[$2] += length($3) } END { for (k in n) s += n[k]; "
		"print s }' in.json");
}

TEST(test_perl_equals_massif)
{
	compare("PERL_HASH_SEED=0",
		"/usr/bin/perl -e 'my %h; $h{$_ % 97} .= \"x$_\" for 1..3000; "
		"print scalar(keys %h), \"\\n\"'");
}

#define PYTHON27 "/root/.pyenv/versions/2.7.18/bin/python2.7"

TEST(test_python27_equals_massif)
{
	if (access(PYTHON27, X_OK) != 0) {
		/* no distribution has it any more; int_blocks is compared in its place */
		printf("no CPython 2.7 at %s\n", PYTHON27);
		return;
	}
	/* its arenas hold a pool more or less with the addresses that they get */
	compare_spread("PYTHONHASHSEED=0", PYTHON27 " -S -c 'print(len(range(200000)))'", 0);
}

TEST(test_python3_equals_massif)
{
	/* CPython's cache of type attributes keeps names alive by the types' addresses */
	compare_spread("PYTHONHASHSEED=0 PYTHONMALLOC=malloc",
		       "/usr/bin/python3 -S -c 'd = {i: str(i) for i in range(2000)}; "
		       "print(len(d))'", 1024);
}

TEST(test_drawing_is_that_of_ms_print)
{
	make_inputs();
	record_scrubbed("", "/usr/bin/jq -c 'select(.n > 7) | .a' in.json");
	compare_drawing("--time-unit=ms", "");
	compare_drawing("--time-unit=calls --max-snapshots=10 --detailed-freq=1", "");
	compare_drawing("--x=5 --y=4 --threshold=5", "--x=5 --y=4 --threshold=5");
	compare_drawing("--x=100 --y=40 --threshold=0.1 --depth=3", "--x=100 --y=40 --threshold=0.1");
	compare_drawing("--pages-as-heap", "");
	compare_drawing("--exact-extra --at=peak", "");
	compare_drawing("--peak-inaccuracy=3 --max-snapshots=1000", "");
}

/* Bytes of LINE's kind in Massif's tree of pages: below what it called in libc and ld.so. */
static long long bytes_at(const char *path, const char *label)
{
	struct result r = run_shell("sed -n '/heap_tree=peak/,/^#/p' %s | grep -F '%s' | "
				    "awk '{ sum += $2 } END { print sum }'", path, label);
	long long bytes = atoll(r.out);

	result_free(&r);
	return bytes;
}

TEST(test_pages_as_heap_are_massifs_where_the_program_asked_for_them)
{
	/* ld.so's own and the first pages differ: valgrind loads programs in its own way */
	static const char *const lines[] = {
		"main (alloc_size.c:46)", "main (alloc_size.c:47)", "main (alloc_size.c:48)",
	};

	massif("", built("examples/alloc_size"), "--pages-as-heap=yes --peak-inaccuracy=0.0 "
	       "--threshold=0", "massif.out");
	record_scrubbed("", built("examples/alloc_size"));
	free(ask("massif --pages-as-heap --format=massif --threshold=0 -o ours.out test.data"));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_close(lines[i], "pages", bytes_at("ours.out", lines[i]),
			     bytes_at("massif.out", lines[i]), 0);
	assert_true(bytes_at("ours.out", lines[2]) > 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_c_examples_equal_massif),
		LIVE_TEST(test_cpp_program_equals_massif),
		LIVE_TEST(test_jq_equals_massif),
		LIVE_TEST(test_sqlite3_equals_massif),
		LIVE_TEST(test_sed_equals_massif),
		LIVE_TEST(test_awk_equals_massif),
		LIVE_TEST(test_perl_equals_massif),
		LIVE_TEST(test_python27_equals_massif),
		LIVE_TEST(test_python3_equals_massif),
		LIVE_TEST(test_drawing_is_that_of_ms_print),
		LIVE_TEST(test_pages_as_heap_are_massifs_where_the_program_asked_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
